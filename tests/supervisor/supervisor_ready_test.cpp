// A service that says when it is ready, and how long it may take: semantics 6.2, sentence by sentence.

#include "support.hpp"

namespace holdfast::test::supervisor_ready_test {

namespace {

constexpr Duration kStartTimeout = 30s;
constexpr Duration kGrace = 2s;

// No delay, so that the next run begins in the instant in which the one before has failed.
ServicePolicy notified(BackoffPolicy backoff = kAtOnce, std::optional<Duration> start_timeout = kStartTimeout) {
  return {.backoff = backoff, .stop_grace = kGrace, .ready = Ready::notified, .start_timeout = start_timeout};
}

struct Slow {
  explicit Slow(ServicePolicy policy = notified(), bool killable = false, bool side_by_side = false)
      : script(fleet.script()) {
    script.side_by_side = side_by_side;
    if (killable) script.on_kill = [](Run run) { run.end(Exit::failed("killed")); };
    REQUIRE(fleet->add({.name = "a", .policy = std::move(policy)}, script));
    fleet.settle();
    (void)fleet.take();
  }

  // Until just after this time since the fleet's start, with all that is due by then.
  void pass_to(Duration time) { fleet.pass(TimePoint{} + time - fleet.scheduler.now()); }
  void is_ready() {
    script.runs.back().ready();
    fleet.settle();
  }
  ServiceSnapshot snapshot() const { return fleet.snapshot("a"); }

  Fleet fleet;
  Script& script;
};

// A service that fails at once once it is ready.
BackoffPolicy cooled_by(Duration cooldown) {
  return {.base = 1s, .max = 1min, .cooldown = cooldown, .breaker = std::nullopt};
}

}  // namespace

TEST_CASE("a service is ready at once unless its policy says otherwise, and then its reports change nothing") {
  Fleet fleet;
  auto& script = fleet.script();
  script.on_start = [](Run run) { run.ready(); };
  REQUIRE(fleet->add({.name = "a"}, script));
  fleet.settle();
  CHECK(fleet.take() == Lines{"0s a added on_failure", "0s a started 1", "0s a running 1"});
  script.runs.back().ready();
  fleet.settle();
  CHECK(fleet.take() == Lines{});
  CHECK(fleet.snapshot("a").ready == Ready::at_once);
}

TEST_CASE("a service that says when it is ready is starting until then") {
  Slow slow;
  CHECK(slow.fleet.phase("a") == "starting");
  CHECK(slow.snapshot().ready_by == TimePoint{} + kStartTimeout);
  slow.pass_to(12s);
  CHECK(slow.fleet.phase("a") == "starting");
  CHECK(slow.snapshot().running_time == 12s);
  slow.is_ready();
  CHECK(slow.fleet.take() == Lines{"12s a running 1"});
  CHECK(slow.fleet.phase("a") == "running");
  CHECK_FALSE(slow.snapshot().ready_by);
  slow.pass_to(1h);
  slow.is_ready();  // once more
  CHECK(slow.fleet.take() == Lines{});
}

TEST_CASE("a report from within the start counts, and comes after it") {
  Slow slow;
  slow.script.on_start = [](Run run) { run.ready(); };
  slow.script.fail();
  slow.fleet.pass_nothing();
  CHECK(slow.fleet.take() == Lines{"0s a ended 1 after 0s failed: boom", "0s a backing_off failure 1, 0s of 0s",
                                   "0s a started 2", "0s a running 2"});
}

TEST_CASE("a service without a start_timeout may take as long as it likes") {
  Slow slow{notified(kAtOnce, std::nullopt)};
  slow.pass_to(1000h);
  CHECK(slow.fleet.take() == Lines{});
  CHECK_FALSE(slow.snapshot().ready_by);
  slow.is_ready();
  CHECK(slow.fleet.phase("a") == "running");
}

TEST_CASE("a run that is not ready in time is stopped at that very time, and has failed whatever it returns") {
  for (const bool fails : {false, true}) {
    Slow slow;
    slow.pass_to(kStartTimeout - 1ns);
    CHECK(slow.fleet.take() == Lines{});
    slow.pass_to(kStartTimeout);
    CHECK(slow.fleet.take() == Lines{"30s a stopping start_timeout"});
    CHECK(slow.script.calls == Lines{"start 1", "stop 1"});
    slow.pass_to(31s);
    slow.script.end(fails ? Exit::failed("no database") : Exit::clean());
    slow.fleet.pass_nothing();
    const std::string error = fails ? "not ready within 30s: no database" : "not ready within 30s";
    CHECK(slow.fleet.take() == Lines{"31s a ended 1 after 31s failed: " + error,
                                     "31s a backing_off failure 1, 0s of 0s", "31s a started 2"});
    CHECK(slow.snapshot().last_error == error);
    CHECK(slow.snapshot().failures == 1);
    CHECK(slow.snapshot().ready_by == TimePoint{} + 31s + kStartTimeout);  // from the start of the next run
  }
}

// Like a service's own timer, which is armed in its start.
TEST_CASE("a report at the very time of the start_timeout is in time") {
  Slow slow;
  std::optional<Alarm> alarm;
  slow.script.on_start = [&](Run run) {
    alarm.emplace(slow.fleet.scheduler, slow.fleet.scheduler.now() + kStartTimeout, [run] { run.ready(); });
  };
  slow.script.fail();
  slow.fleet.pass_nothing();
  (void)slow.fleet.take();
  slow.pass_to(1min);
  CHECK(slow.fleet.take() == Lines{"30s a running 2"});
}

TEST_CASE("a run that has ended before the start_timeout is not stopped, although the supervisor gets to it later") {
  Slow slow;
  slow.fleet.pass_until_just_before(TimePoint{} + kStartTimeout);
  slow.script.fail();  // at the very time, and said first
  slow.fleet.pass_nothing();
  CHECK(slow.fleet.take() ==
        Lines{"30s a ended 1 after 30s failed: boom", "30s a backing_off failure 1, 0s of 0s", "30s a started 2"});
}

TEST_CASE("a run that does not stop is killed and abandoned like any other, and the service goes on where it can") {
  SECTION("it dies") {
    Slow slow{notified(), true};
    slow.pass_to(32s);
    CHECK(slow.fleet.take() == Lines{"30s a stopping start_timeout", "32s a killed after 2s",
                                     "32s a ended 1 after 32s failed: not ready within 30s: killed",
                                     "32s a backing_off failure 1, 0s of 0s", "32s a started 2"});
  }
  SECTION("it is an instance of its own") {
    Slow slow{notified(), false, true};
    slow.pass_to(32s);
    CHECK(slow.fleet.take() == Lines{"30s a stopping start_timeout", "32s a abandoned 1 after 2s",
                                     "32s a backing_off failure 1, 0s of 0s", "32s a started 2"});
    CHECK(slow.snapshot().failures == 1);
    CHECK(slow.snapshot().last_error == "not ready within 30s");
  }
  SECTION("it is not") {
    Slow slow;
    slow.pass_to(32s);
    CHECK(slow.fleet.take() == Lines{"30s a stopping start_timeout", "32s a terminated abandoned after 2s"});
    CHECK(slow.snapshot().failures == 0);
  }
  SECTION("it is, but the restart policy wants no other run") {
    ServicePolicy once = notified();
    once.restart = RestartPolicy::never;
    Slow slow{once, false, true};
    slow.pass_to(32s);
    CHECK(slow.fleet.take() == Lines{"30s a stopping start_timeout", "32s a abandoned 1 after 2s",
                                     "32s a terminated failed: not ready within 30s"});
  }
}

TEST_CASE("a report that comes too late is an event with the number of its run, and changes nothing") {
  Slow slow{notified(), false, true};
  slow.pass_to(31s);
  (void)slow.fleet.take();
  slow.is_ready();
  CHECK(slow.fleet.take() == Lines{"31s a ready_late 1"});
  CHECK(slow.fleet.phase("a") == "stopping");
  slow.pass_to(33s);
  (void)slow.fleet.take();
  slow.script.runs[0].ready();  // abandoned, and alive
  slow.fleet.settle();
  CHECK(slow.fleet.take() == Lines{"33s a ready_late 1"});
  CHECK(slow.fleet.phase("a") == "starting");
  slow.script.runs[0].end(Exit::clean());
  slow.script.runs[0].ready();  // has ended: nobody's
  slow.fleet.settle();
  CHECK(slow.fleet.take() == Lines{"33s a ended_late 1 after 33s clean"});
  slow.is_ready();
  CHECK(slow.fleet.take() == Lines{"33s a running 2"});
}

TEST_CASE("a report of a run whose service is given up on, is restarted in place, or is removed") {
  Slow slow;
  slow.pass_to(32s);
  REQUIRE(slow.fleet.phase("a") == "terminated");
  (void)slow.fleet.take();
  slow.is_ready();
  CHECK(slow.fleet.take() == Lines{"32s a ready_late 1"});
  REQUIRE(slow.fleet->remove("a"));
  slow.script.runs.back().ready();  // queued behind the removal
  slow.fleet.settle();
  CHECK(slow.fleet.take() == Lines{"32s a commanded remove", "32s a removed"});

  Slow again{notified(), false, true};
  REQUIRE(again.fleet->stop("a"));
  again.pass_to(kGrace);
  REQUIRE(again.fleet.termination("a") == "abandoned after 2s");
  (void)again.fleet.take();
  REQUIRE(again.fleet->restart("a"));
  again.script.runs[0].ready();  // queued behind the restart, before the next run begins
  again.fleet.settle();
  CHECK(again.fleet.take() == Lines{"2s a commanded restart", "2s a removed",
                                    "2s a added on_failure after run 1, stop_grace 2s, ready when notified, "
                                    "start_timeout 30s, runs side by side",
                                    "2s a ready_late 1", "2s a started 2"});
}

TEST_CASE("a stop, a removal, a restart or a shutdown reaches a run that is not ready, and counts no failure") {
  Slow stopped;
  REQUIRE(stopped.fleet->stop("a"));
  stopped.fleet.settle();
  CHECK(stopped.fleet.take() == Lines{"0s a commanded stop", "0s a stopping stop"});
  stopped.script.end_cleanly();
  stopped.fleet.settle();
  CHECK(stopped.fleet.termination("a") == "cancelled");

  Slow restarted;
  REQUIRE(restarted.fleet->restart("a"));
  restarted.fleet.settle();
  restarted.script.end_cleanly();
  restarted.fleet.settle();
  CHECK(restarted.fleet.take() ==
        Lines{"0s a commanded restart", "0s a stopping restart", "0s a ended 1 after 0s clean", "0s a started 2"});

  Slow shut;
  shut.fleet->request_shutdown();
  shut.fleet.settle();
  shut.script.fail();
  shut.fleet.settle();
  CHECK(shut.fleet.termination("a") == "cancelled");
  CHECK(shut.fleet->counters().failures == 0);
  CHECK(shut.fleet->counters().failed_starts == 0);
}

TEST_CASE("a stop for a start_timeout becomes final by a stop or a shutdown, and a restart by a restart") {
  Slow stopped;
  stopped.pass_to(kStartTimeout);
  (void)stopped.fleet.take();
  REQUIRE(stopped.fleet->stop("a"));
  stopped.fleet.settle();
  stopped.script.end_cleanly();
  stopped.fleet.settle();
  CHECK(stopped.fleet.take() == Lines{"30s a commanded stop", "30s a stopping stop", "30s a ended 1 after 30s clean",
                                      "30s a terminated cancelled"});
  CHECK(stopped.fleet->counters().failures == 0);

  Slow restarted;
  restarted.pass_to(kStartTimeout);
  (void)restarted.fleet.take();
  REQUIRE(restarted.fleet->restart("a"));
  restarted.fleet.settle();
  restarted.script.end_cleanly();
  restarted.fleet.settle();
  CHECK(restarted.fleet.take() ==
        Lines{"30s a commanded restart", "30s a stopping restart", "30s a ended 1 after 30s clean", "30s a started 2"});
  CHECK(restarted.fleet->counters().failures == 0);
}

TEST_CASE("a failure before ready is counted apart, and a clean exit before ready is a clean exit") {
  Slow slow;
  slow.script.fail();
  slow.fleet.pass_nothing();
  CHECK(slow.snapshot().failed_starts == 1);
  slow.is_ready();
  slow.script.fail();
  slow.fleet.pass_nothing();
  CHECK(slow.snapshot().failed_starts == 1);
  CHECK(slow.snapshot().failures == 2);
  slow.pass_to(kStartTimeout);
  slow.script.end_cleanly();
  slow.fleet.pass_nothing();
  CHECK(slow.snapshot().failed_starts == 2);
  CHECK(slow.fleet->counters().failed_starts == 2);
  CHECK(slow.fleet->counters().failures == 3);
  slow.script.end_cleanly();
  slow.fleet.settle();
  CHECK(slow.fleet.termination("a") == "completed");
  CHECK(slow.fleet->counters().clean_exits == 1);
}

TEST_CASE("the cooldown counts from when the run was ready: a start that fails resets nothing, however long it took") {
  Slow slow{notified(cooled_by(10s), std::nullopt)};
  const auto waits = [&] { return slow.fleet.recorder.backoffs.back(); };
  slow.script.fail();
  slow.fleet.pass(1s);
  slow.fleet.pass(1h);  // starting all the time
  slow.script.fail();
  slow.fleet.settle();
  CHECK(waits().attempt == 2);
  slow.fleet.pass(2s);
  slow.fleet.pass(1h);
  slow.is_ready();
  slow.fleet.pass(10s - 1ns);
  slow.script.fail();
  slow.fleet.settle();
  CHECK(waits().attempt == 3);
  slow.fleet.pass(4s);
  slow.is_ready();
  slow.fleet.pass(10s);
  slow.script.fail();
  slow.fleet.settle();
  CHECK(waits().attempt == 1);
}

TEST_CASE("a start that fails counts for the breaker, and a probe has to be ready in time and then to stay up") {
  BackoffPolicy backoff = kAtOnce;
  backoff.breaker =
      BreakerPolicy{1, 1h, HalfOpenPolicy{.open_for = 10s, .open_for_max = 1h, .probe_success_after = 5s}};
  Slow slow{notified(backoff)};
  const auto wait_for_probe = [&] { slow.fleet.pass(*slow.snapshot().next_start - slow.fleet.scheduler.now()); };
  slow.script.fail();
  slow.fleet.settle();
  CHECK(slow.snapshot().breaker == BreakerState::open);
  wait_for_probe();
  CHECK(slow.snapshot().breaker == BreakerState::half_open);
  CHECK(slow.fleet.phase("a") == "starting");
  slow.fleet.pass(kStartTimeout);
  slow.script.end_cleanly();  // it was asked to stop: no clean exit
  slow.fleet.settle();
  CHECK(slow.fleet.recorder.backoffs.back().cause == BackoffCause::breaker_open);
  CHECK(slow.fleet.recorder.backoffs.back().ceiling == 20s);
  wait_for_probe();
  slow.fleet.pass(20s);
  slow.is_ready();
  slow.fleet.pass(5s - 1ns);
  CHECK(slow.snapshot().breaker == BreakerState::half_open);
  slow.fleet.pass(1ns);
  CHECK(slow.snapshot().breaker == BreakerState::closed);
}

TEST_CASE("reset closes the breaker of a probe that is not ready, and leaves the run and its start_timeout alone") {
  BackoffPolicy backoff = kAtOnce;
  backoff.breaker = BreakerPolicy{1, 1h, HalfOpenPolicy{.open_for = 1s, .open_for_max = 1h, .probe_success_after = 5s}};
  Slow slow{notified(backoff)};
  slow.script.fail();
  slow.fleet.settle();
  slow.fleet.pass(*slow.snapshot().next_start - slow.fleet.scheduler.now());
  const TimePoint ready_by = slow.fleet.scheduler.now() + kStartTimeout;
  REQUIRE(slow.fleet->reset("a"));
  slow.fleet.settle();
  CHECK(slow.snapshot().breaker == BreakerState::closed);
  CHECK(slow.snapshot().ready_by == ready_by);
  slow.is_ready();
  slow.fleet.pass(1h);
  CHECK(slow.fleet.phase("a") == "running");
}

TEST_CASE("a process is known as one from within its start only, also while it is not ready") {
  Slow slow;
  slow.script.runs.back().set_pid(7);
  slow.fleet.settle();
  CHECK_FALSE(slow.snapshot().pid);
  slow.script.on_start = [](Run run) { run.set_pid(8); };
  slow.script.fail();
  slow.fleet.pass_nothing();
  CHECK(slow.snapshot().pid == 8U);
}

TEST_CASE("a start_timeout of a service that is ready at once is questionable, and one of no length is refused") {
  const auto found = problems(ServicePolicy{.start_timeout = 30s});
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Problem::Severity::warning);
  CHECK(found[0].field == "start_timeout");
  CHECK(found[0].says == "is 30s, but every run is ready at once; it takes effect with ready = \"notified\"");
  CHECK(problems(notified()).empty());
  const auto refused = problems(ServicePolicy{.ready = Ready::notified, .start_timeout = 0s});
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].severity == Problem::Severity::error);
  CHECK(refused[0].says == "is 0s; allowed is 1ns to 36500d");
}

}  // namespace holdfast::test::supervisor_ready_test
