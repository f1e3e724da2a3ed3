// The distribution of a sum of independent times, each uniform from zero to a width of its own: the waits of a service
// that fails again and again under full jitter.
//
//     const UniformSum waits{{0.1e9, 0.2e9, 0.4e9}};
//     waits.at_most(0.35e9);  // 0.5: the sum is symmetric about half of the widths
//     waits.quantile(0.9);
//
// The distribution function is kept at kSteps equal distances and made by one convolution after the other, with sums
// and products alone: the same on every machine. It is off by less than kError.
//
// Thread-safety: a value, safe anywhere.
#pragma once

#include <cstddef>
#include <vector>

#pragma GCC visibility push(default)

namespace holdfast::sim {

class UniformSum {
 public:
  static constexpr std::size_t kSteps = 8192;
  static constexpr double kError = 5e-4;  // of a probability

  // REQUIRES: no width is negative.
  explicit UniformSum(std::vector<double> widths);

  // The probability that the sum is at most `x`.
  [[nodiscard]] double at_most(double x) const noexcept;
  // The least x that the sum does not exceed with probability `p`. REQUIRES: 0 <= p <= 1.
  [[nodiscard]] double quantile(double p) const noexcept;

 private:
  void begin_with(double width);
  void add(double width);

  double fixed_ = 0;  // what is too narrow to matter, as its average
  double step_ = 0;   // 0: nothing is drawn
  std::vector<double> at_most_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
