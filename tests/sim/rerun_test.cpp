// Seeds that run twice: which ones, what counts as different, and where two runs part.
#include <catch2/catch.hpp>

#include <string>

#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/search/rerun.hpp>

namespace holdfast::rerun_test {

using namespace holdfast::sim;

namespace {

SeedOutcome outcome(std::string digest, RehearsalVerdict verdict = RehearsalVerdict::held) {
  return {.seed = 7, .verdict = verdict, .digest = std::move(digest)};
}

// Empty: they are the same.
std::string difference(const SeedOutcome& before, const SeedOutcome& again) {
  try {
    check_same(before, again);
  } catch (const RunsDiffer& differ) {
    CHECK(differ.one() == before);
    CHECK(differ.other() == again);
    return differ.what();
  }
  return "";
}

}  // namespace

TEST_CASE("one seed in so many runs twice, the first among them, up to the last there is") {
  const SeedRange all{11, 20};
  std::string twice;
  for (std::uint64_t seed = 11; seed <= 20; ++seed) twice += runs_twice(all, seed, 3) ? 'x' : '.';
  CHECK(twice == "x..x..x..x");
  CHECK_FALSE(runs_twice(all, 11, 0));
  CHECK(runs_twice(all, 20, 1));
  CHECK(runs_twice({1, UINT64_MAX}, UINT64_MAX, 2));
}

TEST_CASE("which seeds run twice does not depend on shards") {
  const SeedRange all{1, 100};
  const SeedRange second_half{51, 100};
  CHECK(runs_twice(all, 57, 7));
  CHECK_FALSE(runs_twice(all, second_half.first, 7));
}

TEST_CASE("two outcomes of one seed differ by verdict, digest, failures or figures") {
  CHECK(difference(outcome("aa"), outcome("aa")).empty());
  CHECK(difference(outcome("aa"), outcome("bb")) ==
        "two runs of seed 7 differ: held with digest aa, and held with digest bb");
  CHECK(difference(outcome("aa"), outcome("aa", RehearsalVerdict::violated)) ==
        "two runs of seed 7 differ: held with digest aa, and violated with digest aa");
  auto figures = outcome("aa");
  figures.figures[0] = 1;
  CHECK(difference(outcome("aa"), figures) ==
        "two runs of seed 7 have the same events (held with digest aa), but other failures or figures");
}

TEST_CASE("an interrupted run is no difference") {
  CHECK(difference(outcome("aa"), outcome("bb", RehearsalVerdict::interrupted)).empty());
  CHECK(difference(outcome("aa", RehearsalVerdict::interrupted), outcome("bb")).empty());
}

TEST_CASE("two runs of one seed never part") {
  const auto scenario = parse_scenario(
      "name = \"one\"\nduration = \"1h\"\n[[fleet]]\nname = \"feed\"\ncount = 300\nruns_for = { exponential = \"1min\" "
      "}\nthen = "
      "\"fail\"\n",
      "test", "");
  const auto found = where_runs_part(scenario, 3, 2);
  CHECK(found.same());
  CHECK(found.common > 10'000);
  CHECK(where_runs_part(scenario, 3, 2, [] { return true; }).interrupted);
}

}  // namespace holdfast::rerun_test
