// What several commands in one instant come to, also together with the end of a run: they apply in the order in which
// they were given. Semantics.md, section 5.

#include <optional>

#include "supervisor_states.hpp"

namespace holdfast::test::supervisor_commands_test {

TEST_CASE("a service that is stopped in the instant of its adding never runs") {
  Fleet fleet;
  auto& a = fleet.script();
  REQUIRE(fleet->add({.name = "a"}, a));
  REQUIRE(fleet->stop("a"));
  CHECK(reason_of(fleet->restart("a")) == Refusal::Reason::stopping);
  fleet.pass(1s);
  CHECK(a.calls.empty());
  CHECK(fleet.take() == Lines{"0s a added on_failure", "0s a commanded stop", "0s a terminated cancelled"});
}

TEST_CASE("a stop given after a restart of a terminated service, in one instant, stops it") {
  // Story: the restart gave the service a new id, and the stop, queued under the old one, found nobody.
  Fleet fleet;
  auto& a = fleet.add("a");
  a.end_cleanly();
  fleet.settle();
  REQUIRE(fleet->restart("a"));
  REQUIRE(fleet->stop("a"));
  fleet.settle();
  if (fleet.phase("a") == "stopping") a.end_cleanly();
  fleet.settle();
  CHECK(fleet.termination("a") == "cancelled");
  CHECK(fleet->counters().active_services == 0);
}

TEST_CASE("two restarts of a terminated service, in one instant, give it one new run and are both reported") {
  Fleet fleet;
  auto& a = fleet.add("a");
  a.end_cleanly();
  fleet.settle();
  fleet.take();
  REQUIRE(fleet->restart("a"));
  REQUIRE(fleet->restart("a"));
  fleet.settle();
  CHECK(lines_of(fleet) == Lines{"a commanded restart", "a removed", "a added on_failure after run 1",
                                 "a commanded restart", "a started 2", "a running 2"});
  CHECK(a.runs.size() == 2);
}

TEST_CASE("a remove given after a restart, in one instant, removes the service") {
  for (const State state : {State::running, State::backing_off, State::stopping_to_restart, State::terminated}) {
    CAPTURE(static_cast<int>(state));
    Fleet fleet{config_of(kSlow)};
    Script& a = bring(fleet, state);
    REQUIRE(fleet->restart("a"));
    REQUIRE(fleet->remove("a"));
    fleet.settle();
    a.end_cleanly();
    fleet.settle();
    CHECK(fleet->service_count() == 0);
    CHECK(fleet->counters().active_services == 0);
  }
}

TEST_CASE("a stop given before a restart wins where the service is alive; a terminated one is restarted") {
  for (const State state : {State::running, State::backing_off, State::stopping_to_restart}) {
    CAPTURE(static_cast<int>(state));
    Fleet fleet{config_of(kSlow)};
    Script& a = bring(fleet, state);
    REQUIRE(fleet->stop("a"));
    CHECK(reason_of(fleet->restart("a")) == Refusal::Reason::stopping);
    fleet.settle();
    a.end_cleanly();
    fleet.settle();
    CHECK(fleet.termination("a") == "cancelled");
    REQUIRE(fleet->restart("a"));
    fleet.settle();
    CHECK(fleet.phase("a") == "running");
  }
  Fleet fleet;
  auto& a = fleet.add("a");
  a.end_cleanly();
  fleet.settle();
  REQUIRE(fleet->stop("a"));
  REQUIRE(fleet->restart("a"));
  fleet.settle();
  CHECK(fleet.phase("a") == "running");
}

TEST_CASE("the end of a run and a command in one instant apply in the order of their arrival") {
  SECTION("an end before a stop keeps its own reason") {
    Fleet fleet;
    auto& a = fleet.add("a");
    a.end_cleanly();
    REQUIRE(fleet->stop("a"));
    fleet.settle();
    CHECK(fleet.termination("a") == "completed");
    CHECK(fleet->counters().clean_exits == 1);
    CHECK(a.calls == Lines{"start 1"});
  }
  SECTION("a failure before a stop is counted, and the stop ends the backoff") {
    Fleet fleet;
    auto& a = fleet.add("a");
    a.fail();
    REQUIRE(fleet->stop("a"));
    fleet.pass_nothing();
    CHECK(fleet.termination("a") == "cancelled");
    CHECK(fleet->counters().failures == 1);
    CHECK(a.calls == Lines{"start 1"});
  }
  SECTION("a stop before an end cancels; a run that has said that it ended is not asked") {
    Fleet fleet;
    auto& a = fleet.add("a");
    REQUIRE(fleet->stop("a"));
    a.fail();
    fleet.settle();
    CHECK(fleet.termination("a") == "cancelled");
    CHECK(fleet->counters().failures == 0);
    CHECK(fleet.snapshot("a").last_error == "boom");
    CHECK(a.calls == Lines{"start 1"});
  }
  SECTION("a restart before an end starts anew at once, and counts no failure") {
    Fleet fleet{config_of(kSlow)};
    auto& a = fleet.add("a");
    REQUIRE(fleet->restart("a"));
    a.fail();
    fleet.settle();
    CHECK(a.calls == Lines{"start 1", "start 2"});
    CHECK(fleet->counters().failures == 0);
    CHECK(fleet.snapshot("a").attempt == 0);
  }
  SECTION("an end before a restart has what it comes to, and then the restart") {
    Fleet fleet;
    auto& a = fleet.add("a");
    a.end_cleanly();
    REQUIRE(fleet->restart("a"));
    fleet.settle();
    CHECK(fleet.take() == Lines{"0s a added on_failure", "0s a started 1", "0s a running 1",
                                "0s a ended 1 after 0s clean", "0s a terminated completed", "0s a commanded restart",
                                "0s a removed", "0s a added on_failure after run 1", "0s a started 2",
                                "0s a running 2"});
  }
  SECTION("an end before a remove is reported with its own reason, and the service is forgotten") {
    Fleet fleet;
    auto& a = fleet.add("a");
    a.end_cleanly();
    REQUIRE(fleet->remove("a"));
    CHECK(fleet->service_count() == 1);
    fleet.settle();
    CHECK(fleet.take() == Lines{"0s a added on_failure", "0s a started 1", "0s a running 1",
                                "0s a ended 1 after 0s clean", "0s a terminated completed", "0s a commanded remove",
                                "0s a removed"});
  }
}

TEST_CASE("a backoff that passes and a command at that very instant: whichever comes first") {
  SECTION("the command was given by a timer that was armed earlier") {
    Fleet fleet{config_of({.base = 0ns, .max = 0ns, .clean_restart_delay = 1s, .breaker = std::nullopt})};
    auto& a = fleet.add("a", RestartPolicy::always);
    Alarm alarm{fleet.scheduler, TimePoint{} + 1s, [&] { CHECK(fleet->stop("a")); }};
    a.end_cleanly();
    fleet.pass(1s);
    CHECK(a.runs.size() == 1);
    CHECK(fleet.termination("a") == "cancelled");
  }
  SECTION("the command was given by a timer that was armed later") {
    Fleet fleet{config_of({.base = 0ns, .max = 0ns, .clean_restart_delay = 1s, .breaker = std::nullopt})};
    auto& a = fleet.add("a", RestartPolicy::always);
    a.end_cleanly();
    fleet.settle();
    Alarm alarm{fleet.scheduler, TimePoint{} + 1s, [&] { CHECK(fleet->stop("a")); }};
    fleet.pass(1s);
    CHECK(a.calls == Lines{"start 1", "start 2", "stop 2"});
    CHECK(fleet.phase("a") == "stopping");
  }
}

}  // namespace holdfast::test::supervisor_commands_test
