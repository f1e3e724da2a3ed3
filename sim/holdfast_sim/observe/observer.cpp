#include <holdfast_sim/observe/observer.hpp>

namespace holdfast::sim {

std::string_view to_string(ChaosEvent::Kind kind) noexcept {
  switch (kind) {
    case ChaosEvent::Kind::storm: return "storm";
    case ChaosEvent::Kind::outage: return "outage";
    case ChaosEvent::Kind::hang: return "hang";
    case ChaosEvent::Kind::run_hang: return "run_hang";
    case ChaosEvent::Kind::gone: return "gone";
    case ChaosEvent::Kind::waits: return "waits";
    case ChaosEvent::Kind::served: return "served";
    case ChaosEvent::Kind::failing_starts: return "failing_starts";
    case ChaosEvent::Kind::silent: return "silent";
    case ChaosEvent::Kind::heard: return "heard";
  }
  return "?";
}

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
