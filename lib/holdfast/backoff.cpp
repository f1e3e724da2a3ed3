#include <holdfast/backoff.hpp>

#include <algorithm>
#include <bit>

namespace holdfast {

Duration backoff_ceiling(const BackoffPolicy& policy, Attempt attempt) noexcept {
  const auto base = static_cast<std::uint64_t>(policy.base.count());
  const Attempt doublings = attempt - 1;
  // base * 2^doublings fits 63 bits exactly when that many leading zeros are left beside the sign's.
  if (doublings >= static_cast<Attempt>(std::countl_zero(base))) return base == 0 ? Duration::zero() : policy.max;
  return std::min(policy.max, Duration{static_cast<std::int64_t>(base << doublings)});
}

Duration full_jitter(Duration ceiling, const Draw& draw) noexcept {
  return Duration{static_cast<std::int64_t>(uniform_up_to(draw, static_cast<std::uint64_t>(ceiling.count())))};
}

FailureHistory::FailureHistory(const BackoffPolicy& policy) {
  if (policy.breaker && policy.breaker->max_failures > 1) {
    times_ = std::make_unique<TimePoint[]>(policy.breaker->max_failures - 1);
  }
}

std::uint32_t FailureHistory::record(const BreakerPolicy& breaker, TimePoint now) noexcept {
  const std::uint32_t capacity = breaker.max_failures - 1;
  const TimePoint oldest_that_counts = now - breaker.window;
  while (size_ > 0 && times_[first_] < oldest_that_counts) {
    first_ = first_ + 1 == capacity ? 0 : first_ + 1;
    --size_;
  }
  if (size_ == capacity) return breaker.max_failures;
  const std::uint32_t end = first_ + size_;
  times_[end < capacity ? end : end - capacity] = now;
  return ++size_;
}

}  // namespace holdfast
