#include "patients.hpp"

#include <chrono>
#include <stdexcept>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace soak {

namespace net = boost::asio;
using holdfast::Context;
using net::awaitable, net::use_awaitable;
using namespace std::chrono_literals;

namespace {

// Ignores its stop, and does what it wants to some time later.
awaitable<void> hangs(Context& ctx, Dice dice) {
  co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
  while (!ctx.stop_requested()) co_await ctx.sleep_for(100ms);
  co_await ctx.sleep_for(dice.up_to(3s));
  if (dice.up_to(1) == 0) throw std::runtime_error{"a late crash"};
}

awaitable<void> reads_a_silent_socket(Context& ctx) {
  net::local::stream_protocol::socket here{ctx.executor()}, there{ctx.executor()};
  net::local::connect_pair(here, there);
  char byte = 0;
  co_await net::async_read(here, net::buffer(&byte, 1), use_awaitable);
}

awaitable<void> receives_from_a_silent_channel(Context& ctx) {
  net::experimental::channel<void(boost::system::error_code, int)> channel{ctx.executor()};
  co_await channel.async_receive(use_awaitable);
}

// As context.hpp says: without a slot, as co_spawn's own cancellation in another thread uses what is gone already.
awaitable<void> works_elsewhere(Context& ctx, Ward& ward) {
  for (;;) {
    co_await net::co_spawn(
        ward.pool, []() -> awaitable<void> { co_return; },
        net::bind_cancellation_slot(net::cancellation_slot{}, use_awaitable));
    co_await ctx.sleep_for(500ms);
  }
}

}  // namespace

awaitable<void> Patient::run(Context& ctx) {
  Dice dice{ward_.seed, ctx.service(), ctx.run().value << 8};
  const auto what = dice.up_to(11);
  if (what == 0) throw std::runtime_error{"a crash at once"};
  if (what == 1) co_return co_await hangs(ctx, dice);
  if (what == 2) co_return co_await reads_a_silent_socket(ctx);
  if (what == 3) co_return co_await receives_from_a_silent_channel(ctx);
  if (what == 4) co_return co_await works_elsewhere(ctx, ward_);
  if (what == 5) co_return co_await ctx.stopped();
  co_await ctx.sleep_for(dice.up_to(2s));
  if (what > 7) throw std::runtime_error{"a crash"};
}

holdfast::ServiceConfig config_of(unsigned number) {
  using enum holdfast::RestartPolicy;
  holdfast::BackoffPolicy backoff{.base = 10ms, .max = 1s, .cooldown = 3s, .breaker = std::nullopt};
  const unsigned kind = number % 10;
  if (kind == 0) backoff.breaker = holdfast::BreakerPolicy{.max_failures = 3, .window = 30s};
  return {.name = "service-" + std::to_string(number),
          .policy = {.restart = kind == 1   ? never
                                : kind == 2 ? on_failure
                                            : always,
                     .backoff = backoff,
                     // A run that hangs is abandoned where there is a grace, so that it can be restarted and removed.
                     .stop_grace = kind == 3 ? std::optional<holdfast::Duration>{500ms} : std::nullopt}};
}

}  // namespace soak
