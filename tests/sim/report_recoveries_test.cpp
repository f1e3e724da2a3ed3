// Recoveries in the report, on histories written by hand: from when to when, and of what.

#include <catch2/catch.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <holdfast_sim/report/report.hpp>

#include "report_history.hpp"

namespace holdfast::report_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;

TEST_CASE("outages of a service that overlap or touch are one, and are recovered from once") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  history.start(0s, 0, "feed");
  history.outage(10s, 0, "feed", 20s);
  history.fail(10s, 0, "feed");
  history.outage(15s, 0, "feed", 18s);  // within the first
  history.outage(20s, 0, "feed", 30s);  // touches it
  history.start(32s, 0, "feed");
  const ReportData report = history.over(40s);
  CHECK(report.after_outages.count == 1);
  CHECK(report.after_outages.max == 2s);
  CHECK(report.fleet.availability.ideal == time(20s));
  CHECK(report.fleet.availability.up == time(18s));
}

TEST_CASE("a service that says when it is ready has recovered when it is, and is up from then on") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  history.start(0s, 0, "feed");
  history.outage(10s, 0, "feed", 20s);
  history.fail(10s, 0, "feed");
  history.tell(22s, 0, "feed", event::Started{});
  history.tell(25s, 0, "feed", event::Stopping{StopCause::start_timeout});
  history.fail(26s, 0, "feed");
  history.tell(27s, 0, "feed", event::Started{});
  history.tell(30s, 0, "feed", event::Running{});
  const ReportData report = history.over(40s);
  CHECK(report.after_outages.count == 1);
  CHECK(report.after_outages.max == 10s);
  CHECK(report.fleet.failures == 2);
  CHECK(report.fleet.failed_starts == 1);
  CHECK(report.fleet.availability.up == time(20s));
}

TEST_CASE("a run that was abandoned because it was not ready in time has failed, and one that was to restart has not") {
  for (const auto& [cause, failures] : {std::pair{StopCause::start_timeout, 1U}, std::pair{StopCause::restart, 0U}}) {
    History history{scenario_of({{.name = "feed"}})};
    history.add(0s, 0, "feed");
    history.tell(0s, 0, "feed", event::Started{});
    history.tell(5s, 0, "feed", event::Stopping{cause});
    history.tell(6s, 0, "feed", event::Abandoned{1s});
    history.start(7s, 0, "feed");
    const ReportData report = history.over(10s);
    CHECK(report.fleet.failures == failures);
    CHECK(report.fleet.failed_starts == failures);
    CHECK(report.fleet.availability.up == time(3s));
  }
}

TEST_CASE("a start ends every outage that was over by then, also when another one has begun") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  history.start(0s, 0, "feed");
  history.outage(10s, 0, "feed", 20s);
  history.fail(10s, 0, "feed");
  history.outage(30s, 0, "feed", 40s);
  history.start(50s, 0, "feed");
  const ReportData report = history.over(60s);
  CHECK(report.after_outages.count == 2);
  CHECK(report.after_outages.max == 30s);
  CHECK(report.slowest.at(1).took == 10s);
}

TEST_CASE("a start in the instant in which the outage ends recovers at once, one just before the end does not") {
  for (const auto& [start, recovered] : {std::pair{20s, 0s}, std::pair{19s, 5s}}) {
    History history{scenario_of({{.name = "feed"}})};
    history.add(0s, 0, "feed");
    history.start(0s, 0, "feed");
    history.outage(10s, 0, "feed", 20s);
    history.fail(10s, 0, "feed");
    history.start(start, 0, "feed");
    if (recovered > 0s) {  // a run that began before the end fails after it, and is no recovery
      history.fail(21s, 0, "feed");
      history.start(25s, 0, "feed");
    }
    const ReportData report = history.over(30s);
    CHECK(report.after_outages.count == 1);
    CHECK(report.after_outages.max == recovered);
    CHECK(report.after_failures.count == 0);
  }
}

TEST_CASE("an outage of no length is over in its instant: what counts is the next start") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  history.start(10s, 0, "feed");  // in the same instant, but before it
  history.outage(10s, 0, "feed", 10s);
  history.fail(10s, 0, "feed");
  history.start(14s, 0, "feed");
  const ReportData report = history.over(20s);
  CHECK(report.after_outages.count == 1);
  CHECK(report.after_outages.max == 4s);
  CHECK(report.fleet.availability.ideal == time(20s));
  CHECK(report.fleet.availability.up == time(6s));
}

TEST_CASE("a run that starts when its outage ends, and fails or is given up on at once, has recovered first") {
  for (const bool lost : {false, true}) {
    History history{scenario_of({{.name = "feed"}})};
    history.add(0s, 0, "feed");
    history.start(0s, 0, "feed");
    history.outage(10s, 0, "feed", 20s);
    history.fail(10s, 0, "feed");
    history.start(20s, 0, "feed");
    if (lost) {
      history.end(20s, 0, "feed", Outcome::failed);
      history.terminate(20s, 0, "feed", {Termination::Reason::circuit_open, 2, 2, 0s});
    } else {
      history.fail(20s, 0, "feed");
      history.start(23s, 0, "feed");
    }
    const ReportData report = history.over(30s);
    CHECK(report.after_outages.count == 1);
    CHECK(report.after_outages.max == 0s);
    CHECK(report.after_outages.never() == 0);
    CHECK(report.after_failures.count == (lost ? 0 : 1));
    CHECK(report.after_failures.lost == (lost ? 1 : 0));
  }
}

TEST_CASE("what never recovers is counted by reason: lost, ended, still waiting, not over") {
  const Scenario scenario = scenario_of({{.name = "feed", .count = 4}});
  History history{scenario};
  const std::vector<std::string> names{"feed-0", "feed-1", "feed-2", "feed-3"};
  for (std::uint32_t i = 0; i < 4; ++i) {
    history.add(0s, i, names[i]);
    history.start(0s, i, names[i]);
  }
  for (std::uint32_t i = 0; i < 4; ++i) {
    history.outage(10s, i, names[i], i == 3 ? 200s : 20s);
    history.fail(10s, i, names[i]);
  }
  history.terminate(15s, 0, "feed-0", {Termination::Reason::circuit_open, 9, 9, 0s});
  history.terminate(25s, 1, "feed-1", {Termination::Reason::cancelled});
  const ReportData report = history.over(100s);
  CHECK(report.after_outages.count == 0);
  CHECK(report.after_outages.lost == 1);
  CHECK(report.after_outages.ended == 1);
  CHECK(report.after_outages.waiting == 1);
  CHECK(report.after_outages.ongoing == 1);
}

TEST_CASE("the ten slowest recoveries are kept, the longest first") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  Duration now = 0s;
  history.start(now, 0, "feed");
  for (int i = 1; i <= 15; ++i) {
    history.fail(now += 1h, 0, "feed");
    history.start(now += std::chrono::seconds{i * 7 % 15 + 1}, 0, "feed");  // 1 to 15 seconds, in some order
  }
  const ReportData report = history.over(now + 1h);
  REQUIRE(report.slowest.size() == kSlowestMax);
  for (int i = 0; i < 10; ++i) CHECK(report.slowest[static_cast<std::size_t>(i)].took == std::chrono::seconds{15 - i});
}

}  // namespace holdfast::report_test
