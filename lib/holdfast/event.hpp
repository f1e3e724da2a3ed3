// Everything that the supervisor reports: one closed set of typed events, in the order in which things happened.
//
// Logs, traces, metrics and checks are all made from events. The only other output are snapshots. An event is about one
// service and says nothing about the rest of the fleet. So if a service is removed that is not coupled to others, no
// event of the others changes. The identity of an event is (service, n).
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

enum class Command : std::uint8_t { stop, restart, remove, reset };
std::string_view to_string(Command) noexcept;

enum class BackoffCause : std::uint8_t { failure, clean_exit, breaker_open, dependency, sibling };
std::string_view to_string(BackoffCause) noexcept;

// What began a shutdown or ended its drain: the program, the end of the last service, a signal of the operating system,
// or the end of a service that the fleet does not go on without (EndsFleet).
enum class ShutdownCause : std::uint8_t { requested, all_terminated, sighup, sigint, sigterm, ends_fleet };
std::string_view to_string(ShutdownCause) noexcept;

constexpr bool is_signal(ShutdownCause cause) noexcept {
  return ShutdownCause::sighup <= cause && cause <= ShutdownCause::sigterm;
}

// Why a group is lost.
enum class GroupLoss : std::uint8_t {
  restarts,  // its children were to be restarted once more than its intensity allows
  child      // a child of it is lost for good
};
std::string_view to_string(GroupLoss) noexcept;

enum class DrainOutcome : std::uint8_t {
  drained,   // every service terminated in time; some perhaps because they were abandoned after their stop_grace
  deadline,  // the shutdown timeout passed; earlier events name the services that it abandoned
  cut_short  // the drain was ended by command
};
std::string_view to_string(DrainOutcome) noexcept;

// How much an event concerns an operator.
enum class LogLevel : std::uint8_t { debug, info, warning, error };
std::string_view to_string(LogLevel) noexcept;

// The kinds, about in the order of a service's life. Each is named like its text form (kKind), and has the level at
// which a log shows it. Its fields for traces, digests and logs are in event_fields.hpp.
//
// A kind that says kOnlyInforms changes nothing about its service: checks, expectations and reports may pass over it.
// For any other kind they do not compile until they say what it means to them.
namespace event {

// The service is recorded; phase `starting`. It is the first event of a service (n = 1).
struct Added {
  static constexpr std::string_view kKind = "added";
  static constexpr LogLevel kLevel = LogLevel::info;
  const ServicePolicy* policy;  // in_force() for it; never null
  RunNumber runs_before;        // runs of the service it replaces in place (restart of a terminated one), else 0
  bool can_be_killed = false;
  bool runs_side_by_side = false;
};
// Something that an operator should know and that changes nothing: an accepted configuration cannot do what it says, a
// run reports a warning (field "run"), or a signal counts as the one before it (field "signal").
struct Warned {
  static constexpr std::string_view kKind = "warned";
  static constexpr LogLevel kLevel = LogLevel::warning;
  static constexpr bool kOnlyInforms = true;
  std::string_view field;
  std::string_view says;
};
// A run begins; phase `starting` until it is ready.
struct Started {
  static constexpr std::string_view kKind = "started";
  static constexpr LogLevel kLevel = LogLevel::debug;  // `running` follows it
};
// The run is ready; phase `running`.
struct Running {
  static constexpr std::string_view kKind = "running";
  static constexpr LogLevel kLevel = LogLevel::info;
  std::optional<std::uint32_t> pid = std::nullopt;  // of a run that is a process
};
// The run ended.
struct Ended {
  static constexpr std::string_view kKind = "ended";
  Outcome outcome;  // as its policy has it (ExitRules)
  Duration lasted;  // from its start
  std::string_view error;
  std::optional<std::uint32_t> exit_status = std::nullopt;
  [[nodiscard]] LogLevel level() const noexcept;  // by its outcome
};
// The next run starts after `delay`; phase `backing_off`. With the causes `dependency` and `sibling` there is no delay,
// and `waiting` follows, unless with `sibling` nobody is left to wait for.
struct BackingOff {
  static constexpr std::string_view kKind = "backing_off";
  static constexpr LogLevel kLevel = LogLevel::info;
  BackoffCause cause;
  Attempt attempt;   // 0 after a clean exit; of a breaker that is open, how many times in a row it has opened
  Duration ceiling;  // of the delay
  Duration delay;    // from now
};
// The breaker opens: its window is full, or its probe has failed (1 of 1). The service terminates, or with half_open it
// backs off until the next probe.
struct BreakerTripped {
  static constexpr std::string_view kKind = "breaker_tripped";
  static constexpr LogLevel kLevel = LogLevel::error;
  std::uint32_t failures;
  std::uint32_t max_failures;
};
// The breaker, which was open or half open, closes: its probe has ended cleanly or has stayed up, or a command closes
// it.
struct BreakerClosed {
  static constexpr std::string_view kKind = "breaker_closed";
  static constexpr LogLevel kLevel = LogLevel::info;
  Attempt openings;  // how many times in a row it had opened
};
// The service is under another policy from now on (Supervisor::reconfigure). If its backoff is another one its breaker
// closes and its failures are forgotten.
struct Reconfigured {
  static constexpr std::string_view kKind = "reconfigured";
  static constexpr LogLevel kLevel = LogLevel::info;
  const ServicePolicy* policy;  // in_force() for it; never null
};
// A command reached the service.
struct Commanded {
  static constexpr std::string_view kKind = "commanded";
  static constexpr LogLevel kLevel = LogLevel::info;
  Command command;
};
// The run was asked to stop; phase `stopping`. Emitted again if its cause changes: a stop after which the service goes
// on becomes final, or a restart command comes while a run stops that was not ready in time.
struct Stopping {
  static constexpr std::string_view kKind = "stopping";
  static constexpr LogLevel kLevel = LogLevel::info;
  StopCause cause;
};
// The service threw when it was asked to stop. It counts as one that did not obey.
struct StopThrew {
  static constexpr std::string_view kKind = "stop_threw";
  static constexpr LogLevel kLevel = LogLevel::warning;
  static constexpr bool kOnlyInforms = true;
  std::string_view error;
};
// The run did not end within its stop_grace, so it is killed. It has the same grace again before it is abandoned.
struct Killed {
  static constexpr std::string_view kKind = "killed";
  static constexpr LogLevel kLevel = LogLevel::warning;
  Duration after;  // since it was asked to stop
};
// The service threw when it was asked to kill the run. It counts as one that did not obey.
struct KillThrew {
  static constexpr std::string_view kKind = "kill_threw";
  static constexpr LogLevel kLevel = LogLevel::warning;
  static constexpr bool kOnlyInforms = true;
  std::string_view error;
};
// Phase `terminated`: there will be no further run.
struct Terminated {
  static constexpr std::string_view kKind = "terminated";
  Termination why;
  std::string_view last_error;                    // empty unless the latest run failed
  [[nodiscard]] LogLevel level() const noexcept;  // by its reason
};
// An abandoned run ended after all; it need not be the latest one. This changes nothing.
struct EndedLate {
  static constexpr std::string_view kKind = "ended_late";
  static constexpr LogLevel kLevel = LogLevel::warning;
  Outcome outcome;
  Duration lasted;
  std::string_view error;
  std::optional<std::uint32_t> exit_status = std::nullopt;
};
// The run was asked to stop for a restart and did not end in time. The service goes on without it, and the next run
// begins at once. When the abandoned run ends, `ended_late` reports it with its number.
struct Abandoned {
  static constexpr std::string_view kKind = "abandoned";
  static constexpr LogLevel kLevel = LogLevel::warning;
  Duration after;  // since it was asked to stop
};
// A run reported that it is ready, but too late: it was asked to stop or abandoned before. The run need not be the
// latest one.
struct ReadyLate {
  static constexpr std::string_view kKind = "ready_late";
  static constexpr LogLevel kLevel = LogLevel::warning;
  static constexpr bool kOnlyInforms = true;
};
// The service would start, but has to wait for something: before its first run in phase `starting`, afterwards in phase
// `backing_off`. Reported again if it then waits for something else.
struct Waiting {
  static constexpr std::string_view kKind = "waiting";
  static constexpr LogLevel kLevel = LogLevel::debug;
  WaitsFor waits_for;
  std::optional<Duration> delay = std::nullopt;  // from when the dependencies are ready; of a first run, none
  std::string_view dependency = {};              // the first one that is not ready; empty if all are, or for others
};
// The service is forgotten; its name is free. It is the last event of a service.
struct Removed {
  static constexpr std::string_view kKind = "removed";
  static constexpr LogLevel kLevel = LogLevel::info;
  bool forgotten = false;  // because its policy says so (forget_when_done), and not by a command
};
// The supervisor shuts down; every service is asked to stop. Not about one service.
struct ShutdownRequested {
  static constexpr std::string_view kKind = "shutdown_requested";
  static constexpr LogLevel kLevel = LogLevel::info;
  ShutdownCause cause;
  Duration timeout;  // from when it was asked for: in virtual time the event's time, on a real clock just before it
  std::string_view ended_by = {};  // the service with whose end it began (ends_fleet)
};
// The shutdown is over. Not about one service.
struct Drained {
  static constexpr std::string_view kKind = "drained";
  DrainOutcome outcome;
  std::optional<ShutdownCause> cause = std::nullopt;  // the signal that cut it short, if one did
  [[nodiscard]] LogLevel level() const noexcept;      // by its outcome
};

// The recording could not be written and has ended. Reported at most once. Not about one service.
struct RecordingFailed {
  static constexpr std::string_view kKind = "recording_failed";
  static constexpr LogLevel kLevel = LogLevel::error;
  static constexpr bool kOnlyInforms = true;
  std::string_view error;
};

// A group is there, and services may belong to it. Not about one service.
struct GroupAdded {
  static constexpr std::string_view kKind = "group_added";
  static constexpr LogLevel kLevel = LogLevel::info;
  static constexpr bool kOnlyInforms = true;
  std::string_view group;  // its path
  Strategy strategy = Strategy::one_for_one;
  std::optional<std::uint32_t> max_restarts = std::nullopt;  // of its intensity
  std::optional<Duration> within = std::nullopt;             // the same
};
// A group is given up on: its services are stopped for good, and the group that it is in is lost with it. Not about one
// service.
struct GroupLost {
  static constexpr std::string_view kKind = "group_lost";
  static constexpr LogLevel kLevel = LogLevel::error;
  static constexpr bool kOnlyInforms = true;
  std::string_view group;  // its path
  GroupLoss cause = GroupLoss::restarts;
  std::string_view child;  // whose failure it was: a service, or the path of a group
};

// See above.
template <class Kind>
concept OnlyInforms = requires {
  requires Kind::kOnlyInforms;
};

// A kind that has the policy which its service is under from then on: `added` and `reconfigured`.
template <class Kind>
concept HasPolicy = requires(const Kind& what) {
  what.policy->restart;
};

}  // namespace event

struct Event {
  using What =
      std::variant<event::Added, event::Warned, event::Started, event::Running, event::Ended, event::BackingOff,
                   event::BreakerTripped, event::Commanded, event::Stopping, event::StopThrew, event::Terminated,
                   event::EndedLate, event::Removed, event::ShutdownRequested, event::Drained, event::Killed,
                   event::KillThrew, event::RecordingFailed, event::Abandoned, event::BreakerClosed, event::ReadyLate,
                   event::Waiting, event::GroupAdded, event::GroupLost,
                   event::Reconfigured>;  // a kind keeps its place: digests count on it

  TimePoint at{};
  ServiceId service{};          // generation 0: about the supervisor itself
  std::string_view name{};      // of the service; empty for the supervisor itself
  std::uint64_t name_hash = 0;  // name_hash(name); 0 for the supervisor itself
  std::uint64_t n = 0;          // counts the events of this service (or of the supervisor itself) from 1
  RunNumber run{};              // the run it is about, else the latest; 0 before the first
  What what{};

  [[nodiscard]] bool about_supervisor() const noexcept { return service.generation == 0; }
};
// The policy that an event says its service is under from then on; null: it says nothing of one.
inline const ServicePolicy* policy_in(const Event& event) noexcept {
  if (const auto* const added = std::get_if<event::Added>(&event.what)) return added->policy;
  const auto* const reconfigured = std::get_if<event::Reconfigured>(&event.what);
  return reconfigured ? reconfigured->policy : nullptr;
}
// For who keeps an event and its policy. REQUIRES: it has one.
inline void set_policy_in(Event& event, const ServicePolicy& policy) noexcept {
  if (auto* const added = std::get_if<event::Added>(&event.what)) added->policy = &policy;
  if (auto* const reconfigured = std::get_if<event::Reconfigured>(&event.what)) reconfigured->policy = &policy;
}
static_assert(std::is_trivially_copyable_v<Event>, "an event is built and passed on without allocation");

// "started", "breaker_tripped", …
std::string_view kind(const Event&) noexcept;

class EventSink {
 public:
  // Called for every event, in order, from within the supervisor's loop. It may call the supervisor, which queues the
  // request. It should not throw: the supervisor goes on as if it had not, acts on everything that is queued, and then
  // throws a SinkError out of the scheduler's handler (supervisor.hpp).
  virtual void on_event(const Event& event) = 0;

  // A prefetch hint: after a few other events, events of this service will probably come. It is not given for every
  // event, and none may follow.
  virtual void comes_soon(ServiceId) noexcept {}

 protected:
  ~EventSink() = default;
};

}  // namespace holdfast

#pragma GCC visibility pop
