// What comes in: every input of a supervisor from outside, in the order of arrival.
//
// A supervisor acts on arrivals, its seed, its configuration, the clock and the timers that fire, and on nothing else.
// A recording of them therefore repeats every decision (recorder.hpp). Only inputs that were accepted arrive. A refused
// command, the second end of a run and the end of a run that the supervisor has forgotten change nothing.
//
// An arrival is plain data. Its views are valid during ArrivalSink::on_arrival only: copy what you keep.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <holdfast/event.hpp>
#include <holdfast/lifecycle.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

namespace arrival {

struct Added {
  const ServicePolicy* policy;  // as it was given; never null
  bool can_be_killed;
  bool runs_side_by_side;
};
struct Commanded {
  Command command;
};
// The service is to be under another policy.
struct Reconfigured {
  const ServicePolicy* policy;  // as it was given; never null
};
// A run reported its end.
struct Ended {
  ServiceId service;
  RunNumber run;
  Outcome outcome;  // as the run said
  std::string_view error;
  std::optional<std::uint32_t> exit_status = std::nullopt;
};
// A run reported, from within its start, which process it is.
struct PidKnown {
  std::uint32_t pid;
};
// A run reported that it is ready.
struct BecameReady {
  ServiceId service;
  RunNumber run;
};
// A run gave a sign of life, some time ago. Only the latest one before a decision of its watchdog arrives, when that
// decides.
struct Heard {
  ServiceId service;
  RunNumber run;
  TimePoint when;
  std::optional<std::uint64_t> progress;  // what it reported, if only that counts
};
// A run reports something that changes nothing.
struct RunWarned {
  ServiceId service;
  RunNumber run;
  std::string_view says;
};
struct ShutdownRequested {
  ShutdownCause cause;
};
// Somebody asked to end the drain at once.
struct DrainEnded {
  ShutdownCause cause;
};
// A signal came so soon after the one that began the shutdown that it counts as the same.
struct SignalIgnored {
  ShutdownCause signal;
};

// A group was added.
struct GroupAdded {
  std::string_view group;     // its path
  const GroupPolicy* policy;  // never null
};

}  // namespace arrival

struct Arrival {
  using What = std::variant<arrival::Added, arrival::Commanded, arrival::Ended, arrival::ShutdownRequested,
                            arrival::DrainEnded, arrival::PidKnown, arrival::RunWarned, arrival::SignalIgnored,
                            arrival::BecameReady, arrival::Heard, arrival::GroupAdded, arrival::Reconfigured>;

  TimePoint at;           // the clock, as far as it matters: when a service was added, when a shutdown was asked for
  std::string_view name;  // of the service; empty for the supervisor itself
  What what;
};

class ArrivalSink {
 public:
  // Called when an input was queued, whether it came from outside, from a service's callback or from an event sink. It
  // must not call the supervisor. It should not throw: see EventSink::on_event.
  virtual void on_arrival(const Arrival& arrival) = 0;

  // There was no memory for a step of the supervisor, which it takes later, otherwise or not at all. From now on its
  // events do not follow from the inputs alone. May be called again and again.
  virtual void lacked_memory() noexcept {}

 protected:
  ~ArrivalSink() = default;
};

}  // namespace holdfast

#pragma GCC visibility pop
