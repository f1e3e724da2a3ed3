// The distributions of times, and the integer arithmetic under them.
//
// Known answers were computed with mpmath 1.3 at 400 bits from the formulas in distribution.hpp, with u = (2 high + 1)
// / 2^65 and with a shape or sigma as Ratio::from keeps it, and written down rounded to the nearest unit; the inverse
// of the normal distribution there is Newton's method on log(ncdf(z)) - log(p). Sweeps compare with long double libm,
// which adds an error of its own of about 2^-62.
#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <holdfast/policy.hpp>
#include <holdfast_sim/distribution.hpp>
#include <holdfast_sim/fixed_point.hpp>

namespace holdfast::distribution_test {

namespace {

using namespace std::chrono_literals;
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

// Where an implementation changes its formula, as the high bits of a draw: between a logarithm's series and its table,
// between the centre, the tail and the far tail of the normal distribution. And the ends, and some places between.
const std::array<std::uint64_t, 12> kSeams{
    0,
    std::uint64_t{1} << 56,
    256'187'346,                // e^-25
    0x13333333'33333333,        // 0.075
    0x40000000'00000000,        //
    0x7fffffff'fffffc00,        // one half, from below
    0x80000000'00000000,        //
    0xb504f333'f9de6484,        //
    0xeccccccc'cccccccc,        // 0.925
    ~(std::uint64_t{1} << 56),  //
    kAllOnes - 256'187'346,     //
    kAllOnes - 5'000,
};

}  // namespace

TEST_CASE("log2 is within its bound of known answers") {
  struct Row {
    std::uint64_t high, low;
    int exponent;
    std::uint64_t log2_high, log2_low;
  };
  const auto row = GENERATE(values<Row>({
      {0x8000000000000000, 0x0000000000000000, 0, 0x0000000000000000, 0x0000000000000000},
      {0x8000000000000000, 0x0000000000000001, -66, 0xffffffbe00000000, 0x0000000000000000},
      {0xffffffffffffffff, 0xffffffffffffffff, 5, 0x00000005ffffffff, 0xffffffffffffffff},
      {0xb504f333f9de6484, 0x597d89b3754abe9f, -1, 0xffffffff7fffffff, 0xffffffffffffffff},
      {0xff80000000000000, 0x0000000000000000, 3, 0x00000003ff47278a, 0xde8d012ecf122172},
      {0xff7fffffffffffff, 0xffffffffffffffff, 3, 0x00000003ff47278a, 0xde8d012ecf122172},
      {0x9249249249249249, 0x2492492492492492, -7, 0xfffffff931513015, 0x7f7a64ccd536fc5b},
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
      {0x0000000000000000, 0x8200000000000000, 0x0000000000000000, 6, 0xb437e057b116b792, 0x790b42666402c28a, 5},
      {0x0000000000000001, 0xfda8ff971810a5e1, 0x817fd3b7d7e5d149, 5, 0xafd2e5b905d5f4ec, 0x9e7adc310fedd497, 5},
      {0x0123456789abcdef, 0xfa0a7eda4c112cfd, 0x5d8b68127dd3e221, 2, 0xad50b1ca6a40f819, 0xb0e44c9ac3252fb3, 2},
      {0x4000000000000000, 0xfffffffffffffffe, 0x8eab89ad47d01e8a, 0, 0xb17217f7d1cf79aa, 0xc9e3b39803f2f6b0, 0},
      {0x7fffffffffffffff, 0x8000000000000000, 0xb8aa3b295c17f0bc, 0, 0xb17217f7d1cf79ac, 0xc9e3b39803f2f6b0, -1},
      {0x8000000000000000, 0xfffffffffffffffe, 0x8eab89ad47d01e89, -1, 0xb17217f7d1cf79aa, 0xc9e3b39803f2f6b0, -1},
      {0xc000000000000000, 0xd47fcb8c0852f0be, 0xd3793e2852a8cd14, -2, 0x934b1089a6dc93c0, 0x8a065e60afff8bfd, -2},
      {0xfeffffffffffffff, 0xb906ce03541af594, 0x2a972fd14cdb9040, -8, 0x80402acac459ac33, 0x0cb1df070f19fd65, -8},
      {0xff00000000000000, 0xb906ce03541af4da, 0xc6f867ad10aea799, -8, 0x80402acac459abb2, 0x8c315e868e997ce4, -8},
      {0xfffffffffffffffe, 0x8a7fac5f0511f48d, 0x36c5c06392a36651, -63, 0xc000000000000000, 0x9000000000000001, -64},
      {0xffffffffffffffff, 0xb8aa3b295c17f0bb, 0xecb28d9ac0233ab8, -65, 0x8000000000000000, 0x2000000000000000, -65},
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
      {0x0000000000000000, 0x0000000000000000, 0x8000000000000000, 0x0000000000000000, 0},
      {0x0000000000000000, 0x0000000000000001, 0x8000000000000000, 0x0000000058b90bfc, 0},
      {0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffff4e8de808, -1},
      {0x0000000080000000, 0x0000000000000000, 0xb504f333f9de6484, 0x597d89b3754abe9f, 0},
      {0xffffffff80000000, 0x0000000000000000, 0xb504f333f9de6484, 0x597d89b3754abe9f, -1},
      {0x00000000ffffffff, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffff4e8de808, 0},
      {0xffffffff00000000, 0x0000000000000000, 0x8000000000000000, 0x0000000000000000, -1},
      {0x000005140000029d, 0x42b64e76714244cb, 0x800000e7f2b4074e, 0x70eee5a3ec24b072, 1300},
      {0xfffffaebfffffffa, 0xa55ab2c71ad98116, 0xfffffffc49f0d7b2, 0x765f2d8eff69e210, -1301},
      {0x00000003243f6a88, 0x85a308d313198a2e, 0x8d331bf3337c1a6d, 0xa953f230e01b4a26, 3},
      {0x0000000001000000, 0x0000000000000000, 0x8058d7d2d5e5f6b0, 0x94d589f608ee4aa2, 0},
      {0x0000000000ffffff, 0xffffffffffffffff, 0x8058d7d2d5e5f6b0, 0x94d589f5aff7a9d5, 0},
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
      {0x8000000000000000, 0x0000000000000000, 0, 0x8000000000000000, 0x0000000000000000, 0},
      {0x8000000000000000, 0x0000000000000000, 1, 0xb504f333f9de6484, 0x597d89b3754abe9f, 0},
      {0xffffffffffffffff, 0xffffffffffffffff, 0, 0xb504f333f9de6484, 0x597d89b3754abe9f, 0},
      {0xffffffffffffffff, 0xffffffffffffffff, -1, 0xffffffffffffffff, 0xffffffffffffffff, -1},
      {0x8000000000000000, 0x0000000000000001, 2, 0x8000000000000000, 0x0000000000000000, 1},
      {0x9249249249249249, 0x2492492492492492, -65, 0xc1848f353fbf3445, 0x16791d2da5909baa, -33},
      {0xb504f333f9de6484, 0x597d89b3754abe9f, 5, 0xd744fccad69d6af4, 0x39a68bb9902d3fde, 2},
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
      {0x0000000000000000, 0xfffffff6d83eaad5, 0x0a75d2c120907485},
      {0x0000000000000001, 0xfffffff6f6ce05b8, 0x12d42e0af7f780ac},
      {0x000000000f451bd2, 0xfffffff957938fb1, 0x0c2ebb04c688bb69},
      {0x000000000f451bd3, 0xfffffff957938fb3, 0x83263e2cc9bc6666},
      {0x0123456789abcdef, 0xfffffffd623a47ea, 0xc401098fdba058b8},
      {0x1333333333333332, 0xfffffffe8f7add92, 0xc1adbf2574e20ad9},
      {0x1333333333333333, 0xfffffffe8f7add92, 0xc1adbf2c855ca693},
      {0x1333333333333334, 0xfffffffe8f7add92, 0xc1adbf3395d7424d},
      {0x4000000000000000, 0xffffffff5354a3c5, 0x6badb5491b6ff710},
      {0x7ffffffffffffffe, 0xffffffffffffffff, 0xfffffffc3d746a02},
      {0x7fffffffffffffff, 0xffffffffffffffff, 0xfffffffebf26ce01},
      {0x8000000000000000, 0x0000000000000000, 0x0000000140d931ff},
      {0xc000000000000000, 0x00000000acab5c3a, 0x94524aba0a28fc1e},
      {0xeccccccccccccccc, 0x000000017085226d, 0x3e5240d37aa3596d},
      {0xffffffffffffffff, 0x0000000927c1552a, 0xf58a2d3edf6f8b7b},
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

TEST_CASE("a ratio is the nearest multiple of 2^-32") {
  CHECK(Ratio::from(0) == Ratio{0});
  CHECK(Ratio::from(-0.0) == Ratio{0});
  CHECK(Ratio::from(1) == Ratio{0x1'0000'0000});
  CHECK(Ratio::from(0.5) == Ratio{0x8000'0000});
  CHECK(Ratio::from(0.05) == Ratio{214'748'365});         // 214748364.8
  CHECK(Ratio::from(0.7) == Ratio{3'006'477'107});        // 3006477107.2
  CHECK(Ratio::from(0x1p-33) == Ratio{1});                // halfway, upwards
  CHECK(Ratio::from(0x1.fffffffffffffp-34) == Ratio{0});  // just below halfway
  CHECK(Ratio::from(0x1.fffffffffffffp31) == Ratio{0xffff'ffff'ffff'f800});
}

TEST_CASE("what no ratio can hold is unusable") {
  for (const double value : {-0x1p-1074, -1.0, 0x1p32, 1e300, HUGE_VAL, -HUGE_VAL, std::nan("")}) {
    CAPTURE(value);
    CHECK(Ratio::from(value) == Ratio::unusable());
  }
}

TEST_CASE("a ratio's text is its shortest decimal within nine places") {
  CHECK(to_string(Ratio::from(0)) == "0");
  CHECK(to_string(Ratio::from(3)) == "3");
  CHECK(to_string(Ratio::from(0.05)) == "0.05");
  CHECK(to_string(Ratio::from(10.000001)) == "10.000001");
  CHECK(to_string(Ratio::from(0.123456789)) == "0.123456789");
  CHECK(to_string(Ratio{0xffff'ffff}) == "1");
  CHECK(to_string(Ratio{1}) == "0");
}

TEST_CASE("samples are within their bounds of known answers") {
  // For each distribution what each of these draws gives. All but the log-normal's answers are the exact result
  // rounded; those have the number of nanoseconds beside them by which the bound lets a sample differ.
  constexpr std::array<std::uint64_t, 7> kDraws{
      0, 1, 0x7fffffff'ffffffff, 0x80000000'00000000, 0xfeffffff'ffffffff, 0xffffffff'fffffffe, 0xffffffff'ffffffff};
  using Answers = std::array<std::int64_t, kDraws.size()>;
  struct Row {
    Distribution distribution;
    Answers answers;
    Answers tolerances;
  };
  const std::vector<Row> rows{
      {Fixed{0s}, {0, 0, 0, 0, 0, 0, 0}, {}},
      {Fixed{1ns}, {1, 1, 1, 1, 1, 1, 1}, {}},
      {Exponential{1ns}, {0, 0, 1, 1, 6, 44, 45}, {}},
      {Exponential{1h}, {0, 0, 2495329850016, 2495329850016, 19962638800126, 158241436011822, 162196440251027}, {}},
      {Exponential{kDurationMax},
       {0, 0, 2185908948613843528, 2185908948613843528, 3153600000000000000, 3153600000000000000, 3153600000000000000},
       {}},
      {Weibull{Ratio::from(0.05), 1ns}, {0, 0, 0, 0, 755629573630650, 3153600000000000000, 3153600000000000000}, {}},
      {Weibull{Ratio::from(0.05), 1h},
       {0, 0, 2359455140, 2359455140, 3153600000000000000, 3153600000000000000, 3153600000000000000},
       {}},
      {Weibull{Ratio::from(0.05), kDurationMax},
       {0, 0, 2066882702922819, 2066882702922819, 3153600000000000000, 3153600000000000000, 3153600000000000000},
       {}},
      {Weibull{Ratio::from(0.5), 1ns}, {0, 0, 0, 0, 31, 1932, 2030}, {}},
      {Weibull{Ratio::from(0.5), 1h},
       {0, 0, 1729630850106, 1729630850106, 110696374406754, 6955653353078766, 7307690341695844},
       {}},
      {Weibull{Ratio::from(0.5), kDurationMax},
       {0, 0, 1515156624692440013, 1515156624692440013, 3153600000000000000, 3153600000000000000, 3153600000000000000},
       {}},
      {Weibull{Ratio::from(1), 1ns}, {0, 0, 1, 1, 6, 44, 45}, {}},
      {Weibull{Ratio::from(1), 1h},
       {0, 0, 2495329850016, 2495329850016, 19962638800126, 158241436011822, 162196440251027},
       {}},
      {Weibull{Ratio::from(1), kDurationMax},
       {0, 0, 2185908948613843528, 2185908948613843528, 3153600000000000000, 3153600000000000000, 3153600000000000000},
       {}},
      {Weibull{Ratio::from(3), 1ns}, {0, 0, 1, 1, 2, 4, 4}, {}},
      {Weibull{Ratio::from(3), 1h},
       {1081399, 1559647, 3185989360202, 3185989360202, 6371978720404, 12705011787445, 12809989487154},
       {}},
      {Weibull{Ratio::from(3), kDurationMax},
       {947305446374, 1366250872983, 2790926679536832678, 2790926679536832678, 3153600000000000000, 3153600000000000000,
        3153600000000000000},
       {}},
      {Weibull{Ratio::from(100), 1ns}, {1, 1, 1, 1, 1, 1, 1}, {}},
      {Weibull{Ratio::from(100), 1h},
       {2294209129175, 2319552550666, 3586829685055, 3586829685055, 3662196601288, 3738803821461, 3739726905929},
       {}},
      {Weibull{Ratio::from(100), kDurationMax},
       {2009727197157012548, 2031928034383132012, 3142062804108436267, 3142062804108436267, 3153600000000000000,
        3153600000000000000, 3153600000000000000},
       {}},
      {LogNormal{1ns, Ratio::from(0)}, {1, 1, 1, 1, 1, 1, 1}, {0, 0, 0, 0, 0, 0, 0}},
      {LogNormal{1h, Ratio::from(0)},
       {3600000000000, 3600000000000, 3600000000000, 3600000000000, 3600000000000, 3600000000000, 3600000000000},
       {0, 0, 0, 0, 0, 0, 0}},
      {LogNormal{kDurationMax, Ratio::from(0)},
       {3153600000000000000, 3153600000000000000, 3153600000000000000, 3153600000000000000, 3153600000000000000,
        3153600000000000000, 3153600000000000000},
       {0, 0, 0, 0, 0, 0, 0}},
      {LogNormal{1ns, Ratio::from(0.25)}, {0, 0, 1, 1, 2, 10, 10}, {0, 0, 0, 0, 0, 0, 0}},
      {LogNormal{1h, Ratio::from(0.25)},
       {364988439790, 376045223830, 3600000000000, 3600000000000, 7000283950687, 34463939916586, 35507973916810},
       {0, 0, 0, 0, 0, 0, 0}},
      {LogNormal{kDurationMax, Ratio::from(0.25)},
       {319729873256031436, 329415616075179078, 3153600000000000000, 3153600000000000000, 3153600000000000000,
        3153600000000000000, 3153600000000000000},
       {82, 83, 0, 0, 0, 0, 0}},
      {LogNormal{1ns, Ratio::from(1)}, {0, 0, 1, 1, 14, 8399, 9464}, {0, 0, 0, 0, 0, 0, 0}},
      {LogNormal{1h, Ratio::from(1)},
       {380372346, 428600631, 3600000000000, 3600000000000, 51470113255477, 30237939629707477, 34071877564024204},
       {0, 0, 0, 0, 1, 31, 35}},
      {LogNormal{kDurationMax, Ratio::from(1)},
       {333206175053510, 375454152598618, 3153600000000000000, 3153600000000000000, 3153600000000000000,
        3153600000000000000, 3153600000000000000},
       {1, 1, 0, 0, 0, 0, 0}},
      {LogNormal{1ns, Ratio::from(10)},
       {0, 0, 1, 1, 356883304156, 3153600000000000000, 3153600000000000000},
       {0, 0, 0, 0, 0, 0, 0}},
      {LogNormal{1h, Ratio::from(10)},
       {0, 0, 3600000000000, 3600000000000, 3153600000000000000, 3153600000000000000, 3153600000000000000},
       {0, 0, 0, 0, 0, 0, 0}},
      {LogNormal{kDurationMax, Ratio::from(10)},
       {0, 0, 3153599999999999998, 3153600000000000000, 3153600000000000000, 3153600000000000000, 3153600000000000000},
       {0, 0, 0, 0, 0, 0, 0}},
  };
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t i = 0; i < kDraws.size(); ++i) {
      CAPTURE(row, i);
      const std::int64_t got = sample(rows[row].distribution, {kDraws[i], 0}).count();
      CHECK(got >= rows[row].answers[i] - rows[row].tolerances[i]);
      CHECK(got <= rows[row].answers[i] + rows[row].tolerances[i]);
    }
  }
}

TEST_CASE("samples are rounded to the right side also where the exact result is almost halfway") {
  // The exact results are within 2^-13 ns of the middle between two nanoseconds.
  struct Row {
    Distribution distribution;
    std::uint64_t high;
    std::int64_t nearest;
  };
  const std::vector<Row> rows{
      {Exponential{kDurationMax}, 0x656204814a6b5b62, 1590125805170625137},
      {Exponential{kDurationMax}, 0x3de20ce3cea02c20, 872652907570578444},
      {Exponential{1h}, 0x25c2f5563408c994, 574521119299},
      {Exponential{1h}, 0xb1d45a582df3859b, 4270626544775},
      {Weibull{Ratio::from(0.05), kDurationMax}, 0x2ad68b9072c17b7b, 5673},
      {Weibull{Ratio::from(0.3), kDurationMax}, 0x6b8ef7dde941a5ab, 416957593219202604},
      {Weibull{Ratio::from(0.7), kDurationMax}, 0x70ec26c79dcf6552, 1454652364955076327},
      {Weibull{Ratio::from(1.9), kDurationMax}, 0x5fca1cb193cf6843, 2116352458834242373},
      {Weibull{Ratio::from(3), kDurationMax}, 0x2d1a69f1a83199ca, 1825005434927835957},
      {Weibull{Ratio::from(33), kDurationMax}, 0x2ebfbc77c9868cbc, 3004231231765461126},
      {Weibull{Ratio::from(100), kDurationMax}, 0x1d6e8dae506e4af9, 3087982919761859626},
      {Weibull{Ratio::from(0.05), 1ns}, 0xe2c61da296629727, 5366051},
  };
  for (std::size_t row = 0; row < rows.size(); ++row) {
    CAPTURE(row);
    CHECK(sample(rows[row].distribution, {rows[row].high, 0}).count() == rows[row].nearest);
  }
}

TEST_CASE("a uniform sample reaches both ends and nothing beyond") {
  const auto low = Draw{0, 0};
  const auto high = Draw{kAllOnes, kAllOnes};
  for (const Uniform uniform : {Uniform{0ns, 0ns}, Uniform{0ns, 1ns}, Uniform{5s, 5s}, Uniform{1ns, 1h},
                                Uniform{0ns, kDurationMax}, Uniform{kDurationMax, kDurationMax}}) {
    CAPTURE(uniform.min.count(), uniform.max.count());
    CHECK(sample(uniform, low) == uniform.min);
    CHECK(sample(uniform, high) == uniform.max);
  }
  // Two values share the draws equally.
  CHECK(sample(Uniform{7ns, 8ns}, {0x7fffffff'ffffffff, kAllOnes}) == 7ns);
  CHECK(sample(Uniform{7ns, 8ns}, {0x80000000'00000000, 0}) == 8ns);
}

TEST_CASE("what a draw gives is frozen") {
  // A change of these numbers changes every digest. They are what the implementation gave when it was first written,
  // and lie within the bounds.
  constexpr std::array<Draw, 5> kDraws{{{0x0123456789abcdef, 0xfedcba9876543210},
                                        {0x3243f6a8885a308d, 0x313198a2e0370734},
                                        {0x9e3779b97f4a7c15, 0xf39cc0605cedc834},
                                        {0xf0e1d2c3b4a59687, 0x78695a4b3c2d1e0f},
                                        {0xffffffffdeadbeef, 0x0000000000000001}}};
  using Answers = std::array<std::int64_t, kDraws.size()>;
  struct Row {
    Distribution distribution;
    Answers frozen;
  };
  const std::vector<Row> rows{
      {Fixed{90min}, {5400000000000, 5400000000000, 5400000000000, 5400000000000, 5400000000000}},
      {Uniform{1s, 24h}, {384995555555, 16965403979844, 53398518594002, 81297775317186, 86399999997382}},
      {Exponential{1h}, {16035661258, 786927083888, 3464725140429, 10185478001046, 87190884831793}},
      {Weibull{Ratio::from(0.7), 1h}, {1575516780, 410128200206, 3408317567493, 15905894323131, 341732428328859}},
      {LogNormal{1h, Ratio::from(1.5)}, {71110984531, 998835307445, 5648646300091, 37527646448327, 65792957795364693}},
  };
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t i = 0; i < kDraws.size(); ++i) {
      CAPTURE(row, i);
      CHECK(sample(rows[row].distribution, kDraws[i]).count() == rows[row].frozen[i]);
    }
  }
}

namespace {

Duration any_duration(std::int64_t min) {
  // Half of them of any order of magnitude, half near the upper end, with both ends.
  const auto shift = *rc::gen::element(0, 0, 0, 10, 20, 30, 40, 50, 60);
  const std::int64_t longest = kDurationMax.count() >> shift;
  return Duration{*rc::gen::oneOf(rc::gen::just(min), rc::gen::just(longest), rc::gen::inRange(min, longest + 1))};
}

Ratio any_ratio(Ratio min, Ratio max) {
  return Ratio{*rc::gen::oneOf(rc::gen::just(min.two_to_minus_32), rc::gen::just(max.two_to_minus_32),
                               rc::gen::inRange(min.two_to_minus_32, max.two_to_minus_32 + 1),
                               rc::gen::inRange(min.two_to_minus_32, Ratio::from(2).two_to_minus_32))};
}

Distribution any_distribution() {
  switch (*rc::gen::inRange(0, 5)) {
    case 0: return Fixed{any_duration(0)};
    case 1: {
      const Duration a = any_duration(0);
      const Duration b = any_duration(0);
      return Uniform{std::min(a, b), std::max(a, b)};
    }
    case 2: return Exponential{any_duration(1)};
    case 3: return Weibull{any_ratio(kShapeMin, kShapeMax), any_duration(1)};
    default: return LogNormal{any_duration(1), any_ratio(Ratio{}, kSigmaMax)};
  }
}

Draw any_draw() {
  const auto word = rc::gen::oneOf(rc::gen::just(std::uint64_t{0}), rc::gen::just(kAllOnes), rc::gen::elementOf(kSeams),
                                   rc::gen::arbitrary<std::uint64_t>());
  return {*word, *word};
}

bool less(const Draw& a, const Draw& b) { return wide(a.high, a.low) < wide(b.high, b.low); }

}  // namespace

TEST_CASE("every sample of valid parameters is a time that configuration could hold") {
  rc::prop("from 0 to kDurationMax", [] {
    const Distribution distribution = any_distribution();
    RC_ASSERT(problems(distribution).empty());
    const Duration got = sample(distribution, any_draw());
    RC_ASSERT(got >= Duration::zero());
    RC_ASSERT(got <= kDurationMax);
  });
}

TEST_CASE("a larger draw never gives a smaller sample") {
  rc::prop("for any two draws", [] {
    const Distribution distribution = any_distribution();
    const Draw a = any_draw();
    const Draw b = any_draw();
    const auto [low, high] = std::minmax(a, b, less);
    RC_ASSERT(sample(distribution, low) <= sample(distribution, high));
  });
}

TEST_CASE("neighbouring draws keep order, also where a formula changes") {
  std::vector<Distribution> distributions{Uniform{0ns, kDurationMax}, Exponential{kDurationMax}};
  for (const double shape : {0.05, 0.5, 1.0, 3.0, 100.0})
    distributions.push_back(Weibull{Ratio::from(shape), kDurationMax});
  for (const double sigma : {0x1p-32, 0.001, 1.0, 10.0})
    distributions.push_back(LogNormal{kDurationMax / 20, Ratio::from(sigma)});
  distributions.push_back(LogNormal{kDurationMax, Ratio::from(10)});

  for (std::size_t i = 0; i < distributions.size(); ++i) {
    for (const std::uint64_t seam : kSeams) {
      const std::uint64_t first = seam < 1'000 ? 0 : seam - 1'000;
      Duration last{-1};
      for (std::uint64_t high = first; high < first + 2'000; ++high) {
        const Duration now = sample(distributions[i], {high, 0});
        if (now < last) FAIL_CHECK("distribution " << i << " falls at " << high);
        last = now;
      }
    }
  }
}

TEST_CASE("a Weibull distribution of shape 1 is the exponential one") {
  rc::prop("to the nanosecond that rounding may cost", [] {
    const Duration mean = any_duration(1);
    const Draw draw = any_draw();
    const Duration difference = sample(Weibull{Ratio::from(1), mean}, draw) - sample(Exponential{mean}, draw);
    RC_ASSERT(std::abs(difference.count()) <= 1);
  });
}

TEST_CASE("a log-normal distribution of sigma 0 is its median") {
  rc::prop("exactly", [] {
    const Duration median = any_duration(1);
    RC_ASSERT(sample(LogNormal{median, Ratio{}}, any_draw()) == median);
  });
}

TEST_CASE("a sample grows with its length of time") {
  rc::prop("for one draw", [] {
    const Duration a = any_duration(1);
    const Duration b = any_duration(1);
    const Draw draw = any_draw();
    const Ratio shape = any_ratio(kShapeMin, kShapeMax);
    const Ratio sigma = any_ratio(Ratio{}, kSigmaMax);
    const auto [small, large] = std::minmax(a, b);
    RC_ASSERT(sample(Exponential{small}, draw) <= sample(Exponential{large}, draw));
    RC_ASSERT(sample(Weibull{shape, small}, draw) <= sample(Weibull{shape, large}, draw));
    RC_ASSERT(sample(LogNormal{small, sigma}, draw) <= sample(LogNormal{large, sigma}, draw));
  });
}

TEST_CASE("the mean and the variance of many samples are the distribution's") {
  // Each distribution is turned into a standard one whose moments are known; "kurtosis" is the fourth central moment
  // over the squared variance, which gives the standard error of the variance.
  struct Row {
    std::string name;
    Distribution distribution;
    double (*standard)(double hours);
    double mean, variance, kurtosis;
  };
  const std::vector<Row> rows{
      {"uniform", Uniform{1h, 3h}, [](double x) { return (x - 1) / 2; }, 0.5, 1.0 / 12, 1.8},
      {"exponential", Exponential{2h}, [](double x) { return x / 2; }, 1, 1, 9},
      {"weibull 0.5", Weibull{Ratio::from(0.5), 2h}, [](double x) { return std::sqrt(x / 2); }, 1, 1, 9},
      {"weibull 3", Weibull{Ratio::from(3), 2h}, [](double x) { return std::pow(x / 2, 3); }, 1, 1, 9},
      {"log-normal 0.25", LogNormal{2h, Ratio::from(0.25)}, [](double x) { return std::log(x / 2) * 4; }, 0, 1, 3},
      {"log-normal 2", LogNormal{2h, Ratio::from(2)}, [](double x) { return std::log(x / 2) / 2; }, 0, 1, 3},
  };
  constexpr int kSamples = 100'000;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const DrawKey key{.seed = Seed{1}, .name = name_hash(row.name), .added_at = {}};
    double sum = 0;
    double squares = 0;  // of the distances from the true mean
    for (int i = 0; i < kSamples; ++i) {
      const Duration got = sample(row.distribution, draw(key, Purpose::run_length, static_cast<std::uint64_t>(i)));
      const double distance = row.standard(static_cast<double>(got.count()) / 3.6e12) - row.mean;
      sum += distance;
      squares += distance * distance;
    }
    const double mean_error = std::sqrt(row.variance / kSamples);
    const double variance_error = row.variance * std::sqrt((row.kurtosis - 1) / kSamples);
    CHECK(std::abs(sum / kSamples) < 3.5 * mean_error);
    CHECK(std::abs(squares / kSamples - row.variance) < 3.5 * variance_error);
  }
}

TEST_CASE("every parameter outside of its range is named, with what it was and what is allowed") {
  const auto errors = [](const Distribution& distribution) { return describe_errors(problems(distribution)); };
  const Duration long_time = kDurationMax + 1ns;

  CHECK(problems(Fixed{0s}).empty());
  CHECK(problems(Fixed{kDurationMax}).empty());
  CHECK(errors(Fixed{-1ns}) == "value is -1ns; allowed is 0s to 36500d");
  CHECK(errors(Fixed{long_time}) == "value is 36500d1ns; allowed is 0s to 36500d");

  CHECK(problems(Uniform{0s, kDurationMax}).empty());
  CHECK(problems(Uniform{5s, 5s}).empty());
  CHECK(errors(Uniform{5s, 4s}) == "max is 4s; allowed is 5s to 36500d");
  CHECK(errors(Uniform{-1s, 4s}) == "min is -1s; allowed is 0s to 36500d");
  CHECK(errors(Uniform{long_time, long_time}) ==
        "min is 36500d1ns; allowed is 0s to 36500d\nmax is 36500d1ns; allowed is 0s to 36500d");
  CHECK(errors(Uniform{long_time, 5s}) == "min is 36500d1ns; allowed is 0s to 36500d");

  CHECK(problems(Exponential{1ns}).empty());
  CHECK(problems(Exponential{kDurationMax}).empty());
  CHECK(errors(Exponential{0s}) == "mean is 0s; allowed is 1ns to 36500d");
  CHECK(errors(Exponential{long_time}) == "mean is 36500d1ns; allowed is 1ns to 36500d");

  CHECK(problems(Weibull{Ratio::from(0.05), 1ns}).empty());
  CHECK(problems(Weibull{Ratio::from(100), kDurationMax}).empty());
  CHECK(errors(Weibull{Ratio::from(0.049), 0s}) ==
        "shape is 0.049; allowed is 0.05 to 100\nscale is 0s; allowed is 1ns to 36500d");
  CHECK(errors(Weibull{Ratio::from(100.5), 1s}) == "shape is 100.5; allowed is 0.05 to 100");

  CHECK(problems(LogNormal{1ns, Ratio{}}).empty());
  CHECK(problems(LogNormal{kDurationMax, Ratio::from(10)}).empty());
  CHECK(errors(LogNormal{-5s, Ratio::from(11)}) ==
        "median is -5s; allowed is 1ns to 36500d\nsigma is 11; allowed is 0 to 10");
  CHECK(errors(LogNormal{0s, Ratio::from(-1)}) ==
        "median is 0s; allowed is 1ns to 36500d\nsigma is not a number from 0 to 4294967295; allowed is 0 to 10");
}

}  // namespace holdfast::distribution_test
