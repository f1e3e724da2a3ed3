// Policies side by side, as text for a person, and as JSON for programs (lib/docs/reference/json.md).
//
// Thread-safety: functions of their arguments alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/time.hpp>
#include <holdfast_sim/compare/comparison.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// The first policy, A, is the scenario's own; each of `others` is compared with it.
struct ComparedPolicies {
  std::string scenario;
  std::optional<Duration> duration;  // of the scenario
  std::uint64_t first_seed = 0;
  std::uint64_t last_seed = 0;  // that was run
  bool interrupted = false;     // there were more seeds to run
  struct Other {
    std::string name;
    PolicyComparison comparison;
  };
  std::vector<Other> others;
};

// "B is better: 30.5min more up time a service in 7d, 27min to 34min": the conclusion.
std::string conclusion_text(const ComparedPolicies& policies, std::size_t other);

// `width`: columns of a line at most.
std::string comparison_text(const ComparedPolicies& policies, std::size_t width = 100);

// One object in one line. Ends with a line feed.
std::string comparison_json(const ComparedPolicies& policies);

}  // namespace holdfast::sim

#pragma GCC visibility pop
