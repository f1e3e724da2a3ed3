// What an operator does in a rehearsal: commands to targets, at once or in batches.

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

// A group of services that are ready 3 s after each start, and one more.
Scenario group_of(std::uint32_t count, OperatorCommand command) {
  Scenario scenario = scenario_of({}, {{.at = 10s, .what = std::move(command)}}, 1min);
  scenario.fleet = {
      {.name = "web", .count = count, .policy = {.ready = Ready::notified}, .behaviour = {.ready_after = Fixed{3s}}},
      {.name = "db"}};
  return scenario;
}

// "10s restart web-0"
Lines commands(const Scenario& scenario) {
  EventLog log;
  Simulation sim{scenario, {&log}};
  REQUIRE(sim.run_to_end());
  Lines lines;
  for (const auto& event : log.events()) {
    if (const auto* const commanded = std::get_if<event::Commanded>(&event.what)) {
      lines.push_back(to_string(event.at) + ' ' + std::string{to_string(commanded->command)} + ' ' +
                      std::string{event.name});
    }
  }
  return lines;
}

Target only(std::string name) { return {.of = {std::move(name)}}; }

}  // namespace

TEST_CASE("each command of an operator does what it does in production") {
  const auto after = [](Command what) {
    Fixture fixture;
    REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{4s}}));
    REQUIRE(fixture.sim.add({.name = "other"}, {.runs_for = Fixed{4s}}));
    fixture.sim.add_chaos({.at = 1s, .what = OperatorCommand{.target = only("s"), .what = what}});
    fixture.sim.run_for(2s);
    CHECK(fixture.of("other").starts == 1);
    const auto service = fixture.sim.supervisor().snapshot("s");
    return service ? std::string{to_string(service->phase)} + ' ' + std::to_string(service->starts) : "not there";
  };
  CHECK(after(Command::stop) == "terminated 1");
  CHECK(after(Command::restart) == "running 2");
  CHECK(after(Command::remove) == "not there");
  CHECK(after(Command::reset) == "running 1");
}

TEST_CASE("a command that the supervisor refuses does nothing") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{1s}, .then = Then::fatal}));
  fixture.sim.add_chaos({.at = 5s, .what = OperatorCommand{.target = only("s"), .what = Command::reset}});
  fixture.sim.run_for(10s);
  CHECK(fixture.of("s").starts == 1);
}

TEST_CASE("a run that outlives the removal of its service ends unheard") {
  const auto chaos_of = [](Behaviour behaviour, ServicePolicy policy = {}) {
    behaviour.on_stop = Ignores{};
    policy.stop_grace = 1s;
    Fixture fixture;
    REQUIRE(fixture.sim.add({.name = "s", .policy = std::move(policy)}, std::move(behaviour)));
    fixture.sim.add_chaos({.at = 5s, .what = OperatorCommand{.target = only("s"), .what = Command::remove}});
    fixture.sim.run_for(1min);
    CHECK_FALSE(fixture.sim.supervisor().snapshot("s"));
    Lines after;
    for (const auto& chaos : fixture.log.chaos()) {
      if (chaos.at > TimePoint{} + 6s) after.emplace_back(to_string(chaos.kind));
    }
    return after;
  };
  const Ends mixed{{{Then::fail, Ratio::from(1)}, {Then::end, Ratio::from(1)}}};
  CHECK(chaos_of({.runs_for = Fixed{9s}, .then = mixed}).empty());
  CHECK(chaos_of({.runs_for = Fixed{9s}, .then = Then::hang}).empty());
  CHECK(chaos_of({.runs_for = Fixed{9s}, .then = Then::fail, .recovers_after = Exponential{1s}}).empty());
  CHECK(chaos_of({.runs_for = Exponential{9s}, .ready_after = Fixed{9s}}, {.ready = Ready::notified}).empty());
  CHECK(chaos_of({.runs_for = Fixed{4s}, .then = Then::hang}, {.watchdog = 10s}).empty());
}

TEST_CASE("without batches all targets get it in one instant") {
  CHECK(commands(group_of(3, {.target = only("web")})) ==
        Lines{"10s restart web-0", "10s restart web-1", "10s restart web-2"});
  CHECK(commands(group_of(2, {.target = {}, .what = Command::stop})) ==
        Lines{"10s stop web-0", "10s stop web-1", "10s stop db"});
}

TEST_CASE("the next batch comes when a gap is over and all of the last one run again") {
  const auto rolled = [](Duration gap) {
    return commands(group_of(5, {.target = only("web"), .batches = Rolling{2, gap}}));
  };
  // Ready after 3 s: a gap of 2 s is over twice before.
  CHECK(rolled(2s) ==
        Lines{"10s restart web-0", "10s restart web-1", "14s restart web-2", "14s restart web-3", "18s restart web-4"});
  CHECK(rolled(3500ms) == Lines{"10s restart web-0", "10s restart web-1", "13s500ms restart web-2",
                                "13s500ms restart web-3", "17s restart web-4"});
}

TEST_CASE("a rollout ends when one that was to run has terminated") {
  auto scenario = group_of(4, {.target = only("web"), .batches = Rolling{2, 5s}});
  scenario.chaos.push_back({.at = 9s, .what = Poison{.target = only("web-1"), .then = PoisonedThen::fatal}});
  CHECK(commands(scenario) == Lines{"10s restart web-0", "10s restart web-1"});
}

TEST_CASE("a rollout waits for a batch that does not come up, and goes on by itself") {
  auto scenario = group_of(4, {.target = only("web"), .batches = Rolling{2, 5s}});
  scenario.chaos.push_back({.at = 9s, .what = Poison{.target = only("web-1"), .length = 20s}});
  const auto lines = commands(scenario);
  REQUIRE(lines.size() == 4);
  CHECK(lines[2] == "35s restart web-2");  // the last bad start was just before 29 s, the next look is at 35 s
}

TEST_CASE("services that are stopped or removed in batches are done when they have terminated") {
  CHECK(commands(group_of(3, {.target = only("web"), .what = Command::stop, .batches = Rolling{1, 1s}})) ==
        Lines{"10s stop web-0", "11s stop web-1", "12s stop web-2"});
  CHECK(commands(group_of(3, {.target = only("web"), .what = Command::remove, .batches = Rolling{2, 1s}})) ==
        Lines{"10s remove web-0", "10s remove web-1", "11s remove web-2"});
}

TEST_CASE("nothing is rolled out after heal_at") {
  auto scenario = group_of(3, {.target = only("web"), .batches = Rolling{1, 5s}});
  scenario.heal_at = 14s;
  CHECK(commands(scenario) == Lines{"10s restart web-0"});
}

}  // namespace holdfast::simulation_test
