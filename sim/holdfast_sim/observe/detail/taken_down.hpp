// Which stops nobody wanted for themselves: those who judge a run count them like failures.
#pragma once

#include <holdfast/lifecycle.hpp>

namespace holdfast::sim::detail {

// Another service took it along, which it is after or whose group it is in.
constexpr bool is_taken_down(StopCause cause) noexcept {
  switch (cause) {
    case StopCause::dependency:
    case StopCause::dependency_stop:
    case StopCause::sibling:
    case StopCause::group_lost: return true;
    default: return false;
  }
}

}  // namespace holdfast::sim::detail
