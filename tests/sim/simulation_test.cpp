// Simulated services, chaos, budgets and the end of a run, each with exact times.

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/report/report.hpp>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

TEST_CASE("a fleet built in code: a feed that fails every ten seconds is up again after a minute") {
  EventLog log;
  Simulation sim{{.seed = {42}, .supervisor = {.shutdown_timeout = 30s}}, {&log}};
  REQUIRE(sim.add({.name = "feed"}, {.runs_for = Fixed{10s}, .then = Then::fail}));
  sim.run_for(1min);
  const auto feed = sim.supervisor().snapshot("feed");
  REQUIRE(feed);
  CHECK(feed->phase == Phase::running);
  CHECK(feed->failures == 5);
  CHECK(log.of("feed").back().run == RunNumber{6});
}

TEST_CASE("a service that recovers after a while fails at every start until then, and is well again") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{10s}, .recovers_after = Fixed{3500ms}}));
  fixture.sim.run_for(27s);
  CHECK(fixture.ends_of("s") == Lines{"10s failed simulated failure", "11s failed broken", "12s failed broken",
                                      "13s failed broken", "14s failed broken", "24s failed simulated failure",
                                      "25s failed broken", "26s failed broken", "27s failed broken"});
  REQUIRE(fixture.log.chaos().size() == 2);
  CHECK(fixture.log.chaos()[0].kind == ChaosEvent::Kind::outage);
  CHECK(fixture.log.chaos()[0].until == TimePoint{} + 13500ms);
}

TEST_CASE("only its own failure breaks a service: not a clean end, a crash or a stop") {
  const auto chaos_of = [](Behaviour behaviour, const std::function<void(Simulation&)>& disturb) {
    Fixture fixture;
    behaviour.recovers_after = Fixed{1h};
    REQUIRE(fixture.sim.add({.name = "s", .policy = {.restart = RestartPolicy::always}}, behaviour));
    fixture.sim.run_for(5s);
    disturb(fixture.sim);
    fixture.sim.run_for(10s);
    return fixture.log.chaos().size();
  };
  const auto nothing = [](Simulation&) {};
  CHECK(chaos_of({.runs_for = Fixed{10s}}, nothing) == 1);
  CHECK(chaos_of({.runs_for = Fixed{10s}, .then = Then::throw_}, nothing) == 1);
  CHECK(chaos_of({.runs_for = Fixed{10s}, .then = Then::end}, nothing) == 0);
  CHECK(chaos_of({.runs_for = Fixed{1h}}, [](Simulation& sim) { sim.end_run("s", Exit::failed("crash")); }) == 0);
  CHECK(chaos_of({.runs_for = Fixed{1h}}, [](Simulation& sim) { REQUIRE(sim.supervisor().restart("s")); }) == 0);
}

// Up for an hour, broken for ten minutes, both on average: an alternating renewal process. Trying again takes a second.
TEST_CASE("a fleet that breaks and recovers is up for the share of time that renewal theory says") {
  auto scenario = scenario_of({.runs_for = Exponential{1h}, .recovers_after = Exponential{10min}}, {},
                              24h * (HOLDFAST_SLOW_BUILD ? 200 : 2000));
  scenario.budget.events = 100'000'000;
  Report report{scenario};
  Simulation sim{scenario, {&report}};
  REQUIRE(sim.run_to_end());
  const auto availability = report.finish(sim.end()).fleet.availability;
  CHECK(static_cast<double>(availability.up) / static_cast<double>(availability.time) ==
        Approx(6.0 / 7).epsilon(HOLDFAST_SLOW_BUILD ? 0.015 : 0.005));
}

const ServicePolicy kSaysWhenReady{.ready = Ready::notified};

TEST_CASE("a run is ready after its time, in its start if it has none, and its length counts from then") {
  Fixture fixture;
  REQUIRE(
      fixture.sim.add({.name = "slow", .policy = kSaysWhenReady}, {.runs_for = Fixed{10s}, .ready_after = Fixed{4s}}));
  REQUIRE(fixture.sim.add({.name = "fast", .policy = kSaysWhenReady}, {.runs_for = Fixed{10s}}));
  fixture.sim.run_for(4s - 1ns);
  CHECK(fixture.of("slow").phase == Phase::starting);
  CHECK(fixture.of("fast").phase == Phase::running);
  fixture.sim.run_for(1ns);
  CHECK(fixture.of("slow").phase == Phase::running);
  fixture.sim.run_for(1min);
  CHECK(fixture.ends_of("slow").front() == "14s failed simulated failure");
  CHECK(fixture.ends_of("fast").front() == "10s failed simulated failure");
}

TEST_CASE(
    "how long a run takes to be ready is drawn anew for each run, and means nothing to one that is ready at once") {
  Fixture fixture;
  ServicePolicy impatient = kSaysWhenReady;
  impatient.start_timeout = 2s;
  REQUIRE(fixture.sim.add({.name = "s", .policy = impatient}, {.ready_after = Exponential{20s}}));
  REQUIRE(fixture.sim.add({.name = "at once"}, {.runs_for = Fixed{10s}, .ready_after = Fixed{4s}}));
  fixture.sim.run_for(1h);
  CHECK(fixture.of("s").phase == Phase::running);
  CHECK(fixture.of("s").failed_starts > 0);
  CHECK(fixture.ends_of("s").front() == "2s failed not ready within 2s");
  CHECK(fixture.ends_of("at once").front() == "10s failed simulated failure");
}

TEST_CASE("runs that fail anyway are never ready, and a hang delays a start until its end") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "first", .policy = kSaysWhenReady}, {.fails_first = {2, 1s}}));
  fixture.sim.run_for(1min);
  CHECK(fixture.of("first").failed_starts == 2);

  auto scenario = scenario_of({.ready_after = Fixed{4s}}, {{2s, HangWindow{.length = 1min}}}, 10min);
  scenario.fleet.front().policy = kSaysWhenReady;
  EventLog log;
  Simulation hung{scenario, {&log}};
  hung.run_to_end();
  CHECK(log.lines_of("s").back() == "1min2s s#1 running");
  scenario.fleet.front().policy.start_timeout = 10s;  // nobody hangs who is stopped, but it does not obey either
  EventLog timed;
  Simulation stopped{scenario, {&timed}};
  stopped.run_to_end();
  CHECK(timed.lines_of("s").at(2) == "10s s#1 stopping start_timeout");
}

TEST_CASE("a run that waits for a resource is not ready, and takes its time once it has that") {
  Fixture fixture;
  fixture.sim.add_resource({.name = "db", .takes = Fixed{3s}});
  const Behaviour behaviour{.needs = Need{.resource = "db"}, .ready_after = Fixed{1s}};
  REQUIRE(fixture.sim.add({.name = "a", .policy = kSaysWhenReady}, behaviour));
  REQUIRE(fixture.sim.add({.name = "b", .policy = kSaysWhenReady}, behaviour));
  fixture.sim.run_for(1min);
  const auto ready_at = [&](const char* name) { return fixture.log.lines_of(name).back(); };
  CHECK(ready_at("a") == "4s a#1 running");
  CHECK(ready_at("b") == "7s b#1 running");
}

TEST_CASE("a start on a host that is off is not given up") {
  auto scenario =
      scenario_of({.ready_after = Fixed{4s}}, {{2s, Outage{.length = 1min, .mode = OutageMode::gone}}}, 10min);
  scenario.fleet.front().policy = kSaysWhenReady;
  scenario.fleet.front().policy.start_timeout = 10s;
  EventLog log;
  Simulation sim{scenario, {&log}};
  sim.run_to_end();
  CHECK(sim.supervisor().counters().failures == 0);
  CHECK(log.lines_of("s").back() == "1min6s s#2 running");
}

// Runs that hang by themselves after 10 s, under a watchdog of 4 s, and can be killed after 1 s.
FleetGroup hangs_after_10s(SignOfLife needs, HungHeartbeats heartbeats) {
  return {.name = "s",
          .policy = {.stop_grace = 1s, .watchdog = 4s, .watchdog_needs = needs},
          .behaviour = {.runs_for = Fixed{10s},
                        .then = Then::hang,
                        .on_kill = Obeys{},
                        .heartbeat_every = 3s,
                        .hang_heartbeats = heartbeats}};
}

TEST_CASE("a simulated service gives signs of life while it is well, and its watchdog finds it when it hangs") {
  for (const auto& [needs, heartbeats, found] : {std::tuple{SignOfLife::heartbeat, HungHeartbeats::stop, true},
                                                 std::tuple{SignOfLife::heartbeat, HungHeartbeats::go_on, false},
                                                 std::tuple{SignOfLife::progress, HungHeartbeats::stop, true},
                                                 std::tuple{SignOfLife::progress, HungHeartbeats::go_on, true}}) {
    Scenario scenario{.name = "x", .duration = 20s, .fleet = {hangs_after_10s(needs, heartbeats)}};
    EventLog log;
    Checks checks;
    Simulation sim{scenario, {&log, &checks}};
    sim.run_to_end();
    checks.finish(sim.end());
    CAPTURE(to_string(needs), to_string(heartbeats));
    CHECK(checks.held());
    const Lines lines = log.lines_of("s");
    CHECK((std::count(lines.begin(), lines.end(), "13s s#1 stopping watchdog") == 1) == found);  // 4 s after 9 s
    CHECK((sim.supervisor().counters().hangs > 0) == found);
    CHECK(sim.supervisor().counters().killed_runs == sim.supervisor().counters().hangs);
  }
}

TEST_CASE("without a word about them heartbeats come twice in the length of a watchdog, from when a run is ready") {
  Scenario scenario{.name = "x", .duration = 1h, .fleet = {{.name = "s", .policy = {.watchdog = 4s}}}};
  scenario.fleet.front().policy.ready = Ready::notified;
  scenario.fleet.front().behaviour.ready_after = Fixed{1min};
  EventLog log;
  Simulation sim{scenario, {&log}};
  sim.run_to_end();
  CHECK(sim.supervisor().counters().hangs == 0);
  CHECK(log.chaos().size() == 1);
  CHECK(log.chaos().front().kind == ChaosEvent::Kind::heard);
  CHECK(log.chaos().front().at == TimePoint{} + 62s);
}

TEST_CASE("a hang that ends before the watchdog does is nobody's business, and a longer one is") {
  for (const auto& [length, hangs] : {std::pair{3s, 0U}, std::pair{8s, 1U}}) {
    Scenario scenario{.name = "x",
                      .duration = 1min,
                      .fleet = {{.name = "s",
                                 .policy = {.stop_grace = 1s, .watchdog = 4s},
                                 .behaviour = {.on_kill = Obeys{}, .heartbeat_every = 1s}}},
                      .chaos = {{10500ms, HangWindow{.length = length}}}};
    EventLog log;
    Checks checks;
    Simulation sim{scenario, {&log, &checks}};
    sim.run_to_end();
    checks.finish(sim.end());
    CHECK(checks.held());
    CHECK(sim.supervisor().counters().hangs == hangs);
    CHECK(sim.supervisor().snapshot("s")->phase == Phase::running);
  }
}

TEST_CASE("a run on a host that is off does not hang: its supervisor is off, too") {
  Scenario scenario{.name = "x",
                    .duration = 10min,
                    .fleet = {{.name = "s", .policy = {.watchdog = 4s}}},
                    .chaos = {{1min, Outage{.length = 5min, .mode = OutageMode::gone}}}};
  Simulation sim{scenario, {}};
  sim.run_to_end();
  CHECK(sim.supervisor().counters().hangs == 0);
}

TEST_CASE("each way in which a run can end by itself arrives as that way") {
  const auto end = [](Then then) {
    Fixture fixture;
    REQUIRE(fixture.sim.add({.name = "s", .policy = {.restart = RestartPolicy::never}},
                            {.runs_for = Fixed{3s}, .then = then}));
    fixture.sim.run_for(1min);
    return fixture.ends_of("s");
  };
  CHECK(end(Then::end) == Lines{"3s clean "});
  CHECK(end(Then::fail) == Lines{"3s failed simulated failure"});
  CHECK(end(Then::fatal) == Lines{"3s fatal simulated fatal error"});
  CHECK(end(Then::throw_) == Lines{"3s threw simulated exception"});
  CHECK(end(Then::hang) == Lines{});
}

TEST_CASE("a run of no length ends, or throws, inside its own start") {
  for (const auto then : {Then::end, Then::fail, Then::fatal, Then::throw_}) {
    Fixture fixture;
    REQUIRE(fixture.sim.add({.name = "s", .policy = {.restart = RestartPolicy::never}},
                            {.runs_for = Fixed{0s}, .then = then}));
    fixture.sim.run_for(1s);
    CHECK(fixture.ends_of("s").size() == 1);
    CHECK(fixture.of("s").phase == Phase::terminated);
  }
}

TEST_CASE("a service fails in its first runs and is healthy afterwards") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.fails_first = {.runs = 2, .after = 5s}}));
  fixture.sim.run_for(1h);
  CHECK(fixture.ends_of("s") == Lines{"5s failed simulated failure at first", "10s failed simulated failure at first"});
  CHECK(fixture.of("s").phase == Phase::running);
}

TEST_CASE("asked to stop, a service obeys at once, takes its time, or ignores it") {
  Fixture fixture{{.shutdown_timeout = 30s}};
  REQUIRE(fixture.sim.add({.name = "obeys"}));
  REQUIRE(fixture.sim.add({.name = "takes"}, {.on_stop = Takes{Fixed{7s}}}));
  REQUIRE(fixture.sim.add({.name = "ignores"}, {.on_stop = Ignores{}}));
  REQUIRE(fixture.sim.add({.name = "ends anyway"}, {.runs_for = Fixed{15s}, .then = Then::end, .on_stop = Ignores{}}));
  fixture.sim.run_for(10s);
  fixture.sim.supervisor().request_shutdown();
  fixture.sim.run_for(1min);
  CHECK(fixture.ends_of("obeys") == Lines{"10s clean "});
  CHECK(fixture.ends_of("takes") == Lines{"17s clean "});
  CHECK(fixture.ends_of("ignores") == Lines{});
  CHECK(fixture.ends_of("ends anyway") == Lines{"15s clean "});
  CHECK(fixture.sim.supervisor().shutdown_result()->abandoned == Lines{"ignores"});
}

TEST_CASE("killed, a service ends at once, takes its time, or lives on, also when it hangs") {
  Fixture fixture{{.shutdown_timeout = 1min, .stop_grace = 10s}};
  REQUIRE(fixture.sim.add({.name = "dies"}, {.on_stop = Ignores{}, .on_kill = Obeys{}}));
  REQUIRE(fixture.sim.add({.name = "takes"}, {.on_stop = Takes{Fixed{1h}}, .on_kill = Takes{Fixed{7s}}}));
  REQUIRE(fixture.sim.add({.name = "lives on"}, {.on_stop = Ignores{}, .on_kill = Ignores{}}));
  REQUIRE(fixture.sim.add({.name = "deaf"}, {.on_stop = Ignores{}}));
  REQUIRE(fixture.sim.add({.name = "hung"}, {.on_kill = Takes{Fixed{1s}}}));
  REQUIRE(fixture.sim.add({.name = "obeys"}, {.on_kill = Ignores{}}));
  fixture.sim.run_for(1s);
  CHECK(fixture.sim.hang_run("hung"));
  fixture.sim.supervisor().request_shutdown();
  fixture.sim.run_for(1min);
  CHECK(fixture.ends_of("dies") == Lines{"11s failed simulated kill"});
  CHECK(fixture.ends_of("takes") == Lines{"18s failed simulated kill"});
  CHECK(fixture.ends_of("lives on") == Lines{});
  CHECK(fixture.ends_of("deaf") == Lines{});
  CHECK(fixture.ends_of("hung") == Lines{"12s failed simulated kill"});
  CHECK(fixture.ends_of("obeys") == Lines{"1s clean "});
  CHECK(to_string(*fixture.of("deaf").termination, "") == "abandoned after 10s");
  CHECK(to_string(*fixture.of("lives on").termination, "") == "abandoned after 20s");
  CHECK(fixture.sim.supervisor().counters().killed_runs == 4);
  CHECK(fixture.sim.supervisor().shutdown_result()->outcome == DrainOutcome::drained);
}

TEST_CASE("a run that is ended by hand ends now, and one that is hung neither ends nor obeys") {
  Fixture fixture{{.shutdown_timeout = 5s}};
  REQUIRE(fixture.sim.add({.name = "ended", .policy = {.restart = RestartPolicy::never}}));
  REQUIRE(fixture.sim.add({.name = "hung"}, {.runs_for = Fixed{3s}, .then = Then::end}));
  CHECK_FALSE(fixture.sim.end_run("ended", Exit::clean()));  // not started yet
  fixture.sim.run_for(1s);
  CHECK(fixture.sim.end_run("ended", Exit::failed("by hand")));
  CHECK_FALSE(fixture.sim.end_run("ended", Exit::clean()));
  CHECK(fixture.sim.hang_run("hung"));
  CHECK_FALSE(fixture.sim.hang_run("nobody"));
  fixture.sim.run_for(1min);
  CHECK(fixture.ends_of("ended") == Lines{"1s failed by hand"});
  CHECK(fixture.of("hung").phase == Phase::running);
  fixture.sim.supervisor().request_shutdown();
  fixture.sim.run_for(1min);
  CHECK(to_string(*fixture.of("hung").termination, "") == "abandoned after 5s");
  CHECK(fixture.sim.end_run("hung", Exit::failed("at last")));
  fixture.sim.run_for(0s);
  CHECK(describe(fixture.log.of("hung").back()).find("ended_late") != std::string::npos);
}

TEST_CASE("run_until with a condition stops at the timer that fulfils it") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{10s}, .then = Then::fail}));
  auto& sim = fixture.sim;
  CHECK(sim.run_until([&] { return sim.supervisor().counters().failures == 3; }, TimePoint{} + 1h));
  CHECK(sim.now() == TimePoint{} + 30s);
  CHECK_FALSE(sim.run_until([] { return false; }, TimePoint{} + 1min));
}

TEST_CASE("a storm crashes the runs that are alive, once") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "a"}));
  REQUIRE(fixture.sim.add({.name = "b"}));
  REQUIRE(fixture.sim.add({.name = "done", .policy = {.restart = RestartPolicy::never}},
                          {.runs_for = Fixed{1s}, .then = Then::end}));
  fixture.sim.add_chaos({.at = 10s, .what = Storm{{.of = {"a", "done"}}}});
  fixture.sim.run_for(1min);
  CHECK(fixture.ends_of("a") == Lines{"10s failed storm"});
  CHECK(fixture.ends_of("b") == Lines{});
  REQUIRE(fixture.log.chaos().size() == 1);
  CHECK(fixture.log.chaos().front().name == "a");
}

TEST_CASE("a storm hits each service by a draw of its own, about as many as its share says") {
  Scenario scenario = scenario_of({}, {{.at = 1s, .what = Storm{{.of = {"many"}, .share = Target::kWhole / 4}}}}, 2s);
  scenario.fleet.push_back({.name = "many", .count = 1000});
  const auto hit = [&](const Scenario& one) {
    EventLog log;
    Simulation sim{one, {&log}};
    sim.run_to_end();
    Lines names;
    for (const auto& chaos : log.chaos()) names.emplace_back(chaos.name);
    return names;
  };
  const Lines of_1000 = hit(scenario);
  CHECK(of_1000.size() > 180);  // 250 expected, standard deviation 13.7
  CHECK(of_1000.size() < 320);
  scenario.fleet.back().count = 500;
  const Lines of_500 = hit(scenario);
  CHECK(std::equal(of_500.begin(), of_500.end(), of_1000.begin()));  // the others' luck is their own
}

TEST_CASE(
    "each storm of a scenario draws anew: a service that one storm hit is as likely as any to be hit by the next") {
  const Storm half{{.share = Target::kWhole / 2}};
  Scenario scenario = scenario_of({}, {{.at = 1s, .what = half}, {.at = 2s, .what = half}}, 3s);
  scenario.fleet = {{.name = "many", .count = 1000}};
  Simulation sim{scenario};
  sim.run_to_end();
  std::vector<int> by_hits(3);
  for (const auto& service : sim.supervisor().snapshots()) ++by_hits.at(service.failures);
  // A quarter, a half, a quarter expected: 250, 500 and 250, with standard deviations of 13.7, 15.8 and 13.7.
  CHECK((by_hits[0] > 180 && by_hits[0] < 320));
  CHECK((by_hits[1] > 420 && by_hits[1] < 580));
  CHECK((by_hits[2] > 180 && by_hits[2] < 320));
}

TEST_CASE("an outage crashes what runs, fails what starts before its end, and lets go of what starts at its end") {
  SupervisorConfig config = at_once();
  config.backoff.clean_restart_delay = 0ns;
  Fixture fixture{config};
  REQUIRE(fixture.sim.add({.name = "s"}));
  fixture.sim.add_chaos({.at = 10s, .what = Outage{.length = 4s, .fails_after = 1s}});
  fixture.sim.run_for(1h);
  CHECK(fixture.ends_of("s") ==
        Lines{"10s failed outage", "11s failed outage", "12s failed outage", "13s failed outage", "14s failed outage"});
  CHECK(fixture.of("s").phase == Phase::running);
  CHECK(fixture.starts_of("s").back() == TimePoint{} + 14s);
  REQUIRE(fixture.log.chaos().size() == 1);
  CHECK(fixture.log.chaos().front().until == TimePoint{} + 14s);
}

TEST_CASE("outages that overlap keep a service down until the last ends, failing as in the one that began last") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}));
  fixture.sim.add_chaos({.at = 10s, .what = Outage{.length = 10s, .fails_after = 3s}});
  fixture.sim.add_chaos({.at = 14s, .what = Outage{.length = 2s, .fails_after = 2s}});
  fixture.sim.run_for(1h);
  CHECK(fixture.starts_of("s").back() == TimePoint{} + 20s);
  CHECK(fixture.ends_of("s") == Lines{"10s failed outage", "13s failed outage", "14s failed outage",
                                      "16s failed outage", "18s failed outage", "20s failed outage"});
}

TEST_CASE("what falls due in a hang window happens at its end") {
  Fixture fixture{{.shutdown_timeout = 1min, .backoff = at_once().backoff}};
  REQUIRE(fixture.sim.add({.name = "ends"}, {.runs_for = Fixed{12s}, .then = Then::fail}));
  REQUIRE(fixture.sim.add({.name = "stops"}));
  REQUIRE(fixture.sim.add({.name = "stops slowly"}, {.on_stop = Takes{Fixed{2s}}}));
  fixture.sim.add_chaos({.at = 10s, .what = HangWindow{.length = 10s}});
  fixture.sim.add_chaos({.at = 15s, .what = Shutdown{}});
  fixture.sim.run_for(1h);
  CHECK(fixture.ends_of("ends") == Lines{"20s clean "});  // asked to stop before it could fail
  CHECK(fixture.ends_of("stops") == Lines{"20s clean "});
  CHECK(fixture.ends_of("stops slowly") == Lines{"22s clean "});
}

TEST_CASE("a run that falls due in a hang window ends as it would have, at the window's end") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{12s}, .then = Then::fail}));
  fixture.sim.add_chaos({.at = 10s, .what = HangWindow{.length = 10s}});
  fixture.sim.run_for(33s);
  CHECK(fixture.ends_of("s") == Lines{"20s failed simulated failure", "32s failed simulated failure"});
}

TEST_CASE("hang windows that overlap last until the last of them ends, whichever began last") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{13s}, .then = Then::fail}));
  fixture.sim.add_chaos({.at = 10s, .what = HangWindow{.length = 20s}});
  fixture.sim.add_chaos({.at = 12s, .what = HangWindow{.length = 2s}});
  fixture.sim.run_for(40s);
  CHECK(fixture.ends_of("s") == Lines{"30s failed simulated failure"});
}

TEST_CASE("a hang without an end lasts, for later runs too, and a crash still ends a hung run") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{5s}, .then = Then::fail}));
  fixture.sim.add_chaos({.at = 2s, .what = HangWindow{.length = std::nullopt}});
  fixture.sim.add_chaos({.at = 1min, .what = Storm{}});
  fixture.sim.run_for(1h);
  CHECK(fixture.ends_of("s") == Lines{"1min failed storm"});
  CHECK(fixture.of("s").run == RunNumber{2});
  CHECK(fixture.log.chaos().front().until == TimePoint::max());
}

TEST_CASE("each row of a recorded trace is an outage of its entity's service, with its cause") {
  Recorded recorded;
  recorded.of = "node";
  recorded.fails_after = 1s;
  recorded.trace.entities = {"0", "1"};
  recorded.trace.causes = {"disk", "power"};
  recorded.trace.failures = {{.entity = 0, .cause = 0, .from = 10s, .until = 12s},
                             {.entity = 1, .cause = 1, .from = 11s, .until = 11s}};
  Scenario scenario = scenario_of({}, {{.at = 100s, .what = recorded}}, 200s);
  scenario.fleet = {{.name = "node", .count = 3}};
  EventLog log;
  Simulation sim{scenario, {&log}};
  sim.run_to_end();
  REQUIRE(log.chaos().size() == 2);
  CHECK(log.chaos()[0].at == TimePoint{} + 110s);
  CHECK(log.chaos()[0].until == TimePoint{} + 112s);
  CHECK(log.chaos()[0].cause == "disk");
  CHECK(sim.supervisor().snapshot("node-0")->failures == 3);  // at 110, 111 and 112 s
  CHECK(sim.supervisor().snapshot("node-0")->last_error == "disk");
  CHECK(sim.supervisor().snapshot("node-1")->failures == 1);  // and up again at once
  CHECK(sim.supervisor().snapshot("node-2")->failures == 0);
}

TEST_CASE("a recorded trace without a group brings its services along") {
  Recorded recorded;
  recorded.trace.entities = {"alpha", "beta"};
  recorded.trace.causes = {"x"};
  recorded.trace.failures = {{.entity = 1, .cause = 0, .from = 1s, .until = 2s}};
  Scenario scenario = scenario_of({}, {{.what = recorded}}, 10s);
  scenario.fleet.clear();
  Simulation sim{scenario};
  sim.run_to_end();
  CHECK(sim.supervisor().service_count() == 2);
  CHECK(sim.supervisor().snapshot("beta")->failures == 2);
}

TEST_CASE("a run is finished when its duration is over, and earlier when nothing is left to happen") {
  CHECK(end_of(scenario_of({}, {}, 10s)).at == TimePoint{} + 10s);
  const auto over = end_of(scenario_of({.runs_for = Fixed{3s}, .then = Then::end}, {}, 10s));
  CHECK(over.reason == EndReason::finished);
  CHECK(over.at == TimePoint{} + 3s);
  const auto without = end_of(scenario_of({.runs_for = Fixed{3s}, .then = Then::end}, {}, std::nullopt));
  CHECK(without.reason == EndReason::finished);
  CHECK(without.at == TimePoint{} + 3s);
}

TEST_CASE("everything that is due in the last instant of a run happens") {
  Scenario scenario = scenario_of({.runs_for = Fixed{5s}, .then = Then::fail}, {}, 10s);
  CHECK(end_of(scenario).counters.failures == 2);
}

TEST_CASE("a run stalls when nothing is left to do and services still wait") {
  // Without a duration a healthy service would be waited for, for ever.
  const auto end = end_of(scenario_of({}, {}, std::nullopt));
  CHECK(end.reason == EndReason::stalled);
  CHECK(end.at == TimePoint{});
}

TEST_CASE("a stop that is never obeyed ends with the shutdown_timeout where the service has no grace of its own") {
  Scenario scenario = scenario_of({.on_stop = Ignores{}}, {}, 1min);
  Simulation sim{scenario};
  sim.run_for(1s);
  REQUIRE(sim.supervisor().stop("s"));
  sim.run_for(30s - 1ns);
  CHECK(sim.supervisor().snapshot("s")->phase == Phase::stopping);
  sim.run_for(1ns);
  CHECK(sim.supervisor().snapshot("s")->termination->reason == Termination::Reason::abandoned);
  REQUIRE(sim.run_to_end());
  CHECK(sim.end().reason == EndReason::finished);
}

TEST_CASE("budgets cut a run off exactly where they say") {
  Scenario endless = scenario_of({.runs_for = Fixed{1s}, .then = Then::fail}, {}, std::nullopt);
  endless.budget = {.events = 7};
  CHECK(end_of(endless).reason == EndReason::events_budget);
  CHECK(end_of(endless).timers_fired == 7);
  endless.budget = {.virtual_time = 10s};
  CHECK(end_of(endless).reason == EndReason::time_budget);
  CHECK(end_of(endless).at == TimePoint{} + 10s);
  // A budget that is just enough is enough.
  Scenario ends = scenario_of({.runs_for = Fixed{1s}, .then = Then::end}, {}, std::nullopt);
  ends.budget = {.events = 1, .virtual_time = 1s};
  CHECK(end_of(ends).reason == EndReason::finished);
}

TEST_CASE("running in slices is the same as running at once") {
  Scenario scenario = scenario_of({.runs_for = Exponential{1s}, .then = Then::fail}, {}, 1min);
  scenario.supervisor = {};
  const auto whole = end_of(scenario);
  Simulation sliced{scenario};
  std::uint64_t slices = 1;
  while (!sliced.run_to_end(1)) ++slices;
  CHECK(sliced.end() == whole);
  CHECK(slices >= whole.timers_fired);
}

TEST_CASE("a service that was removed can be added again, and chaos finds the new one") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}));
  fixture.sim.add_chaos({.at = 10s, .what = Storm{{.of = {"s"}}}});
  fixture.sim.add_chaos({.at = 20s, .what = Storm{{.of = {"s"}}}});
  fixture.sim.run_for(5s);
  REQUIRE(fixture.sim.supervisor().remove("s"));
  fixture.sim.run_for(10s);
  CHECK(fixture.log.chaos().empty());
  REQUIRE(fixture.sim.add({.name = "s"}));
  fixture.sim.run_for(10s);
  CHECK(fixture.log.chaos().size() == 1);
  CHECK(fixture.of("s").failures == 1);
}

TEST_CASE("an observer may add services while chaos goes round") {
  // Story: the list of services was moved from under the chaos that walked over it.
  class Adder final : public Observer {
   public:
    void on_event(const Event&) override {}
    void on_chaos(const ChaosEvent&) override {
      for (int i = 0; i < 100; ++i)
        CHECK(sim->add({.name = "extra-" + std::to_string(sim->supervisor().service_count())}));
    }
    Simulation* sim = nullptr;
  };
  Adder adder;
  Simulation sim{{.seed = {1}, .supervisor = at_once()}, {&adder}};
  adder.sim = &sim;
  for (int i = 0; i < 10; ++i) REQUIRE(sim.add({.name = "s-" + std::to_string(i)}));
  sim.add_chaos({.at = 1s, .what = Outage{.length = 1s, .fails_after = 1s}});
  sim.run_for(10s);
  CHECK(sim.supervisor().service_count() == 1010);
  CHECK(sim.supervisor().counters().failures == 20);
}

TEST_CASE("running past the end by hand is no harm to the end") {
  Simulation sim{scenario_of({}, {}, 10s)};
  sim.run_for(20s);
  REQUIRE(sim.run_to_end());
  CHECK(sim.end().reason == EndReason::finished);
  CHECK(sim.end().at == TimePoint{} + 20s);
}

TEST_CASE("time that is let pass by hand ends with its budget") {
  Fixture fixture{at_once(), {.events = 3, .virtual_time = 5s}};
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{2s}, .then = Then::fail}));
  fixture.sim.run_for(3s);
  CHECK(fixture.sim.now() == TimePoint{} + 3s);
  fixture.sim.run_for(1h);
  CHECK(fixture.sim.now() == TimePoint{} + 4s);  // the third timer
  Fixture other{at_once(), {.virtual_time = 5s}};
  REQUIRE(other.sim.add({.name = "s"}, {.runs_for = Fixed{2s}, .then = Then::fail}));
  other.sim.run_for(1h);
  CHECK(other.sim.now() == TimePoint{} + 5s);
}

}  // namespace holdfast::simulation_test
