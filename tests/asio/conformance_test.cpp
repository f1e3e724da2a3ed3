// What every scheduler promises, and what the supervisor does on it, written once and run in both worlds, with services
// written as callbacks and as coroutines.
#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <holdfast/asio/async_sleep.hpp>
#include <holdfast/asio/awaitable_service.hpp>
#include <holdfast/supervisor.hpp>

#include "support.hpp"
#include "worlds.hpp"

namespace holdfast::test::conformance_test {
namespace {

namespace net = boost::asio;
using Words = std::vector<std::string>;

std::unique_ptr<World> any_world() { return make_world(GENERATE("virtual", "real")); }

// ---------------------------------------------------------------------------------------------------------------------
// Timers and tasks
// ---------------------------------------------------------------------------------------------------------------------

class Bell final : public Timer {
 public:
  Bell(Scheduler& scheduler, std::function<void()> act) : scheduler_(scheduler), act_(std::move(act)) {}
  ~Bell() { scheduler_.disarm(*this); }
  void arm(TimePoint at) {
    armed_for_ = at;
    scheduler_.arm(*this, at);
  }
  bool disarm() { return scheduler_.disarm(*this); }

 private:
  void fired() override {
    CHECK(scheduler_.now() >= armed_for_);
    act_();
  }
  Scheduler& scheduler_;
  std::function<void()> act_;
  TimePoint armed_for_;
};

class Job final : public Task {
 public:
  Job(Scheduler& scheduler, std::function<void()> act) : scheduler_(scheduler), act_(std::move(act)) {}
  ~Job() { scheduler_.cancel(*this); }
  void defer() { scheduler_.defer(*this); }
  bool cancel() { return scheduler_.cancel(*this); }

 private:
  void run() override { act_(); }
  Scheduler& scheduler_;
  std::function<void()> act_;
};

TEST_CASE("timers of equal times fire in the order of arming, earlier ones before them") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  Words fired;
  const TimePoint at = scheduler.now() + 2ms;
  Bell a{scheduler, [&] { fired.push_back("a"); }};
  Bell b{scheduler, [&] { fired.push_back("b"); }};
  Bell c{scheduler, [&] { fired.push_back("c"); }};
  Bell early{scheduler, [&] { fired.push_back("early"); }};
  Bell late{scheduler, [&] { fired.push_back("late"); }};
  late.arm(at + 1ns);
  c.arm(at);
  a.arm(at);
  b.arm(at);
  early.arm(at - 1ns);
  REQUIRE(world->run_until([&] { return fired.size() == 5; }));
  CHECK(fired == Words{"early", "c", "a", "b", "late"});
}

TEST_CASE("a timer that another one disarms at the same instant does not fire") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  Words fired;
  const TimePoint at = scheduler.now() + 2ms;
  Bell victim{scheduler, [&] { fired.push_back("victim"); }};
  Bell killer{scheduler, [&] {
                fired.push_back("killer");
                CHECK(victim.disarm());
                CHECK(!victim.disarm());
              }};
  Bell witness{scheduler, [&] { fired.push_back("witness"); }};
  killer.arm(at);
  victim.arm(at);
  witness.arm(at);
  REQUIRE(world->run_until([&] { return fired.size() == 2; }));
  world->run_ready();
  CHECK(fired == Words{"killer", "witness"});
}

TEST_CASE("a timer armed in the past fires soon, never inside arm, and not before those that were due already") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  Words fired;
  Bell past{scheduler, [&] { fired.push_back("past"); }};
  Bell due{scheduler, [&] { fired.push_back("due"); }};
  Bell first{scheduler, [&] {
               past.arm(TimePoint::min());
               fired.push_back("first");
             }};
  const TimePoint at = scheduler.now() + 2ms;
  first.arm(at);
  due.arm(at);
  REQUIRE(world->run_until([&] { return fired.size() == 3; }));
  CHECK(fired == Words{"first", "due", "past"});
}

TEST_CASE("a timer may arm itself again") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  int times = 0;
  std::optional<Bell> bell;
  bell.emplace(scheduler, [&] {
    if (++times < 5) bell->arm(scheduler.now() + 100us);
  });
  bell->arm(scheduler.now());
  REQUIRE(world->run_until([&] { return times == 5; }));
  CHECK(!bell->armed());
}

TEST_CASE("deferred tasks run after the handler that deferred them, in order, and before the next timer") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  Words ran;
  Job third{scheduler, [&] { ran.push_back("third"); }};
  Job second{scheduler, [&] { ran.push_back("second"); }};
  Job cancelled{scheduler, [&] { ran.push_back("cancelled"); }};
  Job first{scheduler, [&] {
              ran.push_back("first");
              third.defer();
            }};
  Bell bell{scheduler, [&] {
              first.defer();
              cancelled.defer();
              second.defer();
              CHECK(cancelled.cancel());
              CHECK(!cancelled.cancel());
              ran.push_back("bell");
            }};
  Bell next{scheduler, [&] { ran.push_back("next"); }};
  const TimePoint at = scheduler.now() + 2ms;
  bell.arm(at);
  next.arm(at);
  REQUIRE(world->run_until([&] { return ran.size() == 5; }));
  CHECK(ran == Words{"bell", "first", "second", "third", "next"});
}

TEST_CASE("ten thousand timers fire in the order of their times and arming, but for those that were disarmed") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  constexpr std::size_t kTimers = 10'000;
  const TimePoint begin = scheduler.now();
  std::deque<Bell> bells;
  std::vector<std::pair<std::uint64_t, std::size_t>> expected;  // time in microseconds, place in the order of arming
  std::vector<std::size_t> fired;
  std::uint64_t dice = 42;
  for (std::size_t i = 0; i < kTimers; ++i) {
    dice = dice * 6364136223846793005 + 1442695040888963407;
    const std::uint64_t microseconds = (dice >> 33) % 500;  // many equal
    auto& bell = bells.emplace_back(scheduler, [&fired, i] { fired.push_back(i); });
    bell.arm(begin + std::chrono::microseconds{microseconds});
    if (i % 3 != 0) expected.emplace_back(microseconds, i);
  }
  for (std::size_t i = 0; i < kTimers; i += 3) REQUIRE(bells[i].disarm());
  REQUIRE(world->run_until([&] { return fired.size() == expected.size(); }));
  std::stable_sort(expected.begin(), expected.end());
  std::vector<std::size_t> order;
  for (const auto& [time, place] : expected) order.push_back(place);
  CHECK(fired == order);
}

// Keeps the thread until a time has passed, as a stopped program, a busy machine or a handler that blocks does. In
// virtual time nothing can be late.
void be_late_for(World& world, TimePoint at) {
  while (world.is_real() && world.scheduler().now() <= at) {
  }
}

TEST_CASE("what arrived before a timer's time comes before the timer, however late the thread gets to both") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  Words order;
  const TimePoint at = scheduler.now() + 2ms;
  Bell bell{scheduler, [&] { order.push_back("timer"); }};
  bell.arm(at);
  Job job{scheduler, [&] { order.push_back("task"); }};
  net::post(scheduler.executor(), [&] {
    job.defer();  // asks for a turn, and in that the timer is overdue
    net::post(scheduler.executor(), [&] { order.push_back("arrived"); });
    be_late_for(*world, at + 1ms);
  });
  REQUIRE(world->run_until([&] { return order.size() == 3; }));
  CHECK(order == Words{"task", "arrived", "timer"});
}

TEST_CASE("a deadline fires at its time, after a timer of that time that was armed before it, and can be disarmed") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  class Deadline final : public Timer {
   public:
    explicit Deadline(std::function<void()> act) : act_(std::move(act)) {}

   private:
    void fired() override { act_(); }
    std::function<void()> act_;
  };
  Words fired;
  const TimePoint at = scheduler.now() + 2ms;
  Bell bell{scheduler, [&] { fired.push_back("timer"); }};
  Deadline deadline{[&] {
    CHECK(scheduler.now() >= at);
    fired.push_back("deadline");
  }};
  Deadline never{[&] { fired.push_back("never"); }};
  bell.arm(at);
  scheduler.arm_deadline(deadline, at);
  scheduler.arm_deadline(never, at);
  CHECK(scheduler.disarm(never));
  CHECK(!scheduler.disarm(never));
  REQUIRE(world->run_until([&] { return fired.size() == 2; }));
  CHECK(fired == Words{"timer", "deadline"});
}

// ---------------------------------------------------------------------------------------------------------------------
// Sleeps and the executor
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("sleeps that end at one instant complete in the order in which they began") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  Words woke;
  const TimePoint at = scheduler.now() + 2ms;
  const auto sleep = [&](std::string name, TimePoint until) {
    async_sleep_until(scheduler, until, [&woke, name](boost::system::error_code error) {
      woke.push_back(error ? name + " aborted" : name);
    });
  };
  sleep("late", at + 1ns);
  sleep("b", at);
  sleep("a", at);
  sleep("past", TimePoint::min());
  CHECK(woke.empty());
  REQUIRE(world->run_until([&] { return woke.size() == 4; }));
  CHECK(woke == Words{"past", "b", "a", "late"});
}

TEST_CASE("a sleep that is cancelled, in whichever way, completes with operation_aborted, posted and once") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  const auto type =
      GENERATE(net::cancellation_type::total, net::cancellation_type::partial, net::cancellation_type::terminal);
  net::cancellation_signal signal;
  int completed = 0;
  boost::system::error_code with;
  async_sleep(scheduler, 1h, net::bind_cancellation_slot(signal.slot(), [&](boost::system::error_code error) {
                ++completed;
                with = error;
              }));
  signal.emit(net::cancellation_type::none);
  world->run_ready();
  CHECK(completed == 0);
  Bell bell{scheduler, [&] {
              signal.emit(type);
              signal.emit(type);
              CHECK(completed == 0);  // posted
            }};
  bell.arm(scheduler.now());
  REQUIRE(world->run_until([&] { return completed > 0; }));
  world->run_ready();
  CHECK(completed == 1);
  CHECK(with == net::error::operation_aborted);
  signal.emit(type);  // too late, and harmless
}

TEST_CASE("whether a sleep expires or is cancelled at one instant is decided by what came first") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  net::cancellation_signal first, second;
  Words ends;
  const auto note = [&](std::string name) {
    return [&ends, name](boost::system::error_code error) { ends.push_back(name + (error ? " aborted" : " expired")); };
  };
  const TimePoint at = scheduler.now() + 2ms;
  async_sleep_until(scheduler, at, net::bind_cancellation_slot(first.slot(), note("before")));
  Bell bell{scheduler, [&] {
              first.emit(net::cancellation_type::total);
              second.emit(net::cancellation_type::total);
            }};
  bell.arm(at);
  async_sleep_until(scheduler, at, net::bind_cancellation_slot(second.slot(), note("after")));
  REQUIRE(world->run_until([&] { return ends.size() == 2; }));
  std::sort(ends.begin(), ends.end());
  CHECK(ends == Words{"after aborted", "before expired"});
}

TEST_CASE("a sleep that races with a message is lost to one that came in time, however late the thread gets to both") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  const TimePoint at = scheduler.now() + 2ms;
  Words ends;
  net::cancellation_signal sleep;
  async_sleep_until(scheduler, at, net::bind_cancellation_slot(sleep.slot(), [&](boost::system::error_code error) {
                      ends.push_back(error ? "message" : "timeout");
                    }));
  // A message that takes some steps until it is whole, as one does that is read in pieces.
  std::function<void(int)> read = [&](int pieces_left) {
    if (pieces_left == 0) return sleep.emit(net::cancellation_type::total);
    net::post(scheduler.executor(), [&read, pieces_left] { read(pieces_left - 1); });
  };
  net::post(scheduler.executor(), [&] {
    read(8);
    be_late_for(*world, at + 20ms);
  });
  REQUIRE(world->run_until([&] { return ends.size() == 1; }));
  CHECK(ends == Words{"message"});
}

TEST_CASE("what is posted to the executor runs later, in order, and may post more") {
  const auto world = any_world();
  const auto executor = world->scheduler().executor();
  Words ran;
  net::post(executor, [&] {
    ran.push_back("one");
    net::post(executor, [&] { ran.push_back("three"); });
    CHECK(ran.size() == 1);
  });
  net::post(executor, [&] { ran.push_back("two"); });
  CHECK(ran.empty());
  REQUIRE(world->run_until([&] { return ran.size() == 3; }));
  CHECK(ran == Words{"one", "two", "three"});
}

// ---------------------------------------------------------------------------------------------------------------------
// The supervisor
// ---------------------------------------------------------------------------------------------------------------------

// What a run does.
enum class Act { ends, fails, throws_thing, fatal, waits, hangs };

// Plays a list of acts, one a run, in either style. The last act is repeated.
struct Troupe {
  using Script = std::function<Act(RunNumber)>;

  // Awaits its stop or nothing; written as callbacks.
  class Callbacks final : public Service {
   public:
    explicit Callbacks(Script script) : script_(std::move(script)) {}
    void start(Run run) override {
      act_ = script_(run.number());
      switch (act_) {
        case Act::ends: return run.end(Exit::clean());
        case Act::fails: throw std::runtime_error{"boom"};
        case Act::throws_thing: throw 42;
        case Act::fatal: return run.end(Exit::fatal("no licence"));
        default: return;
      }
    }
    void stop(Run run) override {
      if (act_ == Act::waits) run.end(Exit::clean());
    }
    [[nodiscard]] bool can_be_killed() const noexcept override { return true; }
    void kill(Run run) override { run.end(Exit::failed("killed")); }

   private:
    Script script_;
    Act act_ = Act::ends;
  };

  static net::awaitable<void> perform(Script script, Context& context) {
    switch (script(context.run())) {
      case Act::ends: co_return;
      case Act::fails: throw std::runtime_error{"boom"};
      case Act::throws_thing: throw 42;
      case Act::fatal: throw FatalError{"no licence"};
      case Act::waits: co_await context.stopped(); co_return;
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
    Service* service = nullptr;
    if (style_ == "callbacks") {
      service = &callbacks_.emplace_back(std::move(script));
    } else {
      service = &awaitables_.emplace_back(world_->scheduler(), name,
                                          [script](Context& context) { return Troupe::perform(script, context); });
    }
    const auto added = supervisor_->add({.name = std::move(name), .policy = {.restart = restart}}, *service);
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
  CHECK(!stage->add({.name = "late"}, *std::make_unique<Troupe::Callbacks>([](RunNumber) { return Act::ends; })));
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
