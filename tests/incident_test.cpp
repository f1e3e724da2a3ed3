// A recorded run becomes a scenario: its fleet, its policies, its failures.
#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <variant>

#include <holdfast_sim/bad_input.hpp>
#include <holdfast_sim/incident.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/scenario_writer.hpp>
#include <holdfast_sim/simulation.hpp>

namespace holdfast::incident_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;

namespace {

// A run in virtual time, and the scenario that comes of it.
struct Life {
  explicit Life(SupervisorConfig config = {.backoff = {.base = 1s, .max = 1s, .breaker = std::nullopt}})
      : supervisor(config), simulation({.seed = {9}, .supervisor = config}, {&incident}) {}

  [[nodiscard]] Scenario scenario() {
    ReplayResult result{.file = "logs/monday.ndjson", .seed = {9}, .supervisor = supervisor};
    result.report.end.at = simulation.now();
    return incident.scenario(result, "monday.csv");
  }
  [[nodiscard]] std::string rows() {
    const auto files = recorded_files(scenario());
    return files.empty() ? "none" : files.front().text;
  }
  void fail(const char* service, const char* error = "lost") {
    CHECK(simulation.end_run(service, Exit::failed(error)));
  }

  SupervisorConfig supervisor;
  Incident incident;
  Simulation simulation;
};

}  // namespace

TEST_CASE("failures in a row are one outage, from the first end to the last; a run that lasted begins another") {
  Life run;
  REQUIRE(run.simulation.add({.name = "feed"}));
  run.simulation.run_for(1min);
  for (int i = 0; i < 3; ++i) {  // each run after the first is ended in its start's instant or soon after
    run.fail("feed");
    run.simulation.run_for(2s);
  }
  const auto last = run.simulation.now() - 2s;
  run.simulation.run_for(1h);
  run.fail("feed", "another\nday");
  const auto again = run.simulation.now();
  run.simulation.run_for(10s);
  CHECK(run.rows() == "entity,from,until,cause\nfeed,1min," + to_string(last) + ",lost\nfeed," + to_string(again) +
                          ',' + to_string(again) + ",another day\n");
}

TEST_CASE("a start that failed after just as long as counts for one is none") {
  for (const auto lasted : {kStartFailedWithin - 1ns, kStartFailedWithin}) {
    Life run{{.backoff = {.base = 0ns, .max = 0ns, .breaker = std::nullopt}}};
    REQUIRE(run.simulation.add({.name = "feed"}));
    run.simulation.run_for(1min);
    run.fail("feed");
    run.simulation.run_for(lasted);
    run.fail("feed");
    run.simulation.run_for(0s);
    const auto trace = std::get<Recorded>(run.scenario().chaos.front().what).trace;
    CHECK(trace.failures.size() == (lasted < kStartFailedWithin ? 1 : 2));
  }
}

TEST_CASE("the scenario has the run's name, seed, time, policies and shutdown") {
  Life run;
  REQUIRE(run.simulation.add({.name = "feed", .restart = RestartPolicy::always}));
  run.simulation.run_for(5s);
  run.simulation.supervisor().request_shutdown();
  run.simulation.run_for(1s);
  const auto scenario = run.scenario();
  CHECK(scenario.name == "incident monday");
  CHECK(scenario.seed == Seed{9});
  CHECK(scenario.duration == Duration{6s});
  CHECK(scenario.supervisor == run.supervisor);
  REQUIRE(scenario.chaos.size() == 1);
  CHECK(scenario.chaos.front() == ChaosEntry{5s, Shutdown{}});
  CHECK(scenario.fleet == std::vector{FleetGroup{.name = "feed", .restart = RestartPolicy::always}});
}

TEST_CASE("alike services with numbers from 0 on become one group, all others stand by themselves") {
  Life run;
  const BackoffPolicy own{.base = 5s};
  for (const char* const name : {"feed-0", "feed-1", "engine", "feed-2", "desk-0", "desk-1", "desk-2", "x-1", "y-0"}) {
    ServiceConfig config{.name = name};
    if (std::string_view{name} == "desk-2") config.backoff = own;
    REQUIRE(run.simulation.add(config));
  }
  run.simulation.run_for(1s);
  const std::vector<FleetGroup> expected{
      {.name = "feed", .count = 2},       {.name = "engine"}, {.name = "feed-2"}, {.name = "desk", .count = 2},
      {.name = "desk-2", .backoff = own}, {.name = "x-1"},    {.name = "y-0"}};
  CHECK(run.scenario().fleet == expected);
}

TEST_CASE("a service that was abandoned does not obey in the scenario either") {
  Life run;
  REQUIRE(run.simulation.add({.name = "deaf"}, {.on_stop = Ignores{}}));
  run.simulation.run_for(1s);
  run.simulation.supervisor().request_shutdown();
  run.simulation.run_for(1min);
  CHECK(run.scenario().fleet.front().behaviour.on_stop == OnStop{Ignores{}});
}

TEST_CASE("what has no place in a scenario is counted") {
  Life run;
  REQUIRE(run.simulation.add({.name = "a,b"}));
  REQUIRE(run.simulation.add({.name = "feed", .restart = RestartPolicy::always}));
  REQUIRE(run.simulation.add({.name = "risk"}));
  run.simulation.run_for(1s);
  CHECK(run.incident.left_out().empty());
  run.fail("a,b");
  CHECK(run.simulation.end_run("feed", Exit::clean()));
  CHECK(run.simulation.end_run("risk", Exit::fatal("no")));
  CHECK(run.simulation.supervisor().restart("a,b"));
  run.simulation.run_for(1s);
  CHECK(run.incident.left_out() ==
        std::vector<std::string>{"1 command from outside: stop, restart or remove",
                                 "1 clean exit: runs that ended without an error and unasked",
                                 "1 fatal error: in the scenario the run fails like any other",
                                 "1 service whose name cannot stand in a recorded trace: the failures"});
  CHECK(run.rows() == "entity,from,until,cause\nrisk,1s,1s,no\n");
}

TEST_CASE("the scenario of an outage is rehearsed: the same services are down at the same times") {
  Life run;
  for (int i = 0; i < 5; ++i) REQUIRE(run.simulation.add({.name = "feed-" + std::to_string(i)}));
  run.simulation.add_chaos({.at = 1min, .what = Outage{.target = {}, .length = 30s, .fails_after = 20ms}});
  run.simulation.run_for(5min);
  const auto scenario = run.scenario();
  CHECK(std::get<Recorded>(scenario.chaos.front().what).fails_after == Duration{20ms});
  CHECK_NOTHROW(scenario_text(scenario));
  const auto rehearsed = rehearse(scenario);
  CHECK(rehearsed.all_held());
  CHECK(rehearsed.report.after_outages.count == 5);
  const auto failures = run.simulation.supervisor().counters().failures;
  CHECK(failures > 100);
  CHECK(rehearsed.report.fleet.failures > failures * 9 / 10);
  CHECK(rehearsed.report.fleet.failures < failures * 11 / 10);
}

}  // namespace holdfast::incident_test
