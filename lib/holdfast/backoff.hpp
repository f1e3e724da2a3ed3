// The restart decisions, as pure functions of (policy, history, now, draw).
//
// They read no clock and store nothing, so tests can enumerate them. The caller keeps their state: an attempt count and
// a FailureHistory.
//
// Thread-safety: none for one FailureHistory; the functions are pure.
#pragma once

#include <cstdint>

#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// Consecutive failures since the last reset; 1 after the first. Saturates.
using Attempt = std::uint32_t;

constexpr Attempt next_attempt(Attempt attempt) noexcept { return attempt + (attempt != 0xffff'ffff); }

// What the delay has grown to before any jitter, never above policy.max: semantics, delay laws. With the default growth
// min(max, base * 2^(attempt - 1)). Without overflow for any attempt and any base.
// REQUIRES: attempt >= 1; problems(policy) has no error.
Duration grown_delay(const BackoffPolicy&, Attempt) noexcept;

// From where to where a delay is drawn, both ends included.
struct DelayRange {
  Duration least{0};
  Duration most{0};
  friend bool operator==(const DelayRange&, const DelayRange&) = default;
};
// REQUIRES: 0 <= grown <= kDurationMax; the share of the jitter is at most kJitterShareMax.
DelayRange delay_range(const Jitter&, Duration grown) noexcept;
// Of the delay after this many failures. REQUIRES: as for grown_delay.
DelayRange delay_range(const BackoffPolicy&, Attempt) noexcept;

// The longest that the delay can be: what it has grown to, or more where the jitter goes above that.
// REQUIRES: as for grown_delay.
Duration backoff_ceiling(const BackoffPolicy&, Attempt) noexcept;

// Uniform in the range, both ends included.
Duration drawn_from(const DelayRange&, const Draw&) noexcept;

// The ceiling of the open time of a breaker that opens for the `opening`th time in a row:
// min(open_for_max, open_for * 2^(opening - 1)). REQUIRES: opening >= 1; 0 <= open_for.
Duration open_ceiling(const HalfOpenPolicy&, Attempt opening) noexcept;

// Full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015): uniform in [0, ceiling], both ends
// included. REQUIRES: ceiling >= 0.
Duration full_jitter(Duration ceiling, const Draw&) noexcept;

// Equal jitter: uniform in [ceiling - ceiling / 2, ceiling], both ends included. The fixed half keeps an open breaker
// open for a while, and the random half keeps a fleet from probing in step. REQUIRES: ceiling >= 0.
Duration half_jitter(Duration ceiling, const Draw&) noexcept;

// Whether a run that lasted this long clears attempt and failure history.
constexpr bool cools_down(const BackoffPolicy& policy, Duration lasted) noexcept { return lasted >= policy.cooldown; }

// The times of the failures that may still count, oldest first. A service that never fails needs no storage. Otherwise
// the storage grows to the most times that were remembered at once, at most max_failures - 1, and stays until
// destruction. After clear() the breaker may be another one.
class FailureHistory {
 public:
  FailureHistory() = default;
  FailureHistory(const FailureHistory&) = delete;
  FailureHistory& operator=(const FailureHistory&) = delete;
  ~FailureHistory();

  // Counts a failure at `now`: forgets those older than the window, then returns how many the window holds, this one
  // included. The answer is at most max_failures, because more have no effect and are not kept.
  // If there is no memory for one more, the oldest is forgotten instead; the breaker may then open later.
  // REQUIRES: the breaker is the same since the last clear(); `now` is not before the last failure.
  std::uint32_t record(const BreakerPolicy&, TimePoint now) noexcept;

  void clear() noexcept;

  // Failures remembered, including those that have left the window since.
  [[nodiscard]] std::uint32_t size() const noexcept;

 private:
  struct Ring;

  void forget_oldest() noexcept;
  [[nodiscard]] bool grow(std::uint32_t most) noexcept;

  // max_failures - 1 times are enough: the failure that completes them trips the breaker.
  Ring* ring_ = nullptr;
};

}  // namespace holdfast

#pragma GCC visibility pop
