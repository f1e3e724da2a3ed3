// Hangs that differ: of what starts only, and of what is asked to stop only.

#include <catch2/catch.hpp>

#include <string>
#include <variant>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

// "10s failed": the ends of its runs, and when it was ready.
Lines course_of(const Fixture& fixture) {
  Lines lines;
  for (const auto& event : fixture.log.of("s")) {
    const std::string at = to_string(event.at) + ' ';
    if (std::holds_alternative<event::Running>(event.what)) lines.push_back(at + "running");
    if (const auto* const ended = std::get_if<event::Ended>(&event.what))
      lines.push_back(at + std::string{to_string(ended->outcome)});
    if (const auto* const over = std::get_if<event::Terminated>(&event.what))
      lines.push_back(at + std::string{to_string(over->why.reason)});
  }
  return lines;
}

}  // namespace

TEST_CASE("a hang at the start takes hold of what starts: it is ready when the hang is over, and what runs goes on") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s", .policy = {.ready = Ready::notified}},
                          {.runs_for = Fixed{10s}, .ready_after = Fixed{2s}}));
  fixture.sim.add_chaos({.at = 5s, .what = HangWindow{.length = 20s, .when = HangsWhen::at_start}});
  fixture.sim.run_for(38s);
  // Without it the second run would be ready at 14s, and fail at 24s.
  CHECK(course_of(fixture) == Lines{"2s running", "12s failed", "25s running", "35s failed", "37s running"});
  REQUIRE(fixture.log.chaos().size() == 2);
  CHECK(fixture.log.chaos()[0].kind == ChaosEvent::Kind::slow);
  CHECK(fixture.log.chaos()[1].kind == ChaosEvent::Kind::hang);
  CHECK(fixture.log.chaos()[1].at == TimePoint{} + 12s);
  CHECK(fixture.log.chaos()[1].until == TimePoint{} + 25s);
}

TEST_CASE("a run that hangs in its start for ever is never ready and does not obey, and another one is as it was") {
  Fixture fixture;
  const ServicePolicy policy{.stop_grace = 4s, .ready = Ready::notified, .start_timeout = 5s};
  REQUIRE(fixture.sim.add({.name = "s", .policy = policy},
                          {.runs_for = Fixed{10s}, .on_kill = Obeys{}, .ready_after = Fixed{2s}}));
  REQUIRE(fixture.sim.add({.name = "lasts"}));
  fixture.sim.add_chaos({.at = 5s, .what = HangWindow{.when = HangsWhen::at_start}});
  fixture.sim.run_for(31s);
  // Each start has 5 s to be ready, and 4 s to stop.
  CHECK(course_of(fixture) == Lines{"2s running", "12s failed", "21s failed", "30s failed"});
  CHECK(fixture.ends_of("lasts") == Lines{});
}

TEST_CASE("a service that is ready at once hangs from its start on, and what falls due happens when that is over") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{10s}}));
  fixture.sim.add_chaos({.at = 5s, .what = HangWindow{.length = 20s, .when = HangsWhen::at_start}});
  fixture.sim.run_for(36s);
  CHECK(fixture.ends_of("s") ==
        Lines{"10s failed simulated failure", "25s failed simulated failure", "35s failed simulated failure"});
}

TEST_CASE("a hang at the stop takes hold of what is asked to stop, and of nothing else") {
  Fixture fixture;
  REQUIRE(fixture.sim.add({.name = "s"}, {.runs_for = Fixed{10s}}));
  fixture.sim.add_chaos({.at = 5s, .what = HangWindow{.length = 20s, .when = HangsWhen::at_stop}});
  fixture.sim.add_chaos({.at = 22s, .what = OperatorCommand{}});
  fixture.sim.run_for(36s);
  CHECK(fixture.ends_of("s") == Lines{"10s failed simulated failure", "20s failed simulated failure", "25s clean ",
                                      "35s failed simulated failure"});
  REQUIRE(fixture.log.chaos().size() == 2);
  CHECK(fixture.log.chaos()[1].kind == ChaosEvent::Kind::run_hang);
  CHECK(fixture.log.chaos()[1].at == TimePoint{} + 22s);
}

TEST_CASE("a run that hangs at its stop beyond its grace is abandoned, and one that is asked before or after obeys") {
  const auto stopped_at = [](Duration at) {
    Fixture fixture;
    REQUIRE(fixture.sim.add({.name = "s", .policy = {.stop_grace = 8s}}));
    fixture.sim.add_chaos({.at = 5s, .what = HangWindow{.length = 40s, .when = HangsWhen::at_stop}});
    fixture.sim.add_chaos({.at = at, .what = OperatorCommand{.what = Command::stop}});
    fixture.sim.run_for(2min);
    return course_of(fixture).back();
  };
  CHECK(stopped_at(4s) == "4s cancelled");
  CHECK(stopped_at(22s) == "30s abandoned");
  CHECK(stopped_at(45s) == "45s cancelled");
}

}  // namespace holdfast::simulation_test
