#include <holdfast_sim/predict/uniform_sum.hpp>

#include <algorithm>
#include <functional>

#include <holdfast_sim/scenario/detail/square_root.hpp>

namespace holdfast::sim {

namespace {

// As many waits of one width are drawn one by one. The sum of so many has so nearly a normal distribution that what
// counts is its mean and its variance.
constexpr std::size_t kDrawnOfOneWidth = 64;

// A width below this part of the whole changes no probability by as much as kError, and would cost digits.
constexpr double kNarrow = 1e-6;

// Where there are more of one width, each stands for several: it is as wide as their variance says, and what their mean
// is larger is returned. Descending before and after.
double with_fewer(std::vector<double>& widths) {
  double larger = 0;
  std::vector<double> fewer;
  for (std::size_t i = 0; i < widths.size();) {
    const double width = widths[i];
    std::size_t count = 0;
    while (i + count < widths.size() && widths[i + count] == width) ++count;
    const std::size_t drawn = std::min(count, kDrawnOfOneWidth);
    const double each = static_cast<double>(count) / static_cast<double>(drawn);
    const double wide = width * detail::square_root(each);
    fewer.insert(fewer.end(), drawn, wide);
    larger += static_cast<double>(drawn) * (each * width - wide) / 2;
    i += count;
  }
  std::sort(fewer.begin(), fewer.end(), std::greater<>{});
  widths = std::move(fewer);
  return larger;
}

}  // namespace

UniformSum::UniformSum(std::vector<double> widths) {
  std::sort(widths.begin(), widths.end(), std::greater<>{});
  fixed_ = with_fewer(widths);
  double whole = 0;
  for (const double width : widths) whole += width;
  const double narrow = whole * kNarrow;
  double drawn = 0;
  for (const double width : widths) (width <= narrow ? fixed_ : drawn) += width <= narrow ? width / 2 : width;
  if (drawn == 0) return;
  step_ = drawn / kSteps;
  begin_with(widths.front());
  for (std::size_t i = 1; i < widths.size() && widths[i] > narrow; ++i) add(widths[i]);
}

void UniformSum::begin_with(double width) {
  at_most_.resize(kSteps + 1);
  for (std::size_t i = 0; i <= kSteps; ++i) at_most_[i] = std::min(1.0, static_cast<double>(i) * step_ / width);
}

// P(S + U <= x) is the average of P(S <= y) over y from x - width to x. Between two steps P is taken for linear, so
// that its integral is exact.
void UniformSum::add(double width) {
  std::vector<double> integral(kSteps + 1);
  for (std::size_t i = 1; i <= kSteps; ++i) {
    integral[i] = integral[i - 1] + (at_most_[i - 1] + at_most_[i]) / 2 * step_;
  }
  const auto integral_to = [&](double x) {
    if (x <= 0) return 0.0;
    const double position = x / step_;
    const auto i = std::min(static_cast<std::size_t>(position), kSteps - 1);
    const double part = position - static_cast<double>(i);
    return integral[i] + step_ * part * (at_most_[i] + part * (at_most_[i + 1] - at_most_[i]) / 2);
  };
  std::vector<double> sum(kSteps + 1);
  for (std::size_t i = 0; i <= kSteps; ++i) {
    const double x = static_cast<double>(i) * step_;
    sum[i] = std::clamp((integral[i] - integral_to(x - width)) / width, 0.0, 1.0);
  }
  sum.back() = 1;
  at_most_ = std::move(sum);
}

double UniformSum::at_most(double x) const noexcept {
  x -= fixed_;
  if (x < 0) return 0;
  if (step_ == 0 || x >= step_ * kSteps) return 1;
  const double position = x / step_;
  const auto i = std::min(static_cast<std::size_t>(position), kSteps - 1);
  return at_most_[i] + (position - static_cast<double>(i)) * (at_most_[i + 1] - at_most_[i]);
}

double UniformSum::quantile(double p) const noexcept {
  if (step_ == 0) return fixed_;
  const auto above = std::lower_bound(at_most_.begin(), at_most_.end(), p);
  if (above == at_most_.begin()) return fixed_;
  if (above == at_most_.end()) return fixed_ + step_ * kSteps;
  const auto i = static_cast<std::size_t>(above - at_most_.begin());
  const double part = (p - at_most_[i - 1]) / (at_most_[i] - at_most_[i - 1]);
  return fixed_ + step_ * (static_cast<double>(i - 1) + part);
}

}  // namespace holdfast::sim
