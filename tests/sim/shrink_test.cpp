// The smallest scenario that still fails: planted failures whose smallest scenarios are known.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/scenario/roster.hpp>
#include <holdfast_sim/search/shrink.hpp>

namespace holdfast::shrink_test {

using namespace holdfast::sim;
using Catch::Matchers::Contains;

namespace {

ShrinkResult shrunk(const std::string& text, std::uint64_t seed = 7) {
  return shrink(text, "test.toml", "", {.seed = Seed{seed}});
}

bool rehearses_to_a_failure(const std::string& text) {
  return rehearse(parse_scenario(text, "again.toml", ".")).verdict() == RehearsalVerdict::violated;
}

// A few draws of the test's own.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 2 + 1) {}
  std::uint64_t below(std::uint64_t end) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return (state_ >> 33) % end;
  }

 private:
  std::uint64_t state_;
};

// What fails, and the least that it takes.
struct Planted {
  std::string text;
  std::size_t chaos;
};

struct Kind {
  const char* victim;  // its keys
  std::vector<const char*> chaos;
  const char* expect;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      // It fails for ever, and its breaker opens.
      {"runs_for = { exponential = \"3s\" }\nthen = \"fail\"\nbackoff = { base = \"100ms\", max = \"5s\", breaker = { "
       "max_failures = 3, window = \"10min\" } }\n",
       {},
       "circuit_open = 0\n"},
      // A storm ends it, and it is not restarted.
      {"restart = \"never\"\n", {"storm = { of = \"victim\" }\n"}, "failed = 0\n"},
      // An outage makes it restart often.
      {"",
       {"outage = { of = [\"victim\", \"decoy-a\"], for = \"10min\" }\n"},
       "[[expect.fleet]]\nname = \"victim\"\nrestarts = { min = 0, max = 3 }\n"},
      // It does not stop.
      {"on_stop = \"ignore\"\n", {"shutdown = true\n"}, "abandoned = 0\n"},
      // Only two storms restart it twice.
      {"",
       {"storm = { of = \"victim\" }\n", "storm = { of = \"victim\", share = 1.0 }\n"},
       "[[expect.fleet]]\nname = \"victim\"\nrestarts = { min = 0, max = 1 }\n"}};
  return all;
}

// The victim among groups and chaos that have nothing to do with its failure.
Planted planted(std::uint64_t number) {
  Dice dice{number};
  const Kind& kind = kinds()[number % kinds().size()];
  const bool alone = number % kinds().size() == 4;
  std::vector<std::string> fleet{
      std::string{"[[fleet]]\nname = \"victim\"\n"} +
      (alone || dice.below(2) == 0 ? "" : "count = " + std::to_string(2 + dice.below(20)) + "\n") + kind.victim};
  fleet.push_back(
      "[[fleet]]\nname = \"decoy-a\"\nruns_for = { uniform = [\"1min\", \"20min\"] }\nthen = \"end\"\nrestart = "
      "\"always\"\n");
  for (std::uint64_t i = dice.below(5); i > 0; --i) {
    fleet.push_back("[[fleet]]\nname = \"decoy-b" + std::to_string(i) +
                    "\"\ncount = " + std::to_string(1 + dice.below(9)) + "\n");
  }
  std::rotate(fleet.begin(), fleet.begin() + static_cast<std::ptrdiff_t>(dice.below(fleet.size())), fleet.end());
  std::vector<std::string> chaos;
  std::uint64_t at = 1;
  for (const char* const one : kind.chaos)
    chaos.push_back("[[chaos]]\nat = \"" + std::to_string(at++) + "min\"\n" + one);
  for (std::uint64_t i = dice.below(6); i > 0; --i) {
    chaos.push_back("[[chaos]]\nat = \"" + std::to_string(1 + dice.below(20)) +
                    "min\"\nhang = { of = \"decoy-a\", for = \"" + std::to_string(1 + dice.below(100)) + "s\" }\n");
  }
  std::string text =
      "name = \"planted\"\nduration = \"30min\"\n[supervisor]\nshutdown_timeout = \"20s\"\nbackoff = { breaker = "
      "\"off\" }\n";
  for (const auto& one : fleet) text += one;
  for (const auto& one : chaos) text += one;
  return {text + (kind.expect[0] == '[' ? "" : "[expect]\n") + kind.expect, kind.chaos.size()};
}

}  // namespace

TEST_CASE("who interrupts does not wait for a run, be it the first or a later one, and gets the smallest so far") {
  // Each run of it takes some seconds.
  const std::string text =
      "name = \"busy\"\nduration = \"10min\"\n[supervisor]\nbackoff = { base = \"0s\", max = \"0s\", breaker = \"off\" "
      "}\n"
      "[[fleet]]\nname = \"a\"\ncount = 10\nruns_for = { exponential = \"6ms\" }\nthen = \"fail\"\n"
      "[[fleet]]\nname = \"b\"\n[expect]\nrestarts = { max = 9 }\nstarts = { max = 9 }\n";
  int asked = 0;
  const auto after = [&asked](int times) {
    return ShrinkOptions{.seed = Seed{7}, .interrupted = [&asked, times] { return ++asked > times; }};
  };
  CHECK_THROWS_WITH(shrink(text, "busy.toml", "", after(1)),
                    Contains("interrupted in the first run, of seed 7 itself"));
  CHECK(asked == 2);
  // A short scenario of the same kind: the first run asks nothing.
  std::string little = text;
  little.replace(little.find("10min"), 5, "100ms");
  asked = 0;
  const auto result = shrink(little, "little.toml", "", after(3));
  CHECK_FALSE(result.finished);
  CHECK(asked <= 6);
  CHECK(result.digest.size() == 32);
  CHECK_THAT(result.text, Contains("seed = 7"));
  CHECK(rehearses_to_a_failure(result.text));
  asked = 0;  // before anything is smaller: it is the scenario with its seed
  CHECK_THAT(shrink(little, "little.toml", "", after(0)).text, Contains("seed = 7"));
}

TEST_CASE("a failure comes down to what it takes, and nothing else is in the file") {
  const auto result = shrunk(R"(
name = "planted"
seed = 1
duration = "1h"
[supervisor]
shutdown_timeout = "10s"
backoff = { base = "1s", max = "2min", breaker = "off" }
[[fleet]]
name = "engine"
count = 12
on_stop = { takes = "2s" }
[[fleet]]
name = "victim"
count = 9
restart = "never"
on_stop = { takes = { exponential = "1s" } }
[[chaos]]
at = "7min"
hang = { of = "engine", for = "3min" }
[[chaos]]
at = "12min"
storm = { of = ["engine", "victim"] }
[[chaos]]
at = "50min"
shutdown = true
[expect]
failed = 0
terminated = { min = 0, max = 30 }
)");
  CHECK(result.text == R"(name = "planted"
seed = 7

[[fleet]]
name = "victim-0"
restart = "never"

[[chaos]]
at = "0s"
storm = {}

[expect]
failed = 0
)");
  CHECK(to_string(result.reason) == "expectation failed: too many");
  CHECK(result.says == "expected 0, found 1");
  CHECK(result.finished);
}

TEST_CASE("counts and times become as small and round as the failure allows, and their ranges are stated") {
  const auto result = shrunk(R"(
name = "planted"
duration = "1h"
[supervisor]
backoff = { base = "0s", max = "0s", breaker = "off" }
[[fleet]]
name = "victim"
runs_for = { exponential = "1s" }
then = "fail"
[expect]
restarts = { min = 0, max = 100 }
)");
  const auto scenario = parse_scenario(result.text, "x", "");
  CHECK(scenario.fleet.size() == 1);
  CHECK(result.ranges.size() >= 1);
  const auto file = shrunk_file(result, "storm.toml", Seed{7});
  CHECK(file.starts_with(
      "# Shrunk from storm.toml with seed 7 by \"holdfast shrink\".\n#\n# expectation restarts: too many\n"));
  CHECK(rehearse(parse_scenario(file, "x", "")).digest == result.digest);
}

TEST_CASE(
    "200 planted failures: nearly all come down to one service and the chaos that it takes, and stay themselves") {
  std::size_t smallest = 0;
  std::vector<std::uint64_t> runs;
  constexpr std::uint64_t kPlanted = HOLDFAST_SLOW_BUILD ? 10 : 200;
  for (std::uint64_t number = 0; number < kPlanted; ++number) {
    const auto plant = planted(number);
    const auto before = parse_scenario(plant.text, "test.toml", "");
    const auto reason = outcome_of(before, rehearse(before, {.seed = Seed{7}})).failures.at(0).reason;
    const auto result = shrunk(plant.text);
    runs.push_back(result.runs);
    CHECK(result.finished);
    CHECK(result.reason == reason);
    const auto after = parse_scenario(result.text, "test.toml", "");
    const auto outcome = outcome_of(after, rehearse(after));
    REQUIRE(outcome.failures.size() == 1);
    CHECK(outcome.failures[0].reason == reason);
    CHECK(outcome.digest == result.digest);
    const bool is_smallest = roster_of(after).services() == 1 && after.chaos.size() == plant.chaos;
    smallest += is_smallest;
    if (!is_smallest) UNSCOPED_INFO(number << ":\n" << result.text);
  }
  CHECK(smallest * 100 >= kPlanted * 95);
  std::sort(runs.begin(), runs.end());
  CHECK(runs[runs.size() / 2] <= 500);
}

TEST_CASE("shrinking what was shrunk changes nothing") {
  for (std::uint64_t number = 0; number < 25; ++number) {
    const auto once = shrunk(planted(number).text);
    CHECK(shrunk(once.text).text == once.text);
    CHECK(shrunk(shrunk_file(once, "x", Seed{7})).text == once.text);
  }
}

TEST_CASE("it never slips to another failure, however easy that one is") {
  // Eight restarts are too many. That they are too few is far easier, and so is that nobody completes.
  const std::string text = R"(
name = "two failures"
duration = "1h"
[[fleet]]
name = "feed"
count = 4
[[chaos]]
at = "10min"
storm = {}
[[chaos]]
at = "20min"
storm = {}
[expect]
restarts = { min = 5, max = 6 }
completed = { min = 1, max = 9 }
)";
  const auto result = shrunk(text);
  CHECK(to_string(result.reason) == "expectation restarts: too many");
  CHECK_THAT(result.text, !Contains("completed"));
  CHECK(parse_scenario(result.text, "x", "").chaos.size() == 2);
}

TEST_CASE("where too little happened, no service and no time is taken away") {
  const auto result = shrunk(R"(
name = "too few"
duration = "1h"
[[fleet]]
name = "feed"
count = 4
runs_for = "30min"
then = "fail"
[[fleet]]
name = "engine"
on_stop = "ignore"
[expect]
restarts = { min = 50, max = 60 }
)");
  const auto scenario = parse_scenario(result.text, "x", "");
  CHECK(roster_of(scenario).services() == 5);
  CHECK(scenario.duration == std::chrono::hours{1});
  CHECK_THAT(result.text, !Contains("on_stop"));
}

TEST_CASE("a seed that holds, and one that no file can say, is refused") {
  const std::string text = "name = \"x\"\nduration = \"1s\"\n[[fleet]]\nname = \"feed\"\n";
  CHECK_THROWS_WITH(shrunk(text), Contains("test.toml: seed 7 holds"));
  CHECK_THROWS_WITH(shrunk(text, UINT64_MAX), Contains("cannot stand in a file"));
}

TEST_CASE("a budget of runs ends it with what there is, which still fails") {
  const auto result = shrink(planted(3).text, "test.toml", "", {.seed = Seed{7}, .runs_max = 5});
  CHECK_FALSE(result.finished);
  CHECK(result.runs == 7);  // and twice to be sure
  CHECK_THAT(shrunk_file(result, "x", Seed{7}), Contains("cut short"));
  CHECK(outcome_of(parse_scenario(result.text, "x", ""), rehearse(parse_scenario(result.text, "x", "")))
            .failures.size() == 1);
}

TEST_CASE("a law that a scenario breaks is broken by the smallest one that can be found") {
  const std::string text =
      "name = \"x\"\nseed = 9\nduration = \"1h\"\n[[fleet]]\nname = \"a\"\ncount = 40\nruns_for = \"7min\"\nthen = "
      "\"fail\"\n"
      "[[fleet]]\nname = \"b\"\n[[chaos]]\nat = \"5min\"\noutage = { of = \"b\", for = \"2min\" }\n[[chaos]]\nat = "
      "\"6min\"\nstorm = {}\n";
  const auto few = [](const Scenario& scenario) {
    std::uint64_t services = 0;
    for (const auto& group : scenario.fleet) services += group.size();
    return services < 5;
  };
  const auto smallest = smallest_breaker(text, few);
  CHECK(smallest.finished);
  CHECK(smallest.text == "name = \"x\"\n\n[[fleet]]\nname = \"a\"\ncount = 5\n");
  CHECK_THROWS_AS(smallest_breaker(smallest.text, [](const Scenario&) { return true; }), NothingToShrink);
  CHECK_FALSE(smallest_breaker(text, few, {.runs_max = 2}).finished);
}

TEST_CASE("for a corpus nothing gets worse: policies, life times and what failing takes stay, and faults get weaker") {
  const std::string text =
      "name = \"x\"\nduration = \"1h\"\n[supervisor]\nbackoff = { base = \"1s\", max = \"30s\" }\n[[fleet]]\nname = "
      "\"victim\"\ncount = 5\nrestart = \"always\"\nruns_for = { exponential = \"10min\" }\nthen = "
      "\"fail\"\n[[chaos]]\nat = "
      "\"7min\"\noutage = { for = \"9min\", fails_after = \"20ms\" }\n[expect]\ncircuit_open = 0\n";
  const auto weaker = shrink(text, "test.toml", "", {.seed = Seed{7}, .only_weaker = true});
  CHECK_THAT(weaker.text, Contains("backoff = { base = \"1s\", max = \"30s\" }"));
  CHECK_THAT(weaker.text, Contains("restart = \"always\""));
  CHECK_THAT(weaker.text, Contains("fails_after = \"20ms\""));
  CHECK_THAT(weaker.text, !Contains("count") && !Contains("runs_for = \"0s\"") && !Contains("9min"));
  CHECK(shrink(weaker.text, "test.toml", "", {.seed = Seed{7}, .only_weaker = true}).text == weaker.text);
  // Otherwise it becomes an outage that the default policy does not survive.
  CHECK_THAT(shrunk(text).text, !Contains("backoff") && !Contains("runs_for"));
}

TEST_CASE("of an outage that fails some of the starts as few fail as it takes") {
  const std::string text = R"(name = "partial"
duration = "20min"
[supervisor]
backoff = { base = "0s", max = "0s", breaker = "off" }
[[fleet]]
name = "s"
restart = "always"
runs_for = "1s"
then = "end"
[[chaos]]
at = "0s"
outage = { for = "10min", mode = "refusing", failing_starts = 0.9 }
[expect]
failures = { max = 10 }
)";
  const auto weaker = shrink(text, "test.toml", "", {.seed = Seed{7}, .only_weaker = true});
  const auto outage = std::get<Outage>(parse_scenario(weaker.text, "test.toml", "").chaos[0].what);
  CHECK(outage.failing_starts == Ratio::from(0.05));  // of 600 starts
  CHECK(outage.mode == OutageMode::refusing);
}

TEST_CASE("of several ends the one stays that it takes") {
  const auto smallest = shrunk(
      "name = \"x\"\nduration = \"1h\"\n[[fleet]]\nname = \"victim\"\ncount = 30\nruns_for = \"10min\"\n"
      "then = { end = 0.4, fail = 0.4, fatal = 0.2 }\n[expect]\nfailed = 0\n");
  CHECK_THAT(smallest.text, Contains("then = \"fatal\""));
}

}  // namespace holdfast::shrink_test
