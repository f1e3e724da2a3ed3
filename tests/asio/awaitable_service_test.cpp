// Services written as coroutines: what a stop does to them, what they may be, and that an abandoned run harms nobody.
#include <catch2/catch.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <holdfast/arrival.hpp>
#include <holdfast/asio/awaitable_service.hpp>
#include <holdfast/asio/real_time_scheduler.hpp>
#include <holdfast/supervisor.hpp>

#include "support.hpp"
#include "worlds.hpp"

namespace holdfast::test::awaitable_service_test {
namespace {

namespace net = boost::asio;
using net::use_awaitable;
using namespace net::experimental::awaitable_operators;
using Words = std::vector<std::string>;
using Channel = net::experimental::channel<void(boost::system::error_code, int)>;

// One supervisor and one awaitable service, in one of the worlds.
class One {
 public:
  template <class F>
  explicit One(std::string world, F function, SupervisorConfig config = config_of(kAtOnce),
               RestartPolicy restart = RestartPolicy::on_failure, ArrivalSink* arrivals = nullptr)
      : world_(make_world(world)), recorder_(world_->is_real()) {
    service_.emplace(world_->scheduler(), "one", std::move(function));
    supervisor_.emplace(world_->scheduler(), config, kSeed, recorder_, arrivals);
    REQUIRE(supervisor_->add({.name = "one", .policy = {.restart = restart}}, *service_));
  }
  ~One() { CHECK(recorder_.ledger().violations() == Lines{}); }
  One(const One&) = delete;
  One& operator=(const One&) = delete;

  bool run_until(const std::function<bool()>& done) { return world_->run_until(done); }
  bool run_until_phase(Phase phase, std::uint64_t run = 0) {
    return run_until([&] { return snapshot().phase == phase && snapshot().run.value >= run; });
  }
  void stop() { REQUIRE(supervisor_->stop("one")); }
  void destroy() {
    service_.reset();
    supervisor_.reset();
  }
  ServiceSnapshot snapshot() { return *supervisor_->snapshot("one"); }
  std::string termination() {
    const auto found = snapshot();
    return found.termination ? to_string(*found.termination, found.last_error) : "not terminated";
  }
  World& world() { return *world_; }
  Supervisor& supervisor() { return *supervisor_; }
  Recorder& recorder() { return recorder_; }

 private:
  std::unique_ptr<World> world_;
  Recorder recorder_;
  std::optional<AwaitableService> service_;
  std::optional<Supervisor> supervisor_;
};

std::string any() { return GENERATE(as<std::string>{}, "virtual", "real"); }

// ---------------------------------------------------------------------------------------------------------------------
// Stopping
// ---------------------------------------------------------------------------------------------------------------------

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

// ---------------------------------------------------------------------------------------------------------------------
// What a service may be
// ---------------------------------------------------------------------------------------------------------------------

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

// ---------------------------------------------------------------------------------------------------------------------
// Abandonment
// ---------------------------------------------------------------------------------------------------------------------

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
