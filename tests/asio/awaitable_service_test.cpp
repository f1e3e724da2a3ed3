// What a service written as a coroutine may be, and how its runs end.
#include <catch2/catch.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <holdfast/arrival.hpp>
#include <holdfast/asio/awaitable_service.hpp>
#include <holdfast/asio/real_time_scheduler.hpp>
#include <holdfast/supervisor.hpp>

#include "one_awaitable.hpp"

namespace holdfast::test::awaitable_service_test {

namespace {

namespace net = boost::asio;
using net::use_awaitable;
using namespace net::experimental::awaitable_operators;
using Words = std::vector<std::string>;
using Channel = net::experimental::channel<void(boost::system::error_code, int)>;

net::awaitable<void> plain_function(Context& ctx) { co_await ctx.sleep_for(1us); }

TEST_CASE("a plain function is a service") {
  One one{any(), plain_function};
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(one.termination() == "completed");
}

net::awaitable<Exit> exit_of_run(Context& ctx) {
  co_await ctx.sleep_for(1ms);
  switch (ctx.run().value) {
    case 1: co_return Exit::failed("no quotes");
    case 2: throw std::runtime_error{"thrown"};
    default: co_return Exit::fatal("no licence");
  }
}

struct ReturnsExit {
  net::awaitable<Exit> run(Context& ctx) { return exit_of_run(ctx); }
};

TEST_CASE("a run may return how it ended instead of throwing") {
  const auto world = any();
  const bool as_instance = GENERATE(false, true);
  const auto one = as_instance ? std::make_unique<One>(world, [] { return ReturnsExit{}; })
                               : std::make_unique<One>(world, exit_of_run);
  CHECK(one->run_until_phase(Phase::running, 2));
  CHECK(one->snapshot().last_error == "no quotes");
  CHECK(one->run_until_phase(Phase::running, 3));
  CHECK(one->snapshot().last_error == "thrown");
  CHECK(one->run_until_phase(Phase::terminated));
  CHECK(one->termination() == "failed: no licence");
  CHECK(one->snapshot().failures == 3);
}

TEST_CASE("each run of a lambda works on a copy of its own of what it has captured") {
  std::vector<int> seen;
  One one{any(), [&seen, count = 0](Context& ctx) mutable -> net::awaitable<void> {
            ++count;
            seen.push_back(count);
            co_await ctx.sleep_for(1us);
            if (ctx.run().value < 3) throw std::runtime_error{"again"};
          }};
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(seen == std::vector<int>{1, 1, 1});
}

TEST_CASE("a factory makes an instance for each run, and it is gone before the end is reported") {
  static int alive;
  alive = 0;
  struct Feed {
    explicit Feed(Words& words) : words_(words) { words_.push_back("made, alive " + std::to_string(++alive)); }
    ~Feed() { --alive; }
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;
    net::awaitable<void> run(Context& ctx) {
      co_await ctx.sleep_for(1us);
      if (ctx.run().value < 2) throw std::runtime_error{"again"};
    }
    Words& words_;
  };
  // The service reports the end to the supervisor before the supervisor reports it as an event.
  struct Ends final : ArrivalSink {
    void on_arrival(const Arrival& arrival) override {
      if (!std::holds_alternative<arrival::Ended>(arrival.what)) return;
      ++reported;
      CHECK(alive == 0);
    }
    int reported = 0;
  };
  Words seen;
  Ends ends;
  const bool by_pointer = GENERATE(true, false);
  const auto check = [&](One& one) {
    one.recorder().on_each = [&](const Event& event) {
      if (std::holds_alternative<event::Ended>(event.what)) CHECK(alive == 0);
    };
    REQUIRE(one.run_until_phase(Phase::terminated));
    CHECK(seen == Words{"made, alive 1", "made, alive 1"});
    CHECK(ends.reported == 2);
  };
  const auto config = config_of(kAtOnce);
  if (by_pointer) {
    One one{any(), [&] { return std::make_unique<Feed>(seen); }, config, RestartPolicy::on_failure, &ends};
    check(one);
  } else {
    One one{any(), [&] { return Feed{seen}; }, config, RestartPolicy::on_failure, &ends};
    check(one);
  }
}

TEST_CASE("an error of Asio is its message, without the place in Asio's headers where it was thrown, nested too") {
  const boost::system::error_code refused = net::error::connection_refused;
  const std::string message = refused.message();
  const auto error_of = [](std::function<void()> throws) {
    One one{any(), [throws](Context& ctx) -> net::awaitable<void> {
              if (ctx.run().value == 1) throws();
              co_await ctx.stopped();
            }};
    REQUIRE(one.run_until_phase(Phase::running, 2));
    return one.snapshot().last_error;
  };
  static constexpr boost::source_location kPlace = BOOST_CURRENT_LOCATION;
  const boost::system::error_code placed{refused, &kPlace};
  CHECK(error_of([&] { throw boost::system::system_error{refused}; }) == message);
  CHECK(error_of([&] { throw boost::system::system_error{placed}; }) == message);
  CHECK(error_of([&] {
          throw boost::system::system_error{placed, "to the exchange"};
        }) == "to the exchange: " + message);
  CHECK(error_of([&] {
          try {
            throw boost::system::system_error{placed};
          } catch (...) {
            std::throw_with_nested(std::runtime_error{"no quotes"});
          }
        }) == "no quotes: " + message);
  CHECK(error_of([&] {
          try {
            throw std::runtime_error{"no route"};
          } catch (...) {
            std::throw_with_nested(boost::system::system_error{placed});
          }
        }) == message + ": no route");
  CHECK(error_of([] { throw std::runtime_error{"plain [system:1]"}; }) == "plain [system:1]");
}

TEST_CASE("a fatal error that is nested terminates with the whole chain") {
  One one{any(), [](Context&) -> net::awaitable<void> {
            try {
              throw std::runtime_error{"licence server gone"};
            } catch (...) {
              std::throw_with_nested(FatalError{"no licence"});
            }
            co_return;
          }};
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(one.termination() == "failed: no licence: licence server gone");
}

TEST_CASE("a factory that throws fails the run") {
  int made = 0;
  struct Feed {
    net::awaitable<void> run(Context&) { co_return; }
  };
  One one{any(), [&] {
            if (++made < 3) throw std::runtime_error{"no memory for a feed"};
            return Feed{};
          }};
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(one.snapshot().failures == 2);
  CHECK(one.snapshot().last_error == "no memory for a feed");
}

TEST_CASE("a run knows its name, its number and the time") {
  std::vector<std::string> seen;
  One one{any(), [&](Context& ctx) -> net::awaitable<void> {
            seen.push_back(std::string{ctx.service()} + '#' + std::to_string(ctx.run().value));
            const TimePoint before = ctx.now();
            co_await ctx.sleep_until(before + 1ms);
            CHECK(ctx.now() >= before + 1ms);
            if (ctx.run().value == 1) throw std::runtime_error{"again"};
          }};
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(seen == Words{"one#1", "one#2"});
}

TEST_CASE("operation_aborted out of a run that was not asked to stop is a failure like any other") {
  One one{any(),
          [&](Context&) -> net::awaitable<void> {
            throw boost::system::system_error{net::error::operation_aborted};
            co_return;
          },
          config_of(kAtOnce), RestartPolicy::never};
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(one.snapshot().failures == 1);
}

TEST_CASE("an error out of a run that was asked to stop is kept as its last error") {
  One one{any(), [&](Context& ctx) -> net::awaitable<void> {
            co_await ctx.stopped();
            throw std::runtime_error{"could not flush"};
          }};
  REQUIRE(one.run_until_phase(Phase::running));
  one.world().run_ready();
  one.stop();
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(one.termination() == "cancelled");
  CHECK(one.snapshot().last_error == "could not flush");
}

TEST_CASE("real sockets are interrupted by a stop") {
  bool reads = false;
  One one{"real", [&](Context& ctx) -> net::awaitable<void> {
            net::local::stream_protocol::socket here{ctx.executor()}, there{ctx.executor()};
            net::local::connect_pair(here, there);
            char buffer[16];
            reads = true;
            co_await here.async_read_some(net::buffer(buffer), use_awaitable);
          }};
  REQUIRE(one.run_until([&] { return reads; }));
  one.stop();
  REQUIRE(one.run_until_phase(Phase::terminated));
  CHECK(one.snapshot().last_error.empty());
}

TEST_CASE("a run begins like a new coroutine, whatever an earlier one did to the coroutine that carries both") {
  std::vector<std::string> seen;
  One one{any(), [&](Context& ctx) -> net::awaitable<void> {
            const bool throws = co_await net::this_coro::throw_if_cancelled();
            const auto state = co_await net::this_coro::cancellation_state;
            const bool cancelled = state.cancelled() != net::cancellation_type::none;
            seen.push_back(std::string{throws ? "throws" : "plain"} + (cancelled ? ", cancelled" : ""));
            if (ctx.run().value < 3) {
              co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
              co_await net::this_coro::throw_if_cancelled(true);
              throw std::runtime_error{"again"};
            }
            co_await net::this_coro::throw_if_cancelled(true);
            Channel channel{ctx.executor()};
            co_await channel.async_receive(use_awaitable);
          }};
  // As long as another run is alive, coroutines are kept.
  AwaitableService other{one.world().scheduler(), "other",
                         [](Context& ctx) -> net::awaitable<void> { co_await ctx.stopped(); }};
  REQUIRE(one.supervisor().add({.name = "other"}, other));
  REQUIRE(one.run_until([&] { return seen.size() == 3; }));
  one.world().run_ready();
  for (int stops = 0; stops < 2; ++stops) {
    one.stop();
    REQUIRE(one.run_until_phase(Phase::terminated));
    CHECK(one.termination() == "cancelled");
    REQUIRE(one.supervisor().restart("one"));
    REQUIRE(one.run_until([&] { return seen.size() == 4U + static_cast<std::size_t>(stops); }));
    one.world().run_ready();
  }
  CHECK(seen == Words(5, "plain"));
  one.destroy();
}

TEST_CASE("an io_context runs out when no run is alive any more") {
  net::io_context io{1};
  RealTimeScheduler scheduler{io.get_executor()};
  Recorder recorder{true};
  std::deque<AwaitableService> services;
  Supervisor supervisor{scheduler, config_of(kAtOnce), kSeed, recorder};
  for (int i = 0; i < 40; ++i) {
    const std::string name = "service-" + std::to_string(i);
    services.emplace_back(scheduler, name, [i](Context& ctx) -> net::awaitable<void> {
      co_await ctx.sleep_for(i * 1us);
      if (ctx.run().value < 3) throw std::runtime_error{"again"};
    });
    REQUIRE(supervisor.add({.name = name}, services.back()));
  }
  io.run_for(kPatience);
  CHECK(io.stopped());
  CHECK(supervisor.counters().active_services == 0);
}

}  // namespace

}  // namespace holdfast::test::awaitable_service_test
