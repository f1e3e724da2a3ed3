// What a stop does to a service written as a coroutine.
#include <catch2/catch.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "one_awaitable.hpp"

namespace holdfast::test::awaitable_service_test {

namespace {

namespace net = boost::asio;
using net::use_awaitable;
using namespace net::experimental::awaitable_operators;
using Words = std::vector<std::string>;
using Channel = net::experimental::channel<void(boost::system::error_code, int)>;

TEST_CASE("a run without a line about stopping ends where it waits, and its stack is unwound first") {
  Words seen;
  struct Witness {
    Words& seen;
    ~Witness() { seen.push_back("unwound"); }
  };
  One one{any(), [&](Context& ctx) -> net::awaitable<void> {
            const Witness witness{seen};
            seen.push_back("runs");
            co_await ctx.sleep_for(1h);
            seen.push_back("never");
          }};
  REQUIRE(one.run_until([&] { return seen.size() == 1; }));
  one.stop();
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(seen == Words{"runs", "unwound"});
  CHECK(one.termination() == "cancelled");
  CHECK(one.snapshot().last_error.empty());
  CHECK(one.snapshot().failures == 0);
}

TEST_CASE("after its stop a run may wait as before: cleaning up needs no ceremony") {
  Words seen;
  One one{any(), [&](Context& ctx) -> net::awaitable<void> {
            seen.push_back(ctx.stop_requested() ? "stopped" : "not stopped");
            try {
              co_await ctx.sleep_for(1h);
            } catch (const boost::system::system_error& error) {
              seen.push_back(error.code() == net::error::operation_aborted ? "aborted" : "other");
            }
            seen.push_back(ctx.stop_requested() ? "stopped" : "not stopped");
            co_await ctx.sleep_for(1ms);
            co_await net::post(ctx.executor(), use_awaitable);
            seen.push_back("cleaned up");
          }};
  REQUIRE(one.run_until([&] { return seen.size() == 1; }));
  one.stop();
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(seen == Words{"not stopped", "aborted", "stopped", "cleaned up"});
}

TEST_CASE("a run awaits its stop, before and after it was asked") {
  int awaited = 0;
  std::stop_token token;
  One one{any(), [&](Context& ctx) -> net::awaitable<void> {
            token = ctx.stop_token();
            co_await ctx.stopped();
            ++awaited;
            co_await ctx.stopped();
            ++awaited;
            co_await ctx.sleep_for(1us);
            ++awaited;
          }};
  REQUIRE(one.run_until_phase(Phase::running));
  REQUIRE(one.run_until([&] { return token.stop_possible(); }));
  CHECK(!token.stop_requested());
  one.stop();
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(awaited == 3);
  CHECK(token.stop_requested());
}

TEST_CASE("a stop interrupts a channel and both sides of ||") {
  Words seen;
  One one{any(), [&](Context& ctx) -> net::awaitable<void> {
            Channel channel{ctx.executor()};
            seen.push_back("waits");
            try {
              co_await (channel.async_receive(use_awaitable) || ctx.sleep_for(1h));
            } catch (const net::multiple_exceptions&) {
              seen.push_back("interrupted");
              throw;
            }
          }};
  REQUIRE(one.run_until([&] { return seen.size() == 1; }));
  one.stop();
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(seen == Words{"waits", "interrupted"});
  CHECK(one.snapshot().last_error.empty());
}

TEST_CASE("of several exceptions out of || the first is the error, a fatal one too") {
  const auto fatal = GENERATE(true, false);
  const auto fails = [fatal](Context& ctx, Duration after, std::string error) -> net::awaitable<void> {
    co_await ctx.sleep_for(after);
    if (fatal) throw FatalError{error};
    throw std::runtime_error{error};
  };
  One one{"virtual",
          [&](Context& ctx) -> net::awaitable<void> {
            co_await ((fails(ctx, 2us, "second") || fails(ctx, 1us, "first")) || fails(ctx, 3us, "third"));
          },
          config_of(at_once_with_breaker(3)), fatal ? RestartPolicy::always : RestartPolicy::never};
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(one.termination() == "failed: first");
}

TEST_CASE("a stop that finds a run where nothing can be interrupted cuts its next sleep short") {
  int slept = 0;
  One one{any(), [&](Context& ctx) -> net::awaitable<void> {
            for (int hops = 0; hops < 100; ++hops) co_await net::post(ctx.executor(), use_awaitable);
            ++slept;
            co_await ctx.sleep_for(24h);
            ++slept;
          }};
  REQUIRE(one.run_until_phase(Phase::running));
  net::post(one.world().scheduler().executor(), [&] { one.stop(); });
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(slept == 1);
  CHECK(one.termination() == "cancelled");
}

TEST_CASE("whichever of || and && comes, in the order of time") {
  Words seen;
  One one{any(), [&](Context& ctx) -> net::awaitable<void> {
            const auto first = co_await (ctx.sleep_for(1h) || ctx.sleep_for(1ms));
            seen.push_back("first " + std::to_string(first.index()));
            co_await (ctx.sleep_for(1ms) && ctx.sleep_for(2ms));
            seen.push_back("both");
            const auto stopped = co_await (ctx.sleep_for(1ms) || ctx.stopped());
            seen.push_back("stopped " + std::to_string(stopped.index()));
          }};
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(one.termination() == "completed");
  CHECK(seen == Words{"first 1", "both", "stopped 0"});
}

TEST_CASE("a run that must not be interrupted says so, and polls") {
  Words seen;
  One one{any(), [&](Context& ctx) -> net::awaitable<void> {
            co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
            seen.push_back("sends");
            while (!ctx.stop_requested()) co_await ctx.sleep_for(1ms);
            seen.push_back("done");
          }};
  REQUIRE(one.run_until([&] { return !seen.empty(); }));
  one.stop();
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(seen == Words{"sends", "done"});
}

TEST_CASE("a run that is asked to stop before it has begun is never called") {
  bool called = false;
  One one{"virtual", [&](Context&) -> net::awaitable<void> {
            called = true;
            co_return;
          }};
  one.recorder().on_each = [&](const Event& event) {
    if (std::holds_alternative<event::Running>(event.what)) one.stop();
  };
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(!called);
  CHECK(one.termination() == "cancelled");
}

TEST_CASE("a stop that finds a run between two waits is not lost") {
  // A consumer whose message has just arrived cannot be interrupted: what it waited for is complete. Its next wait is
  // interrupted a second later, as it has neither noticed the stop nor ended.
  int received = 0;
  One one{"virtual", [&](Context& ctx) -> net::awaitable<void> {
            Channel channel{ctx.executor(), 1};
            channel.try_send(boost::system::error_code{}, 1);
            for (;;) {
              co_await channel.async_receive(use_awaitable);
              ++received;
            }
          }};
  REQUIRE(one.run_until_phase(Phase::running));
  one.world().run_ready();
  one.stop();
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(received == 1);
  CHECK(one.termination() == "cancelled");
  CHECK(one.snapshot().last_error.empty());
}

TEST_CASE("a run that swallows every interruption and never looks is interrupted eleven times, then left to its fate") {
  int interrupted = 0;
  One one{"virtual",
          [&](Context& ctx) -> net::awaitable<void> {
            Channel channel{ctx.executor()};
            for (;;) {
              try {
                co_await channel.async_receive(use_awaitable);
              } catch (const std::exception&) {
                ++interrupted;
              }
            }
          },
          config_of(kAtOnce, 30s)};
  REQUIRE(one.run_until_phase(Phase::running));
  one.world().run_ready();
  one.supervisor().request_shutdown();
  REQUIRE(one.run_until([&] { return one.supervisor().shutdown_result().has_value(); }));
  CHECK(interrupted == 11);
  CHECK(one.supervisor().shutdown_result()->abandoned == Words{"one"});
}

TEST_CASE("a run that loops around its sleep and swallows the interruption is abandoned, not spun") {
  int rounds = 0;
  One one{"virtual",
          [&](Context& ctx) -> net::awaitable<void> {
            for (;;) {
              try {
                ++rounds;
                co_await ctx.sleep_for(1s);
              } catch (const std::exception&) {
              }
            }
          },
          config_of(kAtOnce, 10s)};
  REQUIRE(one.run_until_phase(Phase::running));
  one.world().run_ready();
  one.supervisor().request_shutdown();
  REQUIRE(one.run_until([&] { return one.supervisor().shutdown_result().has_value(); }));
  CHECK(rounds < 15);
}

TEST_CASE("a run awaits the request of a shutdown, and goes on until those that depend on it have stopped") {
  const auto world = make_world(any());
  Recorder recorder{world->is_real()};
  Words seen;
  bool runs = false;
  AwaitableService db{world->scheduler(), "db", [&](Context& ctx) -> net::awaitable<void> {
                        seen.push_back(ctx.shutdown_requested() ? "asked" : "not asked");
                        runs = true;
                        co_await ctx.shutdown();
                        seen.push_back(ctx.stop_requested() ? "db knows, and stops" : "db knows");
                        co_await ctx.shutdown();
                        co_await ctx.stopped();
                        seen.push_back("db stops");
                      }};
  AwaitableService web{world->scheduler(), "web", [&](Context& ctx) -> net::awaitable<void> {
                         co_await ctx.stopped();
                         co_await ctx.sleep_for(1ms);
                         seen.push_back("web stops");
                       }};
  Supervisor supervisor{world->scheduler(), config_of(kAtOnce), kSeed, recorder};
  REQUIRE(supervisor.add({.name = "db"}, db));
  REQUIRE(supervisor.add({.name = "web", .policy = {.order = {.after = NameList{"db"}}}}, web));
  REQUIRE(world->run_until([&] { return runs && supervisor.snapshot("web")->phase == Phase::running; }));
  world->run_ready();
  supervisor.request_shutdown();
  REQUIRE(world->run_until([&] { return supervisor.shutdown_result().has_value(); }));
  CHECK(seen == Words{"not asked", "db knows", "web stops", "db stops"});
  CHECK(recorder.ledger().violations() == Lines{});
}

TEST_CASE("a stop without a shutdown cuts the wait for one short, and so does the end of the service") {
  Words seen;
  One one{any(), [&](Context& ctx) -> net::awaitable<void> {
            seen.push_back("waits");
            try {
              co_await ctx.shutdown();
              seen.push_back("asked");
            } catch (const boost::system::system_error& error) {
              seen.push_back(error.code() == net::error::operation_aborted ? "aborted" : "other");
              throw;
            }
          }};
  REQUIRE(one.run_until([&] { return seen.size() == 1; }));
  one.world().run_ready();
  SECTION("a stop") {
    one.stop();
    REQUIRE(one.run_until_phase(Phase::terminated));
    CHECK(one.termination() == "cancelled");
  }
  SECTION("service and supervisor are destroyed") {
    one.destroy();
    REQUIRE(one.run_until([&] { return seen.size() == 2; }));
  }
  CHECK(seen == Words{"waits", "aborted"});
}

}  // namespace

}  // namespace holdfast::test::awaitable_service_test
