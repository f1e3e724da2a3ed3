// The words for the state of a service: phases, how a run ended, why a service terminated.
//
// The text forms are frozen: scenario files, traces, logs and metrics use the same words.
//
// Thread-safety: values, safe anywhere.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// The number of a run of one service: the first is 1, and none is used twice.
struct RunNumber {
  std::uint64_t value = 0;  // 0: no run yet
  friend constexpr auto operator<=>(const RunNumber&, const RunNumber&) noexcept = default;
};

// One added service. Never reused, also not when its name is added again.
struct ServiceId {
  std::uint32_t slot = 0;        // dense: smaller than the most services ever present at once
  std::uint32_t generation = 0;  // counts the services that had this slot; 0 is no service
  friend constexpr bool operator==(const ServiceId&, const ServiceId&) noexcept = default;
};

enum class Phase : std::uint8_t { starting, running, backing_off, stopping, terminated };
std::string_view to_string(Phase) noexcept;

// Starting, running or backing off.
constexpr bool is_alive(Phase phase) noexcept { return phase < Phase::stopping; }

// Semantics, section 2.2: which phase may follow which. Any other transition fails an assertion in every build.
constexpr bool is_legal_transition(Phase from, Phase to) noexcept {
  // A row of bits for each phase: starting, running, backing_off, stopping, terminated, from right to left.
  constexpr std::uint8_t kMayFollow[] = {0b11110, 0b11100, 0b11001, 0b10101, 0b00000};
  return ((kMayFollow[static_cast<std::size_t>(from)] >> static_cast<unsigned>(to)) & 1) != 0;
}

// How a run ended.
enum class Outcome : std::uint8_t {
  clean,   // without an error
  failed,  // with an error
  threw,   // with an exception; a failure like an error
  fatal,   // with an error that no restart can fix
  done,    // without an error, and for good
};
std::string_view to_string(Outcome) noexcept;

constexpr bool is_failure(Outcome outcome) noexcept { return outcome != Outcome::clean && outcome != Outcome::done; }

// Whether the service terminates with it under any policy, if it was not asked to stop.
constexpr bool is_for_good(Outcome outcome) noexcept { return outcome == Outcome::fatal || outcome == Outcome::done; }

// What the circuit breaker of a service does.
enum class BreakerState : std::uint8_t {
  off,        // the service has none
  closed,     // it counts the failures
  open,       // it has tripped
  half_open,  // it has, and the present run is its probe
};
std::string_view to_string(BreakerState) noexcept;

// What a service waits for that would start otherwise.
enum class WaitsFor : std::uint8_t {
  restart_limit,  // its turn: SupervisorConfig::restart_limit, starting_max
  dependency,     // the services that it is after to be ready: ServicePolicy::order
  group,          // the others of its group that start again with it: ServicePolicy::group
};
std::string_view to_string(WaitsFor) noexcept;

// Who asked a run to stop.
enum class StopCause : std::uint8_t {
  shutdown,
  stop,
  restart,
  remove,
  start_timeout,    // it was not ready in time, which is a failure
  watchdog,         // it gave no sign of life for too long, which is a failure
  dependency,       // a service that it is after is not ready any more; it starts again when that is (Order)
  dependency_stop,  // the same, and it does not start again
  sibling,          // another child of its group has failed; it starts again with that (Strategy)
  group_lost,       // its group is lost, and does not start again
};
std::string_view to_string(StopCause) noexcept;

// Nobody asked for such a stop: the run missed a deadline, and so it has failed.
constexpr bool is_missed_deadline(StopCause cause) noexcept {
  return cause == StopCause::start_timeout || cause == StopCause::watchdog;
}

// Whether the service ends with such a stop. If it goes on, a later stop or shutdown makes the stop final.
constexpr bool is_final(StopCause cause) noexcept {
  return cause != StopCause::restart && cause != StopCause::dependency && cause != StopCause::sibling &&
         !is_missed_deadline(cause);
}

// Why a service terminated for good.
struct Termination {
  enum class Reason : std::uint8_t { completed, cancelled, circuit_open, failed, abandoned };
  Reason reason = Reason::completed;
  std::uint32_t failures = 0;      // circuit_open: failures in the window
  std::uint32_t max_failures = 0;  // circuit_open: the breaker's limit
  Duration after{0};               // abandoned: how long it was waited for
  friend constexpr bool operator==(const Termination&, const Termination&) noexcept = default;
};
std::string_view to_string(Termination::Reason) noexcept;

// "completed", "cancelled", "circuit breaker open (5/5 failures)", "failed: <error>", "abandoned after 30s".
std::string to_string(const Termination&, std::string_view last_error);

}  // namespace holdfast

#pragma GCC visibility pop
