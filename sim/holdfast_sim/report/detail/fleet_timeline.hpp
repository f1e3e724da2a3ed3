// How a fleet stood over time: how many services were up, restarting, stopping, lost, done.
//
// The run's length need not be known: there is a fixed number of buckets, and when they are full each pair becomes one
// of twice the width. A state that is left in the instant in which it was entered is in no bucket.
//
// Thread-safety: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <holdfast/time.hpp>
#include <holdfast_sim/report/report_data.hpp>

namespace holdfast::sim {

class FleetTimeline {
 public:
  static constexpr std::size_t kBuckets = 512;

  // Without history it only keeps the time: most of what a short run costs is to fill buckets that nobody looks at.
  explicit FleetTimeline(bool with_history = true) : buckets_(with_history ? kBuckets : 0) {}

  // Lets time pass with the fleet as it stands.
  void advance_to(TimePoint at) {
    if (at > now_) pass(at);
  }

  void enter(Standing standing) noexcept { ++count(standing); }
  void leave(Standing standing) noexcept { --count(standing); }
  // A restart now: on a border it is in the bucket that begins there.
  void count_restart() {
    if (buckets_.empty()) return;
    if (now_.nanoseconds == bucket_end_) next_bucket();
    ++buckets_[current_].restarts;
  }

  // Up to the last advance; no bucket without history. A restart in the very last instant may have a bucket of no
  // length to itself.
  [[nodiscard]] FleetHistory history() const;
  // Services that were restarting or lost at once, with history or without.
  [[nodiscard]] std::uint32_t most_down() const noexcept { return most_down_; }

 private:
  std::uint32_t& count(Standing standing) noexcept { return counts_[static_cast<std::size_t>(standing)]; }
  void pass(TimePoint at);
  void next_bucket();
  void stand_for(std::int64_t nanoseconds) noexcept;

  std::array<std::uint32_t, kStandings> counts_{};
  std::uint32_t most_down_ = 0;
  std::vector<FleetBucket> buckets_;
  std::size_t current_ = 0;
  std::int64_t width_ = 1;
  std::int64_t bucket_end_ = 1;
  TimePoint now_;
};

}  // namespace holdfast::sim
