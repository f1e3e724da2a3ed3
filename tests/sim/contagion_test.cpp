// Contagion: starts that make others fail, which start again in turn.

#include <catch2/catch.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

// Each storm of one service of a fleet of so many; how many runs were begun by the end.
std::uint64_t starts_after_one_crash(std::uint32_t services, const Contagion& contagion, Duration until,
                                     std::uint64_t seed = 1) {
  Scenario scenario = scenario_of({}, {}, until);
  scenario.seed = {seed};
  scenario.fleet = {{.name = "s", .count = services}};
  scenario.chaos = {{.at = 1s, .what = contagion}, {.at = 10s, .what = Storm{{.of = {"s-0"}}}}};
  return end_of(scenario).counters.starts;
}

}  // namespace

TEST_CASE("a run that starts hits one of the others after its time, and that one hits another one in turn") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "a"}));
  REQUIRE(fixture.sim.add({.name = "b"}));
  fixture.sim.add_chaos(
      {.at = 1s, .what = Contagion{.target = {.of = {"a"}}, .others = {"b"}, .length = 20s, .after = 2s}});
  fixture.sim.add_chaos({.at = 10s, .what = Storm{{.of = {"a"}}}});
  fixture.sim.add_chaos({.at = 21s, .what = Storm{{.of = {"a"}}}});  // when it is over
  fixture.sim.run_for(60s);
  CHECK(fixture.ends_of("a") == Lines{"10s failed storm", "21s failed storm"});
  CHECK(fixture.ends_of("b") == Lines{"12s failed contagion"});
  const auto& chaos = fixture.log.chaos();
  REQUIRE(chaos.size() == 3);
  CHECK(chaos[1].kind == ChaosEvent::Kind::storm);
  CHECK(chaos[1].cause == "contagion");
  CHECK(chaos[1].name == "b");
  CHECK(chaos[1].entry == 0);
}

// Story: the contagion asked for the draws of the service as it had been, and the program ended.
TEST_CASE("a service that has terminated and starts again by command is as contagious as before") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "a"}));
  REQUIRE(fixture.sim.add({.name = "b"}));
  fixture.sim.add_chaos({.at = 1s, .what = Contagion{.target = {.of = {"a"}}, .others = {"b"}, .after = 2s}});
  fixture.sim.add_chaos({.at = 10s, .what = OperatorCommand{{.of = {"a"}}, Command::stop}});
  fixture.sim.add_chaos({.at = 20s, .what = OperatorCommand{{.of = {"a"}}, Command::restart}});
  fixture.sim.run_for(60s);
  CHECK(fixture.starts_of("a") == std::vector{TimePoint{}, TimePoint{} + 20s});
  CHECK(fixture.ends_of("b") == Lines{"22s failed contagion"});
}

TEST_CASE("two services that hit each other go on for ever, and one alone hits nobody") {
  // Each start is followed by one of the other after 2 s: at 10 s, 12 s, 14 s …, 100 s.
  const Contagion each{.target = {.of = {"s"}}, .after = 2s};
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "a"}));
  REQUIRE(fixture.sim.add({.name = "b"}));
  fixture.sim.add_chaos({.at = 1s, .what = Contagion{.target = {.of = {"a"}}, .others = {"b"}, .after = 2s}});
  fixture.sim.add_chaos({.at = 1s, .what = Contagion{.target = {.of = {"b"}}, .others = {"a"}, .after = 2s}});
  fixture.sim.add_chaos({.at = 10s, .what = Storm{{.of = {"a"}}}});
  fixture.sim.run_for(100s);
  CHECK(fixture.starts_of("a").size() + fixture.starts_of("b").size() == 2 + 46);
  CHECK(starts_after_one_crash(1, each, 100s) == 2);
}

TEST_CASE("a contagion dies out below one hit for each start, and takes the fleet above") {
  // A branching process: a crash is followed by 1 / (1 - R) in the mean, if each start makes R others fail.
  std::uint64_t all = 0;
  constexpr std::uint64_t kRuns = 400;
  for (std::uint64_t seed = 1; seed <= kRuns; ++seed) {
    all += starts_after_one_crash(1000, {.chance = Ratio::from(0.5), .after = 1s}, 1h, seed) - 1000;
  }
  CHECK(all > kRuns * 2 * 85 / 100);  // 2 for each, of a variance of 2: one standard deviation is 3.5 %
  CHECK(all < kRuns * 2 * 115 / 100);
  CHECK(starts_after_one_crash(1000, {.hits = 2, .after = 1s}, 60s) > 10'000);
}

TEST_CASE("from heal_at on nobody is hit") {
  Scenario scenario = scenario_of({}, {}, 100s);
  scenario.fleet = {{.name = "a"}, {.name = "b"}};
  scenario.heal_at = 31s;
  scenario.chaos = {{.at = 1s, .what = Contagion{.target = {.of = {"a"}}, .others = {"b"}, .after = 2s}},
                    {.at = 1s, .what = Contagion{.target = {.of = {"b"}}, .others = {"a"}, .after = 2s}},
                    {.at = 10s, .what = Storm{{.of = {"a"}}}}};
  CHECK(end_of(scenario).counters.starts == 2 + 11);  // at 10 s, 12 s, …, 30 s
}

}  // namespace holdfast::simulation_test
