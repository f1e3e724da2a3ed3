// The floor: what a crash-loop fleet costs without a supervisor. A bare queue, a 64-byte record a service, and the same
// draws; no phases, no policies, no events. Figures are quoted as ratios to it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <holdfast/backoff.hpp>
#include <holdfast/random.hpp>

#include "bare_queues.hpp"

namespace holdfast::bench {

// N services that run for 1 ms, fail, and wait with full jitter between 10 ms and 100 ms, for ever.
template <class Queue>
class BareCrashLoop {
 public:
  explicit BareCrashLoop(std::uint32_t services) : records_(services) {
    for (std::uint32_t who = 0; who < services; ++who) {
      records_[who].name = name_hash("feed-" + std::to_string(who));
      queue_.fill(kRun, who);
    }
  }

  // The next two timers: a failure and a restart, of whichever services are due.
  void step() {
    for (int i = 0; i < 2; ++i) {
      const auto [at, who] = queue_.take();
      Record& record = records_[who];
      record.running = !record.running;
      if (record.running) {
        ++record.run;
        queue_.put_fixed(at + kRun, who);
      } else {
        record.attempt = next_attempt(record.attempt);
        const Duration ceiling = grown_delay(policy_, record.attempt);
        const Draw jitter = draw({.seed = {42}, .name = record.name}, Purpose::backoff_jitter, record.run);
        queue_.put(at + full_jitter(ceiling, jitter).count(), who);
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
  Queue queue_;
  std::vector<Record> records_;
};

}  // namespace holdfast::bench
