// How a fleet stood over time: how many services were up, restarting, stopping, lost, done.
//
// The run's length need not be known: a fixed number of buckets, and when they are full each pair becomes one of twice
// the width. Only what lasted is seen: a state that is left in the instant in which it was entered is in no bucket.
//
// Thread-safety: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// Lengths of time summed over services, in nanoseconds: a large fleet's do not fit into 64 bits.
__extension__ using ServiceTime = unsigned __int128;

// Where a service stands, for a person.
enum class Standing : std::uint8_t {
  running,     // and not within an outage or a hang window
  restarting,  // down, and the supervisor is not done with it
  stopping,
  lost,  // terminated: its breaker opened, it failed for good, or it was abandoned
  done   // terminated: completed or cancelled
};
inline constexpr std::size_t kStandings = 5;

struct FleetBucket {
  std::array<ServiceTime, kStandings> time{};    // by Standing
  std::array<std::uint32_t, kStandings> most{};  // services at once, by Standing
  std::uint32_t most_down = 0;                   // restarting or lost
  std::uint32_t fewest_running = UINT32_MAX;     // UINT32_MAX: no time has passed in this bucket
  std::uint64_t restarts = 0;

  void merge(const FleetBucket& later) noexcept;
  friend bool operator==(const FleetBucket&, const FleetBucket&) = default;
};

struct FleetHistory {
  Duration length{0};        // from virtual time zero
  Duration bucket_width{0};  // the last bucket may be cut off by the end
  std::vector<FleetBucket> buckets;
};

class FleetTimeline {
 public:
  static constexpr std::size_t kBuckets = 512;

  FleetTimeline() : buckets_(kBuckets) {}

  // Lets time pass with the fleet as it stands.
  void advance_to(TimePoint at) {
    if (at > now_) pass(at);
  }

  void enter(Standing standing) noexcept { ++count(standing); }
  void leave(Standing standing) noexcept { --count(standing); }
  void count_restart() noexcept { ++buckets_[current_].restarts; }

  // Up to the last advance.
  [[nodiscard]] FleetHistory history() const;

 private:
  std::uint32_t& count(Standing standing) noexcept { return counts_[static_cast<std::size_t>(standing)]; }
  void pass(TimePoint at);
  void next_bucket();
  void stand_for(std::int64_t nanoseconds) noexcept;

  std::array<std::uint32_t, kStandings> counts_{};
  std::vector<FleetBucket> buckets_;
  std::size_t current_ = 0;
  std::int64_t width_ = 1;
  std::int64_t bucket_end_ = 1;
  TimePoint now_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
