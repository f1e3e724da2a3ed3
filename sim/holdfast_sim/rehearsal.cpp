#include <holdfast_sim/rehearsal.hpp>

#include <algorithm>
#include <ostream>
#include <utility>
#include <variant>

#include <holdfast_sim/checks/detail/configuration_check.hpp>
#include <holdfast_sim/detail/figure_expectations.hpp>
#include <holdfast_sim/observe/compact_trace.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/report/report.hpp>
#include <holdfast_sim/scenario/swarm.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::sim {

std::string_view to_string(RehearsalVerdict verdict) noexcept {
  switch (verdict) {
    case RehearsalVerdict::held: return "held";
    case RehearsalVerdict::violated: return "violated";
    case RehearsalVerdict::out_of_budget: return "out_of_budget";
    case RehearsalVerdict::interrupted: return "interrupted";
  }
  return "";
}

RehearsalVerdict RehearsalResult::verdict() const noexcept {
  if (!violations.empty() || report.end.reason == EndReason::stalled) return RehearsalVerdict::violated;
  if (report.end.reason == EndReason::interrupted) return RehearsalVerdict::interrupted;
  if (report.end.reason != EndReason::finished) return RehearsalVerdict::out_of_budget;
  const bool held = std::all_of(expectations.begin(), expectations.end(), [](const auto& e) { return e.held; });
  return held ? RehearsalVerdict::held : RehearsalVerdict::violated;
}

namespace {

void name_waiting(const Supervisor& supervisor, RehearsalResult& result) {
  for (const auto& service : supervisor.snapshots()) {
    if (service.phase == Phase::terminated) continue;
    if (result.waiting.size() < kWaitingNamedMax) {
      result.waiting.push_back({service.name, service.phase, result.report.end.at - service.time_in_phase});
    } else {
      ++result.more_waiting;
    }
  }
}

// A scenario without expectations holds, even if it loses all its services.
void warn_of_losses(RehearsalResult& result) {
  const ReportData& report = result.report;
  if (report.active_at_end > 0 || report.lost_at_end == 0) return;
  const bool all = report.lost_at_end == report.fleet.services;
  result.verdict_warnings.push_back(
      (all ? "every service was lost"
           : "no service is left, and " + std::to_string(report.lost_at_end) + " were lost") +
      std::string{"; this holds only because the scenario expects nothing: [expect] circuit_open = 0, failed = 0 and "
                  "abandoned = 0 would find it"});
}

// What went wrong on paper alone: a rehearsal that holds has not tried it.
void warn_of_chaos_without_effect(const Scenario& scenario, const std::vector<std::size_t>& entries,
                                  RehearsalResult& result) {
  constexpr std::size_t kNamedMax = 5;
  std::string names;
  for (std::size_t i = 0; i < std::min(entries.size(), kNamedMax); ++i) {
    const auto& entry = scenario.chaos[entries[i]];
    names += (i == 0 ? "" : ", ") + std::string{"chaos["} + std::to_string(entries[i]) + "] (" +
             std::string{key_of(entry.what)} + " at " + holdfast::to_string(entry.at) + ')';
  }
  if (entries.size() > kNamedMax) names += " and " + std::to_string(entries.size() - kNamedMax) + " more";
  if (!entries.empty()) result.verdict_warnings.push_back(names + " reached no service, so nothing was tried by it");
}

// Shows the checks everything but the beginning of the first run.
class Canary final : public Observer {
 public:
  explicit Canary(Checks& checks) : checks_(checks) {}

  void on_event(const Event& event) override {
    if (!planted_ && std::holds_alternative<event::Started>(event.what)) {
      planted_ = true;
    } else {
      checks_.on_event(event);
    }
  }
  void on_chaos(const ChaosEvent& event) override { checks_.on_chaos(event); }
  void comes_soon(ServiceId service) noexcept override { checks_.comes_soon(service); }

  [[nodiscard]] bool planted() const noexcept { return planted_; }

 private:
  Checks& checks_;
  bool planted_ = false;
};

void run(Simulation& simulation, const Scenario& scenario, const RehearsalOptions& options, const Checks& checks) {
  while (!simulation.run_to_end(options.slice)) {
    if (options.trace && !*options.trace) throw TraceNotWritten{};
    if (options.interrupted && options.interrupted()) return simulation.interrupt();
    if (options.canary && !checks.violations().empty()) return simulation.interrupt();
    if (options.progress) options.progress({simulation.now(), simulation.scheduler().timers_fired(), scenario});
  }
}

}  // namespace

RehearsalResult rehearse(const Scenario& scenario, const RehearsalOptions& options) {
  RehearsalResult result{.seed = options.seed.value_or(scenario.seed), .budget = scenario.budget};
  const auto choices = swarm_choices(scenario, result.seed);
  result.swarm = swarm_text(scenario, choices);
  Digest digest;
  Checks checks;
  ExpectationChecks expectations{scenario};
  ConfigurationCheck configuration{scenario};
  Report report{scenario, Report::Groups::of_scenario, options.with_history};
  std::optional<TraceWriter> trace;
  std::optional<CompactTraceWriter> compact_trace;
  Canary canary{checks};
  Observer* const watched = options.canary ? static_cast<Observer*>(&canary) : &checks;
  std::vector<Observer*> observers{&digest, watched, &expectations, &configuration, &report};
  if (options.trace && options.compact) {
    observers.push_back(&compact_trace.emplace(*options.trace, scenario.name, result.seed));
  } else if (options.trace) {
    observers.push_back(&trace.emplace(*options.trace, scenario.name, result.seed));
  }

  Simulation simulation{scenario, observers, result.seed};
  run(simulation, scenario, options, checks);

  const SimulationEnd& end = simulation.end();
  checks.finish(end);
  expectations.finish(end);
  if (trace) trace->finish(end, digest);
  if (compact_trace) compact_trace->finish(end, digest);
  if (options.trace && !*options.trace) throw TraceNotWritten{};
  result.report = report.finish(end);
  result.canary_planted = canary.planted();
  result.digest = digest.text();
  result.rules = checks.verdicts();
  result.violations = checks.violations();
  result.expectations = expectations.results();
  for (auto& figure : figure_expectations(scenario.expect, result.report)) {
    result.expectations.push_back(std::move(figure));
  }
  result.expectations.push_back(configuration.finish(end));
  if (scenario.expect == Expectations{}) warn_of_losses(result);
  if (end.reason == EndReason::finished) {
    auto untried = expectations.without_effect();
    std::erase_if(untried, [&](std::size_t entry) { return !choices[entry].happens; });
    warn_of_chaos_without_effect(scenario, untried, result);
  }
  if (end.reason == EndReason::stalled) name_waiting(simulation.supervisor(), result);
  return result;
}

}  // namespace holdfast::sim
