// The interface of one run of an awaitable service: its name, its time, sleeping, and whether it should stop.
//
//     boost::asio::awaitable<void> feed(Context& ctx) {
//       tcp::socket socket{ctx.executor()};
//       co_await socket.async_connect(exchange, use_awaitable);
//       while (!ctx.stop_requested()) {
//         co_await read_quotes(socket);
//         co_await ctx.sleep_for(10ms);
//       }
//       co_await say_goodbye(socket);
//     }
//
// A service that takes a while until it is of use says so with `ctx.ready()`, if its policy has `ready = notified`.
// One that has a `watchdog` calls `ctx.heartbeat()`, or `ctx.progress(n)`, at least that often.
//
// Returning is a clean exit, an exception is a failure, and a FatalError is a failure that no restart can fix. A run
// that fails often may return its end instead, as an `awaitable<Exit>`: `co_return Exit::failed("no quotes")`. An
// exception costs as much as several restarts. Its text becomes the error. For an error of Asio that is the message
// alone; for nested exceptions (std::throw_with_nested) it is the whole chain, outermost first.
//
// ## When it is asked to stop
//
// A stop is a request; the supervisor waits until the run returns, or abandons it at the drain's deadline.
// - stop_requested() and stop_token() say so from then on, and stopped() completes.
// - What the run is waiting for is cancelled, as Asio cancels a coroutine (terminal): it throws operation_aborted (a
//   channel channel_cancelled, `||` and `&&` multiple_exceptions with these). If the run does not catch it, this
//   exception ends the run, and that counts as a clean end: the simplest service needs no line about stopping.
// - Later waits work as usual, sleeps included, so that the run can clean up. (Asio's own default, that after a
//   cancellation every further co_await throws, is switched off for the run.)
// - An operation that has just completed can no longer be cancelled. So that no stop is lost, a run that has neither
//   noticed it nor ended is cancelled again every second, ten times. A run has noticed once stop_requested() has
//   returned true to it, stopped() has completed, or a sleep was cut short; a sleep begun before it has noticed throws
//   at once.
// - A run that must not be interrupted, and polls or awaits instead, begins with
//   `co_await this_coro::reset_cancellation_state(disable_cancellation());`
//
// An abandoned run goes on as long as it likes, but no longer affects the supervisor. When its scheduler is gone too,
// it ends at its next sleep: there its stack is unwound.
//
// Work that blocks belongs in another thread: `co_await co_spawn(pool, work(), bind_cancellation_slot(
// cancellation_slot{}, use_awaitable))`. Without the empty slot a stop would reach into that thread, where co_spawn of
// Asio 1.26 may use its cancellation signal after it is gone.
//
// Thread-safety: none, on executor() only; stop_token() may be handed to other threads.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <stop_token>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <holdfast/asio/detail/compiled_asio.hpp>
#include <holdfast/lifecycle.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {
class AwaitableRun;
}

#pragma GCC visibility push(default)

namespace holdfast {

// A run throws it for an error that no restart can fix. The service terminates, whatever its restart policy.
class FatalError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Context {
 public:
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  [[nodiscard]] std::string_view service() const noexcept;  // its name
  [[nodiscard]] RunNumber run() const noexcept;

  // Create everything that the run waits for on it: sockets, channels, timers of its own (in real time only).
  [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept;

  // The scheduler's time.
  [[nodiscard]] TimePoint now() const noexcept;

  // The run is ready: under `ready = notified` (policy.hpp) the service is `running` from then on. Only the first call
  // of a run counts; Run::ready() says what becomes of a late one.
  void ready() const noexcept;

  // Signs of life for the `watchdog` of its service (policy.hpp), as Run has them: call one of them whenever the run
  // has got something done. A run that waits for something that may never come needs a timeout for that.
  void heartbeat() const noexcept;
  void progress(std::uint64_t reached) const noexcept;

  // In real or virtual time. Throws boost::system::system_error with operation_aborted when it is cut short by a stop
  // (above) or cancelled, as by `||`.
  boost::asio::awaitable<void> sleep_for(Duration duration);
  boost::asio::awaitable<void> sleep_until(TimePoint at);

  [[nodiscard]] bool stop_requested() const noexcept;
  // For worker threads and std::stop_callback; polling it does not count as noticing.
  [[nodiscard]] std::stop_token stop_token() const noexcept;
  // Completes when the run is asked to stop, at once if it already was.
  boost::asio::awaitable<void> stopped();

  // Whether the supervisor has been asked to shut down, and an operation that completes when it is, at once if it
  // already was. A run that others are `after` (policy.hpp) is asked to stop only when those have terminated: it may
  // turn new work away from this time on, and still serve them. A stop cuts the wait short, like a sleep.
  [[nodiscard]] bool shutdown_requested() const noexcept;
  boost::asio::awaitable<void> shutdown();

 private:
  friend class detail::AwaitableRun;
  explicit Context(detail::AwaitableRun& run) noexcept : run_(run) {}

  detail::AwaitableRun& run_;
};

}  // namespace holdfast

#pragma GCC visibility pop
