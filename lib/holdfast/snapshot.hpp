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

// Figures of the whole supervisor since its construction. They only rise, except the gauges `active_services`,
// `open_breakers` and `waiting_services`.
struct Counters {
  std::uint64_t spawned = 0;                // services added; restarts are not counted
  std::uint64_t starts = 0;                 // runs begun
  std::uint64_t restarts = 0;               // runs begun, except each service's first
  std::uint64_t failures = 0;               // runs that ended with an error or an exception, unasked
  std::uint64_t clean_exits = 0;            // runs that ended without one, unasked
  std::uint64_t circuit_breaker_trips = 0;  // breakers opened
  std::uint64_t terminated = 0;             // services that terminated
  std::uint64_t killed_runs = 0;            // runs that did not stop within their stop_grace, and could be killed
  std::uint64_t abandoned_runs = 0;         // runs that did not stop in time, whether or not their services went on
  std::uint64_t active_services = 0;        // added and not terminated
  std::uint64_t open_breakers = 0;          // a gauge, too: services whose breaker is open or half open, not terminated
  std::uint64_t failed_starts = 0;          // of the failures, those of runs that were not ready yet
  std::uint64_t hangs = 0;                  // runs that were asked to stop because they gave no sign of life
  std::uint64_t limited_restarts = 0;       // restarts that had to wait because of restart_limit or starting_max
  std::uint64_t waiting_services = 0;       // a gauge, too: services that wait for a limit or for others
  friend bool operator==(const Counters&, const Counters&) = default;
};

struct ServiceSnapshot {
  std::string name;
  std::string group = {};      // the path of its group; empty: it is in none
  bool group_is_lost = false;  // that was given up on
  ServiceId id;
  RestartPolicy restart = RestartPolicy::on_failure;
  Phase phase = Phase::starting;
  RunNumber run;                  // the latest; 0 before the first
  std::uint64_t starts = 0;       // runs begun since the service was added
  std::uint64_t failures = 0;     // since it was added; a reset of the backoff does not clear it
  std::uint64_t clean_exits = 0;  // since it was added
  Ready ready = Ready::at_once;
  std::uint64_t failed_starts = 0;  // since it was added; of the failures, those of runs that were not ready yet
  std::optional<Duration> watchdog = std::nullopt;
  std::uint64_t hangs = 0;  // since it was added: runs that its watchdog asked to stop
  Attempt attempt = 0;      // consecutive failures since the last reset; openings in a row of a breaker that has opened
  std::uint32_t failures_in_window = 0;  // that the breaker remembers
  BreakerState breaker = BreakerState::off;
  std::optional<std::uint32_t> pid;  // of a run that is alive and a process
  std::string last_error;            // empty: none so far
  Duration running_time{0};          // of all runs together, the present one included
  Duration age{0};                   // since it was added
  Duration time_in_phase{0};
  std::optional<TimePoint> next_start;      // while backing off: when the next run, or probe, is due, if that is known
  std::optional<WaitsFor> waits_for;        // while it would start otherwise: starting, or backing off
  std::string dependency;                   // the first one that is not ready, if it waits for that
  std::optional<TimePoint> ready_by;        // while starting: when the start_timeout is over
  std::optional<TimePoint> watchdog_until;  // while running under a watchdog: by when it needs a sign of life
  std::optional<std::uint64_t> progress;    // that the latest run under a watchdog has reported
  std::optional<TimePoint> grace_until;     // while stopping: when the grace is over
  bool killed = false;                      // while stopping: its run was killed, and has not ended yet
  std::optional<Termination> termination;   // once terminated
  friend bool operator==(const ServiceSnapshot&, const ServiceSnapshot&) = default;
};

// A service whose run ended with an error after it was asked to stop.
struct StopError {
  std::string service;
  std::string error;
  friend bool operator==(const StopError&, const StopError&) = default;
};

// The result of a shutdown.
struct ShutdownResult {
  DrainOutcome outcome = DrainOutcome::drained;
  Duration took{0};  // from the request to the end of the drain
  // Each list has those first that were removed during the drain, then the others in the order of adding.
  std::vector<std::string> abandoned;  // services whose runs did not stop in time
  std::vector<std::string> failed;     // services that had failed or whose breaker had opened
  // Services that ended with an error when the shutdown asked them to stop. They are neither abandoned nor failed.
  std::vector<StopError> errors;
  std::vector<std::string> lost_groups = {};  // the paths of groups that were given up on, in the order of adding
  std::string ended_by = {};                  // the service with whose end the shutdown began (EndsFleet)
  std::size_t unnamed = 0;                    // services and groups of these for whose names there was no memory
  Counters counters;

  // For the program's main(): 0 if the drain ended by itself, no service had failed, none was abandoned and no group
  // was lost, else 1. Errors of services that were asked to stop do not count, because a connection that a stop
  // interrupts often ends with one; `errors` has them.
  [[nodiscard]] int suggested_exit_status() const noexcept {
    return outcome == DrainOutcome::drained && abandoned.empty() && failed.empty() && lost_groups.empty() &&
                   unnamed == 0
               ? 0
               : 1;
  }
};

}  // namespace holdfast

#pragma GCC visibility pop
