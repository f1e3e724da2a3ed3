// Shutdown: which services stop, in which order, and what is accepted meanwhile. Semantics.md, sections 2.5 and 5, and
// rows 8, 10, 18 and 20 of section 4.

#include <optional>
#include <string>
#include <vector>

#include "support.hpp"

namespace holdfast::test::supervisor_shutdown_test {

namespace {

const BackoffPolicy kSlow{.base = 1h, .max = 1h, .breaker = std::nullopt};

}  // namespace

// Row 8: `stopping` was entered when the run had already ended, so no snapshot showed which services were still
// stopping.
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
    CHECK(fleet->shutdown_result()->errors == std::vector<StopError>{{"a", "could not flush"}});
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
TEST_CASE("when all have terminated the supervisor waits by default, and shuts down where it is configured to return") {
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

TEST_CASE(
    "a supervisor that is to return when all have terminated shuts down if no service is added before its timers run") {
  SupervisorConfig config = config_of(kAtOnce);
  config.when_all_terminated = WhenAllTerminated::return_;
  Fleet fleet{config};
  SECTION("none was") {
    fleet.pass_nothing();
    CHECK(fleet.take() == Lines{"0s - shutdown_requested all_terminated 30s", "0s - drained drained"});
    CHECK(fleet->shutdown_result()->suggested_exit_status() == 0);
    CHECK(fleet.scheduler.idle());
  }
  SECTION("one was") {
    auto& a = fleet.add("a");
    fleet.pass(1h);
    CHECK_FALSE(fleet->is_shutting_down());
    a.end_cleanly();
    fleet.settle();
    CHECK(fleet->shutdown_result().has_value());
  }
  SECTION("a shutdown came first") {
    fleet->request_shutdown();
    fleet.pass(1h);
    CHECK(fleet.take() == Lines{"0s - shutdown_requested requested 30s", "0s - drained drained"});
  }
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
