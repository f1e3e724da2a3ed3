// Distributions of times: how long a simulated service runs, how long it takes to stop.
//
// A sample is a pure function of a distribution and one Draw (lib/holdfast/random.hpp). It is the distribution's
// quantile, its inverse distribution function, at
//
//     u = (draw.high + 1/2) / 2^64
//
// so a larger draw never gives a smaller sample, and every bit of `high` counts. (Uniform uses all 128 bits of the
// draw.) The arithmetic is on integers alone (fixed_point.hpp): the same bits give the same time everywhere. What a
// draw gives is frozen: a change of it changes every digest.
//
// A sample is a whole number of nanoseconds from 0 to kDurationMax, the exact real result rounded to the nearest and
// cut off at kDurationMax:
//
//     distribution   exact result x                     |sample - x|
//     Fixed          value                              0
//     Uniform        min + floor(u' (max - min + 1))    0, with u' = (draw.high 2^64 + draw.low) / 2^128
//     Exponential    mean (-ln(1 - u))                  0.5 ns + 2^-28 ns
//     Weibull        scale (-ln(1 - u))^(1 / shape)     0.5 ns + 2^-28 ns
//     LogNormal      median e^(sigma z(u))              0.5 ns + 2^-28 ns + 2^-53 sigma |z(u)| x
//
// where z is the inverse of the standard normal distribution. |z(u)| < 9.16, so the last bound's relative part is below
// 2^-46 for the largest sigma. The formulas are textbook inversions: Luc Devroye, "Non-Uniform Random Variate
// Generation" (Springer, 1986), chapter II.2; z is Wichura's (fixed_point.hpp).
//
// Thread-safety: values and pure functions, safe anywhere.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <holdfast/file/ratio.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/text/file.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

inline constexpr Ratio kShapeMin = Ratio::from(0.05);
inline constexpr Ratio kShapeMax = Ratio::from(100);
inline constexpr Ratio kSigmaMax = Ratio::from(10);

// Always `value`, from 0.
struct Fixed {
  Duration value{};
  friend constexpr bool operator==(const Fixed&, const Fixed&) noexcept = default;
};

// Every nanosecond from `min` to `max`, both included, is as likely as every other. `min` is from 0, `max` from `min`.
struct Uniform {
  Duration min{};
  Duration max{};
  friend constexpr bool operator==(const Uniform&, const Uniform&) noexcept = default;
};

// Failures without a memory. `mean` is more than 0.
struct Exponential {
  Duration mean{};
  friend constexpr bool operator==(const Exponential&, const Exponential&) noexcept = default;
};

// Failures that get rarer with age (`shape` below 1) or more frequent (above 1); with shape 1 it is the exponential
// one. `shape` is from kShapeMin to kShapeMax; `scale` is more than 0 and is survived by 1/e, about 37 %.
struct Weibull {
  Ratio shape{};
  Duration scale{};
  friend constexpr bool operator==(const Weibull&, const Weibull&) noexcept = default;
};

// Times that are a product of many small influences. Half the samples are below `median`, which is more than 0; their
// natural logarithm has the standard deviation `sigma`, from 0 (always the median) to kSigmaMax.
struct LogNormal {
  Duration median{};
  Ratio sigma{};
  friend constexpr bool operator==(const LogNormal&, const LogNormal&) noexcept = default;
};

using Distribution = std::variant<Fixed, Uniform, Exponential, Weibull, LogNormal>;

// What `draw` gives under `distribution`. REQUIRES: problems(distribution).empty().
Duration sample(const Distribution& distribution, const Draw& draw) noexcept;

// Every parameter that is outside of its range, in the order above; none if the distribution can be sampled. Fields are
// named as above and in scenario files: {error, "shape", "is 0.01; allowed is 0.05 to 100"}.
std::vector<Problem> problems(const Distribution& distribution);

}  // namespace holdfast::sim

#pragma GCC visibility pop
