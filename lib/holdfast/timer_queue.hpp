// The order of everything: armed timers by (time, order of arming), and deferred tasks first in, first out.
//
// Both worlds use it: the simulator pops it by jumping its clock, the real-time adapter arms one system timer for its
// earliest entry. The tie-break is part of the contract: without it two runs of one scenario would differ.
//
// A 4-ary heap in one array. The keys stand in the array, so that sifting touches no timer. Disarming only marks: the
// entry stays in the heap until it comes up or until such entries outnumber the armed timers, and a timer may be
// destroyed meanwhile. Arming and firing cost O(log n), disarming O(1), amortised; memory grows only with the largest
// number of timers so far. A timer that arms itself from its handler, as most do, costs one sift instead of two.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <holdfast/scheduler.hpp>
#include <holdfast/time.hpp>

namespace holdfast {

class TimerQueue {
 public:
  // REQUIRES: `timer` is not armed; fewer than 2^32 - 1 timers are.
  void arm(Timer& timer, TimePoint at);

  // False if it was not armed.
  bool disarm(Timer& timer) noexcept;

  [[nodiscard]] bool empty() const noexcept { return armed_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return armed_; }

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
    std::uint32_t slot;

    [[nodiscard]] bool before(const Entry& other) const noexcept {
      return at != other.at ? at < other.at : sequence < other.sequence;
    }
  };
  // Who is armed. An entry whose sequence is no longer that of its slot was disarmed.
  struct Slot {
    Timer* timer;
    std::uint64_t sequence;
  };
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  [[nodiscard]] bool is_armed(const Entry& entry) const noexcept {
    return slots_[entry.slot].sequence == entry.sequence;
  }
  // After this the earliest entry is an armed timer's, or the heap is empty.
  void settle() noexcept {
    if (top_is_vacant_) close_top();
    while (!heap_.empty() && !is_armed(heap_.front())) close_top();
  }
  void release(Timer& timer) noexcept;
  void close_top() noexcept;
  void drop_disarmed() noexcept;
  void sift_up(std::size_t position, const Entry& entry) noexcept;
  void sift_down(std::size_t position, const Entry& entry) noexcept;

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::size_t armed_ = 0;
  std::uint64_t next_sequence_ = 0;
  bool top_is_vacant_ = false;  // the earliest timer is being called, and its place is free
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
