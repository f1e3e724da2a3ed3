// Values of a scenario that are replaced from outside.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include <holdfast_sim/search/settings.hpp>

namespace holdfast::settings_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

const std::string kText = R"(name = "small"
duration = "1h"

[[fleet]]
name = "feed"
count = 3
runs_for = "10min"
then = "fail"

[[fleet]]
name = "engine"

[[chaos]]
at = "5min"
outage = { of = "feed", for = "1min" }
)";

Scenario with(const std::vector<std::string>& settings) { return parse_scenario_with(settings, kText, "x.toml", ""); }

}  // namespace

TEST_CASE("a setting replaces a value, adds one that is not there, and finds groups by number and by name") {
  CHECK(with({}) == parse_scenario_with({}, kText, "x.toml", ""));
  CHECK(with({"duration=2h"}).duration == 2h);
  CHECK(with({"supervisor.backoff.max = 10s"}).supervisor.backoff.max == 10s);
  CHECK(with({"supervisor.backoff.breaker=off"}).supervisor.backoff.breaker == std::nullopt);
  CHECK(with({"fleet[0].count=7"}).fleet[0].count == 7U);
  CHECK(with({"fleet.feed.count=7", "fleet.engine.count=2"}).fleet[1].count == 2U);
  CHECK(std::get<Outage>(with({"chaos[0].outage.for=3min"}).chaos[0].what).length == 3min);
  CHECK(with({"fleet.feed.runs_for={ exponential = \"4h\" }"}).fleet[0].behaviour.runs_for ==
        Distribution{Exponential{4h}});
  CHECK(with({"expect.restarts=5"}).expect.fleet.restarts == CountRange{5, 5});
}

TEST_CASE("of two settings of one key the last one holds") {
  CHECK(with({"duration=2h", "duration=3h"}).duration == 3h);
}

TEST_CASE("an empty setting, and one of an unknown key, are refused with what would be valid") {
  CHECK_THROWS_WITH(with({"duration"}), Contains("is not a setting; write a key and its value, like duration=1h"));
  CHECK_THROWS_WITH(with({"=1"}), Contains("has no path of keys before its \"=\""));
  CHECK_THROWS_WITH(with({"fleet[x].count=1"}), Contains("has no path of keys"));
  CHECK_THROWS_WITH(with({"fleet[2].count=1"}), Contains("the file has fleet[0] to fleet[1]"));
  CHECK_THROWS_WITH(with({"expect.groups[0].count=1"}), Contains("the file has no groups[…]"));
  CHECK_THROWS_WITH(with({"fleet.fead.count=1"}), Contains("did you mean \"feed\"? There are: feed, engine"));
}

TEST_CASE("a mistake in a setting is reported with the setting and without a line, for the user has seen no text") {
  CHECK_THROWS_WITH(with({"supervisor.backoff.mx=10s"}),
                    Contains("x.toml with supervisor.backoff.mx=10s: supervisor.backoff.mx: unknown key"));
  CHECK_THROWS_WITH(with({"fleet.feed.count=0"}), Contains("x.toml with fleet.feed.count=0: fleet[0].count: "));
  CHECK_THROWS_WITH(with({"duration=1979-05-27"}), Contains("duration: "));
}

TEST_CASE("a mistake of the file itself keeps its line, with settings too") {
  CHECK_THROWS_WITH(parse_scenario_with({"duration=2h"}, kText + "x = 1\n", "x.toml", ""), Contains("x.toml:16:1: "));
}

}  // namespace holdfast::settings_test
