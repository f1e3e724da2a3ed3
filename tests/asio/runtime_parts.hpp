// What the tests of the runtime share: its services, its configuration, and a sink that calls back at an event.
#pragma once

#include <functional>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <holdfast/asio/runtime.hpp>

#include "support.hpp"

namespace holdfast::test::runtime_test {

namespace net = boost::asio;

inline net::awaitable<void> waits(Context& ctx) { co_await ctx.stopped(); }

// Neither interrupted nor ever done.
inline net::awaitable<void> is_deaf(Context& ctx) {
  co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
  for (;;) co_await ctx.sleep_for(1h);
}

// Calls back when it sees an event of this kind.
template <class Kind>
class On final : public EventSink {
 public:
  explicit On(std::function<void()> act, int nth = 1) : act_(std::move(act)), left_(nth) {}
  void on_event(const Event& event) override {
    if (std::holds_alternative<Kind>(event.what) && --left_ == 0) act_();
  }

 private:
  std::function<void()> act_;
  int left_;
};

inline RuntimeConfig with(std::vector<EventSink*> sinks, SupervisorConfig supervisor = config_of(kAtOnce)) {
  return {.supervisor = supervisor, .seed = kSeed, .sinks = std::move(sinks)};
}

}  // namespace holdfast::test::runtime_test
