#include <holdfast_sim/observe/observer.hpp>

namespace holdfast::sim {

std::string_view to_string(EndReason reason) noexcept {
  switch (reason) {
    case EndReason::finished: return "finished";
    case EndReason::stalled: return "stalled";
    case EndReason::events_budget: return "events_budget";
    case EndReason::time_budget: return "time_budget";
    case EndReason::interrupted: return "interrupted";
  }
  return "?";
}

}  // namespace holdfast::sim
