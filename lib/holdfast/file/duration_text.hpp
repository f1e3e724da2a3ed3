// Lengths of time as people write them in files.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// What parse_duration accepts, for messages.
inline constexpr std::string_view kDurationForm =
    "a whole number with a unit (d, h, min, s, ms, us, ns), or several from large to small: \"250ms\", \"1h30min\"";

// "250ms", "1h30min", "0s". nullopt: anything else, a sum above kDurationMax included. The inverse of
// holdfast::to_string for every length of time from 0 to kDurationMax.
std::optional<Duration> parse_duration(std::string_view text) noexcept;

// Why a text is not accepted.
enum class DurationFault : std::uint8_t {
  form,      // not as kDurationForm says
  negative,  // well formed behind a minus
  too_long   // well formed and above kDurationMax
};

// nullopt: it is accepted.
std::optional<DurationFault> fault_of_duration(std::string_view text) noexcept;

}  // namespace holdfast::file

#pragma GCC visibility pop
