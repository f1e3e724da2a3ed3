// Steps of equal ratio between two lengths of time, in whole numbers.
//
// Thread-safety: a pure function, safe anywhere.
#pragma once

#include <cstdint>

#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

// first * (last / first)^(index / count), rounded down; `last` from index = count on; 0 if `first` is. Exactly: the
// largest length r with r^count <= first^(count - index) * last^index. It costs about count^2 * 30 multiplications.
// REQUIRES: 0 <= first <= last <= kDurationMax; 1 <= count <= kStepsMax.
Duration equal_ratios(Duration first, Duration last, std::uint32_t index, std::uint32_t count) noexcept;

}  // namespace holdfast::detail
