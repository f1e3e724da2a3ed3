// Bad configurations that are rolled back, and the cohorts that get them first.

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <holdfast_sim/report/report.hpp>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

// Who is hit by each of these entries.
std::vector<Lines> hit_by(std::vector<Chaos> entries) {
  Scenario scenario = scenario_of({}, {}, 1h);
  scenario.fleet = {{.name = "many", .count = 1000}};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    scenario.chaos.push_back({.at = std::chrono::minutes{i + 1}, .what = std::move(entries[i])});
  }
  EventLog log;
  Simulation sim{scenario, {&log}};
  REQUIRE(sim.run_to_end());
  std::vector<Lines> names(entries.size());
  for (const auto& chaos : log.chaos()) {
    if (chaos.kind == ChaosEvent::Kind::outage) continue;  // of those that have started again
    names.at(static_cast<std::size_t>((chaos.at - TimePoint{}) / 1min) - 1).emplace_back(chaos.name);
  }
  return names;
}

Target of_cohort(double share, std::string cohort) {
  return {.share = Ratio::from(share).two_to_minus_32, .cohort = std::move(cohort)};
}

}  // namespace

TEST_CASE("a poison that shows on the third start lets two runs live, and one that goes away kills no more after it") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{10s}}));
  fixture.sim.add_chaos({.at = 5s, .what = Poison{.fails_after = 2s, .from_start = 3, .to_start = 4}});
  fixture.sim.run_for(60s);
  // The run that it meets, two that live, two that it kills, and one that lives.
  CHECK(fixture.ends_of("s") == Lines{"10s failed simulated failure", "20s failed simulated failure",
                                      "30s failed simulated failure", "32s failed poison", "34s failed poison",
                                      "44s failed simulated failure", "54s failed simulated failure"});
  CHECK(fixture.log.chaos().size() == 1);  // it is not down: what starts may live
}

TEST_CASE("starts are counted from when the poison has reached the service, and anew when another one does") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{10s}}));
  fixture.sim.add_chaos({.at = 25s, .what = Poison{.fails_after = 2s, .from_start = 2}});
  fixture.sim.add_chaos({.at = 45s, .what = Poison{.length = 30s, .fails_after = 3s, .from_start = 4}});
  fixture.sim.run_for(68s);
  // The second start from 25s on is that of 40s. From 45s on the fourth is that of 64s.
  CHECK(fixture.ends_of("s") == Lines{"10s failed simulated failure", "20s failed simulated failure",
                                      "30s failed simulated failure", "40s failed simulated failure",
                                      "42s failed poison", "44s failed poison", "46s failed poison",
                                      "56s failed simulated failure", "1min6s failed simulated failure"});
}

TEST_CASE(
    "a run goes on with the old configuration, and whatever starts with the poison fails until it is rolled back") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{10s}}));
  REQUIRE(fixture.sim.add({.name = "lasts"}));
  fixture.sim.add_chaos({.at = 5s, .what = Poison{.length = 9s, .fails_after = 2s}});
  fixture.sim.run_for(30s);
  CHECK(fixture.ends_of("s") == Lines{"10s failed simulated failure", "12s failed poison", "14s failed poison",
                                      "24s failed simulated failure"});
  CHECK(fixture.ends_of("lasts") == Lines{});
  const auto& chaos = fixture.log.chaos();
  REQUIRE(chaos.size() == 3);
  CHECK(chaos[0].kind == ChaosEvent::Kind::failing_starts);
  CHECK(chaos[0].cause == "poison");
  CHECK(chaos[0].until == TimePoint{} + 14s);
  CHECK(chaos[2].kind == ChaosEvent::Kind::outage);
  CHECK(chaos[2].at == TimePoint{} + 10s);
}

TEST_CASE("a fatal poison ends each service at its first start for good, and one that is never rolled back lasts") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{10s}}));
  REQUIRE(fixture.sim.add({.name = "lasts"}));
  fixture.sim.add_chaos({.at = 5s, .what = Poison{.fails_after = 2s, .then = PoisonedThen::fatal}});
  fixture.sim.run_for(1h);
  CHECK(fixture.ends_of("s") == Lines{"10s failed simulated failure", "12s fatal poison"});
  CHECK(fixture.of("s").phase == Phase::terminated);
  CHECK(fixture.of("lasts").phase == Phase::running);
  fixture.sim.add_chaos({.at = 2h, .what = Storm{}});
  fixture.sim.run_for(2h);
  CHECK(fixture.ends_of("lasts") == Lines{"2h failed storm", "2h2s fatal poison"});
}

TEST_CASE("a poison hides failing starts, and lasts until its own end beside them") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{10s}}));
  fixture.sim.add_chaos({.at = 1s, .what = Poison{.length = 14s, .fails_after = 3s}});
  fixture.sim.add_chaos({.at = 2s, .what = Outage{.length = 20s, .fails_after = 4s, .mode = OutageMode::refusing}});
  fixture.sim.run_for(25s);
  CHECK(fixture.ends_of("s") == Lines{"10s failed simulated failure", "13s failed poison", "16s failed poison",
                                      "20s failed outage", "24s failed outage"});
}

TEST_CASE("entries of one cohort hit the same targets, and of two shares the larger hits all of the smaller") {
  const auto hit = hit_by({Storm{of_cohort(0.1, "canary")}, Storm{{.share = Target::kWhole / 10}},
                           Poison{.target = of_cohort(0.1, "canary"), .length = 1s}, Storm{of_cohort(0.3, "canary")},
                           Storm{of_cohort(0.3, "other")}});
  const Lines& canary = hit[0];
  CHECK(canary.size() > 60);  // 100 expected, standard deviation 9.5
  CHECK(canary.size() < 140);
  CHECK(hit[1] != canary);
  CHECK(hit[2] == canary);
  CHECK(hit[3].size() > 240);  // 300 expected, standard deviation 14.5
  CHECK(hit[3].size() < 360);
  const auto in_more = [&](const std::string& name) {
    return std::find(hit[3].begin(), hit[3].end(), name) != hit[3].end();
  };
  CHECK(std::all_of(canary.begin(), canary.end(), in_more));
  CHECK(hit[4] != hit[3]);
  // Whatever else is on the timetable changes nothing.
  CHECK(hit_by({Storm{}, Storm{}, Storm{of_cohort(0.1, "canary")}})[2] == canary);
}

TEST_CASE("the report counts a poison as an outage of the services that have started with it") {
  auto scenario = scenario_of({}, {{.at = 10s, .what = Poison{.length = 30s}}, {.at = 20s, .what = Storm{}}}, 100s);
  Report report{scenario};
  Simulation sim{scenario, {&report}};
  REQUIRE(sim.run_to_end());
  const auto data = report.finish(sim.end());
  CHECK(data.fleet.availability.ideal == ServiceTime{80'000'000'000});  // all but 20 s to 40 s
  CHECK(data.fleet.availability.up == ServiceTime{80'000'000'000});
  CHECK(data.fleet.failures == 21);
}

}  // namespace holdfast::simulation_test
