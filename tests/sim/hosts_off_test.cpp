// Hosts that are off for a while (`mode = "gone"`), with exact times.

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

ChaosEntry gone(Duration from, Duration length) {
  return {.at = from, .what = Outage{.length = length, .mode = OutageMode::gone}};
}

// A second between a failure and the next start, the same each time.
SupervisorConfig after_a_second(std::optional<BreakerPolicy> breaker = std::nullopt) {
  return {.backoff = {.clean_restart_delay = 1s, .breaker = breaker}};
}

}  // namespace

TEST_CASE(
    "on a host that is off nothing ends and nothing starts; at the end the service starts, and nothing has failed") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{12s}, .then = Then::fail}));
  fixture.sim.add_chaos(gone(10s, 72h));
  fixture.sim.run_until(TimePoint{} + 10s + 72h);
  CHECK(fixture.log.lines_of("s") == Lines{"0s s#0 added on_failure", "0s s#1 started", "0s s#1 running",
                                           "3d10s s#1 commanded restart", "3d10s s#1 stopping restart",
                                           "3d10s s#1 ended clean after 3d10s", "3d10s s#2 started",
                                           "3d10s s#2 running"});
  CHECK(fixture.of("s").failures == 0);
  CHECK(fixture.sim.supervisor().counters().clean_exits == 0);
  REQUIRE(fixture.log.chaos().size() == 1);
  CHECK(fixture.log.chaos().front().kind == ChaosEvent::Kind::gone);
  CHECK(fixture.log.chaos().front().until == TimePoint{} + 72h + 10s);
  fixture.sim.run_for(12s);
  CHECK(fixture.ends_of("s").back() == "3d22s failed simulated failure");  // an ordinary run
}

TEST_CASE("a service that waits for its next start when its host goes off starts when that comes back") {
  const auto waits = [](Duration from, Duration length) {
    Fixture fixture{after_a_second()};
    REQUIRE(fixture.sim.add({.name = "s", .policy = {.restart = RestartPolicy::always}},
                            {.runs_for = Fixed{10s}, .then = Then::end}));
    fixture.sim.add_chaos(gone(from, length));
    fixture.sim.run_until(TimePoint{} + from + length);
    return fixture.starts_of("s");
  };
  const auto at_first_and_at = [](Duration at) { return std::vector{TimePoint{}, TimePoint{} + at}; };
  CHECK(waits(10s, 30s) == at_first_and_at(40s));  // it goes off in the instant of the end
  CHECK(waits(10s + 500ms, 30s) == at_first_and_at(40s + 500ms));
  CHECK(waits(11s, 30s) == at_first_and_at(41s));                    // and in the instant of the start
  CHECK(waits(10s + 200ms, 300ms) == at_first_and_at(10s + 500ms));  // it boots before its second has passed
}

TEST_CASE("failures from before a host was off are forgotten") {
  const auto trips = [](std::vector<ChaosEntry> chaos) {
    Fixture fixture{{.backoff = {.base = 0ns, .max = 0ns, .breaker = BreakerPolicy{.max_failures = 3, .window = 1h}}}};
    REQUIRE(fixture.sim.add({.name = "s"}));
    for (const Duration at : {10s, 20s, 50s, 60s}) fixture.sim.add_chaos({.at = at, .what = Storm{}});
    for (auto& entry : chaos) fixture.sim.add_chaos(std::move(entry));
    fixture.sim.run_for(2min);
    return fixture.sim.supervisor().counters().circuit_breaker_trips;
  };
  CHECK(trips({}) == 1);
  CHECK(trips({gone(30s, 10s)}) == 0);
  CHECK(trips({gone(30s, 0s)}) == 0);  // no time passes, and it boots all the same
}

TEST_CASE("no storm, no outage and no hang reaches a host that is off; what lasts when it boots is met then") {
  Fixture fixture{after_a_second()};
  fixture.sim.add_chaos(gone(10s, 10s));
  fixture.sim.add_chaos({.at = 12s, .what = Storm{}});
  fixture.sim.add_chaos({.at = 20s, .what = Storm{}});  // in the instant in which it boots, but before it has
  REQUIRE(fixture.sim.add({.name = "s"}));
  fixture.sim.run_for(1min);
  CHECK(fixture.ends_of("s") == Lines{"20s clean "});
  CHECK(fixture.log.chaos().size() == 1);

  Fixture outage;
  outage.sim.add_chaos(gone(10s, 10s));
  outage.sim.add_chaos({.at = 12s, .what = Outage{.length = 10s, .fails_after = 1s}});
  REQUIRE(outage.sim.add({.name = "s"}));
  outage.sim.run_for(1min);
  CHECK(outage.ends_of("s") == Lines{"20s clean ", "21s failed outage", "22s failed outage"});

  Fixture hang;
  hang.sim.add_chaos(gone(10s, 10s));
  hang.sim.add_chaos({.at = 12s, .what = HangWindow{.length = 20s}});
  REQUIRE(hang.sim.add({.name = "s"}, {.runs_for = Fixed{9s}, .then = Then::fail}));
  hang.sim.run_for(33s);
  CHECK(hang.ends_of("s").back() == "32s failed simulated failure");
  CHECK(hang.starts_of("s")[2] == TimePoint{} + 20s);
}

TEST_CASE("of an outage and of an absence that overlap each has its own end, and while both last the host is off") {
  Fixture outage_first;
  outage_first.sim.add_chaos({.at = 10s, .what = Outage{.length = 20s, .fails_after = 4s}});
  outage_first.sim.add_chaos(gone(15s, 5s));
  REQUIRE(outage_first.sim.add({.name = "s"}));
  outage_first.sim.run_for(1min);
  CHECK(outage_first.ends_of("s") == Lines{"10s failed outage", "14s failed outage", "20s clean ", "24s failed outage",
                                           "28s failed outage", "32s failed outage"});

  Fixture ends_within;
  ends_within.sim.add_chaos({.at = 10s, .what = Outage{.length = 7s, .fails_after = 4s}});
  ends_within.sim.add_chaos(gone(15s, 5s));
  REQUIRE(ends_within.sim.add({.name = "s"}));
  ends_within.sim.run_for(1min);
  CHECK(ends_within.ends_of("s") == Lines{"10s failed outage", "14s failed outage", "20s clean "});
}

TEST_CASE("absences that overlap or touch are one, until the last of them ends") {
  for (const auto& [second, end] : {std::pair{gone(12s, 20s), 32s}, {gone(12s, 2s), 20s}, {gone(20s, 5s), 25s}}) {
    Fixture fixture;
    fixture.sim.add_chaos(gone(10s, 10s));
    fixture.sim.add_chaos(second);
    REQUIRE(fixture.sim.add({.name = "s"}));
    fixture.sim.run_for(1min);
    CHECK(fixture.starts_of("s") == std::vector{TimePoint{}, TimePoint{} + end});
  }
}

TEST_CASE(
    "what is asked to stop on a host that is off has stopped, whether it would obey, hangs or waits for a start") {
  Fixture fixture{after_a_second()};
  REQUIRE(fixture.sim.add({.name = "obeys slowly"}, {.on_stop = Takes{Fixed{10s}}}));
  REQUIRE(fixture.sim.add({.name = "ignores"}, {.on_stop = Ignores{}}));
  REQUIRE(fixture.sim.add({.name = "hangs"}, {.runs_for = Fixed{5s}, .then = Then::hang}));
  REQUIRE(fixture.sim.add({.name = "waits", .policy = {.restart = RestartPolicy::always}},
                          {.runs_for = Fixed{9500ms}, .then = Then::end}));
  fixture.sim.add_chaos(gone(10s, 72h));
  fixture.sim.add_chaos({.at = 1h, .what = Shutdown{}});
  fixture.sim.run_for(100h);
  REQUIRE(fixture.sim.supervisor().shutdown_result());
  CHECK(fixture.sim.supervisor().shutdown_result()->outcome == DrainOutcome::drained);
  CHECK(fixture.sim.supervisor().shutdown_result()->took == 0s);
  CHECK(fixture.sim.supervisor().counters().starts == 4);  // nobody boots after the shutdown
}

TEST_CASE("what is stopping when its host goes off has stopped, and what has terminated stays so") {
  Fixture fixture;
  for (const bool can_be_killed : {false, true}) {
    Behaviour deaf{.on_stop = Ignores{}};
    if (can_be_killed) deaf.on_kill = Takes{Fixed{1h}};
    REQUIRE(fixture.sim.add(
        {.name = can_be_killed ? "killed" : "deaf", .policy = {.stop_grace = can_be_killed ? 4s : 1min}}, deaf));
  }
  REQUIRE(fixture.sim.add({.name = "done"}, {.runs_for = Fixed{5s}, .then = Then::end}));
  fixture.sim.add_chaos(gone(20s, 1min));
  fixture.sim.run_for(15s);
  REQUIRE(fixture.sim.supervisor().stop("deaf"));
  REQUIRE(fixture.sim.supervisor().stop("killed"));
  fixture.sim.run_for(1h);
  CHECK(fixture.ends_of("deaf") == Lines{"20s clean "});
  CHECK(fixture.ends_of("killed") == Lines{"20s failed simulated kill"});
  CHECK(fixture.of("deaf").termination->reason == Termination::Reason::cancelled);
  CHECK(fixture.of("done").termination->reason == Termination::Reason::completed);
  CHECK(fixture.sim.supervisor().counters().starts == 3);
}

TEST_CASE("commands to a service whose host is off: a restart comes to nothing before the end, a stop is for good") {
  Fixture fixture{after_a_second()};
  for (const auto* const name : {"restarted", "stopped", "removed"}) REQUIRE(fixture.sim.add({.name = name}));
  REQUIRE(fixture.sim.add({.name = "waits", .policy = {.restart = RestartPolicy::always}},
                          {.runs_for = Fixed{9500ms}, .then = Then::end}));
  REQUIRE(fixture.sim.add({.name = "revived"}, {.runs_for = Fixed{5s}, .then = Then::end}));
  fixture.sim.add_chaos(gone(10s, 1min));
  fixture.sim.run_for(30s);
  auto& supervisor = fixture.sim.supervisor();
  CHECK_FALSE(fixture.sim.end_run("restarted", Exit::failed("no")));
  CHECK_FALSE(fixture.sim.hang_run("restarted"));
  for (const auto* const name : {"restarted", "waits", "revived"}) REQUIRE(supervisor.restart(name));
  REQUIRE(supervisor.stop("stopped"));
  REQUIRE(supervisor.remove("removed"));
  fixture.sim.run_for(1s);
  REQUIRE(fixture.sim.add({.name = "removed"}));  // another one, on a host that is on
  fixture.sim.run_for(100h);
  for (const auto* const name : {"restarted", "waits", "revived"}) {
    CAPTURE(name);
    const auto starts = fixture.starts_of(name);
    CHECK(std::count(starts.begin(), starts.end(), TimePoint{} + 70s) == 1);
  }
  CHECK(fixture.of("restarted").starts == 3);
  CHECK(fixture.of("restarted").failures == 0);
  CHECK(fixture.of("stopped").starts == 1);
  CHECK(fixture.starts_of("removed") == std::vector{TimePoint{}, TimePoint{} + 31s});
}

TEST_CASE("a service that is added while other services' hosts are off begins on a host that is on") {
  Fixture fixture;
  fixture.sim.add_chaos(gone(10s, 1h));
  fixture.sim.run_for(1min);
  REQUIRE(fixture.sim.add({.name = "late"}, {.runs_for = Fixed{5s}, .then = Then::fail}));
  fixture.sim.run_for(8s);
  CHECK(fixture.ends_of("late") == Lines{"1min5s failed simulated failure"});
}

TEST_CASE("rows of a recorded trace may be hosts that are off, with their causes") {
  Recorded recorded;
  recorded.mode = OutageMode::gone;
  recorded.trace.entities = {"a", "b"};
  recorded.trace.causes = {"disk", "power"};
  recorded.trace.failures = {{.entity = 0, .cause = 0, .from = 10s, .until = 1h},
                             {.entity = 0, .cause = 1, .from = 30min, .until = 2h},
                             {.entity = 1, .cause = 1, .from = 11s, .until = 11s}};
  const Scenario scenario = scenario_of({}, {{.what = recorded}}, 3h);
  EventLog log;
  Simulation sim{scenario, {&log}};
  sim.run_to_end();
  CHECK(log.lines_of("a").back() == "2h a#2 running");
  CHECK(log.lines_of("b").back() == "11s b#2 running");
  CHECK(sim.supervisor().counters().failures == 0);
  REQUIRE(log.chaos().size() == 3);
  CHECK(log.chaos()[2].cause == "power");
  CHECK(log.chaos()[2].fails_after == 0s);
}

TEST_CASE("machines that are down for days cost a handful of events an outage under the default policy") {
  struct Counter final : Observer {
    void on_event(const Event&) override { ++events; }
    void on_chaos(const ChaosEvent&) override {}
    std::uint64_t events = 0;
  };
  Recorded recorded;
  recorded.trace.causes = {"hardware"};
  for (std::uint32_t i = 0; i < 5; ++i) {
    recorded.trace.entities.push_back(std::to_string(i));
    for (int month = 0; month < 3; ++month) {
      const Duration from = month * 720h + i * 7h;
      recorded.trace.failures.push_back({.entity = i, .cause = 0, .from = from, .until = from + 72h});
    }
  }
  const auto faults = recorded.trace.failures.size();
  const auto events_of = [&](OutageMode mode) {
    recorded.mode = mode;
    Scenario scenario = scenario_of({}, {{.what = recorded}}, 2160h);
    scenario.supervisor = {.backoff = {.breaker = std::nullopt}};
    scenario.fleet.clear();
    Counter counter;
    Simulation sim{scenario, {&counter}};
    sim.run_to_end();
    CHECK((mode == OutageMode::failing || sim.end().timers_fired == 2 * faults));
    return counter.events - 3 * recorded.trace.entities.size();  // each is added, started and running
  };
  CHECK(events_of(OutageMode::gone) == 5 * faults);  // commanded, stopping, ended, started, running
  CHECK(events_of(OutageMode::failing) > 10'000 * faults);
}

TEST_CASE("a service that waits for its turn when its host goes off leaves the queue to the others") {
  SupervisorConfig config = after_a_second();
  config.restart_limit = RestartLimit{.every = 10s, .burst = 1};
  Fixture fixture{config};
  for (const char* const name : {"a", "b", "c"}) {
    REQUIRE(fixture.sim.add({.name = name, .policy = {.restart = RestartPolicy::always}},
                            {.runs_for = Fixed{10s}, .then = Then::end}));
  }
  ChaosEntry off = gone(12s, 1h);
  std::get<Outage>(off.what).target.of = {"b"};
  fixture.sim.add_chaos(off);
  fixture.sim.run_until(TimePoint{} + 15s);
  CHECK(fixture.sim.supervisor().counters().waiting_services == 1);  // c
  fixture.sim.run_until(TimePoint{} + 22s);
  CHECK(fixture.starts_of("a") == std::vector{TimePoint{}, TimePoint{} + 11s});
  CHECK(fixture.starts_of("c") == std::vector{TimePoint{}, TimePoint{} + 21s});
  fixture.sim.run_until(TimePoint{} + 12s + 1h);
  CHECK(fixture.starts_of("b") == std::vector{TimePoint{}, TimePoint{} + 12s + 1h});
}

TEST_CASE("what an earlier run was about to say is no sign of life of the run whose host is off") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s", .policy = {.ready = Ready::notified, .watchdog = 500ms}},
                          {.ready_after = Fixed{3s}, .heartbeat_every = 1s}));
  fixture.sim.add_chaos(gone(3800ms, 1min));  // run 1 would have beaten at 4 s
  fixture.sim.run_for(4400ms);
  const auto lines = fixture.log.lines_of("s");
  CHECK(std::count(lines.begin(), lines.end(), "3s500ms s#1 stopping watchdog") == 1);
  CHECK(std::count(lines.begin(), lines.end(), "3s800ms s#2 running") == 1);
  CHECK(std::count(lines.begin(), lines.end(), "4s300ms s#2 stopping watchdog") == 1);
}

}  // namespace holdfast::simulation_test
