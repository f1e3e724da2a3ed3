// The timers that are not due soon: sorted by time into buckets, which get finer as their time comes near.
//
// A radix heap with digits of four bits (Ahuja et al., "Faster algorithms for the shortest path problem", J. ACM 37,
// 1990), which is a hierarchical timing wheel (Varghese and Lauck, SOSP 1987) with the exact order kept. Relative to a
// base that no entry is before, an entry stands in the bucket of (level, digit): the level of the highest digit in
// which its time differs from the base's, and that digit. So every bucket holds what is later than everything in the
// buckets before it, and entries of one time always share a bucket, in the order in which they were appended.
//
// An entry moves once a level, at most; the buckets are chains of chunks that are read and written from end to end.
// Memory is that of the largest number of entries so far, and of one chunk a bucket.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <holdfast/detail/disarmed_set.hpp>
#include <holdfast/detail/timer_entry.hpp>

#pragma GCC visibility push(default)

namespace holdfast::detail {

class TimerBuckets {
 public:
  static constexpr std::size_t kTakenMax = 48;  // at a time; more are spread over finer buckets first

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // REQUIRES: accepts(entry.at).
  void append(const TimerEntry& entry) {
    const std::uint64_t key = key_of(entry.at);
    const unsigned level = level_of(key);
    append(level, digit_of(key, level), entry);
    ++size_;
  }

  // The same, before all entries of its time.
  void prepend(const TimerEntry& entry);

  // Nothing before the base can be appended.
  [[nodiscard]] bool accepts(TimePoint at) const noexcept { return key_of(at) >= base_; }
  // Moves the base back to `at`. REQUIRES: !accepts(at).
  void accept_from(TimePoint at) noexcept;

  // Moves the earliest entries to the empty `soon`, the latest of them first, but for those that are disarmed. What is
  // left in here, and what is appended later, comes after them if it is not before the time that is returned.
  // REQUIRES: !empty(). `soon` may be empty afterwards: then all of them were disarmed. Throws std::bad_alloc; then
  // nothing was taken.
  TimePoint take_earliest(std::vector<TimerEntry>& soon, DisarmedSet& disarmed);

  // Drops every entry of which `drop` says so; it is asked in order for those of one time.
  template <class Drop>
  void erase_if(const Drop& drop);

  void clear() noexcept;

  // As many chunks as so many entries can take: one that is not full for each bucket.
  [[nodiscard]] static constexpr std::size_t chunks_for(std::size_t entries) noexcept {
    return std::min(entries, entries / kChunkEntries + std::size_t{kLevels} * kDigits);
  }
  // Has at least so many chunks in reserve afterwards: what moves entries in several steps asks for them before the
  // first one. Throws std::bad_alloc.
  void make_room(std::size_t chunks) {
    while (free_count_ < chunks) [[unlikely]] allocate();
  }

 private:
  static constexpr unsigned kDigitBits = 4;
  static constexpr unsigned kDigits = 1U << kDigitBits;
  static constexpr unsigned kLevels = 64 / kDigitBits;
  static constexpr std::uint32_t kChunkEntries = 31;  // a chunk has 512 bytes
  struct Chunk {
    Chunk* next = nullptr;
    std::uint32_t size = 0;
    std::array<TimerEntry, kChunkEntries> entries;
  };
  static constexpr std::size_t kChunksAtOnce = 32;

  struct Bucket {
    Chunk* first = nullptr;
    Chunk* last = nullptr;
  };

  // Times in their order as unsigned numbers.
  static constexpr std::uint64_t key_of(TimePoint at) noexcept {
    return static_cast<std::uint64_t>(at.nanoseconds) ^ (std::uint64_t{1} << 63);
  }
  static constexpr TimePoint time_of(std::uint64_t key) noexcept {
    return {static_cast<std::int64_t>(key ^ (std::uint64_t{1} << 63))};
  }
  [[nodiscard]] unsigned level_of(std::uint64_t key) const noexcept {
    return static_cast<unsigned>(63 - std::countl_zero((key ^ base_) | 1)) / kDigitBits;
  }
  static constexpr unsigned digit_of(std::uint64_t key, unsigned level) noexcept {
    return static_cast<unsigned>(key >> (level * kDigitBits)) & (kDigits - 1);
  }
  [[nodiscard]] Bucket& bucket(unsigned level, unsigned digit) noexcept { return buckets_[level * kDigits + digit]; }

  void append(unsigned level, unsigned digit, const TimerEntry& entry) {
    Bucket& to = bucket(level, digit);
    if (!to.last || to.last->size == kChunkEntries) [[unlikely]]
      add_chunk(to, level, digit);
    to.last->entries[to.last->size++] = entry;
  }
  void add_chunk(Bucket& to, unsigned level, unsigned digit);
  Chunk* new_chunk();
  void allocate();
  Chunk* take_out(unsigned level, unsigned digit) noexcept;
  void give_back(Chunk* chunk) noexcept;
  void cut_off_after(Chunk* last, unsigned level, unsigned digit) noexcept;
  void mark_used(unsigned level, unsigned digit) noexcept;

  TimePoint take_instant(std::vector<TimerEntry>& soon, unsigned digit, DisarmedSet& disarmed);
  TimePoint take_bucket(std::vector<TimerEntry>& soon, unsigned level, unsigned digit, DisarmedSet& disarmed);
  void spread(unsigned level, unsigned digit, DisarmedSet& disarmed);

  std::uint64_t base_ = 0;
  std::size_t size_ = 0;
  std::uint32_t used_levels_ = 0;                     // a bit for each that is not empty
  std::array<std::uint16_t, kLevels> used_digits_{};  // the same for the buckets of a level
  std::array<Bucket, std::size_t{kLevels} * kDigits> buckets_{};
  Chunk* free_ = nullptr;
  std::size_t free_count_ = 0;
  std::vector<std::unique_ptr<Chunk[]>> chunks_;
};

// What is kept moves up within its chain, so that no chunk but the last is left half empty.
template <class Drop>
void TimerBuckets::erase_if(const Drop& drop) {
  for (unsigned i = 0; i < buckets_.size(); ++i) {
    Chunk* to = buckets_[i].first;
    if (!to) continue;
    std::uint32_t kept = 0;
    for (Chunk* chunk = to; chunk; chunk = chunk->next) {
      const std::uint32_t size = std::exchange(chunk->size, 0);
      for (std::uint32_t at = 0; at < size; ++at) {
        if (drop(chunk->entries[at])) {
          --size_;
          continue;
        }
        if (kept == kChunkEntries) {
          to = to->next;
          kept = 0;
        }
        to->entries[kept++] = chunk->entries[at];
        to->size = kept;
      }
    }
    cut_off_after(to, i / kDigits, i % kDigits);
  }
}

}  // namespace holdfast::detail

#pragma GCC visibility pop
