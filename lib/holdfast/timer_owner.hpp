// Whose timer it is: for schedulers that treat the timers of services apart, as the simulator's does that lets them be
// late.
//
// Thread-safety: safe anywhere; nothing is changed.
#pragma once

#include <optional>

#include <holdfast/lifecycle.hpp>
#include <holdfast/scheduler.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// The service of a supervisor that waits by this timer. nullopt: it is somebody else's.
[[nodiscard]] std::optional<ServiceId> owner_of(const Timer& timer) noexcept;

}  // namespace holdfast

#pragma GCC visibility pop
