// A copy of the state of all services at one moment, to be handed to any thread.
#pragma once

#include <optional>
#include <vector>

#include <holdfast/snapshot.hpp>
#include <holdfast/time.hpp>

namespace holdfast {

struct FleetSnapshot {
  TimePoint at;
  bool shutting_down = false;
  Counters counters;
  std::vector<ServiceSnapshot> services;          // in the order of adding
  std::optional<ShutdownResult> shutdown_result;  // once the shutdown is over
};

}  // namespace holdfast
