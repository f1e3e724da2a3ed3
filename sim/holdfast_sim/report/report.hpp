// Watches a run and sums it up, from the scenario and the events alone: a saved trace gives the same report.
//
//     Report report{scenario};
//     Simulation simulation{scenario, {&report}};
//     simulation.run_to_end();
//     const ReportData data = report.finish(simulation.end());
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>

#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/report/report_data.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

namespace holdfast::sim::detail {
class Reporter;
}  // namespace holdfast::sim::detail

#pragma GCC visibility push(default)

namespace holdfast::sim {

class Report final : public Observer {
 public:
  enum class Groups : std::uint8_t {
    of_scenario,
    by_name  // the scenario has no fleet: feed-0, feed-1, … are the group feed, any other service is a group by itself
  };
  // Keeps nothing of `scenario` but copies. Without history ReportData::history has no buckets; nothing else differs.
  explicit Report(const Scenario& scenario, Groups groups = Groups::of_scenario, bool with_history = true);
  ~Report();
  Report(Report&&) noexcept;
  Report& operator=(Report&&) noexcept;

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;

  // REQUIRES: called once, after the last event.
  ReportData finish(const SimulationEnd& end);

 private:
  std::unique_ptr<detail::Reporter> reporter_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
