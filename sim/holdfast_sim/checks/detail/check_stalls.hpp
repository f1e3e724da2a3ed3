// How much later deadlines come because the supervisor stood still.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <chrono>

#include <holdfast/time.hpp>

namespace holdfast::sim::detail {

// Semantics, Deadlines: as much as it stood still. Of stalls within a second of each other only the longest counts.
struct StallRules {
  TimePoint began = TimePoint::min();
  TimePoint until = TimePoint::min();
  TimePoint reported_at = TimePoint::min();
  Duration counted_before{0};            // of a stall within the last second
  Duration given{0};                     // for this one
  Duration given_to_each{0};             // for what the latest event added
  TimePoint over_at = TimePoint::min();  // the latest stall that was given for
  Duration over_for{0};

  // Each service has an event for the stall. The first of them gives what deadlines are later by; the others give
  // nothing.
  Duration begins(TimePoint now, TimePoint its_until) noexcept {
    if (now == reported_at && its_until == until) return {};
    if (now >= until) {
      if (given > Duration::zero()) {
        over_at = until;
        over_for = until - began;
      }
      const bool is_soon = over_at != TimePoint::min() && now - over_at < std::chrono::seconds{1};
      counted_before = is_soon ? over_for : Duration{0};
      began = now;
      given = Duration{0};
    }
    reported_at = now;
    until = its_until;
    const Duration all = std::max(Duration{0}, (until - began) - counted_before);
    given_to_each = all - given;
    given = all;
    return given_to_each;
  }
};

}  // namespace holdfast::sim::detail
