// What the supervisor does on every scheduler, written once and run in both worlds, with services written as callbacks
// and as coroutines.
#include <catch2/catch.hpp>

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <holdfast/asio/awaitable_service.hpp>
#include <holdfast/supervisor.hpp>

#include "conformance.hpp"

namespace holdfast::test::conformance_test {

namespace {

namespace net = boost::asio;
using Words = std::vector<std::string>;
constexpr Duration kBeat = 50ms;

// What a run does.
enum class Act { ends, fails, throws_thing, fatal, waits, hangs, gets_ready, beats };

// Plays a list of acts, one a run, in either style. The last act is repeated.
struct Troupe {
  using Script = std::function<Act(RunNumber)>;

  // Awaits its stop or nothing; written as callbacks.
  class Callbacks final : public Service {
   public:
    Callbacks(Script script, Scheduler& scheduler) : script_(std::move(script)), scheduler_(scheduler) {}
    void start(Run run) override {
      act_ = script_(run.number());
      switch (act_) {
        case Act::ends: return run.end(Exit::clean());
        case Act::fails: throw std::runtime_error{"boom"};
        case Act::throws_thing: throw 42;
        case Act::fatal: return run.end(Exit::fatal("no licence"));
        case Act::gets_ready: return run.ready();
        case Act::beats: return beat(run);
        default: return;
      }
    }
    void stop(Run run) override {
      bell_.reset();
      if (act_ == Act::waits || act_ == Act::gets_ready || act_ == Act::beats) run.end(Exit::clean());
    }
    [[nodiscard]] bool can_be_killed() const noexcept override { return true; }
    void kill(Run run) override { run.end(Exit::failed("killed")); }

   private:
    void beat(Run run) {
      run.heartbeat();
      bell_.emplace(scheduler_, [this, run] { beat_again(run); });
      bell_->arm(scheduler_.now() + kBeat);
    }
    void beat_again(Run run) {
      run.heartbeat();
      bell_->arm(scheduler_.now() + kBeat);
    }

    Script script_;
    Scheduler& scheduler_;
    std::optional<Bell> bell_;
    Act act_ = Act::ends;
  };

  static net::awaitable<void> perform(Script script, Context& context) {
    switch (script(context.run())) {
      case Act::ends: co_return;
      case Act::fails: throw std::runtime_error{"boom"};
      case Act::throws_thing: throw 42;
      case Act::fatal: throw FatalError{"no licence"};
      case Act::gets_ready:
        co_await context.sleep_for(1ms);
        context.ready();
        [[fallthrough]];
      case Act::waits: co_await context.stopped(); co_return;
      case Act::beats:
        for (std::uint64_t beats = 1; !context.stop_requested(); ++beats) {
          beats % 2 == 0 ? context.heartbeat() : context.progress(beats);
          co_await context.sleep_for(kBeat);
        }
        co_return;
      case Act::hangs:
        for (;;) {
          try {
            co_await context.sleep_for(1h);
          } catch (const std::exception&) {
          }
        }
    }
  }
};

// A supervisor in one of the worlds, with its services in one of the styles.
class Stage {
 public:
  explicit Stage(SupervisorConfig config = config_of(kAtOnce))
      : world_(make_world(GENERATE("virtual", "real"))),
        style_(GENERATE(as<std::string>{}, "callbacks", "awaitable")),
        recorder_(world_->is_real()) {
    UNSCOPED_INFO((world_->is_real() ? "real" : "virtual") << ' ' << style_);
    supervisor_.emplace(world_->scheduler(), config, kSeed, recorder_);
  }
  ~Stage() { CHECK(recorder_.ledger().violations() == Lines{}); }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  void add(std::string name, Troupe::Script script, RestartPolicy restart = RestartPolicy::on_failure) {
    add(std::move(name), std::move(script), ServicePolicy{.restart = restart});
  }
  void add(std::string name, Troupe::Script script, ServicePolicy policy) {
    Service* service = nullptr;
    if (style_ == "callbacks") {
      service = &callbacks_.emplace_back(std::move(script), world_->scheduler());
    } else {
      service = &awaitables_.emplace_back(world_->scheduler(), name,
                                          [script](Context& context) { return Troupe::perform(script, context); });
    }
    const auto added = supervisor_->add({.name = std::move(name), .policy = std::move(policy)}, *service);
    REQUIRE(added);
  }

  Supervisor& operator*() { return *supervisor_; }
  Supervisor* operator->() { return &*supervisor_; }
  World& world() { return *world_; }
  Recorder& recorder() { return recorder_; }
  [[nodiscard]] bool awaitable() const { return style_ == "awaitable"; }

  bool run_until(const std::function<bool()>& done) { return world_->run_until(done); }
  bool run_until_phase(const std::string& name, Phase phase, std::uint64_t run = 0) {
    return run_until([&] {
      const auto snapshot = supervisor_->snapshot(name);
      return snapshot && snapshot->phase == phase && snapshot->run.value >= run;
    });
  }
  ServiceSnapshot snapshot(const std::string& name) { return *supervisor_->snapshot(name); }
  std::string termination(const std::string& name) {
    const auto found = snapshot(name);
    return found.termination ? to_string(*found.termination, found.last_error) : "not terminated";
  }
  // The kinds of the events of a service, in order: "added started running ended".
  std::string history(const std::string& name) {
    std::string text;
    for (const auto& line : recorder_.lines()) {
      const auto after_time = line.substr(line.find(' ') + 1);
      if (!after_time.starts_with(name + ' ')) continue;
      const auto what = after_time.substr(name.size() + 1);
      text += (text.empty() ? "" : " ") + what.substr(0, what.find(' '));
    }
    return text;
  }
  void destroy_supervisor() {
    awaitables_.clear();
    supervisor_.reset();
    callbacks_.clear();
  }

 private:
  std::unique_ptr<World> world_;
  std::string style_;
  Recorder recorder_;
  std::deque<Troupe::Callbacks> callbacks_;
  std::deque<AwaitableService> awaitables_;
  std::optional<Supervisor> supervisor_;
};

TEST_CASE("a breaker that tries again opens for longer when its probe fails, and closes when it stays up") {
  BackoffPolicy policy = kAtOnce;
  policy.breaker =
      BreakerPolicy{2, 1min, HalfOpenPolicy{.open_for = 1ms, .open_for_max = 4ms, .probe_success_after = 2ms}};
  Stage stage{config_of(policy)};
  stage.add("a", [](RunNumber run) { return run.value <= 3 ? Act::fails : Act::waits; });
  REQUIRE(stage.run_until([&] {
    return stage->counters().circuit_breaker_trips == 2 && stage.snapshot("a").breaker == BreakerState::closed;
  }));
  CHECK(stage.history("a") ==
        "added started running ended backing_off started running ended breaker_tripped backing_off "
        "started running ended breaker_tripped backing_off started running breaker_closed");
  CHECK(stage.snapshot("a").phase == Phase::running);
  CHECK(stage.snapshot("a").attempt == 0);
}

TEST_CASE("a run is running once it says that it is ready, and one that does not in time is followed by another") {
  Stage stage;
  stage.add("slow", [](RunNumber run) { return run.value < 3 ? Act::waits : Act::gets_ready; },
            {.ready = Ready::notified, .start_timeout = 200ms});
  REQUIRE(stage.run_until_phase("slow", Phase::running));
  CHECK(stage.history("slow") ==
        "added started stopping ended backing_off started stopping ended backing_off started running");
  CHECK(stage.snapshot("slow").failed_starts == 2);
  CHECK(stage.snapshot("slow").last_error == "not ready within 200ms");
}

TEST_CASE("a run that is silent is followed by another, and one that gives signs of life goes on") {
  Stage stage;
  stage.add("hangs", [](RunNumber run) { return run.value < 3 ? Act::waits : Act::beats; }, {.watchdog = 4 * kBeat});
  REQUIRE(stage.run_until_phase("hangs", Phase::running, 3));
  const TimePoint since = stage.world().scheduler().now();
  REQUIRE(stage.run_until([&] { return stage.world().scheduler().now() >= since + 10 * kBeat; }));
  CHECK(stage.history("hangs") ==
        "added started running stopping ended backing_off started running stopping ended backing_off started running");
  CHECK(stage.snapshot("hangs").hangs == 2);
  CHECK(stage.snapshot("hangs").failures == 2);
  CHECK(stage.snapshot("hangs").last_error == "no heartbeat for 200ms");
}

TEST_CASE("a run that says when it is ready may fail, end, or be stopped before") {
  Stage stage;
  const ServicePolicy notified{.ready = Ready::notified};
  stage.add(
      "fails", [](RunNumber run) { return run.value < 2 ? Act::fails : Act::waits; }, notified);
  stage.add(
      "ends", [](RunNumber) { return Act::ends; }, notified);
  REQUIRE(stage.run_until_phase("fails", Phase::starting, 2));
  REQUIRE(stage.run_until_phase("ends", Phase::terminated));
  CHECK(stage.snapshot("fails").failed_starts == 1);
  CHECK(stage.history("ends") == "added started ended terminated");
  REQUIRE(stage->stop("fails"));
  REQUIRE(stage.run_until_phase("fails", Phase::terminated));
  CHECK(stage.termination("fails") == "cancelled");
}

TEST_CASE("a run that ends cleanly completes its service, or is followed by another under always") {
  Stage stage;
  stage.add("once", [](RunNumber) { return Act::ends; });
  stage.add(
      "again", [](RunNumber run) { return run.value < 3 ? Act::ends : Act::waits; }, RestartPolicy::always);
  REQUIRE(stage.run_until_phase("once", Phase::terminated));
  CHECK(stage.termination("once") == "completed");
  CHECK(stage.history("once") == "added started running ended terminated");
  REQUIRE(stage.run_until_phase("again", Phase::running, 3));
  CHECK(stage.snapshot("again").clean_exits == 2);
}

TEST_CASE("an exception is a failure, with its text, also one that is not a std::exception") {
  Stage stage;
  stage.add("boom", [](RunNumber run) { return run.value < 3 ? Act::fails : Act::waits; });
  stage.add("thing", [](RunNumber run) { return run.value < 3 ? Act::throws_thing : Act::waits; });
  REQUIRE(stage.run_until_phase("boom", Phase::running, 3));
  REQUIRE(stage.run_until_phase("thing", Phase::running, 3));
  CHECK(stage.snapshot("boom").last_error == "boom");
  CHECK(stage.snapshot("thing").last_error == "unknown exception");
  CHECK(stage.snapshot("boom").failures == 2);
  CHECK(stage.history("boom") ==
        "added started running ended backing_off started running ended backing_off started running");
  CHECK(stage.history("boom") == stage.history("thing"));
}

TEST_CASE("the error of nested exceptions is the whole chain, outermost first") {
  Stage stage;
  stage.add("nested", [](RunNumber run) -> Act {
    if (run.value > 1) return Act::waits;
    try {
      try {
        try {
          throw 42;
        } catch (...) {
          std::throw_with_nested(std::runtime_error{"connection refused"});
        }
      } catch (...) {
        std::throw_with_nested(std::invalid_argument{"cannot reach the exchange"});
      }
    } catch (...) {
      std::throw_with_nested(std::runtime_error{"no quotes"});
    }
  });
  REQUIRE(stage.run_until_phase("nested", Phase::running, 2));
  CHECK(stage.snapshot("nested").last_error ==
        "no quotes: cannot reach the exchange: connection refused: unknown exception");
}

TEST_CASE("a fatal error terminates whatever the policy") {
  Stage stage{config_of(at_once_with_breaker(3))};
  stage.add(
      "risk", [](RunNumber) { return Act::fatal; }, RestartPolicy::always);
  REQUIRE(stage.run_until_phase("risk", Phase::terminated));
  CHECK(stage.termination("risk") == "failed: no licence");
}

TEST_CASE("failures within the window trip the breaker") {
  Stage stage{config_of(at_once_with_breaker(3))};
  stage.add("flapping", [](RunNumber) { return Act::fails; });
  REQUIRE(stage.run_until_phase("flapping", Phase::terminated));
  CHECK(stage.termination("flapping") == "circuit breaker open (3/3 failures)");
}

TEST_CASE("a service that is stopped from within its own start gets one stop, after it runs") {
  Stage stage;
  stage.add("shy", [&](RunNumber) {
    CHECK(stage->stop("shy"));
    return Act::waits;
  });
  REQUIRE(stage.run_until_phase("shy", Phase::terminated));
  CHECK(stage.termination("shy") == "cancelled");
  CHECK(stage.history("shy") == "added started running commanded stopping ended terminated");
}

TEST_CASE("a service that is stopped in the instant of its adding never runs") {
  Stage stage;
  bool ran = false;
  stage.add("unwanted", [&](RunNumber) {
    ran = true;
    return Act::waits;
  });
  REQUIRE(stage->stop("unwanted"));
  REQUIRE(stage.run_until_phase("unwanted", Phase::terminated));
  CHECK(!ran);
  CHECK(stage.history("unwanted") == "added commanded terminated");
}

TEST_CASE("a restart by command stops the run and starts another, without a failure") {
  Stage stage;
  stage.add("feed", [](RunNumber) { return Act::waits; });
  REQUIRE(stage.run_until_phase("feed", Phase::running, 1));
  REQUIRE(stage->restart("feed"));
  REQUIRE(stage.run_until_phase("feed", Phase::running, 2));
  CHECK(stage.snapshot("feed").failures == 0);
  CHECK(stage.history("feed") == "added started running commanded stopping ended started running");
}

TEST_CASE("the end of an old run, reported again, changes nothing") {
  const auto world = any_world();
  Recorder recorder{world->is_real()};
  Script service;
  Supervisor supervisor{world->scheduler(), config_of(kAtOnce), kSeed, recorder};
  REQUIRE(supervisor.add({.name = "feed"}, service));
  REQUIRE(world->run_until([&] { return service.runs.size() == 1; }));
  service.fail("first");
  service.fail("twice");
  REQUIRE(world->run_until([&] { return service.runs.size() == 2; }));
  service.runs.front().end(Exit::failed("long ago"));
  world->run_ready();
  CHECK(supervisor.snapshot("feed")->phase == Phase::running);
  CHECK(supervisor.snapshot("feed")->failures == 1);
  CHECK(supervisor.snapshot("feed")->last_error == "first");
}

TEST_CASE("a shutdown asked for from inside a service drains the others and itself") {
  Stage stage;
  stage.add("engine", [](RunNumber) { return Act::waits; });
  stage.add("done", [](RunNumber) { return Act::ends; });
  stage.add("operator", [&](RunNumber) {
    stage->request_shutdown();
    return Act::waits;
  });
  REQUIRE(stage.run_until([&] { return stage->shutdown_result().has_value(); }));
  CHECK(stage->shutdown_result()->outcome == DrainOutcome::drained);
  CHECK(stage->shutdown_result()->abandoned.empty());
  CHECK(stage.termination("engine") == "cancelled");
  CHECK(stage.termination("operator") == "cancelled");
  CHECK(!stage->add({.name = "late"}, *std::make_unique<Troupe::Callbacks>([](RunNumber) { return Act::ends; },
                                                                           stage.world().scheduler())));
}

TEST_CASE("a service that ignores its stop is killed at the deadline, or abandoned and named where it cannot be") {
  Stage stage{config_of(kAtOnce, 5ms)};
  stage.add("deaf", [](RunNumber) { return Act::hangs; });
  REQUIRE(stage.run_until_phase("deaf", Phase::running, 1));
  stage->request_shutdown();
  REQUIRE(stage.run_until([&] { return stage->shutdown_result().has_value(); }));
  CHECK(stage->shutdown_result()->outcome == DrainOutcome::deadline);
  CHECK(stage->shutdown_result()->abandoned == (stage.awaitable() ? Words{"deaf"} : Words{}));
  CHECK(stage->counters().killed_runs == (stage.awaitable() ? 0 : 1));
  CHECK(stage->shutdown_result()->took >= 5ms);
  CHECK(stage->shutdown_result()->suggested_exit_status() == 1);
  stage.destroy_supervisor();
  stage.world().run_ready();
}

TEST_CASE("a service that ignores its stop is killed when its grace has passed, or abandoned where it cannot be") {
  SupervisorConfig config = config_of(kAtOnce);
  config.stop_grace = 5ms;
  Stage stage{config};
  stage.add("deaf", [](RunNumber) { return Act::hangs; });
  REQUIRE(stage.run_until_phase("deaf", Phase::running, 1));
  REQUIRE(stage->stop("deaf"));
  REQUIRE(stage.run_until_phase("deaf", Phase::terminated));
  if (stage.awaitable()) {
    CHECK(stage.history("deaf") == "added started running commanded stopping terminated");
    CHECK(stage.snapshot("deaf").termination->reason == Termination::Reason::abandoned);
    CHECK(stage.snapshot("deaf").termination->after >= 5ms);
  } else {
    CHECK(stage.history("deaf") == "added started running commanded stopping killed ended terminated");
    CHECK(stage.termination("deaf") == "cancelled");
    CHECK(stage.snapshot("deaf").last_error == "killed");
  }
  stage.destroy_supervisor();
  stage.world().run_ready();
}

TEST_CASE(
    "a service that ended before the deadline is in time, however late the thread gets to the end and to the "
    "deadline") {
  SupervisorConfig config = config_of(kAtOnce, 20ms);
  const bool by_grace = GENERATE(false, true);
  if (by_grace) {
    config.stop_grace = 20ms;
    config.shutdown_timeout = 1h;
  }
  Stage stage{config};
  constexpr int kServices = 300;
  for (int i = 0; i < kServices; ++i) stage.add("feed-" + std::to_string(i), [](RunNumber) { return Act::waits; });
  REQUIRE(stage.run_until_phase("feed-299", Phase::running, 1));
  // It stops all of them, which they obey; and then the thread is kept, again and again.
  net::post(stage.world().scheduler().executor(), [&] {
    const TimePoint asked = stage.world().scheduler().now();
    stage->request_shutdown();
    for (int i = 1; i <= 5; ++i) {
      net::post(stage.world().scheduler().executor(), [&, asked, i] { be_late_for(stage.world(), asked + i * 30ms); });
    }
  });
  REQUIRE(stage.run_until([&] { return stage->shutdown_result().has_value(); }));
  CHECK(stage->shutdown_result()->outcome == DrainOutcome::drained);
  CHECK(stage->shutdown_result()->abandoned.empty());
  CHECK(stage->counters().killed_runs == 0);
}

TEST_CASE("a drain that is ended by command kills at once, and abandons services that cannot be killed") {
  Stage stage;
  stage.add("deaf", [](RunNumber) { return Act::hangs; });
  REQUIRE(stage.run_until_phase("deaf", Phase::running, 1));
  stage->request_shutdown();
  stage->end_drain();
  REQUIRE(stage.run_until([&] { return stage->shutdown_result().has_value(); }));
  CHECK(stage->shutdown_result()->outcome == DrainOutcome::cut_short);
  CHECK(stage->shutdown_result()->abandoned == (stage.awaitable() ? Words{"deaf"} : Words{}));
  CHECK(stage->counters().killed_runs == (stage.awaitable() ? 0 : 1));
}

TEST_CASE("a supervisor is destroyed in any phase of its services") {
  Stage stage{config_of({.base = 1h, .max = 1h, .breaker = std::nullopt})};
  stage.add("running", [](RunNumber) { return Act::waits; });
  stage.add("backing_off", [](RunNumber) { return Act::fails; });
  stage.add("terminated", [](RunNumber) { return Act::ends; });
  stage.add("stopping", [](RunNumber) { return Act::hangs; });
  REQUIRE(stage.run_until_phase("running", Phase::running));
  REQUIRE(stage.run_until_phase("backing_off", Phase::backing_off));
  REQUIRE(stage.run_until_phase("terminated", Phase::terminated));
  REQUIRE(stage.run_until_phase("stopping", Phase::running));
  REQUIRE(stage->stop("stopping"));
  REQUIRE(stage.run_until_phase("stopping", Phase::stopping));
  stage.add("starting", [](RunNumber) { return Act::waits; });
  CHECK(stage.snapshot("starting").phase == Phase::starting);
  stage.destroy_supervisor();
  stage.world().run_ready();
}

}  // namespace

}  // namespace holdfast::test::conformance_test
