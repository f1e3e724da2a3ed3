// Availability in the report: on histories written by hand, and in whole rehearsals.

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/present/report_text.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/report/report.hpp>

#include "report_history.hpp"

namespace holdfast::report_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;

TEST_CASE("a host that is off is down and could not have been up, and its service recovers from the end on") {
  History history{scenario_of({{.name = "feed", .count = 2}})};
  for (const std::uint32_t slot : {0U, 1U}) {
    const std::string name = "feed-" + std::to_string(slot);
    history.add(0s, slot, name);
    history.start(0s, slot, name);
  }
  history.fail(5s, 1, "feed-1");
  history.chaos(10s, 0, "feed-0", ChaosEvent::Kind::gone, at(30s));
  history.chaos(10s, 1, "feed-1", ChaosEvent::Kind::gone, at(30s));  // while it waits for its start
  history.outage(20s, 0, "feed-0", 40s);                             // it fails when it is back, up to 40 s
  for (const std::uint32_t slot : {0U, 1U}) {
    history.tell(30s, slot, "feed-" + std::to_string(slot), event::Commanded{Command::restart});
  }
  history.tell(30s, 0, "feed-0", event::Stopping{StopCause::restart});
  history.end(30s, 0, "feed-0", Outcome::clean);
  history.start(30s, 0, "feed-0");
  history.start(30s, 1, "feed-1");
  history.fail(31s, 0, "feed-0");
  history.start(45s, 0, "feed-0");
  const ReportData report = history.over(100s);
  // feed-0 is up but for 10 s to 45 s, feed-1 but for 5 s to 30 s.
  CHECK(report.fleet.availability.time == time(200s));
  CHECK(report.fleet.availability.up == time(65s + 75s));
  CHECK(report.fleet.availability.ideal == time(70s + 80s));  // nobody: 10 s to 40 s and 10 s to 30 s
  CHECK(report.fleet.availability.waiting() == time(5s + 5s));
  CHECK(report.fleet.starts == 5);
  CHECK(report.fleet.restarts == 3);
  CHECK(report.fleet.failures == 2);
  CHECK(report.fleet.clean_exits == 0);
  CHECK(report.after_outages.count == 2);
  CHECK(report.after_outages.max == 5s);
  CHECK(report.after_outages.median == 0s);
  CHECK(report.after_failures.count == 0);
  CHECK(report.after_failures.overtaken == 1);
}

TEST_CASE("a hang makes a service unavailable while it lasts, and it needs no start afterwards") {
  History history{scenario_of({{.name = "feed", .count = 2}})};
  history.add(0s, 0, "feed-0");
  history.add(0s, 1, "feed-1");
  history.start(0s, 0, "feed-0");
  history.start(0s, 1, "feed-1");
  history.chaos(10s, 0, "feed-0", ChaosEvent::Kind::hang, at(30s));
  history.chaos(50s, 1, "feed-1", ChaosEvent::Kind::hang, TimePoint::max());
  const ReportData report = history.over(100s);
  CHECK(report.fleet.availability.up == time(80s + 50s));
  CHECK(report.fleet.availability.ideal == time(80s + 50s));
  CHECK(report.after_outages.count == 0);
  CHECK(report.after_outages.never() == 0);
  CHECK(report.worst_storm.services == 0);
}

TEST_CASE("lost services go on counting as down, completed and cancelled ones stop counting") {
  History history{scenario_of({{.name = "lost"}, {.name = "done"}})};
  history.add(0s, 0, "lost");
  history.add(0s, 1, "done");
  history.start(0s, 0, "lost");
  history.start(0s, 1, "done");
  history.end(20s, 0, "lost", Outcome::failed);
  history.tell(20s, 0, "lost", event::BreakerTripped{3, 3});
  history.terminate(20s, 0, "lost", {Termination::Reason::circuit_open, 3, 3, 0s});
  history.end(30s, 1, "done", Outcome::clean);
  history.terminate(30s, 1, "done", {Termination::Reason::completed});
  history.outage(60s, 0, "lost", 70s);  // it would have been down then in any case
  const ReportData report = history.over(100s);

  REQUIRE(report.groups.size() == 2);
  CHECK(report.groups[0].availability.time == time(100s));
  CHECK(report.groups[0].availability.up == time(20s));
  CHECK(report.groups[0].availability.ideal == time(90s));
  CHECK(report.groups[0].breaker_trips == 1);
  CHECK(report.groups[0].lost() == 1);
  CHECK(report.groups[1].availability.time == time(30s));
  CHECK(report.groups[1].availability.ppm() == 1'000'000);
  CHECK(report.groups[1].clean_exits == 1);
  CHECK(report.losses.count == 1);
  CHECK(report.losses.median == at(20s));
  REQUIRE(report.first_losses.size() == 1);
  CHECK(report.first_losses[0].service == "lost");
  CHECK(report.first_losses[0].why == "circuit breaker open (3/3 failures)");
  CHECK(report.after_failures.lost == 1);
  CHECK(report.after_outages.never() == 0);
  CHECK(total(report.history, Standing::lost) == time(80s));
  CHECK(total(report.history, Standing::done) == time(70s));
}

TEST_CASE("a lost service that its policy forgets counts as down until somebody adds it again") {
  Scenario scenario = scenario_of({{.name = "lost"}, {.name = "done"}});
  scenario.duration = 100s;
  const auto report_of = [&scenario](bool by_command, std::optional<Duration> added_again, Duration end = 90s) {
    History history{scenario};
    history.add(0s, 0, "lost");
    history.add(0s, 1, "done");
    history.start(0s, 0, "lost");
    history.start(0s, 1, "done");
    history.outage(15s, 0, "lost", 25s);
    history.chaos(18s, 0, "lost", ChaosEvent::Kind::hang, at(30s));
    history.end(20s, 0, "lost", Outcome::fatal);
    history.terminate(20s, 0, "lost", {Termination::Reason::failed});
    history.end(20s, 1, "done", Outcome::clean);
    history.terminate(20s, 1, "done", {Termination::Reason::completed});
    for (const std::uint32_t slot : {0U, 1U}) {
      history.tell(20s, slot, slot == 0 ? "lost" : "done", event::Removed{.forgotten = !by_command});
    }
    if (added_again) history.add(*added_again, 0, "lost");
    if (added_again) history.start(*added_again + 10s, 0, "lost");
    return history.over(end);
  };

  const ReportData missed = report_of(false, std::nullopt);
  CHECK(missed.fleet.availability.time == time(100s + 20s));
  CHECK(missed.fleet.availability.up == time(15s + 20s));
  CHECK(missed.fleet.availability.ideal == time(15s + 70s + 20s));  // the outage and the hang last until 30 s
  CHECK(missed.fleet.availability.lost == time(70s));
  CHECK(missed.lost_at_end == 1);
  CHECK(missed.losses.count == 1);
  CHECK(missed.after_outages.lost == 1);
  CHECK(total(missed.history, Standing::lost) == time(70s));
  CHECK(total(missed.history, Standing::done) == time(0s));

  const ReportData added = report_of(false, 40s);
  CHECK(added.fleet.availability.time == time(40s + 20s + 50s));  // the other one runs until the end
  CHECK(added.fleet.availability.up == time(15s + 20s + 40s));
  CHECK(added.fleet.availability.ideal == time(15s + 10s + 20s + 50s));
  CHECK(added.fleet.availability.lost == time(10s));
  CHECK(added.fleet.services == 3);
  CHECK(added.lost_at_end == 0);
  CHECK(added.losses.count == 1);
  CHECK(added.active_at_end == 1);

  const ReportData early = report_of(false, std::nullopt, 28s);  // the hang lasts longer than the run
  CHECK(early.fleet.availability.lost == time(70s));

  const ReportData removed = report_of(true, std::nullopt);
  CHECK(removed.fleet.availability.time == time(20s + 20s));
  CHECK(removed.fleet.availability.lost == time(0s));
  CHECK(removed.lost_at_end == 0);
  CHECK(removed.losses.count == 1);
}

TEST_CASE("a hung run that is over while nobody supervises it hangs no longer") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  history.start(0s, 0, "feed");
  history.chaos(10s, 0, "feed", ChaosEvent::Kind::run_hang, TimePoint::max());
  history.chaos(20s, 0, "feed", ChaosEvent::Kind::ended_unseen, at(50s));
  history.fail(50s, 0, "feed");
  history.start(60s, 0, "feed");
  const ReportData report = history.over(100s);
  CHECK(report.fleet.availability.ideal == time(90s));  // but for 10 s to 20 s
  CHECK(report.fleet.availability.up == time(50s));
  CHECK(report.after_failures.count == 1);
  CHECK(report.after_failures.max == 40s);
}

TEST_CASE("lost services count as down up to the duration, also when the run was over before") {
  Scenario scenario = scenario_of({{.name = "feed", .count = 2}});
  scenario.duration = 100s;
  const auto report_of = [&scenario](EndReason reason, bool drained, ShutdownCause cause = ShutdownCause::requested) {
    History history{scenario};
    history.add(0s, 0, "feed-0");
    history.add(0s, 1, "feed-1");
    history.start(0s, 0, "feed-0");
    history.start(0s, 1, "feed-1");
    history.outage(10s, 0, "feed-0", 60s);  // lasts longer than the run
    history.end(10s, 0, "feed-0", Outcome::failed);
    history.terminate(20s, 0, "feed-0", {Termination::Reason::circuit_open, 3, 3, 0s});
    history.end(30s, 1, "feed-1", Outcome::clean);
    history.terminate(30s, 1, "feed-1", {Termination::Reason::completed});
    if (drained) {
      history.tell_supervisor(40s, event::ShutdownRequested{cause, 30s});
      history.tell_supervisor(40s, event::Drained{DrainOutcome::drained});
    }
    return history.over(50s, reason);
  };
  const ReportData whole = report_of(EndReason::finished, false);
  CHECK(whole.fleet.availability.time == time(100s + 30s));
  CHECK(whole.fleet.availability.up == time(10s + 30s));
  CHECK(whole.fleet.availability.ideal == time(10s + 40s + 30s));
  CHECK(whole.fleet.availability.lost == time(40s));
  CHECK(whole.fleet.availability.waiting() == time(0s));
  CHECK(whole.history.length == 50s);  // the picture ends with the run
  CHECK(whole.lost_at_end == 1);
  CHECK(whole.active_at_end == 0);
  CHECK(report_of(EndReason::stalled, false).fleet.availability.time == time(100s + 30s));
  for (const auto reason : {EndReason::events_budget, EndReason::time_budget}) {  // nobody knows what would have come
    CHECK(report_of(reason, false).fleet.availability.time == time(50s + 30s));
  }
  const ReportData drained = report_of(EndReason::finished, true);
  CHECK(drained.fleet.availability.time == time(40s + 30s));
  CHECK(drained.fleet.availability.up == time(10s + 30s));
  CHECK(drained.fleet.availability.lost == time(0s));
  // when_all_terminated = "return": a program that ends because everything in it is lost is no better than one that
  // waits.
  const ReportData returned = report_of(EndReason::finished, true, ShutdownCause::all_terminated);
  CHECK(returned.fleet.availability == whole.fleet.availability);
  CHECK(whole.counts_until == at(100s));
  CHECK(drained.counts_until == at(40s));
  CHECK(returned.counts_until == at(100s));
  scenario.duration.reset();
  CHECK(report_of(EndReason::finished, false).fleet.availability.time == time(50s + 30s));
}

TEST_CASE("a run that hangs by itself is not up until it ends, is killed, or its service is given up on") {
  Scenario scenario = scenario_of({{.name = "feed", .count = 3}});
  scenario.duration = 100s;
  History history{scenario};
  const std::vector<std::string> names{"feed-0", "feed-1", "feed-2"};
  for (std::uint32_t i = 0; i < 3; ++i) {
    history.add(0s, i, names[i]);
    history.start(0s, i, names[i]);
  }
  for (std::uint32_t i = 0; i < 3; ++i) {
    history.chaos(10s, i, names[i], ChaosEvent::Kind::run_hang, TimePoint::max());
  }
  history.tell(30s, 1, "feed-1", event::Stopping{StopCause::restart});  // killed, and started again
  history.end(40s, 1, "feed-1", Outcome::failed);
  history.start(40s, 1, "feed-1");
  history.tell(50s, 2, "feed-2", event::Stopping{StopCause::stop});
  history.terminate(70s, 2, "feed-2", {Termination::Reason::abandoned, 0, 0, 20s});
  const ReportData report = history.over(100s);
  CHECK(report.fleet.availability.time == time(300s));
  CHECK(report.fleet.availability.up == time(10s + 70s + 10s));
  CHECK(report.fleet.availability.ideal == time(10s + 70s + 40s));
  CHECK(report.fleet.availability.lost == time(30s));
  CHECK(report.fleet.availability.waiting() == time(0s));
  CHECK(report.worst_storm.services == 0);
  CHECK(total(report.history, Standing::running) == time(10s + 70s + 10s));
}

TEST_CASE("waiting and lost are counted apart, and add up to what is missing to the ideal") {
  Scenario scenario = scenario_of({{.name = "feed", .count = 2}});
  History history{scenario};
  history.add(0s, 0, "feed-0");
  history.add(0s, 1, "feed-1");
  history.start(0s, 0, "feed-0");
  history.start(0s, 1, "feed-1");
  history.fail(10s, 0, "feed-0");
  history.start(13s, 0, "feed-0");
  history.end(20s, 1, "feed-1", Outcome::failed);
  history.terminate(20s, 1, "feed-1", {Termination::Reason::failed});
  const ReportData report = history.over(100s);
  CHECK(report.fleet.availability.waiting() == time(3s));
  CHECK(report.fleet.availability.lost == time(80s));
  CHECK(report.fleet.availability.up == time(97s + 20s));
}

namespace {

RehearsalResult rehearsed(std::vector<FleetGroup> fleet, std::vector<ChaosEntry> chaos = {},
                          std::optional<BreakerPolicy> breaker = BreakerPolicy{}) {
  Scenario scenario = scenario_of(std::move(fleet));
  scenario.duration = 24h;
  scenario.supervisor.backoff.breaker = breaker;
  scenario.chaos = std::move(chaos);
  return rehearse(scenario);
}

FleetGroup failing_every_minute(std::string name) {
  return {.name = std::move(name), .behaviour = {.runs_for = Fixed{1min}, .then = Then::fail}};
}

}  // namespace

TEST_CASE("a fleet that is lost at noon was up for half of the day, one that recovers for nearly all of it") {
  const ChaosEntry outage{.at = 12h, .what = Outage{.length = 1h, .fails_after = 20ms}};
  const std::vector<FleetGroup> fleet{{.name = "feed", .count = 100}};
  const auto lost = rehearsed(fleet, {outage});
  CHECK(lost.report.end.at < at(12h + 2min));
  CHECK(lost.report.fleet.availability.time == time(24h) * 100);
  CHECK(lost.report.fleet.availability.up == time(12h) * 100);
  CHECK(lost.report.fleet.availability.ppm() == 500'000);
  CHECK(lost.report.fleet.availability.waiting() == time(0s));  // the outage lasted when they were given up on
  CHECK(lost.report.fleet.availability.lost == time(11h) * 100);
  const auto recovers = rehearsed(fleet, {outage}, std::nullopt);
  CHECK(recovers.report.fleet.availability.ppm() > 950'000);
  CHECK(recovers.report.fleet.availability.ppm() < 958'333);
  CHECK(recovers.report.fleet.availability.lost == 0);
}

TEST_CASE("machines that are off for days are down for no longer than that, and lose no service") {
  const ChaosEntry off{.at = 6h, .what = Outage{.target = {.of = {"feed-0"}}, .length = 6h, .mode = OutageMode::gone}};
  const auto run = rehearsed({{.name = "feed", .count = 2}}, {off});
  CHECK(run.all_held());
  CHECK(run.report.fleet.availability.time == time(24h) * 2);
  CHECK(run.report.fleet.availability.up == time(24h) + time(18h));
  CHECK(run.report.fleet.availability.ideal == time(24h) + time(18h));
  CHECK(run.report.fleet.availability.waiting() == time(0s));
  CHECK(run.report.fleet.failures == 0);
  CHECK(run.report.fleet.restarts == 1);
  CHECK(run.report.fleet.lost() == 0);
  CHECK(run.report.after_outages.count == 1);
  CHECK(run.report.after_outages.max == 0s);
  CHECK(run.report.worst_storm.services == 1);
  CHECK(run.report.events == 2 * 3 + 5);
}

TEST_CASE("a service that is lost early has one availability, alone and beside a healthy one") {
  const FleetGroup healthy{.name = "healthy"};
  const auto alone = rehearsed({failing_every_minute("bad")}, {}, BreakerPolicy{.max_failures = 3, .window = 1h});
  const auto beside =
      rehearsed({failing_every_minute("bad"), healthy}, {}, BreakerPolicy{.max_failures = 3, .window = 1h});
  CHECK(alone.report.end.at < at(10min));
  CHECK(beside.report.end.at == at(24h));
  CHECK(alone.report.groups[0].availability == beside.report.groups[0].availability);
  CHECK(alone.report.groups[0].availability.ppm() == 2083);  // 3 min of a day
}

TEST_CASE("a run that hangs after an hour was up for an hour of the day, as if chaos had made it hang") {
  const std::string name = "feed";
  const auto by_itself = rehearsed({{.name = name, .behaviour = {.runs_for = Fixed{1h}, .then = Then::hang}}});
  const auto by_chaos = rehearsed({{.name = name}}, {{.at = 1h, .what = HangWindow{}}});
  for (const auto* const run : {&by_itself, &by_chaos}) {
    CHECK(run->report.fleet.availability.ppm() == 41'666);
    CHECK(run->report.fleet.availability.ideal_ppm() == 41'666);
    CHECK(run->report.chaos_events == 1);
  }
}

TEST_CASE("a fleet that has lost every service gets a warning where nothing is expected") {
  const BreakerPolicy strict{.max_failures = 3, .window = 1h};
  const auto all = rehearsed({failing_every_minute("bad")}, {}, strict);
  REQUIRE(all.verdict_warnings.size() == 1);
  CHECK_THAT(all.verdict_warnings[0], Catch::StartsWith("every service was lost"));
  CHECK_THAT(report_text(all), Catch::Contains("every service was lost"));
  CHECK_THAT(report_json(all), Catch::Contains(R"("verdict_warnings":["every service was lost)"));
  CHECK(all.all_held());

  const FleetGroup done{.name = "job", .behaviour = {.runs_for = Fixed{1min}, .then = Then::end}};
  const auto some = rehearsed({failing_every_minute("bad"), done}, {}, strict);
  REQUIRE(some.verdict_warnings.size() == 1);
  CHECK_THAT(some.verdict_warnings[0], Catch::StartsWith("no service is left, and 1 were lost"));
  CHECK(rehearsed({failing_every_minute("bad"), {.name = "healthy"}}, {}, strict).verdict_warnings.empty());
  CHECK(rehearsed({done}).verdict_warnings.empty());
  Scenario expects = scenario_of({failing_every_minute("bad")});
  expects.supervisor.backoff.breaker = strict;
  expects.expect.fleet.circuit_open = CountRange{1, 1};
  CHECK(rehearse(expects).verdict_warnings.empty());
}

}  // namespace holdfast::report_test
