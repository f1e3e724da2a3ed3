// What the runs of many seeds come to together: every number here is worked out by hand.
#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/present/sweep_text.hpp>
#include <holdfast_sim/search/sweep.hpp>

namespace holdfast::seed_sweep_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;
using Kind = FailureReason::Kind;

namespace {

SeedOutcome held(std::uint64_t seed, std::uint32_t availability, std::uint64_t restarts) {
  SeedOutcome outcome{.seed = seed, .digest = "00112233445566778899aabbccddeeff"};
  outcome.figures[static_cast<std::size_t>(SeedFigure::availability)] = availability;
  outcome.figures[static_cast<std::size_t>(SeedFigure::restarts)] = restarts;
  return outcome;
}

SeedOutcome violated(std::uint64_t seed, std::vector<SeedFailure> failures) {
  auto outcome = held(seed, 900'000, 7);
  outcome.verdict = RehearsalVerdict::violated;
  outcome.failures = std::move(failures);
  return outcome;
}

const SeedFailure kTooMany{{Kind::expectation, "restarts", "too many"}, "expected 0, found 7"};
const SeedFailure kLate{{Kind::rule, "stops_when_asked", "feed"}, "feed-3 at 5s: it did not"};

std::vector<SeedOutcome> five() {
  return {held(1, 1'000'000, 0), violated(2, {kLate, kTooMany}), held(3, 999'999, 2), violated(4, {kTooMany}),
          held(5, 999'998, 1)};
}

Sweep sweep_of(const std::vector<SeedOutcome>& outcomes) {
  Sweep sweep;
  for (const auto& outcome : outcomes) sweep.add(outcome);
  return sweep;
}

const SweepPlan kPlan{.file = "my fleet.toml",
                      .settings = {"fleet.feed.count=2"},
                      .scenario = "small",
                      .expectations = {"restarts", "configuration"},
                      .seeds = {1, 5}};

RehearsalResult result_of(const std::string& text, std::uint64_t seed = 1) {
  return rehearse(parse_scenario(text, "test", ""), {.seed = Seed{seed}});
}

const std::string kTwoMissed = R"(
name = "two are missed"
duration = "1h"
[[fleet]]
name = "feed"
runs_for = "10min"
then = "fail"
[[chaos]]
at = "59min"
shutdown = true
[expect]
restarts = 0
spawned = { min = 5, max = 9 }
starts = { min = 1, max = 100 }
)";

}  // namespace

TEST_CASE("a sweep counts its runs by verdict, and its failures by reason with the smallest seed of each") {
  const auto sweep = sweep_of(five());
  CHECK(sweep.runs() == 5);
  CHECK(sweep.runs_of(RehearsalVerdict::held) == 3);
  CHECK(sweep.runs_of(RehearsalVerdict::violated) == 2);
  CHECK(sweep.first_violated() == 2U);
  const auto groups = sweep.failures();
  REQUIRE(groups.size() == 2);
  CHECK(to_string(groups[0].reason) == "expectation restarts: too many");
  CHECK(groups[0].count == 2);
  CHECK(groups[0].smallest_seed == 2);
  CHECK(to_string(groups[1].reason) == "rule stops_when_asked: feed");
  CHECK(groups[1].count == 1);
  CHECK(groups[1].says == "feed-3 at 5s: it did not");
}

TEST_CASE("a sweep in which something was never seen that some run has to show is vacuous") {
  SweepPlan plan = kPlan;
  plan.expectations = {"property.storm", "property.hang", "configuration"};
  plan.sometimes = {"property.storm", "property.hang"};
  auto outcomes = std::vector{held(1, 1'000'000, 0), held(2, 1'000'000, 0), held(3, 1'000'000, 0)};
  for (auto& outcome : outcomes) outcome.seen = "00";
  outcomes[1].seen = "10";
  const auto sweep = sweep_of(outcomes);
  CHECK(sweep.seen(0) == 1);
  CHECK(sweep.seen(1) == 0);
  CHECK(never_seen(plan, sweep) == std::vector<std::string>{"property.hang"});
  const SweepSummary whole{plan, sweep};
  CHECK(is_vacuous(whole));
  CHECK_FALSE(is_vacuous({plan, sweep, SweepSummary::End::interrupted}));
  const auto text = sweep_text(whole);
  CHECK(text.find("vacuous: in 3 runs never property.hang; what else held proves nothing") != std::string::npos);
  CHECK(text.find("held: ") == std::string::npos);
  CHECK(text.find("property.storm  in 1 run\n") != std::string::npos);
  const auto json = sweep_json(whole);
  CHECK(json.find(R"("sometimes":[{"what":"property.storm","runs":1},{"what":"property.hang","runs":0}])") !=
        std::string::npos);
  CHECK(json.find(R"("vacuous":true)") != std::string::npos);
  CHECK(json.find(R"("failing_at_most_ppm":null)") != std::string::npos);
  CHECK(sweep_junit({whole}).find("name=\"expectation property.hang\">\n      <failure message=\"seen in none of 3 "
                                  "seeds\"/>") != std::string::npos);

  outcomes[0].seen = "01";
  const auto other = sweep_of(outcomes);
  CHECK_FALSE(is_vacuous({plan, other}));
  CHECK(sweep_text({plan, other}).find("held: ") != std::string::npos);
}

TEST_CASE("what a run has seen comes from its properties") {
  const std::string text = R"(
name = "seen"
duration = "1h"
[[fleet]]
name = "feed"
runs_for = "10min"
then = "fail"
[[expect.property]]
name = "down"
sometimes = { running = 0 }
[[expect.property]]
name = "up"
always = { lost = 0 }
[[expect.property]]
name = "lost"
sometimes = { lost = 1 }
)";
  const auto scenario = parse_scenario(text, "test", "");
  CHECK(sometimes_names(scenario) == std::vector<std::string>{"property.down", "property.lost"});
  const auto outcome = outcome_of(scenario, rehearse(scenario));
  CHECK(outcome.held());
  CHECK(outcome.seen == "10");
}

TEST_CASE("a reason shows what its smallest seed says, whichever seed comes first") {
  const auto saying = [](std::uint64_t seed, const char* says) {
    auto failure = kTooMany;
    failure.says = says;
    return violated(seed, {failure});
  };
  for (const auto& outcomes : {std::vector{saying(3, "three"), saying(2, "two"), saying(4, "four")},
                               std::vector{saying(2, "two"), saying(4, "four"), saying(3, "three")}}) {
    const auto groups = sweep_of(outcomes).failures();
    REQUIRE(groups.size() == 1);
    CHECK(groups[0].smallest_seed == 2);
    CHECK(groups[0].says == "two");
  }
}

TEST_CASE("one cause more is another reason") {
  auto few = kTooMany;
  few.reason.cause = "too few";
  CHECK(sweep_of({violated(1, {kTooMany}), violated(2, {few})}).failures().size() == 2);
}

TEST_CASE("percentiles go from the best seed to the worst, and the worst seeds are named") {
  const auto sweep = sweep_of(five());
  const Spread& availability = sweep.spread(SeedFigure::availability);  // 900 000 twice
  CHECK(availability.best() == 1'000'000);
  CHECK(availability.not_worse(20) == 1'000'000);
  CHECK(availability.not_worse(50) == 999'998);
  CHECK(availability.not_worse(60) == 999'998);
  CHECK(availability.not_worse(61) == 900'000);
  CHECK(availability.worst() == 900'000);
  REQUIRE(availability.worst_seeds().size() == 5);
  CHECK(availability.worst_seeds()[0].seed == 2);
  CHECK(availability.worst_seeds()[1].seed == 4);
  CHECK(availability.worst_seeds()[2].seed == 5);
  const Spread& restarts = sweep.spread(SeedFigure::restarts);  // 0 1 2 7 7
  CHECK(restarts.best() == 0);
  CHECK(restarts.not_worse(50) == 2);
  CHECK(restarts.not_worse(60) == 2);
  CHECK(restarts.not_worse(61) == 7);
  CHECK(sweep.spread(SeedFigure::drain).count() == 0);
}

TEST_CASE("the five worst seeds are kept, whichever come first") {
  for (const bool backwards : {false, true}) {
    Sweep sweep;
    for (std::uint64_t i = 1; i <= 12; ++i) {
      const std::uint64_t seed = backwards ? 13 - i : i;
      sweep.add(held(seed, 900'000 + static_cast<std::uint32_t>(seed % 6), seed % 6));
    }
    const auto seeds_of = [&](SeedFigure which) {
      std::vector<std::uint64_t> seeds;
      for (const auto& worst : sweep.spread(which).worst_seeds()) seeds.push_back(worst.seed);
      return seeds;
    };
    CHECK(seeds_of(SeedFigure::restarts) == std::vector<std::uint64_t>{5, 11, 4, 10, 3});
    CHECK(seeds_of(SeedFigure::availability) == std::vector<std::uint64_t>{6, 12, 1, 7, 2});
    CHECK(sweep.spread(SeedFigure::restarts).worst_seeds()[4].value == 3);
  }
}

TEST_CASE("a sweep does not depend on the order of its seeds") {
  auto outcomes = five();
  const auto text = [&] {
    const auto sweep = sweep_of(outcomes);
    return sweep_text({kPlan, sweep}) + sweep_json({kPlan, sweep}) + sweep_junit({{kPlan, sweep}});
  };
  const auto by_seed = [](const auto& a, const auto& b) { return a.seed < b.seed; };
  const auto expected = text();
  while (std::next_permutation(outcomes.begin(), outcomes.end(), by_seed)) {
    const bool same = text() == expected;
    REQUIRE(same);
  }
}

TEST_CASE("the digest of a sweep knows which seed had which digest") {
  auto outcomes = five();
  outcomes[0].digest = "ffeeddccbbaa99887766554433221100";
  const auto before = sweep_of(outcomes).digest();
  std::swap(outcomes[0].digest, outcomes[1].digest);
  CHECK(sweep_of(outcomes).digest() != before);
  std::swap(outcomes[0].digest, outcomes[1].digest);
  CHECK(sweep_of(outcomes).digest() == before);
}

TEST_CASE("a sweep without a failure bounds the share of all seeds that fail by 3/n, rounded up") {
  Sweep sweep;
  CHECK_FALSE(sweep.failing_at_most_ppm());
  for (std::uint64_t seed = 1; seed <= 7; ++seed) {
    sweep.add(held(seed, 1'000'000, 0));
    CHECK(sweep.failing_at_most_ppm() ==
          std::vector<std::uint32_t>{1'000'000, 1'000'000, 1'000'000, 750'000, 600'000, 500'000, 428'572}[seed - 1]);
  }
  sweep.add(violated(8, {kTooMany}));
  CHECK_FALSE(sweep.failing_at_most_ppm());
}

TEST_CASE("the text of a sweep says what failed and how it is repeated") {
  const auto sweep = sweep_of(five());
  CHECK(sweep_text({kPlan, sweep}) == R"(small
seeds 1 to 5 · 5 runs · with fleet.feed.count=2

  held           3  (60 %)
  violated       2  (40 %)
  out of budget  0

failures
  2 seeds  expectation restarts: too many
    seed 2: expected 0, found 7
    holdfast run 'my fleet.toml' --seed 2 --set fleet.feed.count=2
    holdfast explain 'my fleet.toml' --seed 2 --set fleet.feed.count=2
  1 seed  rule stops_when_asked: feed
    seed 2: feed-3 at 5s: it did not
    holdfast run 'my fleet.toml' --seed 2 --set fleet.feed.count=2
    holdfast explain 'my fleet.toml' --seed 2 --set fleet.feed.count=2

over the seeds
                 best     median  90 %  99 %  worst  worst seeds
  availability  100 %  99.9998 %  90 %  90 %   90 %  2, 4, 5
  restarts          0          2     7     7      7  2, 4, 3
  90 % of the seeds were not worse than …

digest )" + sweep.digest() + R"(
violated: 2 of 5 seeds did not hold
)");
}

TEST_CASE("a sweep that held says what that proves, and an interrupted one how far it came") {
  Sweep sweep;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) sweep.add(held(seed, 1'000'000, 0));
  const auto text = sweep_text({kPlan, sweep, SweepSummary::End::interrupted});
  CHECK(text.find("held: all 4 seeds; with 95 % confidence at most 75 % of all seeds fail (3/n)\n") != text.npos);
  CHECK(text.find("interrupted: this is what there is so far, 4 of 5 seeds\n") != text.npos);
}

TEST_CASE("three seeds prove next to nothing, four a little") {
  Sweep sweep;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) sweep.add(held(seed, 1'000'000, 0));
  CHECK(sweep_text({kPlan, sweep}).find("held: 3 seeds, which prove next to nothing\n") != std::string::npos);
  sweep.add(held(4, 1'000'000, 0));
  CHECK(sweep_text({kPlan, sweep}).find("held: all 4 seeds; with 95 % confidence at most 75 %") != std::string::npos);
}

TEST_CASE("of more than twenty reasons the first twenty are shown, and how many more there are") {
  const auto reasons = [](int count) {
    std::vector<SeedFailure> failures;
    for (int i = 0; i < count; ++i) {
      failures.push_back({{Kind::expectation, "restarts", "cause " + std::to_string(100 + i)}, "says"});
    }
    return sweep_text({kPlan, sweep_of({violated(1, failures)})});
  };
  CHECK(reasons(20).find("cause 119\n") != std::string::npos);
  CHECK(reasons(20).find(" more are in the JSON") == std::string::npos);
  CHECK(reasons(22).find("cause 119\n") != std::string::npos);
  CHECK(reasons(22).find("cause 120\n") == std::string::npos);
  CHECK(reasons(22).find("  and 2 reasons more are in the JSON\n") != std::string::npos);
}

TEST_CASE("the command that repeats a failure can be copied into a shell, whatever the file is called") {
  auto plan = kPlan;
  plan.settings.clear();
  const auto command = [&](const std::string& file) {
    plan.file = file;
    return repeat_command(plan, 7);
  };
  CHECK(command("a/b-c_1.toml") == "holdfast run a/b-c_1.toml --seed 7");
  CHECK(command("it's.toml") == R"(holdfast run 'it'\''s.toml' --seed 7)");
  CHECK(command("$HOME") == "holdfast run '$HOME' --seed 7");
  CHECK(command("") == "holdfast run '' --seed 7");
}

TEST_CASE("a line of a seed has all that is wrong with it") {
  CHECK(
      seed_line(five()[1]) ==
      "2 violated 00112233445566778899aabbccddeeff  stops_when_asked: feed-3 at 5s: it did not; restarts: expected 0, "
      "found 7\n");
  CHECK(seed_line(five()[0]) == "1 held 00112233445566778899aabbccddeeff\n");
}

TEST_CASE("JUnit has a test for each rule and each expectation, and XML's own letters are escaped") {
  auto plan = kPlan;
  plan.scenario = R"(a "fleet" <&>)";
  const auto sweep = sweep_of(five());
  const auto xml = sweep_junit({{plan, sweep, SweepSummary::End::interrupted}});
  // The rules, 2 expectations, a stall, 2 budgets, and the interruption.
  const auto counts = " tests=\"" + std::to_string(kRuleCount + 6) + R"(" failures="2" errors="1">)";
  CHECK(xml.find("<testsuites name=\"holdfast sweep\"" + counts) != xml.npos);
  CHECK(xml.find(R"(<testsuite name="a &quot;fleet&quot; &lt;&amp;&gt;")" + counts) != xml.npos);
  CHECK(xml.find(R"(<testcase classname="my fleet.toml" name="expectation configuration"/>)") != xml.npos);
  CHECK(xml.find(R"(<failure message="2 of 5 seeds: expectation restarts: too many">)") != xml.npos);
  CHECK(xml.find(R"(<error message="interrupted after 5 of 5 seeds"/>)") != xml.npos);
}

TEST_CASE("progress says how far a sweep is, how fast, and how long it still takes") {
  const SweepProgress progress{.done = 4'200, .of = 10'000, .not_held = 3, .wall = 10s};
  const std::string words = "42 %  4 200 of 10 000 seeds, 3 did not hold, 420 a second, 13.8s left";
  CHECK(progress_text(progress) == "████████░░░░░░░░░░░░ " + words);
  CHECK(progress_text(progress, words.size() + 11) == "████░░░░░░ " + words);
  CHECK(progress_text(progress, words.size() + 5) == words);
  CHECK(progress_text({.done = 0, .of = 10}, 20) == "0 %  0 of 10 seeds");
  CHECK(progress_text({.done = 10, .of = 10, .wall = 1s}, 0) == "100 %  10 of 10 seeds, 10.0 a second, 0s left");
}

TEST_CASE("what stood in a ledger took no time, and does not count for the rate") {
  const SweepProgress progress{.done = 9'000, .done_before = 8'900, .of = 10'000, .wall = 10s};
  CHECK(progress_text(progress, 0) == "90 %  9 000 of 10 000 seeds, 10.0 a second, 1min40s left");
}

TEST_CASE("the table of a sweep names as many of the worst seeds as it has room for") {
  const auto sweep = sweep_of(five());
  CHECK(sweep_text({kPlan, sweep}, {.width = 100}).find("worst  worst seeds\n") != std::string::npos);
  CHECK(sweep_text({kPlan, sweep}, {.width = 100}).find("90 %  2, 4, 5\n") != std::string::npos);
  CHECK(sweep_text({kPlan, sweep}, {.width = 60}).find("worst  seed\n") != std::string::npos);
  CHECK(sweep_text({kPlan, sweep}, {.width = 60}).find("90 %  2\n") != std::string::npos);
  CHECK(sweep_text({kPlan, sweep}, {.width = 40}).find("worst seed") == std::string::npos);
}

TEST_CASE("an outcome has every expectation that was missed, and in which way") {
  const auto scenario = parse_scenario(kTwoMissed, "test", "");
  const auto outcome = outcome_of(scenario, result_of(kTwoMissed));
  CHECK(outcome.verdict == RehearsalVerdict::violated);
  REQUIRE(outcome.failures.size() == 2);
  CHECK(to_string(outcome.failures[0].reason) == "expectation spawned: too few");
  CHECK(to_string(outcome.failures[1].reason) == "expectation restarts: too many");
  CHECK(outcome.failures[1].says == "expected 0, found 5");
  CHECK(outcome.figure(SeedFigure::restarts) == 5U);
  CHECK(outcome.figure(SeedFigure::lost) == 0U);
  CHECK(outcome.figure(SeedFigure::drain) == 0U);
  CHECK(outcome.figure(SeedFigure::slowest_recovery).has_value());
  CHECK(expectation_names(scenario) == std::vector<std::string>{"spawned", "starts", "restarts", "configuration"});
}

TEST_CASE("a broken rule is of the group whose service broke it first, and each reason counts once") {
  auto scenario = parse_scenario(kTwoMissed, "test", "");
  scenario.fleet[0].count = 3;
  RehearsalResult result{.seed = {7}, .digest = "d"};
  result.violations = {{Rule::stops_when_asked, "feed-2", TimePoint{} + 5s, "it did not", {}},
                       {Rule::stops_when_asked, "feed-1", TimePoint{} + 6s, "nor did it", {}},
                       {Rule::shuts_down_once, "", TimePoint{} + 7s, "twice", {}},
                       {Rule::stops_when_asked, "stranger", TimePoint{} + 8s, "nor did this", {}}};
  const auto outcome = outcome_of(scenario, result);
  REQUIRE(outcome.failures.size() == 3);
  CHECK(to_string(outcome.failures[0].reason) == "rule stops_when_asked: feed");
  CHECK(outcome.failures[0].says == "feed-2 at 5s: it did not");
  CHECK(to_string(outcome.failures[1].reason) == "rule shuts_down_once: the supervisor");
  CHECK(to_string(outcome.failures[2].reason) == "rule stops_when_asked: stranger");
}

TEST_CASE("a broken rule of which no violation was kept is a reason as well") {
  const auto scenario = parse_scenario(kTwoMissed, "test", "");
  RehearsalResult result{.seed = {7}, .digest = "d"};
  result.violations = {{Rule::stops_when_asked, "feed", TimePoint{} + 5s, "it did not", {}}};
  result.rules = {{Rule::stops_when_asked, 9, 5}, {Rule::shuts_down_once, 9, 3}, {Rule::last_error_is_kept, 9, 0}};
  const auto outcome = outcome_of(scenario, result);
  REQUIRE(outcome.failures.size() == 2);
  CHECK(to_string(outcome.failures[1].reason) == "rule shuts_down_once");
  CHECK(outcome.failures[1].says == "violated 3 times");
}

TEST_CASE("each figure of a seed is the report's") {
  const auto scenario = parse_scenario(kTwoMissed, "test", "");
  RehearsalResult result{.seed = {7}, .digest = "d"};
  const auto figure = [&](SeedFigure which) { return outcome_of(scenario, result).figure(which); };
  CHECK_FALSE(figure(SeedFigure::slowest_recovery));
  CHECK_FALSE(figure(SeedFigure::drain));
  result.report.losses.count = 7;
  result.report.fleet.restarts = 9;
  CHECK(figure(SeedFigure::lost) == 7U);
  CHECK(figure(SeedFigure::restarts) == 9U);
  result.report.after_outages.lost = 1;
  result.report.after_outages.waiting = 2;
  result.report.after_failures.lost = 4;
  result.report.after_failures.waiting = 8;
  CHECK(figure(SeedFigure::never_recovered) == 15U);
  result.report.after_outages.count = 1;
  result.report.after_outages.max = 5ns;
  result.report.after_failures.max = 9ns;  // of none
  CHECK(figure(SeedFigure::slowest_recovery) == 5U);
  result.report.after_failures.count = 1;
  CHECK(figure(SeedFigure::slowest_recovery) == 9U);
  result.report.after_outages.max = 11ns;
  CHECK(figure(SeedFigure::slowest_recovery) == 11U);
  result.report.shutdown_at = TimePoint{100};
  CHECK_FALSE(figure(SeedFigure::drain));
  result.report.drained_at = TimePoint{130};
  CHECK(figure(SeedFigure::drain) == 30U);
}

TEST_CASE("expectations do not judge a run that was cut off, and a stall names the services that wait") {
  const auto cut = kTwoMissed + "[budget]\nevents = 2\n";
  const auto outcome = outcome_of(parse_scenario(cut, "test", ""), result_of(cut));
  REQUIRE(outcome.failures.size() == 1);
  CHECK(to_string(outcome.failures[0].reason) == "budget events_budget");
  const std::string stalls = "name = \"stalled\"\n[[fleet]]\nname = \"sleeper\"\ncount = 12\n";
  const auto stalled = outcome_of(parse_scenario(stalls, "test", ""), result_of(stalls));
  REQUIRE(stalled.failures.size() == 1);
  CHECK(to_string(stalled.failures[0].reason) == "stalled: running");
  CHECK(stalled.failures[0].says == "at 0s: 12 still waited");
  const std::string missed = stalls + "[expect]\nspawned = 3\n";
  const auto both = outcome_of(parse_scenario(missed, "test", ""), result_of(missed));
  REQUIRE(both.failures.size() == 2);
  CHECK(to_string(both.failures[1].reason) == "expectation spawned: too many");
}

TEST_CASE("a run without history has the same report but for its buckets") {
  for (const std::string& text : {kTwoMissed, kTwoMissed + "[budget]\nevents = 3\n"}) {
    const auto scenario = parse_scenario(text, "test", "");
    auto with = rehearse(scenario, {.seed = Seed{7}});
    auto without = rehearse(scenario, {.seed = Seed{7}, .with_history = false});
    CHECK_FALSE(with.report.history.buckets.empty());
    CHECK(without.report.history.buckets.empty());
    CHECK(without.report.history.length == with.report.history.length);
    CHECK(outcome_of(scenario, without) == outcome_of(scenario, with));
    with.report.history = without.report.history = {};
    CHECK(report_json(without) == report_json(with));
  }
}

}  // namespace holdfast::seed_sweep_test
