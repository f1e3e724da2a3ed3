// An abandoned run of a coroutine goes on alone, and does no harm.
#include <catch2/catch.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

#include "one_awaitable.hpp"

namespace holdfast::test::awaitable_service_test {

namespace {

namespace net = boost::asio;
using namespace net::experimental::awaitable_operators;
using Words = std::vector<std::string>;

TEST_CASE("an abandoned run that ends late is reported and changes nothing") {
  bool runs = false;
  bool let_go = false;
  One one{any(),
          [&](Context& ctx) -> net::awaitable<void> {
            runs = true;
            co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
            while (!let_go) co_await ctx.sleep_for(100us);
            throw std::runtime_error{"much later"};
          },
          config_of(kAtOnce, 1ms)};
  REQUIRE(one.run_until([&] { return runs; }));
  one.supervisor().request_shutdown();
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(one.snapshot().termination->reason == Termination::Reason::abandoned);
  // The deadline counts from the request, `after` from the stop that followed it a moment later.
  CHECK(one.snapshot().termination->after > Duration::zero());
  CHECK(one.supervisor().shutdown_result()->took >= 1ms);
  let_go = true;
  bool late = false;
  one.recorder().on_each = [&](const Event& event) { late |= std::holds_alternative<event::EndedLate>(event.what); };
  REQUIRE(one.run_until([&] { return late; }));
  CHECK(one.snapshot().failures == 0);
  CHECK(one.snapshot().phase == Phase::terminated);
}

TEST_CASE("a run outlives service and supervisor, and its end, exception and destructors do no harm") {
  Words seen;
  struct Witness {
    Words& seen;
    ~Witness() { seen.push_back("gone"); }
  };
  One one{any(), [&](Context& ctx) -> net::awaitable<void> {
            const Witness witness{seen};
            co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
            seen.push_back("runs");
            co_await ctx.sleep_for(1ms);
            seen.push_back(ctx.stop_requested() ? "was asked to stop" : "was not asked to stop");
            seen.push_back(std::string{ctx.service()});
            throw std::runtime_error{"nobody hears me"};
          }};
  REQUIRE(one.run_until([&] { return !seen.empty(); }));
  one.destroy();
  REQUIRE(one.run_until([&] { return seen.size() == 4; }));
  one.world().run_ready();
  CHECK(seen == Words{"runs", "was asked to stop", "one", "gone"});
}

TEST_CASE("a run that waits for its stop is unwound with its service, and one that sleeps with its scheduler") {
  Words seen;
  struct Witness {
    Words& seen;
    std::string name;
    ~Witness() { seen.push_back(name + " gone"); }
  };
  const auto world = any();
  {
    One one{world, [&](Context& ctx) -> net::awaitable<void> {
              const Witness witness{seen, "deaf"};
              co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
              seen.push_back("runs");
              for (;;) {
                try {
                  co_await ctx.sleep_for(1h);
                } catch (...) {
                }
              }
            }};
    REQUIRE(one.run_until([&] { return !seen.empty(); }));
    one.destroy();
    one.world().run_ready();
    CHECK(seen == Words{"runs"});
  }
  CHECK(seen == Words{"runs", "deaf gone"});
}

}  // namespace

}  // namespace holdfast::test::awaitable_service_test
