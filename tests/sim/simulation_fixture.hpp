#pragma once

// A simulation with a log of its events, for tests with exact times.

#include <catch2/catch.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <holdfast_sim/observe/event_log.hpp>
#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::simulation_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

// Without jitter to speak of: a wait is 0 or 1 ns, so that times can be written down.
inline SupervisorConfig at_once() { return {.backoff = {.base = 0ns, .max = 0ns, .breaker = std::nullopt}}; }

struct Fixture {
  explicit Fixture(SupervisorConfig config = at_once(), Budget budget = {})
      : sim{{.seed = {1}, .supervisor = config, .budget = budget}, {&log}} {}

  [[nodiscard]] std::vector<TimePoint> starts_of(std::string_view service) const {
    std::vector<TimePoint> times;
    for (const auto& event : log.of(service)) {
      if (std::holds_alternative<event::Started>(event.what)) times.push_back(event.at);
    }
    return times;
  }
  [[nodiscard]] std::vector<std::string> ends_of(std::string_view service) const {
    std::vector<std::string> ends;
    for (const auto& event : log.of(service)) {
      if (const auto* const ended = std::get_if<event::Ended>(&event.what)) {
        ends.push_back(to_string(event.at) + ' ' + std::string{to_string(ended->outcome)} + ' ' +
                       std::string{ended->error});
      }
    }
    return ends;
  }
  [[nodiscard]] ServiceSnapshot of(std::string_view service) const { return *sim.supervisor().snapshot(service); }

  EventLog log;
  Simulation sim;
};

// Always the same delay, and no breaker.
inline BackoffPolicy waits(Duration length) {
  return {.base = length, .max = length, .breaker = std::nullopt, .jitter = NoJitter{}};
}

inline Scenario scenario_of(Behaviour behaviour, std::vector<ChaosEntry> chaos, std::optional<Duration> duration) {
  Scenario scenario;
  scenario.name = "test";
  scenario.duration = duration;
  scenario.supervisor = at_once();
  scenario.fleet.push_back({.name = "s", .behaviour = std::move(behaviour)});
  scenario.chaos = std::move(chaos);
  return scenario;
}

inline SimulationEnd end_of(const Scenario& scenario) {
  Simulation sim{scenario};
  REQUIRE(sim.run_to_end());
  return sim.end();
}

}  // namespace holdfast::simulation_test
