// The report, on histories written by hand: every figure is exact and small enough to be checked on paper.

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/report/report.hpp>

#include "report_history.hpp"

namespace holdfast::report_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;

TEST_CASE("two services and one outage: every figure is as counted by hand") {
  History history{scenario_of({{.name = "feed", .count = 2}})};
  history.add(0s, 0, "feed-0");
  history.add(0s, 1, "feed-1");
  history.start(0s, 0, "feed-0");
  history.start(0s, 1, "feed-1");
  history.outage(10s, 0, "feed-0", 20s);
  history.fail(10s, 0, "feed-0");
  history.start(11s, 0, "feed-0");  // in vain: the outage lasts
  history.fail(12s, 0, "feed-0");
  history.start(25s, 0, "feed-0");
  history.fail(40s, 1, "feed-1");  // of its own
  history.start(43s, 1, "feed-1");
  const ReportData report = history.over(100s);

  CHECK(report.events == 18);
  CHECK(report.chaos_events == 1);
  REQUIRE(report.groups.size() == 1);
  CHECK(report.groups[0].name == "feed");
  CHECK(report.fleet.services == 2);
  CHECK(report.fleet.starts == 5);
  CHECK(report.fleet.restarts == 3);
  CHECK(report.fleet.failures == 3);
  CHECK(report.fleet.clean_exits == 0);

  // feed-0 is up but for 10 s to 25 s, feed-1 but for 40 s to 43 s; nobody could have been up during the outage.
  CHECK(report.fleet.availability.time == time(200s));
  CHECK(report.fleet.availability.up == time(182s));
  CHECK(report.fleet.availability.ideal == time(190s));
  CHECK(report.fleet.availability.waiting() == time(8s));
  CHECK(report.fleet.availability.ppm() == 910'000);
  CHECK(report.fleet.availability.ideal_ppm() == 950'000);

  CHECK(report.after_outages.count == 1);
  CHECK(report.after_outages.max == 5s);
  CHECK(report.after_outages.never() == 0);
  CHECK(report.after_failures.count == 1);
  CHECK(report.after_failures.median == 3s);
  REQUIRE(report.slowest.size() == 2);
  CHECK(report.slowest[0].service == "feed-0");
  CHECK(report.slowest[0].from == at(20s));
  CHECK(report.slowest[0].after_outage);
  CHECK(report.slowest[1].took == 3s);
  CHECK_FALSE(report.slowest[1].after_outage);

  CHECK(report.worst_storm == WorstStorm{2, at(10s), at(40s)});
  CHECK(report.restarts.count == 3);
  CHECK(report.restarts.first == at(11s));
  CHECK(report.restarts.last == at(43s));
  CHECK(report.busiest_second.restarts == 1);
  CHECK(report.busiest_second.at == at(11s));
  CHECK(report.losses.count == 0);

  CHECK(report.history.length == 100s);
  CHECK(total(report.history, Standing::running) == time(182s));
  CHECK(total(report.history, Standing::restarting) == time(18s));
  CHECK(total_restarts(report.history) == 3);
}

TEST_CASE("a run that ends because it was asked to stop is no failure, and stopping counts as up") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  history.start(0s, 0, "feed");
  history.tell(10s, 0, "feed", event::Stopping{StopCause::stop});
  history.end(14s, 0, "feed", Outcome::failed);
  history.terminate(14s, 0, "feed", {Termination::Reason::cancelled});
  const ReportData report = history.over(20s);
  CHECK(report.fleet.failures == 0);
  CHECK(report.fleet.availability.time == time(14s));
  CHECK(report.fleet.availability.up == time(14s));
  CHECK(total(report.history, Standing::stopping) == time(4s));
}

TEST_CASE("services are put into the group they were named by; the rest came with a recorded trace") {
  Scenario scenario = scenario_of({{.name = "a", .count = 2}, {.name = "a-b"}, {.name = "unused", .count = 1}});
  scenario.chaos.push_back({.what = Recorded{.file = "x.csv"}});
  History history{scenario};
  std::uint32_t slot = 0;
  for (const char* const name : {"a-0", "a-1", "a-b", "17"}) history.add(0s, slot++, name);
  const ReportData report = history.over(1s);
  REQUIRE(report.groups.size() == 3);
  CHECK(report.groups[0].services == 2);
  CHECK(report.groups[1].name == "a-b");
  CHECK(report.groups[1].services == 1);
  CHECK(report.groups[2].name == "recorded");
  CHECK(report.groups[2].services == 1);
}

TEST_CASE("odd rows of a recorded trace and warnings are passed on") {
  Scenario scenario = scenario_of({{.name = "a"}});
  scenario.duration = 10s;
  Recorded recorded{.file = "x.csv"};
  recorded.trace.entities = {"0"};
  recorded.trace.causes = {"power"};
  recorded.trace.failures = {{0, 0, 1s, 1s}, {0, 0, 5s, 6s}, {0, 0, 9s, 12s}};
  recorded.trace.zero_length = 1;
  recorded.trace.overlapping = 2;
  scenario.chaos.push_back({.at = 4s, .what = recorded});
  History history{scenario};
  history.add(0s, 0, "a");
  history.tell(0s, 0, "a", event::Warned{"backoff.max", "is odd"});
  history.tell(0s, 0, "a", event::Warned{"backoff.max", "is odd"});
  const ReportData report = history.over(10s);
  REQUIRE(report.recorded.size() == 1);
  CHECK(report.recorded[0].rows == 3);
  CHECK(report.recorded[0].zero_length == 1);
  CHECK(report.recorded[0].overlapping == 2);
  CHECK(report.recorded[0].beyond_end == 1);
  REQUIRE(report.warnings.size() == 1);
  CHECK(report.warnings[0].services == 2);
}

TEST_CASE("losses are reported by when a tenth, half and nine tenths of them had happened") {
  History history{scenario_of({{.name = "feed", .count = 10}})};
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < 10; ++i) names.push_back("feed-" + std::to_string(i));
  for (std::uint32_t i = 0; i < 10; ++i) history.add(0s, i, names[i]);
  for (std::uint32_t i = 0; i < 10; ++i) {
    history.terminate(std::chrono::seconds{i + 1}, i, names[i], {Termination::Reason::failed});
  }
  const Losses losses = history.over(20s).losses;
  CHECK(losses.count == 10);
  CHECK(losses.first == at(1s));
  CHECK(losses.after_10_percent == at(1s));
  CHECK(losses.median == at(5s));
  CHECK(losses.after_90_percent == at(9s));
  CHECK(losses.last == at(10s));
}

TEST_CASE("a trace that was saved gives the same report as the run itself") {
  Scenario scenario =
      scenario_of({{.name = "feed", .count = 20, .behaviour = {.runs_for = Exponential{10min}}},
                   {.name = "job", .count = 5, .behaviour = {.runs_for = Fixed{1h}, .then = Then::end}}});
  scenario.duration = 2h;
  scenario.chaos.push_back({.at = 10min, .what = Outage{.target = {.of = {"feed"}}, .length = 30s}});
  scenario.chaos.push_back({.at = 20min, .what = HangWindow{.target = {.of = {"feed-3", "job"}}, .length = 5min}});
  scenario.chaos.push_back({.at = 110min, .what = Shutdown{}});

  std::stringstream trace;
  RehearsalResult result = rehearse(scenario, {.trace = &trace});
  const std::string reported = report_json(result);
  Report again{scenario};
  const TraceSummary summary = read_trace(trace, "trace", {&again});
  result.report = again.finish(summary.end);
  CHECK(result.report.after_outages.count + result.report.after_outages.never() == 20);
  CHECK(report_json(result) == reported);
}

TEST_CASE("only what was up falls in a storm, and a service that has another one's slot falls as itself") {
  SECTION("down already, or asked to stop") {
    History history{scenario_of({{.name = "feed", .count = 2}})};
    for (const std::uint32_t slot : {0U, 1U}) {
      const std::string name = "feed-" + std::to_string(slot);
      history.add(0s, slot, name);
      history.start(0s, slot, name);
    }
    history.chaos(10s, 0, "feed-0", ChaosEvent::Kind::hang, at(1h));
    history.outage(20s, 0, "feed-0", 30s);
    history.tell(20s, 1, "feed-1", event::Stopping{StopCause::stop});
    history.outage(25s, 1, "feed-1", 30s);
    CHECK(history.over(1min).worst_storm.services == 0);
  }
  SECTION("one after the other in one slot") {
    History history{scenario_of({{.name = "a"}, {.name = "b"}})};
    history.add(0s, 0, "a");
    history.start(0s, 0, "a");
    history.end(10s, 0, "a", Outcome::failed);
    history.terminate(10s, 0, "a", {.reason = Termination::Reason::failed});
    history.tell(11s, 0, "a", event::Removed{});
    history.add(12s, 0, "b");
    history.start(12s, 0, "b");
    history.fail(20s, 0, "b");
    CHECK(history.over(1min).worst_storm == WorstStorm{2, at(10s), at(20s)});
  }
}

}  // namespace holdfast::report_test
