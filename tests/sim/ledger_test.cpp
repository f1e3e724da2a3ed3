// Ledgers: what was written reads back, what is broken is refused, and shards cover all seeds.
#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/search/ledger.hpp>

namespace holdfast::ledger_test {

using namespace holdfast::sim;
using Catch::Matchers::Contains;

namespace {

constexpr auto kHeld = "7 h 00112233445566778899aabbccddeeff 999999 0 1 - 12 300";

SeedOutcome outcome_of_seed(std::uint64_t seed) {
  auto outcome = parse_ledger_line(kHeld);
  outcome.seed = seed;
  return outcome;
}

std::string without_end(std::string line) {
  REQUIRE(line.back() == '\n');
  line.pop_back();
  return line;
}

const std::string kScenario = "name = \"small\"\nseed = 3\n[[fleet]]\nname = \"feed\"\n";

}  // namespace

TEST_CASE("a line of a ledger has the seed, its verdict, its digest and its figures, and reads back") {
  const auto outcome = parse_ledger_line(kHeld);
  CHECK(outcome.seed == 7);
  CHECK(outcome.held());
  CHECK(outcome.figure(SeedFigure::availability) == 999'999U);
  CHECK(outcome.figure(SeedFigure::never_recovered) == 1U);
  CHECK_FALSE(outcome.figure(SeedFigure::slowest_recovery));
  CHECK(outcome.figure(SeedFigure::restarts) == 12U);
  CHECK(outcome.figure(SeedFigure::drain) == 300U);
  CHECK(without_end(to_line(outcome)) == kHeld);
}

TEST_CASE("failures stand in a line with what would end a line or a field escaped") {
  auto outcome = outcome_of_seed(UINT64_MAX);
  outcome.verdict = RehearsalVerdict::violated;
  outcome.failures = {{{FailureReason::Kind::rule, "stops_when_asked", "a\tb\\t"}, "at\n5s"},
                      {{FailureReason::Kind::stalled, "", "running"}, ""}};
  const auto line = without_end(to_line(outcome));
  CHECK(line.find('\n') == line.npos);
  CHECK(parse_ledger_line(line) == outcome);
}

TEST_CASE("no beginning of a line is taken for a line, unless it is one of a shorter number") {
  const std::string line = kHeld;
  for (std::size_t size = 0; size < line.size() - 2; ++size)
    CHECK_THROWS_AS(parse_ledger_line(line.substr(0, size)), BadLedger);
}

TEST_CASE("a line has what its seed has seen, and reads back") {
  auto outcome = outcome_of_seed(7);
  const auto without = to_line(outcome);
  outcome.seen = "010";
  const auto line = to_line(outcome);
  CHECK(line == without_end(without) + " 010\n");
  CHECK(parse_ledger_line(without_end(line)) == outcome);
}

TEST_CASE("what no sweep writes is refused") {
  const std::string line = kHeld;
  CHECK_THROWS_WITH(parse_ledger_line(line + " 5"), Contains("more figures"));
  CHECK_THROWS_WITH(parse_ledger_line("7 x" + line.substr(3)), Contains("unknown letter"));
  CHECK_THROWS_WITH(parse_ledger_line("7 v" + line.substr(3)), Contains("both that the seed held"));
  CHECK_THROWS_WITH(parse_ledger_line(line + "\te\tx\ty\tz"), Contains("both that the seed held"));
  CHECK_THROWS_WITH(parse_ledger_line("7 v" + line.substr(3) + "\te\tx\\q\ty\tz"), Contains("escape"));
}

TEST_CASE("a head reads back, and knows the scenario but for its seed") {
  const SweepPlan plan{.file = "x.toml",
                       .settings = {"a=b"},
                       .scenario = "small",
                       .expectations = {"property.storm", "configuration"},
                       .sometimes = {"property.storm"},
                       .seeds = {0, UINT64_MAX - 1}};
  const auto scenario = parse_scenario(kScenario, "x.toml", "");
  const auto head = ledger_head(scenario, plan, {2, 3});
  CHECK(parse_ledger_head(without_end(to_line(head))) == head);
  auto other = scenario;
  other.seed = {4};
  CHECK(ledger_head(other, plan, {2, 3}) == head);
  other.fleet[0].count = 1;
  CHECK(ledger_head(other, plan, {2, 3}).fingerprint != head.fingerprint);
}

TEST_CASE("a head that no sweep writes is refused") {
  const auto scenario = parse_scenario(kScenario, "x.toml", "");
  const SweepPlan plan{.file = "x", .scenario = "small", .seeds = {5, 4}};
  CHECK_THROWS_WITH(parse_ledger_head(without_end(to_line(ledger_head(scenario, plan, {})))), Contains("cannot be"));
  CHECK_THROWS_WITH(parse_ledger_head("{}"), Contains("is not a ledger"));
  CHECK_THROWS_WITH(parse_ledger_head("name = 5"), Contains("is not a ledger"));
  CHECK_THROWS_WITH(parse_ledger_head(R"({"kind":"ledger","version":2})"), Contains("another version"));
}

TEST_CASE("shards are consecutive, cover every seed once, and differ by one seed at most") {
  for (const SeedRange all :
       {SeedRange{1, 10}, SeedRange{5, 5}, SeedRange{0, 99}, SeedRange{UINT64_MAX - 6, UINT64_MAX}}) {
    for (std::uint32_t of = 1; of <= 12; ++of) {
      std::uint64_t next = all.first;
      std::uint64_t seeds = 0;
      for (std::uint32_t index = 1; index <= of; ++index) {
        const auto shard = seeds_of({index, of}, all);
        if (!shard) continue;
        CHECK(shard->first == next);
        CHECK(shard->size() >= all.size() / of);
        CHECK(shard->size() <= all.size() / of + 1);
        next = shard->last + 1;
        seeds += shard->size();
      }
      CHECK(seeds == all.size());
    }
  }
  const SeedRange largest{0, UINT64_MAX - 1};
  CHECK(seeds_of({3, 3}, largest)->last == UINT64_MAX - 1);
  CHECK(seeds_of({1, 3}, largest) == SeedRange{0, UINT64_MAX / 3 - 1});
}

TEST_CASE("outcomes come in the order of their seeds, whatever the order of the lines") {
  LedgerOrder order{{5, 8}};
  order.add(outcome_of_seed(7));
  CHECK_FALSE(order.take());
  order.add(outcome_of_seed(5));
  CHECK(order.take()->seed == 5);
  CHECK_FALSE(order.take());
  CHECK(order.next() == 6);
  CHECK(order.find(7) != nullptr);
  CHECK(order.find(8) == nullptr);
  order.add(outcome_of_seed(8));
  order.add(outcome_of_seed(6));
  for (const std::uint64_t seed : {6U, 7U, 8U}) CHECK(order.take()->seed == seed);
  CHECK(order.complete());
  CHECK_FALSE(order.take());
}

TEST_CASE("a seed twice is one if both outcomes are the same, and refused if they differ or it is none of the seeds") {
  LedgerOrder order{{5, 8}};
  order.add(outcome_of_seed(6));
  order.add(outcome_of_seed(6));
  auto other = outcome_of_seed(6);
  other.digest[0] = 'f';
  CHECK_THROWS_WITH(order.add(other), Contains("two outcomes of seed 6, and they differ"));
  CHECK_THROWS_WITH(order.add(outcome_of_seed(9)), Contains("has seed 9, but is of the seeds 5 to 8"));
}

}  // namespace holdfast::ledger_test
