// The distributions of times. fixed_point_test.cpp has the arithmetic under them.
//
// Known answers were computed with mpmath 1.3 at 400 bits from the formulas in distribution.hpp, with u = (2 high + 1)
// / 2^65 and with a shape or sigma as Ratio::from keeps it, and written down rounded to the nearest unit.

#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <holdfast/policy.hpp>
#include <holdfast_sim/scenario/distribution.hpp>

namespace holdfast::distribution_test {

namespace {

using namespace std::chrono_literals;
using namespace holdfast::sim;

constexpr std::uint64_t kAllOnes = ~std::uint64_t{0};

Weibull weibull(double shape, Duration scale) { return {Ratio::from(shape), scale}; }
LogNormal log_normal(Duration median, double sigma) { return {median, Ratio::from(sigma)}; }

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

TEST_CASE("samples are within their bounds of known answers") {
  // For each distribution the sample that each of these draws gives. The answers are the exact results, rounded. Behind
  // those of a log-normal one stand the nanoseconds by which its bound lets a sample differ.
  constexpr std::array<std::uint64_t, 7> kDraws{
      0, 1, 0x7fffffff'ffffffff, 0x80000000'00000000, 0xfeffffff'ffffffff, 0xffffffff'fffffffe, 0xffffffff'ffffffff};
  constexpr Duration kMax = kDurationMax;
  constexpr std::int64_t kMost = kMax.count();
  using Answers = std::array<std::int64_t, kDraws.size()>;
  struct Row {
    Distribution distribution;
    Answers answers;
    Answers tolerances{};
  };
  const std::vector<Row> rows{
      // clang-format off
      // for the draws                            0                    1       just below 1/2                  1/2
      // and                              1 - 1/256  just below the last             the last
      {Fixed{0s},              {                  0,                   0,                   0,                   0,
                                                  0,                   0,                   0}},
      {Fixed{1ns},             {                  1,                   1,                   1,                   1,
                                                  1,                   1,                   1}},
      {Exponential{1ns},       {                  0,                   0,                   1,                   1,
                                                  6,                  44,                  45}},
      {Exponential{1h},        {                  0,                   0,       2495329850016,       2495329850016,
                                     19962638800126,     158241436011822,     162196440251027}},
      {Exponential{kMax},      {                  0,                   0, 2185908948613843528, 2185908948613843528,
                                              kMost,               kMost,               kMost}},
      {weibull(0.05, 1ns),     {                  0,                   0,                   0,                   0,
                                    755629573630650,               kMost,               kMost}},
      {weibull(0.05, 1h),      {                  0,                   0,          2359455140,          2359455140,
                                              kMost,               kMost,               kMost}},
      {weibull(0.05, kMax),    {                  0,                   0,    2066882702922819,    2066882702922819,
                                              kMost,               kMost,               kMost}},
      {weibull(0.5, 1ns),      {                  0,                   0,                   0,                   0,
                                                 31,                1932,                2030}},
      {weibull(0.5, 1h),       {                  0,                   0,       1729630850106,       1729630850106,
                                    110696374406754,    6955653353078766,    7307690341695844}},
      {weibull(0.5, kMax),     {                  0,                   0, 1515156624692440013, 1515156624692440013,
                                              kMost,               kMost,               kMost}},
      {weibull(1, 1ns),        {                  0,                   0,                   1,                   1,
                                                  6,                  44,                  45}},
      {weibull(1, 1h),         {                  0,                   0,       2495329850016,       2495329850016,
                                     19962638800126,     158241436011822,     162196440251027}},
      {weibull(1, kMax),       {                  0,                   0, 2185908948613843528, 2185908948613843528,
                                              kMost,               kMost,               kMost}},
      {weibull(3, 1ns),        {                  0,                   0,                   1,                   1,
                                                  2,                   4,                   4}},
      {weibull(3, 1h),         {            1081399,             1559647,       3185989360202,       3185989360202,
                                      6371978720404,      12705011787445,      12809989487154}},
      {weibull(3, kMax),       {       947305446374,       1366250872983, 2790926679536832678, 2790926679536832678,
                                              kMost,               kMost,               kMost}},
      {weibull(100, 1ns),      {                  1,                   1,                   1,                   1,
                                                  1,                   1,                   1}},
      {weibull(100, 1h),       {      2294209129175,       2319552550666,       3586829685055,       3586829685055,
                                      3662196601288,       3738803821461,       3739726905929}},
      {weibull(100, kMax),     {2009727197157012548, 2031928034383132012, 3142062804108436267, 3142062804108436267,
                                              kMost,               kMost,               kMost}},
      {log_normal(1ns, 0),     {                  1,                   1,                   1,                   1,
                                                  1,                   1,                   1}},
      {log_normal(1h, 0),      {      3600000000000,       3600000000000,       3600000000000,       3600000000000,
                                      3600000000000,       3600000000000,       3600000000000}},
      {log_normal(kMax, 0),    {              kMost,               kMost,               kMost,               kMost,
                                              kMost,               kMost,               kMost}},
      {log_normal(1ns, 0.25),  {                  0,                   0,                   1,                   1,
                                                  2,                  10,                  10}},
      {log_normal(1h, 0.25),   {       364988439790,        376045223830,       3600000000000,       3600000000000,
                                      7000283950687,      34463939916586,      35507973916810}},
      {log_normal(kMax, 0.25), { 319729873256031436,  329415616075179078,               kMost,               kMost,
                                              kMost,               kMost,               kMost}, {82, 83}},
      {log_normal(1ns, 1),     {                  0,                   0,                   1,                   1,
                                                 14,                8399,                9464}},
      {log_normal(1h, 1),      {          380372346,           428600631,       3600000000000,       3600000000000,
                                     51470113255477,   30237939629707477,   34071877564024204}, {0,0,0,0,1,31,35}},
      {log_normal(kMax, 1),    {    333206175053510,     375454152598618,               kMost,               kMost,
                                              kMost,               kMost,               kMost}, {1, 1}},
      {log_normal(1ns, 10),    {                  0,                   0,                   1,                   1,
                                       356883304156,               kMost,               kMost}},
      {log_normal(1h, 10),     {                  0,                   0,       3600000000000,       3600000000000,
                                              kMost,               kMost,               kMost}},
      {log_normal(kMax, 10),   {                  0,                   0, 3153599999999999998,               kMost,
                                              kMost,               kMost,               kMost}},
      // clang-format on
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
      // clang-format off
      // distribution                 upper half of the draw           nearest ns
      {Exponential{kDurationMax},   0x656204814a6b5b62,     1590125805170625137},
      {Exponential{kDurationMax},   0x3de20ce3cea02c20,      872652907570578444},
      {Exponential{1h},             0x25c2f5563408c994,            574521119299},
      {Exponential{1h},             0xb1d45a582df3859b,           4270626544775},
      {weibull(0.05, kDurationMax), 0x2ad68b9072c17b7b,                    5673},
      {weibull(0.3, kDurationMax),  0x6b8ef7dde941a5ab,      416957593219202604},
      {weibull(0.7, kDurationMax),  0x70ec26c79dcf6552,     1454652364955076327},
      {weibull(1.9, kDurationMax),  0x5fca1cb193cf6843,     2116352458834242373},
      {weibull(3, kDurationMax),    0x2d1a69f1a83199ca,     1825005434927835957},
      {weibull(33, kDurationMax),   0x2ebfbc77c9868cbc,     3004231231765461126},
      {weibull(100, kDurationMax),  0x1d6e8dae506e4af9,     3087982919761859626},
      {weibull(0.05, 1ns),          0xe2c61da296629727,                 5366051},
      // clang-format on
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
      // clang-format off
      // distribution                draw 0          draw 1          draw 2          draw 3             draw 4
      {Fixed{90min},        {5400000000000,  5400000000000,  5400000000000,  5400000000000,     5400000000000}},
      {Uniform{1s, 24h},    { 384995555555, 16965403979844, 53398518594002, 81297775317186,    86399999997382}},
      {Exponential{1h},     {  16035661258,   786927083888,  3464725140429, 10185478001046,    87190884831793}},
      {weibull(0.7, 1h),    {   1575516780,   410128200206,  3408317567493, 15905894323131,   341732428328859}},
      {log_normal(1h, 1.5), {  71110984531,   998835307445,  5648646300091, 37527646448327, 65792957795364693}},
      // clang-format on
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

bool less(const Draw& a, const Draw& b) { return std::pair{a.high, a.low} < std::pair{b.high, b.low}; }

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
      // clang-format off
      // name               distribution          standard                                      mean  variance  kurtosis
      {"uniform",         Uniform{1h, 3h},      [](double x) { return (x - 1) / 2; },          0.5, 1.0 / 12,      1.8},
      {"exponential",     Exponential{2h},      [](double x) { return x / 2; },                  1,        1,        9},
      {"weibull 0.5",     weibull(0.5, 2h),     [](double x) { return std::sqrt(x / 2); },       1,        1,        9},
      {"weibull 3",       weibull(3, 2h),       [](double x) { return std::pow(x / 2, 3); },     1,        1,        9},
      {"log-normal 0.25", log_normal(2h, 0.25), [](double x) { return std::log(x / 2) * 4; },    0,        1,        3},
      {"log-normal 2",    log_normal(2h, 2),    [](double x) { return std::log(x / 2) / 2; },    0,        1,        3},
      // clang-format on
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

TEST_CASE("every parameter outside of its range is named, with its value and the range") {
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
