// The order of everything: armed timers by (time, order of arming), and deferred tasks first in, first out.
//
// Both worlds use it: the simulator pops it by jumping its clock, the real-time adapter arms one system timer for its
// earliest entry. The tie-break is part of the contract: without it two runs of one scenario would differ.
//
// A 4-ary heap in one array. The keys stand in the array, so that sifting touches no timer. Disarming leaves the entry
// where it is and only notes its number; it is dropped when it comes up, or when such entries outnumber the armed
// timers. So a timer may be destroyed as soon as it is disarmed, and who never disarms pays nothing for it. Arming and
// firing cost O(log n), disarming O(1), amortised; memory grows only with the largest number of timers so far. A timer
// that is armed again before the next one fires, as most are, costs one sift instead of two.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <holdfast/detail/sequence_set.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/time.hpp>

namespace holdfast {

class TimerQueue {
 public:
  // REQUIRES: `timer` is not armed.
  void arm(Timer& timer, TimePoint at);

  // False if it was not armed.
  bool disarm(Timer& timer) noexcept;

  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size() - disarmed_.size() - (top_is_vacant_ ? 1 : 0); }

  // When the earliest timer is due. REQUIRES: !empty().
  [[nodiscard]] TimePoint earliest() noexcept {
    settle();
    return heap_.front().at;
  }

  // Takes the earliest timer out and calls it. It may arm and disarm any timer, itself included.
  // REQUIRES: !empty(); not called from within a timer's handler.
  void fire_earliest();

  // Forgets every armed timer without calling it.
  void clear() noexcept;

 private:
  struct Entry {
    TimePoint at;
    std::uint64_t sequence;
    Timer* timer;  // may be gone if it was disarmed

    [[nodiscard]] bool before(const Entry& other) const noexcept {
      return at != other.at ? at < other.at : sequence < other.sequence;
    }
  };

  // After this the earliest entry is an armed timer's, or the heap is empty.
  void settle() noexcept {
    if (top_is_vacant_) close_top();
    while (!disarmed_.empty() && !heap_.empty() && disarmed_.erase(heap_.front().sequence)) close_top();
  }
  void close_top() noexcept;
  void drop_disarmed() noexcept;
  void sift_up(std::size_t position, const Entry& entry) noexcept;
  void sift_down(std::size_t position, const Entry& entry) noexcept;

  std::vector<Entry> heap_;
  detail::SequenceSet disarmed_;  // entries whose timers were disarmed
  std::uint64_t next_sequence_ = 1;
  bool top_is_vacant_ = false;  // the earliest timer has been called, and its place is still free
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
