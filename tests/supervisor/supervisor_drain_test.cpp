// The drain: its deadline, which services are abandoned at it, and late ends. Semantics.md, sections 2.5 to 2.7, 5 and
// 6, and rows 7 and 13 of section 4.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "supervisor_graces.hpp"

namespace holdfast::test::supervisor_grace_test {

namespace {

const BackoffPolicy kSlow{.base = 1h, .max = 1h, .breaker = std::nullopt};

}  // namespace

// Row 7: left in `running` after the drain, and the caller did not learn of it.
TEST_CASE(
    "a service that does not stop in time is abandoned and listed, and its late end is reported and changes nothing") {
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

TEST_CASE("the late end of a service that was removed in the meantime is ignored") {
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
TEST_CASE("ending the drain abandons at once every service that has not stopped, and names it") {
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

TEST_CASE("ending the drain without a shutdown requests one first, and a service that obeys at once is in time") {
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
                              "0s a ended 1 after 0s clean", "0s a terminated cancelled", "0s - drained drained"});
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

// Story: a process that ignored SIGTERM was alive after run_until_shutdown had returned.
TEST_CASE("the drain's deadline and its end by command kill what can be killed before they abandon it") {
  for (const bool by_command : {false, true}) {
    CAPTURE(by_command);
    Fleet fleet{config_of(kAtOnce, 5s)};
    auto& obeys_its_kill = add_deaf(fleet, "obeys its kill", dies);
    auto& lives = add_deaf(fleet, "lives", lives_on);
    auto& deaf = add_deaf(fleet, "deaf", nullptr);
    fleet->request_shutdown();
    fleet.pass(by_command ? 1s : 5s);
    if (by_command) fleet->end_drain();
    fleet.settle();
    CHECK(obeys_its_kill.calls == Lines{"start 1", "stop 1", "kill 1"});
    CHECK(lives.calls == Lines{"start 1", "stop 1", "kill 1"});
    CHECK(deaf.calls == Lines{"start 1", "stop 1"});
    CHECK(fleet.termination("obeys its kill") == "cancelled");
    CHECK(fleet.termination("lives") == (by_command ? "abandoned after 1s" : "abandoned after 5s"));
    const auto& result = *fleet->shutdown_result();
    CHECK(result.outcome == (by_command ? DrainOutcome::cut_short : DrainOutcome::deadline));
    CHECK(result.abandoned == Lines{"lives", "deaf"});
    CHECK(result.errors == std::vector<StopError>{{"obeys its kill", "killed by force"}});
    CHECK(result.counters.killed_runs == 2);
    CHECK(result.suggested_exit_status() == 1);
  }
}

TEST_CASE("a drain at whose deadline every service dies by its kill has met its deadline") {
  Fleet fleet{config_of(kAtOnce, 5s)};
  add_deaf(fleet, "a", [](Run run) { run.end(Exit::clean()); });
  fleet->request_shutdown();
  fleet.pass(1h);
  CHECK(fleet.take() == Lines{"0s - shutdown_requested requested 5s", "0s a stopping shutdown", "5s a killed after 5s",
                              "5s a ended 1 after 5s clean", "5s a terminated cancelled", "5s - drained deadline"});
  CHECK(fleet->shutdown_result()->abandoned.empty());
  CHECK(fleet->shutdown_result()->suggested_exit_status() == 1);
}

// Story: a run that had died by its kill was "abandoned", because the drain was cut short in the turn in which it died.
TEST_CASE("a service that died by the kill of its grace is not abandoned by a drain that is ended in the same turn") {
  Fleet fleet{with_grace()};
  add_deaf(fleet, "a", [&](Run run) {
    fleet->end_drain();
    run.end(Exit::failed("killed by force"));
  });
  fleet->request_shutdown();
  fleet.pass(1h);
  CHECK(fleet.take() == Lines{"0s - shutdown_requested requested 30s", "0s a stopping shutdown", "2s a killed after 2s",
                              "2s a ended 1 after 2s failed: killed by force", "2s a terminated cancelled",
                              "2s - drained drained"});
  CHECK(fleet->shutdown_result()->abandoned.empty());
}

namespace {

SupervisorConfig with_kill_wait() {
  SupervisorConfig config = config_of(kAtOnce, 5s);
  config.kill_wait = 1s;
  return config;
}

}  // namespace

// Story: a process dies a moment after it was killed. So whatever the drain's deadline killed was "abandoned".
TEST_CASE("a drain with a kill_wait waits for whom it has killed, abandons others at once, and ends with the last") {
  for (const bool by_command : {false, true}) {
    CAPTURE(by_command);
    Fleet fleet{with_kill_wait()};
    auto& first = add_deaf(fleet, "first", lives_on);
    auto& second = add_deaf(fleet, "second", lives_on);
    auto& deaf = add_deaf(fleet, "deaf", nullptr);
    add_deaf(fleet, "may not be killed", [](Run) { throw std::runtime_error{"no"}; });
    fleet->request_shutdown();
    fleet.pass(by_command ? 3s : 5s);
    if (by_command) fleet->end_drain();
    fleet.pass(300ms);
    CHECK_FALSE(fleet->shutdown_result());
    CHECK(fleet.termination("deaf") == (by_command ? "abandoned after 3s" : "abandoned after 5s"));
    CHECK(fleet.termination("may not be killed") == fleet.termination("deaf"));
    first.fail("killed by force");
    deaf.end_cleanly();  // too late
    fleet.pass(300ms);
    CHECK_FALSE(fleet->shutdown_result());
    second.end_cleanly();
    fleet.settle();
    REQUIRE(fleet->shutdown_result());
    const auto& result = *fleet->shutdown_result();
    CHECK(result.outcome == (by_command ? DrainOutcome::cut_short : DrainOutcome::deadline));
    CHECK(result.took == (by_command ? 3600ms : 5600ms));
    CHECK(result.abandoned == Lines{"deaf", "may not be killed"});
    CHECK(result.errors == std::vector<StopError>{{"first", "killed by force"}});
    CHECK(result.counters.killed_runs == 3);
    CHECK(result.counters.abandoned_runs == 2);
    CHECK_FALSE(fleet.scheduler.fire_next(TimePoint::max()));
  }
}

TEST_CASE("a service that has not died within the kill_wait is abandoned, and an end in its last instant is in time") {
  Fleet fleet{with_kill_wait()};
  auto& in_time = add_deaf(fleet, "in time", lives_on);
  add_deaf(fleet, "lives", lives_on);
  const Alarm last_instant{fleet.scheduler, TimePoint{} + 6s, [&] { in_time.end_cleanly(); }};
  fleet->request_shutdown();
  fleet.pass(1h);
  CHECK(fleet.termination("in time") == "cancelled");
  CHECK(fleet.termination("lives") == "abandoned after 6s");
  CHECK(fleet->shutdown_result()->outcome == DrainOutcome::deadline);
  CHECK(fleet->shutdown_result()->took == 6s);
  CHECK(fleet->shutdown_result()->abandoned == Lines{"lives"});
}

TEST_CASE("a service that its grace killed just before the drain's deadline has the kill_wait as well") {
  SupervisorConfig config = with_kill_wait();
  config.stop_grace = 4900ms;
  for (const bool dies_in_time : {true, false}) {
    CAPTURE(dies_in_time);
    Fleet fleet{config};
    auto& service = add_deaf(fleet, "a", lives_on);
    fleet->request_shutdown();
    fleet.pass(5500ms);
    CHECK_FALSE(fleet->shutdown_result());
    if (dies_in_time) service.end_cleanly();
    fleet.pass(1h);
    CHECK(fleet.termination("a") == (dies_in_time ? "cancelled" : "abandoned after 6s"));
    CHECK(fleet->shutdown_result()->outcome == (dies_in_time ? DrainOutcome::drained : DrainOutcome::deadline));
  }
}

TEST_CASE("of a grace and the drain's deadline that end together, the deadline comes first, whichever began first") {
  for (const bool stopped_before : {false, true}) {
    CAPTURE(stopped_before);
    Fleet fleet{with_grace(30s)};
    add_deaf(fleet, "a", lives_on);
    if (stopped_before) stop(fleet, "a");
    fleet->request_shutdown();
    fleet.pass(1h);
    const Lines lines = fleet.take();
    CHECK(Lines(lines.end() - 3, lines.end()) ==
          Lines{"30s a killed after 30s", "30s a terminated abandoned after 30s", "30s - drained deadline"});
  }
}

// Story: a service that was asked to stop 100 s before the shutdown was abandoned "after 30s" of waiting.
TEST_CASE("the wait for a service that a drain abandons counts from when it was asked to stop") {
  SupervisorConfig config = with_grace(10min);
  Fleet fleet{config};
  add_deaf(fleet, "a", nullptr);
  stop(fleet, "a");
  fleet.pass(100s);
  fleet->request_shutdown();
  fleet.pass(1h);
  CHECK(fleet.termination("a") == "abandoned after 2min10s");
}

}  // namespace holdfast::test::supervisor_grace_test
