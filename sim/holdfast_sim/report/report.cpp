#include <holdfast_sim/report/report.hpp>

#include <holdfast_sim/report/detail/reporter.hpp>

namespace holdfast::sim {

GroupReport& GroupReport::operator+=(const GroupReport& other) noexcept {
  services += other.services;
  starts += other.starts;
  restarts += other.restarts;
  failures += other.failures;
  failed_starts += other.failed_starts;
  hangs += other.hangs;
  clean_exits += other.clean_exits;
  breaker_trips += other.breaker_trips;
  killed_runs += other.killed_runs;
  for (std::size_t i = 0; i < kTerminationReasons; ++i) terminated[i] += other.terminated[i];
  availability += other.availability;
  return *this;
}

Report::Report(const Scenario& scenario, Groups groups, bool with_history)
    : reporter_(std::make_unique<detail::Reporter>(scenario, groups, with_history)) {}
Report::~Report() = default;
Report::Report(Report&&) noexcept = default;
Report& Report::operator=(Report&&) noexcept = default;

void Report::on_event(const Event& event) { reporter_->on_event(event); }
void Report::on_chaos(const ChaosEvent& event) { reporter_->on_chaos(event); }
ReportData Report::finish(const SimulationEnd& end) { return reporter_->finish(end); }

}  // namespace holdfast::sim
