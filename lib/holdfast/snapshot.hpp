// The supervisor's state as plain data, for people, metrics and tests.
//
// A snapshot is a copy: it does not change when the supervisor goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/backoff.hpp>
#include <holdfast/event.hpp>
#include <holdfast/lifecycle.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// Of the whole supervisor since its construction. All only rise, but for the gauge `active_services`.
struct Counters {
  std::uint64_t spawned = 0;                // services added; restarts are not counted
  std::uint64_t starts = 0;                 // runs begun
  std::uint64_t restarts = 0;               // runs begun but for each service's first
  std::uint64_t failures = 0;               // runs that ended with an error or an exception, unasked
  std::uint64_t clean_exits = 0;            // runs that ended without one, unasked
  std::uint64_t circuit_breaker_trips = 0;  // breakers opened
  std::uint64_t terminated = 0;             // services that terminated
  std::uint64_t killed_runs = 0;            // runs that did not stop within their stop_grace, and could be killed
  std::uint64_t abandoned_runs = 0;         // runs that did not stop in time
  std::uint64_t active_services = 0;        // added and not terminated
  friend bool operator==(const Counters&, const Counters&) = default;
};

struct ServiceSnapshot {
  std::string name;
  ServiceId id;
  RestartPolicy restart = RestartPolicy::on_failure;
  Phase phase = Phase::starting;
  RunNumber run;                         // the latest; 0 before the first
  std::uint64_t starts = 0;              // runs begun since the service was added
  std::uint64_t failures = 0;            // since it was added; a reset of the backoff does not clear it
  std::uint64_t clean_exits = 0;         // since it was added
  Attempt attempt = 0;                   // consecutive failures since the last reset
  std::uint32_t failures_in_window = 0;  // that the breaker remembers
  BreakerState breaker = BreakerState::off;
  std::string last_error;    // empty: none so far
  Duration running_time{0};  // of all runs together, the present one included
  Duration age{0};           // since it was added
  Duration time_in_phase{0};
  std::optional<TimePoint> next_start;     // while backing off: when the next run is due
  std::optional<TimePoint> grace_until;    // while stopping under a stop_grace: when it is over
  bool killed = false;                     // while stopping: its run was killed, and has not ended yet
  std::optional<Termination> termination;  // once terminated
  friend bool operator==(const ServiceSnapshot&, const ServiceSnapshot&) = default;
};

// What a shutdown came to.
struct ShutdownResult {
  DrainOutcome outcome = DrainOutcome::drained;
  Duration took{0};                    // from the request to the end of the drain
  std::vector<std::string> abandoned;  // services whose runs did not stop in time, in the order of adding
  std::vector<std::string> failed;     // services that had failed or whose breaker had opened, in the order of adding
  Counters counters;

  // For the program's main(): 0 when nothing failed and nothing was abandoned, else 1.
  [[nodiscard]] int suggested_exit_status() const noexcept { return abandoned.empty() && failed.empty() ? 0 : 1; }
};

}  // namespace holdfast

#pragma GCC visibility pop
