// In which order things of one instant happen: as they were put on the timetable, or in another one for each seed.

#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <holdfast_sim/rehearsal.hpp>

#include "generated_scenarios.hpp"
#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

// The order in which three services end, all of them after 10 s.
std::string order_of_ends(std::uint64_t seed, InstantOrder order) {
  Scenario scenario = scenario_of({}, {}, 60s);
  scenario.order = order;
  scenario.fleet.clear();
  for (const char* const name : {"a", "b", "c"}) {
    scenario.fleet.push_back(
        {.name = name, .policy = {.restart = RestartPolicy::never}, .behaviour = {.runs_for = Fixed{10s}}});
  }
  EventLog log;
  Simulation sim{scenario, {&log}, Seed{seed}};
  REQUIRE(sim.run_to_end());
  std::string names;
  for (const auto& event : log.events()) {
    if (std::holds_alternative<event::Ended>(event.what)) names += event.name;
  }
  return names;
}

}  // namespace

TEST_CASE("in fifo things of one instant happen in the order of arming, whatever the seed") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) CHECK(order_of_ends(seed, InstantOrder::fifo) == "abc");
}

TEST_CASE("in random order each of the six orders of three things is as likely as any other") {
  std::map<std::string, int> counts;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) ++counts[order_of_ends(seed, InstantOrder::random)];
  CHECK(counts.size() == 6);
  for (const auto& [order, count] : counts) {
    CAPTURE(order);
    CHECK(count > 420);  // 500 expected, standard deviation 20
    CHECK(count < 580);
  }
}

TEST_CASE("a seed has one random order") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CHECK(order_of_ends(seed, InstantOrder::random) == order_of_ends(seed, InstantOrder::random));
  }
}

TEST_CASE("time goes on as ever in random order, and what is due later waits") {
  Scenario scenario = scenario_of({.runs_for = Fixed{10s}}, {{.at = 35s, .what = Storm{}}}, 60s);
  scenario.order = InstantOrder::random;
  EventLog log;
  Simulation sim{scenario, {&log}};
  REQUIRE(sim.run_to_end());
  std::vector<Duration> ends;
  for (const auto& event : log.events()) {
    if (std::holds_alternative<event::Ended>(event.what)) ends.push_back(event.at - TimePoint{});
  }
  CHECK(ends == std::vector<Duration>{10s, 20s, 30s, 35s, 45s, 55s});
}

TEST_CASE("the checks hold in every order of an instant") {
  rc::prop("a generated scenario breaks no rule in random order", [] {
    auto scenario = *test::runnable_scenario();
    scenario.order = InstantOrder::random;
    scenario.groups.clear();  // what groups do in one instant is tried in fifo alone
    for (auto& group : scenario.fleet) {
      group.policy.group = ServicePolicy{}.group;
      group.policy.ends_fleet = ServicePolicy{}.ends_fleet;
    }
    const auto result = rehearse(scenario);
    for (const auto& violation : result.violations) RC_LOG() << violation.says << '\n';
    RC_ASSERT(result.violations.empty());
  });
}

}  // namespace holdfast::simulation_test
