// The example of the README: a restart policy rehearsed from Catch2.
#include <catch2/catch.hpp>

#include <holdfast_sim/observe/event_log.hpp>
#include <holdfast_sim/stage/simulation.hpp>

using namespace holdfast;
using namespace holdfast::sim;
using namespace std::chrono_literals;

TEST_CASE("a feed outlasts an outage of its exchange, and shuts down in order") {
  EventLog log;
  Simulation sim{{.seed = {42}, .supervisor = {.backoff = {.base = 100ms, .max = 5s, .breaker = std::nullopt}}},
                 {&log}};
  REQUIRE(sim.add({.name = "feed"}, {.runs_for = Exponential{4h}, .then = Then::fail}));
  REQUIRE(sim.add({.name = "engine"}, {.on_stop = Takes{Fixed{2s}}}));
  sim.add_chaos({.at = 1min, .what = Outage{.target = {.of = {"feed"}}, .length = 90s, .fails_after = 20ms}});

  sim.run_for(2min);  // virtual time: microseconds
  CHECK(sim.supervisor().snapshot("feed")->last_error == "outage");
  sim.run_for(1min);
  CHECK(sim.supervisor().snapshot("feed")->phase == Phase::running);

  sim.end_run("engine", Exit::failed("segmentation fault"));  // by hand
  sim.run_for(1s);
  CHECK(describe(log.of("engine").back()) == "3min39ms777us131ns engine#2 running");

  sim.supervisor().request_shutdown();
  sim.run_for(30s);
  REQUIRE(sim.supervisor().shutdown_result());
  CHECK(sim.supervisor().shutdown_result()->took == 2s);
  CHECK(sim.supervisor().counters().active_services == 0);
}
