// Patterns of names in chaos: what they match, and whom they hit.

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include <holdfast_sim/predict/prediction.hpp>
#include <holdfast_sim/scenario/detail/name_pattern.hpp>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

bool matches(const char* pattern, const std::string& name) {
  const auto parsed = sim::detail::NamePattern::parse(pattern);
  REQUIRE(parsed);
  return parsed->matches(name);
}

Lines hit_by(std::vector<std::string> of) {
  Scenario scenario = scenario_of({}, {{.at = 1s, .what = Storm{{.of = std::move(of)}}}}, 2s);
  scenario.fleet = {
      {.name = "eu-feed", .count = 12}, {.name = "eu-engine"}, {.name = "us-feed", .count = 3}, {.name = "eu-*"}};
  EventLog log;
  Simulation sim{scenario, {&log}};
  REQUIRE(sim.run_to_end());
  Lines names;
  for (const auto& chaos : log.chaos()) names.emplace_back(chaos.name);
  return names;
}

}  // namespace

TEST_CASE("a star is any text, also none, and a range is a whole number without leading zeros") {
  CHECK(matches("*", ""));
  CHECK(matches("*", "feed-7"));
  CHECK(matches("feed-*", "feed-"));
  CHECK(matches("*-7", "feed-7"));
  CHECK(!matches("feed-*", "eu-feed-7"));
  CHECK(!matches("*-7", "feed-77x"));
  CHECK(matches("a*b*c", "a1b2b3c"));
  CHECK(!matches("a*b*c", "a1c2b"));
  CHECK(matches("feed-{3..17}", "feed-3"));
  CHECK(matches("feed-{3..17}", "feed-17"));
  CHECK(!matches("feed-{3..17}", "feed-2"));
  CHECK(!matches("feed-{3..17}", "feed-18"));
  CHECK(!matches("feed-{3..17}", "feed-03"));
  CHECK(!matches("feed-{3..17}", "feed-1"));
  CHECK(!matches("feed-{3..17}", "feed-"));
  CHECK(!matches("feed-{3..17}", "feed-5x"));
  CHECK(matches("{0..9}{0..9}", "07"));
  CHECK(matches("{1..10}5", "105"));
  CHECK(matches("rack-{0..1}-*", "rack-1-node-12"));
  CHECK(!matches("feed-{17..3}", "feed-5"));
  CHECK(!sim::detail::NamePattern::parse("feed-3"));
  CHECK(!sim::detail::NamePattern::parse("feed-{3..}"));
  CHECK(!sim::detail::NamePattern::parse("feed-{3..x}"));
  CHECK(!sim::detail::NamePattern::parse("feed-{03..4}"));
  CHECK(!sim::detail::NamePattern::parse(""));
}

TEST_CASE("a pattern hits the services that it matches, each once, in the order of adding") {
  CHECK(hit_by({"eu-feed-{9..20}"}) == Lines{"eu-feed-9", "eu-feed-10", "eu-feed-11"});
  CHECK(hit_by({"*-feed-{0..1}"}) == Lines{"eu-feed-0", "eu-feed-1", "us-feed-0", "us-feed-1"});
  CHECK(hit_by({"us-feed", "*-feed-{0..1}", "eu-engine", "eu-feed-0"}) ==
        Lines{"eu-feed-0", "eu-feed-1", "eu-engine", "us-feed-0", "us-feed-1", "us-feed-2"});
  CHECK(hit_by({"none-*"}) == Lines{});
  CHECK(hit_by({"*"}).size() == 17);
}

TEST_CASE("a text that is a name means who has it") { CHECK(hit_by({"eu-*"}) == Lines{"eu-*"}); }

TEST_CASE("a prediction knows the groups that a pattern reaches, and that it may not reach all of them") {
  auto scenario = scenario_of({}, {{.at = 1s, .what = Outage{.target = {.of = {"s-{0..1}"}}, .length = 90s}}}, 1h);
  scenario.supervisor = {};
  scenario.fleet[0].count = 3;
  CHECK(predict(scenario, {.services = 100}).groups.at(0).outages.size() == 1);
  CHECK(!worst_certain_loss(scenario));
}

}  // namespace holdfast::simulation_test
