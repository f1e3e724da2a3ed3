#include <holdfast/event.hpp>

namespace holdfast {

std::string_view to_string(Command command) noexcept {
  switch (command) {
    case Command::stop: return "stop";
    case Command::restart: return "restart";
    case Command::remove: return "remove";
  }
  return "?";
}

std::string_view to_string(BackoffCause cause) noexcept {
  return cause == BackoffCause::failure ? "failure" : "clean_exit";
}

std::string_view to_string(ShutdownCause cause) noexcept {
  return cause == ShutdownCause::requested ? "requested" : "all_terminated";
}

std::string_view to_string(DrainOutcome outcome) noexcept {
  switch (outcome) {
    case DrainOutcome::drained: return "drained";
    case DrainOutcome::deadline: return "deadline";
    case DrainOutcome::cut_short: return "cut_short";
  }
  return "?";
}

std::string_view kind(const Event& event) noexcept {
  return std::visit([](const auto& what) { return what.kKind; }, event.what);
}

}  // namespace holdfast
