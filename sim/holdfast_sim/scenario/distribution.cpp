#include <holdfast_sim/scenario/distribution.hpp>

#include <holdfast_sim/scenario/detail/fixed_point.hpp>

namespace holdfast::sim {

namespace {

using fixed_point::Fixed96;
using fixed_point::Fraction;
using fixed_point::multiply_high;
using fixed_point::Real;
using fixed_point::SignedWide;
using fixed_point::Wide;

// length * factor to the nearest nanosecond, exactly halfway upwards, and at most kDurationMax. REQUIRES: length > 0.
Duration scaled(Duration length, const Real& factor) noexcept {
  const Real product = multiply(fixed_point::real(static_cast<Wide>(length.count()), 0), factor);
  if (product.exponent >= 62) return kDurationMax;
  const Duration nearest{static_cast<std::int64_t>((in_units(product, -1) + 1) / 2)};
  return nearest < kDurationMax ? nearest : kDurationMax;
}

// `size`, with the sign of `x`.
Fixed96 with_sign_of(Fixed96 x, Wide size) noexcept {
  return {x.units < 0 ? -static_cast<SignedWide>(size) : static_cast<SignedWide>(size)};
}

Wide magnitude(Fixed96 x) noexcept { return static_cast<Wide>(x.units < 0 ? -x.units : x.units); }

// x / ratio, rounded towards zero. REQUIRES: ratio > 0, and that the result fits.
Fixed96 divide(Fixed96 x, Ratio ratio) noexcept {
  const Wide whole = magnitude(x) / ratio.two_to_minus_32;
  const Wide rest = magnitude(x) - whole * ratio.two_to_minus_32;
  return with_sign_of(x, (whole << 32) + (rest << 32) / ratio.two_to_minus_32);
}

// x * ratio / ln 2, rounded towards zero: the exponent of 2 that gives e^(x * ratio). REQUIRES: |x| < 16, ratio < 16.
Fixed96 multiply_over_ln2(Fixed96 x, Ratio ratio) noexcept {
  const Wide over_ln2 = multiply_high(Wide{ratio.two_to_minus_32} << 92, fixed_point::kLog2E);  // Q123
  return with_sign_of(x, multiply_high(magnitude(x) << 28, over_ln2) >> 23);
}

// -ln(1 - u): the sample of an exponential distribution of mean 1.
Real unit_exponential(const Draw& draw) noexcept { return minus_ln(Fraction{draw.high}.complement()); }

Duration quantile(const Fixed& fixed, const Draw&) noexcept { return fixed.value; }

Duration quantile(const Uniform& uniform, const Draw& draw) noexcept {
  const auto width = static_cast<std::uint64_t>((uniform.max - uniform.min).count());
  return uniform.min + Duration{static_cast<std::int64_t>(uniform_up_to(draw, width))};
}

Duration quantile(const Exponential& exponential, const Draw& draw) noexcept {
  return scaled(exponential.mean, unit_exponential(draw));
}

Duration quantile(const Weibull& weibull, const Draw& draw) noexcept {
  return scaled(weibull.scale, exp2(divide(log2(unit_exponential(draw)), weibull.shape)));
}

Duration quantile(const LogNormal& log_normal, const Draw& draw) noexcept {
  return scaled(log_normal.median, exp2(multiply_over_ln2(inverse_normal(Fraction{draw.high}), log_normal.sigma)));
}

// One function for each kind of parameter; each adds at most one problem.

void error(std::vector<Problem>& found, const char* field, const std::string& was, const std::string& allowed) {
  found.push_back({Problem::Severity::error, field, "is " + was + "; allowed is " + allowed});
}

void check_duration(std::vector<Problem>& found, const char* field, Duration was, Duration min) {
  if (was >= min && was <= kDurationMax) return;
  error(found, field, holdfast::to_string(was), holdfast::to_string(min) + " to " + holdfast::to_string(kDurationMax));
}

void check_ratio(std::vector<Problem>& found, const char* field, Ratio was, Ratio min, Ratio max) {
  if (was >= min && was <= max) return;
  error(found, field, to_string(was), to_string(min) + " to " + to_string(max));
}

constexpr Duration kShortest{1};

void check(std::vector<Problem>& found, const Fixed& fixed) {
  check_duration(found, "value", fixed.value, Duration::zero());
}

void check(std::vector<Problem>& found, const Uniform& uniform) {
  check_duration(found, "min", uniform.min, Duration::zero());
  // With a minimum that is itself refused, the maximum is held to what any minimum would ask of it.
  check_duration(found, "max", uniform.max, found.empty() ? uniform.min : Duration::zero());
}

void check(std::vector<Problem>& found, const Exponential& exponential) {
  check_duration(found, "mean", exponential.mean, kShortest);
}

void check(std::vector<Problem>& found, const Weibull& weibull) {
  check_ratio(found, "shape", weibull.shape, kShapeMin, kShapeMax);
  check_duration(found, "scale", weibull.scale, kShortest);
}

void check(std::vector<Problem>& found, const LogNormal& log_normal) {
  check_duration(found, "median", log_normal.median, kShortest);
  check_ratio(found, "sigma", log_normal.sigma, Ratio{}, kSigmaMax);
}

}  // namespace

Duration sample(const Distribution& distribution, const Draw& draw) noexcept {
  return std::visit([&draw](const auto& kind) { return quantile(kind, draw); }, distribution);
}

std::vector<Problem> problems(const Distribution& distribution) {
  std::vector<Problem> found;
  std::visit([&found](const auto& kind) { check(found, kind); }, distribution);
  return found;
}

}  // namespace holdfast::sim
