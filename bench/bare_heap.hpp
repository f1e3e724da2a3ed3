// The floor: what a crash-loop fleet costs without a supervisor. A 4-ary heap of (time, sequence, record), a 64-byte
// record a service, and the same draws; no phases, no policies, no events. Figures are quoted as ratios to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <holdfast/backoff.hpp>
#include <holdfast/random.hpp>

namespace holdfast::bench {

class BareHeap {
 public:
  struct Entry {
    std::int64_t at;
    std::uint64_t sequence;
    std::uint32_t who;
    [[nodiscard]] bool before(const Entry& other) const noexcept {
      return at != other.at ? at < other.at : sequence < other.sequence;
    }
  };

  [[nodiscard]] const Entry& top() const noexcept { return heap_.front(); }

  void push(std::int64_t at, std::uint32_t who) {
    heap_.push_back({});
    sift_up(heap_.size() - 1, {at, sequence_++, who});
  }

  // Takes the earliest out and puts it in again at another time.
  void replace_top(std::int64_t at, std::uint32_t who) { sift_down({at, sequence_++, who}); }

 private:
  void sift_up(std::size_t position, const Entry& entry) {
    while (position > 0) {
      const std::size_t parent = (position - 1) / 4;
      if (!entry.before(heap_[parent])) break;
      heap_[position] = heap_[parent];
      position = parent;
    }
    heap_[position] = entry;
  }

  void sift_down(const Entry& entry) {
    std::size_t position = 0;
    for (;;) {
      const std::size_t first = position * 4 + 1;
      if (first >= heap_.size()) break;
      const std::size_t end = first + 4 < heap_.size() ? first + 4 : heap_.size();
      std::size_t least = first;
      for (std::size_t child = first + 1; child < end; ++child) {
        if (heap_[child].before(heap_[least])) least = child;
      }
      if (!heap_[least].before(entry)) break;
      heap_[position] = heap_[least];
      position = least;
    }
    heap_[position] = entry;
  }

  std::vector<Entry> heap_;
  std::uint64_t sequence_ = 0;
};

// N services that run for 1 ms, fail, and wait with full jitter between 10 ms and 100 ms, for ever.
class BareCrashLoop {
 public:
  explicit BareCrashLoop(std::uint32_t services) : records_(services) {
    for (std::uint32_t who = 0; who < services; ++who) {
      records_[who].name = name_hash("feed-" + std::to_string(who));
      heap_.push(kRun, who);
    }
  }

  // The next two timers: a failure and a restart, of whichever services are due.
  void step() {
    for (int i = 0; i < 2; ++i) {
      const auto [at, sequence, who] = heap_.top();
      Record& record = records_[who];
      record.running = !record.running;
      if (record.running) {
        ++record.run;
        heap_.replace_top(at + kRun, who);
      } else {
        record.attempt = next_attempt(record.attempt);
        const Duration ceiling = backoff_ceiling(policy_, record.attempt);
        const Draw jitter = draw({.seed = {42}, .name = record.name}, Purpose::backoff_jitter, record.run);
        heap_.replace_top(at + full_jitter(ceiling, jitter).count(), who);
      }
    }
  }

 private:
  static constexpr std::int64_t kRun = 1'000'000;  // ns
  struct alignas(64) Record {
    std::uint64_t name = 0;
    std::uint64_t run = 1;
    Attempt attempt = 0;
    bool running = true;
  };

  BackoffPolicy policy_{.base = std::chrono::milliseconds{10}, .max = std::chrono::milliseconds{100}};
  BareHeap heap_;
  std::vector<Record> records_;
};

}  // namespace holdfast::bench
