// Sleeping on a scheduler, with any completion token, in real or virtual time.
//
//     co_await async_sleep(scheduler, 250ms, boost::asio::use_awaitable);
//     async_sleep(scheduler, 250ms, [](boost::system::error_code error) { … });
//
// Completes with success at or after its time, never inside this call. Cancelled through its cancellation slot (any
// type: a sleep has no side effect) it completes with operation_aborted, posted. If the time and the cancellation come
// together, the earlier one decides. Sleeps that end at one instant complete in the order in which they began. A
// handler without an executor of its own is called on the scheduler's.
//
// Destroying a scheduler destroys pending handlers without invoking them, as an io_context does.
//
// Thread-safety: none; call, and cancel, on the scheduler's executor. Inside a service, Context::sleep_for is what you
// want.
#pragma once

#include <utility>

#include <boost/asio/async_result.hpp>
#include <holdfast/asio/detail/waiting_room.hpp>
#include <holdfast/asio/executor_scheduler.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

template <boost::asio::completion_token_for<void(boost::system::error_code)> Token>
auto async_sleep_until(ExecutorScheduler& scheduler, TimePoint at, Token&& token) {
  return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
      detail::Enter{}, token, scheduler.sleepers(), at, scheduler.executor());
}

// The time counts from now, also where the token begins the sleep later.
template <boost::asio::completion_token_for<void(boost::system::error_code)> Token>
auto async_sleep(ExecutorScheduler& scheduler, Duration duration, Token&& token) {
  return async_sleep_until(scheduler, scheduler.now() + duration, std::forward<Token>(token));
}

}  // namespace holdfast

#pragma GCC visibility pop
