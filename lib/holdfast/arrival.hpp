// What comes in: every input of a supervisor from outside, in the order of arrival.
//
// Beside the seed, the configuration, the clock and the timers that fired, arrivals are all that a supervisor acts on;
// so who knows them can repeat it (recorder.hpp). Only what is accepted arrives: a command that was refused, the second
// end of a run and the end of one that nobody knows any more change nothing.
//
// An arrival is plain data. Its views are valid during ArrivalSink::on_arrival only: copy what you keep.
#pragma once

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
  RestartPolicy restart;
  const BackoffPolicy* backoff;        // its own; null: the supervisor's
  std::optional<Duration> stop_grace;  // its own; nullopt: the supervisor's
  bool can_be_killed;
};
struct Commanded {
  Command command;
};
// A run has said that it has ended.
struct Ended {
  ServiceId service;
  RunNumber run;
  Outcome outcome;
  std::string_view error;
};
struct ShutdownRequested {};
// The drain is to end at once.
struct DrainEnded {};

}  // namespace arrival

struct Arrival {
  using What =
      std::variant<arrival::Added, arrival::Commanded, arrival::Ended, arrival::ShutdownRequested, arrival::DrainEnded>;

  TimePoint at;           // the clock, as far as it matters: when a service was added, when a shutdown was asked for
  std::string_view name;  // of the service; empty for the supervisor itself
  What what;
};

class ArrivalSink {
 public:
  // Called when something has been queued, from wherever it came: from outside, from within a service's callback or an
  // event sink. It must not throw and not call the supervisor.
  virtual void on_arrival(const Arrival& arrival) = 0;

 protected:
  ~ArrivalSink() = default;
};

}  // namespace holdfast

#pragma GCC visibility pop
