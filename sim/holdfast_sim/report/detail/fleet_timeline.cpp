#include <holdfast_sim/report/detail/fleet_timeline.hpp>

#include <algorithm>

namespace holdfast::sim {

void FleetBucket::merge(const FleetBucket& later) noexcept {
  for (std::size_t i = 0; i < kStandings; ++i) {
    time[i] += later.time[i];
    most[i] = std::max(most[i], later.most[i]);
  }
  most_down = std::max(most_down, later.most_down);
  fewest_running = std::min(fewest_running, later.fewest_running);
  restarts += later.restarts;
}

FleetHistory FleetTimeline::history() const {
  FleetHistory history{now_ - TimePoint{}, Duration{width_}, {}};
  if (buckets_.empty()) return history;
  const auto used = now_ > TimePoint{} || buckets_.front().restarts > 0 ? current_ + 1 : 0;
  history.buckets.assign(buckets_.begin(), buckets_.begin() + static_cast<std::ptrdiff_t>(used));
  return history;
}

void FleetTimeline::pass(TimePoint at) {
  most_down_ = std::max(most_down_, count(Standing::restarting) + count(Standing::lost));
  if (buckets_.empty()) now_ = at;
  while (now_ < at) {
    if (now_.nanoseconds == bucket_end_) next_bucket();
    const std::int64_t until = std::min(at.nanoseconds, bucket_end_);
    stand_for(until - now_.nanoseconds);
    now_ = TimePoint{until};
  }
}

void FleetTimeline::next_bucket() {
  if (++current_ == kBuckets) {
    for (std::size_t i = 0; i < kBuckets / 2; ++i) {
      buckets_[i] = buckets_[2 * i];
      buckets_[i].merge(buckets_[2 * i + 1]);
    }
    std::fill(buckets_.begin() + kBuckets / 2, buckets_.end(), FleetBucket{});
    current_ = kBuckets / 2;
    width_ *= 2;
  }
  bucket_end_ = holdfast::detail::saturating_add(bucket_end_, width_);
}

void FleetTimeline::stand_for(std::int64_t nanoseconds) noexcept {
  FleetBucket& bucket = buckets_[current_];
  for (std::size_t i = 0; i < kStandings; ++i) {
    bucket.time[i] += ServiceTime{counts_[i]} * static_cast<std::uint64_t>(nanoseconds);
    bucket.most[i] = std::max(bucket.most[i], counts_[i]);
  }
  bucket.most_down = std::max(bucket.most_down, count(Standing::restarting) + count(Standing::lost));
  bucket.fewest_running = std::min(bucket.fewest_running, count(Standing::running));
}

}  // namespace holdfast::sim
