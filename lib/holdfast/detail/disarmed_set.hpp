// A set of timers' entries, for the timer queue: which of them were disarmed and are still in it. An entry may be in
// it several times, when a timer was armed for one time and disarmed again and again. Only looked up, never iterated,
// so that nothing depends on where a timer lies in memory.
//
// Open addressing with linear probing (Knuth, The Art of Computer Programming, volume 3, section 6.4, algorithms L
// and R); allocates only while it grows to its largest size so far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <holdfast/detail/timer_entry.hpp>

namespace holdfast::detail {

class DisarmedSet {
 public:
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  void insert(const TimerEntry& entry) {
    if (2 * (size_ + 1) > cells_.size()) grow();
    std::size_t cell = home(entry);
    while (cells_[cell].timer) cell = next(cell);
    cells_[cell] = entry;
    ++size_;
  }

  // Takes it out once. False if it was not in the set.
  bool erase(const TimerEntry& entry) noexcept {
    if (size_ == 0) return false;
    std::size_t cell = home(entry);
    while (cells_[cell] != entry) {
      if (!cells_[cell].timer) return false;
      cell = next(cell);
    }
    close_gap(cell);
    --size_;
    return true;
  }

 private:
  // Fibonacci hashing of both halves.
  [[nodiscard]] std::size_t home(const TimerEntry& entry) const noexcept {
    const auto mixed = static_cast<std::uint64_t>(entry.at.nanoseconds) * 0xff51afd7ed558ccd +
                       reinterpret_cast<std::uintptr_t>(entry.timer);
    return static_cast<std::size_t>((mixed * 0x9e3779b97f4a7c15) >> 32) & (cells_.size() - 1);
  }
  [[nodiscard]] std::size_t next(std::size_t cell) const noexcept { return (cell + 1) & (cells_.size() - 1); }

  // Moves back the entries that a search would no longer find across the gap.
  void close_gap(std::size_t gap) noexcept {
    for (std::size_t cell = next(gap); cells_[cell].timer; cell = next(cell)) {
      const std::size_t wanted = home(cells_[cell]);
      const bool lies_behind_gap = gap <= cell ? gap < wanted && wanted <= cell : gap < wanted || wanted <= cell;
      if (lies_behind_gap) continue;
      cells_[gap] = cells_[cell];
      gap = cell;
    }
    cells_[gap] = {};
  }

  void grow() {
    std::vector<TimerEntry> old(cells_.empty() ? kCellsMin : 2 * cells_.size());
    old.swap(cells_);
    size_ = 0;
    for (const TimerEntry& entry : old) {
      if (entry.timer) insert(entry);
    }
  }

  static constexpr std::size_t kCellsMin = 16;

  std::vector<TimerEntry> cells_;  // a power of two, at most half full
  std::size_t size_ = 0;
};

}  // namespace holdfast::detail
