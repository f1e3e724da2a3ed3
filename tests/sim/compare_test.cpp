// What may be concluded from paired runs: the statistics on data whose truth is known, and policies laid over
// scenarios.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include <holdfast/file/bad_input.hpp>
#include <holdfast/random.hpp>
#include <holdfast_sim/compare/comparison.hpp>
#include <holdfast_sim/compare/policy_file.hpp>
#include <holdfast_sim/compare/statistics.hpp>
#include <holdfast_sim/present/comparison_text.hpp>
#include <holdfast_sim/rehearsal.hpp>

namespace holdfast::compare_test {

namespace {

using namespace holdfast::sim;
using namespace std::chrono_literals;

#if HOLDFAST_SLOW_BUILD
constexpr int kRepetitions = 100;
#else
constexpr int kRepetitions = 1000;
#endif
constexpr std::size_t kResamplesOfTest = 999;

// Uniform in (0, 1), the i-th of a sample; samples of different numbers have nothing in common.
double uniform(std::uint64_t sample, std::uint64_t i) {
  const DrawKey key{.seed = {sample}, .name = name_hash("synthetic"), .added_at = {}, .incarnation = 0};
  return (static_cast<double>(draw(key, Purpose::run_length, i).high >> 11) + 0.5) / 9007199254740992.0;
}

std::vector<double> normals(std::uint64_t sample, std::size_t n, double mean) {
  std::vector<double> values;
  for (std::size_t i = 0; i < n; ++i) values.push_back(mean + normal_quantile(uniform(sample, i)));
  return values;
}

std::vector<double> exponentials(std::uint64_t sample, std::size_t n) {
  std::vector<double> values;
  for (std::size_t i = 0; i < n; ++i) values.push_back(-std::log(uniform(sample, i)));
  return values;
}

// Most differences are zero, and some are of any size.
std::vector<double> rare(std::uint64_t sample, std::size_t n) {
  std::vector<double> values;
  for (std::size_t i = 0; i < n; ++i)
    values.push_back(uniform(sample, i) < 0.3 ? -std::log(uniform(sample + 100'000, i)) : 0.0);
  return values;
}

// The share of samples whose interval holds the truth.
template <class Sample>
double coverage(double truth, Sample&& sample) {
  int held = 0;
  for (int i = 0; i < kRepetitions; ++i) {
    const auto interval = bootstrap_means({sample(static_cast<std::uint64_t>(i))}, kResamplesOfTest).front();
    held += interval->holds(truth) ? 1 : 0;
  }
  return static_cast<double>(held) / kRepetitions;
}

void require_coverage(double share) {
  REQUIRE(share >= (kRepetitions == 1000 ? 0.93 : 0.87));
  REQUIRE(share <= (kRepetitions == 1000 ? 0.97 : 1));
}

TEST_CASE("95 % intervals contain the true mean of normal differences in 93 to 97 % of 1 000 samples") {
  require_coverage(coverage(3, [](std::uint64_t i) { return normals(i, 20, 3); }));
  require_coverage(coverage(3, [](std::uint64_t i) { return normals(i, 100, 3); }));
}

TEST_CASE("95 % intervals contain the true mean of skewed differences in 93 to 97 % of 1 000 samples") {
  require_coverage(coverage(1, [](std::uint64_t i) { return exponentials(i, 50); }));
  require_coverage(coverage(1, [](std::uint64_t i) { return exponentials(i, 100); }));
}

TEST_CASE("95 % intervals contain the true mean of differences that are mostly zero in 93 to 97 % of 1 000 samples") {
  require_coverage(coverage(0.3, [](std::uint64_t i) { return rare(i, 100); }));
}

// Means of zeros and ones come in steps, and an interval reaches to the next one: it is a little too wide, never too
// narrow.
TEST_CASE("95 % intervals contain the true mean of zeros and ones in 93 to 99 % of 1 000 samples") {
  const double share = coverage(0.3, [](std::uint64_t sample) {
    std::vector<double> values;
    for (std::uint64_t i = 0; i < 100; ++i) values.push_back(uniform(sample, i) < 0.3 ? 1.0 : 0.0);
    return values;
  });
  REQUIRE(share >= (kRepetitions == 1000 ? 0.93 : 0.87));
  REQUIRE(share <= (kRepetitions == 1000 ? 0.99 : 1));
}

// The same policy with other seeds: its differences are about zero.
TEST_CASE("policies that are the same differ significantly no more often than the stated error rate") {
  int found = 0;
  for (int i = 0; i < kRepetitions; ++i) {
    const auto interval = bootstrap_means({normals(static_cast<std::uint64_t>(i) + 5000, 30, 0)}, kResamplesOfTest);
    found += interval.front()->holds(0) ? 0 : 1;
  }
  // Three standard deviations above 5 %.
  REQUIRE(found <= (kRepetitions == 1000 ? 71 : 12));
}

TEST_CASE("an interval is that of a t test where the differences are normal and many") {
  const auto values = normals(1, 2000, 10);
  const double mean = mean_of(values);
  const double half = 1.961 * std::sqrt(variance_of(values) / 2000);
  const auto interval = bootstrap_means({values}).front();
  REQUIRE(interval->low == Approx(mean - half).margin(half / 10));
  REQUIRE(interval->high == Approx(mean + half).margin(half / 10));
}

TEST_CASE("differences that never vary have an interval without a length, and too few have none") {
  const auto same = bootstrap_means({std::vector<double>(10, 4.0)}).front();
  REQUIRE(same);
  REQUIRE(same->low == 4);
  REQUIRE(same->high == 4);
  REQUIRE(!bootstrap_means({std::vector<double>(kPairsForInterval - 1, 4.0)}).front());
  REQUIRE(bootstrap_means({}).empty());
}

TEST_CASE("the same differences have the same interval, whatever stands beside them") {
  const auto a = normals(1, 50, 0), b = normals(2, 50, 1);
  const auto alone = bootstrap_means({b}).front();
  const auto beside = bootstrap_means({a, b}).at(1);
  REQUIRE(alone->low == beside->low);
  REQUIRE(alone->high == beside->high);
}

// 1 of 6 and its mirror: 2 (1 + 6) / 64; 0 of 5: 2 / 32.
TEST_CASE("McNemar's p value is that of a fair coin") {
  REQUIRE(mcnemar(0, 0) == 1);
  REQUIRE(mcnemar(1, 5) == Approx(14.0 / 64));
  REQUIRE(mcnemar(5, 1) == Approx(14.0 / 64));
  REQUIRE(mcnemar(0, 5) == Approx(2.0 / 32));
  REQUIRE(mcnemar(3, 3) == 1);
  REQUIRE(mcnemar(2, 3) == 1);
  REQUIRE(mcnemar(0, 1) == 1);
  REQUIRE(mcnemar(50'000, 50'000) == 1);
  REQUIRE(mcnemar(0, 5000) < 1e-100);
}

TEST_CASE("the normal distribution is as the tables have it") {
  REQUIRE(normal_below(0) == Approx(0.5));
  REQUIRE(normal_below(1.96) == Approx(0.9750021));
  REQUIRE(normal_below(-2.5758) == Approx(0.0050002).epsilon(1e-3));
  REQUIRE(normal_below(9) == 1);
  REQUIRE(normal_quantile(0.975) == Approx(1.959964));
  REQUIRE(normal_quantile(0.05) == Approx(-1.644854));
}

Scenario scenario_of(const std::string& name = "by hand") {
  Scenario scenario;
  scenario.name = name;
  scenario.duration = 1h;
  scenario.supervisor.backoff.breaker = std::nullopt;
  scenario.fleet.push_back({.name = "feed", .count = 3, .behaviour = {.runs_for = Exponential{5min}}});
  scenario.fleet.push_back({.name = "engine"});
  return scenario;
}

std::string complaint(const std::string& text) {
  try {
    (void)with_policies(scenario_of(), text, "policy.toml");
  } catch (const BadInput& bad) {
    return bad.what();
  }
  return "";
}

TEST_CASE("a policy takes the place of what it names, and of nothing else") {
  const auto before = scenario_of();
  const auto after = with_policies(before,
                                   "[supervisor]\nbackoff = { max = \"10s\", breaker = \"off\" }\n"
                                   "[[fleet]]\nname = \"engine\"\nrestart = \"always\"\nstop_grace = \"3s\"\n",
                                   "policy.toml");
  REQUIRE(after.supervisor.backoff.max == 10s);
  REQUIRE(!after.supervisor.backoff.breaker);
  REQUIRE(after.fleet[1].policy.restart == RestartPolicy::always);
  REQUIRE(after.fleet[1].policy.stop_grace == std::optional<Duration>{3s});
  REQUIRE(after.fleet[0] == before.fleet[0]);
  const auto only_a_group = with_policies(before, "[[fleet]]\nname = \"feed\"\nbackoff = { max = \"2s\" }\n", "p");
  REQUIRE(only_a_group.supervisor == before.supervisor);
  REQUIRE(only_a_group.fleet[0].policy.backoff->max == 2s);
  REQUIRE(only_a_group.fleet[0].behaviour == before.fleet[0].behaviour);
}

TEST_CASE("a mistake in a policy is reported with its place and with what would be valid") {
  REQUIRE(complaint("[[fleet]]\nname = \"fed\"\n") ==
          "policy.toml:2:8: fleet[0].name: is \"fed\", which is not a group of \"by hand\"; did you mean \"feed\"? Its "
          "groups are feed, engine");
  REQUIRE(complaint("[[fleet]]\nname = \"feed\"\nruns_for = \"1s\"\n").find("policy.toml:3:1: fleet[0].runs_for") == 0);
  REQUIRE(complaint("seed = 3\n").find("policy.toml:1:1: seed: unknown key") != std::string::npos);
  REQUIRE(complaint("").find("holds no policy") != std::string::npos);
  REQUIRE(complaint("[[fleet]]\nname = \"feed\"\n[[fleet]]\nname = \"feed\"\n").find("one table for each group") !=
          std::string::npos);
  REQUIRE(complaint("[supervisor.backoff]\nbase = \"2min\"\nmax = \"1min\"\n").find("above backoff.max") !=
          std::string::npos);
}

RunFigures figures(double up, double lost, bool held) {
  RunFigures one;
  one.of[static_cast<std::size_t>(Figure::up_time)] = up;
  one.of[static_cast<std::size_t>(Figure::lost)] = lost;
  one.held = held;
  return one;
}

// Up time rises by 60 s in every run, exactly; A varies by 1 s², so that pairing is worth everything.
TEST_CASE("paired figures are compared seed by seed, by hand") {
  std::vector<RunFigures> a, b;
  for (int i = 0; i < 20; ++i) {
    a.push_back(figures(1e12 + (i % 2) * 1e9, 5, i < 10));
    b.push_back(figures(1e12 + (i % 2) * 1e9 + 60e9, 5, true));
  }
  const auto found = compare(a, b);
  REQUIRE(found.both_held == 10);
  REQUIRE(found.only_b_held == 10);
  REQUIRE(found.p_of_verdicts == Approx(2.0 / 1024));
  REQUIRE(found.figures.size() == 2);
  const auto& up = *found.find(Figure::up_time);
  REQUIRE(up.difference == Approx(60e9));
  REQUIRE(up.significant());
  REQUIRE(!up.pairing_saves);
  REQUIRE(!found.find(Figure::lost)->significant());
  ComparedPolicies policies{.scenario = "by hand", .duration = 7h, .first_seed = 1, .last_seed = 20, .others = {}};
  policies.others.push_back({"patient.toml", found});
  REQUIRE(conclusion_text(policies, 0) ==
          "B is better: 1min more up time of a service in 7h, 1min to 1min; B holds on more seeds.");
}

// Differences of 0 and 2 by turns: variance 20/19. A varies by 20/19 as well, B is A and the difference.
TEST_CASE("pairing saves what the variances say") {
  std::vector<RunFigures> a, b;
  for (int i = 0; i < 20; ++i) {
    const double of_a = i % 2 * 2.0;
    a.push_back(figures(of_a, 0, true));
    b.push_back(figures(of_a + i / 2 % 2 * 2.0, 0, true));
  }
  const auto found = compare(a, b);
  // The variance of a sum of two independent halves is twice as large.
  REQUIRE(*found.find(Figure::up_time)->pairing_saves == Approx(3).epsilon(1e-6));
}

TEST_CASE("a figure that a run does not have is compared on the seeds that have it") {
  std::vector<RunFigures> a(15, figures(1, 0, true)), b(15, figures(1, 0, true));
  a[3].of[static_cast<std::size_t>(Figure::failure_90)] = 5;
  b[3].of[static_cast<std::size_t>(Figure::failure_90)] = 7;
  a[4].of[static_cast<std::size_t>(Figure::failure_90)] = 9;
  const auto found = compare(a, b);
  REQUIRE(found.find(Figure::failure_90)->pairs == 1);
  REQUIRE(found.find(Figure::failure_90)->difference == 2);
  REQUIRE(!found.find(Figure::failure_90)->interval);
  REQUIRE(!found.same_in_every_run);
}

std::vector<RunFigures> runs_of(const Scenario& scenario, std::uint64_t first, std::uint64_t count) {
  std::vector<RunFigures> all;
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(figures_of(rehearse(scenario, {.seed = Seed{first + i}})));
  return all;
}

TEST_CASE("the same policy under the same seeds does the same, and a patient one loses fewer services") {
  auto scenario = scenario_of();
  scenario.supervisor.backoff.breaker = BreakerPolicy{3, 10min};
  const auto own = runs_of(scenario, 1, 30);
  const auto same = compare(own, runs_of(scenario, 1, 30));
  REQUIRE(same.same_in_every_run);
  for (const auto& figure : same.figures) REQUIRE(!figure.significant());
  const auto patient = with_policies(scenario, "[supervisor]\nbackoff = { breaker = \"off\" }\n", "patient.toml");
  const auto found = compare(own, runs_of(patient, 1, 30));
  REQUIRE(found.find(Figure::lost)->significant());
  REQUIRE(found.find(Figure::lost)->difference < 0);
  REQUIRE(found.find(Figure::up_time)->difference > 0);
  ComparedPolicies policies{
      .scenario = "by hand", .duration = scenario.duration, .first_seed = 1, .last_seed = 30, .others = {}};
  policies.others.push_back({"patient.toml", found});
  const auto json = boost::json::parse(comparison_json(policies)).as_object();
  REQUIRE(json.at("policies").at(0).at("seeds") == 30);
  REQUIRE(conclusion_text(policies, 0).find("B is better: ") == 0);
  REQUIRE(conclusion_text(policies, 0).find("; and it loses ") != std::string::npos);
}

}  // namespace

}  // namespace holdfast::compare_test
