// The square root by sums, products and quotients alone: the same bits on every machine.
//
// Thread-safety: pure, safe anywhere.
#pragma once

namespace holdfast::sim::detail {

// 0 for what is not positive. Heron's rule from above falls until it has the nearest digits.
inline double square_root(double x) noexcept {
  constexpr int kStepsMax = 1100;  // the exponent of a double is halved by as many steps at most
  if (x <= 0) return 0;
  double root = x < 1 ? 1 : x;
  for (int i = 0; i < kStepsMax; ++i) {
    const double next = (root + x / root) / 2;
    if (next >= root) break;
    root = next;
  }
  return root;
}

}  // namespace holdfast::sim::detail
