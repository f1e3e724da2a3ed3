#include <holdfast/backoff.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <new>
#include <utility>
#include <variant>

#include <holdfast/detail/equal_ratios.hpp>
#include <holdfast/detail/wide.hpp>

namespace holdfast {

namespace {

// min(max, base * 2^doublings).
inline Duration doubled(Duration first, Duration max, Attempt doublings) noexcept {
  const auto base = static_cast<std::uint64_t>(first.count());
  // base * 2^doublings fits 63 bits exactly when that many leading zeros are left beside the sign's.
  if (doublings >= static_cast<Attempt>(std::countl_zero(base))) return base == 0 ? Duration::zero() : max;
  return std::min(max, Duration{static_cast<std::int64_t>(base << doublings)});
}

// min(max, base * factor^(attempt - 1)), the product rounded down to 2^-32 of a nanosecond each time that it is
// multiplied. REQUIRES: factor >= kFactorMin, so that even a nanosecond reaches any max in some hundred rounds.
Duration multiplied(Duration base, Duration max, Thousandths factor, Attempt attempt) noexcept {
  using detail::Wide;
  if (base == Duration::zero()) return base;
  const auto most = Wide{static_cast<std::uint64_t>(max.count())} << 32;
  auto delay = Wide{static_cast<std::uint64_t>(base.count())} << 32;
  for (Attempt k = 1; k < attempt && delay < most; ++k) delay = delay * factor.count / 1000;
  return delay < most ? Duration{static_cast<std::int64_t>(delay >> 32)} : max;
}

// min(max, base + step * steps).
Duration added_up(Duration base, Duration max, Duration step, std::uint32_t steps) noexcept {
  std::int64_t more = 0;
  if (__builtin_mul_overflow(step.count(), std::int64_t{steps}, &more)) return max;
  return std::min(max, saturating_add(base, Duration{more}));
}

// length * share, rounded down. REQUIRES: share <= 1.
Duration part_of(Duration length, Thousandths share) noexcept {
  return Duration{static_cast<std::int64_t>(detail::SignedWide{length.count()} * share.count / 1000)};
}

Duration grown_otherwise(const BackoffPolicy& policy, Attempt attempt) noexcept {
  if (const auto* const exponential = std::get_if<ExponentialGrowth>(&policy.growth)) {
    return multiplied(policy.base, policy.max, exponential->factor, attempt);
  }
  if (const auto* const linear = std::get_if<LinearGrowth>(&policy.growth)) {
    return added_up(policy.base, policy.max, linear->step, attempt - 1);
  }
  if (const auto* const stepped = std::get_if<SteppedGrowth>(&policy.growth)) {
    return detail::equal_ratios(policy.base, policy.max, attempt - 1, stepped->steps);
  }
  return std::min(policy.base, policy.max);
}

}  // namespace

Duration grown_delay(const BackoffPolicy& policy, Attempt attempt) noexcept {
  if (doubles(policy.growth)) [[likely]]
    return doubled(policy.base, policy.max, attempt - 1);
  return grown_otherwise(policy, attempt);
}

DelayRange delay_range(const Jitter& jitter, Duration grown) noexcept {
  if (std::holds_alternative<NoJitter>(jitter)) return {grown, grown};
  if (std::holds_alternative<EqualJitter>(jitter)) return {grown - grown / 2, grown};
  if (const auto* const proportional = std::get_if<ProportionalJitter>(&jitter)) {
    const Duration part = part_of(grown, proportional->share);
    return {grown - part, grown + part};
  }
  if (const auto* const additive = std::get_if<AdditiveJitter>(&jitter)) {
    return {grown, grown + part_of(grown, additive->share)};
  }
  return {Duration::zero(), grown};
}

DelayRange delay_range(const BackoffPolicy& policy, Attempt attempt) noexcept {
  return delay_range(policy.jitter, grown_delay(policy, attempt));
}

Duration backoff_ceiling(const BackoffPolicy& policy, Attempt attempt) noexcept {
  return delay_range(policy, attempt).most;
}

Duration drawn_from(const DelayRange& range, const Draw& draw) noexcept {
  return range.least + full_jitter(range.most - range.least, draw);
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
