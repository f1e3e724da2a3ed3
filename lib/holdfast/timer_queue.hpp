// The order of everything: armed timers by (time, order of arming), and deferred tasks first in, first out.
//
// Both worlds use it: the simulator pops it by jumping its clock, the real-time adapter arms one system timer for its
// earliest entry. The tie-break is part of the contract: without it two runs of one scenario would differ.
//
// The next few timers are in a list sorted by time. Later timers are in buckets that get finer as their time comes
// near (detail/timer_buckets.hpp). A timer is therefore moved only a few times, whatever the number of timers, and
// entries that move lie side by side. The next timers are known before they are due, so their memory can be fetched.
// Timers that are armed for one and the same delay are in a lane (detail/timer_lane.hpp). Disarming leaves the entry
// where it is and only notes it; the entry is dropped when its turn comes, or when such entries outnumber the armed
// timers. So a timer may be destroyed as soon as it is disarmed, and programs that never disarm pay nothing for it.
// Memory grows only with the largest number of timers so far, 16 bytes each.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <vector>

#include <holdfast/detail/disarmed_set.hpp>
#include <holdfast/detail/timer_buckets.hpp>
#include <holdfast/detail/timer_entry.hpp>
#include <holdfast/detail/timer_lane.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

class TimerQueue {
 public:
  // Throws std::bad_alloc; then the timer is not armed. REQUIRES: `timer` is not armed.
  void arm(Timer& timer, TimePoint at);

  // False if it was not armed.
  bool disarm(Timer& timer) noexcept;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  // Armed timers.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // When the earliest timer is due. REQUIRES: !empty().
  [[nodiscard]] TimePoint earliest() {
    settle();
    return lane_is_next() ? lane_.front().at : soon_.back().at;
  }

  // Takes the earliest timer out and calls it. It may arm and disarm any timer, itself included.
  // REQUIRES: !empty(); not called from within a timer's handler.
  void fire_earliest() { (void)fire_earliest_by(TimePoint::max(), fired_at_); }

  // The same if it is due by `limit`, which is included: then sets `clock` to its time before it calls it.
  // False: no timer is due by then.
  bool fire_earliest_by(TimePoint limit, TimePoint& clock);

  // Takes the earliest timer out, as if it had been disarmed. REQUIRES: !empty().
  Timer& take_earliest();

  // Arms every armed timer anew, in the same order, for a time that is later by this much. Throws std::bad_alloc; then
  // nothing has happened. REQUIRES: by is not negative.
  void postpone_all(Duration by);

  // Forgets every armed timer without calling it.
  void clear() noexcept;

 private:
  using Entry = detail::TimerEntry;

  // After this the earliest armed timer is the last one of soon_ or the first one of lane_. REQUIRES: !empty().
  void settle() {
    if (soon_.empty() || !disarmed_.empty()) [[unlikely]]
      find_earliest();
  }
  void find_earliest();
  // Among timers with equal times, those in the lane were armed last. REQUIRES: soon_ is not empty, or later_ is too.
  [[nodiscard]] bool lane_is_next() const noexcept {
    return !lane_.empty() && (soon_.empty() || lane_.front().at < soon_.back().at);
  }
  void arm_beside_lane(const Entry& entry, detail::TimerLane::Delay delay);
  void arm_in_order(const Entry& entry);
  void empty_lane();
  void fetch_ahead(bool in_lane) noexcept;
  void take_more();
  void arm_soon(const Entry& entry);
  void make_room_soon();
  void drop_disarmed();
  bool drop(const Entry& entry) noexcept;

  // The latest first. It has every timer before later_from_, and those at later_from_ that were armed before all in
  // later_.
  std::vector<Entry> soon_;
  std::vector<Entry> taken_;  // used by take_more() alone
  TimePoint later_from_ = TimePoint::min();
  detail::TimerBuckets later_;
  detail::TimerLane lane_;
  TimePoint fired_at_;  // the time of the timer that fired last
  std::size_t size_ = 0;
  detail::DisarmedSet disarmed_;  // entries whose timers were disarmed
};

class TaskQueue {
 public:
  // REQUIRES: `task` is not queued.
  void push(Task& task) noexcept;

  // False if it was not queued. O(n): cancelling is for destructors.
  bool cancel(Task& task) noexcept;

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

  // Takes the oldest task out and runs it. REQUIRES: !empty().
  void run_oldest();

  // Forgets every queued task without running it.
  void clear() noexcept;

 private:
  Task* first_ = nullptr;
  Task* last_ = nullptr;
};

}  // namespace holdfast

#pragma GCC visibility pop
