#include <holdfast_sim/search/seed_outcome.hpp>

#include <algorithm>
#include <utility>

#include <holdfast_sim/detail/figure_expectations.hpp>
#include <holdfast_sim/scenario/roster.hpp>

namespace holdfast::sim {

using holdfast::to_string;

std::string_view to_string(FailureReason::Kind kind) noexcept {
  switch (kind) {
    case FailureReason::Kind::rule: return "rule";
    case FailureReason::Kind::expectation: return "expectation";
    case FailureReason::Kind::stalled: return "stalled";
    case FailureReason::Kind::budget: return "budget";
  }
  return "?";
}

std::string to_string(const FailureReason& reason) {
  std::string text{to_string(reason.kind)};
  if (!reason.what.empty()) text += ' ' + reason.what;
  return reason.cause.empty() ? text : text + ": " + reason.cause;
}

namespace {

class Failures {
 public:
  Failures(const Scenario& scenario, const RehearsalResult& result) : scenario_(scenario), result_(result) {
    add_rules();
    if (result.report.end.reason == EndReason::stalled) add_stall();
    if (result.verdict() == RehearsalVerdict::out_of_budget) add_budget();
    if (result.report.end.reason == EndReason::finished || result.report.end.reason == EndReason::stalled) {
      add_expectations();
    }
  }

  std::vector<SeedFailure> take() { return std::move(all_); }

 private:
  // The first of each reason.
  void add(FailureReason reason, std::string says) {
    const bool known = std::any_of(all_.begin(), all_.end(), [&](const auto& other) { return other.reason == reason; });
    if (!known) all_.push_back({std::move(reason), std::move(says)});
  }

  std::string group_of(const std::string& service) const {
    if (service.empty()) return "the supervisor";
    const auto group = roster_of(scenario_).group_of(service);
    return group && *group < scenario_.fleet.size() ? scenario_.fleet[*group].name : service;
  }

  void add_rules() {
    for (const auto& violation : result_.violations) {
      add({FailureReason::Kind::rule, std::string{to_string(violation.rule)}, group_of(violation.service)},
          (violation.service.empty() ? "the supervisor" : violation.service) + " at " + to_string(violation.at) + ": " +
              violation.says);
    }
    // Only the first violations are kept with their services.
    for (const auto& rule : result_.rules) {
      const bool known = std::any_of(all_.begin(), all_.end(),
                                     [&](const auto& other) { return other.reason.what == to_string(rule.rule); });
      if (rule.violated == 0 || known) continue;
      add({FailureReason::Kind::rule, std::string{to_string(rule.rule)}, ""},
          "violated " + std::to_string(rule.violated) + " times");
    }
  }

  void add_stall() {
    const auto& waiting = result_.waiting;
    const auto cause = waiting.empty() ? std::string{} : std::string{to_string(waiting.front().phase)};
    const auto all = waiting.size() + result_.more_waiting;
    add({FailureReason::Kind::stalled, "", cause},
        "at " + to_string(result_.report.end.at) + ": " + std::to_string(all) + " still waited");
  }

  void add_budget() {
    add({FailureReason::Kind::budget, std::string{to_string(result_.report.end.reason)}, ""},
        "at " + to_string(result_.report.end.at) + ", after " + std::to_string(result_.report.end.timers_fired) +
            " timers");
  }

  void add_expectations() {
    for (const auto& expectation : result_.expectations) {
      if (expectation.held) continue;
      add({FailureReason::Kind::expectation, expectation.what, std::string{expectation.cause}},
          "expected " + expectation.expected + ", found " + expectation.found);
    }
  }

  const Scenario& scenario_;
  const RehearsalResult& result_;
  std::vector<SeedFailure> all_;
};

std::uint64_t never_recovered(const ReportData& report) {
  return report.after_outages.lost + report.after_outages.waiting + report.after_failures.lost +
         report.after_failures.waiting;
}

std::optional<std::uint64_t> length_in_nanoseconds(Duration length) {
  return static_cast<std::uint64_t>(length.count());
}

std::optional<std::uint64_t> slowest_recovery(const ReportData& report) {
  if (report.after_outages.count + report.after_failures.count == 0) return std::nullopt;
  const auto most = [](const Recoveries& of) { return of.count > 0 ? of.max : Duration::zero(); };
  return length_in_nanoseconds(std::max(most(report.after_outages), most(report.after_failures)));
}

std::optional<std::uint64_t> drain(const ReportData& report) {
  if (!report.shutdown_at || !report.drained_at) return std::nullopt;
  return length_in_nanoseconds(*report.drained_at - *report.shutdown_at);
}

}  // namespace

std::vector<std::string> expectation_names(const Scenario& scenario) {
  ExpectationChecks checks{scenario};
  checks.finish({});
  std::vector<std::string> names;
  for (const auto& result : checks.results()) names.push_back(result.what);
  for (const auto& result : figure_expectations(scenario.expect, {})) names.push_back(result.what);
  names.emplace_back("configuration");
  return names;
}

std::vector<std::string> sometimes_names(const Scenario& scenario) {
  ExpectationChecks checks{scenario};
  checks.finish({});
  std::vector<std::string> names;
  for (const auto& result : checks.results()) {
    if (result.seen) names.push_back(result.what);
  }
  return names;
}

SeedOutcome outcome_of(const Scenario& scenario, const RehearsalResult& result) {
  const ReportData& report = result.report;
  SeedOutcome outcome{.seed = result.seed.value, .verdict = result.verdict(), .digest = result.digest};
  if (!outcome.held()) outcome.failures = Failures{scenario, result}.take();
  for (const auto& expectation : result.expectations) {
    if (expectation.seen) outcome.seen += *expectation.seen ? '1' : '0';
  }
  const auto set = [&](SeedFigure which, std::optional<std::uint64_t> value) {
    outcome.figures[static_cast<std::size_t>(which)] = value;
  };
  set(SeedFigure::availability, report.fleet.availability.ppm());
  set(SeedFigure::lost, report.losses.count);
  set(SeedFigure::never_recovered, never_recovered(report));
  set(SeedFigure::slowest_recovery, slowest_recovery(report));
  set(SeedFigure::restarts, report.fleet.restarts);
  set(SeedFigure::drain, drain(report));
  return outcome;
}

}  // namespace holdfast::sim
