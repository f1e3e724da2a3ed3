// The integer arithmetic under the distributions of times.
//
// Known answers were computed with mpmath 1.3 at 400 bits and rounded to the nearest unit. The inverse of the normal
// distribution there is Newton's method on log(ncdf(z)) - log(p). Sweeps compare with libm's long double, which adds an
// error of its own of about 2^-62.
//
// In the tables of known answers, "high" and "low" are the upper and lower 64 bits of a number. Behind a significand
// stands "2^", its exponent. Numbers without one are of fixed point, in units of 2^-96.

#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

#include <holdfast_sim/scenario/detail/fixed_point.hpp>

namespace holdfast::fixed_point_test {

namespace {

using namespace holdfast::sim;
using fixed_point::Fixed96;
using fixed_point::Fraction;
using fixed_point::Real;
using fixed_point::SignedWide;
using fixed_point::Wide;

constexpr std::uint64_t kAllOnes = ~std::uint64_t{0};

constexpr Wide wide(std::uint64_t high, std::uint64_t low) { return Wide{high} << 64 | low; }
constexpr Fixed96 fixed96(std::uint64_t high, std::uint64_t low) { return {static_cast<SignedWide>(wide(high, low))}; }

long double to_float(const Real& x) { return std::ldexp(static_cast<long double>(x.significand), x.exponent - 127); }
long double to_float(Fixed96 x) { return std::ldexp(static_cast<long double>(x.units), -96); }
long double to_float(Fraction x) { return std::ldexp(static_cast<long double>(Wide{x.bits} * 2 + 1), -65); }

// |a - b|, in units of the last place of a 128-bit significand; huge if they are not even close.
Wide distance(const Real& a, const Real& b) {
  if (a.exponent > b.exponent) return distance(b, a);
  if (a.exponent + 1 < b.exponent) return ~Wide{0};
  if (a.exponent == b.exponent)
    return a.significand > b.significand ? a.significand - b.significand : b.significand - a.significand;
  // A power of two lies between them; a's units are half of b's.
  const Wide from_a = 0 - a.significand;
  return from_a + 2 * (b.significand - (Wide{1} << 127));
}

Wide distance(Fixed96 a, Fixed96 b) {
  return static_cast<Wide>(a.units > b.units ? a.units - b.units : b.units - a.units);
}

// The largest difference of significands that a relative error below 2^-n allows.
constexpr Wide relative(int n) { return Wide{1} << (128 - n); }

// Fractions spread evenly, and ever closer to 0 and to 1.
std::vector<Fraction> sweep_of_fractions() {
  std::vector<Fraction> sweep;
  constexpr std::uint64_t kSteps = 50'000;
  for (std::uint64_t i = 0; i < kSteps; ++i) sweep.push_back({kAllOnes / kSteps * i});
  for (int shift = 0; shift < 64; ++shift) {
    for (std::uint64_t i = 0; i < 64; ++i) {
      const std::uint64_t bits = (kAllOnes - (kAllOnes / 200) * i) >> shift;
      sweep.push_back({bits});
      sweep.push_back({~bits});
    }
  }
  return sweep;
}

}  // namespace

TEST_CASE("log2 is within its bound of known answers") {
  struct Row {
    std::uint64_t high, low;
    int exponent;
    std::uint64_t log2_high, log2_low;
  };
  const auto row = GENERATE(values<Row>({
      // clang-format off
      // x, high             x, low              x, 2^  log2 x, high        log2 x, low
      { 0x8000000000000000, 0x0000000000000000,     0, 0x0000000000000000, 0x0000000000000000},
      { 0x8000000000000000, 0x0000000000000001,   -66, 0xffffffbe00000000, 0x0000000000000000},
      { 0xffffffffffffffff, 0xffffffffffffffff,     5, 0x00000005ffffffff, 0xffffffffffffffff},
      { 0xb504f333f9de6484, 0x597d89b3754abe9f,    -1, 0xffffffff7fffffff, 0xffffffffffffffff},
      { 0xff80000000000000, 0x0000000000000000,     3, 0x00000003ff47278a, 0xde8d012ecf122172},
      { 0xff7fffffffffffff, 0xffffffffffffffff,     3, 0x00000003ff47278a, 0xde8d012ecf122172},
      { 0x9249249249249249, 0x2492492492492492,    -7, 0xfffffff931513015, 0x7f7a64ccd536fc5b},
      // clang-format on
  }));
  CAPTURE(row.high, row.low, row.exponent);
  const Fixed96 got = fixed_point::log2({wide(row.high, row.low), row.exponent});
  CHECK(distance(got, fixed96(row.log2_high, row.log2_low)) <= 1);
}

TEST_CASE("both logarithms of a fraction are within their bounds of known answers") {
  struct Row {
    std::uint64_t bits;
    std::uint64_t log2_high, log2_low;
    int log2_exponent;
    std::uint64_t ln_high, ln_low;
    int ln_exponent;
  };
  const auto row = GENERATE(values<Row>({
      // clang-format off
      // x                   -log2 x, high       -log2 x, low         2^  -ln x, high         -ln x, low           2^
      { 0x0000000000000000, 0x8200000000000000, 0x0000000000000000,   6, 0xb437e057b116b792, 0x790b42666402c28a,   5},
      { 0x0000000000000001, 0xfda8ff971810a5e1, 0x817fd3b7d7e5d149,   5, 0xafd2e5b905d5f4ec, 0x9e7adc310fedd497,   5},
      { 0x0123456789abcdef, 0xfa0a7eda4c112cfd, 0x5d8b68127dd3e221,   2, 0xad50b1ca6a40f819, 0xb0e44c9ac3252fb3,   2},
      { 0x4000000000000000, 0xfffffffffffffffe, 0x8eab89ad47d01e8a,   0, 0xb17217f7d1cf79aa, 0xc9e3b39803f2f6b0,   0},
      { 0x7fffffffffffffff, 0x8000000000000000, 0xb8aa3b295c17f0bc,   0, 0xb17217f7d1cf79ac, 0xc9e3b39803f2f6b0,  -1},
      { 0x8000000000000000, 0xfffffffffffffffe, 0x8eab89ad47d01e89,  -1, 0xb17217f7d1cf79aa, 0xc9e3b39803f2f6b0,  -1},
      { 0xc000000000000000, 0xd47fcb8c0852f0be, 0xd3793e2852a8cd14,  -2, 0x934b1089a6dc93c0, 0x8a065e60afff8bfd,  -2},
      { 0xfeffffffffffffff, 0xb906ce03541af594, 0x2a972fd14cdb9040,  -8, 0x80402acac459ac33, 0x0cb1df070f19fd65,  -8},
      { 0xff00000000000000, 0xb906ce03541af4da, 0xc6f867ad10aea799,  -8, 0x80402acac459abb2, 0x8c315e868e997ce4,  -8},
      { 0xfffffffffffffffe, 0x8a7fac5f0511f48d, 0x36c5c06392a36651, -63, 0xc000000000000000, 0x9000000000000001, -64},
      { 0xffffffffffffffff, 0xb8aa3b295c17f0bb, 0xecb28d9ac0233ab8, -65, 0x8000000000000000, 0x2000000000000000, -65},
      // clang-format on
  }));
  CAPTURE(row.bits);
  const Real log2{wide(row.log2_high, row.log2_low), row.log2_exponent};
  const Real ln{wide(row.ln_high, row.ln_low), row.ln_exponent};
  CHECK(distance(fixed_point::minus_log2({row.bits}), log2) <= relative(100));
  CHECK(distance(fixed_point::minus_ln({row.bits}), ln) <= relative(100));
}

TEST_CASE("exp2 is within its bound of known answers") {
  struct Row {
    std::uint64_t x_high, x_low, high, low;
    int exponent;
  };
  const auto row = GENERATE(values<Row>({
      // clang-format off
      // x, high             x, low              2^x, high           2^x, low               2^
      { 0x0000000000000000, 0x0000000000000000, 0x8000000000000000, 0x0000000000000000,     0},
      { 0x0000000000000000, 0x0000000000000001, 0x8000000000000000, 0x0000000058b90bfc,     0},
      { 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffff4e8de808,    -1},
      { 0x0000000080000000, 0x0000000000000000, 0xb504f333f9de6484, 0x597d89b3754abe9f,     0},
      { 0xffffffff80000000, 0x0000000000000000, 0xb504f333f9de6484, 0x597d89b3754abe9f,    -1},
      { 0x00000000ffffffff, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffff4e8de808,     0},
      { 0xffffffff00000000, 0x0000000000000000, 0x8000000000000000, 0x0000000000000000,    -1},
      { 0x000005140000029d, 0x42b64e76714244cb, 0x800000e7f2b4074e, 0x70eee5a3ec24b072,  1300},
      { 0xfffffaebfffffffa, 0xa55ab2c71ad98116, 0xfffffffc49f0d7b2, 0x765f2d8eff69e210, -1301},
      { 0x00000003243f6a88, 0x85a308d313198a2e, 0x8d331bf3337c1a6d, 0xa953f230e01b4a26,     3},
      { 0x0000000001000000, 0x0000000000000000, 0x8058d7d2d5e5f6b0, 0x94d589f608ee4aa2,     0},
      { 0x0000000000ffffff, 0xffffffffffffffff, 0x8058d7d2d5e5f6b0, 0x94d589f5aff7a9d5,     0},
      // clang-format on
  }));
  CAPTURE(row.x_high, row.x_low);
  const Real got = fixed_point::exp2(fixed96(row.x_high, row.x_low));
  CHECK(distance(got, Real{wide(row.high, row.low), row.exponent}) <= relative(100));
}

TEST_CASE("sqrt is within its bound of known answers") {
  struct Row {
    std::uint64_t x_high, x_low;
    int x_exponent;
    std::uint64_t high, low;
    int exponent;
  };
  const auto row = GENERATE(values<Row>({
      // clang-format off
      // x, high             x, low               2^  sqrt x, high        sqrt x, low          2^
      { 0x8000000000000000, 0x0000000000000000,   0, 0x8000000000000000, 0x0000000000000000,   0},
      { 0x8000000000000000, 0x0000000000000000,   1, 0xb504f333f9de6484, 0x597d89b3754abe9f,   0},
      { 0xffffffffffffffff, 0xffffffffffffffff,   0, 0xb504f333f9de6484, 0x597d89b3754abe9f,   0},
      { 0xffffffffffffffff, 0xffffffffffffffff,  -1, 0xffffffffffffffff, 0xffffffffffffffff,  -1},
      { 0x8000000000000000, 0x0000000000000001,   2, 0x8000000000000000, 0x0000000000000000,   1},
      { 0x9249249249249249, 0x2492492492492492, -65, 0xc1848f353fbf3445, 0x16791d2da5909baa, -33},
      { 0xb504f333f9de6484, 0x597d89b3754abe9f,   5, 0xd744fccad69d6af4, 0x39a68bb9902d3fde,   2},
      // clang-format on
  }));
  CAPTURE(row.x_high, row.x_low, row.x_exponent);
  const Real got = fixed_point::sqrt({wide(row.x_high, row.x_low), row.x_exponent});
  CHECK(distance(got, Real{wide(row.high, row.low), row.exponent}) <= relative(124));
}

TEST_CASE("a root just below a whole number is not taken for that number") {
  // The first 64 bits of the root come from a rule that may end one too high, most easily next to a square.
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    const std::uint64_t root = (std::uint64_t{1} << 63) + i * i * i * i;
    const Wide square = Wide{root} * root;
    for (const Wide n : {square - 1, square, square + 1}) {
      if (n < Wide{1} << 126) continue;
      const Real got = fixed_point::sqrt({n << 1, 0});
      if (distance(got, Real{Wide{root} << 64, 0}) > relative(124))
        FAIL_CHECK("the root of a number next to " << root << " squared");
    }
  }
}

TEST_CASE("the inverse of the normal distribution is within its bound of known answers") {
  struct Row {
    std::uint64_t bits, high, low;
  };
  const auto row = GENERATE(values<Row>({
      // clang-format off
      // p                   z, high             z, low
      { 0x0000000000000000, 0xfffffff6d83eaad5, 0x0a75d2c120907485},
      { 0x0000000000000001, 0xfffffff6f6ce05b8, 0x12d42e0af7f780ac},
      { 0x000000000f451bd2, 0xfffffff957938fb1, 0x0c2ebb04c688bb69},
      { 0x000000000f451bd3, 0xfffffff957938fb3, 0x83263e2cc9bc6666},
      { 0x0123456789abcdef, 0xfffffffd623a47ea, 0xc401098fdba058b8},
      { 0x1333333333333332, 0xfffffffe8f7add92, 0xc1adbf2574e20ad9},
      { 0x1333333333333333, 0xfffffffe8f7add92, 0xc1adbf2c855ca693},
      { 0x1333333333333334, 0xfffffffe8f7add92, 0xc1adbf3395d7424d},
      { 0x4000000000000000, 0xffffffff5354a3c5, 0x6badb5491b6ff710},
      { 0x7ffffffffffffffe, 0xffffffffffffffff, 0xfffffffc3d746a02},
      { 0x7fffffffffffffff, 0xffffffffffffffff, 0xfffffffebf26ce01},
      { 0x8000000000000000, 0x0000000000000000, 0x0000000140d931ff},
      { 0xc000000000000000, 0x00000000acab5c3a, 0x94524aba0a28fc1e},
      { 0xeccccccccccccccc, 0x000000017085226d, 0x3e5240d37aa3596d},
      { 0xffffffffffffffff, 0x0000000927c1552a, 0xf58a2d3edf6f8b7b},
      // clang-format on
  }));
  CAPTURE(row.bits);
  const Fixed96 want = fixed96(row.high, row.low);
  const Wide size = static_cast<Wide>(want.units < 0 ? -want.units : want.units);
  CHECK(distance(fixed_point::inverse_normal({row.bits}), want) <= (size >> 53) + 2);
}

TEST_CASE("logarithms agree with libm over a sweep of fractions") {
  for (const Fraction x : sweep_of_fractions()) {
    const long double value = to_float(x);
    // Next to 1 the fraction itself does not fit a long double; 1 minus it does.
    const long double want = value < 0.5L ? -std::log2(value) : -std::log1p(-to_float(x.complement())) / std::log(2.0L);
    const long double got = to_float(fixed_point::minus_log2(x));
    if (std::abs(got / want - 1) > 0x1p-61L) FAIL_CHECK("minus_log2 at " << x.bits << ": " << got << ", not " << want);

    const Real real = fixed_point::real(Wide{x.bits} * 2 + 1, -65);
    const long double plain = to_float(fixed_point::log2(real));
    if (std::abs(plain + want) > 0x1p-95L + want * 0x1p-61L) FAIL_CHECK("log2 at " << x.bits << ": " << plain);

    const long double natural = to_float(fixed_point::minus_ln(x));
    if (std::abs(natural / (want * std::log(2.0L)) - 1) > 0x1p-61L) FAIL_CHECK("minus_ln at " << x.bits);
  }
}

TEST_CASE("powers and roots agree with libm over a sweep") {
  for (int i = -400'000; i <= 400'000; i += 7) {
    const Fixed96 x{SignedWide{i} << 86};  // i / 1024
    const long double got = to_float(fixed_point::exp2(x));
    if (std::abs(got / std::exp2(to_float(x)) - 1) > 0x1p-61L) FAIL_CHECK("exp2 at " << i << " / 1024: " << got);
  }
  for (const Fraction x : sweep_of_fractions()) {
    const Real real = fixed_point::real(x.bits | 1, static_cast<int>(x.bits % 129) - 64);  // even and odd exponents
    const long double got = to_float(fixed_point::sqrt(real));
    if (std::abs(got / std::sqrt(to_float(real)) - 1) > 0x1p-62L) FAIL_CHECK("sqrt at " << x.bits << ": " << got);
  }
}

TEST_CASE("the inverse of the normal distribution agrees with libm's error function over a sweep") {
  const long double root_two = std::sqrt(2.0L);
  const long double root_two_pi = std::sqrt(2.0L * std::acos(-1.0L));
  for (const Fraction p : sweep_of_fractions()) {
    const long double z = to_float(fixed_point::inverse_normal(p));
    // How far the distribution at z is from p, over its slope, is how far z is from the right one. Each part of the
    // line is taken from where it starts, so that nothing cancels: the tails from 0 and 1, the middle from one half.
    const long double from_half = std::ldexp(
        static_cast<long double>(static_cast<SignedWide>(Wide{p.bits} * 2 + 1) - (SignedWide{1} << 64)), -65);
    const Fraction tail = p.bits >> 63 != 0 ? p.complement() : p;
    const long double miss = std::abs(from_half) < 0.25L ? std::erf(z / root_two) / 2 - from_half
                                                         : std::erfc(std::abs(z) / root_two) / 2 - to_float(tail);
    const long double slope = std::exp(-z * z / 2) / root_two_pi;
    if (std::abs(miss / slope) > 0x1p-95L + std::abs(z) * (0x1p-53L + 0x1p-58L))
      FAIL_CHECK("at " << p.bits << ": " << z);
    if (std::signbit(z) != (p.bits >> 63 == 0)) FAIL_CHECK("the wrong side at " << p.bits << ": " << z);
  }
}

TEST_CASE("the inverse of the normal distribution is antisymmetric") {
  rc::prop("p and 1 - p", [](std::uint64_t bits) {
    RC_ASSERT(fixed_point::inverse_normal({bits}).units == -fixed_point::inverse_normal({~bits}).units);
  });
}

TEST_CASE("a quotient times its divisor is the dividend") {
  rc::prop("within the bounds of both", [](std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) {
    const Real x = fixed_point::real(wide(a, b) | 1, -20);
    const Real y = fixed_point::real(wide(c, d) | 1, 30);
    RC_ASSERT(distance(fixed_point::multiply(fixed_point::divide(x, y), y), x) <= relative(121));
  });
}

}  // namespace holdfast::fixed_point_test
