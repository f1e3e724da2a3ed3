// The order of everything: armed timers by (time, order of arming), and deferred tasks first in, first out.
//
// Both worlds use it: the simulator pops it by jumping its clock, the real-time adapter arms one system timer for its
// earliest entry. The tie-break is part of the contract: without it two runs of one scenario would differ.
//
// A 4-ary heap in one array. The keys stand in the array, so that sifting reads no timer; each timer knows its
// position, so that disarming needs no search. Arming and popping cost O(log n), and allocate only while the array
// grows to its largest size so far.
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

  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

  // When the earliest timer is due. REQUIRES: !empty().
  [[nodiscard]] TimePoint earliest() const noexcept { return heap_.front().at; }

  // Takes the earliest timer out and calls it. It may arm and disarm any timer, itself included.
  // REQUIRES: !empty().
  void fire_earliest();

  // Forgets every armed timer without calling it.
  void clear() noexcept;

 private:
  struct Entry {
    TimePoint at;
    std::uint64_t sequence;
    Timer* timer;

    [[nodiscard]] bool before(const Entry& other) const noexcept {
      return at != other.at ? at < other.at : sequence < other.sequence;
    }
  };

  void place(std::size_t position, const Entry& entry) noexcept;
  void sift_up(std::size_t position, const Entry& entry) noexcept;
  void sift_down(std::size_t position, const Entry& entry) noexcept;
  void take_out(std::size_t position) noexcept;

  std::vector<Entry> heap_;
  std::uint64_t next_sequence_ = 0;
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
