#include <holdfast/detail/timer_buckets.hpp>

#include <algorithm>
#include <utility>

namespace holdfast::detail {

namespace {

// Behind what is due later, and before what is due no later and came earlier.
void put_in(TimerEntry* entries, std::size_t size, const TimerEntry& entry) {
  std::size_t place = size;
  for (; place > 0 && entries[place - 1].at <= entry.at; --place) entries[place] = entries[place - 1];
  entries[place] = entry;
}

}  // namespace

TimePoint TimerBuckets::take_earliest(std::vector<TimerEntry>& soon, DisarmedSet& disarmed) {
  for (;;) {
    const auto level = static_cast<unsigned>(std::countr_zero(used_levels_));
    const auto digit = static_cast<unsigned>(std::countr_zero(used_digits_[level]));
    if (level == 0) return take_instant(soon, digit, disarmed);
    std::size_t size = 0;
    for (const Chunk* chunk = bucket(level, digit).first; chunk && size <= kTakenMax; chunk = chunk->next) {
      size += chunk->size;
    }
    if (size <= kTakenMax) return take_bucket(soon, level, digit, disarmed);
    spread(level, digit, disarmed);
    if (empty()) return time_of(base_);
  }
}

// A bucket of the lowest level is one instant: one chunk of it at a time, and nothing to sort.
TimePoint TimerBuckets::take_instant(std::vector<TimerEntry>& soon, unsigned digit, DisarmedSet& disarmed) {
  Bucket& from = bucket(0, digit);
  Chunk* const chunk = from.first;
  soon.resize(chunk->size);
  base_ = (base_ & ~std::uint64_t{kDigits - 1}) | digit;
  if (chunk->next) {
    from.first = chunk->next;
  } else {
    (void)take_out(0, digit);
  }
  std::size_t taken = 0;
  for (std::uint32_t i = 0; i < chunk->size; ++i) {
    if (!disarmed.erase(chunk->entries[i])) soon[taken++] = chunk->entries[i];
  }
  soon.resize(taken);
  std::reverse(soon.begin(), soon.end());
  size_ -= chunk->size;
  give_back(chunk);
  return time_of(base_);
}

TimePoint TimerBuckets::take_bucket(std::vector<TimerEntry>& soon, unsigned level, unsigned digit,
                                    DisarmedSet& disarmed) {
  const unsigned shift = level * kDigitBits;
  const std::uint64_t above = shift + kDigitBits == 64 ? 0 : base_ >> (shift + kDigitBits) << (shift + kDigitBits);
  soon.resize(kTakenMax);
  base_ = above | (std::uint64_t{digit} << shift);
  std::size_t taken = 0;
  for (Chunk* chunk = take_out(level, digit); chunk;) {
    for (std::uint32_t i = 0; i < chunk->size; ++i) {
      if (!disarmed.erase(chunk->entries[i])) put_in(soon.data(), taken++, chunk->entries[i]);
    }
    size_ -= chunk->size;
    give_back(std::exchange(chunk, chunk->next));
  }
  soon.resize(taken);
  const std::uint64_t end = base_ + (std::uint64_t{1} << shift);
  return end == 0 ? TimePoint::max() : time_of(end);
}

void TimerBuckets::spread(unsigned level, unsigned digit, DisarmedSet& disarmed) {
  make_room(kDigits + 1);
  Chunk* const first = take_out(level, digit);
  std::uint64_t least = ~std::uint64_t{0};
  for (const Chunk* chunk = first; chunk; chunk = chunk->next) {
    for (std::uint32_t i = 0; i < chunk->size; ++i) least = std::min(least, key_of(chunk->entries[i].at));
  }
  base_ = least;
  for (Chunk* chunk = first; chunk;) {
    for (std::uint32_t i = 0; i < chunk->size; ++i) {
      const TimerEntry entry = chunk->entries[i];
      if (!disarmed.empty() && disarmed.erase(entry)) {
        --size_;
        continue;
      }
      const std::uint64_t key = key_of(entry.at);
      const unsigned to = level_of(key);
      append(to, digit_of(key, to), entry);
    }
    give_back(std::exchange(chunk, chunk->next));
  }
}

// What differs from the base in a lower digit than the new base does, differs from the new one in that digit: all of it
// is one bucket, which so far was empty because its digit was the base's.
void TimerBuckets::accept_from(TimePoint at) noexcept {
  const std::uint64_t old_base = std::exchange(base_, key_of(at));
  const unsigned level = level_of(old_base);
  const unsigned digit = digit_of(old_base, level);
  Bucket gathered;
  for (unsigned i = 0; i < level * kDigits; ++i) {
    Bucket& from = buckets_[i];
    if (!from.first) continue;
    (gathered.first ? gathered.last->next : gathered.first) = from.first;
    gathered.last = from.last;
    from = {};
  }
  if (!gathered.first) return;
  std::fill_n(used_digits_.begin(), level, std::uint16_t{0});
  used_levels_ &= ~((1U << level) - 1);
  bucket(level, digit) = gathered;
  mark_used(level, digit);
}

void TimerBuckets::clear() noexcept {
  for (Bucket& at : buckets_) {
    for (Chunk* chunk = std::exchange(at, {}).first; chunk;) give_back(std::exchange(chunk, chunk->next));
  }
  used_digits_ = {};
  used_levels_ = 0;
  size_ = 0;
}

void TimerBuckets::prepend(const TimerEntry& entry) {
  const std::uint64_t key = key_of(entry.at);
  const unsigned level = level_of(key);
  const unsigned digit = digit_of(key, level);
  Bucket& to = bucket(level, digit);
  if (!to.first) return append(entry);
  if (to.first->size == kChunkEntries) {
    Chunk* const chunk = new_chunk();
    chunk->next = std::exchange(to.first, chunk);
  }
  Chunk& first = *to.first;
  const auto entries = first.entries.begin();
  std::copy_backward(entries, entries + first.size, entries + first.size + 1);
  first.entries[0] = entry;
  ++first.size;
  ++size_;
}

void TimerBuckets::add_chunk(Bucket& to, unsigned level, unsigned digit) {
  Chunk* const chunk = new_chunk();
  (to.last ? to.last->next : to.first) = chunk;
  to.last = chunk;
  mark_used(level, digit);
}

TimerBuckets::Chunk* TimerBuckets::new_chunk() {
  make_room(1);
  --free_count_;
  Chunk* const chunk = std::exchange(free_, free_->next);
  chunk->next = nullptr;
  chunk->size = 0;
  return chunk;
}

void TimerBuckets::allocate() {
  chunks_.push_back(std::make_unique<Chunk[]>(kChunksAtOnce));
  for (std::size_t i = kChunksAtOnce; i-- > 0;) give_back(&chunks_.back()[i]);
}

TimerBuckets::Chunk* TimerBuckets::take_out(unsigned level, unsigned digit) noexcept {
  used_digits_[level] &= static_cast<std::uint16_t>(~(1U << digit));
  if (used_digits_[level] == 0) used_levels_ &= ~(1U << level);
  return std::exchange(bucket(level, digit), {}).first;
}

void TimerBuckets::give_back(Chunk* chunk) noexcept {
  chunk->next = std::exchange(free_, chunk);
  ++free_count_;
}

// `last`, and so the whole bucket, may be empty itself.
void TimerBuckets::cut_off_after(Chunk* last, unsigned level, unsigned digit) noexcept {
  Chunk* const cut = last->size == 0 ? take_out(level, digit) : std::exchange(last->next, nullptr);
  if (last->size > 0) bucket(level, digit).last = last;
  for (Chunk* chunk = cut; chunk;) give_back(std::exchange(chunk, chunk->next));
}

void TimerBuckets::mark_used(unsigned level, unsigned digit) noexcept {
  used_digits_[level] |= static_cast<std::uint16_t>(1U << digit);
  used_levels_ |= 1U << level;
}

}  // namespace holdfast::detail
