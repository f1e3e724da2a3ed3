// What an operator changes in a rehearsal: another policy while a service runs, and services that join the fleet.

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <holdfast/random.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/scenario/distribution.hpp>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

// "10s added web-0": the events of these kinds, of everybody. Every check holds.
Lines events(const Scenario& scenario, const std::vector<std::string>& kinds) {
  EventLog log;
  {
    Simulation sim{scenario, {&log}};
    REQUIRE(sim.run_to_end());
  }
  const auto result = rehearse(scenario);
  for (const auto& violation : result.violations) {
    UNSCOPED_INFO(violation.service << ' ' << to_string(violation.at) << ' ' << violation.says);
  }
  for (const auto& one : result.expectations) UNSCOPED_INFO(one.what << ": " << one.found);
  CHECK(result.all_held());
  Lines lines;
  for (const auto& event : log.events()) {
    const std::string is{kind(event)};
    if (std::find(kinds.begin(), kinds.end(), is) == kinds.end()) continue;
    lines.push_back(to_string(event.at) + ' ' + is + ' ' + std::string{event.name});
  }
  return lines;
}

Scenario failing_every(Duration run, Duration delay, std::vector<ChaosEntry> chaos, Duration duration) {
  Scenario scenario = scenario_of({.runs_for = Fixed{run}}, std::move(chaos), duration);
  scenario.fleet[0].policy.backoff = waits(delay);
  return scenario;
}

// Three services that join later, and one that is there.
Scenario growing(std::vector<ChaosEntry> chaos, Duration duration = 1min) {
  Scenario scenario = scenario_of({}, std::move(chaos), duration);
  scenario.fleet = {{.name = "web", .count = 3, .joins = Joins::later}, {.name = "db"}};
  return scenario;
}

ChaosEntry add(Duration at, std::vector<std::string> of) { return {.at = at, .what = Joining{.of = std::move(of)}}; }
ChaosEntry remove(Duration at, std::string of) {
  return {.at = at, .what = OperatorCommand{.target = {.of = {std::move(of)}}, .what = Command::remove}};
}

}  // namespace

TEST_CASE("another backoff counts from the next failure on, and the delay that has begun stays") {
  // Runs from 0 s, 6 s and 12 s under a delay of 2 s; from 13 s on the delay is 5 s.
  auto scenario = failing_every(4s, 2s, {{.at = 13s, .what = Reconfigure{.change = {.backoff = waits(5s)}}}}, 31s);
  const Lines right{"0s started s", "6s started s", "12s started s", "21s started s", "30s started s"};
  CHECK(events(scenario, {"started"}) == right);
  CHECK(events(scenario, {"reconfigured"}) == Lines{"13s reconfigured s"});
  scenario.chaos[0].at = 11s;  // it waits
  CHECK(events(scenario, {"started"}) == right);
  scenario.chaos[0].at = 9s;
  CHECK(events(scenario, {"started"}) == Lines{"0s started s", "6s started s", "15s started s", "24s started s"});
  scenario.chaos.clear();
  CHECK(events(scenario, {"started"}).size() == 6);
}

TEST_CASE("what an entry does not name stays as it is in the policy in force") {
  Fixture fixture;
  ServicePolicy policy{.restart = RestartPolicy::always, .backoff = waits(3s), .stop_grace = 7s};
  policy.exit_rules.fatal.add(78);
  REQUIRE(fixture.sim.add({.name = "s", .policy = policy}, {}));
  const auto change = [&](Duration at, PolicyChange what) {
    fixture.sim.add_chaos({.at = at, .what = Reconfigure{.change = std::move(what)}});
  };
  change(1s, {.restart = RestartPolicy::never});
  change(2s, {.stop_grace = 1s, .ends_fleet = EndsFleet::always});
  change(3s, {.exit_rules = ExitRules{}, .forget_when_done = true});
  const auto in_force = [&] { return *fixture.sim.supervisor().policy("s"); };
  fixture.sim.run_for(1s);
  policy.restart = RestartPolicy::never;
  CHECK(in_force() == policy);
  fixture.sim.run_for(1s);
  policy.stop_grace = 1s;
  policy.ends_fleet = EndsFleet::always;
  CHECK(in_force() == policy);
  fixture.sim.run_for(1s);
  policy.exit_rules = {};
  policy.forget_when_done = true;
  CHECK(in_force() == policy);
}

TEST_CASE("a service that has terminated keeps its policy, also when a command starts it again") {
  const auto command = [](Duration at, Command what) {
    return ChaosEntry{.at = at, .what = OperatorCommand{{}, what}};
  };
  const auto change = [](Duration at, Duration delay) {
    return ChaosEntry{.at = at, .what = Reconfigure{.change = {.backoff = waits(delay)}}};
  };
  auto scenario = failing_every(
      4s, 2s, {change(1s, 3s), command(2s, Command::stop), change(3s, 9s), command(5s, Command::restart)}, 20s);
  CHECK(events(scenario, {"started", "reconfigured"}) ==
        Lines{"0s started s", "1s reconfigured s", "5s started s", "12s started s", "19s started s"});
}

TEST_CASE("another policy goes round in batches, each when the last one runs") {
  Scenario scenario = scenario_of({}, {}, 1min);
  scenario.fleet[0] = {.name = "web", .count = 3};
  scenario.chaos = {
      {.at = 5s, .what = OperatorCommand{{.of = {"web-1"}}, Command::stop}},
      {.at = 10s,
       .what = Reconfigure{.change = {.restart = RestartPolicy::always}, .batches = Rolling{.size = 1, .gap = 2s}}}};
  CHECK(events(scenario, {"reconfigured"}) == Lines{"10s reconfigured web-0"});  // web-1 has terminated
  scenario.chaos[0].at = 40s;
  CHECK(events(scenario, {"reconfigured"}) ==
        Lines{"10s reconfigured web-0", "12s reconfigured web-1", "14s reconfigured web-2"});
}

TEST_CASE("services join when an entry adds them, and only those that it means") {
  CHECK(events(growing({}), {"added"}) == Lines{"0s added db"});
  CHECK(events(growing({add(10s, {"web"})}), {"started"}) ==
        Lines{"0s started db", "10s started web-0", "10s started web-1", "10s started web-2"});
  CHECK(events(growing({add(10s, {"web-{1..2}"})}), {"added"}) ==
        Lines{"0s added db", "10s added web-1", "10s added web-2"});
  CHECK(events(growing({add(10s, {"web-1"}), add(20s, {}), add(30s, {})}), {"added"}) ==
        Lines{"0s added db", "10s added web-1", "20s added web-0", "20s added web-2"});
}

TEST_CASE("who joins over a time does so by a draw of its own") {
  const Exponential law{4s};
  auto scenario = growing({{.at = 10s, .what = Joining{.of = {"web"}, .spread = law}}}, 10min);
  const auto at_of = [&](std::string_view name, std::uint32_t entry) {
    const DrawKey key{.seed = scenario.seed, .name = name_hash(name), .incarnation = entry};
    return to_string(TimePoint{} + 10s + sample(law, draw(key, Purpose::target_delay, 0))) + " added " +
           std::string{name};
  };
  const auto added = [&](std::string_view name) {
    const auto all = events(scenario, {"added"});
    return *std::find_if(all.begin(), all.end(), [&](const auto& line) { return line.ends_with(name); });
  };
  CHECK(added("web-1") == at_of("web-1", 0));
  CHECK(added("web-2") == at_of("web-2", 0));
  scenario.fleet[0].count = 9;
  CHECK(added("web-1") == at_of("web-1", 0));
}

TEST_CASE("a service that was removed begins anew, under the policy of its group") {
  auto scenario = failing_every(
      4s, 2s, {{.at = 1s, .what = Reconfigure{.change = {.backoff = waits(9s)}}}, remove(2s, "s"), add(3s, {"s"})},
      15s);
  CHECK(events(scenario, {"added", "started"}) ==
        Lines{"0s added s", "0s started s", "3s added s", "3s started s", "9s started s", "15s started s"});
  scenario.chaos.push_back(add(3s, {"s"}));  // it is there
  CHECK(events(scenario, {"added"}).size() == 2);
}

TEST_CASE("chaos reaches those that have joined, by the names of their group, of their own and by patterns") {
  for (const auto* const name : {"web", "web-2", "web-*", ""}) {
    INFO(name);
    auto scenario = growing({add(10s, {"web"})});
    scenario.chaos.push_back({.at = 20s, .what = Storm{{.of = {name}}}});
    if (std::string_view{name}.empty()) scenario.chaos.back().what = Storm{};
    const auto ended = events(scenario, {"ended"});
    CHECK(std::find(ended.begin(), ended.end(), "20s ended web-2") != ended.end());
  }
  auto before = growing({{.at = 5s, .what = Outage{.target = {}, .length = 1h}}, add(10s, {"web"})});
  CHECK(events(before, {"ended"}).front() == "5s ended db");
  CHECK(events(before, {"added"}).back() == "10s added web-2");
  const auto ended = events(before, {"ended"});
  CHECK(std::none_of(ended.begin(), ended.end(), [](const auto& line) { return line.ends_with("web-2"); }));
}

TEST_CASE("one whose dependency is not there is refused, and joins when it is") {
  auto scenario = growing({add(10s, {"web"}), add(20s, {"cache"}), add(30s, {"web"})});
  scenario.fleet.push_back({.name = "cache", .joins = Joins::later});
  scenario.fleet[0].policy.order.after = NameList{{"cache"}};
  CHECK(events(scenario, {"started"}) ==
        Lines{"0s started db", "20s started cache", "30s started web-0", "30s started web-1", "30s started web-2"});
}

TEST_CASE("nobody joins after the heal, in a shutdown, or while the supervisor stands still") {
  auto healed = growing({add(10s, {"web"})});
  healed.heal_at = 5s;
  CHECK(events(healed, {"added"}) == Lines{"0s added db"});
  auto over = growing({{.at = 5s, .what = Shutdown{}}, add(10s, {"web"})});
  CHECK(events(over, {"added"}) == Lines{"0s added db"});
  auto stalled = growing({{.at = 5s, .what = Stall{20s}}, add(10s, {"web-0"})});
  CHECK(events(stalled, {"added"}) == Lines{"0s added db", "25s added web-0"});
}

TEST_CASE("all run by a time also if some of them join later") {
  auto scenario = growing({add(10s, {"web"})});
  scenario.expect.all_running_by = 10s;
  CHECK(rehearse(scenario).all_held());
  scenario.fleet[0].policy = {.ready = Ready::notified};
  scenario.fleet[0].behaviour.ready_after = Fixed{1h};
  CHECK_FALSE(rehearse(scenario).all_held());
}

}  // namespace holdfast::simulation_test
