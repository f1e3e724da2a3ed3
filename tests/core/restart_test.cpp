// What follows an end, for every policy, every state and every kind of end: against semantics 2.3, 2.4 and 3, written
// down as they stand there.

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <holdfast/detail/restart.hpp>

namespace holdfast::restart_test {

namespace {

using namespace std::chrono_literals;
using detail::End;
using detail::Next;
using detail::RestartState;

constexpr Duration kCooldown = 1min;
constexpr Duration kDelayAfterCleanExit = 77ms;
constexpr std::uint32_t kMaxFailures = 3;
constexpr TimePoint kNow{1'000'000'000'000};

struct Case {
  RestartPolicy restart;
  bool has_breaker;
  Outcome outcome;
  bool lasted_the_cooldown;
  Attempt attempt;         // before the end
  std::uint32_t failures;  // in the window, before the end
};

// Calls check(case) for each.
template <class Check>
void for_each_case(const Check& check) {
  constexpr Attempt kMost = std::numeric_limits<Attempt>::max();
  for (const auto restart : {RestartPolicy::always, RestartPolicy::on_failure, RestartPolicy::never}) {
    for (const bool has_breaker : {true, false}) {
      for (const auto outcome : {Outcome::clean, Outcome::failed, Outcome::threw, Outcome::fatal, Outcome::done}) {
        for (const bool cooled : {false, true}) {
          for (const Attempt attempt : {Attempt{0}, Attempt{1}, Attempt{5}, kMost}) {
            for (std::uint32_t failures = 0; failures < kMaxFailures; ++failures) {
              check(Case{restart, has_breaker, outcome, cooled, attempt, failures});
            }
          }
        }
      }
    }
  }
}

ServicePolicy policy_of(const Case& c) {
  BackoffPolicy backoff{.base = 100ms, .max = 2s, .cooldown = kCooldown, .clean_restart_delay = kDelayAfterCleanExit};
  backoff.breaker = c.has_breaker ? std::optional{BreakerPolicy{kMaxFailures, 10min}} : std::nullopt;
  return {.restart = c.restart, .backoff = backoff};
}

void begin_as(RestartState& state, const Case& c) {
  state.attempt = c.attempt;
  for (std::uint32_t i = 0; i < c.failures; ++i) state.history.record({kMaxFailures, 10min}, kNow - 1s);
}

// The ceiling of the k-th failure, as section 3 has it.
Duration ceiling_of(Attempt k) { return k > 10 ? Duration{2s} : std::min<Duration>(2s, 100ms * (1 << (k - 1))); }

constexpr Draw kHalf{.high = std::uint64_t{1} << 63, .low = 0};

}  // namespace

TEST_CASE("what follows an end is what semantics say, for every policy, state and end") {
  std::size_t cases = 0;
  for_each_case([&](const Case& c) {
    INFO(to_string(c.restart) << (c.has_breaker ? " breaker " : " ") << to_string(c.outcome) << " cooled "
                              << c.lasted_the_cooldown << " attempt " << c.attempt << " failures " << c.failures);
    ++cases;
    RestartState state;
    begin_as(state, c);
    int draws = 0;
    const End end{c.outcome, c.lasted_the_cooldown ? kCooldown : kCooldown - 1ns};
    const Next next = detail::after_end(policy_of(c), state, end, kNow, [&] {
      ++draws;
      return kHalf;
    });

    // The cooldown comes first.
    const Attempt attempt = c.lasted_the_cooldown ? 0 : c.attempt;
    const std::uint32_t failures = c.lasted_the_cooldown ? 0 : c.failures;
    if (!is_failure(c.outcome)) {
      CHECK(draws == 0);
      CHECK(state.history.size() == failures);  // row 22
      if (c.restart != RestartPolicy::always || c.outcome == Outcome::done) {
        CHECK(next.what == Next::What::complete);
        return;
      }
      REQUIRE(next.what == Next::What::back_off);
      CHECK(next.cause == BackoffCause::clean_exit);
      CHECK(next.delay == kDelayAfterCleanExit);
      CHECK(next.ceiling == kDelayAfterCleanExit);
      CHECK(state.attempt == 0);
      return;
    }
    const Attempt after = attempt == std::numeric_limits<Attempt>::max() ? attempt : attempt + 1;
    CHECK(state.attempt == after);
    if (c.outcome == Outcome::fatal || c.restart == RestartPolicy::never) {
      CHECK(next.what == Next::What::fail);
      CHECK(draws == 0);
      CHECK(state.history.size() == failures);
    } else if (c.has_breaker && failures + 1 == kMaxFailures) {
      CHECK(next.what == Next::What::open_for_good);
      CHECK(next.failures == kMaxFailures);
      CHECK(draws == 0);
    } else {
      REQUIRE(next.what == Next::What::back_off);
      CHECK(next.cause == BackoffCause::failure);
      CHECK(next.ceiling == ceiling_of(after));
      CHECK(next.delay == ceiling_of(after) / 2);
      CHECK(draws == 1);
      CHECK(state.history.size() == failures + (c.has_breaker ? 1 : 0));
    }
  });
  CHECK(cases == 3 * 2 * 5 * 2 * 4 * 3);
}

// Semantics 6.1. A closed breaker with half_open, in the same cases as above; then one that has opened before.
TEST_CASE("what follows an end of a service whose breaker tries again agrees with semantics") {
  for_each_case([&](const Case& c) {
    if (!c.has_breaker || c.restart == RestartPolicy::never || c.outcome == Outcome::fatal) return;
    for (const Attempt openings : {Attempt{0}, Attempt{1}, Attempt{2}, Attempt{9}}) {
      INFO(to_string(c.restart) << ' ' << to_string(c.outcome) << " cooled " << c.lasted_the_cooldown << " attempt "
                                << c.attempt << " failures " << c.failures << " openings " << openings);
      ServicePolicy policy = policy_of(c);
      policy.backoff->breaker->half_open = HalfOpenPolicy{.open_for = 10s, .open_for_max = 60s};
      RestartState state;
      begin_as(state, c);
      const bool is_probe = openings > 0;
      if (is_probe) {
        state.attempt = openings;
        state.breaker_has_opened = true;
      }
      const End end{c.outcome, c.lasted_the_cooldown ? kCooldown : kCooldown - 1ns};
      const Next next = detail::after_end(policy, state, end, kNow, [] { return kHalf; });
      if (!is_failure(c.outcome)) {
        CHECK(next.closes_after == openings);
        CHECK_FALSE(state.breaker_has_opened);
        if (is_probe) {
          CHECK(state.attempt == 0);
          CHECK(state.history.size() == 0);
        }
        const bool goes_on = c.restart == RestartPolicy::always && c.outcome != Outcome::done;
        CHECK(next.what == (goes_on ? Next::What::back_off : Next::What::complete));
        continue;
      }
      CHECK(next.closes_after == 0);
      const std::uint32_t failures = c.lasted_the_cooldown ? 0 : c.failures;
      if (!is_probe && failures + 1 < kMaxFailures) {
        CHECK(next.what == Next::What::back_off);
        CHECK_FALSE(state.breaker_has_opened);
        continue;
      }
      REQUIRE(next.what == Next::What::open);
      CHECK(next.cause == BackoffCause::breaker_open);
      CHECK(next.failures == (is_probe ? 1 : kMaxFailures));
      CHECK(state.breaker_has_opened);
      CHECK(state.attempt == openings + 1);
      const Duration ceiling = std::min<Duration>(60s, 10s * (1 << std::min<Attempt>(openings, 4)));
      CHECK(next.ceiling == ceiling);
      CHECK(next.delay == ceiling - ceiling / 4);  // half of the half that is drawn
    }
  });
}

// Semantics 6.6. Only a clean exit that another run follows differs from what is above.
TEST_CASE("what follows a clean exit agrees with semantics where the breaker counts ends") {
  for_each_case([&](const Case& c) {
    if (!c.has_breaker || is_failure(c.outcome)) return;
    for (const Attempt openings : {Attempt{0}, Attempt{1}, Attempt{9}}) {
      INFO(to_string(c.restart) << ' ' << to_string(c.outcome) << " cooled " << c.lasted_the_cooldown << " attempt "
                                << c.attempt << " failures " << c.failures << " openings " << openings);
      ServicePolicy policy = policy_of(c);
      policy.backoff->breaker->counts = BreakerCounts::ends;
      if (openings > 0) policy.backoff->breaker->half_open = HalfOpenPolicy{.open_for = 10s, .open_for_max = 60s};
      RestartState state;
      begin_as(state, c);
      if (openings > 0) {
        state.attempt = openings;
        state.breaker_has_opened = true;
      }
      const End end{c.outcome, c.lasted_the_cooldown ? kCooldown : kCooldown - 1ns};
      const Next next = detail::after_end(policy, state, end, kNow, [] { return kHalf; });
      const std::uint32_t ends = c.lasted_the_cooldown ? 0 : c.failures;
      if (c.restart != RestartPolicy::always || c.outcome == Outcome::done) {
        CHECK(next.what == Next::What::complete);
        CHECK(next.closes_after == openings);
        if (openings == 0) CHECK(state.history.size() == ends);
      } else if (openings > 0) {
        CHECK(next.what == Next::What::open);
        CHECK(next.failures == 1);
        CHECK(next.closes_after == 0);
        CHECK(state.attempt == openings + 1);
      } else if (ends + 1 == kMaxFailures) {
        CHECK(next.what == Next::What::open_for_good);
        CHECK(next.failures == kMaxFailures);
      } else {
        CHECK(next.what == Next::What::back_off);
        CHECK(next.cause == BackoffCause::clean_exit);
        CHECK(next.delay == kDelayAfterCleanExit);
        CHECK(state.history.size() == ends + 1);
        CHECK(state.attempt == 0);
      }
    }
  });
}

TEST_CASE("a delay is drawn where its jitter says, and without one nothing is drawn") {
  const auto after_two_failures = [](Jitter jitter, Draw bits) {
    const ServicePolicy policy{.backoff =
                                   BackoffPolicy{.base = 10s, .max = 60s, .breaker = std::nullopt, .jitter = jitter}};
    RestartState state;
    state.attempt = 1;
    int draws = 0;
    const Next next = detail::after_end(policy, state, {Outcome::failed, 1s}, kNow, [&] {
      ++draws;
      return bits;
    });
    CHECK(draws == (std::holds_alternative<NoJitter>(jitter) ? 0 : 1));
    return std::pair{next.delay, next.ceiling};
  };
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  using Pair = std::pair<Duration, Duration>;
  CHECK(after_two_failures(FullJitter{}, kHalf) == Pair{10s, 20s});
  CHECK(after_two_failures(NoJitter{}, kHalf) == Pair{20s, 20s});
  CHECK(after_two_failures(EqualJitter{}, kHalf) == Pair{15s, 20s});
  CHECK(after_two_failures(EqualJitter{}, {0, 0}) == Pair{10s, 20s});
  CHECK(after_two_failures(ProportionalJitter{Thousandths::of(0.1)}, {0, 0}) == Pair{18s, 22s});
  CHECK(after_two_failures(ProportionalJitter{Thousandths::of(0.1)}, {kMost, kMost}) == Pair{22s, 22s});
  CHECK(after_two_failures(AdditiveJitter{Thousandths::of(0.25)}, kHalf) == Pair{22500ms, 25s});
}

TEST_CASE("an open time is the upper half of its ceiling, both ends included") {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  for (const Duration ceiling : {Duration{0}, Duration{1}, Duration{2}, Duration{7}, Duration{30s}, kDurationMax}) {
    CHECK(half_jitter(ceiling, {0, 0}) == ceiling);
    CHECK(half_jitter(ceiling, {kMost, kMost}) == ceiling - ceiling / 2);
  }
  for (const Attempt opening :
       {Attempt{1}, Attempt{2}, Attempt{63}, Attempt{64}, std::numeric_limits<Attempt>::max()}) {
    CHECK(open_ceiling({.open_for = 1ns, .open_for_max = 8ns}, opening) == Duration{opening == 1   ? 1
                                                                                    : opening == 2 ? 2
                                                                                                   : 8});
  }
}

TEST_CASE("a reset leaves nothing of what came before") {
  RestartState state;
  begin_as(state, {.attempt = 7, .failures = 2});
  state.breaker_has_opened = true;
  state.reset();
  CHECK(state.attempt == 0);
  CHECK_FALSE(state.breaker_has_opened);
  CHECK(state.history.size() == 0);
}

}  // namespace holdfast::restart_test
