// A set of numbers from 1, for the timer queue: which entries were disarmed. Only looked up, never iterated.
//
// Open addressing with linear probing (Knuth, The Art of Computer Programming, volume 3, section 6.4, algorithms L
// and R); allocates only while it grows to its largest size so far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace holdfast::detail {

class SequenceSet {
 public:
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // REQUIRES: `number` is not 0 and not in the set.
  void insert(std::uint64_t number) {
    if (2 * (size_ + 1) > cells_.size()) grow();
    std::size_t cell = home(number);
    while (cells_[cell] != kEmpty) cell = next(cell);
    cells_[cell] = number;
    ++size_;
  }

  // False if it was not in the set.
  bool erase(std::uint64_t number) noexcept {
    if (size_ == 0) return false;
    std::size_t cell = home(number);
    while (cells_[cell] != number) {
      if (cells_[cell] == kEmpty) return false;
      cell = next(cell);
    }
    close_gap(cell);
    --size_;
    return true;
  }

 private:
  static constexpr std::uint64_t kEmpty = 0;

  // Fibonacci hashing: consecutive numbers, which are what there is, fall far apart.
  [[nodiscard]] std::size_t home(std::uint64_t number) const noexcept {
    return static_cast<std::size_t>((number * 0x9e3779b97f4a7c15) >> 32) & (cells_.size() - 1);
  }
  [[nodiscard]] std::size_t next(std::size_t cell) const noexcept { return (cell + 1) & (cells_.size() - 1); }

  // Moves back whoever would no longer be found across the gap.
  void close_gap(std::size_t gap) noexcept {
    for (std::size_t cell = next(gap); cells_[cell] != kEmpty; cell = next(cell)) {
      const std::size_t wanted = home(cells_[cell]);
      const bool lies_behind_gap = gap <= cell ? gap < wanted && wanted <= cell : gap < wanted || wanted <= cell;
      if (lies_behind_gap) continue;
      cells_[gap] = cells_[cell];
      gap = cell;
    }
    cells_[gap] = kEmpty;
  }

  void grow() {
    std::vector<std::uint64_t> old(cells_.empty() ? kCellsMin : 2 * cells_.size(), kEmpty);
    old.swap(cells_);
    size_ = 0;
    for (const std::uint64_t number : old) {
      if (number != kEmpty) insert(number);
    }
  }

  static constexpr std::size_t kCellsMin = 16;

  std::vector<std::uint64_t> cells_;  // a power of two, at most half full
  std::size_t size_ = 0;
};

}  // namespace holdfast::detail
