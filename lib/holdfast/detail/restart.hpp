// What the end of a run means, and what follows if the run was not asked to stop: two pure functions. The first one is
// of the policy and the end alone; the other of the policy, the state that the service carries from run to run, what
// the end means, the time and a draw. The supervisor calls them and does what they return.
//
// The order of the rules: a run that was ready for at least `cooldown` clears attempt and failure history, unless it is
// a probe. A fatal error terminates, and so does an end for good. Otherwise the restart policy decides. If it wants a
// restart after a failure, the breaker comes before the delay; so it does after a clean exit that the breaker counts.
//
// ## The breaker
//
//     closed     failures fill the window             open: terminated, or with half_open after an open time a probe
//     open       the open time has passed             half open: the next run is the probe
//     half open  the probe fails                      open, for longer
//     half open  the probe ends cleanly, or stays up  closed
//
// A breaker that counts ends takes a clean exit that another run follows for a failure.
// It is open or half open as long as `breaker_has_opened`: half open while the service has a run.
//
// Thread-safety: none for one RestartState.
#pragma once

#include <cstdint>
#include <variant>

#include <holdfast/backoff.hpp>
#include <holdfast/event.hpp>
#include <holdfast/lifecycle.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

// What a service carries from run to run.
struct RestartState {
  FailureHistory history;
  Attempt attempt =
      0;  // consecutive failures since the last reset; of a breaker that has opened, its openings in a row
  bool breaker_has_opened = false;  // and has not closed since

  void reset() noexcept {
    attempt = 0;
    breaker_has_opened = false;
    history.clear();
  }
};

// What an end means of which the run says `said`, with this exit status.
constexpr Outcome meaning(const ExitRules& rules, Outcome said, std::uint8_t status) noexcept {
  if (said == Outcome::done) return said;
  if (rules.clean.has(status)) return Outcome::clean;
  if (rules.fatal.has(status)) return Outcome::fatal;
  if (rules.failure.has(status) && said != Outcome::threw) return Outcome::failed;
  return said;
}

struct End {
  Outcome outcome;
  Duration ready_for;  // how long the run had been ready; of one that never was, 0
};

struct Next {
  enum class What : std::uint8_t {
    complete,       // terminated(completed)
    fail,           // terminated(failed)
    open_for_good,  // the breaker opens: terminated(circuit_open)
    open,           // the breaker opens: back off for `delay`, then probe
    back_off,       // for `delay`
  };
  What what;
  BackoffCause cause = BackoffCause::failure;
  std::uint32_t failures = 0;  // that opened the breaker; also how many open it
  Attempt closes_after = 0;    // the breaker closes first, after so many openings; 0: it is closed
  Duration ceiling{0};         // of the delay
  Duration delay{0};
};

// The breaker opens, after a failure that filled its window or after the failure of its probe.
template <class Draws>
inline Next after_opening(const BreakerPolicy& breaker, RestartState& state, std::uint32_t failures,
                          const Draws& draws) {
  if (!breaker.half_open) return {.what = Next::What::open_for_good, .failures = failures};
  if (!state.breaker_has_opened) state.attempt = 1;
  state.breaker_has_opened = true;
  const Duration ceiling = open_ceiling(*breaker.half_open, state.attempt);
  return {.what = Next::What::open,
          .cause = BackoffCause::breaker_open,
          .failures = failures,
          .ceiling = ceiling,
          .delay = half_jitter(ceiling, draws())};
}

template <class Draws>
inline Next after_failure(const BackoffPolicy& backoff, RestartState& state, TimePoint now, const Draws& draws) {
  if (backoff.breaker) {
    if (state.breaker_has_opened) [[unlikely]]
      return after_opening(*backoff.breaker, state, 1, draws);
    const std::uint32_t failures = state.history.record(*backoff.breaker, now);
    if (failures >= backoff.breaker->max_failures) [[unlikely]]
      return after_opening(*backoff.breaker, state, failures, draws);
  }
  const Duration grown = grown_delay(backoff, state.attempt);
  if (std::holds_alternative<FullJitter>(backoff.jitter)) [[likely]]
    return {.what = Next::What::back_off, .ceiling = grown, .delay = full_jitter(grown, draws())};
  const DelayRange range = delay_range(backoff.jitter, grown);
  if (range.least == range.most) return {.what = Next::What::back_off, .ceiling = range.most, .delay = range.most};
  return {.what = Next::What::back_off, .ceiling = range.most, .delay = drawn_from(range, draws())};
}

// Whether the breaker of a service that goes on after this clean exit opens with it; then the exit is the last of so
// many ends that it counts, else 0.
inline std::uint32_t opens_with_clean_exit(const BreakerPolicy& breaker, RestartState& state, TimePoint now) {
  if (state.breaker_has_opened) {
    state.attempt = next_attempt(state.attempt);
    return 1;
  }
  const std::uint32_t ends = state.history.record(breaker, now);
  return ends >= breaker.max_failures ? ends : 0;
}

template <class Draws>
inline Next after_clean_exit(const ServicePolicy& policy, RestartState& state, Outcome outcome, TimePoint now,
                             const Draws& draws) {
  const bool goes_on = policy.restart == RestartPolicy::always && outcome != Outcome::done;
  const auto& breaker = policy.backoff->breaker;
  if (goes_on && breaker && breaker->counts == BreakerCounts::ends) [[unlikely]] {
    const std::uint32_t ends = opens_with_clean_exit(*breaker, state, now);
    if (ends > 0) return after_opening(*breaker, state, ends, draws);
  }
  const Attempt openings = state.breaker_has_opened ? state.attempt : 0;
  if (openings > 0) [[unlikely]]
    state.reset();
  if (!goes_on) return {.what = Next::What::complete, .closes_after = openings};
  state.attempt = 0;
  const Duration delay = policy.backoff->clean_restart_delay;
  return {.what = Next::What::back_off,
          .cause = BackoffCause::clean_exit,
          .closes_after = openings,
          .ceiling = delay,
          .delay = delay};
}

// Calls draws() for a draw at most once, and only if it needs one. `state` is what it will be before the next run.
// REQUIRES: the policy is in force, so that it has a backoff, and its backoff is the same since the last reset of the
// state.
template <class Draws>
inline Next after_end(const ServicePolicy& policy, RestartState& state, const End& end, TimePoint now,
                      const Draws& draws) {
  if (!state.breaker_has_opened && cools_down(*policy.backoff, end.ready_for)) state.reset();
  if (!is_failure(end.outcome)) return after_clean_exit(policy, state, end.outcome, now, draws);
  state.attempt = next_attempt(state.attempt);
  if (end.outcome == Outcome::fatal || policy.restart == RestartPolicy::never) return {Next::What::fail};
  return after_failure(*policy.backoff, state, now, draws);
}

}  // namespace holdfast::detail
