// How sure a difference between paired figures is.
//
//     const auto interval = bootstrap_means({differences}).front();
//     interval->low, interval->high;     // contain the true mean in 95 % of all cases
//     mcnemar(3, 20);                    // how likely 3 against 20 is if both are equally good
//
// The bootstrap resamples the pairs kResamples times and corrects its percentiles for bias and skewness (BCa: Efron,
// 1987) and for few pairs (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015, section 4.3). Its draws
// are keyed, and its arithmetic is sums, products and quotients, so results are the same everywhere. If there are few
// different values, such as counts of one or two, means come in steps, and intervals are a little too wide.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#pragma GCC visibility push(default)

namespace holdfast::sim {

inline constexpr std::size_t kResamples = 3999;
// With fewer pairs there is no interval, because resampling so few means little.
inline constexpr std::size_t kPairsForInterval = 10;
// How often an interval may miss the true mean.
inline constexpr double kErrorRate = 0.05;

struct MeanInterval {
  double low = 0;
  double high = 0;
  // Whether the true mean may be this.
  [[nodiscard]] bool holds(double mean) const noexcept { return low <= mean && mean <= high; }
};

// The interval of the mean of each column, all with the same resampled rows. nullopt: the column has fewer than
// kPairsForInterval values, or another number than the first. `resamples`: kResamples, fewer for tests.
std::vector<std::optional<MeanInterval>> bootstrap_means(const std::vector<std::vector<double>>& columns,
                                                         std::size_t resamples = kResamples);

double mean_of(const std::vector<double>& values) noexcept;
// Of a sample: divided by one less than there are. 0 for fewer than two.
double variance_of(const std::vector<double>& values) noexcept;

// The two-sided exact p value of McNemar's test: of the pairs of which only one passed, `only_left` were the left ones.
double mcnemar(std::uint64_t only_left, std::uint64_t only_right) noexcept;

// The probability that a standard normal value is at most z, and the z that belongs to one. REQUIRES: 0 < p < 1.
double normal_below(double z) noexcept;
double normal_quantile(double p) noexcept;

}  // namespace holdfast::sim

#pragma GCC visibility pop
