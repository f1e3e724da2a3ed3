// Which service objects a supervisor has, so that none is added under a second name. Only looked up, never iterated, so
// that nothing depends on where an object lies in memory.
//
// Open addressing with linear probing, as in disarmed_set.hpp.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <holdfast/service.hpp>

namespace holdfast::detail {

class ServiceSet {
 public:
  // False if it is in the set already. If it throws std::bad_alloc, nothing has changed.
  bool insert(const Service& service) {
    if (8 * (size_ + 1) > 7 * cells_.size()) grow();
    std::size_t cell = home(service);
    for (; cells_[cell]; cell = next(cell)) {
      if (cells_[cell] == &service) return false;
    }
    cells_[cell] = &service;
    ++size_;
    return true;
  }

  void erase(const Service& service) noexcept {
    if (size_ == 0) return;
    std::size_t gap = home(service);
    for (; cells_[gap] != &service; gap = next(gap)) {
      if (!cells_[gap]) return;
    }
    for (std::size_t cell = next(gap); cells_[cell]; cell = next(cell)) {
      const std::size_t wanted = home(*cells_[cell]);
      const bool lies_behind_gap = gap <= cell ? gap < wanted && wanted <= cell : gap < wanted || wanted <= cell;
      if (lies_behind_gap) continue;
      cells_[gap] = cells_[cell];
      gap = cell;
    }
    cells_[gap] = nullptr;
    --size_;
  }

 private:
  static constexpr std::size_t kCellsMin = 16;

  [[nodiscard]] std::size_t home(const Service& service) const noexcept {
    const std::uint64_t mixed = (reinterpret_cast<std::uintptr_t>(&service) * 0x9e3779b97f4a7c15) >> 32;
    return static_cast<std::size_t>((mixed * cells_.size()) >> 32);
  }
  [[nodiscard]] std::size_t next(std::size_t cell) const noexcept { return cell + 1 == cells_.size() ? 0 : cell + 1; }

  void grow() {
    std::vector<const Service*> old(cells_.empty() ? kCellsMin : cells_.size() + cells_.size() / 2, nullptr);
    old.swap(cells_);
    size_ = 0;
    for (const Service* const service : old) {
      if (service) insert(*service);
    }
  }

  std::vector<const Service*> cells_;  // at most seven eighths of them used
  std::size_t size_ = 0;
};

}  // namespace holdfast::detail
