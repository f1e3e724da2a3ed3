// Whose timer it is, and what for: for schedulers that treat the timers of a supervisor apart, as the simulator's does
// that lets them be late.
//
// Thread-safety: safe anywhere; nothing is changed.
#pragma once

#include <cstdint>
#include <optional>

#include <holdfast/lifecycle.hpp>
#include <holdfast/scheduler.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

struct TimerOwner {
  enum class What : std::uint8_t {
    service,        // what a service waits for in its phase
    restart_limit,  // the next token, for the service that has waited for it longest
    drain           // the deadline of the drain; no service of its own
  };
  What what = What::service;
  ServiceId service{};
};

// What a supervisor waits for by this timer. nullopt: it is somebody else's, or nothing waits by it now.
[[nodiscard]] std::optional<TimerOwner> owner_of(const Timer& timer) noexcept;

}  // namespace holdfast

#pragma GCC visibility pop
