// The restart decisions alone: ceilings, jitter, cooldown and the failure history, each against a reference that is
// slow and written another way.

#include <catch2/catch.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <set>
#include <vector>

#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include <holdfast/backoff.hpp>
#include <holdfast/detail/wide.hpp>

namespace holdfast::backoff_test {

namespace {

using namespace std::chrono_literals;

using Wide = holdfast::detail::SignedWide;

constexpr Attempt kMostAttempts = std::numeric_limits<Attempt>::max();
constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

// Doubles step by step in 128 bits, and stops once the cap is passed.
Duration reference_ceiling(Duration base, Duration max, Attempt attempt) {
  Wide ceiling = base.count();
  for (Attempt i = 1; i < attempt && ceiling < max.count(); ++i) {
    if (ceiling == 0) break;
    ceiling *= 2;
  }
  return Duration{static_cast<std::int64_t>(ceiling < max.count() ? ceiling : Wide{max.count()})};
}

BackoffPolicy with_breaker(std::uint32_t max_failures, Duration window) {
  return {.breaker = BreakerPolicy{max_failures, window}};
}

// Every failure in a list; what is too old is looked for from its beginning.
struct ListModel {
  std::uint32_t record(const BreakerPolicy& breaker, TimePoint now) {
    std::erase_if(times, [&](TimePoint at) { return Wide{now.nanoseconds} - at.nanoseconds > breaker.window.count(); });
    times.push_back(now);
    const auto held = static_cast<std::uint32_t>(times.size());
    if (held >= breaker.max_failures) times.pop_back();  // it trips; what trips it is not kept
    return std::min(held, breaker.max_failures);
  }
  std::deque<TimePoint> times;
};

}  // namespace

TEST_CASE("the ceiling is min(max, base * 2^(attempt - 1)) for every attempt up to 200") {
  const std::array<Duration, 16> lengths{0ns,
                                         1ns,
                                         2ns,
                                         3ns,
                                         999'999ns,
                                         1ms,
                                         100ms,
                                         60s,
                                         24h,
                                         Duration{(1LL << 61) - 1},
                                         Duration{1LL << 61},
                                         Duration{1LL << 60},
                                         kDurationMax - 1ns,
                                         kDurationMax,
                                         Duration::max() - 1ns,
                                         Duration::max()};
  for (const Duration base : lengths) {
    for (const Duration max : lengths) {
      if (base > max) continue;
      const BackoffPolicy policy{.base = base, .max = max};
      for (Attempt attempt = 1; attempt <= 200; ++attempt) {
        CAPTURE(base.count(), max.count(), attempt);
        CHECK(backoff_ceiling(policy, attempt) == reference_ceiling(base, max, attempt));
      }
      for (const Attempt attempt : {0x7fff'ffffU, 0xffff'fffeU, 0xffff'ffffU}) {
        CHECK(backoff_ceiling(policy, attempt) == (base == 0ns ? 0ns : max));
      }
    }
  }
}

TEST_CASE("the ceiling is exact for any base and maximum") {
  rc::prop("at the attempts around which it meets the maximum", [] {
    const auto one = *rc::gen::resize(1000, rc::gen::inRange<std::int64_t>(0, kDurationMax.count() + 1));
    const auto other = one >> *rc::gen::inRange(0, 63);
    const BackoffPolicy policy{.base = Duration{other}, .max = Duration{one}};
    const auto attempt = *rc::gen::inRange<Attempt>(1, 70);
    RC_ASSERT(backoff_ceiling(policy, attempt) == reference_ceiling(policy.base, policy.max, attempt));
  });
}

TEST_CASE("the defaults are those of the field, and their ceilings double from base to max") {
  const BackoffPolicy policy;
  CHECK(policy.base == 100ms);
  CHECK(policy.max == 60s);
  CHECK(policy.cooldown == 5min);
  CHECK(policy.clean_restart_delay == 100ms);
  CHECK(policy.breaker == BreakerPolicy{10, 10min});
  const std::vector<Duration> expected{100ms,  200ms,   400ms,   800ms,   1600ms, 3200ms,
                                       6400ms, 12800ms, 25600ms, 51200ms, 60s,    60s};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(backoff_ceiling(policy, static_cast<Attempt>(i + 1)) == expected[i]);
  }
}

TEST_CASE("the attempt saturates and never wraps") {
  CHECK(next_attempt(0) == 1);
  CHECK(next_attempt(1) == 2);
  CHECK(next_attempt(0xffff'fffe) == 0xffff'ffff);
  CHECK(next_attempt(0xffff'ffff) == 0xffff'ffff);
}

TEST_CASE("a growth gives the delays that are computed by hand") {
  struct Case {
    BackoffPolicy policy;
    std::vector<Duration> delays;
  };
  const auto of = [](Duration base, Duration max, Growth growth) {
    return BackoffPolicy{.base = base, .max = max, .growth = growth};
  };
  const std::vector<Case> cases{
      {of(1s, 10s, ExponentialGrowth{Thousandths::of(1.5)}), {1s, 1500ms, 2250ms, 3375ms, 5062500us, 7593750us, 10s}},
      {of(1ns, 9ns, ExponentialGrowth{Thousandths::of(1.5)}), {1ns, 1ns, 2ns, 3ns, 5ns, 7ns, 9ns, 9ns}},
      {of(1s, 50s, ExponentialGrowth{Thousandths::of(3)}), {1s, 3s, 9s, 27s, 50s, 50s}},
      {of(0s, 50s, ExponentialGrowth{Thousandths::of(3)}), {0s, 0s, 0s}},
      {of(10s, 12s, ExponentialGrowth{Thousandths::of(1.1)}), {10s, 11s, 12s, 12s}},
      {of(1s, 60s, LinearGrowth{1s}), {1s, 2s, 3s, 4s}},
      {of(0s, 5s, LinearGrowth{2s}), {0s, 2s, 4s, 5s, 5s}},
      {of(3s, 5s, LinearGrowth{0s}), {3s, 3s, 3s}},
      {of(1s, 16s, SteppedGrowth{4}), {1s, 2s, 4s, 8s, 16s, 16s}},  // RestartSec=1 RestartSteps=4 RestartMaxDelaySec=16
      {of(100ms, 60s, SteppedGrowth{1}), {100ms, 60s, 60s}},
      // 100 ms * 600^(i/3): 843.432…, 7 113.786… ms
      {of(100ms, 60s, SteppedGrowth{3}), {100ms, Duration{843'432'665}, Duration{7'113'786'608}, 60s}},
      {of(0s, 60s, SteppedGrowth{3}), {0s, 0s, 0s, 0s, 0s}},
      {of(7s, 7s, SteppedGrowth{3}), {7s, 7s, 7s, 7s}},
      {of(7s, 60s, FixedDelay{}), {7s, 7s, 7s}},
  };
  for (const auto& [policy, delays] : cases) {
    CAPTURE(policy.growth.index(), policy.base.count());
    for (std::size_t i = 0; i < delays.size(); ++i) {
      CAPTURE(i);
      CHECK(grown_delay(policy, static_cast<Attempt>(i + 1)).count() == delays[i].count());
    }
  }
}

TEST_CASE("no growth overflows, goes above the maximum or shrinks") {
  const std::vector<Growth> growths{ExponentialGrowth{kFactorMin}, ExponentialGrowth{Thousandths::of(1.5)},
                                    ExponentialGrowth{kFactorMax}, LinearGrowth{1ns},
                                    LinearGrowth{kDurationMax},    SteppedGrowth{1},
                                    SteppedGrowth{kStepsMax},      FixedDelay{}};
  for (const auto& growth : growths) {
    for (const auto& [base, max] : {std::pair{Duration{1}, kDurationMax}, std::pair{kDurationMax, kDurationMax},
                                    std::pair{Duration{0}, kDurationMax}, std::pair{Duration{0}, Duration{0}}}) {
      const BackoffPolicy policy{.base = base, .max = max, .growth = growth};
      CAPTURE(growth.index(), base.count());
      Duration before{0};
      for (const Attempt attempt : {1U, 2U, 3U, 10U, 63U, 64U, 65U, 500U, 1000U, kMostAttempts}) {
        const Duration delay = grown_delay(policy, attempt);
        CHECK(delay >= before);
        CHECK(delay <= max);
        before = delay;
      }
      CHECK(grown_delay(policy, 1) == base);
    }
  }
}

// By its definition, in 128 bits: the largest whole number whose power is not above the product.
TEST_CASE("steps of equal ratio are roots, rounded down") {
  rc::prop("for two and three steps", [] {
    const auto last = *rc::gen::inRange<std::int64_t>(2, std::int64_t{1} << 40);
    const auto first = *rc::gen::inRange<std::int64_t>(1, last);
    const auto count = *rc::gen::element<std::uint32_t>(2, 3);
    const auto index = *rc::gen::inRange<std::uint32_t>(1, count);
    const BackoffPolicy policy{.base = Duration{first}, .max = Duration{last}, .growth = SteppedGrowth{count}};
    const Wide delay = grown_delay(policy, index + 1).count();
    const auto power = [](Wide of, std::uint32_t exponent) {
      Wide product = 1;
      for (std::uint32_t i = 0; i < exponent; ++i) product *= of;
      return product;
    };
    const Wide product = power(first, count - index) * power(last, index);
    RC_ASSERT(power(delay, count) <= product);
    RC_ASSERT(power(delay + 1, count) > product);
  });
  // The whole number is found wherever there is one, at the greatest lengths and the most steps too.
  for (std::uint32_t i = 0; i <= 61; ++i) {
    const BackoffPolicy doubles{.base = 1ns, .max = Duration{1LL << 61}, .growth = SteppedGrowth{61}};
    CHECK(grown_delay(doubles, i + 1) == Duration{1LL << i});
  }
}

TEST_CASE("a jitter says from where to where a delay is drawn, both ends included") {
  struct Case {
    Jitter jitter;
    Duration grown;
    DelayRange range;
  };
  const std::vector<Case> cases{
      {FullJitter{}, 10s, {0s, 10s}},
      {NoJitter{}, 10s, {10s, 10s}},
      {EqualJitter{}, 10s, {5s, 10s}},
      {EqualJitter{}, 7ns, {4ns, 7ns}},
      {EqualJitter{}, 1ns, {1ns, 1ns}},
      {ProportionalJitter{Thousandths::of(0.1)}, 10s, {9s, 11s}},
      {ProportionalJitter{Thousandths::of(1)}, 10s, {0s, 20s}},
      {ProportionalJitter{Thousandths::of(0.1)}, 9ns, {9ns, 9ns}},
      {AdditiveJitter{Thousandths::of(0.25)}, 15s, {15s, 18750ms}},
      {AdditiveJitter{Thousandths::of(1)}, kDurationMax, {kDurationMax, 2 * kDurationMax}},
      {ProportionalJitter{Thousandths::of(1)}, kDurationMax, {0s, 2 * kDurationMax}},
  };
  for (const auto& [jitter, grown, range] : cases) {
    CAPTURE(jitter.index(), grown.count());
    CHECK(delay_range(jitter, grown) == range);
    CHECK(drawn_from(range, {0, 0}) == range.least);
    CHECK(drawn_from(range, {kMost, kMost}) == range.most);
    const BackoffPolicy policy{.base = grown, .max = grown, .jitter = jitter};
    CHECK(backoff_ceiling(policy, 3) == range.most);
  }
}

TEST_CASE("full jitter is uniform from zero to the ceiling, both included") {
  for (const Duration ceiling :
       {Duration{0}, Duration{1}, Duration{2}, Duration{100ms}, kDurationMax, Duration::max()}) {
    CAPTURE(ceiling.count());
    CHECK(full_jitter(ceiling, {0, 0}) == 0ns);
    CHECK(full_jitter(ceiling, {kMost, kMost}) == ceiling);
    rc::prop("and never outside", [ceiling] {
      const auto word = rc::gen::resize(1000, rc::gen::arbitrary<std::uint64_t>());
      const Duration delay = full_jitter(ceiling, {*word, *word});
      RC_ASSERT(Duration::zero() <= delay);
      RC_ASSERT(delay <= ceiling);
    });
  }
}

TEST_CASE("full jitter under a small ceiling takes every value there is") {
  std::set<Duration> seen;
  for (std::uint64_t index = 0; index < 200; ++index) {
    seen.insert(full_jitter(7ns, draw(DrawKey{}, Purpose::backoff_jitter, index)));
  }
  CHECK(seen == std::set<Duration>{0ns, 1ns, 2ns, 3ns, 4ns, 5ns, 6ns, 7ns});
}

TEST_CASE("a run as long as the cooldown cools down, a shorter one does not") {
  const BackoffPolicy policy{.cooldown = 5min};
  CHECK_FALSE(cools_down(policy, 0ns));
  CHECK_FALSE(cools_down(policy, 5min - 1ns));
  CHECK(cools_down(policy, 5min));
  CHECK(cools_down(policy, 5min + 1ns));
  CHECK(cools_down({.cooldown = 0ns}, 0ns));
}

TEST_CASE("a failure exactly as old as the window counts, an older one is forgotten") {
  for (const std::int64_t start : {std::int64_t{0}, std::int64_t{1'000'000}, std::int64_t{-5}}) {
    const BackoffPolicy policy = with_breaker(3, 10s);
    FailureHistory history;
    CHECK(history.record(*policy.breaker, TimePoint{start}) == 1);
    CHECK(history.record(*policy.breaker, TimePoint{start} + 10s) == 2);
    CHECK(history.record(*policy.breaker, TimePoint{start} + 10s + 1ns) == 2);  // the first is too old
    CHECK(history.record(*policy.breaker, TimePoint{start} + 20s) == 3);
  }
}

TEST_CASE("a breaker of one failure trips with the first, of two with the second") {
  const BackoffPolicy one = with_breaker(1, 1ns);
  FailureHistory of_one;
  CHECK(of_one.record(*one.breaker, TimePoint{0}) == 1);
  CHECK(of_one.record(*one.breaker, TimePoint{0}) == 1);
  CHECK(of_one.size() == 0);
  const BackoffPolicy two = with_breaker(2, 1ns);
  FailureHistory of_two;
  CHECK(of_two.record(*two.breaker, TimePoint{0}) == 1);
  CHECK(of_two.record(*two.breaker, TimePoint{1}) == 2);
  CHECK(of_two.size() == 1);
}

TEST_CASE("the largest breaker there may be trips with exactly its last failure") {
  const BackoffPolicy policy = with_breaker(kMaxFailuresMax, kDurationMax);
  FailureHistory history;
  for (std::uint32_t failure = 1; failure <= kMaxFailuresMax; ++failure) {
    REQUIRE(history.record(*policy.breaker, TimePoint{failure}) == failure);
  }
  CHECK(history.record(*policy.breaker, TimePoint{kMaxFailuresMax}) == kMaxFailuresMax);
}

TEST_CASE("a history goes round its storage many times and keeps the latest") {
  const BackoffPolicy policy = with_breaker(4, 2ns);
  FailureHistory history;
  for (std::int64_t now = 0; now < 1000; ++now) {
    CHECK(history.record(*policy.breaker, TimePoint{now}) ==
          std::min<std::uint32_t>(static_cast<std::uint32_t>(now) + 1, 3));
  }
}

TEST_CASE("a window that reaches before the beginning of time, or over all of it, forgets nothing") {
  for (const TimePoint first : {TimePoint::min(), TimePoint{0}}) {
    const BackoffPolicy policy = with_breaker(5, kDurationMax);
    FailureHistory history;
    for (std::uint32_t failure = 1; failure <= 4; ++failure) CHECK(history.record(*policy.breaker, first) == failure);
    CHECK(history.record(*policy.breaker, first + kDurationMax) == 5);
  }
}

TEST_CASE("a cleared history starts anew") {
  const BackoffPolicy policy = with_breaker(3, 10s);
  FailureHistory history;
  CHECK(history.record(*policy.breaker, TimePoint{0}) == 1);
  CHECK(history.record(*policy.breaker, TimePoint{0}) == 2);
  history.clear();
  CHECK(history.size() == 0);
  CHECK(history.record(*policy.breaker, TimePoint{0}) == 1);
  CHECK(history.record(*policy.breaker, TimePoint{0}) == 2);
  CHECK(history.record(*policy.breaker, TimePoint{0}) == 3);
}

TEST_CASE("without a failure there is nothing to remember") { CHECK(FailureHistory{}.size() == 0); }

TEST_CASE("a history answers like a plain list of all failures, also across clearings") {
  rc::prop("for any limit, window and distances", [] {
    const auto limit = *rc::gen::inRange<std::uint32_t>(1, 9);
    const auto window = *rc::gen::inRange<std::int64_t>(1, 12);
    const auto distances = *rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(-1, 6));
    const BackoffPolicy policy = with_breaker(limit, Duration{window});
    FailureHistory history;
    ListModel model;
    TimePoint now;
    for (const auto distance : distances) {
      if (distance < 0) {
        history.clear();
        model.times.clear();
        continue;
      }
      now = now + Duration{distance};
      RC_ASSERT(history.record(*policy.breaker, now) == model.record(*policy.breaker, now));
      RC_ASSERT(history.size() == model.times.size());
    }
  });
}

// Small, so in full: every limit to 4, every window to 4 ns, every six failures 0 to 3 ns apart.
TEST_CASE("a history answers like a plain list for every short sequence") {
  for (std::uint32_t limit = 1; limit <= 4; ++limit) {
    for (std::int64_t window = 1; window <= 4; ++window) {
      const BackoffPolicy policy = with_breaker(limit, Duration{window});
      for (unsigned sequence = 0; sequence < 4096; ++sequence) {
        FailureHistory history;
        ListModel model;
        TimePoint now;
        for (unsigned i = 0, rest = sequence; i < 6; ++i, rest /= 4) {
          now = now + Duration{rest % 4};
          const auto expected = model.record(*policy.breaker, now);
          if (history.record(*policy.breaker, now) != expected) FAIL(limit << ' ' << window << ' ' << sequence);
        }
      }
    }
  }
  SUCCEED();
}

}  // namespace holdfast::backoff_test
