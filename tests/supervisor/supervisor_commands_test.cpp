// Commands: adding, stopping, restarting and removing one service, in every phase that it can be in. Semantics.md,
// section 5, and rows 9, 10 and 12 of section 4.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "supervisor_states.hpp"

namespace holdfast::test::supervisor_commands_test {

TEST_CASE("the states of these tests are what they are called") {
  for (const State state : kStates) {
    Fleet fleet{config_of(kSlow)};
    bring(fleet, state);
    CHECK(fleet.snapshot("a").phase == phase_in(state));
  }
}

TEST_CASE("a command for a removed service does not reach the service that now has its slot") {
  for (const bool is_taken_again : {true, false}) {
    CAPTURE(is_taken_again);
    Fleet fleet{config_of(kSlow)};
    bring(fleet, State::backing_off);
    fleet.add("c");
    Script& b = fleet.script();
    fleet.recorder.on_each = [&](const Event& event) {
      const bool is_c_commanded = event.name == "c" && std::holds_alternative<event::Commanded>(event.what);
      if (is_c_commanded && is_taken_again) REQUIRE(fleet->add({.name = "b"}, b));
    };
    REQUIRE(fleet->remove("a"));
    REQUIRE(fleet->stop("c"));
    REQUIRE(fleet->stop("a"));  // it is still there
    fleet.settle();
    CHECK_FALSE(fleet->snapshot("a"));
    CHECK(fleet->id_in(0) == (is_taken_again ? fleet->id("b") : std::nullopt));
    if (is_taken_again) CHECK(fleet.phase("b") == "running");
  }
}

TEST_CASE("a slot that was never used is empty") {
  Fleet fleet;
  CHECK(fleet->id_in(0) == std::nullopt);
  fleet.add("a");
  CHECK(fleet->id_in(0) == fleet->id("a"));
  CHECK(fleet->id_in(1) == std::nullopt);
}

TEST_CASE("stop, in every state") {
  for (const State state : kStates) {
    CAPTURE(static_cast<int>(state));
    Fleet fleet{config_of(kSlow)};
    Script& a = bring(fleet, state);
    const std::size_t calls = a.calls.size();
    REQUIRE(fleet->stop("a"));
    fleet.settle();
    switch (state) {
      case State::starting:
        CHECK(lines_of(fleet) == Lines{"a added on_failure", "a commanded stop", "a terminated cancelled"});
        CHECK(a.calls.empty());
        break;
      case State::running:
        CHECK(lines_of(fleet) == Lines{"a commanded stop", "a stopping stop"});
        CHECK(a.calls.back() == "stop 2");
        break;
      case State::backing_off:
        CHECK(lines_of(fleet) == Lines{"a commanded stop", "a stopping stop", "a terminated cancelled"});
        CHECK(a.calls.size() == calls);
        fleet.pass(1h);
        CHECK(a.runs.size() == 1);
        break;
      case State::stopping_to_restart:
        CHECK(lines_of(fleet) == Lines{"a commanded stop", "a stopping stop"});
        CHECK(a.calls.size() == calls);  // it was asked before; a run is asked once
        break;
      case State::stopping_for_good:
      case State::removing:
      case State::terminated:
        CHECK(lines_of(fleet) == Lines{"a commanded stop"});
        CHECK(a.calls.size() == calls);
        break;
    }
    if (phase_in(state) == Phase::running || phase_in(state) == Phase::stopping) {
      CHECK(fleet.phase("a") == "stopping");
      a.fail("during the stop");
      fleet.settle();
      CHECK(fleet->counters().failures == 1);
      CHECK(fleet->service_count() == (state == State::removing ? 0U : 1U));
      if (state != State::removing) CHECK(fleet.snapshot("a").last_error == "during the stop");
    }
    if (state != State::removing) {
      CHECK(fleet.termination("a") == (state == State::terminated ? "completed" : "cancelled"));
    }
    CHECK(fleet->counters().active_services == 0);
    CHECK(fleet->counters().terminated == 1);
  }
}

TEST_CASE("stop is idempotent") {
  Fleet fleet;
  auto& a = fleet.add("a");
  for (int i = 0; i < 3; ++i) REQUIRE(fleet->stop("a"));
  fleet.settle();
  REQUIRE(fleet->stop("a"));
  fleet.settle();
  CHECK(a.calls == Lines{"start 1", "stop 1"});
  a.end_cleanly();
  fleet.settle();
  REQUIRE(fleet->stop("a"));
  fleet.settle();
  CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 1, .terminated = 1});
}

TEST_CASE("restart, in every state") {
  for (const State state : kStates) {
    CAPTURE(static_cast<int>(state));
    Fleet fleet{config_of(kSlow)};
    Script& a = bring(fleet, state);
    const std::size_t calls = a.calls.size();
    const auto before = fleet->counters();
    const auto result = fleet->restart("a");
    CHECK(static_cast<bool>(result) == (state != State::stopping_for_good && state != State::removing));
    fleet.settle();
    switch (state) {
      case State::starting:
        CHECK(lines_of(fleet) == Lines{"a added on_failure", "a commanded restart", "a started 1", "a running 1"});
        CHECK(fleet->counters().restarts == 0);
        break;
      case State::running:
        CHECK(lines_of(fleet) == Lines{"a commanded restart", "a stopping restart"});
        CHECK(a.calls.back() == "stop 2");
        a.fail("while stopping");
        fleet.settle();
        CHECK(lines_of(fleet) ==
              Lines{"a ended 2 after " + to_string(fleet.snapshot("a").running_time - 5s) + " failed: while stopping",
                    "a started 3", "a running 3"});
        CHECK(fleet->counters().failures == 1);
        CHECK(fleet->counters().restarts == before.restarts + 1);
        CHECK(fleet.snapshot("a").last_error == "while stopping");
        break;
      case State::backing_off:
        CHECK(lines_of(fleet) == Lines{"a commanded restart", "a started 2", "a running 2"});
        fleet.pass(1h);
        CHECK(a.runs.size() == 2);  // the wait that was cut short does not start it once more
        break;
      case State::stopping_to_restart:
        CHECK(lines_of(fleet) == Lines{"a commanded restart"});
        CHECK(a.calls.size() == calls);
        a.end_cleanly();
        fleet.settle();
        CHECK(fleet.phase("a") == "running");
        CHECK(a.calls.back() == "start 3");
        break;
      case State::stopping_for_good:
      case State::removing:
        CHECK(reason_of(result) == Refusal::Reason::stopping);
        CHECK(lines_of(fleet) == Lines{});
        CHECK(fleet.phase("a") == "stopping");
        break;
      case State::terminated:
        CHECK(lines_of(fleet) == Lines{"a commanded restart", "a removed", "a added on_failure after run 2",
                                       "a started 3", "a running 3"});
        CHECK(fleet->counters().spawned == 2);
        CHECK(fleet->counters().restarts == before.restarts);
        CHECK(fleet.snapshot("a").starts == 1);
        CHECK(fleet.snapshot("a").failures == 0);
        CHECK(fleet.snapshot("a").last_error.empty());
        break;
    }
    if (result) {
      CHECK(fleet.snapshot("a").attempt == 0);
      CHECK(fleet.snapshot("a").failures_in_window == 0);
      CHECK(fleet.phase("a") == "running");
    }
  }
}

TEST_CASE("a start that is held comes with a restart and not before; only a service that backs off is held") {
  for (const State state : kStates) {
    Fleet fleet{{.backoff = kSlow}};
    bring(fleet, state);
    CAPTURE(static_cast<int>(state));
    CHECK(fleet->hold_start(*fleet->id("a")) == (state == State::backing_off));
    fleet.take();
    if (state != State::backing_off) continue;
    fleet.pass(100h);
    CHECK(fleet.take().empty());
    REQUIRE(fleet->restart("a"));
    fleet.settle();
    CHECK(fleet->snapshot("a")->phase == Phase::running);
  }
  for (const bool in_shutdown : {false, true}) {
    Fleet fleet{{.backoff = kSlow}};
    bring(fleet, State::backing_off);
    REQUIRE(fleet->hold_start(*fleet->id("a")));
    if (in_shutdown) fleet->request_shutdown();
    if (!in_shutdown) REQUIRE(fleet->stop("a"));
    fleet.settle();
    CHECK(fleet->snapshot("a")->phase == Phase::terminated);
  }
  Fleet fleet;
  CHECK_FALSE(fleet->hold_start({7, 1}));  // nobody's
}

TEST_CASE("remove, in every state") {
  for (const State state : kStates) {
    CAPTURE(static_cast<int>(state));
    Fleet fleet{config_of(kSlow)};
    Script& a = bring(fleet, state);
    REQUIRE(fleet->remove("a"));
    CHECK(fleet->service_count() == (state == State::terminated ? 0U : 1U));
    fleet.settle();
    switch (state) {
      case State::starting:
        CHECK(lines_of(fleet) ==
              Lines{"a added on_failure", "a commanded remove", "a terminated cancelled", "a removed"});
        CHECK(a.calls.empty());
        break;
      case State::running: CHECK(lines_of(fleet) == Lines{"a commanded remove", "a stopping remove"}); break;
      case State::backing_off:
        CHECK(lines_of(fleet) ==
              Lines{"a commanded remove", "a stopping remove", "a terminated cancelled", "a removed"});
        break;
      case State::stopping_for_good: CHECK(lines_of(fleet) == Lines{"a commanded remove"}); break;
      case State::stopping_to_restart:
        CHECK(lines_of(fleet) == Lines{"a commanded remove", "a stopping remove"});
        break;
      case State::removing: CHECK(lines_of(fleet) == Lines{}); break;
      case State::terminated: CHECK(lines_of(fleet) == Lines{"a commanded remove", "a removed"}); break;
    }
    if (phase_in(state) == Phase::running || phase_in(state) == Phase::stopping) {
      CHECK(fleet->service_count() == 1);
      CHECK(fleet.phase("a") == "stopping");
      a.end_cleanly();
      fleet.settle();
      const Lines lines = lines_of(fleet);
      CHECK(Lines(lines.end() - 2, lines.end()) == Lines{"a terminated cancelled", "a removed"});
    }
    CHECK(fleet->service_count() == 0);
    CHECK_FALSE(fleet->snapshot("a"));
    CHECK(fleet->snapshots().empty());
    CHECK(fleet->counters().terminated == 1);
    CHECK(fleet->counters().active_services == 0);
    CHECK(reason_of(fleet->remove("a")) == Refusal::Reason::unknown_service);
    fleet.pass(1h);
    CHECK(lines_of(fleet) == Lines{});
  }
}

TEST_CASE("during a shutdown stop and remove are accepted in every state, restart and add are refused") {
  for (const State state : kStates) {
    for (const bool settled : {false, true}) {
      CAPTURE(static_cast<int>(state), settled);
      Fleet fleet{config_of(kSlow)};
      Script& a = bring(fleet, state);
      fleet->request_shutdown();
      if (settled) fleet.settle();
      CHECK(reason_of(fleet->restart("a")) == Refusal::Reason::shutting_down);
      const auto added = fleet->add({.name = "late"}, a);
      REQUIRE_FALSE(added);
      CHECK(added.refusal().reason == Refusal::Reason::shutting_down);
      CHECK(fleet->stop("a"));
      CHECK(fleet->remove("a"));
      fleet.settle();
      if (!a.runs.empty()) a.end_cleanly();
      fleet.settle();
      CHECK(fleet->service_count() == 0);
      CHECK(fleet->counters().spawned == 1);
      CHECK(fleet->shutdown_result()->outcome == DrainOutcome::drained);
    }
  }
}

// Row 12: only the whole fleet could be stopped.
TEST_CASE("stopping, restarting or removing one service leaves the others alone") {
  for (const Command command : {Command::stop, Command::restart, Command::remove}) {
    CAPTURE(to_string(command));
    Fleet fleet;
    auto& a = fleet.add("a");
    auto& b = fleet.add("b");
    auto& c = fleet.add("c");
    fleet.take();
    if (command == Command::stop) REQUIRE(fleet->stop("b"));
    if (command == Command::restart) REQUIRE(fleet->restart("b"));
    if (command == Command::remove) REQUIRE(fleet->remove("b"));
    fleet.settle();
    b.end_cleanly();
    fleet.pass(1h);
    CHECK(a.calls == Lines{"start 1"});
    CHECK(c.calls == Lines{"start 1"});
    for (const auto& line : lines_of(fleet)) CHECK(line.starts_with("b "));
    CHECK(fleet->counters().active_services == (command == Command::restart ? 3U : 2U));
    CHECK_FALSE(fleet->is_shutting_down());
  }
}

TEST_CASE("a restart of a terminated service is a new life in the same place: a new id, run numbers go on") {
  Fleet fleet;
  auto& a = fleet.add("a");
  for (std::uint64_t life = 1; life <= 4; ++life) {
    fleet.pass(1s);
    const auto old = fleet.snapshot("a");
    CHECK(old.run == RunNumber{life});
    a.end(Exit::fatal("over"));
    fleet.settle();
    REQUIRE(fleet->restart("a"));
    fleet.settle();
    const auto now = fleet.snapshot("a");
    CHECK(now == ServiceSnapshot{.name = "a",
                                 .id = {old.id.slot, old.id.generation + 1},
                                 .phase = Phase::running,
                                 .run = {life + 1},
                                 .starts = 1});
  }
  CHECK(fleet->counters() == Counters{.spawned = 5, .starts = 5, .failures = 4, .terminated = 4, .active_services = 1});
}

TEST_CASE("a restart while a run stops waits for its end, and starts the next run in that instant") {
  Fleet fleet{config_of(kSlow)};
  auto& a = fleet.add("a");
  REQUIRE(fleet->restart("a"));
  fleet.pass(29s);
  CHECK(a.calls == Lines{"start 1", "stop 1"});
  CHECK(fleet.phase("a") == "stopping");
  a.end_cleanly();
  fleet.settle();
  CHECK(a.calls == Lines{"start 1", "stop 1", "start 2"});
  CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 2, .restarts = 1, .active_services = 1});
}

TEST_CASE("a later stop or remove turns a stop in order to restart into a final one") {
  for (const bool removal : {false, true}) {
    CAPTURE(removal);
    Fleet fleet;
    auto& a = fleet.add("a");
    REQUIRE(fleet->restart("a"));
    fleet.pass(1s);
    fleet.take();
    REQUIRE((removal ? fleet->remove("a") : fleet->stop("a")));
    fleet.pass(1s);
    CHECK(a.calls == Lines{"start 1", "stop 1"});
    a.end_cleanly();
    fleet.pass(1h);
    CHECK(a.runs.size() == 1);
    const std::string word = removal ? "remove" : "stop";
    Lines expected{"a commanded " + word, "a stopping " + word, "a ended 1 after 2s clean", "a terminated cancelled"};
    if (removal) expected.push_back("a removed");
    CHECK(lines_of(fleet) == expected);
  }
}

// Story: of two restarts in one instant the second stopped the run that the first one had begun.
TEST_CASE("a restart that was asked for before the latest run began has had it") {
  Fleet fleet{config_of(kSlow)};
  auto& a = fleet.add("a");
  a.fail();
  fleet.settle();
  REQUIRE(fleet.phase("a") == "backing_off");
  REQUIRE(fleet->restart("a"));
  REQUIRE(fleet->restart("a"));
  fleet.settle();
  CHECK(fleet.phase("a") == "running");
  CHECK(a.calls == Lines{"start 1", "start 2"});
  REQUIRE(fleet->restart("a"));  // in the same instant, but asked for later
  fleet.settle();
  CHECK(a.calls == Lines{"start 1", "start 2", "stop 2"});
}

}  // namespace holdfast::test::supervisor_commands_test
