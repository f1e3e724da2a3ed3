#include <holdfast_sim/compare/statistics.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <holdfast/detail/wide.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/scenario/detail/square_root.hpp>

namespace holdfast::sim {

namespace {

// The 97.5 % quantile of Student's distribution: tables below five degrees of freedom, then Fisher and Cornish's
// expansion (Abramowitz and Stegun, 26.7.5), which is right to four digits there.
double student(std::size_t degrees) noexcept {
  constexpr std::array kTable{12.7062, 4.3027, 3.1824, 2.7764};
  if (degrees - 1 < kTable.size()) return kTable[degrees - 1];
  const double z = 1.959963985;
  const double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
  const auto v = static_cast<double>(degrees);
  return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v);
}

// Which rows a resample is made of. No service has this name, since it has a control character.
class Rows {
 public:
  Rows(std::size_t rows, std::size_t resample)
      : rows_(rows), key_{{0}, name_hash("\x01 bootstrap"), {static_cast<std::int64_t>(resample)}, 0} {}

  template <class Take>
  void each(Take&& take) const {
    for (std::size_t i = 0; i < rows_; i += 2) {
      const Draw two = draw(key_, kPurpose, i / 2);
      take(index(two.high));
      if (i + 1 < rows_) take(index(two.low));
    }
  }

 private:
  static constexpr auto kPurpose = static_cast<Purpose>(0xb007);

  [[nodiscard]] std::size_t index(std::uint64_t bits) const noexcept {
    using holdfast::detail::Wide;
    return static_cast<std::size_t>(Wide{bits} * rows_ >> 64);
  }

  const std::size_t rows_;
  const DrawKey key_;
};

// Of sorted values, the one below which this share lies.
double percentile(const std::vector<double>& sorted, double share) noexcept {
  const double position = share * static_cast<double>(sorted.size() + 1) - 1;
  if (position <= 0) return sorted.front();
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

MeanInterval interval(const std::vector<double>& values, std::vector<double> resampled) {
  const double mean = mean_of(values);
  const auto n = static_cast<double>(values.size());
  double squares = 0;
  double cubes = 0;
  for (const double value : values) {
    const double off = value - mean;
    squares += off * off;
    cubes += off * off * off;
  }
  if (squares == 0) return {mean, mean};
  std::sort(resampled.begin(), resampled.end());
  const auto [first, last] = std::equal_range(resampled.begin(), resampled.end(), mean);
  const auto all = static_cast<double>(resampled.size());
  const double below = (static_cast<double>(first - resampled.begin()) + static_cast<double>(last - first) / 2) / all;
  const double bias = normal_quantile(std::clamp(below, 0.5 / all, 1 - 0.5 / all));
  const double acceleration = cubes / (6 * squares * detail::square_root(squares));
  const double wide = student(values.size() - 1) * detail::square_root(n / (n - 1));
  const auto share = [&](double z) {
    const double shifted = bias + z;
    const double narrowed = 1 - acceleration * shifted;
    if (narrowed <= 0) return z < 0 ? 0.0 : 1.0;
    return normal_below(bias + shifted / narrowed);
  };
  return {percentile(resampled, share(-wide)), percentile(resampled, share(wide))};
}

}  // namespace

double mean_of(const std::vector<double>& values) noexcept {
  if (values.empty()) return 0;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double variance_of(const std::vector<double>& values) noexcept {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return squares / static_cast<double>(values.size() - 1);
}

std::vector<std::optional<MeanInterval>> bootstrap_means(const std::vector<std::vector<double>>& columns,
                                                         std::size_t resamples) {
  std::vector<std::optional<MeanInterval>> intervals(columns.size());
  const std::size_t rows = columns.empty() ? 0 : columns.front().size();
  if (rows < kPairsForInterval) return intervals;
  std::vector<std::vector<double>> means(columns.size());
  std::vector<double> sums(columns.size());
  for (std::size_t resample = 0; resample < resamples; ++resample) {
    std::fill(sums.begin(), sums.end(), 0.0);
    Rows{rows, resample}.each([&](std::size_t row) {
      for (std::size_t c = 0; c < columns.size(); ++c) {
        if (columns[c].size() == rows) sums[c] += columns[c][row];
      }
    });
    for (std::size_t c = 0; c < columns.size(); ++c) means[c].push_back(sums[c] / static_cast<double>(rows));
  }
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].size() == rows) intervals[c] = interval(columns[c], std::move(means[c]));
  }
  return intervals;
}

// Half of the pairs would go either way: the binomial probabilities relative to the middle one, so that none vanishes.
double mcnemar(std::uint64_t only_left, std::uint64_t only_right) noexcept {
  const std::uint64_t pairs = only_left + only_right;
  const std::uint64_t fewer = std::min(only_left, only_right);
  if (pairs == 0) return 1;
  double tail = 0;
  double all = 0;
  double one = 1;  // of k successes, relative to pairs / 2
  for (std::uint64_t k = pairs / 2;; --k) {
    const bool is_middle = 2 * k == pairs;
    all += is_middle ? one : 2 * one;
    if (k <= fewer) tail += one;
    if (k == 0) break;
    one *= static_cast<double>(k) / static_cast<double>(pairs - k + 1);
  }
  return std::min(1.0, 2 * tail / all);
}

// The series of the integral of e^(-x^2 / 2).
double normal_below(double z) noexcept {
  constexpr double kFar = 6;                       // beyond it is less than one in a thousand million
  constexpr double kDensity = 0.3989422804014327;  // at 0
  if (z < -kFar) return 0;
  if (z > kFar) return 1;
  double term = z;
  double sum = z;
  for (int k = 1; k < 120; ++k) {
    term *= -z * z / (2.0 * k);
    sum += term / (2.0 * k + 1);
  }
  return std::clamp(0.5 + kDensity * sum, 0.0, 1.0);
}

double normal_quantile(double p) noexcept {
  double low = -6;
  double high = 6;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (normal_below(middle) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace holdfast::sim
