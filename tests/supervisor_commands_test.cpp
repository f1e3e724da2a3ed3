// Commands: adding, stopping, restarting and removing one service, in every phase that it can be in, and what several
// commands in one instant come to. Semantics.md, section 5, and rows 3, 9 to 12, 17 and 25 of section 4.

#include "support.hpp"

#include <set>

namespace holdfast::test::supervisor_commands_test {

namespace {

Refusal::Reason reason_of(const Result<Accepted>& result) {
  REQUIRE_FALSE(result);
  return result.refusal().reason;
}

// Every state that a command can meet. `stopping` is three: for good, in order to restart, and by a shutdown.
enum class State { starting, running, backing_off, stopping_for_good, stopping_to_restart, removing, terminated };
constexpr std::initializer_list<State> kStates{
    State::starting, State::running,   State::backing_off, State::stopping_for_good, State::stopping_to_restart,
    State::removing, State::terminated};

// Failures are followed by the next run after a second or less.
const BackoffPolicy kSlow{.base = 1s, .max = 10s, .cooldown = 1h, .breaker = BreakerPolicy{10, 10h}};

// Brings a fresh service `a` there, with one failure behind it (but in `starting`, which comes before any run).
Script& bring(Fleet& fleet, State state) {
  Script& a = fleet.script();
  REQUIRE(fleet->add({.name = "a"}, a));
  if (state == State::starting) return a;
  fleet.pass(5s);
  a.fail("an earlier one");
  fleet.settle();
  if (state != State::backing_off) fleet.pass(1s);
  switch (state) {
    case State::starting:
    case State::running:
    case State::backing_off: break;
    case State::stopping_for_good: REQUIRE(fleet->stop("a")); break;
    case State::stopping_to_restart: REQUIRE(fleet->restart("a")); break;
    case State::removing: REQUIRE(fleet->remove("a")); break;
    case State::terminated: a.end_cleanly(); break;
  }
  fleet.settle();
  fleet.take();
  return a;
}

Phase phase_in(State state) {
  switch (state) {
    case State::starting: return Phase::starting;
    case State::running: return Phase::running;
    case State::backing_off: return Phase::backing_off;
    case State::stopping_for_good:
    case State::stopping_to_restart:
    case State::removing: return Phase::stopping;
    case State::terminated: return Phase::terminated;
  }
  return Phase::terminated;
}

// What was told, without the times.
Lines told(Fleet& fleet) {
  Lines lines = fleet.take();
  for (auto& line : lines) line.erase(0, line.find(' ') + 1);
  return lines;
}

}  // namespace

TEST_CASE("the states of these tests are what they are called") {
  for (const State state : kStates) {
    Fleet fleet{config_of(kSlow)};
    bring(fleet, state);
    CHECK(fleet.snapshot("a").phase == phase_in(state));
  }
}

TEST_CASE("what was asked of a service that is gone does not reach the one that has its slot") {
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

TEST_CASE("a slot that nobody has had is empty") {
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
        CHECK(told(fleet) == Lines{"a added on_failure", "a commanded stop", "a terminated cancelled"});
        CHECK(a.calls.empty());
        break;
      case State::running:
        CHECK(told(fleet) == Lines{"a commanded stop", "a stopping stop"});
        CHECK(a.calls.back() == "stop 2");
        break;
      case State::backing_off:
        CHECK(told(fleet) == Lines{"a commanded stop", "a stopping stop", "a terminated cancelled"});
        CHECK(a.calls.size() == calls);
        fleet.pass(1h);
        CHECK(a.runs.size() == 1);
        break;
      case State::stopping_to_restart:
        CHECK(told(fleet) == Lines{"a commanded stop", "a stopping stop"});
        CHECK(a.calls.size() == calls);  // it was asked before; a run is asked once
        break;
      case State::stopping_for_good:
      case State::removing:
      case State::terminated:
        CHECK(told(fleet) == Lines{"a commanded stop"});
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
        CHECK(told(fleet) == Lines{"a added on_failure", "a commanded restart", "a started 1", "a running 1"});
        CHECK(fleet->counters().restarts == 0);
        break;
      case State::running:
        CHECK(told(fleet) == Lines{"a commanded restart", "a stopping restart"});
        CHECK(a.calls.back() == "stop 2");
        a.fail("while stopping");
        fleet.settle();
        CHECK(told(fleet) ==
              Lines{"a ended 2 after " + to_string(fleet.snapshot("a").running_time - 5s) + " failed: while stopping",
                    "a started 3", "a running 3"});
        CHECK(fleet->counters().failures == 1);
        CHECK(fleet->counters().restarts == before.restarts + 1);
        CHECK(fleet.snapshot("a").last_error == "while stopping");
        break;
      case State::backing_off:
        CHECK(told(fleet) == Lines{"a commanded restart", "a started 2", "a running 2"});
        fleet.pass(1h);
        CHECK(a.runs.size() == 2);  // the wait that was cut short does not start it once more
        break;
      case State::stopping_to_restart:
        CHECK(told(fleet) == Lines{"a commanded restart"});
        CHECK(a.calls.size() == calls);
        a.end_cleanly();
        fleet.settle();
        CHECK(fleet.phase("a") == "running");
        CHECK(a.calls.back() == "start 3");
        break;
      case State::stopping_for_good:
      case State::removing:
        CHECK(reason_of(result) == Refusal::Reason::stopping);
        CHECK(told(fleet) == Lines{});
        CHECK(fleet.phase("a") == "stopping");
        break;
      case State::terminated:
        CHECK(told(fleet) == Lines{"a commanded restart", "a removed", "a added on_failure after run 2", "a started 3",
                                   "a running 3"});
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
        CHECK(told(fleet) == Lines{"a added on_failure", "a commanded remove", "a terminated cancelled", "a removed"});
        CHECK(a.calls.empty());
        break;
      case State::running: CHECK(told(fleet) == Lines{"a commanded remove", "a stopping remove"}); break;
      case State::backing_off:
        CHECK(told(fleet) == Lines{"a commanded remove", "a stopping remove", "a terminated cancelled", "a removed"});
        break;
      case State::stopping_for_good: CHECK(told(fleet) == Lines{"a commanded remove"}); break;
      case State::stopping_to_restart: CHECK(told(fleet) == Lines{"a commanded remove", "a stopping remove"}); break;
      case State::removing: CHECK(told(fleet) == Lines{}); break;
      case State::terminated: CHECK(told(fleet) == Lines{"a commanded remove", "a removed"}); break;
    }
    if (phase_in(state) == Phase::running || phase_in(state) == Phase::stopping) {
      CHECK(fleet->service_count() == 1);
      CHECK(fleet.phase("a") == "stopping");
      a.end_cleanly();
      fleet.settle();
      const Lines lines = told(fleet);
      CHECK(Lines(lines.end() - 2, lines.end()) == Lines{"a terminated cancelled", "a removed"});
    }
    CHECK(fleet->service_count() == 0);
    CHECK_FALSE(fleet->snapshot("a"));
    CHECK(fleet->snapshots().empty());
    CHECK(fleet->counters().terminated == 1);
    CHECK(fleet->counters().active_services == 0);
    CHECK(reason_of(fleet->remove("a")) == Refusal::Reason::unknown_service);
    fleet.pass(1h);
    CHECK(told(fleet) == Lines{});
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

// Row 3: they overwrote each other in the map.
TEST_CASE("a second service of one name is refused with an error that names it, whatever the first is doing") {
  for (const State state : kStates) {
    CAPTURE(static_cast<int>(state));
    Fleet fleet{config_of(kSlow)};
    bring(fleet, state);
    const auto before = fleet.snapshot("a");
    const auto counters = fleet->counters();
    auto& second = fleet.script();
    const auto result = fleet->add({.name = "a"}, second);
    REQUIRE_FALSE(result);
    CHECK(result.refusal().reason == Refusal::Reason::name_taken);
    CHECK(result.refusal().message.find("\"a\"") != std::string::npos);
    CHECK(fleet.snapshot("a") == before);
    CHECK(fleet->counters() == counters);
    fleet.settle();
    CHECK(second.calls.empty());
  }
}

// Row 11: terminated services stayed in the map for ever.
TEST_CASE("the name of a terminated service is free at once when it is removed") {
  Fleet fleet;
  auto& first = fleet.add("a");
  first.end_cleanly();
  fleet.settle();
  const ServiceId old_id = fleet.snapshot("a").id;
  REQUIRE(fleet->remove("a"));
  auto& second = fleet.script();
  const auto added = fleet->add({.name = "a"}, second);
  REQUIRE(added);
  CHECK_FALSE(added.value() == old_id);
  fleet.settle();
  CHECK(second.calls == Lines{"start 1"});
  CHECK(fleet.snapshot("a").run == RunNumber{1});
  CHECK(fleet->counters() ==
        Counters{.spawned = 2, .starts = 2, .clean_exits = 1, .terminated = 1, .active_services = 1});
  first.end_cleanly();  // of the earlier life; nobody listens
  fleet.settle();
  CHECK(fleet.phase("a") == "running");
}

TEST_CASE("of hundreds of services each is found by its name, whichever others were removed and added again") {
  constexpr int kServices = 300;
  const auto name = [](int i) { return "s-" + std::to_string(i); };
  Fleet fleet;
  const auto add = [&](int i) { fleet.add(name(i)).on_stop = [](Run run) { run.end(Exit::clean()); }; };
  const auto every_one_is_found_but = [&](int third) {
    for (int i = 0; i < kServices; ++i) {
      CAPTURE(name(i));
      REQUIRE(fleet->snapshot(name(i)).has_value() == (i % 3 != third));
      if (i % 3 != third) REQUIRE(fleet->snapshot(name(i))->name == name(i));
    }
  };
  for (int i = 0; i < kServices; ++i) add(i);
  for (int third = 0; third < 3; ++third) {
    for (int i = third; i < kServices; i += 3) {
      REQUIRE(fleet->remove(name(i)));
      fleet.settle();
    }
    every_one_is_found_but(third);
    for (int i = third; i < kServices; i += 3) add(i);
  }
  every_one_is_found_but(3);
}

TEST_CASE("the name of a service that is alive stays taken until its removed event") {
  Fleet fleet;
  auto& a = fleet.add("a");
  REQUIRE(fleet->remove("a"));
  fleet.settle();
  CHECK_FALSE(fleet->add({.name = "a"}, a));
  a.end_cleanly();
  CHECK_FALSE(fleet->add({.name = "a"}, a));
  fleet.settle();
  CHECK(fleet->add({.name = "a"}, a));
  fleet.settle();
  CHECK(fleet.phase("a") == "running");
}

TEST_CASE("a sink that hears of the removal can add a service of that name at once") {
  Fleet fleet;
  auto& a = fleet.add("a");
  auto& successor = fleet.script();
  bool added = false;
  fleet.recorder.on_each = [&](const Event& event) {
    if (kind(event) == "removed") added = static_cast<bool>(fleet->add({.name = "a"}, successor));
  };
  REQUIRE(fleet->remove("a"));
  fleet.settle();
  a.end_cleanly();
  fleet.settle();
  CHECK(added);
  CHECK(successor.calls == Lines{"start 1"});
  fleet.recorder.on_each = nullptr;
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
    for (const auto& line : told(fleet)) CHECK(line.starts_with("b "));
    CHECK(fleet->counters().active_services == (command == Command::restart ? 3U : 2U));
    CHECK_FALSE(fleet->is_shutting_down());
  }
}

TEST_CASE("commands for a name that nobody has are refused with an error that names it") {
  Fleet fleet;
  for (const auto& result : {fleet->stop("ghost"), fleet->restart("ghost"), fleet->remove("ghost")}) {
    REQUIRE_FALSE(result);
    CHECK(result.refusal().reason == Refusal::Reason::unknown_service);
    CHECK(result.refusal().message.find("\"ghost\"") != std::string::npos);
    CHECK_THROWS_WITH(result.value(), result.refusal().message);
  }
  CHECK(fleet.take() == Lines{});
}

// Row 17: it was recorded when its task was first polled.
TEST_CASE("a service is recorded when add returns, in starting, before its first run") {
  Fleet fleet;
  auto& a = fleet.script();
  fleet.pass(3s);
  const auto id = fleet->add({.name = "a", .restart = RestartPolicy::never}, a);
  REQUIRE(id);
  CHECK(fleet->service_count() == 1);
  CHECK(fleet->counters() == Counters{.spawned = 1, .active_services = 1});
  CHECK(fleet.snapshot("a") ==
        ServiceSnapshot{.name = "a", .id = id.value(), .restart = RestartPolicy::never, .phase = Phase::starting});
  CHECK(a.calls.empty());
  CHECK(fleet.recorder.lines().empty());
}

// However names come to lie beside each other in the table that finds them, and whichever of them leaves it.
TEST_CASE("every name is found, and no other, while services come and go at random") {
  constexpr std::size_t kNames = 60;
  Fleet fleet;
  std::vector<bool> present(kNames);
  std::uint64_t state = 1;
  const auto next = [&state](std::uint64_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33) % below;
  };
  const auto name_of = [](std::size_t which) { return "service " + std::to_string(which); };
  for (int step = 0; step < 2000; ++step) {
    CAPTURE(step);
    const std::size_t which = next(kNames);
    if (present[which]) {
      REQUIRE(fleet->remove(name_of(which)));
      fleet.settle();
    } else {
      fleet.add(name_of(which)).end_cleanly();
      fleet.settle();
    }
    present[which] = !present[which];
    for (std::size_t i = 0; i < kNames; ++i) REQUIRE(fleet->id(name_of(i)).has_value() == present[i]);
  }
}

// Row 25: in the random order of a hash map.
TEST_CASE("snapshots come in the order of adding, through removals, restarts in place and adding again") {
  Fleet fleet;
  const auto names = [&] {
    std::string all;
    for (const auto& snapshot : fleet->snapshots()) all += snapshot.name + ' ';
    return all;
  };
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "s" + std::to_string((i * 17) % 40);
    fleet.add(name);
    expected += name + ' ';
  }
  CHECK(names() == expected);
  Fleet other;
  for (const auto* const name : {"d", "b", "a", "c"}) other.add(name).end_cleanly();
  other.settle();
  const auto of_other = [&] {
    std::string all;
    for (const auto& snapshot : other->snapshots()) all += snapshot.name;
    return all;
  };
  REQUIRE(other->restart("b"));
  other.settle();
  CHECK(of_other() == "dbac");  // in the same place
  REQUIRE(other->remove("d"));
  CHECK(of_other() == "bac");
  other.add("d");
  CHECK(of_other() == "bacd");
  REQUIRE(other->remove("a"));
  REQUIRE(other->remove("c"));
  CHECK(of_other() == "bd");
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
  fleet.pass(1h);
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
    CHECK(told(fleet) == expected);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Several commands in one instant: in the order in which they were given
// ---------------------------------------------------------------------------------------------------------------------

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

TEST_CASE("two restarts of a terminated service, in one instant, give it one new run and are both told") {
  Fleet fleet;
  auto& a = fleet.add("a");
  a.end_cleanly();
  fleet.settle();
  fleet.take();
  REQUIRE(fleet->restart("a"));
  REQUIRE(fleet->restart("a"));
  fleet.settle();
  CHECK(told(fleet) == Lines{"a commanded restart", "a removed", "a added on_failure after run 1",
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
  SECTION("an end before a remove is told with its own reason, and the service is forgotten") {
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

// ---------------------------------------------------------------------------------------------------------------------
// Draws of one name in several lives
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a service added again under its old name at a later time draws anew") {
  Fleet fleet;
  fleet.add("a").end_cleanly();
  fleet.settle();
  const DrawKey first = fleet->draw_key(fleet.snapshot("a").id);
  REQUIRE(fleet->remove("a"));
  fleet.pass(1ns);
  fleet.add("a");
  const DrawKey second = fleet->draw_key(fleet.snapshot("a").id);
  CHECK(first.name == second.name);
  CHECK(second.added_at == TimePoint{1});
  CHECK_FALSE(draw(first, Purpose::backoff_jitter, 1) == draw(second, Purpose::backoff_jitter, 1));
}

TEST_CASE("lives of one name within one instant draw from keys of their own, however they follow each other") {
  enum class How { removed_while_alive, removed_when_terminated, removed_when_terminated_and_added_at_once, in_place };
  for (const How how : {How::removed_while_alive, How::removed_when_terminated,
                        How::removed_when_terminated_and_added_at_once, How::in_place}) {
    CAPTURE(static_cast<int>(how));
    Fleet fleet;
    std::set<std::uint64_t> draws;
    Script* a = &fleet.add("a");
    for (std::size_t life = 1; life <= 4; ++life) {
      CAPTURE(life);
      draws.insert(draw(fleet->draw_key(fleet.snapshot("a").id), Purpose::backoff_jitter, 1).high);
      CHECK(draws.size() == life);
      if (how == How::removed_while_alive) REQUIRE(fleet->remove("a"));
      fleet.settle();
      a->end_cleanly();
      fleet.settle();
      if (how == How::in_place) {
        REQUIRE(fleet->restart("a"));
      } else {
        if (how != How::removed_while_alive) REQUIRE(fleet->remove("a"));
        if (how == How::removed_when_terminated) fleet.settle();
        a = &fleet.script();
        REQUIRE(fleet->add({.name = "a"}, *a));
      }
      fleet.settle();
    }
  }
}

// A real clock may move between any two looks at it. add() looked twice: for the time of adding, which is part of the
// key of the draws, and for whether the name had been removed in that same instant, which was then denied.
TEST_CASE("a service added again in the instant of its removal draws anew, whenever the clock moves on") {
  class TickingClock final : public Scheduler {
   public:
    explicit TickingClock(int looks) : looks_(looks) {}
    [[nodiscard]] TimePoint now() const noexcept override { return TimePoint{--looks_ < 0 ? 1 : 0}; }
    void arm(Timer&, TimePoint) override { FAIL("nothing waits here"); }
    bool disarm(Timer&) noexcept override { return false; }
    void defer(Task& task) override { tasks_.push(task); }
    bool cancel(Task& task) noexcept override { return tasks_.cancel(task); }
    void run_tasks() {
      while (!tasks_.empty()) tasks_.run_oldest();
    }

   private:
    mutable int looks_;  // until it moves
    TaskQueue tasks_;
  };
  for (int looks = 0; looks < 30; ++looks) {
    CAPTURE(looks);
    TickingClock clock{looks};
    Recorder recorder;
    Script a;
    Supervisor supervisor{clock, config_of(kAtOnce), kSeed, recorder};
    std::set<std::uint64_t> draws;
    for (int added = 0; added < 3; ++added) {
      const auto id = supervisor.add({.name = "a"}, a);
      REQUIRE(id);
      draws.insert(draw(supervisor.draw_key(id.value()), Purpose::backoff_jitter, 1).high);
      REQUIRE(supervisor.remove("a"));
      clock.run_tasks();
    }
    CHECK(draws.size() == 3);
  }
}

TEST_CASE("what others do does not change a service's draws") {
  const auto delays_of_a = [](bool with_others) {
    Fleet fleet{config_of({.base = 1s, .max = 60s, .breaker = std::nullopt})};
    if (with_others) fleet.add("before");
    auto& a = fleet.add("a");
    Script* const other = with_others ? &fleet.add("other") : nullptr;
    std::vector<Duration> delays;
    for (int i = 0; i < 10; ++i) {
      if (other && other->runs.size() == static_cast<std::size_t>(i) + 1) other->fail();
      fleet.settle();
      a.fail();
      fleet.settle();
      delays.push_back(fleet.recorder.backoffs.back().delay);
      fleet.pass(60s);
    }
    return delays;
  };
  CHECK(delays_of_a(false) == delays_of_a(true));
}

}  // namespace holdfast::test::supervisor_commands_test
