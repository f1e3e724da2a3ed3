// Simulates one policy under failures without end, and counts the figures that giving_up.hpp computes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>

namespace holdfast::sim::detail {

struct TrialPolicy {
  BackoffPolicy backoff;
  RestartPolicy restart = RestartPolicy::on_failure;
  Duration fails_after{0};
  friend bool operator==(const TrialPolicy&, const TrialPolicy&) = default;
};

// When services were given up.
struct GivenUp {
  std::uint64_t services = 0;    // that were tried
  std::vector<Duration> after;   // since the first failure, of those that were given up, shortest first
  std::uint64_t runs_tried = 0;  // how many runs the others had, at least
};
GivenUp try_giving_up(const TrialPolicy& policy, std::uint32_t services, Seed seed);

// The time from one restart to the next at the last ceiling, averaged over the cycles of a service: of each service.
// Empty if a cycle takes no time, or too long for virtual time.
std::vector<double> try_cycles(const TrialPolicy& policy, std::uint32_t services, Seed seed);

// Services whose every run fails after `lasts`.
struct BandTrial {
  std::uint64_t services = 0;
  std::uint64_t given_up = 0;
  std::uint64_t reset = 0;  // services of which a failure found no failure before it
};
BandTrial try_band(const TrialPolicy& policy, Duration lasts, std::uint32_t services, Seed seed);

}  // namespace holdfast::sim::detail
