// A run that hangs, and the watchdog of its service: semantics 6.4, sentence by sentence.

#include "support.hpp"

namespace holdfast::test::supervisor_watchdog_test {

namespace {

constexpr Duration kWatchdog = 10s;
constexpr Duration kGrace = 2s;

// No delay, so that the next run begins in the instant in which the one before has failed.
ServicePolicy watched(BackoffPolicy backoff = kAtOnce, SignOfLife needs = SignOfLife::heartbeat) {
  return {.backoff = backoff, .stop_grace = kGrace, .watchdog = kWatchdog, .watchdog_needs = needs};
}

struct Watched {
  explicit Watched(ServicePolicy policy = watched(), bool killable = false, bool side_by_side = false)
      : script(fleet.script()) {
    script.side_by_side = side_by_side;
    if (killable) script.on_kill = [](Run run) { run.end(Exit::failed("killed")); };
    REQUIRE(fleet->add({.name = "a", .policy = std::move(policy)}, script));
    fleet.settle();
    (void)fleet.take();
  }

  // Until just after this time since the fleet's start, with all that is due by then.
  void pass_to(Duration time) { fleet.pass(TimePoint{} + time - fleet.scheduler.now()); }
  [[nodiscard]] Run run() const { return script.runs.back(); }
  ServiceSnapshot snapshot() const { return fleet.snapshot("a"); }

  Fleet fleet;
  Script& script;
};

}  // namespace

TEST_CASE("a service without a watchdog may be silent for ever, and its signs of life change nothing") {
  Watched quiet{ServicePolicy{.backoff = kAtOnce}};
  quiet.run().heartbeat();
  quiet.run().progress(1);
  quiet.pass_to(1000h);
  CHECK(quiet.fleet.take() == Lines{});
  CHECK_FALSE(quiet.fleet.scheduler.has_timer_by(TimePoint::max()));
  CHECK_FALSE(quiet.run().watchdog());
  CHECK_FALSE(quiet.snapshot().watchdog_until);
  CHECK_FALSE(quiet.snapshot().progress);
}

TEST_CASE("a run that is silent for its watchdog is stopped at that very time, and has failed whatever it returns") {
  for (const bool fails : {false, true}) {
    Watched hung;
    CHECK(hung.run().watchdog() == kWatchdog);
    hung.pass_to(kWatchdog - 1ns);
    CHECK(hung.fleet.take() == Lines{});
    hung.pass_to(kWatchdog);
    CHECK(hung.fleet.take() == Lines{"10s a stopping watchdog"});
    CHECK(hung.script.calls == Lines{"start 1", "stop 1"});
    hung.pass_to(11s);
    hung.script.end(fails ? Exit::failed("deadlock") : Exit::clean());
    hung.fleet.pass_nothing();
    const std::string error = fails ? "no heartbeat for 10s: deadlock" : "no heartbeat for 10s";
    CHECK(hung.fleet.take() == Lines{"11s a ended 1 after 11s failed: " + error,
                                     "11s a backing_off failure 1, 0s of 0s", "11s a started 2", "11s a running 2"});
    CHECK(hung.snapshot().last_error == error);
    CHECK(hung.snapshot().failures == 1);
    CHECK(hung.snapshot().failed_starts == 0);
    CHECK(hung.snapshot().hangs == 1);
    CHECK(hung.fleet->counters().hangs == 1);
    CHECK(hung.snapshot().watchdog_until == TimePoint{} + 11s + kWatchdog);  // from when the next run was ready
  }
}

TEST_CASE("a heartbeat gives the run so long again from when it came, and touches no timer") {
  Watched alive;
  alive.pass_to(4s);
  alive.run().heartbeat();
  CHECK(alive.snapshot().watchdog_until == TimePoint{} + 14s);
  CHECK(alive.fleet.scheduler.has_timer_by(TimePoint{} + 10s));  // still the first one
  alive.pass_to(9s);
  alive.run().heartbeat();
  alive.pass_to(19s - 1ns);
  CHECK(alive.fleet.take() == Lines{});
  alive.pass_to(19s);
  CHECK(alive.fleet.take() == Lines{"19s a stopping watchdog"});
}

TEST_CASE("heartbeats exactly as far apart as the watchdog are in time, by whatever timer they come") {
  Watched alive;
  for (int i = 1; i <= 3; ++i) {
    alive.fleet.pass_until_just_before(TimePoint{} + i * kWatchdog);
    // Armed later than the supervisor's own timer for that time.
    Alarm alarm{alive.fleet.scheduler, TimePoint{} + i * kWatchdog, [run = alive.run()] { run.heartbeat(); }};
    alive.pass_to(i * kWatchdog);
    CHECK(alive.fleet.take() == Lines{});
  }
  alive.pass_to(4 * kWatchdog);
  CHECK(alive.fleet.take() == Lines{"40s a stopping watchdog"});
}

TEST_CASE("progress is a number that has to rise") {
  Watched works{watched(kAtOnce, SignOfLife::progress)};
  works.pass_to(5s);
  works.run().progress(0);  // the first one counts
  CHECK(works.snapshot().progress == 0U);
  works.pass_to(8s);
  works.run().progress(7);
  works.pass_to(9s);
  works.run().progress(7);
  works.run().progress(6);
  works.run().heartbeat();  // of a loop that turns without getting anywhere
  CHECK(works.snapshot().progress == 7U);
  CHECK(works.snapshot().watchdog_until == TimePoint{} + 18s);
  works.pass_to(18s);
  CHECK(works.fleet.take() == Lines{"18s a stopping watchdog"});
  works.script.end_cleanly();
  works.fleet.pass_nothing();
  CHECK(works.snapshot().last_error == "no progress for 10s");
  works.run().progress(1);  // of another run
  CHECK(works.snapshot().progress == 1U);
}

TEST_CASE("where heartbeats are enough, progress is one, and only if the number has risen") {
  Watched works;
  works.pass_to(5s);
  works.run().progress(3);
  works.pass_to(6s);
  works.run().progress(3);
  CHECK(works.snapshot().watchdog_until == TimePoint{} + 15s);
  works.run().heartbeat();
  CHECK(works.snapshot().watchdog_until == TimePoint{} + 16s);
}

TEST_CASE("a watchdog is off until the run is ready, and signs of life before that are none") {
  ServicePolicy policy = watched();
  policy.ready = Ready::notified;
  Watched slow{policy};
  slow.run().heartbeat();
  slow.pass_to(1h);
  CHECK(slow.fleet.take() == Lines{});
  slow.run().heartbeat();
  slow.run().progress(5);
  slow.run().ready();
  slow.run().heartbeat();  // it is running when the supervisor has got to that
  slow.fleet.settle();
  CHECK(slow.fleet.take() == Lines{"1h a running 1"});
  CHECK_FALSE(slow.snapshot().progress);
  CHECK(slow.snapshot().watchdog_until == TimePoint{} + 1h + kWatchdog);
  slow.pass_to(1h + kWatchdog);
  CHECK(slow.fleet.take() == Lines{"1h10s a stopping watchdog"});
}

TEST_CASE("a run that stops is not watched, and a late sign of life does nothing") {
  Watched stops{[] {
    ServicePolicy policy = watched();
    policy.stop_grace = 1h;
    return policy;
  }()};
  stops.pass_to(1s);
  REQUIRE(stops.fleet->stop("a"));
  stops.fleet.settle();
  (void)stops.fleet.take();
  stops.run().heartbeat();
  stops.run().progress(1);
  stops.pass_to(30min);
  CHECK(stops.fleet.take() == Lines{});
  CHECK_FALSE(stops.snapshot().watchdog_until);
  CHECK_FALSE(stops.snapshot().progress);

  Watched hung;
  hung.pass_to(kWatchdog);
  hung.run().heartbeat();
  hung.pass_to(kWatchdog + kGrace);
  CHECK(hung.fleet.take() == Lines{"10s a stopping watchdog", "12s a terminated abandoned after 2s"});
}

TEST_CASE("a run that has ended before its watchdog is over is not stopped, although the supervisor gets to it later") {
  Watched ends;
  ends.fleet.pass_until_just_before(TimePoint{} + kWatchdog);
  ends.script.fail();  // at the very time, and said first
  ends.fleet.pass_nothing();
  CHECK(ends.fleet.take() == Lines{"10s a ended 1 after 10s failed: boom", "10s a backing_off failure 1, 0s of 0s",
                                   "10s a started 2", "10s a running 2"});
  CHECK(ends.fleet->counters().hangs == 0);
}

TEST_CASE(
    "a hung run that does not stop is killed and abandoned like any other, and the service goes on where it can") {
  SECTION("it dies") {
    Watched hung{watched(), true};
    hung.pass_to(12s);
    CHECK(hung.fleet.take() == Lines{"10s a stopping watchdog", "12s a killed after 2s",
                                     "12s a ended 1 after 12s failed: no heartbeat for 10s: killed",
                                     "12s a backing_off failure 1, 0s of 0s", "12s a started 2", "12s a running 2"});
  }
  SECTION("it is an instance of its own") {
    Watched hung{watched(), false, true};
    hung.pass_to(12s);
    CHECK(hung.fleet.take() == Lines{"10s a stopping watchdog", "12s a abandoned 1 after 2s",
                                     "12s a backing_off failure 1, 0s of 0s", "12s a started 2", "12s a running 2"});
    CHECK(hung.snapshot().last_error == "no heartbeat for 10s");
    CHECK(hung.snapshot().failures == 1);
    hung.script.runs[0].heartbeat();  // abandoned, and alive: nobody waits for it
    hung.pass_to(22s);
    CHECK(hung.fleet.take() == Lines{"22s a stopping watchdog"});
  }
  SECTION("it is not") {
    Watched hung;
    hung.pass_to(12s);
    CHECK(hung.fleet.take() == Lines{"10s a stopping watchdog", "12s a terminated abandoned after 2s"});
    CHECK(hung.snapshot().failures == 0);
  }
  SECTION("it is, but the restart policy wants no other run") {
    ServicePolicy once = watched();
    once.restart = RestartPolicy::never;
    Watched hung{once, false, true};
    hung.pass_to(12s);
    CHECK(hung.fleet.take() == Lines{"10s a stopping watchdog", "12s a abandoned 1 after 2s",
                                     "12s a terminated failed: no heartbeat for 10s"});
  }
}

TEST_CASE("a stop, a restart or a shutdown takes a stop of a hung run over, and it has not failed") {
  Watched stopped;
  stopped.pass_to(kWatchdog);
  (void)stopped.fleet.take();
  REQUIRE(stopped.fleet->stop("a"));
  stopped.fleet.settle();
  stopped.script.end_cleanly();
  stopped.fleet.settle();
  CHECK(stopped.fleet.take() == Lines{"10s a commanded stop", "10s a stopping stop", "10s a ended 1 after 10s clean",
                                      "10s a terminated cancelled"});
  CHECK(stopped.fleet->counters().failures == 0);
  CHECK(stopped.fleet->counters().hangs == 1);  // it has hung all the same

  Watched restarted;
  restarted.pass_to(kWatchdog);
  (void)restarted.fleet.take();
  REQUIRE(restarted.fleet->restart("a"));
  restarted.fleet.settle();
  restarted.script.end_cleanly();
  restarted.fleet.settle();
  CHECK(restarted.fleet.take() == Lines{"10s a commanded restart", "10s a stopping restart",
                                        "10s a ended 1 after 10s clean", "10s a started 2", "10s a running 2"});
  CHECK(restarted.fleet->counters().failures == 0);

  Watched shut;
  shut.pass_to(kWatchdog);
  shut.fleet->request_shutdown();
  shut.fleet.settle();
  shut.script.fail();
  shut.fleet.settle();
  CHECK(shut.fleet.termination("a") == "cancelled");
  CHECK(shut.fleet->counters().failures == 0);
}

TEST_CASE(
    "the backoff decides on the next run: a hang counts like any failure, and the cooldown until it was stopped") {
  Watched hung{watched({.base = 1s, .max = 1min, .cooldown = 30s, .breaker = std::nullopt})};
  const auto waits = [&] { return hung.fleet.recorder.backoffs.back(); };
  const auto wait_for_next = [&] { hung.fleet.pass(*hung.snapshot().next_start - hung.fleet.scheduler.now()); };
  const auto obeys = [&] {
    REQUIRE(hung.fleet.phase("a") == "stopping");
    hung.script.end_cleanly();
    hung.fleet.settle();
  };
  hung.fleet.pass(10s);
  obeys();
  CHECK(waits().attempt == 1);
  wait_for_next();
  hung.fleet.pass(10s);
  obeys();
  CHECK(waits().attempt == 2);
  wait_for_next();
  for (int i = 0; i < 2; ++i) {
    hung.fleet.pass(9500ms);
    hung.run().heartbeat();
  }
  hung.fleet.pass(10s);
  hung.fleet.pass(kGrace - 1ns);  // ready for 29 s when it was asked to stop, and for almost 31 s when it ended
  obeys();
  CHECK(waits().attempt == 3);
  wait_for_next();
  for (int i = 0; i < 3; ++i) {
    hung.fleet.pass(9500ms);
    hung.run().heartbeat();
  }
  hung.fleet.pass(10s);
  obeys();
  CHECK(waits().attempt == 1);
}

TEST_CASE("a probe has to give signs of life, too, and one that hangs opens the breaker again") {
  BackoffPolicy backoff = kAtOnce;
  backoff.breaker =
      BreakerPolicy{1, 1h, HalfOpenPolicy{.open_for = 10s, .open_for_max = 1h, .probe_success_after = 25s}};
  Watched probe{watched(backoff)};
  const auto wait_for_probe = [&] { probe.fleet.pass(*probe.snapshot().next_start - probe.fleet.scheduler.now()); };
  probe.script.fail();
  probe.fleet.settle();
  wait_for_probe();
  CHECK(probe.snapshot().breaker == BreakerState::half_open);
  probe.fleet.pass(kWatchdog);
  REQUIRE(probe.fleet.phase("a") == "stopping");
  probe.script.end_cleanly();  // it was asked to stop: no clean exit
  probe.fleet.settle();
  CHECK(probe.fleet.recorder.backoffs.back().cause == BackoffCause::breaker_open);
  CHECK(probe.fleet.recorder.backoffs.back().attempt == 2);
  wait_for_probe();
  for (int i = 0; i < 3; ++i) {
    probe.fleet.pass(8s);
    probe.run().heartbeat();
    CHECK(probe.snapshot().breaker == BreakerState::half_open);
  }
  probe.fleet.pass(1s);
  CHECK(probe.snapshot().breaker == BreakerState::closed);
  probe.fleet.pass(9s - 1ns);
  CHECK(probe.fleet.phase("a") == "running");
  probe.fleet.pass(1ns);  // 10 s after the last heartbeat
  CHECK(probe.fleet.phase("a") == "stopping");
}

TEST_CASE("a probe that has stayed up in silence at the very time of its watchdog hangs") {
  BackoffPolicy backoff = kAtOnce;
  backoff.breaker =
      BreakerPolicy{1, 1h, HalfOpenPolicy{.open_for = 10s, .open_for_max = 1h, .probe_success_after = kWatchdog}};
  Watched probe{watched(backoff)};
  probe.script.fail();
  probe.fleet.settle();
  probe.fleet.pass(*probe.snapshot().next_start - probe.fleet.scheduler.now());
  probe.fleet.pass(kWatchdog);
  CHECK(probe.fleet.phase("a") == "stopping");
  CHECK(probe.fleet->counters().open_breakers == 1);
}

TEST_CASE("reset closes the breaker of a probe, and its watchdog goes on") {
  BackoffPolicy backoff = kAtOnce;
  backoff.breaker = BreakerPolicy{1, 1h, HalfOpenPolicy{.open_for = 1s, .open_for_max = 1h, .probe_success_after = 5s}};
  Watched probe{watched(backoff)};
  probe.script.fail();
  probe.fleet.settle();
  probe.fleet.pass(*probe.snapshot().next_start - probe.fleet.scheduler.now());
  REQUIRE(probe.fleet->reset("a"));
  probe.fleet.settle();
  CHECK(probe.snapshot().breaker == BreakerState::closed);
  probe.fleet.pass(kWatchdog - 1ns);
  CHECK(probe.fleet.phase("a") == "running");
  probe.fleet.pass(1ns);
  CHECK(probe.fleet.phase("a") == "stopping");
}

namespace {

// Virtual time whose deadlines come later than they were armed for.
class LateScheduler final : public Scheduler {
 public:
  [[nodiscard]] TimePoint now() const noexcept override { return inner.now(); }
  void arm(Timer& timer, TimePoint at) override { inner.arm(timer, at); }
  void arm_deadline(Timer& timer, TimePoint at) override { inner.arm_deadline(timer, at + late); }
  bool disarm(Timer& timer) noexcept override { return inner.disarm(timer); }
  void defer(Task& task) override { inner.defer(task); }
  bool cancel(Task& task) noexcept override { return inner.cancel(task); }

  sim::VirtualScheduler inner;
  Duration late{0};
};

}  // namespace

TEST_CASE("a supervisor that gets to the deadline late gives the run as much more, and never less") {
  LateScheduler scheduler;
  Recorder recorder{true};
  Supervisor supervisor{scheduler, config_of(kAtOnce), kSeed, recorder};
  Script script;
  scheduler.late = 3s;
  REQUIRE(supervisor.add({.name = "a", .policy = watched()}, script));
  const auto pass_to = [&](Duration time) { let_pass(scheduler.inner, TimePoint{} + time - scheduler.now()); };
  pass_to(9s);
  script.runs.back().heartbeat();
  scheduler.late = 0s;
  pass_to(13s);  // it looks 3 s late, 4 s after the heartbeat: perhaps it was late since then
  CHECK(scheduler.inner.has_timer_by(TimePoint{} + 22s));
  CHECK_FALSE(scheduler.inner.has_timer_by(TimePoint{} + 22s - 1ns));
  script.runs.back().heartbeat();
  pass_to(22s);
  CHECK(supervisor.snapshot("a")->phase == Phase::running);
  pass_to(23s);
  CHECK(supervisor.snapshot("a")->phase == Phase::stopping);
}

TEST_CASE("a run that is asked how it is hangs without a good answer, and its error says so") {
  Watched asked{watched(kAtOnce, SignOfLife::health)};
  asked.pass_to(9s);
  asked.run().heartbeat();
  asked.pass_to(19s);
  CHECK(asked.fleet.take() == Lines{"19s a stopping watchdog"});
  asked.script.end(Exit::failed("connection refused"));
  asked.fleet.pass_nothing();
  CHECK(asked.snapshot().last_error == "no good health probe for 10s: connection refused");
}

TEST_CASE("a run can tell from within its stop whether it has missed a deadline") {
  Watched hung;
  CHECK_FALSE(hung.run().missed_a_deadline());
  hung.pass_to(kWatchdog);
  CHECK(hung.run().missed_a_deadline());
  const Run first = hung.run();
  SECTION("not after its end") {
    hung.script.end(Exit::clean());
    hung.fleet.pass_nothing();
    CHECK_FALSE(first.missed_a_deadline());
    CHECK_FALSE(hung.run().missed_a_deadline());
  }
  SECTION("not once a stop has taken over") {
    REQUIRE(hung.fleet->stop("a"));
    hung.fleet.pass_nothing();
    CHECK_FALSE(first.missed_a_deadline());
  }
  SECTION("not if nobody but an operator has stopped it") {
    hung.script.end(Exit::clean());
    hung.fleet.pass_nothing();
    REQUIRE(hung.fleet->stop("a"));
    hung.fleet.pass_nothing();
    CHECK_FALSE(hung.run().missed_a_deadline());
  }
}

TEST_CASE("a watchdog of no length is refused, and what it needs without one is questionable") {
  const auto refused = problems(ServicePolicy{.watchdog = 0s});
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].severity == Problem::Severity::error);
  CHECK(refused[0].field == "watchdog");
  CHECK(refused[0].says == "is 0s; allowed is 1ns to 36500d");
  const auto found = problems(ServicePolicy{.watchdog_needs = SignOfLife::progress});
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Problem::Severity::warning);
  CHECK(found[0].field == "watchdog_needs");
  CHECK(found[0].says == "is \"progress\", but there is no watchdog to need it");
  CHECK(problems(watched(kAtOnce, SignOfLife::progress)).empty());
}

}  // namespace holdfast::test::supervisor_watchdog_test
