// When chaos begins, whom it reaches when, and how long it lasts, where these are drawn; and when all of it is over.

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <holdfast/random.hpp>
#include <holdfast_sim/scenario/distribution.hpp>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

using Kind = ChaosEvent::Kind;

// What chaos did in a run of a fleet s-0, s-1, …
std::vector<ChaosEvent> chaos_of(std::vector<ChaosEntry> entries, std::uint32_t services = 1,
                                 std::optional<Duration> heal_at = std::nullopt, Duration duration = 24h) {
  auto scenario = scenario_of({}, std::move(entries), duration);
  scenario.seed = {7};
  scenario.heal_at = heal_at;
  scenario.fleet[0].count = services;
  static EventLog log;  // the texts of the events are its
  log.clear();
  Simulation sim{scenario, {&log}};
  REQUIRE(sim.run_to_end());
  return log.chaos();
}

std::vector<Duration> times_of(const std::vector<ChaosEvent>& all) {
  std::vector<Duration> times;
  for (const auto& one : all) times.push_back(one.at - TimePoint{});
  return times;
}

std::vector<Duration> ends_of(const std::vector<ChaosEvent>& all) {
  std::vector<Duration> times;
  for (const auto& one : all) times.push_back(one.until - TimePoint{});
  return times;
}

using Times = std::vector<Duration>;

Duration drawn(const Distribution& distribution, DrawKey key, Purpose purpose, std::uint64_t index) {
  return sample(distribution, draw(key, purpose, index));
}

DrawKey of_entry(std::uint32_t entry) { return {{7}, name_hash("chaos"), {}, entry}; }
DrawKey of_service(std::uint32_t number) { return {{7}, name_hash("s-" + std::to_string(number)), {}, 0}; }

}  // namespace

TEST_CASE("chaos that comes every ten minutes comes until its last time, the end of the run or the healing") {
  const ChaosEntry storm{.at = 5min, .what = Storm{}, .every = Fixed{10min}};
  auto until = storm;
  until.until = 25min;
  CHECK(times_of(chaos_of({storm}, 1, std::nullopt, 30min)) == Times{5min, 15min, 25min});
  CHECK(times_of(chaos_of({until})) == Times{5min, 15min, 25min});
  until.until = 25min - 1ns;
  CHECK(times_of(chaos_of({until})) == Times{5min, 15min});
  CHECK(times_of(chaos_of({storm}, 1, 25min)) == Times{5min, 15min});
  CHECK(times_of(chaos_of({storm}, 1, 25min + 1ns)) == Times{5min, 15min, 25min});
}

TEST_CASE("the gaps of a random schedule are drawn, one after the other, for the entry") {
  const Exponential gap{1h};
  const auto times = times_of(chaos_of({{.at = 0s, .what = Storm{}, .every = gap}}, 1, std::nullopt, 2400h));
  CHECK(times.size() > 2250);  // 2400 expected, standard deviation 49
  CHECK(times.size() < 2550);
  Duration at{0};
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    at += drawn(gap, of_entry(0), Purpose::chaos_interval, i);
    if (times[i + 1] != at) FAIL("time " << i + 1);
  }
}

TEST_CASE("each time draws anew who is hit, and a cohort stays what it is") {
  const auto hit_at = [](Storm storm, Duration at) {
    std::set<std::string> names;
    for (const auto& one : chaos_of({{.at = 1min, .what = std::move(storm), .every = Fixed{1h}}}, 200)) {
      if (one.at == TimePoint{} + at) names.emplace(one.name);
    }
    return names;
  };
  const Storm half{{.share = Target::kWhole / 2}};
  CHECK(hit_at(half, 1min) != hit_at(half, 61min));
  const Storm cohort{{.share = Target::kWhole / 2, .cohort = "rack"}};
  CHECK(hit_at(cohort, 1min) == hit_at(cohort, 61min));
}

TEST_CASE("the length of an outage is drawn once for all its targets, for each, or one after the other") {
  const Exponential length{10min};
  const auto outage = [&](Repairs repairs) {
    return Outage{.length = length, .mode = OutageMode::gone, .repairs = repairs};
  };
  const auto ends = [&](Repairs repairs) {
    return ends_of(chaos_of({{.at = 1h, .what = Storm{{.of = {"s-0"}}}}, {.at = 1h, .what = outage(repairs)}}, 4));
  };
  // The first is the end of the storm.
  const Duration together = drawn(length, of_entry(1), Purpose::chaos_length, 0);
  CHECK(ends(Repairs::together) == Times{1h, 1h + together, 1h + together, 1h + together, 1h + together});
  Times each{1h}, in_turn{1h};
  for (std::uint32_t i = 0; i < 4; ++i) {
    const Duration own = drawn(length, of_service(i), Purpose::target_length, 1);
    each.push_back(1h + own);
    in_turn.push_back(in_turn.back() + own);
  }
  CHECK(ends(Repairs::each) == each);
  CHECK(ends(Repairs::in_turn) == in_turn);
}

TEST_CASE("with a spread each target is reached after a delay of its own, and lasts from then on") {
  const Uniform spread{0s, 1h};
  const auto all = chaos_of({{.at = 1h, .what = Outage{{.spread = spread}, 5min, 1s, OutageMode::gone}}}, 3);
  Times begins, ends;
  for (std::uint32_t i = 0; i < 3; ++i) begins.push_back(1h + drawn(spread, of_service(i), Purpose::target_delay, 0));
  std::sort(begins.begin(), begins.end());
  for (const Duration at : begins) ends.push_back(at + 5min);
  CHECK(times_of(all) == begins);
  CHECK(ends_of(all) == ends);
}

TEST_CASE("one repairer mends the targets in the order in which a spread reaches them, and waits for the next") {
  const auto all = chaos_of(
      {{.at = 1h,
        .what = Outage{{.spread = Uniform{0s, 10min}}, 7min, 1s, OutageMode::gone, Ratio::from(1), Repairs::in_turn}}},
      5);
  const Times begins = times_of(all);
  Times ends;
  Duration free{0};
  for (const Duration at : begins) ends.push_back(free = std::max(free, at) + 7min);
  CHECK(ends_of(all) == ends);
  CHECK(ends.back() - begins.back() > 14min);  // a queue
}

TEST_CASE("a service that is removed, or added again, before its part of a spread comes is not reached") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "a"}));
  REQUIRE(fixture.sim.add({.name = "b"}));
  fixture.sim.add_chaos({.at = 1min, .what = Storm{{.spread = Fixed{1min}}}});
  fixture.sim.run_for(90s);
  REQUIRE(fixture.sim.supervisor().remove("a"));
  fixture.sim.run_for(1s);
  REQUIRE(fixture.sim.add({.name = "a"}));
  fixture.sim.run_for(1h);
  CHECK(fixture.ends_of("b") == Lines{"2min failed storm"});
  CHECK(fixture.ends_of("a") == Lines{"1min30s clean "});
}

TEST_CASE("from the healing on nothing goes wrong, whatever lasted is over, and a shutdown is still a shutdown") {
  auto scenario = scenario_of({}, {}, 2h);
  scenario.heal_at = 30min;
  scenario.chaos = {{.at = 10min, .what = Outage{.length = 1h, .fails_after = 1min}},
                    {.at = 20min, .what = HangWindow{}},
                    {.at = 25min, .what = Poison{}},
                    {.at = 29min, .what = Storm{{.spread = Fixed{1min}}}},
                    {.at = 30min, .what = Storm{}},
                    {.at = 1h, .what = Shutdown{}}};
  EventLog log;
  Simulation sim{scenario, {&log}};
  REQUIRE(sim.run_to_end());
  for (const auto& one : log.chaos()) {
    CHECK(one.until <= TimePoint{} + 30min);
    CHECK(one.kind != Kind::storm);
  }
  CHECK(log.chaos().size() == 3);
  std::vector<TimePoint> starts;
  for (const auto& event : log.of("s")) {
    if (std::holds_alternative<event::Started>(event.what)) starts.push_back(event.at);
  }
  CHECK(starts.back() == TimePoint{} + 30min);  // its run of 19 min hung for 10 min and failed
  CHECK(sim.end().at == TimePoint{} + 1h);
}

TEST_CASE("a resource that is out now and then is back each time, and when all is healed") {
  const auto waits = [](std::optional<Duration> heal_at) {
    auto scenario = scenario_of({.runs_for = Fixed{1min}, .needs = Need{"db"}}, {}, 1h);
    scenario.resources = {{.name = "db"}};
    scenario.heal_at = heal_at;
    scenario.chaos = {{.at = 10min, .what = Capacity{.of = "db", .length = 5min}, .every = Fixed{20min}}};
    EventLog log;
    Simulation sim{scenario, {&log}};
    REQUIRE(sim.run_to_end());
    Times served;
    for (const auto& one : log.chaos()) {
      if (one.kind == Kind::served) served.push_back(one.at - TimePoint{});
    }
    return served;
  };
  CHECK(waits(std::nullopt) == Times{15min, 35min, 55min});
  CHECK(waits(33min) == Times{15min, 33min});
}

TEST_CASE("an entry with a distribution changes no draw of another entry") {
  const Storm half{{.share = Target::kWhole / 2}};
  const auto hit = [&](ChaosEntry last) {
    std::set<std::string> names;
    for (const auto& one : chaos_of({{.at = 1h, .what = half}, std::move(last)}, 100, std::nullopt, 61min)) {
      if (one.at == TimePoint{} + 1h) names.emplace(one.name);
    }
    return names;
  };
  const auto before = hit({.at = 1min, .what = Storm{}});
  CHECK(hit({.at = 1min, .what = Storm{{.spread = Exponential{1s}}}, .every = Exponential{7min}}) == before);
}

}  // namespace holdfast::simulation_test
