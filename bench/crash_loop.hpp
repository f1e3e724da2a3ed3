// The fleet that everything is measured on: each run fails after 1 ms, full jitter, base 10 ms, cap 100 ms, breaker
// off.
#pragma once

#include <cstdint>

#include <holdfast_sim/scenario/scenario.hpp>

namespace holdfast::bench {

inline sim::Scenario crash_loop(std::uint32_t services) {
  using namespace std::chrono_literals;
  sim::Scenario scenario{.name = "crash loop", .seed = {42}, .duration = kDurationMax};
  scenario.supervisor.backoff = {.base = 10ms, .max = 100ms, .breaker = std::nullopt};
  scenario.fleet.push_back(
      {.name = "feed", .count = services, .behaviour = {.runs_for = sim::Fixed{1ms}, .then = sim::Then::fail}});
  return scenario;
}

}  // namespace holdfast::bench
