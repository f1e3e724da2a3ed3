// Which stops nobody wanted for themselves: those who judge a run count them like failures.
#pragma once

#include <holdfast/lifecycle.hpp>

namespace holdfast::sim {

// Another service, that this one is after, took it along.
constexpr bool is_taken_down(StopCause cause) noexcept {
  return cause == StopCause::dependency || cause == StopCause::dependency_stop;
}

}  // namespace holdfast::sim
