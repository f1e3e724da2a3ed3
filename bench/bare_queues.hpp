// Queues without timers, owners or disarming: the floor with which the benchmark compares the real one. All keep the
// order of (time, order of putting in). Each take() is followed by one put().
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::bench {

struct Due {
  std::int64_t at;
  std::uint32_t who;
};

// A 4-ary heap of (time, sequence, who). The heap reports to `Places` where it puts each entry.
template <class Places>
class QuaternaryHeap {
 public:
  void fill(std::int64_t at, std::uint32_t who) {
    places_.make_room_for(who);
    heap_.push_back({});
    sift_up(heap_.size() - 1, {at, sequence_++, who});
  }

  [[nodiscard]] Due take() const noexcept { return {heap_.front().at, heap_.front().who}; }

  // In the place of what was taken.
  void put(std::int64_t at, std::uint32_t who) { sift_down(0, {at, sequence_++, who}); }
  // The same, after a delay that is always of one length.
  void put_fixed(std::int64_t at, std::uint32_t who) { put(at, who); }
  // To a later time, wherever it stands. For places that are kept.
  void put_off(std::int64_t at, std::uint32_t who) { sift_down(places_.of(who), {at, sequence_++, who}); }

 private:
  friend class BareHeapWithLane;

  struct Entry {
    std::int64_t at;
    std::uint64_t sequence;
    std::uint32_t who;
    [[nodiscard]] bool before(const Entry& other) const noexcept {
      return at != other.at ? at < other.at : sequence < other.sequence;
    }
  };

  void place(std::size_t position, const Entry& entry) {
    heap_[position] = entry;
    places_.note(entry.who, position);
  }

  void sift_up(std::size_t position, const Entry& entry) {
    while (position > 0) {
      const std::size_t parent = (position - 1) / 4;
      if (!entry.before(heap_[parent])) break;
      place(position, heap_[parent]);
      position = parent;
    }
    place(position, entry);
  }

  void sift_down(std::size_t position, const Entry& entry) {
    for (;;) {
      const std::size_t first = position * 4 + 1;
      if (first >= heap_.size()) break;
      const std::size_t end = first + 4 < heap_.size() ? first + 4 : heap_.size();
      std::size_t least = first;
      for (std::size_t child = first + 1; child < end; ++child) {
        if (heap_[child].before(heap_[least])) least = child;
      }
      if (!heap_[least].before(entry)) break;
      place(position, heap_[least]);
      position = least;
    }
    place(position, entry);
  }

  std::vector<Entry> heap_;
  std::uint64_t sequence_ = 0;
  [[no_unique_address]] Places places_;
};

struct NoPlaces {
  void make_room_for(std::uint32_t) noexcept {}
  void note(std::uint32_t, std::size_t) noexcept {}
};
using BareHeap = QuaternaryHeap<NoPlaces>;

class KeptPlaces {
 public:
  void make_room_for(std::uint32_t who) {
    if (who >= places_.size()) places_.resize(who + 1);
  }
  void note(std::uint32_t who, std::size_t position) noexcept { places_[who] = static_cast<std::uint32_t>(position); }
  [[nodiscard]] std::size_t of(std::uint32_t who) const noexcept { return places_[who]; }

 private:
  std::vector<std::uint32_t> places_;
};
// It can put entries off, as a watchdog is put off with every heartbeat.
using BareIndexedHeap = QuaternaryHeap<KeptPlaces>;

// A bare heap with a ring beside it for what waits a delay of one length: it comes out in the order in which it went
// in.
class BareHeapWithLane {
 public:
  void fill(std::int64_t at, std::uint32_t who) { put(at, who); }

  [[nodiscard]] Due take() {
    if (size_ > 0 && (heap_.heap_.empty() || lane_[first_].before(heap_.heap_.front()))) {
      const Due due{lane_[first_].at, lane_[first_].who};
      first_ = (first_ + 1) & (lane_.size() - 1);
      --size_;
      return due;
    }
    auto& heap = heap_.heap_;
    const Due due{heap.front().at, heap.front().who};
    const auto last = heap.back();
    heap.pop_back();
    if (!heap.empty()) heap_.sift_down(0, last);
    return due;
  }

  void put(std::int64_t at, std::uint32_t who) { heap_.fill(at, who); }

  void put_fixed(std::int64_t at, std::uint32_t who) {
    if (size_ == lane_.size()) grow();
    lane_[(first_ + size_++) & (lane_.size() - 1)] = {at, heap_.sequence_++, who};
  }

 private:
  void grow() {
    std::vector<BareHeap::Entry> larger(lane_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = lane_[(first_ + i) & (lane_.size() - 1)];
    lane_.swap(larger);
    first_ = 0;
  }

  BareHeap heap_;
  std::vector<BareHeap::Entry> lane_ = std::vector<BareHeap::Entry>(16);  // a power of two
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

// A hierarchical timing wheel of 6 bits a level with a slot for each nanosecond; slots are lists of linked entries.
class BareWheel {
 public:
  void fill(std::int64_t at, std::uint32_t who) {
    if (who >= nodes_.size()) nodes_.resize(who + 1);
    put(at, who);
  }

  [[nodiscard]] Due take() {
    for (;;) {
      const auto level = static_cast<unsigned>(std::countr_zero(used_levels_ | 1U << (kLevels - 1)));
      const auto digit = static_cast<unsigned>(std::countr_zero(used_[level]));
      List& list = lists_[level][digit];
      if (level == 0) {
        const std::uint32_t who = list.first;
        list.first = nodes_[who].next;
        if (list.first == kNone) close(level, digit);
        base_ = nodes_[who].at;
        return {static_cast<std::int64_t>(base_), who};
      }
      base_ = (base_ >> (6 * (level + 1)) << (6 * (level + 1))) | (std::uint64_t{digit} << (6 * level));
      std::uint32_t at = list.first;
      close(level, digit);
      while (at != kNone) {
        const std::uint32_t next = nodes_[at].next;
        link(at);
        at = next;
      }
    }
  }

  void put(std::int64_t at, std::uint32_t who) {
    nodes_[who].at = static_cast<std::uint64_t>(at);
    link(who);
  }
  void put_fixed(std::int64_t at, std::uint32_t who) { put(at, who); }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  static constexpr unsigned kLevels = 11;
  struct Node {
    std::uint64_t at = 0;
    std::uint32_t next = kNone;
  };
  struct List {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };

  void link(std::uint32_t who) {
    const std::uint64_t at = nodes_[who].at;
    const auto level = static_cast<unsigned>(63 - std::countl_zero((at ^ base_) | 1)) / 6;
    const auto digit = static_cast<unsigned>(at >> (6 * level)) & 63;
    List& list = lists_[level][digit];
    nodes_[who].next = kNone;
    (list.first == kNone ? list.first : nodes_[list.last].next) = who;
    list.last = who;
    used_[level] |= std::uint64_t{1} << digit;
    used_levels_ |= 1U << level;
  }

  void close(unsigned level, unsigned digit) {
    lists_[level][digit] = {};
    used_[level] &= ~(std::uint64_t{1} << digit);
    if (used_[level] == 0) used_levels_ &= ~(1U << level);
  }

  std::vector<Node> nodes_;
  std::array<std::array<List, 64>, kLevels> lists_{};
  std::array<std::uint64_t, kLevels> used_{};
  std::uint32_t used_levels_ = 0;
  std::uint64_t base_ = 0;
};

}  // namespace holdfast::bench
