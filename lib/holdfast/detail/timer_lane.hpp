// The timers that are armed for one and the same delay, over and over: runs of one length, watchdogs, heartbeats. They
// are due in the order in which they are armed, so they need no sorting: a queue, first in, first out, beside the
// buckets of the timer queue.
//
// The lane learns its delay: while it is empty, it takes a delay that comes twice among the latest three. It should be
// the shortest delay: if too many timers of other delays are due between its own, the lane gives its delay up.
//
// Allocates only while it grows, and never for more than kSizeMax.
//
// Thread-safety: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <holdfast/detail/timer_entry.hpp>

namespace holdfast::detail {

class TimerLane {
 public:
  // From the time that fired last to the time that a timer is armed for, modulo 2^64: only compared for being the same.
  using Delay = std::uint64_t;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // The one that is due `position` after the first. REQUIRES: position < size().
  [[nodiscard]] const TimerEntry& operator[](std::size_t position) const noexcept { return ring_[cell(position)]; }
  // REQUIRES: !empty().
  [[nodiscard]] const TimerEntry& front() const noexcept { return (*this)[0]; }
  [[nodiscard]] const TimerEntry& back() const noexcept { return (*this)[size_ - 1]; }

  [[nodiscard]] bool accepts(Delay delay, TimePoint at) const noexcept {
    return delay == delay_ && size_ < kSizeMax && (empty() || at >= back().at);
  }
  // REQUIRES: size() < kSizeMax; it is due no earlier than back().
  void append(const TimerEntry& entry) {
    if (size_ == ring_.size()) [[unlikely]]
      grow();
    ring_[cell(size_++)] = entry;
    patience_ += patience_ < kPatience;
  }
  // REQUIRES: !empty().
  void drop_front() noexcept {
    first_ = cell(1);
    --size_;
  }

  // A timer of another delay is elsewhere.
  void learn(Delay other) noexcept {
    if (empty() && other < shorter_than_ && (other == recent_[0] || other == recent_[1])) delay_ = other;
    recent_ = {other, recent_[0]};
  }

  // Whether a timer that is due `at` is due between those in the lane, or together with one of them.
  [[nodiscard]] bool spans(TimePoint at) const noexcept { return !empty() && at >= front().at && at <= back().at; }
  // The same for one that is to stand elsewhere. True: those that stand here have to leave before, since one of them
  // has the same time, or because this has happened too often. REQUIRES: spans(at).
  [[nodiscard]] bool must_leave_for(TimePoint at) noexcept {
    const bool shares_time = holds(at);
    patience_ -= shares_time ? kShared : kCrossed;
    if (patience_ > 0) return shares_time;
    shorter_than_ = delay_;
    delay_ = kNone;
    patience_ = kPatience;
    return true;
  }

  // Drops every entry of which `drop` says so; it is asked in their order.
  template <class Drop>
  void erase_if(const Drop& drop) {
    for (std::size_t left = size_; left > 0; --left) {
      const TimerEntry entry = front();
      drop_front();
      if (!drop(entry)) ring_[cell(size_++)] = entry;
    }
  }

  static constexpr std::size_t kSizeMax = 4096;

 private:
  static constexpr Delay kNone = ~Delay{0};
  static constexpr std::size_t kSizeMin = 16;
  static constexpr int kPatience = 256;
  static constexpr int kCrossed = 2;
  static constexpr int kShared = 16;

  [[nodiscard]] std::size_t cell(std::size_t position) const noexcept {
    return (first_ + position) & (ring_.size() - 1);
  }

  [[nodiscard]] bool holds(TimePoint at) const noexcept {
    std::size_t from = 0;
    for (std::size_t to = size_; from < to;) {
      const std::size_t middle = (from + to) / 2;
      if ((*this)[middle].at < at) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return (*this)[from].at == at;
  }

  void grow() {
    std::vector<TimerEntry> larger(ring_.empty() ? kSizeMin : 2 * ring_.size());
    for (std::size_t i = 0; i < size_; ++i) larger[i] = (*this)[i];
    ring_.swap(larger);
    first_ = 0;
  }

  Delay delay_ = kNone;
  Delay shorter_than_ = kNone;
  std::array<Delay, 2> recent_{kNone, kNone};
  int patience_ = kPatience;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::vector<TimerEntry> ring_;  // as large as a power of two, once there is one
};

}  // namespace holdfast::detail
