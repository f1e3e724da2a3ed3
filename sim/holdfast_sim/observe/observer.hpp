// What watches a simulation: the supervisor's events, and beside them what the simulation itself did to the services.
//
// A trace holds both and nothing else; checks and reports are made from it alone.
#pragma once

#include <cstdint>
#include <string_view>

#include <holdfast/event.hpp>
#include <holdfast/snapshot.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/observe/chaos_event.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

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
