// Everything that the supervisor tells: one closed set of typed events, in the order in which things happened.
//
// Logs, traces, metrics and checks are all made from it; there is no other output besides snapshots. An event is
// about one service and says nothing about the rest of the fleet, so that removing a service that is not coupled to
// others changes no event of theirs. Its identity is (service, n).
//
// An event is plain data. Its views are valid during EventSink::on_event only: copy what you keep.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>

#include <holdfast/backoff.hpp>
#include <holdfast/lifecycle.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

enum class Command : std::uint8_t { stop, restart, remove };
std::string_view to_string(Command) noexcept;

enum class BackoffCause : std::uint8_t { failure, clean_exit };
std::string_view to_string(BackoffCause) noexcept;

enum class ShutdownCause : std::uint8_t { requested, all_terminated };
std::string_view to_string(ShutdownCause) noexcept;

enum class DrainOutcome : std::uint8_t {
  drained,   // every service terminated in time, if some perhaps only because they were abandoned by their stop_grace
  deadline,  // the shutdown timeout passed; the services abandoned by it were told before
  cut_short  // the drain was ended by command
};
std::string_view to_string(DrainOutcome) noexcept;

// The kinds, about in the order of a service's life. Each is named like its text form.
namespace event {

// The service is recorded; phase `starting`. It is the first event of a service (n = 1).
struct Added {
  static constexpr std::string_view kKind = "added";
  RestartPolicy restart;
  const BackoffPolicy* backoff;  // in force for it; never null
  RunNumber runs_before;         // runs of the service it replaces in place (restart of a terminated one), else 0
  bool can_be_killed = false;    // told only with a stop_grace, without which nobody is killed
  std::optional<Duration> stop_grace = std::nullopt;  // in force for it
};
// A configuration was accepted that cannot do what it says.
struct Warned {
  static constexpr std::string_view kKind = "warned";
  std::string_view field;
  std::string_view says;
};
// A run begins; phase `starting`.
struct Started {
  static constexpr std::string_view kKind = "started";
};
// The run is ready; phase `running`.
struct Running {
  static constexpr std::string_view kKind = "running";
};
// The run ended.
struct Ended {
  static constexpr std::string_view kKind = "ended";
  Outcome outcome;
  Duration lasted;  // from its start
  std::string_view error;
};
// The next run starts after `delay`; phase `backing_off`.
struct BackingOff {
  static constexpr std::string_view kKind = "backing_off";
  BackoffCause cause;
  Attempt attempt;   // 0 after a clean exit
  Duration ceiling;  // of the delay
  Duration delay;    // from now
};
// The window of the breaker is full; the service terminates.
struct BreakerTripped {
  static constexpr std::string_view kKind = "breaker_tripped";
  std::uint32_t failures;
  std::uint32_t max_failures;
};
// A command reached the service.
struct Commanded {
  static constexpr std::string_view kKind = "commanded";
  Command command;
};
// The service was asked to stop; phase `stopping`. Told again if a stop in order to restart becomes final.
struct Stopping {
  static constexpr std::string_view kKind = "stopping";
  StopCause cause;
};
// The service threw when it was asked to stop; it counts as not having obeyed.
struct StopThrew {
  static constexpr std::string_view kKind = "stop_threw";
  std::string_view error;
};
// The run has not ended within its stop_grace: it is killed, and has the same grace again before it is abandoned.
struct Killed {
  static constexpr std::string_view kKind = "killed";
  Duration after;  // since it was asked to stop
};
// The service threw when it was to kill the run; it counts as not having obeyed.
struct KillThrew {
  static constexpr std::string_view kKind = "kill_threw";
  std::string_view error;
};
// Phase `terminated`: there will be no further run.
struct Terminated {
  static constexpr std::string_view kKind = "terminated";
  Termination why;
  std::string_view last_error;
};
// An abandoned run ended after all. It changes nothing.
struct EndedLate {
  static constexpr std::string_view kKind = "ended_late";
  Outcome outcome;
  Duration lasted;
  std::string_view error;
};
// The service is forgotten; its name is free. It is the last event of a service.
struct Removed {
  static constexpr std::string_view kKind = "removed";
};
// The supervisor shuts down; every service is asked to stop. Not about one service.
struct ShutdownRequested {
  static constexpr std::string_view kKind = "shutdown_requested";
  ShutdownCause cause;
  Duration timeout;  // from when it was asked for: in virtual time the event's time, on a real clock just before it
};
// The shutdown is over. Not about one service.
struct Drained {
  static constexpr std::string_view kKind = "drained";
  DrainOutcome outcome;
};

}  // namespace event

struct Event {
  using What =
      std::variant<event::Added, event::Warned, event::Started, event::Running, event::Ended, event::BackingOff,
                   event::BreakerTripped, event::Commanded, event::Stopping, event::StopThrew, event::Terminated,
                   event::EndedLate, event::Removed, event::ShutdownRequested, event::Drained, event::Killed,
                   event::KillThrew>;  // a kind keeps its place: digests count on it

  TimePoint at;
  ServiceId service;            // generation 0: about the supervisor itself
  std::string_view name;        // of the service; empty for the supervisor itself
  std::uint64_t name_hash = 0;  // name_hash(name); 0 for the supervisor itself
  std::uint64_t n = 0;          // counts the events of this service (or of the supervisor itself) from 1
  RunNumber run;                // the run it is about, else the latest; 0 before the first
  What what;

  [[nodiscard]] bool about_supervisor() const noexcept { return service.generation == 0; }
};
static_assert(std::is_trivially_copyable_v<Event>, "an event is built and passed on without allocation");

// "started", "breaker_tripped", …
std::string_view kind(const Event&) noexcept;

class EventSink {
 public:
  // Called for every event, in order, from within the supervisor's loop. It may call the supervisor: what it asks
  // for is queued. It must not throw.
  virtual void on_event(const Event& event) = 0;

  // A hint: events of this service come after a few others, so whatever is kept of it may be fetched. Not given for
  // every event, and none may follow.
  virtual void comes_soon(ServiceId) noexcept {}

 protected:
  ~EventSink() = default;
};

}  // namespace holdfast

#pragma GCC visibility pop
