// What the supervisor keeps of a service with a watchdog beside its record, so that others do not pay for it.
//
// A sign of life is noted here and touches no timer. The timer fires when the run would have been silent for too long
// if it had given none since it was armed. If it has given one it is armed anew, for what follows from the latest.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include <holdfast/time.hpp>

namespace holdfast::detail {

struct Watch {
  TimePoint heard_at;     // the latest sign of life; at first, when the run was ready
  TimePoint by;           // what the timer was armed for; a scheduler may have postponed it since
  TimePoint probe_up_at;  // when the run, a probe, has succeeded; max: it is none
  TimePoint ready_since;
  std::uint64_t progress = 0;  // the highest number of the run
  std::uint64_t hangs : 62 = 0;
  std::uint64_t has_progress : 1 = false;  // the run has reported a number
  std::uint64_t looks_again : 1 = false;   // by was reached in silence; what comes at that very time still counts

  void begin(TimePoint now, std::optional<Duration> probe_success_after) noexcept {
    heard_at = ready_since = now;
    probe_up_at = probe_success_after ? now + *probe_success_after : TimePoint::max();
    has_progress = looks_again = false;
    progress = 0;
  }

  [[nodiscard]] bool heard_since(Duration watchdog) const noexcept { return heard_at + watchdog > by; }

  // When to look next: a supervisor that has been late meanwhile gives as much more.
  [[nodiscard]] TimePoint next_look(Duration watchdog, TimePoint now) const noexcept {
    return heard_at + watchdog + std::min(now - by, now - heard_at);
  }
};

}  // namespace holdfast::detail
