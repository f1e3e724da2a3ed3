#include <holdfast_sim/observer.hpp>

namespace holdfast::sim {

std::string_view to_string(ChaosEvent::Kind kind) noexcept {
  switch (kind) {
    case ChaosEvent::Kind::storm: return "storm";
    case ChaosEvent::Kind::outage: return "outage";
    case ChaosEvent::Kind::hang: return "hang";
  }
  return "?";
}

std::string_view to_string(EndReason reason) noexcept {
  switch (reason) {
    case EndReason::finished: return "finished";
    case EndReason::stalled: return "stalled";
    case EndReason::events_budget: return "events_budget";
    case EndReason::time_budget: return "time_budget";
  }
  return "?";
}

}  // namespace holdfast::sim
