// Logarithm, power, square root and the inverse of the normal distribution in integers alone.
//
// Times are drawn from distributions, so these functions decide when things happen. libm must not: its results differ
// between libraries, and within one library between processors. Here every step is an operation on 128-bit integers,
// so results are bit for bit the same for every compiler, level of optimisation and machine, and each function states
// how far from the real number it can be.
//
// Each function of a Fraction keeps order: a larger fraction never gives a result on the wrong side. That follows from
// the bounds, which are far smaller than the step between two fractions' results; distribution.hpp relies on it.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <bit>
#include <cstdint>

#include <holdfast/detail/wide.hpp>

namespace holdfast::sim::fixed_point {

using holdfast::detail::SignedWide;
using holdfast::detail::Wide;

// A fraction strictly between 0 and 1: (bits + 1/2) / 2^64, the middle of the interval that 64 random bits name.
// So no logarithm of it is infinite, and 1 minus it is exactly the fraction of ~bits.
struct Fraction {
  std::uint64_t bits = 0;
  constexpr Fraction complement() const noexcept { return {~bits}; }
};

// A positive number: significand / 2^127 * 2^exponent. The significand's top bit is set, so its first factor is at
// least 1 and below 2.
struct Real {
  Wide significand = Wide{1} << 127;
  int exponent = 0;
  friend constexpr bool operator==(const Real&, const Real&) noexcept = default;
};

// A number of either sign, in units of 2^-96; it reaches to ±2^31.
struct Fixed96 {
  SignedWide units = 0;
  friend constexpr bool operator==(Fixed96, Fixed96) noexcept = default;
};

// log2(x), rounded down. Off by less than 2^-95.
Fixed96 log2(const Real& x) noexcept;

// -log2(x), with a relative error below 2^-100 also where x is next to 1 and the logarithm next to 0.
Real minus_log2(Fraction x) noexcept;

// -ln(x): what a unit exponential distribution leaves with probability x. Relative error below 2^-100.
Real minus_ln(Fraction x) noexcept;

// 2^x. Relative error below 2^-100; never decreases as x grows.
Real exp2(Fixed96 x) noexcept;

// The square root of x. Relative error below 2^-124.
Real sqrt(const Real& x) noexcept;

// The z that a standard normal variable stays below with probability p. Off by less than 2^-53 |z| + 2^-95; exactly
// antisymmetric: that of p.complement() is the negative. |z| < 9.16, nearly reached at both ends.
//
// PPND16 of Michael J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Journal of the
// Royal Statistical Society C 37 (1988), 477-484. The error is that of his rational functions; at their seams they
// step upwards, so order is kept there too.
Fixed96 inverse_normal(Fraction p) noexcept;

// a * b / 2^128, rounded down: the product of two numbers, or of a number and a fraction, in 128 bits.
constexpr Wide multiply_high(Wide a, Wide b) noexcept {
  constexpr Wide kLow = ~std::uint64_t{0};
  const Wide low = (a & kLow) * (b & kLow);
  const Wide middle = (a >> 64) * (b & kLow) + (low >> 64);
  const Wide other_middle = (a & kLow) * (b >> 64) + (middle & kLow);
  return (a >> 64) * (b >> 64) + (middle >> 64) + (other_middle >> 64);
}

// units * 2^unit_exponent, exactly. REQUIRES: units > 0.
constexpr Real real(Wide units, int unit_exponent) noexcept {
  const auto high = static_cast<std::uint64_t>(units >> 64);
  const int zeros = high != 0 ? std::countl_zero(high) : 64 + std::countl_zero(static_cast<std::uint64_t>(units));
  return {units << zeros, unit_exponent + 127 - zeros};
}

// x in units of 2^unit_exponent, rounded down. REQUIRES: the result fits, x < 2^(unit_exponent + 128).
constexpr Wide in_units(const Real& x, int unit_exponent) noexcept {
  const int shift = 127 + unit_exponent - x.exponent;
  return shift < 128 ? x.significand >> shift : 0;
}

// a * b. Relative error below 2^-126.
constexpr Real multiply(const Real& a, const Real& b) noexcept {
  return real(multiply_high(a.significand, b.significand), a.exponent + b.exponent - 126);
}

// a / b. Relative error below 2^-122.
constexpr Real divide(const Real& a, const Real& b) noexcept {
  constexpr Wide kOne = Wide{1} << 127;
  // The reciprocal of b.significand / 2^128 in units of 2^-127: first from the divisor's upper half, rounded so that
  // it is too small by at most one part in 2^62, then one step of Newton's method, which squares that error.
  Wide reciprocal = (kOne / ((b.significand >> 64) + 1)) << 64;
  const Wide missing = kOne - 1 - multiply_high(b.significand, reciprocal);
  reciprocal += multiply_high(reciprocal, missing << 1);
  return real(multiply_high(a.significand, reciprocal), a.exponent - b.exponent - 127);
}

// 2 atanh(1/k) = ln((k + 1) / (k - 1)), Q128, from 2 (1/k + 1/(3 k^3) + 1/(5 k^5) + ...). REQUIRES: k >= 3.
constexpr Wide twice_atanh_of_reciprocal(std::uint64_t k) noexcept {
  Wide sum = 0;
  Wide power = ~Wide{0} / k * 2;
  for (std::uint64_t n = 1; power != 0; n += 2) {
    sum += power / n;
    power /= Wide{k} * k;
  }
  return sum;
}

inline constexpr Wide kLn2 = twice_atanh_of_reciprocal(3);                    // Q128: in units of 2^-128
inline constexpr Wide kLog2E = divide(Real{}, real(kLn2, -128)).significand;  // 1 / ln 2, Q127

}  // namespace holdfast::sim::fixed_point
