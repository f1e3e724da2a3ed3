// What is expected of the report's figures: each bound at its edge, and what makes each of them bad.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include <holdfast_sim/detail/figure_expectations.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/search/seed_outcome.hpp>

namespace holdfast::figure_expectations_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;

namespace {

ExpectationResult only(const ExpectedFigures& expected, const ReportData& report) {
  const auto results = figure_expectations({.figures = expected}, report);
  REQUIRE(results.size() == 1);
  CHECK(results.front().held == results.front().cause.empty());
  return results.front();
}

ReportData up(std::uint64_t up_ns, std::uint64_t time_ns) {
  ReportData report;
  report.fleet.availability.up = up_ns;
  report.fleet.availability.time = time_ns;
  return report;
}

// A share as a file has it.
std::uint64_t share(double of_one) { return static_cast<std::uint64_t>(of_one * 4294967296.0 + 0.5); }

RehearsalResult run(const std::string& expect, const std::string& rest) {
  return rehearse(parse_scenario("name = \"t\"\nseed = 5\n" + rest + "[expect]\n" + expect, "t.toml", ""));
}

std::string found(const RehearsalResult& result, const std::string& what) {
  for (const auto& expectation : result.expectations) {
    if (expectation.what == what)
      return expectation.found + (expectation.held ? "" : ", " + std::string{expectation.cause});
  }
  return "nothing";
}

// A service that fails after 10 s of each run and is back after exactly 2 s, for a minute: up 10 s, down 2 s, five
// times.
const std::string kRegular =
    "duration = \"1min\"\n[supervisor]\nbackoff = { base = \"0s\", max = \"0s\", breaker = \"off\" }\n[[fleet]]\nname "
    "= \"a\"\n"
    "count = 3\nruns_for = \"10s\"\nthen = \"fail\"\n";

}  // namespace

TEST_CASE("availability is compared exactly, and a share that is equal to the bound meets it") {
  const ExpectedFigures at_least{.availability_min = share(0.999)};
  CHECK(only(at_least, up(999, 1000)).held);
  CHECK(only(at_least, up(999'000'000'000, 1'000'000'000'000)).held);
  const auto missed = only(at_least, up(998'999'999'000, 1'000'000'000'000));
  CHECK_FALSE(missed.held);
  CHECK(to_string(missed) == "availability_min: expected at least 99.9 %, found 99.8999 %");
  CHECK(missed.cause == "too low");
  CHECK(only({.availability_min = share(1)}, up(1000, 1000)).held);
  CHECK_FALSE(only({.availability_min = share(1)}, up(999'999'999, 1'000'000'000)).held);
  CHECK(only({.availability_min = share(1)}, up(0, 0)).held);
  CHECK(only({.availability_min = 0}, up(0, 1000)).held);
}

TEST_CASE("counts of services down, restarts a second and storms are met up to the bound") {
  ReportData report;
  report.most_down = 7;
  report.busiest_second.restarts = 8;
  report.worst_storm.services = 9;
  CHECK(only({.down_at_once_max = 7}, report).held);
  CHECK(to_string(only({.down_at_once_max = 6}, report)) == "down_at_once_max: expected at most 6, found 7");
  CHECK(only({.restarts_a_second_max = 8}, report).held);
  CHECK(only({.restarts_a_second_max = 7}, report).cause == "too many");
  CHECK(only({.storm_max = 9}, report).held);
  CHECK_FALSE(only({.storm_max = 8}, report).held);
}

TEST_CASE("a recovery is bounded by the worse of outages and failures, and for ever is worse than any") {
  ReportData report;
  report.after_outages.median_of_all = 3s;
  report.after_failures.median_of_all = 2s;
  CHECK(only({.recovery_median_max = 3s}, report).held);
  CHECK(to_string(only({.recovery_median_max = 3s - 1ns}, report)) ==
        "recovery_median_max: expected at most 2s999ms999us999ns, found 3s");
  report.after_failures.max_of_all = Duration::max();
  report.after_failures.lost = 2;
  report.after_outages.waiting = 1;
  const auto never = only({.recovery_max = kDurationMax}, report);
  CHECK_FALSE(never.held);
  CHECK(never.cause == "never recovered");
  CHECK(never.found == "no recovery: 2 lost, 1 waiting at the end");
  CHECK(only({.recovery_p90_max = 0s}, report).held);
  CHECK(only({.recovery_p99_max = 0s}, report).held);
}

TEST_CASE("a drain that was never asked for, or has no end, does not meet a bound") {
  ReportData report;
  CHECK(only({.drain_max = 1h}, report).cause == "no end of a drain");
  report.shutdown_at = TimePoint{} + 10s;
  CHECK(only({.drain_max = 1h}, report).cause == "no end of a drain");
  report.drained_at = TimePoint{} + 12s;
  CHECK(only({.drain_max = 2s}, report).held);
  CHECK(only({.drain_max = 2s - 1ns}, report).cause == "too slow");
}

TEST_CASE("figures of a run are those that can be computed by hand") {
  // A restart takes no time here, so nothing is ever down, and 3 services restart in the seconds 10, 20, 30, 40, 50.
  const auto at_once = run(
      "availability_min = 1\ndown_at_once_max = 0\nrestarts_a_second_max = 3\nstorm_max = 3\nrecovery_max = \"0s\"\n",
      kRegular);
  CHECK(at_once.all_held());
  CHECK(found(at_once, "restarts_a_second_max") == "3");
  CHECK_FALSE(run("restarts_a_second_max = 2\n", kRegular).all_held());
  CHECK_FALSE(run("drain_max = \"1h\"\n", kRegular).all_held());

  // All three are out from 20 s to 50 s, and there is nobody who waits longer: 30 of 60 s are lost to the outage.
  const std::string outage =
      kRegular.substr(0, kRegular.find("runs_for")) + "[[chaos]]\nat = \"20s\"\noutage = { for = \"30s\" }\n";
  const auto out = run("availability_min = 0.5\ndown_at_once_max = 3\nstorm_max = 3\nrecovery_max = \"0s\"\n", outage);
  CHECK(found(out, "availability_min") == "50 %");
  CHECK(found(out, "down_at_once_max") == "3");
  CHECK_FALSE(run("down_at_once_max = 2\n", outage).all_held());
  CHECK_FALSE(run("availability_min = 0.500001\n", outage).all_held());

  // A breaker that gives up: lost services never recover, which no bound lets pass, although they have no recovery to
  // count.
  const auto lost = run("recovery_median_max = \"36500d\"\n",
                        "duration = \"1h\"\n[[fleet]]\nname = \"a\"\ncount = 3\n[[chaos]]\nat = \"1min\"\noutage = { "
                        "for = \"30min\" }\n");
  CHECK(found(lost, "recovery_median_max") == "no recovery: 3 lost, 0 waiting at the end, never recovered");
}

TEST_CASE("one service of four that never recovers is within the median and beyond the 90 %") {
  const auto result = run(
      "recovery_median_max = \"1min\"\nrecovery_p90_max = \"36500d\"\n",
      "duration = \"1h\"\n[supervisor]\nbackoff = { base = \"1s\", max = \"1s\" }\n[[fleet]]\nname = \"a\"\ncount = 3\n"
      "[[fleet]]\nname = \"b\"\nrestart = \"never\"\n[[chaos]]\nat = \"1min\"\nstorm = {}\n");
  CHECK(found(result, "recovery_p90_max") == "no recovery: 1 lost, 0 waiting at the end, never recovered");
  CHECK(found(result, "recovery_median_max").find(',') == std::string::npos);
}

TEST_CASE("a sweep knows the names of figures before any run") {
  const auto names = expectation_names(parse_scenario(
      "name = \"t\"\n[[fleet]]\nname = \"a\"\n[expect]\nstorm_max = 1\navailability_min = 0.1\n", "t.toml", ""));
  CHECK(names == std::vector<std::string>{"availability_min", "storm_max", "configuration"});
}

TEST_CASE("the availability of a group is compared as that of the fleet, and of that group alone") {
  const std::string fleet =
      "duration = \"1min\"\n[supervisor]\nbackoff = { base = \"0s\", max = \"0s\", breaker = \"off\" }\n"
      "[[fleet]]\nname = \"well\"\n[[fleet]]\nname = \"half\"\ncount = 2\n"
      "[[chaos]]\nat = \"30s\"\nhang = { of = \"half\" }\n";
  const auto of_half = [&](const std::string& least) {
    return found(run("[[expect.fleet]]\nname = \"half\"\navailability_min = " + least +
                         "\n[[expect.fleet]]\nname = \"well\"\navailability_min = 1.0\n",
                     fleet),
                 "half.availability_min");
  };
  CHECK(of_half("0.5") == "50 %");
  CHECK(of_half("0.500001") == "50 %, too low");
}

}  // namespace holdfast::figure_expectations_test
