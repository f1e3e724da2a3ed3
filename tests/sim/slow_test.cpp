// Slow starts and stops: while they last, of a cold cache, and of what has been up for long.

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <holdfast_sim/rehearsal.hpp>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

// Ready 10 s after each start, and works until it is disturbed.
constexpr std::string_view kName = "s";

void add_slow_starter(Fixture& fixture) {
  REQUIRE(
      fixture.sim.add({.name = std::string{kName}, .policy = {.ready = Ready::notified}}, {.ready_after = Fixed{10s}}));
}

std::vector<TimePoint> ready_times(const Fixture& fixture) {
  std::vector<TimePoint> times;
  for (const auto& event : fixture.log.of(kName)) {
    if (std::holds_alternative<event::Running>(event.what)) times.push_back(event.at);
  }
  return times;
}

std::vector<TimePoint> at(std::vector<Duration> times) {
  std::vector<TimePoint> points;
  points.reserve(times.size());
  for (const Duration time : times) points.push_back(TimePoint{} + time);
  return points;
}

void crash_at(Fixture& fixture, std::vector<Duration> times) {
  for (const Duration time : times) fixture.sim.add_chaos({.at = time, .what = Storm{}});
}

}  // namespace

TEST_CASE("only a run that starts while starts are slow takes longer to be ready, even beyond the end") {
  Fixture fixture;
  add_slow_starter(fixture);
  fixture.sim.add_chaos({.at = 50s, .what = Slow{.length = 100s, .ready_after = Fixed{80s}}});
  crash_at(fixture, {100s, 300s});
  fixture.sim.run_for(400s);
  CHECK(ready_times(fixture) == at({10s, 180s, 310s}));
  REQUIRE(fixture.log.chaos().size() == 3);
  CHECK(fixture.log.chaos()[0].kind == ChaosEvent::Kind::slow);
  CHECK(fixture.log.chaos()[0].until == TimePoint{} + 150s);
}

TEST_CASE("a cold cache slows the start of what was absent for so long, and of no other") {
  Fixture fixture;
  add_slow_starter(fixture);
  fixture.sim.add_chaos({.at = 1s, .what = Slow{.ready_after = Fixed{80s}, .absent_for = 60s}});
  crash_at(fixture, {100s});                                           // back at 110 s: absent for no time
  fixture.sim.add_chaos({.at = 200s, .what = Outage{.length = 60s}});  // absent from 200 s to 260 s
  fixture.sim.add_chaos({.at = 400s, .what = Outage{.length = 59s}});  // and from 400 s to 459 s
  fixture.sim.run_for(600s);
  CHECK(ready_times(fixture) == at({10s, 110s, 340s, 469s}));
}

TEST_CASE("an absence counts from when the service was ready last, whatever has failed to start since") {
  Fixture fixture;
  add_slow_starter(fixture);
  fixture.sim.add_chaos({.at = 1s, .what = Slow{.ready_after = Fixed{80s}, .absent_for = 15s}});
  crash_at(fixture, {100s, 108s, 116s});  // the second and third run of the three were never ready
  fixture.sim.run_for(600s);
  CHECK(ready_times(fixture) == at({10s, 196s}));
}

TEST_CASE("the longer a service was up, the slower it starts") {
  Fixture fixture;
  add_slow_starter(fixture);
  fixture.sim.add_chaos({.at = 50s, .what = Slow{.ready_grows = Ratio::from(0.25)}});
  crash_at(fixture, {110s, 345s, 400s});
  fixture.sim.run_for(1000s);
  // Ready for 100 s: 25 s more; for 200 s: 50 s more; the third crash comes before that.
  CHECK(ready_times(fixture) == at({10s, 145s, 460s}));
}

TEST_CASE("a slow stop takes its time instead of none, of runs that started meanwhile") {
  Fixture fixture;
  add_slow_starter(fixture);
  fixture.sim.add_chaos({.at = 50s, .what = Slow{.length = 30s, .stop_takes = Fixed{7s}}});
  fixture.sim.add_chaos({.at = 60s, .what = OperatorCommand{.what = Command::restart}});
  fixture.sim.add_chaos({.at = 100s, .what = OperatorCommand{.what = Command::restart}});
  fixture.sim.add_chaos({.at = 200s, .what = OperatorCommand{.what = Command::restart}});
  fixture.sim.run_for(300s);
  CHECK(fixture.starts_of(kName) == at({0s, 60s, 107s, 200s}));
}

TEST_CASE("a fleet that is slow may be well, and whoever is ready has recovered") {
  auto scenario =
      scenario_of({.ready_after = Fixed{10s}},
                  {{.at = 0s, .what = Slow{.ready_after = Fixed{20s}}}, {.at = 50s, .what = Storm{}}}, 100s);
  scenario.fleet[0].policy.ready = Ready::notified;
  scenario.expect.all_running_by = 70s;
  CHECK(rehearse(scenario).all_held());
  scenario.expect.all_running_by = 70s - 1ns;
  CHECK_FALSE(rehearse(scenario).all_held());
}

}  // namespace holdfast::simulation_test
