// How often a run is asked how it is, by somebody outside of it, and what that means for its watchdog.
//
// Thread-safety: values and pure functions, safe anywhere.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// Until it is ready. Both from kProbeTimeMin to kProbeTimeMax.
struct ReadyTimes {
  Duration every = std::chrono::milliseconds{250};  // from the beginning of a probe to that of the next
  Duration timeout = std::chrono::seconds{1};       // a probe that takes longer has failed
  friend bool operator==(const ReadyTimes&, const ReadyTimes&) = default;
};

// While it is running. The times as above.
struct HealthTimes {
  Duration every = std::chrono::seconds{10};
  Duration timeout = std::chrono::seconds{3};
  std::uint32_t failures = 3;  // in a row mean that it hangs; 1 to kProbeFailuresMax
  friend bool operator==(const HealthTimes&, const HealthTimes&) = default;
};
inline constexpr Duration kProbeTimeMin = std::chrono::milliseconds{1};
inline constexpr Duration kProbeTimeMax = std::chrono::hours{24};
inline constexpr std::uint32_t kProbeFailuresMax = 1000;

// The watchdog that goes with these probes: from the last good answer to the end of the last of so many probes that
// fail in a row, each as late as it can. No good answer in that time means that they have all failed. What is beyond
// the limits, as in a file that is refused, counts as the limit.
constexpr Duration watchdog_of(const HealthTimes& times) noexcept {
  const Duration every = std::clamp(times.every, kProbeTimeMin, kProbeTimeMax);
  const Duration timeout = std::clamp(times.timeout, kProbeTimeMin, kProbeTimeMax);
  return std::max(every, timeout) * static_cast<Duration::rep>(std::min(times.failures, kProbeFailuresMax)) + timeout;
}

}  // namespace holdfast

#pragma GCC visibility pop
