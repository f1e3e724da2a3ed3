// Recorded chaos that passes faster than it was recorded, and rows that make only some of the starts fail.

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <utility>

#include <holdfast/random.hpp>
#include <holdfast_sim/report/report.hpp>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

// What the rows do to a service node-0 whose runs fail after 2 s, and within an outage after 1 s.
struct Outcome {
  Lines ends;
  std::vector<ChaosEvent> chaos;
};
Outcome outcome_of(Recorded recorded, Duration at, Duration duration) {
  recorded.of = "node";
  recorded.fails_after = 1s;
  recorded.trace.entities = {"0"};
  recorded.trace.causes = {"disk"};
  Scenario scenario = scenario_of({}, {{.at = at, .what = std::move(recorded)}}, duration);
  scenario.fleet = {{.name = "node", .count = 1, .behaviour = {.runs_for = Fixed{2s}}}};
  static EventLog log;  // the texts of the events are its
  log.clear();
  Simulation sim{scenario, {&log}};
  REQUIRE(sim.run_to_end());
  Outcome outcome{.chaos = log.chaos()};
  for (const auto& event : log.of("node-0")) {
    if (const auto* const ended = std::get_if<event::Ended>(&event.what))
      outcome.ends.push_back(to_string(event.at) + ' ' + std::string{ended->error});
  }
  return outcome;
}

Failure row(Duration from, Duration until, double severity = 1) {
  return {.from = from, .until = until, .severity = Ratio::from(severity)};
}

}  // namespace

TEST_CASE("a record that is compressed passes so many times as fast, from the beginning of its entry") {
  Recorded recorded;
  recorded.compress = Ratio::from(2.5);
  recorded.trace.failures = {row(10s, 11s), row(11s, 20s)};
  const auto [ends, chaos] = outcome_of(recorded, 100s, 110s);
  REQUIRE(chaos.size() == 2);
  CHECK(chaos[0].at == TimePoint{} + 104s);
  CHECK(chaos[0].until == TimePoint{} + 104400ms);
  CHECK(chaos[1].at == chaos[0].until);  // what touches goes on touching
  CHECK(chaos[1].until == TimePoint{} + 108s);
  CHECK(chaos[0].fails_after == 1s);  // of the scenario
}

TEST_CASE("rounding moves no row before an earlier one, and makes no gap between rows that touch") {
  Recorded recorded;
  recorded.compress = Ratio::from(3);
  recorded.trace.failures = {row(1ns, 5ns), row(5ns, 7ns), row(7ns, 9ns)};
  const auto chaos = outcome_of(recorded, 0s, 1s).chaos;
  REQUIRE(chaos.size() == 3);
  CHECK(chaos[0].at == TimePoint{});
  CHECK(chaos[0].until == TimePoint{} + 1ns);
  CHECK(chaos[1].at == TimePoint{} + 1ns);
  CHECK(chaos[1].until == TimePoint{} + 2ns);
  CHECK(chaos[2].until == TimePoint{} + 3ns);
}

TEST_CASE("the report counts the rows of a compressed record that come after the end") {
  Recorded recorded;
  recorded.of = "node";
  recorded.compress = Ratio::from(10);
  recorded.trace.entities = {"0"};
  recorded.trace.causes = {"disk"};
  recorded.trace.failures = {row(99s, 99s), row(100s, 101s), row(101s, 101s)};
  Scenario scenario = scenario_of({}, {{.at = 0s, .what = recorded}}, 10s);
  scenario.fleet = {{.name = "node", .count = 1}};
  Report report{scenario};
  Simulation sim{scenario, {&report}};
  REQUIRE(sim.run_to_end());
  CHECK(report.finish(sim.end()).recorded.front().beyond_end == 1);
}

TEST_CASE("the severity of a row is the share of the starts that fail while it lasts, by a draw for each") {
  const auto expected = [](std::uint64_t share) {
    const DrawKey key{{}, name_hash("node-0"), {}, 0};
    Lines ends;
    Duration at{0};
    for (std::uint64_t run = 1;; ++run) {
      const bool in_row = at >= 120s && at < 300s;
      const bool meets = in_row && (draw(key, Purpose::start_failure, run).high >> 32) < share;
      at += meets ? 1s : 2s;
      if (at > 600s) return ends;
      ends.push_back(to_string(at) + (meets ? " disk" : " simulated failure"));
    }
  };
  Recorded recorded;
  recorded.trace.failures = {row(20min, 50min, 0.25)};
  recorded.compress = Ratio::from(10);
  // Its run crashes when the row begins, if one is alive: the 61st begins in that instant, before or after it.
  recorded.mode = OutageMode::refusing;
  CHECK(outcome_of(recorded, 0s, 600s).ends == expected(std::uint64_t{1} << 30));
  recorded.failing_starts = Ratio::from(0.5);
  CHECK(outcome_of(recorded, 0s, 600s).ends == expected(std::uint64_t{1} << 29));
  recorded.failing_starts = Ratio::from(1);
  recorded.trace.failures = {row(20min, 50min)};
  const auto whole = outcome_of(recorded, 0s, 600s).ends;
  CHECK(whole == expected(std::uint64_t{1} << 32));
  CHECK(whole.size() == 60 + 180 + 150);
}

}  // namespace holdfast::simulation_test
