#include <holdfast_sim/report/detail/storm_tracker.hpp>

namespace holdfast::sim {

void StormTracker::fell(std::uint32_t slot, TimePoint at) {
  if (slot >= latest_.size()) latest_.resize(slot + 1, kNone);
  if (latest_[slot] != kNone) unlink(latest_[slot]);
  append(slot, at);
  while (at - falls_[first_].at > kWindow) unlink(first_);
  if (listed_ > worst_.services) worst_ = {listed_, falls_[first_].at, at};
}

void StormTracker::forget(std::uint32_t slot) noexcept {
  if (slot >= latest_.size() || latest_[slot] == kNone) return;
  falls_[latest_[slot]].slot = kNone;
  latest_[slot] = kNone;
}

void StormTracker::append(std::uint32_t slot, TimePoint at) {
  std::uint32_t index = free_;
  if (index == kNone) {
    index = static_cast<std::uint32_t>(falls_.size());
    falls_.emplace_back();
  } else {
    free_ = falls_[index].after;
  }
  falls_[index] = {at, slot, last_, kNone};
  (last_ == kNone ? first_ : falls_[last_].after) = index;
  last_ = latest_[slot] = index;
  ++listed_;
}

void StormTracker::unlink(std::uint32_t index) noexcept {
  Fall& fall = falls_[index];
  (fall.before == kNone ? first_ : falls_[fall.before].after) = fall.after;
  (fall.after == kNone ? last_ : falls_[fall.after].before) = fall.before;
  if (fall.slot != kNone) latest_[fall.slot] = kNone;
  fall.after = free_;
  free_ = index;
  --listed_;
}

}  // namespace holdfast::sim
