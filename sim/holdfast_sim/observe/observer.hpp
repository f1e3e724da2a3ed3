// What watches a simulation: the supervisor's events, and beside them what the simulation itself did to the services.
//
// A trace holds both and nothing else; checks and reports are made from it alone.
#pragma once

#include <cstdint>
#include <string_view>

#include <holdfast/event.hpp>
#include <holdfast/snapshot.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// Chaos reached one service, or its run began to hang by itself, waits for a resource, or has got it. Like every event
// it says nothing about the rest of the fleet.
struct ChaosEvent {
  enum class Kind : std::uint8_t {
    storm,     // its run crashes now; `until` is now
    outage,    // its run crashes now, and runs that start before `until` fail after `fails_after`
    hang,      // its run neither ends nor obeys before `until`; TimePoint::max(): for ever
    run_hang,  // its present run neither ends nor obeys any more, until it is killed; `until` is TimePoint::max()
    gone,      // its host is off, and the supervisor with it: nothing ends or starts before `until`; then it boots
    waits,   // its present run waits for a resource, and does not work before it is served; `until` is TimePoint::max()
    served,  // its present run has waited, and works from now on; `until` is now
    failing_starts,  // its run goes on, and runs that start before `until` fail after `fails_after`, all or some of
                     // them
    silent,  // its present run gives no sign of life that its watchdog counts any more; `until` is that of the latest
    heard    // its present run gives its first sign of life, or one after silence; `until` is now
  };
  TimePoint at{};
  ServiceId service{};
  std::string_view name{};
  std::uint64_t name_hash = 0;
  Kind kind = Kind::storm;
  TimePoint until{};
  Duration fails_after{0};
  std::string_view cause{};  // "storm", "outage", "hang", what a recorded trace says, or the name of a resource
};
std::string_view to_string(ChaosEvent::Kind) noexcept;

// Why a simulation stopped.
enum class EndReason : std::uint8_t {
  finished,       // the scenario's duration is over, or nothing is left to do and every service has terminated
  stalled,        // nothing is left to do, and services still wait
  events_budget,  // the budget of events is used up
  time_budget,    // the budget of virtual time is used up
  interrupted     // the caller ended it
};
std::string_view to_string(EndReason) noexcept;

struct SimulationEnd {
  EndReason reason = EndReason::finished;
  TimePoint at{};
  std::uint64_t timers_fired = 0;
  Counters counters{};  // the supervisor's own, to be compared with the events
  friend bool operator==(const SimulationEnd&, const SimulationEnd&) = default;
};

class Observer : public EventSink {
 public:
  virtual void on_chaos(const ChaosEvent& event) = 0;

 protected:
  ~Observer() = default;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
