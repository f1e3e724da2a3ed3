#pragma once

// Histories for the tests of the report, written by hand.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast_sim/report/report.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

namespace holdfast::report_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;

inline TimePoint at(Duration since_zero) { return TimePoint{} + since_zero; }

inline ServiceTime time(Duration length) { return static_cast<ServiceTime>(length.count()); }

inline Scenario scenario_of(std::vector<FleetGroup> fleet) {
  Scenario scenario;
  scenario.name = "by hand";
  scenario.fleet = std::move(fleet);
  return scenario;
}

// Reports to a report what a supervisor would report.
class History {
 public:
  explicit History(const Scenario& scenario) : report_(scenario) {}

  void tell(Duration when, std::uint32_t slot, std::string_view name, Event::What what) {
    Event event;
    event.at = at(when);
    event.service = {slot, 1};
    event.name = name;
    event.what = what;
    report_.on_event(event);
  }
  void add(Duration when, std::uint32_t slot, std::string_view name, std::uint64_t runs_before = 0) {
    tell(when, slot, name, event::Added{&policy_, {runs_before}});
  }
  void start(Duration when, std::uint32_t slot, std::string_view name) {
    tell(when, slot, name, event::Started{});
    tell(when, slot, name, event::Running{});
  }
  void end(Duration when, std::uint32_t slot, std::string_view name, Outcome outcome) {
    tell(when, slot, name, event::Ended{outcome, 0s, ""});
  }
  void fail(Duration when, std::uint32_t slot, std::string_view name) {
    end(when, slot, name, Outcome::failed);
    tell(when, slot, name, event::BackingOff{BackoffCause::failure, 1, 1s, 1s});
  }
  void terminate(Duration when, std::uint32_t slot, std::string_view name, Termination why) {
    tell(when, slot, name, event::Terminated{why, "boom"});
  }
  void chaos(Duration when, std::uint32_t slot, std::string_view name, ChaosEvent::Kind kind, TimePoint until) {
    ChaosEvent event;
    event.at = at(when);
    event.service = {slot, 1};
    event.name = name;
    event.kind = kind;
    event.until = until;
    report_.on_chaos(event);
  }
  void tell_supervisor(Duration when, Event::What what) {
    Event event;
    event.at = at(when);
    event.what = what;
    report_.on_event(event);
  }
  void outage(Duration when, std::uint32_t slot, std::string_view name, Duration until) {
    chaos(when, slot, name, ChaosEvent::Kind::outage, at(until));
  }
  ReportData over(Duration when, EndReason reason = EndReason::finished) {
    SimulationEnd end{.reason = reason};
    end.at = at(when);
    return report_.finish(end);
  }

 private:
  Report report_;
  ServicePolicy policy_{.backoff = BackoffPolicy{}};
};

inline std::uint64_t total_restarts(const FleetHistory& history) {
  std::uint64_t all = 0;
  for (const auto& bucket : history.buckets) all += bucket.restarts;
  return all;
}

inline ServiceTime total(const FleetHistory& history, Standing standing) {
  ServiceTime all = 0;
  for (const auto& bucket : history.buckets) all += bucket.time[static_cast<std::size_t>(standing)];
  return all;
}

}  // namespace holdfast::report_test
