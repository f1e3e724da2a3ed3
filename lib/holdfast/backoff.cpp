#include <holdfast/backoff.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <new>
#include <utility>

namespace holdfast {

namespace {

// min(max, base * 2^doublings).
inline Duration doubled(Duration first, Duration max, Attempt doublings) noexcept {
  const auto base = static_cast<std::uint64_t>(first.count());
  // base * 2^doublings fits 63 bits exactly when that many leading zeros are left beside the sign's.
  if (doublings >= static_cast<Attempt>(std::countl_zero(base))) return base == 0 ? Duration::zero() : max;
  return std::min(max, Duration{static_cast<std::int64_t>(base << doublings)});
}

}  // namespace

Duration backoff_ceiling(const BackoffPolicy& policy, Attempt attempt) noexcept {
  return doubled(policy.base, policy.max, attempt - 1);
}

Duration open_ceiling(const HalfOpenPolicy& policy, Attempt opening) noexcept {
  return doubled(policy.open_for, policy.open_for_max, opening - 1);
}

Duration full_jitter(Duration ceiling, const Draw& draw) noexcept {
  return Duration{static_cast<std::int64_t>(uniform_up_to(draw, static_cast<std::uint64_t>(ceiling.count())))};
}

Duration half_jitter(Duration ceiling, const Draw& draw) noexcept { return ceiling - full_jitter(ceiling / 2, draw); }

// A ring of times, oldest first.
struct FailureHistory::Ring {
  static constexpr std::size_t kTimesAt = 16;
  std::uint32_t first = 0;
  std::uint32_t size = 0;
  std::uint32_t capacity = 0;

  // The times stand behind it in the same memory.
  [[nodiscard]] TimePoint& at(std::uint32_t position) noexcept {
    const std::uint32_t index = first + position;
    return reinterpret_cast<TimePoint*>(reinterpret_cast<std::byte*>(this) +
                                        kTimesAt)[index < capacity ? index : index - capacity];
  }

  // Null: there is no memory.
  static Ring* of(std::uint32_t capacity) noexcept {
    void* const memory = ::operator new(kTimesAt + capacity * sizeof(TimePoint), std::nothrow);
    return memory ? new (memory) Ring{.capacity = capacity} : nullptr;
  }
};

FailureHistory::~FailureHistory() { ::operator delete(ring_); }

std::uint32_t FailureHistory::record(const BreakerPolicy& breaker, TimePoint now) noexcept {
  const std::uint32_t most = breaker.max_failures - 1;
  if (most == 0) return breaker.max_failures;
  const TimePoint oldest_that_counts = now - breaker.window;
  while (size() > 0 && ring_->at(0) < oldest_that_counts) forget_oldest();
  if (size() == most) return breaker.max_failures;
  if ((!ring_ || ring_->size == ring_->capacity) && !grow(most)) [[unlikely]] {
    if (!ring_) return 1;
    forget_oldest();
  }
  ring_->at(ring_->size) = now;
  return ++ring_->size;
}

void FailureHistory::clear() noexcept {
  if (ring_) ring_->size = 0;
}

std::uint32_t FailureHistory::size() const noexcept { return ring_ ? ring_->size : 0; }

void FailureHistory::forget_oldest() noexcept {
  ring_->first = ring_->first + 1 == ring_->capacity ? 0 : ring_->first + 1;
  --ring_->size;
}

bool FailureHistory::grow(std::uint32_t most) noexcept {
  Ring* const larger = Ring::of(ring_ ? std::min(2 * ring_->capacity + 1, most) : 1);
  if (!larger) return false;
  for (std::uint32_t i = 0; i < size(); ++i) larger->at(larger->size++) = ring_->at(i);
  ::operator delete(std::exchange(ring_, larger));
  return true;
}

}  // namespace holdfast
