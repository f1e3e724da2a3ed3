// Shutdown, drain, abandonment and late ends: semantics.md, sections 2.5 to 2.7 and 5, and rows 7, 8, 10, 13, 18 and
// 20 of section 4.

#include "support.hpp"

namespace holdfast::test::supervisor_shutdown_test {

namespace {

const BackoffPolicy kSlow{.base = 1h, .max = 1h, .breaker = std::nullopt};

}  // namespace

// Row 8: `stopping` was entered when the run had already ended, so nobody could see who was still stopping.
TEST_CASE("a running service is stopping from the moment it was asked until its run ends") {
  Fleet fleet;
  auto& a = fleet.add("a");
  fleet.pass(4s);
  fleet->request_shutdown();
  fleet.settle();
  CHECK(fleet.phase("a") == "stopping");
  CHECK(a.calls == Lines{"start 1", "stop 1"});
  fleet.pass(6s);
  CHECK(fleet.phase("a") == "stopping");
  CHECK(fleet.snapshot("a").time_in_phase == 6s);
  CHECK_FALSE(fleet->shutdown_result());
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet.termination("a") == "cancelled");
  CHECK(fleet.snapshot("a").running_time == 10s);
  CHECK(fleet->shutdown_result()->took == 6s);
}

// Row 18: what a run returned after it was cancelled was thrown away.
TEST_CASE("an error after the request is kept as the last error and is not counted as a failure") {
  for (const bool fatal : {false, true}) {
    CAPTURE(fatal);
    Fleet fleet;
    auto& a = fleet.add("a");
    fleet->request_shutdown();
    fleet.settle();
    a.end(fatal ? Exit::fatal("could not flush") : Exit::failed("could not flush"));
    fleet.settle();
    CHECK(fleet.termination("a") == "cancelled");
    CHECK(fleet.snapshot("a").last_error == "could not flush");
    CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 1, .terminated = 1});
    CHECK(fleet->shutdown_result()->failed == Lines{});
    CHECK(fleet->shutdown_result()->suggested_exit_status() == 0);
  }
}

TEST_CASE("a service that backs off goes at once through stopping to cancelled, and its next run never comes") {
  Fleet fleet{config_of(kSlow)};
  auto& a = fleet.add("a");
  a.fail();
  fleet.settle();
  fleet.take();
  fleet->request_shutdown();
  fleet.settle();
  CHECK(fleet.take() == Lines{"0s - shutdown_requested requested 30s", "0s a stopping shutdown",
                              "0s a terminated cancelled", "0s - drained drained"});
  CHECK(fleet->shutdown_result()->took == 0s);
  CHECK(fleet.scheduler.idle());  // the timers of the backoff and of the drain were disarmed
  fleet.pass(2h);
  CHECK(a.calls == Lines{"start 1"});
}

TEST_CASE("a service whose first run has not begun goes straight to cancelled") {
  Fleet fleet;
  auto& a = fleet.script();
  REQUIRE(fleet->add({.name = "a"}, a));
  fleet->request_shutdown();
  fleet.settle();
  CHECK(fleet.take() == Lines{"0s a added on_failure", "0s - shutdown_requested requested 30s",
                              "0s a terminated cancelled", "0s - drained drained"});
  CHECK(a.calls.empty());
  CHECK(fleet->counters() == Counters{.spawned = 1, .terminated = 1});
}

TEST_CASE("terminated services keep their reasons through a shutdown") {
  Fleet fleet{config_of(at_once_with_breaker(1))};
  fleet.add("completed").end_cleanly();
  fleet.add("failed", RestartPolicy::never).fail("broken");
  fleet.add("tripped").fail();
  auto& stopped = fleet.add("stopped");
  REQUIRE(fleet->stop("stopped"));
  stopped.end_cleanly();
  fleet.settle();
  const auto before = fleet->snapshots();
  fleet->request_shutdown();
  fleet.settle();
  CHECK(fleet->snapshots() == before);
  CHECK(fleet->shutdown_result()->failed == Lines{"failed", "tripped"});
  CHECK(fleet->shutdown_result()->abandoned == Lines{});
  CHECK(fleet->shutdown_result()->suggested_exit_status() == 1);
}

TEST_CASE("inputs of one instant apply in the order of arrival: an end queued before a shutdown keeps its reason") {
  SECTION("a clean exit before") {
    Fleet fleet;
    auto& a = fleet.add("a");
    a.end_cleanly();
    fleet->request_shutdown();
    fleet.settle();
    CHECK(fleet.termination("a") == "completed");
    CHECK(fleet->counters().clean_exits == 1);
  }
  SECTION("a fatal error before") {
    Fleet fleet;
    auto& a = fleet.add("a");
    a.end(Exit::fatal("over"));
    fleet->request_shutdown();
    fleet.settle();
    CHECK(fleet.termination("a") == "failed: over");
    CHECK(fleet->shutdown_result()->failed == Lines{"a"});
  }
  SECTION("a failure before is counted, and its backoff is cancelled") {
    Fleet fleet;
    auto& a = fleet.add("a");
    a.fail();
    fleet->request_shutdown();
    fleet.pass_nothing();
    CHECK(fleet.termination("a") == "cancelled");
    CHECK(fleet->counters().failures == 1);
    CHECK(a.calls == Lines{"start 1"});
  }
  SECTION("an end after") {
    Fleet fleet;
    auto& a = fleet.add("a");
    fleet->request_shutdown();
    a.end(Exit::fatal("over"));
    fleet.settle();
    CHECK(fleet.termination("a") == "cancelled");
    CHECK(fleet->counters().failures == 0);
    CHECK(a.calls == Lines{"start 1"});  // it had ended before it could be asked
  }
}

// Row 10: recorded and counted, and never run.
TEST_CASE("a service added during a shutdown is refused and nothing is counted") {
  for (const bool settled : {false, true}) {
    CAPTURE(settled);
    Fleet fleet;
    fleet.add("a");
    fleet->request_shutdown();
    if (settled) fleet.settle();
    const auto before = fleet->counters();
    auto& late = fleet.script();
    const auto result = fleet->add({.name = "late"}, late);
    REQUIRE_FALSE(result);
    CHECK(result.refusal().reason == Refusal::Reason::shutting_down);
    CHECK(result.refusal().message.find("\"late\"") != std::string::npos);
    CHECK(fleet->counters() == before);
    CHECK(fleet->service_count() == 1);
    CHECK_FALSE(fleet->snapshot("late"));
    fleet.pass(31s);
    CHECK(late.calls.empty());
  }
}

// Row 7: left in `running` after the drain, and the caller was not told.
TEST_CASE("who does not stop in time is abandoned, is listed, and a late end is told and changes nothing") {
  Fleet fleet;
  fleet.add("obeys").on_stop = [](Run run) { run.end(Exit::clean()); };
  auto& hangs = fleet.add("hangs");
  fleet.add("hangs too");
  fleet.pass(5s);
  fleet->request_shutdown();
  fleet.pass(30s);
  REQUIRE(fleet->shutdown_result());
  const ShutdownResult result = *fleet->shutdown_result();
  CHECK(result.outcome == DrainOutcome::deadline);
  CHECK(result.took == 30s);
  CHECK(result.abandoned == Lines{"hangs", "hangs too"});
  CHECK(result.failed == Lines{});
  CHECK(result.suggested_exit_status() == 1);
  CHECK(result.counters == Counters{.spawned = 3, .starts = 3, .terminated = 3, .abandoned_runs = 2});
  CHECK(fleet.termination("hangs") == "abandoned after 30s");
  CHECK(fleet.snapshot("hangs").termination == Termination{.reason = Termination::Reason::abandoned, .after = 30s});

  const auto before = fleet.snapshot("hangs");
  const auto counters = fleet->counters();
  fleet.take();
  hangs.fail("at last");
  hangs.fail("and again");
  fleet.settle();
  CHECK(fleet.take() == Lines{"35s hangs ended_late 1 after 35s failed: at last"});
  CHECK(fleet.snapshot("hangs") == before);
  CHECK(fleet->counters() == counters);
  CHECK(fleet->shutdown_result()->counters == result.counters);
}

TEST_CASE("the time that an abandoned run was alive stays in its service's running time") {
  // Story: the cumulative running time fell back to zero when the drain gave the run up.
  Fleet fleet;
  fleet.add("hangs");
  fleet.pass(1h);
  fleet->request_shutdown();
  fleet.pass(29s);
  CHECK(fleet.snapshot("hangs").running_time == 1h + 29s);
  fleet.pass(1s);
  CHECK(fleet.phase("hangs") == "terminated");
  CHECK(fleet.snapshot("hangs").running_time == 1h + 30s);
  fleet.pass(1h);
  CHECK(fleet.snapshot("hangs").running_time == 1h + 30s);
}

TEST_CASE("the late end of a service that was removed in the meantime is nobody's") {
  Fleet fleet;
  auto& a = fleet.add("a");
  fleet->request_shutdown();
  fleet.pass(30s);
  REQUIRE(fleet->remove("a"));
  fleet.settle();
  fleet.take();
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet.take() == Lines{});
  CHECK(fleet->service_count() == 0);
}

TEST_CASE("a service that was being removed when the drain gave it up is abandoned and then forgotten") {
  Fleet fleet;
  auto& a = fleet.add("a");
  REQUIRE(fleet->remove("a"));
  fleet->request_shutdown();
  fleet.pass(30s);
  CHECK(fleet->service_count() == 0);
  CHECK(fleet->shutdown_result()->abandoned == Lines{"a"});
  CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 1, .terminated = 1, .abandoned_runs = 1});
  const Lines lines = fleet.take();
  CHECK(Lines(lines.end() - 3, lines.end()) ==
        Lines{"30s a terminated abandoned after 30s", "30s a removed", "30s - drained deadline"});
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet.take() == Lines{});
}

TEST_CASE("an end exactly at the deadline: whichever was queued first at that instant") {
  const auto run = [](bool end_comes_first) {
    Fleet fleet{config_of(kAtOnce, 10s)};
    auto& a = fleet.add("a");
    const auto end = [&] { a.end_cleanly(); };
    std::optional<Alarm> alarm;
    if (end_comes_first) alarm.emplace(fleet.scheduler, TimePoint{} + 10s, end);
    fleet->request_shutdown();
    fleet.settle();
    if (!end_comes_first) alarm.emplace(fleet.scheduler, TimePoint{} + 10s, end);
    fleet.pass(10s);
    CHECK(fleet->shutdown_result()->took == 10s);
    return std::pair{fleet.termination("a"), fleet->shutdown_result()->outcome};
  };
  CHECK(run(true) == std::pair{std::string{"cancelled"}, DrainOutcome::drained});
  CHECK(run(false) == std::pair{std::string{"abandoned after 10s"}, DrainOutcome::deadline});
}

TEST_CASE("a run that ends one nanosecond before the deadline is not abandoned") {
  Fleet fleet{config_of(kAtOnce, 10s)};
  auto& a = fleet.add("a");
  fleet->request_shutdown();
  fleet.pass(10s - 1ns);
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet->shutdown_result()->outcome == DrainOutcome::drained);
  CHECK(fleet->shutdown_result()->took == 10s - 1ns);
  fleet.pass(1h);
  CHECK(fleet.scheduler.timers_fired() == 0);  // the deadline's timer was disarmed
}

TEST_CASE("the deadline counts from the first request; asking again does not extend it") {
  Fleet fleet{config_of(kAtOnce, 10s)};
  fleet.add("hangs");
  fleet.pass(100s);
  fleet->request_shutdown();
  for (int i = 0; i < 9; ++i) {
    fleet.pass(1s);
    fleet->request_shutdown();
  }
  CHECK_FALSE(fleet->shutdown_result());
  fleet.pass(1s);
  REQUIRE(fleet->shutdown_result());
  CHECK(fleet->shutdown_result()->took == 10s);
  CHECK(fleet.termination("hangs") == "abandoned after 10s");
  fleet->request_shutdown();
  fleet.pass(1h);
  int requests = 0;
  for (const auto& line : fleet.take()) requests += line.find("shutdown_requested") != std::string::npos;
  CHECK(requests == 1);
}

TEST_CASE("the deadline counts from the request, also if the supervisor gets to it later") {
  Fleet fleet{config_of(kAtOnce, 10s)};
  fleet.add("hangs");
  fleet->request_shutdown();
  fleet.scheduler.advance_to(TimePoint{} + 4s);  // as on a thread that is busy: the supervisor's turn comes late
  fleet.settle();
  CHECK(fleet.phase("hangs") == "stopping");
  fleet.pass(6s - 1ns);
  CHECK_FALSE(fleet->shutdown_result());
  fleet.pass(1ns);
  REQUIRE(fleet->shutdown_result());
  CHECK(fleet->shutdown_result()->took == 10s);
}

TEST_CASE("a shutdown with a timeout of zero asks, takes what ends at once, and abandons the rest in that instant") {
  Fleet fleet{config_of(kAtOnce, 0s)};
  fleet.add("obeys at once").on_stop = [](Run run) { run.end(Exit::clean()); };
  auto& slow = fleet.add("obeys in the same instant, later");
  std::optional<Alarm> alarm;
  slow.on_stop = [&](Run run) {
    alarm.emplace(fleet.scheduler, fleet.scheduler.now(), [run] { run.end(Exit::clean()); });
  };
  fleet.add("hangs");
  fleet->request_shutdown();
  fleet.settle();
  CHECK(fleet.termination("obeys at once") == "cancelled");
  CHECK(fleet.phase("hangs") == "stopping");
  fleet.pass_nothing();
  CHECK(fleet.termination("obeys in the same instant, later") == "abandoned after 0s");
  CHECK(fleet.termination("hangs") == "abandoned after 0s");
  CHECK(fleet->shutdown_result()->took == 0s);
  CHECK(fleet->shutdown_result()->outcome == DrainOutcome::deadline);
  CHECK(fleet->counters().abandoned_runs == 2);
}

TEST_CASE("the longest timeout does not overflow at the end of time") {
  Fleet fleet{config_of(kAtOnce, kDurationMax)};
  auto& a = fleet.add("a");
  fleet.pass(kDurationMax);
  fleet.pass(kDurationMax);
  fleet->request_shutdown();
  fleet.pass(1h);
  CHECK(fleet.phase("a") == "stopping");
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet->shutdown_result()->outcome == DrainOutcome::drained);
}

// Row 13: a second signal did nothing.
TEST_CASE("ending the drain abandons at once whoever has not stopped, and says who") {
  Fleet fleet;
  auto& a = fleet.add("a");
  auto& b = fleet.add("b");
  auto& c = fleet.add("c");
  fleet->request_shutdown();
  fleet.pass(3s);
  b.end_cleanly();
  fleet.settle();
  fleet.take();
  fleet->end_drain();
  fleet.settle();
  CHECK(fleet.take() ==
        Lines{"3s a terminated abandoned after 3s", "3s c terminated abandoned after 3s", "3s - drained cut_short"});
  CHECK(fleet->shutdown_result()->outcome == DrainOutcome::cut_short);
  CHECK(fleet->shutdown_result()->took == 3s);
  CHECK(fleet->shutdown_result()->abandoned == Lines{"a", "c"});
  CHECK(fleet->shutdown_result()->suggested_exit_status() == 1);
  fleet.pass(1h);
  CHECK(fleet.take() == Lines{});
  c.end_cleanly();
  a.fail("late");
  fleet.settle();
  CHECK(fleet.take() == Lines{"1h3s c ended_late 1 after 1h3s clean", "1h3s a ended_late 1 after 1h3s failed: late"});
}

TEST_CASE("ending the drain without a shutdown requests one first: who obeys at once is still too late") {
  Fleet fleet{config_of(kSlow)};
  auto& a = fleet.add("a");
  a.on_stop = [](Run run) { run.end(Exit::clean()); };
  fleet.add("backs off").fail();
  fleet.settle();
  fleet.take();
  fleet->end_drain();
  fleet.settle();
  CHECK(a.calls == Lines{"start 1", "stop 1"});
  CHECK(fleet.take() == Lines{"0s - shutdown_requested requested 30s", "0s a stopping shutdown",
                              "0s backs off stopping shutdown", "0s backs off terminated cancelled",
                              "0s a terminated abandoned after 0s", "0s - drained cut_short",
                              "0s a ended_late 1 after 0s clean"});
}

TEST_CASE("ending a drain that is over changes nothing") {
  Fleet fleet;
  fleet.add("a").on_stop = [](Run run) { run.end(Exit::clean()); };
  fleet->request_shutdown();
  fleet.settle();
  const auto lines = fleet.recorder.lines();
  fleet->end_drain();
  fleet->end_drain();
  fleet.pass(1h);
  CHECK(fleet.recorder.lines() == lines);
  CHECK(fleet->shutdown_result()->outcome == DrainOutcome::drained);
}

TEST_CASE("a supervisor without services drains at once") {
  for (const bool cut : {false, true}) {
    Fleet fleet;
    if (cut) {
      fleet->end_drain();
    } else {
      fleet->request_shutdown();
    }
    fleet.settle();
    CHECK(fleet.take() == Lines{"0s - shutdown_requested requested 30s", "0s - drained drained"});
    CHECK(fleet->shutdown_result()->suggested_exit_status() == 0);
    CHECK(fleet.scheduler.idle());
  }
}

TEST_CASE("a stop in order to restart becomes final with a shutdown, and its run is not asked twice") {
  Fleet fleet;
  auto& a = fleet.add("a");
  REQUIRE(fleet->restart("a"));
  fleet.pass(1s);
  fleet->request_shutdown();
  fleet.settle();
  a.end_cleanly();
  fleet.pass(1h);
  CHECK(a.calls == Lines{"start 1", "stop 1"});
  CHECK(fleet.termination("a") == "cancelled");
  CHECK(fleet.take() == Lines{"0s a added on_failure", "0s a started 1", "0s a running 1", "0s a commanded restart",
                              "0s a stopping restart", "1s - shutdown_requested requested 30s",
                              "1s a stopping shutdown", "1s a ended 1 after 1s clean", "1s a terminated cancelled",
                              "1s - drained drained"});
}

TEST_CASE("a service that already stops for good is not asked again by a shutdown, and the drain waits for it") {
  Fleet fleet;
  auto& a = fleet.add("a");
  REQUIRE(fleet->stop("a"));
  fleet.pass(1s);
  fleet->request_shutdown();
  fleet.pass(2s);
  CHECK(a.calls == Lines{"start 1", "stop 1"});
  CHECK_FALSE(fleet->shutdown_result());
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet->shutdown_result()->took == 2s);
}

TEST_CASE("a restart that was asked for before a shutdown, in one instant, is followed by the stop") {
  Fleet fleet{config_of(kSlow)};
  auto& a = fleet.add("a");
  a.fail();
  fleet.settle();
  REQUIRE(fleet->restart("a"));
  fleet->request_shutdown();
  fleet.settle();
  CHECK(a.calls == Lines{"start 1", "start 2", "stop 2"});
  CHECK(fleet.phase("a") == "stopping");
}

// Row 20: it waited for a signal even when nothing was left to supervise.
TEST_CASE("when all have terminated the supervisor waits by default, and shuts down where it was told to return") {
  for (const auto when : {WhenAllTerminated::wait, WhenAllTerminated::return_}) {
    CAPTURE(to_string(when));
    SupervisorConfig config = config_of(kAtOnce);
    config.when_all_terminated = when;
    Fleet fleet{config};
    auto& a = fleet.add("a");
    auto& b = fleet.add("b");
    fleet.pass(1s);
    a.end_cleanly();
    fleet.pass(1s);
    CHECK_FALSE(fleet->is_shutting_down());
    b.end(Exit::fatal("over"));
    fleet.settle();
    const bool returns = when == WhenAllTerminated::return_;
    CHECK(fleet->is_shutting_down() == returns);
    REQUIRE(fleet->shutdown_result().has_value() == returns);
    if (!returns) continue;
    CHECK(fleet->shutdown_result()->took == 0s);
    CHECK(fleet->shutdown_result()->failed == Lines{"b"});
    CHECK(fleet->shutdown_result()->suggested_exit_status() == 1);
    const Lines lines = fleet.take();
    CHECK(Lines(lines.end() - 2, lines.end()) ==
          Lines{"2s - shutdown_requested all_terminated 30s", "2s - drained drained"});
  }
}

TEST_CASE("a supervisor that is to return when all have terminated waits for the first to be added") {
  SupervisorConfig config = config_of(kAtOnce);
  config.when_all_terminated = WhenAllTerminated::return_;
  Fleet fleet{config};
  fleet.pass(1h);
  CHECK_FALSE(fleet->is_shutting_down());
  fleet.add("a").end_cleanly();
  fleet.settle();
  CHECK(fleet->shutdown_result().has_value());
}

TEST_CASE("a service added or restarted in the instant in which the last one terminates keeps the supervisor up") {
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    SupervisorConfig config = config_of(kAtOnce);
    config.when_all_terminated = WhenAllTerminated::return_;
    Fleet fleet{config};
    auto& a = fleet.add("a");
    auto& b = fleet.script();
    fleet.recorder.on_each = [&](const Event& event) {
      if (kind(event) != "terminated" || event.run.value != 1 || event.name != "a") return;
      if (restarted) {
        CHECK(fleet->restart("a"));
      } else {
        CHECK(fleet->add({.name = "b"}, b));
      }
    };
    a.end_cleanly();
    fleet.pass(1h);
    CHECK_FALSE(fleet->is_shutting_down());
    CHECK(fleet->counters().active_services == 1);
    (restarted ? a : b).end_cleanly();
    fleet.settle();
    CHECK(fleet->shutdown_result().has_value());
    fleet.recorder.on_each = nullptr;
  }
}

TEST_CASE("removing the last service makes a supervisor return that is to return when all have terminated") {
  SupervisorConfig config = config_of(kAtOnce);
  config.when_all_terminated = WhenAllTerminated::return_;
  Fleet fleet{config};
  auto& a = fleet.add("a");
  REQUIRE(fleet->remove("a"));
  fleet.settle();
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet->shutdown_result()->outcome == DrainOutcome::drained);
  CHECK(fleet->shutdown_result()->suggested_exit_status() == 0);
}

TEST_CASE("a shutdown reaches a service in every phase, in the order of adding, and the result adds up") {
  Fleet fleet{config_of(kSlow, 10s)};
  fleet.add("runs");
  fleet.add("backs off").fail();
  fleet.add("stops");
  REQUIRE(fleet->stop("stops"));
  fleet.add("restarts");
  REQUIRE(fleet->restart("restarts"));
  fleet.add("is removed");
  REQUIRE(fleet->remove("is removed"));
  fleet.add("is over").end(Exit::fatal("over"));
  fleet.settle();
  REQUIRE(fleet->add({.name = "starts"}, fleet.script()));
  fleet.take();
  fleet->request_shutdown();
  fleet.settle();
  CHECK(fleet.take() == Lines{"0s starts added on_failure", "0s - shutdown_requested requested 10s",
                              "0s runs stopping shutdown", "0s backs off stopping shutdown",
                              "0s backs off terminated cancelled", "0s restarts stopping shutdown",
                              "0s starts terminated cancelled"});
  fleet.pass(10s);
  CHECK(fleet.take() == Lines{"10s runs terminated abandoned after 10s", "10s stops terminated abandoned after 10s",
                              "10s restarts terminated abandoned after 10s",
                              "10s is removed terminated abandoned after 10s", "10s is removed removed",
                              "10s - drained deadline"});
  CHECK(fleet->shutdown_result()->abandoned == Lines{"runs", "stops", "restarts", "is removed"});
  CHECK(fleet->shutdown_result()->failed == Lines{"is over"});
  CHECK(fleet->shutdown_result()->counters == fleet->counters());
  CHECK(fleet->counters() == Counters{.spawned = 7, .starts = 6, .failures = 2, .terminated = 7, .abandoned_runs = 4});
}

TEST_CASE("a service may end everything from inside its stop, in any order") {
  Fleet fleet;
  auto& a = fleet.add("a");
  auto& b = fleet.add("b");
  a.on_stop = [&](Run run) {
    b.end(Exit::failed("pulled down"));
    run.end(Exit::clean());
  };
  b.on_stop = [](Run run) { run.end(Exit::clean()); };
  fleet->request_shutdown();
  fleet.settle();
  CHECK(b.calls == Lines{"start 1"});  // it had ended before it was asked
  CHECK(fleet.snapshot("b").last_error == "pulled down");
  CHECK(fleet->counters() == Counters{.spawned = 2, .starts = 2, .terminated = 2});
  CHECK(fleet->shutdown_result()->outcome == DrainOutcome::drained);
}

}  // namespace holdfast::test::supervisor_shutdown_test
