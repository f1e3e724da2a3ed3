// The rules about failures: what follows one, how long the wait is, and when the breaker opens.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <holdfast_sim/checks.hpp>
#include <holdfast_sim/detail/check_findings.hpp>
#include <holdfast_sim/detail/check_lives.hpp>
#include <holdfast_sim/detail/check_owed.hpp>

namespace holdfast::sim::detail {

using holdfast::to_string;

__extension__ using Wide = __int128;

struct RetryRules {
  Findings& found;
  Counters& counted;
  std::vector<BackoffPolicy> policies;

  // Delays after failures, as shares of their ceilings. The excess overflows after 2^32 delays of nothing at the
  // earliest.
  std::uint64_t shares = 0;
  std::int64_t shares_over_half = 0;  // their sum less a half for each, in units of 2^-32
  std::uint64_t pairs = 0;            // of consecutive shares of one service
  std::uint64_t pairs_alike = 0;
  bool told_alike = false;

  std::uint32_t policy_index(const BackoffPolicy& policy) {
    constexpr std::size_t kLookBack = 16;  // fleets repeat a few policies
    const std::size_t first = policies.size() < kLookBack ? 0 : policies.size() - kLookBack;
    for (std::size_t i = policies.size(); i > first; --i) {
      if (policies[i - 1] == policy) return static_cast<std::uint32_t>(i - 1);
    }
    policies.push_back(policy);
    return static_cast<std::uint32_t>(policies.size() - 1);
  }

  void on_unasked_end(Step& step, const event::Ended& what) {
    Life& life = step.life;
    const BackoffPolicy& policy = policies[life.policy];
    if (step.event.at - life.began >= policy.cooldown) forget_failures(step);
    Owed owed = Owed::nothing;
    if (what.outcome == Outcome::clean) {
      ++counted.clean_exits;
      life.attempt = 0;
      owed = life.restart == RestartPolicy::always ? Owed::back_off_after_clean_exit : Owed::complete;
    } else {
      ++counted.failures;
      if (what.outcome == Outcome::fatal || life.restart == RestartPolicy::never) {
        owed = Owed::fail;
      } else {
        owed = fills_the_window(step, policy) ? Owed::trip : Owed::back_off_after_failure;
        if (policy.breaker) found.tested(Rule::trips_exactly_when_the_window_says_so);
      }
    }
    life.owe(owed, step.event.at);
  }

  // Counts a failure. The window is full if the failure max_failures - 1 before this one is not older than it.
  static bool fills_the_window(Step& step, const BackoffPolicy& policy) {
    Life& life = step.life;
    Past& past = step.past;
    const bool is_first = life.attempt == 0;
    if (life.attempt < std::numeric_limits<Attempt>::max()) ++life.attempt;
    if (is_first) {
      life.ceiling = std::min(policy.base, policy.max);
    } else {
      life.ceiling = life.ceiling > policy.max - life.ceiling ? policy.max : life.ceiling + life.ceiling;
    }
    if (!policy.breaker) return false;
    const std::uint64_t most = policy.breaker->max_failures;
    const std::uint64_t position = past.failures++ % most;
    if (past.failures <= most) {
      past.failed_at.push_back(step.event.at);
    } else {
      past.failed_at[position] = step.event.at;
    }
    return past.failures >= most && past.failed_at[past.failures % most] >= step.event.at - policy.breaker->window;
  }

  void keeps_every_retry_within_its_ceiling(Step& step, const event::BackingOff& what) {
    Life& life = step.life;
    const bool failed = what.cause == BackoffCause::failure;
    const Duration fixed = policies[life.policy].clean_restart_delay;
    const Duration ceiling = failed ? life.ceiling : fixed;
    const bool numbers_agree = what.attempt == life.attempt && what.ceiling == ceiling;
    found.test(Rule::keeps_every_retry_within_its_ceiling, numbers_agree, step, [&] {
      return fmt::format("is attempt {} with a ceiling of {}; right is attempt {} with a ceiling of {}", what.attempt,
                         to_string(what.ceiling), life.attempt, to_string(ceiling));
    });
    const bool within = failed ? what.delay >= Duration::zero() && what.delay <= ceiling : what.delay == fixed;
    if (numbers_agree) {
      found.test(Rule::keeps_every_retry_within_its_ceiling, within, step, [&] {
        return failed ? fmt::format("the delay is {}; allowed is 0s to {}", to_string(what.delay), to_string(ceiling))
                      : fmt::format("the delay is {}; after a clean exit it is {}", to_string(what.delay),
                                    to_string(fixed));
      });
    }
    life.attempt = what.attempt;
    if (failed) life.ceiling = what.ceiling;
  }

  // Only ceilings so long that rounding to nanoseconds makes no difference.
  void counts_for_the_spread(const event::BackingOff& what) noexcept {
    if (what.ceiling < std::chrono::milliseconds{1}) return;
    ++shares;
    auto delay = static_cast<std::uint64_t>(what.delay.count());
    auto ceiling = static_cast<std::uint64_t>(what.ceiling.count());
    if (const auto width = std::bit_width(ceiling); width > 32) {
      delay >>= width - 32;
      ceiling >>= width - 32;
    }
    shares_over_half += static_cast<std::int64_t>((delay << 32) / ceiling) - (std::int64_t{1} << 31);
  }

  // The same draw gives shares that differ by rounding alone. Two draws do that once in 300 million pairs, so the
  // third time tells, and in a run of many millions of pairs what chance cannot explain.
  void draws_every_delay_anew(Step& step, const event::BackingOff& what) {
    constexpr Duration kCeilingMin = std::chrono::seconds{1};
    constexpr std::uint64_t kAlikeMin = 3;
    constexpr std::uint64_t kPairsForEachAlike = 1'000'000;
    if (what.ceiling < kCeilingMin) return;
    const event::BackingOff before = retry_before(step);
    if (before.ceiling < kCeilingMin) return;
    ++pairs;
    const Wide apart =
        Wide{before.delay.count()} * what.ceiling.count() - Wide{what.delay.count()} * before.ceiling.count();
    const std::int64_t rounding = std::max(before.ceiling, what.ceiling).count();
    if (apart <= rounding && -apart <= rounding) ++pairs_alike;
    const bool by_chance = pairs_alike < kAlikeMin || pairs_alike <= pairs / kPairsForEachAlike;
    found.test(Rule::draws_every_delay_anew, by_chance || told_alike, step, [&] {
      return fmt::format("the delay is {} of {}, the one before it was {} of {}; shares were repeated {} times in {}",
                         to_string(what.delay), to_string(what.ceiling), to_string(before.delay),
                         to_string(before.ceiling), pairs_alike, pairs);
    });
    told_alike = told_alike || !by_chance;
  }

  // The latest retry after a failure, if only its run came since: it was started, running, and ended.
  static event::BackingOff retry_before(const Step& step) {
    constexpr std::uint64_t kEventsOfARetry = 4;
    static_assert(kEventsOfARetry <= Life::kShownMax);
    constexpr std::size_t kKind = Event::What{event::BackingOff{}}.index();
    const Moment& moment = step.life.latest[(step.event.n - kEventsOfARetry) % Life::kShownMax];
    event::BackingOff retry{};
    if (moment.kind == kKind) visit_fields(Carrier<true>{moment}, retry);
    return retry.cause == BackoffCause::failure ? retry : event::BackingOff{};
  }

  // A uniform share has the variance 1/12, so the sum of n of them is within 6 standard errors of n/2 if
  // (sum - n/2)^2 <= 36 * n/12; chance misses that once in 500 million runs. A share is counted when its wait begins:
  // that short waits are followed by more retries than long ones before the run is over then favours neither.
  void spreads_its_delays(const SimulationEnd& end);

  // The latest failures of the service, for a message.
  [[nodiscard]] std::string window_text(const Step& step) const;

  void has_the_numbers_of_the_window(Step& step, std::uint32_t failures, std::uint32_t max_failures) {
    const auto& breaker = policies[step.life.policy].breaker;
    const std::uint32_t right = breaker ? breaker->max_failures : 0;
    found.test(Rule::trips_exactly_when_the_window_says_so, failures == right && max_failures == right, step, [&] {
      return fmt::format("tells {}/{} failures instead of {}/{}", failures, max_failures, right, right);
    });
  }
};

}  // namespace holdfast::sim::detail
