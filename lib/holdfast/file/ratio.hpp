// Numbers without a unit, as files have them in decimal and programs exactly.
//
// Thread-safety: values, safe anywhere.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#pragma GCC visibility push(default)

namespace holdfast::file {

// A number without a unit, from 0 to just below 2^32, kept as a whole number of 2^-32ths: what a file says in decimal
// is rounded once, where it is read, and never again.
struct Ratio {
  std::uint64_t two_to_minus_32 = 0;

  // The nearest Ratio, exactly halfway upwards. What no Ratio can hold (a negative number, 2^32 or more, not a number)
  // becomes unusable(), which problems() reports for every parameter.
  static constexpr Ratio from(double value) noexcept {
    constexpr double kOne = 4294967296.0;  // 2^32; multiplying by it is exact
    if (!(value >= 0 && value < kOne)) return unusable();
    const double scaled = value * kOne;
    const auto whole = static_cast<std::uint64_t>(scaled);
    return {scaled - static_cast<double>(whole) >= 0.5 ? whole + 1 : whole};
  }
  static constexpr Ratio unusable() noexcept { return {~std::uint64_t{0}}; }

  // In decimal, rounded to nine places, without closing zeros: "0.05", "3".
  // (A friend does not inherit the visibility of what surrounds it.)
  __attribute__((visibility("default"))) friend std::string to_string(Ratio);

  friend constexpr auto operator<=>(Ratio, Ratio) noexcept = default;
};

}  // namespace holdfast::file

#pragma GCC visibility pop
