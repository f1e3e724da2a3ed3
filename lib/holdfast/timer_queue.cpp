#include <holdfast/timer_queue.hpp>

#include <algorithm>
#include <new>

namespace holdfast {

namespace {

constexpr std::size_t kSoonMax = 96;      // more of them are put off
constexpr std::size_t kDisarmedMin = 64;  // disarmed entries that are not worth a clean-up
constexpr std::size_t kCached = 2000;     // timers that a processor's nearer caches hold by themselves, about
constexpr std::size_t kTimerAhead = 10;   // how many firings before its own a timer is fetched
constexpr std::size_t kOwnerAhead = 5;    // how many firings before its own its owner gets the hint (comes_soon)

}  // namespace

void TimerQueue::arm(Timer& timer, TimePoint at) {
  HOLDFAST_ASSERT(!timer.armed(), "a timer was armed twice");
  const auto delay = static_cast<std::uint64_t>(at.nanoseconds) - static_cast<std::uint64_t>(fired_at_.nanoseconds);
  if (lane_.accepts(delay, at)) {
    lane_.append({at, &timer});
  } else {
    arm_beside_lane({at, &timer}, delay);
  }
  timer.at_ = at;
  timer.armed_ = true;
  ++size_;
}

void TimerQueue::arm_beside_lane(const Entry& entry, detail::TimerLane::Delay delay) {
  if (lane_.spans(entry.at) && lane_.must_leave_for(entry.at)) empty_lane();
  lane_.learn(delay);
  arm_in_order(entry);
}

void TimerQueue::arm_in_order(const Entry& entry) {
  if (entry.at >= later_from_ && later_.accepts(entry.at)) {
    later_.append(entry);
  } else {
    arm_soon(entry);
  }
}

void TimerQueue::empty_lane() {
  for (; !lane_.empty(); lane_.drop_front()) arm_in_order(lane_.front());
}

bool TimerQueue::disarm(Timer& timer) noexcept {
  if (!timer.armed()) return false;
  timer.armed_ = false;
  --size_;
  try {
    disarmed_.insert({timer.at_, &timer});
  } catch (const std::bad_alloc&) {
    return drop({timer.at_, &timer});
  }
  if (disarmed_.size() > size() + kDisarmedMin) drop_disarmed();
  return true;
}

bool TimerQueue::fire_earliest_by(TimePoint limit, TimePoint& clock) {
  if (empty()) return false;
  settle();
  const bool in_lane = lane_is_next();
  const Entry next = in_lane ? lane_.front() : soon_.back();
  if (next.at > limit) return false;
  if (in_lane) {
    lane_.drop_front();
  } else {
    soon_.pop_back();
  }
  --size_;
  clock = fired_at_ = next.at;
  next.timer->armed_ = false;
  if (size_ > kCached) fetch_ahead(in_lane);
  next.timer->fired();
  return true;
}

Timer& TimerQueue::take_earliest() {
  settle();
  const bool in_lane = lane_is_next();
  Timer& timer = *(in_lane ? lane_.front() : soon_.back()).timer;
  if (in_lane) {
    lane_.drop_front();
  } else {
    soon_.pop_back();
  }
  --size_;
  timer.armed_ = false;
  return timer;
}

// What needs memory comes first: a timer that was taken out would be lost. They all go into the buckets, where there is
// room for them, in the order in which they were to fire.
void TimerQueue::postpone_all(Duration by) {
  if (empty()) return;
  std::vector<Entry> all;
  all.reserve(size());
  later_.make_room(detail::TimerBuckets::chunks_for(size()));
  const auto take = [&](const Entry& entry) {
    if (!disarmed_.erase(entry)) all.push_back(entry);
    return true;
  };
  for (auto entry = soon_.rbegin(); entry != soon_.rend(); ++entry) take(*entry);
  soon_.clear();
  later_.erase_if(take);
  lane_.erase_if(take);
  std::stable_sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return a.at < b.at; });
  for (Entry& entry : all) entry.timer->at_ = entry.at = entry.at + by;
  later_from_ = all.front().at;
  if (!later_.accepts(later_from_)) later_.accept_from(later_from_);
  for (const Entry& entry : all) later_.append(entry);
}

// Prefetches them. A timer that was disarmed may no longer exist, so it gets no hint. Without memory nobody gets one: a
// timer is about to fire.
void TimerQueue::fetch_ahead(bool in_lane) noexcept try {
  if (in_lane) {
    if (lane_.size() >= kTimerAhead) __builtin_prefetch(lane_[kTimerAhead - 1].timer, 1);
    if (lane_.size() >= kOwnerAhead && disarmed_.empty()) lane_[kOwnerAhead - 1].timer->comes_soon();
    return;
  }
  if (soon_.size() < kTimerAhead && !later_.empty()) take_more();
  const std::size_t left = soon_.size();
  if (left >= kTimerAhead) __builtin_prefetch(soon_[left - kTimerAhead].timer, 1);
  if (left >= kOwnerAhead && disarmed_.empty()) soon_[left - kOwnerAhead].timer->comes_soon();
} catch (const std::bad_alloc&) {
}

void TimerQueue::clear() noexcept {
  const auto forget = [this](const Entry& entry) {
    if (!disarmed_.erase(entry)) entry.timer->armed_ = false;
    return true;
  };
  for (auto entry = soon_.rbegin(); entry != soon_.rend(); ++entry) forget(*entry);
  soon_.clear();
  later_.erase_if(forget);
  later_.clear();
  lane_.erase_if(forget);
  size_ = 0;
}

void TimerQueue::find_earliest() {
  for (;;) {
    if (soon_.empty() && !later_.empty()) {
      later_from_ = later_.take_earliest(soon_, disarmed_);
    } else if (lane_is_next()) {
      if (!disarmed_.erase(lane_.front())) return;
      lane_.drop_front();
    } else {
      if (soon_.empty() || !disarmed_.erase(soon_.back())) return;
      soon_.pop_back();
    }
  }
}

// Taken while some of the next timers are left, so that those after them are known in time.
void TimerQueue::take_more() {
  taken_.clear();
  taken_.reserve(soon_.size() + detail::TimerBuckets::kTakenMax);  // what is taken must not be lost
  later_from_ = later_.take_earliest(taken_, disarmed_);
  taken_.insert(taken_.end(), soon_.begin(), soon_.end());
  soon_.swap(taken_);
}

// One of the next timers: put in behind those that are due no later.
void TimerQueue::arm_soon(const Entry& entry) {
  if (soon_.size() >= kSoonMax) make_room_soon();
  if (entry.at >= later_from_ && later_.accepts(entry.at)) return later_.append(entry);
  std::size_t place = soon_.size();
  soon_.push_back(entry);
  for (; place > 0 && soon_[place - 1].at <= entry.at; --place) soon_[place] = soon_[place - 1];
  soon_[place] = entry;
}

// Puts the later half off. Of timers with the time of the first one that was put off before, these were armed earlier.
void TimerQueue::make_room_soon() {
  later_.make_room(kSoonMax / 2 + 1);
  const auto half = soon_.begin() + static_cast<std::ptrdiff_t>(soon_.size() / 2);
  if (!later_.accepts(half[-1].at)) later_.accept_from(soon_.back().at);
  const auto before =
      std::partition_point(soon_.begin(), half, [this](const Entry& one) { return one.at >= later_from_; });
  for (auto entry = soon_.begin(); entry != before; ++entry) later_.prepend(*entry);
  for (auto entry = half; entry != before;) later_.append(*--entry);
  later_from_ = half[-1].at;
  soon_.erase(soon_.begin(), half);
}

// If there is no memory to note that the entry is disarmed, the entry is searched for.
bool TimerQueue::drop(const Entry& entry) noexcept {
  bool found = false;
  const auto is_it = [&](const Entry& one) { return !found && (found = one == entry); };
  std::erase_if(soon_, is_it);
  later_.erase_if(is_it);
  lane_.erase_if(is_it);
  return true;
}

void TimerQueue::drop_disarmed() {
  const auto drop = [this](const Entry& entry) { return disarmed_.erase(entry); };
  std::reverse(soon_.begin(), soon_.end());
  std::erase_if(soon_, drop);
  std::reverse(soon_.begin(), soon_.end());
  later_.erase_if(drop);
  lane_.erase_if(drop);
}

void TaskQueue::push(Task& task) noexcept {
  HOLDFAST_ASSERT(!task.queued_, "a task was deferred twice");
  task.queued_ = true;
  task.next_ = nullptr;
  (last_ ? last_->next_ : first_) = &task;
  last_ = &task;
}

bool TaskQueue::cancel(Task& task) noexcept {
  if (!task.queued_) return false;
  Task* before = nullptr;
  for (Task* at = first_; at != &task; at = at->next_) before = at;
  (before ? before->next_ : first_) = task.next_;
  if (last_ == &task) last_ = before;
  task.queued_ = false;
  return true;
}

void TaskQueue::run_oldest() {
  Task& task = *first_;
  first_ = task.next_;
  if (!first_) last_ = nullptr;
  task.queued_ = false;
  task.run();
}

void TaskQueue::clear() noexcept {
  for (Task* at = first_; at; at = at->next_) at->queued_ = false;
  first_ = last_ = nullptr;
}

}  // namespace holdfast
