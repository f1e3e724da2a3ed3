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
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <holdfast/detail/wide.hpp>
#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/checks/detail/check_findings.hpp>
#include <holdfast_sim/checks/detail/check_lives.hpp>
#include <holdfast_sim/checks/detail/check_owed.hpp>

namespace holdfast::sim::detail {

using holdfast::to_string;

using holdfast::detail::SignedWide;

struct RetryRules {
  Findings& found;
  Counters& counted;
  std::vector<std::unique_ptr<const ServicePolicy>> policies;  // they stay where they are

  // Delays after failures, as shares of their ceilings. The excess overflows after 2^32 delays of nothing at the
  // earliest.
  std::uint64_t shares = 0;
  std::int64_t shares_over_half = 0;  // their sum less a half for each, in units of 2^-32
  std::uint64_t pairs = 0;            // of consecutive shares of one service
  std::uint64_t pairs_alike = 0;
  bool reported_alike = false;

  std::uint32_t policy_index(const ServicePolicy& policy) {
    constexpr std::size_t kLookBack = 16;  // fleets repeat a few policies
    const std::size_t first = policies.size() < kLookBack ? 0 : policies.size() - kLookBack;
    for (std::size_t i = policies.size(); i > first; --i) {
      if (*policies[i - 1] == policy) return static_cast<std::uint32_t>(i - 1);
    }
    policies.push_back(std::make_unique<const ServicePolicy>(policy));
    return static_cast<std::uint32_t>(policies.size() - 1);
  }

  [[nodiscard]] const BackoffPolicy& backoff_of(const Life& life) const noexcept {
    return *policies[life.policy]->backoff;
  }

  // A copy for each kind of event that ends a run, so that the compiler inlines that of the ordinary one.
  template <class What>
  void on_unasked_end(Step& step, Outcome outcome) {
    Life& life = step.life;
    const RestartPolicy restart = policies[life.policy]->restart;
    const BackoffPolicy& policy = backoff_of(life);
    const bool was_probe = life.breaker_has_opened;
    if (life.runs_specially()) [[unlikely]] {
      ends_specially(step, outcome, policy);
    } else if (step.event.at - life.began >= policy.cooldown) {
      forget_failures(step);
    }
    Owed owed = Owed::nothing;
    if (!is_failure(outcome)) {
      ++counted.clean_exits;
      const bool goes_on = restart == RestartPolicy::always && outcome != Outcome::done;
      if (goes_on && policy.breaker && policy.breaker->counts == BreakerCounts::ends) [[unlikely]]
        return counts_a_clean_exit(step, policy);
      life.must_close = was_probe;
      if (was_probe) step.past.close_asked_at = step.event.at;
      if (!was_probe) life.attempt = 0;
      owed = goes_on ? Owed::back_off_after_clean_exit : Owed::complete;
    } else {
      ++counted.failures;
      if (outcome == Outcome::fatal || restart == RestartPolicy::never) {
        owed = Owed::fail;
      } else if (was_probe) {
        if (life.attempt < std::numeric_limits<Attempt>::max()) ++life.attempt;
        owed = Owed::trip;
      } else {
        owed = fills_the_window<What>(step, policy) ? Owed::trip : Owed::back_off_after_failure;
        if (policy.breaker) found.tested(Rule::trips_exactly_when_the_window_says_so);
      }
    }
    life.owe(owed, step.event.at);
  }

  // A clean exit that is followed by another run, under a breaker that counts ends.
  [[gnu::cold, gnu::noinline]] void counts_a_clean_exit(Step& step, const BackoffPolicy& policy) {
    Life& life = step.life;
    found.tested(Rule::trips_exactly_when_the_window_says_so);
    if (life.breaker_has_opened) {
      if (life.attempt < std::numeric_limits<Attempt>::max()) ++life.attempt;
      return life.owe(Owed::trip, step.event.at);
    }
    life.attempt = 0;
    life.owe(fills_the_window(step.past, *policy.breaker, step.event.at) ? Owed::trip : Owed::back_off_after_clean_exit,
             step.event.at);
  }

  // A policy says what an exit status means. It says nothing of an end for good, and a run that missed a deadline has
  // failed whatever it means.
  template <class End>
  void takes_an_exit_status_as_its_policy_says(Step& step, const End& what) {
    if (what.exit_status) [[unlikely]]
      takes_this_exit_status(step, *what.exit_status, what.outcome);
  }
  [[gnu::cold, gnu::noinline]] void takes_this_exit_status(Step& step, std::uint32_t status, Outcome outcome) {
    const ExitRules& rules = policies[step.life.policy]->exit_rules;
    const auto number = static_cast<std::uint8_t>(status);
    const bool missed = step.life.phase == Phase::stopping && is_missed_deadline(step.life.stop_cause);
    std::string_view right;
    bool holds = status <= 255;
    if (outcome != Outcome::done && rules.clean.has(number)) {
      right = "clean";
      holds &= outcome == Outcome::clean || (missed && outcome == Outcome::failed);
    } else if (outcome != Outcome::done && rules.fatal.has(number)) {
      right = "fatal";
      holds &= outcome == Outcome::fatal || (missed && outcome == Outcome::failed);  // if it said that it is done
    } else if (outcome != Outcome::done && rules.failure.has(number)) {
      right = "a failure that may be retried";
      holds &= outcome == Outcome::failed || outcome == Outcome::threw;
    }
    found.test(Rule::takes_an_exit_status_as_its_policy_says, holds, step, [&] {
      if (status > 255) return fmt::format("reports the exit status {}; allowed is 0 to 255", status);
      return fmt::format("exit status {} ends the run as {}; by its exit_rules it is {}", status, to_string(outcome),
                         right);
    });
  }

  // The cooldown does not apply to a probe, and counts from when the run was ready: never, if it was not. A run that
  // hung was ready until it was asked to stop.
  [[gnu::cold, gnu::noinline]] void ends_specially(Step& step, Outcome outcome, const BackoffPolicy& policy) {
    const Life& life = step.life;
    const bool hung = life.phase == Phase::stopping && life.stop_cause == StopCause::watchdog;
    const bool was_ready = life.phase == Phase::running || hung;
    if (!was_ready && is_failure(outcome)) ++counted.failed_starts;
    const TimePoint until = hung ? step.past.stop_asked_at : step.event.at;
    const Duration ready_for = was_ready ? until - step.past.ready_at : Duration::zero();
    if (!life.breaker_has_opened && ready_for >= policy.cooldown) forget_failures(step);
  }

  // The run has begun. It has its start_timeout to be ready.
  [[gnu::cold, gnu::noinline]] void starts_until(Step& step) const noexcept {
    const auto& timeout = policies[step.life.policy]->start_timeout;
    step.life.due = timeout ? step.event.at + *timeout : TimePoint::max();
  }

  [[nodiscard]] Duration watchdog_of(const Life& life) const noexcept {
    return policies[life.policy]->watchdog.value_or(Duration{0});
  }

  // When the run hangs, if it gives no further sign of life; max: the events do not show it.
  [[nodiscard]] TimePoint silent_until(const Life& life, const Past& past) const noexcept {
    const bool is_known = life.is_watched() && past.silent_since != TimePoint::min();
    return is_known ? past.silent_since + watchdog_of(life) + past.lateness : TimePoint::max();
  }

  // The error of a run that missed a deadline, perhaps with more behind it.
  [[nodiscard]] std::string missed_text(const Step& step) const {
    const ServicePolicy& policy = *policies[step.life.policy];
    if (step.life.stop_cause == StopCause::watchdog) {
      return fmt::format("no {} for {}", in_words(policy.watchdog_needs),
                         to_string(policy.watchdog.value_or(Duration{0})));
    }
    return fmt::format("not ready within {}", to_string(policy.start_timeout.value_or(Duration{0})));
  }

  // The rule that a run that missed a deadline is about.
  [[nodiscard]] static Rule rule_of_missed(const Step& step) noexcept {
    return step.life.stop_cause == StopCause::watchdog ? Rule::gives_up_a_hang_exactly_at_its_watchdog
                                                       : Rule::gives_up_a_start_exactly_at_its_timeout;
  }

  // A run that missed a deadline has been abandoned, and the service goes on.
  [[gnu::cold, gnu::noinline]] void fails_when_abandoned(Step& step) {
    on_unasked_end<event::Abandoned>(step, Outcome::failed);
    step.life.last_run_failed = true;
    step.past.last_error = missed_text(step);
  }

  [[gnu::cold, gnu::noinline]] void was_given_up(Step& step, const event::Ended& what) {
    const bool failed = is_failure(what.outcome) && what.error.starts_with(missed_text(step));
    found.test(rule_of_missed(step), failed, step, [&] {
      return fmt::format("ends {} with the error \"{}\"; a run that was stopped because it {} fails with \"{}\"",
                         to_string(what.outcome), what.error,
                         step.life.stop_cause == StopCause::watchdog ? "gave no sign of life" : "was not ready in time",
                         missed_text(step));
    });
  }

  // Signs of life are no events. So a run that is said to hang must have been ready for the length of its watchdog. If
  // the simulation has told when its latest sign came, then the watchdog must have passed since that exactly.
  [[gnu::cold, gnu::noinline]] void gives_up_a_hang_exactly_at_its_watchdog(Step& step) {
    const Life& life = step.life;
    ++counted.hangs;
    const auto& watchdog = policies[life.policy]->watchdog;
    const bool may_hang = life.is_watched();
    const TimePoint silent_since = std::max(step.past.ready_at, step.past.silent_since);
    const bool is_exact = may_hang && step.past.silent_since != TimePoint::min();
    const TimePoint due = silent_since + watchdog_of(life);
    // Signs that are too seldom for the watchdog come in time once if it looks late.
    const bool gives_signs = step.past.gives_signs && step.past.lateness == Duration::zero();
    const bool in_time = step.event.at >= due && step.event.at <= due + step.past.lateness;
    const bool is_due =
        may_hang && (is_exact ? in_time || life.reported_overdue : step.event.at >= due && !gives_signs);
    found.test(Rule::gives_up_a_hang_exactly_at_its_watchdog, is_due, step, [&] {
      if (!watchdog) return std::string{"is stopped for its watchdog, but has none"};
      if (!may_hang) return std::string{"is stopped for its watchdog, but no run is running"};
      if (gives_signs) return std::string{"is stopped as hung, but gives signs of life"};
      return fmt::format("is stopped for its watchdog at {}, but has until {}", to_string(step.event.at),
                         to_string(due));
    });
  }

  // Counts a failure. The window is full if the failure max_failures - 1 before this one is not older than it.
  template <class What>
  static bool fills_the_window(Step& step, const BackoffPolicy& policy) {
    Life& life = step.life;
    Past& past = step.past;
    const bool is_first = life.attempt == 0;
    if (life.attempt < std::numeric_limits<Attempt>::max()) ++life.attempt;
    if (!doubles(policy.growth)) [[unlikely]] {
      life.ceiling = delay_by_law(policy, life.attempt);
    } else if (is_first) {
      life.ceiling = std::min(policy.base, policy.max);
    } else {
      life.ceiling = life.ceiling > policy.max - life.ceiling ? policy.max : life.ceiling + life.ceiling;
    }
    return policy.breaker && fills_the_window(past, *policy.breaker, step.event.at);
  }
  static bool fills_the_window(Past& past, const BreakerPolicy& breaker, TimePoint at) {
    const std::uint64_t most = breaker.max_failures;
    const std::uint64_t position = past.failures++ % most;
    if (past.failures <= most) {
      past.failed_at.push_back(at);
    } else {
      past.failed_at[position] = at;
    }
    return past.failures >= most && past.failed_at[past.failures % most] >= at - breaker.window;
  }

  void keeps_every_retry_within_its_ceiling(Step& step, const event::BackingOff& what) {
    Life& life = step.life;
    const bool failed = what.cause != BackoffCause::clean_exit;
    const Duration fixed = backoff_of(life).clean_restart_delay;
    const Allowed right = failed ? allowed(life, what.cause) : Allowed{fixed, fixed};
    const Duration least = right.least;  // clang 14 captures no structured binding
    const Duration ceiling = right.most;
    const bool numbers_agree = what.attempt == life.attempt && what.ceiling == ceiling;
    found.test(Rule::keeps_every_retry_within_its_ceiling, numbers_agree, step, [&] {
      return fmt::format("is attempt {} with a ceiling of {}; right is attempt {} with a ceiling of {}", what.attempt,
                         to_string(what.ceiling), life.attempt, to_string(ceiling));
    });
    const bool within = what.delay >= least && what.delay <= ceiling;
    if (numbers_agree) {
      found.test(Rule::keeps_every_retry_within_its_ceiling, within, step, [&] {
        return failed ? fmt::format("the delay is {}; allowed is {} to {}", to_string(what.delay), to_string(least),
                                    to_string(ceiling))
                      : fmt::format("the delay is {}; after a clean exit it is {}", to_string(what.delay),
                                    to_string(fixed));
      });
    }
    life.attempt = what.attempt;
    if (failed && !numbers_agree) life.ceiling = what.ceiling;
  }

  struct Allowed {
    Duration least;
    Duration most;
  };
  // What the jitter makes of the delay that the life has grown to, or of its open time.
  [[nodiscard]] Allowed allowed(const Life& life, BackoffCause cause) const noexcept {
    const Duration grown = life.ceiling;
    if (cause == BackoffCause::breaker_open) return {grown - grown / 2, grown};
    const Jitter& jitter = backoff_of(life).jitter;
    if (std::holds_alternative<FullJitter>(jitter)) [[likely]]
      return {Duration::zero(), grown};
    return allowed_otherwise(jitter, grown);
  }
  [[gnu::cold, gnu::noinline]] static Allowed allowed_otherwise(const Jitter& jitter, Duration grown) noexcept;

  // The k-th delay in a row by a growth other than doubling.
  [[gnu::cold, gnu::noinline]] static Duration delay_by_law(const BackoffPolicy& policy, Attempt k) noexcept;

  // What comes after `breaker_tripped`. The open time doubles with each opening in a row.
  void opens(Step& step) {
    Life& life = step.life;
    const auto& breaker = backoff_of(life).breaker;
    if (!breaker || !breaker->half_open) return life.owe(Owed::open_circuit, step.event.at);
    const HalfOpenPolicy& policy = *breaker->half_open;
    if (!life.breaker_has_opened) {
      life.attempt = 1;
      life.ceiling = std::min(policy.open_for, policy.open_for_max);
      ++counted.open_breakers;
    } else {
      life.ceiling =
          life.ceiling > policy.open_for_max - life.ceiling ? policy.open_for_max : life.ceiling + life.ceiling;
    }
    life.breaker_has_opened = true;
    life.owe(Owed::stay_open, step.event.at);
  }

  void probes_until(Step& step) {
    if (!step.life.breaker_has_opened) [[likely]]
      return;
    const auto& breaker = backoff_of(step.life).breaker;
    if (!breaker || !breaker->half_open) return;
    step.life.due = step.event.at + breaker->half_open->probe_success_after;
    step.life.reported_overdue = false;
  }

  // Before any other event: a breaker that had to close must have closed.
  void closes_at_once(Step& step) {
    if (step.life.may_close || step.life.must_close) [[unlikely]]
      closes_without_delay(step);
  }
  void closes_without_delay(Step& step) {
    Life& life = step.life;
    if (life.may_close && step.event.at > step.past.close_asked_at) life.may_close = false;
    if (!life.must_close || std::holds_alternative<event::BreakerClosed>(step.event.what)) return;
    constexpr std::size_t kReconfigured = Event::What{event::Reconfigured{}}.index();
    found.test(Rule::closes_exactly_when_the_probe_succeeds, false, step, [&] {
      const bool by_policy = life.latest[life.n % Life::kShownMax].kind == kReconfigured;
      return fmt::format("{}, which closes the breaker; found {}",
                         by_policy ? "the service has another backoff" : "the probe ended cleanly", kind(step.event));
    });
    close(step);
  }

  void closes_exactly_when_the_probe_succeeds(Step& step, const event::BreakerClosed& what) {
    Life& life = step.life;
    if (life.probes() && life.reported_overdue) return close(step);
    const bool stayed_up =
        life.probes() && step.event.at >= life.due && step.event.at <= life.due + slack_of(life, step.past);
    const bool may = life.breaker_has_opened && (life.must_close || life.may_close || stayed_up);
    found.test(Rule::closes_exactly_when_the_probe_succeeds, may, step, [&] {
      if (!life.breaker_has_opened) return std::string{"the breaker closes, but it was not open"};
      if (!life.probes())
        return std::string{"the breaker closes, but no probe has succeeded and no command asks for it"};
      return fmt::format("the breaker closes at {}, but its probe has stayed up at {}", to_string(step.event.at),
                         to_string(life.due));
    });
    if (may) {
      found.test(Rule::closes_exactly_when_the_probe_succeeds, what.openings == life.attempt, step,
                 [&] { return fmt::format("reports {} openings, but there were {}", what.openings, life.attempt); });
    }
    close(step);
  }

  void close(Step& step) {
    if (step.life.breaker_has_opened) --counted.open_breakers;
    step.life.breaker_has_opened = step.life.must_close = step.life.may_close = false;
    forget_failures(step);
  }

  // A restart or a reset that had its effect closes the breaker first.
  void was_closed_by_the_command(Step& step) {
    if (!step.life.breaker_has_opened) return;
    found.test(Rule::closes_exactly_when_the_probe_succeeds, false, step,
               [] { return "a command starts or restarts the service, but its breaker has not closed"; });
    close(step);
  }

  // Of a delay with another jitter than the full one only the part that is drawn. Only ceilings so long that rounding
  // to nanoseconds makes no difference.
  void counts_for_the_spread(const Step& step, event::BackingOff what) noexcept {
    if (!std::holds_alternative<FullJitter>(backoff_of(step.life).jitter)) [[unlikely]] {
      const Allowed range = allowed(step.life, what.cause);
      if (what.delay < range.least || what.delay > range.most) return;
      what.delay -= range.least;
      what.ceiling = range.most - range.least;
    }
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

  // Of the full jitter only, whose shares are those of the ceiling. The same draw gives shares that differ only by
  // rounding. Two different draws do so once in 300 million pairs. So
  // the third time is a violation, or in a run of many millions of pairs the first number that chance cannot explain.
  void draws_every_delay_anew(Step& step, const event::BackingOff& what) {
    constexpr Duration kCeilingMin = std::chrono::seconds{1};
    constexpr std::uint64_t kAlikeMin = 3;
    constexpr std::uint64_t kPairsForEachAlike = 1'000'000;
    if (what.ceiling < kCeilingMin || !std::holds_alternative<FullJitter>(backoff_of(step.life).jitter)) return;
    const event::BackingOff before = retry_before(step);
    if (before.ceiling < kCeilingMin) return;
    ++pairs;
    const SignedWide apart = SignedWide{before.delay.count()} * what.ceiling.count() -
                             SignedWide{what.delay.count()} * before.ceiling.count();
    const std::int64_t rounding = std::max(before.ceiling, what.ceiling).count();
    if (apart <= rounding && -apart <= rounding) ++pairs_alike;
    const bool by_chance = pairs_alike < kAlikeMin || pairs_alike <= pairs / kPairsForEachAlike;
    found.test(Rule::draws_every_delay_anew, by_chance || reported_alike, step, [&] {
      return fmt::format("the delay is {} of {}, the one before it was {} of {}; shares were repeated {} times in {}",
                         to_string(what.delay), to_string(what.ceiling), to_string(before.delay),
                         to_string(before.ceiling), pairs_alike, pairs);
    });
    reported_alike = reported_alike || !by_chance;
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
  // (sum - n/2)^2 <= 36 * n/12; chance misses that once in 500 million runs. A share is counted when its wait begins.
  // Otherwise short waits would count more often than long ones before the run is over.
  void spreads_its_delays(const SimulationEnd& end);

  // The latest failures of the service, for a message.
  [[nodiscard]] std::string window_text(const Step& step) const;

  // One failure of a probe is enough.
  void has_the_numbers_of_the_window(Step& step, std::uint32_t failures, std::uint32_t max_failures) {
    const auto& breaker = backoff_of(step.life).breaker;
    const std::uint32_t right = step.life.breaker_has_opened ? 1 : breaker ? breaker->max_failures : 0;
    found.test(Rule::trips_exactly_when_the_window_says_so, failures == right && max_failures == right, step, [&] {
      return fmt::format("reports {}/{} failures instead of {}/{}", failures, max_failures, right, right);
    });
  }
};

}  // namespace holdfast::sim::detail
