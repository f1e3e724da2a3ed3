#include <holdfast_sim/storm_tracker.hpp>

namespace holdfast::sim {

void StormTracker::fell(std::uint32_t slot, TimePoint at) {
  if (slot >= nodes_.size()) nodes_.resize(slot + 1);
  if (nodes_[slot].listed) unlink(slot);
  append(slot, at);
  while (at - nodes_[first_].at > kWindow) unlink(first_);
  if (listed_ > worst_.services) worst_ = {listed_, nodes_[first_].at, at};
}

void StormTracker::forget(std::uint32_t slot) noexcept {
  // Its fall was counted when it happened; a storm that is still going on loses it.
  if (slot < nodes_.size() && nodes_[slot].listed) unlink(slot);
}

void StormTracker::append(std::uint32_t slot, TimePoint at) noexcept {
  nodes_[slot] = {at, last_, kNone, true};
  (last_ == kNone ? first_ : nodes_[last_].after) = slot;
  last_ = slot;
  ++listed_;
}

void StormTracker::unlink(std::uint32_t slot) noexcept {
  Node& node = nodes_[slot];
  (node.before == kNone ? first_ : nodes_[node.before].after) = node.after;
  (node.after == kNone ? last_ : nodes_[node.after].before) = node.before;
  node.listed = false;
  --listed_;
}

}  // namespace holdfast::sim
