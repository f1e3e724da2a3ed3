#include <holdfast/lifecycle.hpp>

namespace holdfast {

std::string_view to_string(Phase phase) noexcept {
  switch (phase) {
    case Phase::starting: return "starting";
    case Phase::running: return "running";
    case Phase::backing_off: return "backing_off";
    case Phase::stopping: return "stopping";
    case Phase::terminated: return "terminated";
  }
  return "?";
}

std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::clean: return "clean";
    case Outcome::failed: return "failed";
    case Outcome::threw: return "threw";
    case Outcome::fatal: return "fatal";
    case Outcome::done: return "done";
  }
  return "?";
}

std::string_view to_string(BreakerState state) noexcept {
  switch (state) {
    case BreakerState::off: return "off";
    case BreakerState::closed: return "closed";
    case BreakerState::open: return "open";
    case BreakerState::half_open: return "half_open";
  }
  return "?";
}

std::string_view to_string(WaitsFor what) noexcept {
  switch (what) {
    case WaitsFor::restart_limit: return "restart_limit";
    case WaitsFor::dependency: return "dependency";
    case WaitsFor::group: return "group";
  }
  return "?";
}

std::string_view to_string(StopCause cause) noexcept {
  switch (cause) {
    case StopCause::shutdown: return "shutdown";
    case StopCause::stop: return "stop";
    case StopCause::restart: return "restart";
    case StopCause::remove: return "remove";
    case StopCause::start_timeout: return "start_timeout";
    case StopCause::watchdog: return "watchdog";
    case StopCause::dependency: return "dependency";
    case StopCause::dependency_stop: return "dependency_stop";
    case StopCause::sibling: return "sibling";
    case StopCause::group_lost: return "group_lost";
  }
  return "?";
}

std::string_view to_string(Termination::Reason reason) noexcept {
  switch (reason) {
    case Termination::Reason::completed: return "completed";
    case Termination::Reason::cancelled: return "cancelled";
    case Termination::Reason::circuit_open: return "circuit_open";
    case Termination::Reason::failed: return "failed";
    case Termination::Reason::abandoned: return "abandoned";
  }
  return "?";
}

std::string to_string(const Termination& termination, std::string_view last_error) {
  switch (termination.reason) {
    case Termination::Reason::circuit_open:
      return "circuit breaker open (" + std::to_string(termination.failures) + '/' +
             std::to_string(termination.max_failures) + " failures)";
    case Termination::Reason::failed: return "failed: " + std::string{last_error};
    case Termination::Reason::abandoned: return "abandoned after " + to_string(termination.after);
    case Termination::Reason::completed:
    case Termination::Reason::cancelled: break;
  }
  return std::string{to_string(termination.reason)};
}

}  // namespace holdfast
