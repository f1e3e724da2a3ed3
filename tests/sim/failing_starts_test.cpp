// Starts that fail while the runs that live go on, and outages in which only some starts fail.

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <holdfast/random.hpp>
#include <holdfast_sim/checks/expectations.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/report/report.hpp>
#include <holdfast_sim/stage/detail/simulated_service.hpp>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

constexpr OutageMode kRefusing = OutageMode::refusing;

ReportData report_of(const Scenario& scenario) {
  Report report{scenario};
  Simulation sim{scenario, {&report}};
  REQUIRE(sim.run_to_end());
  return report.finish(sim.end());
}

// Whether this run of the service is one that fails.
bool is_drawn(Simulation& sim, std::string_view service, std::uint64_t run, double share) {
  const auto key = sim.supervisor().draw_key(*sim.supervisor().id(service));
  return static_cast<double>(draw(key, Purpose::start_failure, run).high) / 0x1p64 < share;
}

}  // namespace

TEST_CASE("where starts are refused a run goes on, and once it has ended every start fails before the end") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{10s}}));
  REQUIRE(fixture.sim.add({.name = "lasts"}));
  fixture.sim.add_chaos({.at = 5s, .what = Outage{.length = 8s, .fails_after = 1s, .mode = kRefusing}});
  fixture.sim.run_for(30s);
  CHECK(fixture.ends_of("s") == Lines{"10s failed simulated failure", "11s failed outage", "12s failed outage",
                                      "13s failed outage", "23s failed simulated failure"});
  CHECK(fixture.ends_of("lasts") == Lines{});
  const auto& chaos = fixture.log.chaos();
  REQUIRE(chaos.size() == 3);
  CHECK(to_string(chaos[0].kind) == "failing_starts");
  CHECK(chaos[0].until == TimePoint{} + 13s);
  CHECK(chaos[0].fails_after == 1s);
  CHECK(chaos[1].name == "lasts");
  // From the first start that fails it is an outage.
  CHECK(chaos[2].kind == ChaosEvent::Kind::outage);
  CHECK(chaos[2].at == TimePoint{} + 10s);
  CHECK(chaos[2].until == TimePoint{} + 13s);
}

TEST_CASE("of the starts in an outage those fail whose own draw says so, about as many as the share says") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{1s}}));
  fixture.sim.add_chaos(
      {.at = 0s, .what = Outage{.length = 1h, .mode = kRefusing, .failing_starts = Ratio::from(0.25)}});
  fixture.sim.run_for(1h);
  const Lines ends = fixture.ends_of("s");
  REQUIRE(ends.size() == 3600);
  int failed = 0;
  for (std::uint64_t run = 2; run <= ends.size(); ++run) {
    const bool is_refused = ends[run - 1].ends_with("outage");
    failed += is_refused;
    if (is_refused != is_drawn(fixture.sim, "s", run, 0.25)) FAIL("run " << run);
  }
  CHECK(failed > 775);  // 900 expected, standard deviation 26
  CHECK(failed < 1025);
  for (const auto& chaos : fixture.log.chaos()) CHECK(chaos.kind == ChaosEvent::Kind::failing_starts);
}

TEST_CASE("in an outage that fails some starts the run crashes, and the first start that does not fail lives on") {
  const double share = 0.75;
  const Outage partial{.length = 1h, .fails_after = 2s, .failing_starts = Ratio::from(share)};
  auto scenario = scenario_of({}, {{.at = 10s, .what = partial}}, 2h);
  scenario.fleet[0].count = 50;
  EventLog log;
  Simulation sim{scenario, {&log}};
  REQUIRE(sim.run_to_end());
  std::uint64_t most = 0;
  for (int i = 0; i < 50; ++i) {
    const std::string name = "s-" + std::to_string(i);
    std::uint64_t expected = 1;  // the crash
    while (is_drawn(sim, name, expected + 1, share)) ++expected;
    const auto seen = *sim.supervisor().snapshot(name);
    CHECK(seen.failures == expected);
    CHECK(seen.phase == Phase::running);
    most = std::max(most, expected);
  }
  CHECK(most > 5);  // the likeliest of 50 has 13.6 on average
  const auto report = report_of(scenario);
  // Nothing of it was certain to be lost, and a run counts as up until it fails.
  CHECK(report.fleet.availability.ideal == report.fleet.availability.time);
}

TEST_CASE("windows of failing starts that overlap last until the last one ends, in the way of the one begun last") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{11s}}));
  fixture.sim.add_chaos({.at = 5s, .what = Outage{.length = 15s, .fails_after = 1s, .mode = kRefusing}});
  fixture.sim.add_chaos({.at = 8s, .what = Outage{.length = 1s, .fails_after = 4s, .mode = kRefusing}});
  fixture.sim.run_for(30s);
  CHECK(fixture.ends_of("s") ==
        Lines{"11s failed simulated failure", "15s failed outage", "19s failed outage", "23s failed outage"});
}

TEST_CASE("a host that is off starts nothing, and an outage beside it hides what its starts would come to") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}));
  fixture.sim.add_chaos({.at = 1s, .what = Outage{.length = 20s, .fails_after = 5s, .mode = kRefusing}});
  fixture.sim.add_chaos({.at = 2s, .what = Outage{.length = 3s, .mode = OutageMode::gone}});
  fixture.sim.add_chaos({.at = 9s, .what = Outage{.length = 2s, .fails_after = 3s}});
  fixture.sim.run_for(1min);
  CHECK(fixture.ends_of("s") ==
        Lines{"5s clean ", "9s failed outage", "12s failed outage", "17s failed outage", "22s failed outage"});
}

TEST_CASE("the report counts refused starts as an outage from the first of them, and what came before as up") {
  const auto scenario =
      scenario_of({.runs_for = Fixed{10s}},
                  {{.at = 5s, .what = Outage{.length = 20s, .fails_after = 1s, .mode = kRefusing}}}, 100s);
  const auto report = report_of(scenario);
  CHECK(report.fleet.availability.time == ServiceTime{100'000'000'000});
  CHECK(report.fleet.availability.ideal == ServiceTime{85'000'000'000});  // all but 10 s to 25 s
  CHECK(report.fleet.availability.up == ServiceTime{85'000'000'000});
  CHECK(report.after_outages.count == 1);
  CHECK(report.after_outages.max == 0s);
}

TEST_CASE("while starts are refused nothing counts as recovered") {
  auto scenario = scenario_of({}, {{.at = 10s, .what = Outage{.length = 40s, .mode = kRefusing}}}, 2min);
  scenario.expect.all_running_by = 45s;
  CHECK(rehearse(scenario).verdict() == RehearsalVerdict::violated);
  scenario.expect.all_running_by = 50s;
  CHECK(rehearse(scenario).verdict() == RehearsalVerdict::held);
}

TEST_CASE("an outage in which every start fails is the outage without the key, and in no other way") {
  const auto events_of = [](const Outage& outage) {
    EventLog log;
    Simulation sim{scenario_of({.runs_for = Fixed{3s}}, {{.at = 10s, .what = outage}}, 1min), {&log}};
    REQUIRE(sim.run_to_end());
    return log.lines_of("s");
  };
  const Lines whole = events_of({.length = 20s});
  CHECK(whole == events_of({.length = 20s, .failing_starts = Ratio::from(1)}));
  CHECK(whole != events_of({.length = 20s, .failing_starts = Ratio::from(0.5)}));
  CHECK(whole != events_of({.length = 20s, .mode = kRefusing}));
}

TEST_CASE("a run that starts while a fault changes it behaves so to its end, and the next one as its group") {
  VirtualScheduler scheduler;
  EventLog log;
  Sufferings sufferings;
  Pulses pulses;
  const std::vector<Observer*> observers{&log};
  const SupervisorConfig config{.backoff = {.clean_restart_delay = 1s, .breaker = std::nullopt}, .stop_grace = 20s};
  Supervisor supervisor{scheduler, config, Seed{1}, log};
  const Role role{.scheduler = scheduler,
                  .supervisor = supervisor,
                  .sufferings = sufferings,
                  .pulses = pulses,
                  .sink = log,
                  .observers = observers,
                  .behaviour = {.runs_for = Fixed{10s}, .then = Then::end},
                  .says_when_ready = true,
                  .begins_slowly = true};
  SimulatedService service{role};
  const ServicePolicy policy{.restart = RestartPolicy::always, .ready = Ready::notified};
  service.enter(supervisor.add({.name = "s", .policy = policy}, service).value().slot);
  const auto run_to = [&](Duration at) {
    scheduler.run_tasks();
    while (scheduler.fire_next(TimePoint{} + at)) {
    }
  };
  run_to(5s);
  const auto changes = [](Behaviour& mine, const LastReady&) {
    mine.ready_after = Fixed{2s};
    mine.runs_for = Fixed{4s};
    mine.then = Then::fatal;
    mine.on_stop = Takes{Fixed{3s}};
  };
  service.begin({.name = "changes", .kind = ChaosEvent::Kind::storm, .until = TimePoint{} + 12s, .changes = changes});
  run_to(14s);
  REQUIRE(supervisor.restart("s"));
  run_to(20s);
  CHECK(log.lines_of("s") == Lines{"0s s#0 added always stop_grace 20s ready when notified", "0s s#1 started",
                                   "0s s#1 running", "10s s#1 ended clean after 10s",
                                   "10s s#1 backing_off clean_exit delay 1s", "11s s#2 started", "13s s#2 running",
                                   "13s s#2 commanded restart", "13s s#2 stopping restart",
                                   "16s s#2 ended clean after 5s", "16s s#3 started", "16s s#3 running"});
}

}  // namespace holdfast::simulation_test
