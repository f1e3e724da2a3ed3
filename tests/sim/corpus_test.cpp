// The corpus: what is counted and kept, its index as text, and what becomes of a kept file.
#include <catch2/catch.hpp>

#include <cstdint>
#include <string>

#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/present/sweep_text.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/search/corpus.hpp>

namespace holdfast::corpus_test {

using namespace holdfast::sim;
using Catch::Matchers::Contains;
using Status = CorpusVerdict::Status;

namespace {

const FailureReason kTooMany{FailureReason::Kind::expectation, "circuit_open", "too many"};
const FailureReason kRule{FailureReason::Kind::rule, "stops_when_asked", "feed"};

SeedOutcome failed(std::uint64_t seed, const std::vector<FailureReason>& reasons) {
  SeedOutcome outcome{.seed = seed, .verdict = RehearsalVerdict::violated};
  for (const auto& reason : reasons) outcome.failures.push_back({reason, "seed " + std::to_string(seed)});
  return outcome;
}

Scenario scenario(const std::string& text) { return parse_scenario(text, "test.toml", ""); }

// An outage that a default breaker does not survive.
const std::string kOutage =
    "name = \"cluster\"\nseed = 1\n[[fleet]]\nname = \"cache-3\"\n[[chaos]]\nat = \"0s\"\noutage = { for = \"1min\" }\n"
    "[expect]\ncircuit_open = 0\n";

CorpusVerdict judged(const Scenario& kept, KeptFailure file = {.file = "x.toml", .chaos = true, .failures = true}) {
  return judge(kept, {.scenario = "cluster", .reason = kTooMany}, file).value();
}

}  // namespace

TEST_CASE("a run counts under each of its reasons, and one that held under none") {
  Corpus corpus;
  corpus.count("cluster", "f", failed(1, {kTooMany, kRule}));
  corpus.count("cluster", "f", failed(2, {kTooMany}));
  corpus.count("cluster", "f", {.seed = 3});
  REQUIRE(corpus.reasons().size() == 2);
  CHECK(corpus.reasons()[0].reason == kRule);
  CHECK(corpus.reasons()[0].runs == 1);
  CHECK(corpus.reasons()[1].reason == kTooMany);
  CHECK(corpus.reasons()[1].runs == 2);
}

TEST_CASE("a seed that is swept again counts once, and anew when its scenario has changed") {
  Corpus corpus;
  const auto runs = [&] { return corpus.reasons().front().runs; };
  corpus.count("cluster", "f", failed(5, {kTooMany}));
  corpus.close("cluster", "f", {1, 5});
  corpus.count("cluster", "f", failed(5, {kTooMany}));
  CHECK(runs() == 1);
  corpus.count("cluster", "f", failed(6, {kTooMany}));
  CHECK(runs() == 2);
  corpus.count("another", "f", failed(5, {kRule}));
  CHECK(corpus.reasons().front().scenario == "another");
  corpus.close("cluster", "g", {1, 2});
  corpus.count("cluster", "g", failed(5, {kTooMany}));
  CHECK(corpus.reasons().back().runs == 3);
  corpus.count("cluster", "f", failed(5, {kTooMany}));  // it has been changed back
  CHECK(corpus.reasons().back().runs == 3);
}

TEST_CASE("ranges of seeds that touch or overlap become one, and others stay apart") {
  Corpus corpus;
  for (const SeedRange range : {SeedRange{10, 20}, {1, 3}, {21, 30}, {15, 18}, {5, 5}}) corpus.close("c", "f", range);
  CHECK(corpus.counted().front().ranges == std::vector<SeedRange>{{1, 3}, {5, 5}, {10, 30}});
  corpus.close("c", "f", {0, UINT64_MAX - 1});
  CHECK(corpus.counted().front().ranges == std::vector<SeedRange>{{0, UINT64_MAX - 1}});
}

TEST_CASE("a reason has three files at most, each of another seed, and its runs stay counted without them") {
  Corpus corpus;
  corpus.count("cluster", "f", failed(1, {kTooMany}));
  for (const std::uint64_t seed : {9U, 1U, 4U}) {
    REQUIRE(corpus.has_room("cluster", kTooMany, seed));
    corpus.keep("cluster", kTooMany, {.file = std::to_string(seed), .seed = seed});
    CHECK_FALSE(corpus.has_room("cluster", kTooMany, seed));
  }
  CHECK_FALSE(corpus.has_room("cluster", kTooMany, 5));
  CHECK(corpus.has_room("cluster", kRule, 5));
  CHECK(corpus.has_room("another", kTooMany, 5));
  CHECK(corpus.reasons().front().kept.front().file == "1");
  corpus.forget_if([](const KeptFailure& kept) { return kept.seed == 4; });
  CHECK(corpus.has_room("cluster", kTooMany, 5));
  CHECK(corpus.reasons().front().runs == 1);
}

TEST_CASE("an index reads back as it was written") {
  Corpus corpus;
  corpus.count("b \"x\"", "f", failed(1, {kTooMany, kRule}));
  corpus.count("a", "g", failed(UINT64_MAX, {{FailureReason::Kind::stalled, "", "running"}}));
  corpus.count("a", "g", failed(7, {{FailureReason::Kind::budget, "events_budget", ""}}));
  corpus.keep("a", {FailureReason::Kind::stalled, "", "running"}, {"x.toml", UINT64_MAX, true, false});
  corpus.close("a", "g", {7, 9});
  corpus.close("a", "g", {20, UINT64_MAX});
  CHECK(Corpus::parse(corpus.text()) == corpus);
  CHECK(Corpus::parse(Corpus{}.text()) == Corpus{});
}

TEST_CASE("a broken index is refused with its line") {
  const std::string head = Corpus{}.text();
  const auto says = [](const std::string& text) -> std::string {
    try {
      (void)Corpus::parse(text);
    } catch (const BadCorpus& bad) {
      return bad.what();
    }
    return "";
  };
  CHECK(says("{\"kind\":\"ledger\",\"version\":1}\n") == "line 1 is not the head of a corpus");
  CHECK_THAT(says("{\"kind\":\"corpus\",\"version\":2}\n"), Contains("this holdfast reads version 1"));
  CHECK_THAT(says("x\n"), Contains("line 1 is not what"));
  CHECK(says(head + "{\"kind\":\"other\"}\n") == "line 2 is of a kind that there is not");
  CHECK_THAT(says(head + "{\"kind\":\"counted\",\"scenario\":\"a\",\"fingerprint\":\"f\",\"seeds\":[[2,1]]}\n"),
             Contains("line 2 has a range of seeds that ends first"));
  CHECK_THAT(says(head + "{\"kind\":\"reason\",\"scenario\":\"a\",\"reason\":\"rule\",\"what\":\"\",\"cause\":\"\","
                         "\"runs\":1,\"files\":[{\"file\":\"../x\",\"seed\":1,\"chaos\":true,\"failures\":true}]}\n"),
             Contains("line 2 names a file that is not in the folder"));
  CHECK_THAT(says(head + "{\"kind\":\"reason\",\"scenario\":\"a\",\"reason\":\"luck\",\"what\":\"\",\"cause\":\"\","
                         "\"runs\":1,\"files\":[]}\n"),
             Contains("line 2 has a kind of reason that there is not"));
}

TEST_CASE("the name of a kept file has plain letters, whatever the scenario is called") {
  CHECK(kept_file_name("failure storm", kTooMany, 8) == "failure-storm.expectation-circuit-open-too-many.seed-8.toml");
  CHECK(kept_file_name("../é", kRule, 1) == "x.rule-stops-when-asked-feed.seed-1.toml");
}

TEST_CASE("a kept scenario has the policies of today, those of its group, and today's duration if it was cut shorter") {
  const auto today = scenario(
      "name = \"cluster\"\nduration = \"2h\"\n[supervisor]\nshutdown_timeout = \"7s\"\n[[fleet]]\nname = \"cache\"\n"
      "count = 9\nrestart = \"always\"\n[[fleet]]\nname = \"web\"\n");
  const auto kept = under_policies_of(today, scenario(kOutage));
  CHECK(kept.supervisor == today.supervisor);
  CHECK(kept.fleet.front().policy == today.fleet.front().policy);
  CHECK(kept.fleet.front().name == "cache-3");
  CHECK(kept.duration == today.duration);
  CHECK(under_policies_of(today, scenario("duration = \"3h\"\n" + kOutage)).duration ==
        Duration{3 * 3'600'000'000'000});
  CHECK(kept.chaos == scenario(kOutage).chaos);
  CHECK(kept.expect == scenario(kOutage).expect);
}

TEST_CASE("a kept scenario still fails, is fixed by a policy, fails otherwise, or has lost its precondition") {
  const auto kept = scenario(kOutage);
  CHECK(judged(kept).status == Status::still_fails);
  CHECK(judged(kept).says == "expected 0, found 1");

  auto today = scenario(
      "name = \"cluster\"\nduration = \"1h\"\n[supervisor]\nbackoff = { breaker = \"off\" }\n[[fleet]]\nname = "
      "\"cache\"\n");
  CHECK(judged(under_policies_of(today, kept)).status == Status::fixed);
  CHECK(judged(under_policies_of(today, kept)).says.empty());

  // Without a breaker and without an end it stalls.
  today.duration.reset();
  const auto otherwise = judged(under_policies_of(today, kept));
  CHECK(otherwise.status == Status::fails_otherwise);
  CHECK_THAT(otherwise.says, Contains("stalled"));

  // The service has completed before the outage, which hits nobody any more.
  const auto gone = scenario(
      "name = \"cluster\"\nduration = \"1h\"\n[[fleet]]\nname = \"cache-3\"\nruns_for = \"1s\"\nthen = \"end\"\n"
      "[[chaos]]\nat = \"1min\"\noutage = { for = \"1min\" }\n[expect]\ncircuit_open = 0\n");
  CHECK(judged(gone).status == Status::not_reached);
  auto never = gone;
  never.chaos.front().at = Duration{2 * 3'600'000'000'000};  // after the end
  CHECK(judged(never, {.file = "x.toml", .chaos = true}).status == Status::not_reached);
  CHECK(judged(gone, {.file = "x.toml", .failures = true}).status == Status::not_reached);
  CHECK(judged(gone, {.file = "x.toml"}).status == Status::fixed);

  CHECK_FALSE(judge(
      scenario("name = \"long\"\nduration = \"900d\"\n[[fleet]]\nname = \"a\"\nruns_for = \"1s\"\nthen = \"fail\"\n"
               "[supervisor]\nbackoff = { max = \"1s\", base = \"1s\", breaker = \"off\" }\n"),
      {}, {}, [] { return true; }));
}

TEST_CASE("the checks notice a run that they did not see begin, and nothing else changes") {
  const auto ordinary = scenario("name = \"a\"\nduration = \"1h\"\n[[fleet]]\nname = \"feed\"\ncount = 3\n");
  const auto plain = rehearse(ordinary);
  const auto canary = rehearse(ordinary, {.canary = true});
  CHECK(plain.all_held());
  CHECK_FALSE(plain.canary_planted);
  CHECK(canary.canary_planted);
  CHECK_FALSE(canary.violations.empty());
  CHECK(canary.digest == plain.digest);
  CHECK(canary.report.events == plain.report.events);

  const auto empty = rehearse(
      scenario("name = \"a\"\nduration = \"1h\"\n[[fleet]]\nname = \"a\"\n[[chaos]]\nat = \"0s\"\nshutdown = true\n"),
      {.canary = true});
  CHECK(empty.canary_planted == !empty.violations.empty());
}

TEST_CASE("a summary names the files of a corpus by what became of them, and how often each reason was found") {
  const SweepPlan plan{.file = "c.toml", .scenario = "cluster", .seeds = {1, 1}};
  Sweep sweep;
  sweep.add({.seed = 1, .digest = "0"});
  CorpusSummary corpus{.folder = "failures",
                       .judged = {{Status::fixed, {}, {.file = "a.toml"}, ""},
                                  {Status::still_fails, {}, {.file = "b.toml"}, "expected 0, found 1"}},
                       .added = {"c.toml"},
                       .not_kept = {"seed 9: too large"},
                       .reasons = {{"cluster", kTooMany, 17, {{.file = "b.toml"}}}}};
  CHECK(corpus.failing() == 1);
  const auto text = sweep_text({.plan = plan, .sweep = sweep, .corpus = &corpus});
  CHECK_THAT(text, Contains("corpus failures\n"
                            "  still fails\n"
                            "    failures/b.toml\n"
                            "      expected 0, found 1\n"
                            "  fixed\n"
                            "    failures/a.toml\n"
                            "  new\n"
                            "    failures/c.toml\n"
                            "  not kept: seed 9: too large\n"
                            "  17 runs in all sweeps, 1 kept: expectation circuit_open: too many\n"));
  CHECK_THAT(text, Contains("violated: 1 of 2 files in the corpus fails\n"));
  const auto junit = sweep_junit({{.plan = plan, .sweep = sweep, .corpus = &corpus}});
  CHECK_THAT(junit, Contains("name=\"corpus failures/a.toml\"/>"));
  CHECK_THAT(junit, Contains("<failure message=\"still fails\">expected 0, found 1\nholdfast run failures/b.toml"));
}

}  // namespace holdfast::corpus_test
