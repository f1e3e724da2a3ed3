// A stop that is not obeyed (semantics, section 6): stop token, then stop_grace, then kill() where the service can be
// killed, then the same grace again, then abandonment. A grace that nobody gave is as long as a shutdown.

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include "supervisor_graces.hpp"

namespace holdfast::test::supervisor_grace_test {

// Story: a stop of a hung service waited for ever, and so did a restart and a removal.
TEST_CASE("without a stop_grace the grace is as long as a shutdown may take, for commands too") {
  for (const bool killable : {false, true}) {
    CAPTURE(killable);
    Fleet fleet{config_of(kAtOnce, 7s)};
    add_deaf(fleet, "a", killable ? std::function<void(Run)>{lives_on} : nullptr);
    stop(fleet, "a");
    CHECK(fleet.snapshot("a").grace_until == TimePoint{} + 7s);
    fleet.pass(24h);
    CHECK(fleet.take() ==
          (killable ? Lines{"0s a commanded stop", "0s a stopping stop", "7s a killed after 7s",
                            "14s a terminated abandoned after 14s"}
                    : Lines{"0s a commanded stop", "0s a stopping stop", "7s a terminated abandoned after 7s"}));
  }
}

TEST_CASE("a run that has not stopped when its grace is over is killed, and its end is that of any stop") {
  Fleet fleet{with_grace()};
  auto& service = add_deaf(fleet, "a", dies);
  fleet.pass(1s);
  stop(fleet, "a");
  CHECK(fleet.snapshot("a").grace_until == TimePoint{} + 3s);
  fleet.pass_until_just_before(TimePoint{} + 3s);
  CHECK(service.calls == Lines{"start 1", "stop 1"});
  fleet.pass_nothing();
  CHECK(service.calls == Lines{"start 1", "stop 1", "kill 1"});
  CHECK(fleet.take() == Lines{"1s a commanded stop", "1s a stopping stop", "3s a killed after 2s",
                              "3s a ended 1 after 3s failed: killed by force", "3s a terminated cancelled"});
  CHECK(fleet.snapshot("a").last_error == "killed by force");
  CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 1, .terminated = 1, .killed_runs = 1});
}

TEST_CASE("a run that takes exactly as long as its grace has obeyed") {
  Fleet fleet{with_grace()};
  auto& service = add_deaf(fleet, "a", dies);
  std::optional<Alarm> alarm;
  service.on_stop = [&](Run run) {
    alarm.emplace(fleet.scheduler, fleet.scheduler.now() + 2s, [run] { run.end(Exit::clean()); });
  };
  stop(fleet, "a");
  fleet.pass(1h);
  CHECK(fleet.take() ==
        Lines{"0s a commanded stop", "0s a stopping stop", "2s a ended 1 after 2s clean", "2s a terminated cancelled"});
}

TEST_CASE("a run that outlives its kill is abandoned when its grace has passed again, and its late end is reported") {
  Fleet fleet{with_grace()};
  auto& service = add_deaf(fleet, "a", lives_on);
  stop(fleet, "a");
  fleet.pass(3s);
  CHECK(fleet.snapshot("a").killed);
  CHECK(fleet.snapshot("a").grace_until == TimePoint{} + 4s);
  fleet.pass(1s);
  CHECK(fleet.take() == Lines{"0s a commanded stop", "0s a stopping stop", "2s a killed after 2s",
                              "4s a terminated abandoned after 4s"});
  const auto snapshot = fleet.snapshot("a");
  CHECK(to_string(*snapshot.termination, "") == "abandoned after 4s");
  CHECK_FALSE(snapshot.killed);
  CHECK_FALSE(snapshot.grace_until);
  fleet.pass(1s);
  service.fail("at last");
  fleet.settle();
  CHECK(fleet.take() == Lines{"5s a ended_late 1 after 5s failed: at last"});
  CHECK(fleet.termination("a") == "abandoned after 4s");
  CHECK(fleet->counters() ==
        Counters{.spawned = 1, .starts = 1, .terminated = 1, .killed_runs = 1, .abandoned_runs = 1});
}

TEST_CASE("a service that cannot be killed is abandoned when its grace is over") {
  Fleet fleet{with_grace()};
  auto& service = fleet.add("a");
  CHECK(fleet.take().front() == "0s a added on_failure, stop_grace 2s");
  stop(fleet, "a");
  fleet.pass(1h);
  CHECK(fleet.take() == Lines{"0s a commanded stop", "0s a stopping stop", "2s a terminated abandoned after 2s"});
  CHECK(service.calls == Lines{"start 1", "stop 1"});
}

TEST_CASE("a service's own grace overrides the supervisor's, and is reported when it is added") {
  Fleet fleet{with_grace(5s)};
  auto& own = fleet.script();
  own.on_kill = dies;
  auto& other = fleet.script();
  other.on_kill = dies;
  REQUIRE(fleet->add({.name = "own", .policy = {.stop_grace = 0s}}, own));
  REQUIRE(fleet->add({.name = "other"}, other));
  fleet.settle();
  CHECK(fleet.take() == Lines{"0s own added on_failure, stop_grace 0s, can be killed",
                              "0s other added on_failure, stop_grace 5s, can be killed", "0s own started 1",
                              "0s own running 1", "0s other started 1", "0s other running 1"});
  stop(fleet, "own");
  stop(fleet, "other");
  fleet.pass(5s);
  CHECK(fleet.take() == Lines{"0s own commanded stop", "0s own stopping stop", "0s other commanded stop",
                              "0s other stopping stop", "0s own killed after 0s",
                              "0s own ended 1 after 0s failed: killed by force", "0s own terminated cancelled",
                              "5s other killed after 5s", "5s other ended 1 after 5s failed: killed by force",
                              "5s other terminated cancelled"});
}

TEST_CASE("a killed run that was stopped for a restart is followed by the next one") {
  Fleet fleet{with_grace()};
  auto& service = add_deaf(fleet, "a", dies);
  REQUIRE(fleet->restart("a"));
  fleet.pass(2s);
  CHECK(fleet.take() == Lines{"0s a commanded restart", "0s a stopping restart", "2s a killed after 2s",
                              "2s a ended 1 after 2s failed: killed by force", "2s a started 2", "2s a running 2"});
  CHECK(fleet->counters().failures == 0);
  fleet.pass(1h);  // the new run has no grace
  CHECK(fleet.take().empty());
  service.end_cleanly();
  fleet.settle();
}

TEST_CASE("a run that is abandoned on the way to a restart terminates its service, for it has no other instance") {
  Fleet fleet{with_grace()};
  auto& service = add_deaf(fleet, "a", lives_on);
  REQUIRE(fleet->restart("a"));
  fleet.pass(4s);
  CHECK(fleet.take() == Lines{"0s a commanded restart", "0s a stopping restart", "2s a killed after 2s",
                              "4s a terminated abandoned after 4s"});
  SECTION("it cannot be restarted while that run is alive, and can afterwards") {
    const auto refused = fleet->restart("a");
    REQUIRE_FALSE(refused);
    CHECK(refused.refusal().message ==
          "restart \"a\": its abandoned run is still alive; restart it once that has ended, or remove it and add "
          "another one");
    service.end_cleanly();
    CHECK(fleet->restart("a"));
    fleet.settle();
    CHECK(fleet.take() == Lines{"4s a ended_late 1 after 4s clean", "4s a commanded restart", "4s a removed",
                                "4s a added on_failure after run 1, stop_grace 2s, can be killed", "4s a started 2",
                                "4s a running 2"});
    CHECK(fleet->counters().spawned == 2);
  }
  SECTION("it can be removed, and then the late end is ignored") {
    CHECK(fleet->remove("a"));
    fleet.settle();
    service.end_cleanly();
    fleet.settle();
    CHECK(fleet.take() == Lines{"4s a commanded remove", "4s a removed"});
  }
}

TEST_CASE("a grace counts from the first request, whatever is asked for after that") {
  Fleet fleet{with_grace()};
  add_deaf(fleet, "a", lives_on);
  REQUIRE(fleet->restart("a"));
  fleet.pass(1s);
  REQUIRE(fleet->remove("a"));
  fleet.pass(500ms);
  fleet->request_shutdown();
  fleet.pass(1h);
  CHECK(fleet.take() == Lines{"0s a commanded restart", "0s a stopping restart", "1s a commanded remove",
                              "1s a stopping remove", "1s500ms - shutdown_requested requested 30s",
                              "2s a killed after 2s", "4s a terminated abandoned after 4s", "4s a removed",
                              "4s - drained drained"});
}

TEST_CASE("an exception from kill is reported and counts as not obeyed; the run is abandoned in time") {
  Fleet fleet{with_grace()};
  add_deaf(fleet, "a", [](Run) { throw std::runtime_error{"no permission"}; });
  stop(fleet, "a");
  fleet.pass(1h);
  CHECK(fleet.take() == Lines{"0s a commanded stop", "0s a stopping stop", "2s a killed after 2s",
                              "2s a kill_threw no permission", "4s a terminated abandoned after 4s"});
}

TEST_CASE("a throw out of stop counts as not obeyed, and its grace is given all the same") {
  Fleet fleet{with_grace()};
  auto& service = add_deaf(fleet, "a", dies);
  service.on_stop = [](Run) { throw std::runtime_error{"will not"}; };
  stop(fleet, "a");
  fleet.pass(1h);
  CHECK(fleet.take() == Lines{"0s a commanded stop", "0s a stopping stop", "0s a stop_threw will not",
                              "2s a killed after 2s", "2s a ended 1 after 2s failed: killed by force",
                              "2s a terminated cancelled"});
}

TEST_CASE("a run that ends inside its stop, or whose end is queued before it, is given no grace") {
  Fleet fleet{with_grace(0s)};
  auto& inside = add_deaf(fleet, "inside", lives_on);
  inside.on_stop = [](Run run) { run.end(Exit::clean()); };
  auto& before = add_deaf(fleet, "before", lives_on);
  before.end_cleanly();
  fleet->request_shutdown();
  fleet.pass(1h);
  CHECK(fleet.take() == Lines{"0s before ended 1 after 0s clean", "0s before terminated completed",
                              "0s - shutdown_requested requested 30s", "0s inside stopping shutdown",
                              "0s inside ended 1 after 0s clean", "0s inside terminated cancelled",
                              "0s - drained drained"});
}

TEST_CASE("the drain's deadline comes before a grace that is not over, and is reported with its own time") {
  SupervisorConfig config = with_grace(20s);
  config.shutdown_timeout = 30s;
  Fleet fleet{config};
  auto& service = add_deaf(fleet, "a", lives_on);
  fleet->request_shutdown();
  fleet.pass(1h);
  CHECK(fleet.take() == Lines{"0s - shutdown_requested requested 30s", "0s a stopping shutdown",
                              "20s a killed after 20s", "30s a terminated abandoned after 30s",
                              "30s - drained deadline"});
  CHECK(fleet.termination("a") == "abandoned after 30s");
  service.end_cleanly();
  fleet.settle();
  CHECK(fleet.take() == Lines{"1h a ended_late 1 after 1h clean"});
}

TEST_CASE("a drain is over when the last grace is, and its result names the services abandoned before or in it") {
  Fleet fleet{with_grace()};
  add_deaf(fleet, "before", lives_on);
  add_deaf(fleet, "dies", dies);
  add_deaf(fleet, "in it", lives_on);
  stop(fleet, "before");
  fleet.pass(4s);
  fleet->request_shutdown();
  fleet.pass(1h);
  const auto& result = *fleet->shutdown_result();
  CHECK(result.outcome == DrainOutcome::drained);
  CHECK(result.took == 4s);
  CHECK(result.abandoned == Lines{"before", "in it"});
  CHECK(result.suggested_exit_status() == 1);
  CHECK(fleet.termination("before") == "abandoned after 4s");
  CHECK(fleet.termination("in it") == "abandoned after 4s");
}

TEST_CASE("a kill may command the supervisor, which acts afterwards") {
  Fleet fleet{with_grace()};
  add_deaf(fleet, "a", [&](Run run) {
    CHECK(fleet->remove("a"));
    run.end(Exit::clean());
    CHECK(fleet->counters().terminated == 0);
  });
  stop(fleet, "a");
  fleet.pass(2s);
  CHECK(fleet.take() == Lines{"0s a commanded stop", "0s a stopping stop", "2s a killed after 2s",
                              "2s a commanded remove", "2s a ended 1 after 2s clean", "2s a terminated cancelled",
                              "2s a removed"});
}

TEST_CASE("a supervisor may be destroyed while graces run, and then kills no service") {
  Fleet fleet{with_grace()};
  auto& stops = add_deaf(fleet, "stops", dies);
  auto& abandoned = add_deaf(fleet, "abandoned", lives_on);
  stop(fleet, "abandoned");
  fleet.pass(4s);
  stop(fleet, "stops");
  fleet.destroy_supervisor();
  CHECK_FALSE(fleet.scheduler.has_timer_by(TimePoint::max()));
  CHECK(stops.calls == Lines{"start 1", "stop 1"});
  CHECK(abandoned.calls == Lines{"start 1", "stop 1", "kill 1"});
}

TEST_CASE("a grace that a shutdown cannot grant is warned of with the numbers, an impossible one is refused") {
  SupervisorConfig config = config_of(kAtOnce, 30s);
  for (const Duration idle : {Duration{30s + 1ns}, Duration{31s}}) {
    config.stop_grace = idle;
    const auto found = problems(config);
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == Problem::Severity::warning);
    CHECK(found[0].field == "stop_grace");
    CHECK(found[0].says == "is " + to_string(idle) +
                               ", longer than shutdown_timeout, which is 30s: in a shutdown the drain's deadline ends "
                               "the waiting before that");
  }
  for (const Duration granted : {0s, 29s, 30s}) {
    config.stop_grace = granted;
    CHECK(problems(config).empty());
  }
  for (const Duration impossible : {Duration{-1ns}, kDurationMax + 1ns}) {
    config.stop_grace = impossible;
    const std::string says = "stop_grace is " + to_string(impossible) + "; allowed is 0s to 36500d";
    CHECK(describe_errors(problems(config)) == says);
    CHECK(describe_errors(problems(ServiceConfig{.name = "a", .policy = {.stop_grace = impossible}})) == says);
  }
}

TEST_CASE(
    "services of one policy but another grace are distinguished, and only those with a policy of their own are "
    "warned") {
  Fleet fleet;
  const BackoffPolicy questionable{.cooldown = 1h, .breaker = BreakerPolicy{2, 1min}};
  for (const auto* const name : {"a", "b"}) {
    REQUIRE(fleet->add({.name = name, .policy = {.backoff = questionable, .stop_grace = name[0] == 'a' ? 1s : 2s}},
                       fleet.script()));
  }
  fleet.settle();
  const auto lines = fleet.take();
  CHECK(lines[0] == "0s a added on_failure, stop_grace 1s");
  CHECK(lines[1] == "0s a warned backoff.cooldown");
  CHECK(lines[2] == "0s b added on_failure, stop_grace 2s");
  CHECK(lines[3] == "0s b warned backoff.cooldown");

  // A service that inherits the same policy gets no warning, whichever service was added before.
  Fleet questions{config_of(questionable)};
  (void)questions.take();
  REQUIRE(questions->add({.name = "own", .policy = {.backoff = questionable, .stop_grace = 1s}}, questions.script()));
  REQUIRE(questions->add({.name = "inherited", .policy = {.stop_grace = 1s}}, questions.script()));
  questions.settle();
  CHECK(questions.take() == Lines{"0s own added on_failure, stop_grace 1s", "0s own warned backoff.cooldown",
                                  "0s inherited added on_failure, stop_grace 1s", "0s own started 1",
                                  "0s own running 1", "0s inherited started 1", "0s inherited running 1"});
}

TEST_CASE("a service's own grace that a shutdown cannot grant is warned of, with the service") {
  Fleet fleet{config_of(kAtOnce, 30s)};
  REQUIRE(fleet->add({.name = "a", .policy = {.stop_grace = 31s}}, fleet.script()));
  REQUIRE(fleet->add({.name = "b", .policy = {.stop_grace = 30s}}, fleet.script()));
  fleet.settle();
  CHECK(fleet.take() == Lines{"0s a added on_failure, stop_grace 31s", "0s a warned stop_grace",
                              "0s b added on_failure, stop_grace 30s", "0s a started 1", "0s a running 1",
                              "0s b started 1", "0s b running 1"});
}

}  // namespace holdfast::test::supervisor_grace_test
