// The restart decisions, as pure functions of (policy, history, now, draw).
//
// They take no port and keep nothing, so that they can be enumerated and tested alone. The state they work on is the
// caller's: an attempt count and a FailureHistory.
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

// min(max, base * 2^(attempt - 1)), without overflow for any attempt and any base.
// REQUIRES: attempt >= 1; 0 <= base.
Duration backoff_ceiling(const BackoffPolicy&, Attempt) noexcept;

// Full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015): uniform in [0, ceiling], both ends
// included. REQUIRES: ceiling >= 0.
Duration full_jitter(Duration ceiling, const Draw&) noexcept;

// Whether a run that lasted this long clears attempt and failure history.
constexpr bool cools_down(const BackoffPolicy& policy, Duration lasted) noexcept { return lasted >= policy.cooldown; }

// The times of the failures that may still count, oldest first. Its storage grows to what it has had to remember at
// once, max_failures - 1 times at most, and is kept until its destruction: a service that never fails needs none.
class FailureHistory {
 public:
  FailureHistory() = default;
  FailureHistory(const FailureHistory&) = delete;
  FailureHistory& operator=(const FailureHistory&) = delete;
  ~FailureHistory();

  // Counts a failure at `now`: forgets those older than the window, then tells how many the window holds, this one
  // included. The answer is at most max_failures: more have no effect and are not kept.
  // REQUIRES: the breaker is always the same; `now` is not before the last failure.
  std::uint32_t record(const BreakerPolicy&, TimePoint now);

  void clear() noexcept;

  // Failures remembered, whether or not the window has passed them since.
  [[nodiscard]] std::uint32_t size() const noexcept;

 private:
  struct Ring;

  void forget_oldest() noexcept;
  void grow(std::uint32_t most);

  // max_failures - 1 times are enough: the failure that completes them trips the breaker.
  Ring* ring_ = nullptr;
};

}  // namespace holdfast

#pragma GCC visibility pop
