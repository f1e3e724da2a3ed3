// Swarm: each seed chooses among the faults of a scenario, and how large they are.

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/scenario/swarm.hpp>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

// Two faults, of which one has a length, and what is none.
Scenario swarming() {
  Scenario scenario = scenario_of({}, {}, 100s);
  scenario.fleet[0].count = 1000;
  scenario.swarm = Swarm{};
  scenario.chaos = {{.at = 10s, .what = Storm{{.share = Target::kWhole / 4}}},
                    {.at = 20s, .what = OperatorCommand{.what = Command::restart}},
                    {.at = 30s, .what = Outage{.length = 8s}}};
  return scenario;
}

std::string digest_of(const Scenario& scenario, Seed seed) {
  Digest digest;
  Simulation sim{scenario, {&digest}, seed};
  REQUIRE(sim.run_to_end());
  return digest.text();
}

}  // namespace

TEST_CASE("about half of the seeds switch a fault off, each by its own toss, and none what an operator does") {
  const Scenario scenario = swarming();
  std::map<std::pair<bool, bool>, int> counts;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const auto choices = swarm_choices(scenario, {seed});
    REQUIRE(choices.size() == 3);
    CHECK(choices[1] == SwarmChoice{});
    ++counts[{choices[0].happens, choices[2].happens}];
  }
  for (const auto& [which, count] : counts) {
    CHECK(count > 890);  // 1000 expected, standard deviation 27
    CHECK(count < 1110);
  }
  CHECK(counts.size() == 4);
}

TEST_CASE("magnitudes are drawn from the half to the double, those of a fault that has them") {
  const Scenario scenario = swarming();
  std::map<std::uint32_t, int> lengths;
  std::map<std::uint32_t, int> shares;
  for (std::uint64_t seed = 0; seed < 4500; ++seed) {
    const auto choices = swarm_choices(scenario, {seed});
    CHECK(choices[0].length_percent == 100);
    ++lengths[choices[2].length_percent];
    ++shares[choices[0].share_percent];
  }
  const std::vector<std::uint32_t> expected{50, 59, 71, 84, 100, 119, 141, 168, 200};
  for (const auto& found : {lengths, shares}) {
    CHECK(found.size() == expected.size());
    for (const std::uint32_t percent : expected) {
      CHECK(found.at(percent) > 390);  // 500 expected, standard deviation 21
      CHECK(found.at(percent) < 610);
    }
  }
}

TEST_CASE("a fault happens as it was chosen: so long, and to so many") {
  const auto entry = [](Chaos what) { return ChaosEntry{.at = 1s, .what = std::move(what)}; };
  const auto outage = chosen(entry(Outage{.length = 8s}), {.length_percent = 141});
  CHECK(std::get<Outage>(outage.what).length == DrawnLength{11'280ms});
  const auto drawn = chosen(entry(Poison{.length = Uniform{1s, 3s}}), {.length_percent = 50});
  CHECK(std::get<Poison>(drawn.what).length == DrawnLength{Uniform{500ms, 1'500ms}});
  const auto for_ever = chosen(entry(HangWindow{}), {.length_percent = 50});
  CHECK_FALSE(std::get<HangWindow>(for_ever.what).length);
  const auto few = chosen(entry(Storm{{.share = Target::kWhole / 4}}), {.share_percent = 200});
  CHECK(std::get<Storm>(few.what).target.share == Target::kWhole / 2);
  const auto all = chosen(entry(Storm{{.share = Target::kWhole / 4 * 3}}), {.share_percent = 200});
  CHECK(std::get<Storm>(all.what).target.share == Target::kWhole);
  CHECK(chosen(entry(Outage{.length = 8s}), {}) == entry(Outage{.length = 8s}));
}

TEST_CASE("a run with swarm is the run of the faults that were chosen, with the draws of their places") {
  const Scenario scenario = swarming();
  const auto differs = [](const SwarmChoice& a, const SwarmChoice& b) { return a.happens && !b.happens; };
  std::uint64_t seed = 0;
  while (!differs(swarm_choices(scenario, {seed})[2], swarm_choices(scenario, {seed})[0])) ++seed;
  Scenario plain = scenario;
  plain.swarm.reset();
  plain.chaos[0].what = Storm{{.of = {"nobody"}}};  // in the place of what was switched off
  plain.chaos[2] = chosen(scenario.chaos[2], swarm_choices(scenario, {seed})[2]);
  CHECK(digest_of(scenario, {seed}) == digest_of(plain, {seed}));
  Scenario other = scenario;
  other.swarm.reset();
  CHECK(digest_of(scenario, {seed}) != digest_of(other, {seed}));
}

TEST_CASE("the result names the faults that a seed chose, and what is switched off is not missed") {
  Scenario scenario = swarming();
  scenario.chaos = {{.at = 10s, .what = Storm{{.share = Target::kWhole / 4}}},
                    {.at = 30s, .what = Outage{.length = 8s}}};
  std::vector<std::string> texts;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto result = rehearse(scenario, {.seed = Seed{seed}});
    CHECK(result.verdict_warnings.empty());
    texts.push_back(result.swarm);
  }
  const auto has = [&](const std::string& text) { return std::find(texts.begin(), texts.end(), text) != texts.end(); };
  CHECK(has("0 of 2 faults"));
  const auto begins = [&](const std::string& text) {
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& each) { return each.starts_with(text); });
  };
  CHECK(begins("1 of 2 faults: chaos[0] (storm at 10s, share "));
  CHECK(begins("1 of 2 faults: chaos[1] (outage at 30s, for "));
  CHECK(begins("2 of 2 faults: chaos[0] (storm at 10s, share "));
  scenario.swarm.reset();
  CHECK(rehearse(scenario).swarm.empty());
}

}  // namespace holdfast::simulation_test
