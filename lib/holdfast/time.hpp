// Time as the supervisor sees it: whole nanoseconds since its scheduler started, and saturating arithmetic.
//
// Nothing here reads a clock. A TimePoint comes from a Scheduler (scheduler.hpp): in production it counts from the
// adapter's start, in a simulation from virtual time zero. Sums and differences saturate at the ends of the range
// instead of wrapping. So "never", and a window that reaches before time zero, need no special case.
//
// Thread-safety: values, safe anywhere.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <string>

#include <holdfast/detail/compiler.hpp>

namespace holdfast::detail {

constexpr std::int64_t saturating_add(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

constexpr std::int64_t saturating_subtract(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return a < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

}  // namespace holdfast::detail

#pragma GCC visibility push(default)

namespace holdfast {

// A length of time in nanoseconds. Range: about ±292 years; configuration accepts 0 to kDurationMax.
using Duration = std::chrono::nanoseconds;

// The longest duration that configuration accepts: 36 500 days. Twice it still fits, so no rule can overflow.
inline constexpr Duration kDurationMax = std::chrono::hours{24} * 36'500;

// A moment: nanoseconds since the scheduler's start.
struct TimePoint {
  std::int64_t nanoseconds = 0;

  static constexpr TimePoint max() noexcept { return {std::numeric_limits<std::int64_t>::max()}; }
  static constexpr TimePoint min() noexcept { return {std::numeric_limits<std::int64_t>::min()}; }

  friend constexpr auto operator<=>(const TimePoint&, const TimePoint&) noexcept = default;

  // Saturates at min() and max().
  friend constexpr TimePoint operator+(TimePoint at, Duration by) noexcept {
    return {detail::saturating_add(at.nanoseconds, by.count())};
  }
  friend constexpr TimePoint operator-(TimePoint at, Duration by) noexcept {
    return {detail::saturating_subtract(at.nanoseconds, by.count())};
  }
  friend constexpr Duration operator-(TimePoint later, TimePoint earlier) noexcept {
    return Duration{detail::saturating_subtract(later.nanoseconds, earlier.nanoseconds)};
  }
};

// Saturating sum of two lengths of time.
constexpr Duration saturating_add(Duration a, Duration b) noexcept {
  return Duration{detail::saturating_add(a.count(), b.count())};
}

// The exact text of a length of time, with units, largest first and no zero parts: "1d2h", "1min30s", "250ms",
// "1s500us", "0s", "-5s". It is the form that scenario files use; reading it back gives the same value.
std::string to_string(Duration);
std::string to_string(TimePoint);

}  // namespace holdfast

#pragma GCC visibility pop
