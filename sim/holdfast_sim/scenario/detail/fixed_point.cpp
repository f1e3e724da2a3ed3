// Comments write Q127 for a number kept as an integer in units of 2^-127, and so on. The product of a Qm and a Qn
// number under multiply_high is a Q(m + n - 128) number.
#include <holdfast_sim/scenario/detail/fixed_point.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace holdfast::sim::fixed_point {

namespace {

constexpr Wide kAll = ~Wide{0};

// Tables, computed by the compiler from their series.

// A significand is split into 1 + i/256, by its first eight bits after the point, and a factor 1 + r with r < 1/256.
constexpr std::size_t kSteps = 256;
using Table = std::array<Wide, kSteps>;

constexpr Table kReciprocal = [] {  // 1 / (1 + i/256), Q128
  Table table{};
  for (std::size_t i = 0; i < kSteps; ++i) table[i] = i == 0 ? kAll : (kAll / (kSteps + i)) << 8;
  return table;
}();

constexpr Table kLog2Table = [] {  // log2(1 + i/256), Q127: the sum of the logarithms of (256 + i) / (255 + i)
  Table table{};
  Wide ln = 0;
  for (std::size_t i = 1; i < kSteps; ++i) {
    ln += twice_atanh_of_reciprocal(2 * (kSteps + i) - 1);
    table[i] = multiply_high(ln, kLog2E);
  }
  return table;
}();

constexpr Table kExp2Table = [] {  // 2^(i/256), Q127, from the series of e^x
  Table table{};
  for (std::size_t i = 0; i < kSteps; ++i) {
    const Wide x = kLn2 / kSteps * i;
    Wide term = Wide{1} << 127;
    for (std::uint64_t n = 1; term != 0; ++n) {
      table[i] += term;
      term = multiply_high(term, x) / n;
    }
  }
  return table;
}();

// Coefficients of log2(1 + r) / r, without their signs: 1 / (n ln 2), Q127. With r < 1/256 the first one left out
// weighs less than 2^-106.
constexpr auto kLog2Series = [] {
  std::array<Wide, 13> series{};
  for (std::size_t n = 1; n <= series.size(); ++n) series[n - 1] = kLog2E / n;
  return series;
}();

// Coefficients of e^x: 1 / n!, Q127. With x < ln 2 / 256 the first one left out weighs less than 2^-119.
constexpr auto kExpSeries = [] {
  std::array<Wide, 11> series{};
  series[0] = Wide{1} << 127;
  for (std::size_t n = 1; n < series.size(); ++n) series[n] = series[n - 1] / n;
  return series;
}();

enum class Signs { same, alternating };

// c[0] ± c[1] x + c[2] x^2 ± ..., Q127. x is given times 256, Q128, so x < 1/256. From the sixth term on they weigh
// less than 2^-40 together and are summed in 64 bits, which is off by less than 2^-102.
template <Signs signs, std::size_t n>
Wide sum_of(const std::array<Wide, n>& c, Wide x_times_256) noexcept {
  constexpr std::size_t kLong = 5;
  const auto x_upper = static_cast<std::uint64_t>(x_times_256 >> 64);
  const auto upper_of = [&c](std::size_t i) { return static_cast<std::uint64_t>(c[i] >> 64); };
  std::uint64_t upper = upper_of(n - 1);
  for (std::size_t i = n - 1; i-- > kLong;) {
    const auto tail = static_cast<std::uint64_t>((Wide{upper} * x_upper) >> 72);
    upper = signs == Signs::same ? upper_of(i) + tail : upper_of(i) - tail;
  }
  Wide sum = Wide{upper} << 64;
  for (std::size_t i = kLong; i-- > 0;) {
    const Wide tail = multiply_high(sum, x_times_256) >> 8;
    sum = signs == Signs::same ? c[i] + tail : c[i] - tail;
  }
  return sum;
}

// log2(significand / 2^127), in [0, 1), Q127.
Wide log2_of(Wide significand) noexcept {
  const auto i = static_cast<std::size_t>(significand >> 119) % kSteps;
  // What follows the nine bits that name i, divided by 1 + i/256, is r; shifting by nine makes it r times 256.
  const Wide r_times_256 = multiply_high(significand << 9, kReciprocal[i]);
  const Wide series = sum_of<Signs::alternating>(kLog2Series, r_times_256);
  return kLog2Table[i] + (multiply_high(r_times_256, series) >> 8);
}

// The largest s with s^2 <= n. REQUIRES: n >= 2^126.
std::uint64_t floor_sqrt(Wide n) noexcept {
  // The root's upper half, digit by digit, from the upper half of n.
  auto rest = static_cast<std::uint64_t>(n >> 64);
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 62; bit != 0; bit >>= 2) {
    const bool set = rest >= root + bit;
    if (set) rest -= root + bit;
    root = (root >> 1) + (set ? bit : 0);
  }
  // Heron's rule from above doubles the digits and stays above, by less than one unit.
  const Wide above = (Wide{root} + 1) << 32;
  Wide s = std::min<Wide>((above + n / above) / 2, ~std::uint64_t{0});
  return static_cast<std::uint64_t>(s * s > n ? s - 1 : s);
}

// The integer part and binary digits of a decimal number such as "1.25e-3", rounded down, in units of 2^-fraction_bits:
// published coefficients stand here as they were printed. REQUIRES: one digit before the point, at most 38 in all.
constexpr Wide decimal(std::string_view text, int fraction_bits) {
  const auto e = text.find('e');
  int scale = 0;  // the number is digits / 10^scale
  for (std::size_t i = e + 2; e != std::string_view::npos && i < text.size(); ++i) scale = scale * 10 + (text[i] - '0');
  if (e != std::string_view::npos && text[e + 1] == '+') scale = -scale;
  Wide digits = 0;
  for (const char c : text.substr(0, e)) {
    if (c == '.') continue;
    digits = digits * 10 + static_cast<unsigned>(c - '0');
    ++scale;
  }
  Wide divisor = 1;
  for (--scale; scale > 0; --scale) divisor *= 10;

  Wide result = digits / divisor;
  for (Wide rest = digits % divisor; fraction_bits > 0; --fraction_bits) {
    rest *= 2;
    result *= 2;
    if (rest < divisor) continue;  // the digit is 0 or 1: no division, of which a compiler does only so many by halves
    rest -= divisor;
    result += 1;
  }
  return result;
}

// A polynomial of AS 241, lowest coefficient first. Its coefficients and values are positive and below 2^17.
constexpr int kPolynomialBits = 111;
using Polynomial = std::array<Wide, 8>;

constexpr Polynomial polynomial(const std::array<std::string_view, 8>& published) {
  Polynomial result{};
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = decimal(published[i], kPolynomialBits);
  return result;
}

// p close to 1/2
constexpr auto kA = polynomial({"3.3871328727963666080e+0", "1.3314166789178437745e+2", "1.9715909503065514427e+3",
                                "1.3731693765509461125e+4", "4.5921953931549871457e+4", "6.7265770927008700853e+4",
                                "3.3430575583588128105e+4", "2.5090809287301226727e+3"});
constexpr auto kB = polynomial({"1", "4.2313330701600911252e+1", "6.8718700749205790830e+2", "5.3941960214247511077e+3",
                                "2.1213794301586595867e+4", "3.9307895800092710610e+4", "2.8729085735721942674e+4",
                                "5.2264952788528545610e+3"});
// p neither close to 1/2 nor to 0 or 1
constexpr auto kC = polynomial({"1.42343711074968357734e+0", "4.63033784615654529590e+0", "5.76949722146069140550e+0",
                                "3.64784832476320460504e+0", "1.27045825245236838258e+0", "2.41780725177450611770e-1",
                                "2.27238449892691845833e-2", "7.74545014278341407640e-4"});
constexpr auto kD = polynomial({"1", "2.05319162663775882187e+0", "1.67638483018380384940e+0",
                                "6.89767334985100004550e-1", "1.48103976427480074590e-1", "1.51986665636164571966e-2",
                                "5.47593808499534494600e-4", "1.05075007164441684324e-9"});
// p close to 0 or 1
constexpr auto kE = polynomial({"6.65790464350110377720e+0", "5.46378491116411436990e+0", "1.78482653991729133580e+0",
                                "2.96560571828504891230e-1", "2.65321895265761230930e-2", "1.24266094738807843860e-3",
                                "2.71155556874348757815e-5", "2.01033439929228813265e-7"});
constexpr auto kF = polynomial({"1", "5.99832206555887937690e-1", "1.36929880922735805310e-1",
                                "1.48753612908506148525e-2", "7.86869131145613259100e-4", "1.84631831751005468180e-5",
                                "1.42151175831644588870e-7", "2.04426310338993978564e-15"});

// above(x) / below(x) for x in Q125, so up to 8.
Real quotient(const Polynomial& above, const Polynomial& below, Wide x) noexcept {
  const auto value = [x](const Polynomial& c) {
    Wide sum = c.back();
    for (std::size_t i = c.size() - 1; i-- > 0;) sum = c[i] + (multiply_high(sum, x) << 3);
    return real(sum, -kPolynomialBits);
  };
  return divide(value(above), value(below));
}

// The inverse of the normal distribution at p > 1/2.
Real upper_inverse_normal(Fraction p) noexcept {
  constexpr Wide kCentre = decimal("4.25e-1", 128);
  constexpr Wide kCentreSquare = decimal("1.80625e-1", 128);
  constexpr Wide kTail = decimal("1.6", 125);
  constexpr Wide kFarTail = decimal("5", 125);

  const Wide from_half = Wide{p.bits} * 2 + 1 - (Wide{1} << 64);  // p - 1/2, in units of 2^-65
  const Wide q = from_half << 63;                                 // Q128
  if (q <= kCentre) {
    const Wide r = (kCentreSquare - multiply_high(q, q)) >> 3;
    return multiply(real(from_half, -65), quotient(kA, kB, r));
  }
  const Wide r = in_units(sqrt(minus_ln(p.complement())), -125);
  return r <= kFarTail ? quotient(kC, kD, r - kTail) : quotient(kE, kF, r - kFarTail);
}

}  // namespace

Fixed96 log2(const Real& x) noexcept {
  constexpr SignedWide kOne = SignedWide{1} << 96;
  return {x.exponent * kOne + static_cast<SignedWide>(log2_of(x.significand) >> 31)};
}

Real minus_log2(Fraction x) noexcept {
  const Wide from_one = Wide{x.complement().bits} * 2 + 1;  // 1 - x, in units of 2^-65
  if (from_one < Wide{1} << 57) {                           // less than 1/256: its own series, so that nothing cancels
    return multiply(real(from_one, -65), {sum_of<Signs::same>(kLog2Series, from_one << 71), 0});
  }
  const Real value = real(Wide{x.bits} * 2 + 1, -65);
  return real((static_cast<Wide>(-value.exponent) << 121) - (log2_of(value.significand) >> 6), -121);
}

Real minus_ln(Fraction x) noexcept { return multiply(minus_log2(x), real(kLn2, -128)); }

Real exp2(Fixed96 x) noexcept {
  const auto fraction = static_cast<Wide>(x.units) << 32;  // Q128
  const auto i = static_cast<std::size_t>(fraction >> 120);
  const Wide rest_times_256 = multiply_high(fraction << 8, kLn2);
  const Wide product =
      multiply_high(kExp2Table[i], sum_of<Signs::same>(kExpSeries, rest_times_256));  // Q126, in [1, 2)
  return {product << 1, static_cast<int>(x.units >> 96)};
}

Real sqrt(const Real& x) noexcept {
  const bool odd = x.exponent % 2 != 0;
  const Wide n = odd ? x.significand : x.significand >> 1;
  const std::uint64_t upper = floor_sqrt(n);
  // One step of Newton's method gives the lower half. It is too large by less than one unit, but that unit could be one
  // too many for 64 bits.
  const Wide lower = std::min<Wide>(((n - Wide{upper} * upper) << 63) / upper, ~std::uint64_t{0});
  return {(Wide{upper} << 64) + lower, x.exponent >> 1};
}

Fixed96 inverse_normal(Fraction p) noexcept {
  const bool upper = p.bits >> 63 != 0;
  const auto z = static_cast<SignedWide>(in_units(upper_inverse_normal(upper ? p : p.complement()), -96));
  return {upper ? z : -z};
}

}  // namespace holdfast::sim::fixed_point
