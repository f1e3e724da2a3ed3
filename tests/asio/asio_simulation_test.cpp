// Awaitable services in virtual time: the same every time, decoupled, and kept away from the real world.
#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/system_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <holdfast/asio/async_sleep.hpp>
#include <holdfast_sim/asio/asio_simulation.hpp>
#include <holdfast_sim/asio/simulated_context.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/event_log.hpp>
#include <holdfast_sim/stage/virtual_scheduler.hpp>

namespace holdfast::asio_simulation_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;
namespace net = boost::asio;
using net::use_awaitable;
using namespace net::experimental::awaitable_operators;
using Words = std::vector<std::string>;
using Channel = net::experimental::channel<void(boost::system::error_code, int)>;

namespace {

SimulationConfig config() { return {.seed = {42}, .supervisor = {.backoff = {.max = 5s, .breaker = std::nullopt}}}; }

// Counts the threads of this process.
std::size_t threads() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator{"/proc/self/task"}) ++count;
  return count;
}

// A feed, a book and their channel: quotes arrive, the feed fails now and then.
void build_market(AsioSimulation& sim, Channel& quotes, int& booked) {
  REQUIRE(sim.add({.name = "feed"}, [&quotes](Context& ctx) -> net::awaitable<void> {
    for (int quote = 0; quote < 100; ++quote) {
      co_await ctx.sleep_for(10ms);
      co_await quotes.async_send({}, quote, use_awaitable);
    }
    throw std::runtime_error{"feed lost"};
  }));
  REQUIRE(sim.add({.name = "book"}, [&quotes, &booked](Context& ctx) -> net::awaitable<void> {
    for (;;) {
      co_await (quotes.async_receive(use_awaitable) || ctx.sleep_for(1min));
      ++booked;
    }
  }));
}

}  // namespace

TEST_CASE("awaitable services and a channel run for ten minutes of virtual time, and shut down") {
  EventLog log;
  AsioSimulation sim{config(), {&log}};
  Channel quotes{sim.executor(), 8};
  int booked = 0;
  build_market(sim, quotes, booked);
  sim.run_for(10min);
  CHECK(sim.now() == TimePoint{} + 10min);
  CHECK(booked > 8'000);
  CHECK(sim.supervisor().snapshot("feed")->last_error == "feed lost");
  CHECK(sim.supervisor().snapshot("feed")->failures > 80);
  CHECK(sim.supervisor().snapshot("book")->phase == Phase::running);
  sim.supervisor().request_shutdown();
  sim.run_for(30s);
  REQUIRE(sim.supervisor().shutdown_result());
  CHECK(sim.supervisor().shutdown_result()->outcome == DrainOutcome::drained);
  CHECK(sim.supervisor().shutdown_result()->took == 0s);
}

TEST_CASE("two runs of the same are equal to the byte") {
  const auto run = [] {
    Digest digest;
    AsioSimulation sim{config(), {&digest}};
    Channel quotes{sim.executor(), 8};
    int booked = 0;
    build_market(sim, quotes, booked);
    sim.run_for(2min);
    return digest.text();
  };
  CHECK(run() == run());
}

TEST_CASE("a service changes no event of another, be it awaitable or simulated") {
  const auto run = [](bool with_neighbour) {
    EventLog log;
    AsioSimulation sim{config(), {&log}};
    const auto flaky = [](Context& ctx) -> net::awaitable<void> {
      for (int i = 0; i < 10; ++i) {
        co_await ctx.sleep_for(100ms);
        co_await net::post(ctx.executor(), use_awaitable);
      }
      throw std::runtime_error{"flaky"};
    };
    REQUIRE(sim.add({.name = "first"}, flaky));
    if (with_neighbour) REQUIRE(sim.add({.name = "neighbour"}, flaky));
    REQUIRE(sim.add({.name = "simulated"}, Behaviour{.runs_for = Exponential{2s}, .then = Then::fail}));
    REQUIRE(sim.add({.name = "last"}, flaky));
    sim.run_for(5min);
    Words lines = log.lines_of("first");
    for (const auto* const name : {"simulated", "last"}) {
      for (auto& line : log.lines_of(name)) lines.push_back(std::move(line));
    }
    return lines;
  };
  CHECK(run(true) == run(false));
}

TEST_CASE("chaos passes awaitable services by, and names of theirs may be used") {
  EventLog log;
  AsioSimulation sim{config(), {&log}};
  REQUIRE(sim.add({.name = "awaitable"}, [](Context& ctx) -> net::awaitable<void> { co_await ctx.stopped(); }));
  REQUIRE(sim.add({.name = "simulated"}, Behaviour{}));
  sim.add_chaos({.at = 1s, .what = Storm{}});
  sim.run_for(1min);
  CHECK(sim.supervisor().snapshot("awaitable")->failures == 0);
  CHECK(sim.supervisor().snapshot("simulated")->failures == 1);
  CHECK(!sim.end_run("awaitable", Exit::clean()));
  CHECK(!sim.hang_run("awaitable"));
  REQUIRE(sim.supervisor().remove("awaitable"));
  sim.run_for(1s);
  REQUIRE(sim.add({.name = "awaitable"}, Behaviour{.runs_for = Fixed{1s}, .then = Then::end}));
  sim.run_for(1min);
  CHECK(sim.supervisor().snapshot("awaitable")->phase == Phase::terminated);
}

TEST_CASE("awaitable services stand beside the fleet of a scenario") {
  Scenario scenario{.name = "beside", .seed = {42}, .duration = 1min};
  scenario.fleet.push_back({.name = "feed", .count = 3});
  scenario.chaos.push_back({.at = 1s, .what = Storm{}});
  AsioSimulation sim{scenario};
  REQUIRE(sim.add({.name = "book"}, [](Context& ctx) -> net::awaitable<void> { co_await ctx.sleep_for(30s); }));
  CHECK(sim.run_to_end());
  CHECK(sim.end().at == TimePoint{} + 1min);
  CHECK(sim.supervisor().snapshot("feed-2")->failures == 1);
  CHECK(sim.supervisor().snapshot("book")->termination->reason == Termination::Reason::completed);
}

TEST_CASE("what waits for the real world is refused at once, with the reason, and starts no thread") {
  struct Case {
    std::string name;
    std::function<void(const net::any_io_executor&)> make;
  };
  const auto [name, make] = GENERATE(values<Case>({
      {"steady_timer",
       [](const auto& executor) {
         net::steady_timer timer{executor, 1s};
       }},
      {"system_timer", [](const auto& executor) { net::system_timer timer{executor}; }},
      {"socket", [](const auto& executor) { net::ip::tcp::socket socket{executor}; }},
      {"acceptor", [](const auto& executor) { net::ip::tcp::acceptor acceptor{executor}; }},
      {"local socket", [](const auto& executor) { net::local::stream_protocol::socket socket{executor}; }},
      {"signal_set",
       [](const auto& executor) {
         net::signal_set signals{executor, SIGUSR1};
       }},
      {"on a strand", [](const auto& executor) { net::steady_timer timer{net::make_strand(executor)}; }},
  }));
  CAPTURE(name);
  const std::size_t before = threads();
  {
    AsioSimulation sim{config()};
    CHECK_THROWS_AS(make(sim.executor()), RealWorldRefused);
    CHECK_THROWS_AS(make(sim.executor()), RealWorldRefused);  // and again
    CHECK(threads() == before);

    // In a service: it terminates at once, as retrying cannot mend it.
    REQUIRE(sim.add({.name = "gateway", .policy = {.restart = RestartPolicy::always}},
                    [make = make](Context& ctx) -> net::awaitable<void> {
                      make(ctx.executor());
                      co_await ctx.stopped();
                    }));
    sim.run_for(1h);
    const auto gateway = *sim.supervisor().snapshot("gateway");
    CHECK(gateway.phase == Phase::terminated);
    CHECK(gateway.starts == 1);
    CHECK(gateway.last_error ==
          "a timer, socket, descriptor or signal_set of Asio was made in a simulation, where only virtual time passes: "
          "sleep with Context::sleep_for or async_sleep, and replace the network by a channel");
    CHECK(threads() == before);
  }
  CHECK(threads() == before);
}

TEST_CASE("a resolver is refused at the next handler, and starts no thread") {
  const std::size_t before = threads();
  AsioSimulation sim{config()};
  REQUIRE(sim.add({.name = "gateway"}, [](Context& ctx) -> net::awaitable<void> {
    net::ip::tcp::resolver resolver{ctx.executor()};
    co_await resolver.async_resolve("localhost", "80", use_awaitable);
  }));
  CHECK_THROWS_AS(sim.run_for(1h), RealWorldRefused);
  CHECK(threads() == before);
}

TEST_CASE("co_spawn, strands and sleeps with any token work beside services") {
  AsioSimulation sim{config()};
  Words seen;
  const auto strand = net::make_strand(sim.executor());
  net::co_spawn(
      strand,
      [&]() -> net::awaitable<void> {
        co_await async_sleep(sim.executor_scheduler(), 1h, use_awaitable);
        seen.push_back("slept to " + to_string(sim.now()));
      },
      net::detached);
  async_sleep(sim.executor_scheduler(), 30min,
              [&](boost::system::error_code) { seen.push_back("called at " + to_string(sim.now())); });
  sim.run_for(2h);
  CHECK(seen == Words{"called at 30min", "slept to 1h"});
}

TEST_CASE("a simulation is destroyed with runs in every kind of wait, and all are unwound") {
  Words gone;
  struct Witness {
    Words& gone;
    std::string name;
    ~Witness() { gone.push_back(name); }
  };
  {
    AsioSimulation sim{config()};
    REQUIRE(sim.add({.name = "sleeps"}, [&](Context& ctx) -> net::awaitable<void> {
      const Witness witness{gone, "sleeps"};
      co_await ctx.sleep_for(1h);
    }));
    REQUIRE(sim.add({.name = "awaits its stop"}, [&](Context& ctx) -> net::awaitable<void> {
      const Witness witness{gone, "awaits its stop"};
      co_await ctx.stopped();
    }));
    REQUIRE(sim.add({.name = "receives"}, [&](Context& ctx) -> net::awaitable<void> {
      const Witness witness{gone, "receives"};
      Channel channel{ctx.executor()};
      for (;;) {
        try {
          co_await (channel.async_receive(use_awaitable) && ctx.sleep_for(1h));
        } catch (...) {
        }
      }
    }));
    REQUIRE(sim.add({.name = "posts"}, [&](Context& ctx) -> net::awaitable<void> {
      const Witness witness{gone, "posts"};
      const auto executor = ctx.executor();
      struct Poster {
        net::any_io_executor executor;
        ~Poster() {
          net::post(executor, [] {});
        }
      } const poster{executor};
      co_await ctx.sleep_for(1h);
    }));
    sim.run_for(1s);
    REQUIRE(sim.add({.name = "never began"}, [&](Context&) -> net::awaitable<void> { co_return; }));
    CHECK(gone.empty());
  }
  std::sort(gone.begin(), gone.end());
  CHECK(gone == Words{"awaits its stop", "posts", "receives", "sleeps"});
}

TEST_CASE("sleeps of no time that keep each other going stop the simulation with a message") {
  AsioSimulation sim{config()};
  sim.limit_handlers(1000);
  REQUIRE(sim.add({.name = "spins"}, [](Context& ctx) -> net::awaitable<void> {
    co_await ctx.sleep_for(1s);
    for (;;) co_await ctx.sleep_for(0s);
  }));
  CHECK_THROWS_WITH(sim.run_for(1min), Catch::Contains("more than 1000 handlers ran at 1s without letting time pass"));
}

struct PostsItself {
  SimulatedContext& context;
  void operator()() const { net::post(context.get_executor(), *this); }
};

TEST_CASE("handlers that keep each other going without letting time pass stop the simulation with a message") {
  VirtualScheduler scheduler;
  SimulatedContext context{scheduler};
  context.limit_handlers(1000);
  net::post(context.get_executor(), PostsItself{context});
  CHECK_THROWS_WITH(scheduler.run_tasks(),
                    Catch::Contains("more than 1000 handlers ran at 0s without letting time pass"));
}

}  // namespace holdfast::asio_simulation_test
