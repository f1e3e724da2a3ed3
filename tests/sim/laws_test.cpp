// Laws of the whole simulator, as properties over generated scenarios.
#include <rapidcheck.h>

#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/stage/simulation.hpp>

#include "generated_scenarios.hpp"
#include "laws.hpp"

namespace holdfast::laws_test {

using namespace holdfast::sim;
using namespace holdfast::test;
using namespace std::chrono_literals;

namespace {

// Passes everything on, but for one event that it falsifies.
struct Damage final : Observer {
  enum class How { left_out, reported_twice, too_late, another_number, another_run };
  How how = How::left_out;
  std::uint64_t at = 0;  // which event, counted from 1; 0: none
  std::vector<Observer*> observers;

  void on_event(const Event& event) override {
    if (++events_ != at || std::holds_alternative<event::Added>(event.what)) return pass_on(event);
    // A reader of traces refuses the event of a service that is not there, and a second one of its name.
    const bool is_removal = std::holds_alternative<event::Removed>(event.what);
    if (is_removal && (how == How::left_out || how == How::reported_twice)) return pass_on(event);
    Event wrong = event;
    switch (how) {
      case How::left_out: return;
      case How::reported_twice: pass_on(event); break;
      case How::too_late: wrong.at = event.at + Duration{1}; break;
      case How::another_number: ++wrong.n; break;
      case How::another_run: wrong.run.value += event.about_supervisor() ? 0U : 1U; break;  // it has no runs
    }
    pass_on(wrong);
  }
  void on_chaos(const ChaosEvent& event) override {
    for (auto* const observer : observers) observer->on_chaos(event);
  }

 private:
  void pass_on(const Event& event) {
    for (auto* const observer : observers) observer->on_event(event);
  }
  std::uint64_t events_ = 0;
};

struct Watched {
  std::string trace;
  std::string digest;
  SimulationEnd end;
  std::vector<Violation> violations;
  std::vector<Verdict> verdicts;
};

Watched watch(const Scenario& scenario, Damage::How how = {}, std::uint64_t damaged_event = 0) {
  std::ostringstream out;
  Digest digest;
  Checks checks;
  TraceWriter writer{out, scenario.name, scenario.seed};
  Damage damage;
  damage.how = how;
  damage.at = damaged_event;
  damage.observers = {&digest, &checks, &writer};
  Simulation simulation{scenario, {&damage}};
  simulation.run_to_end();
  checks.finish(simulation.end());
  writer.finish(simulation.end(), digest);
  return {out.str(), digest.text(), simulation.end(), checks.violations(), checks.verdicts()};
}

std::vector<std::string> texts(const std::vector<Violation>& violations) {
  std::vector<std::string> found;
  for (const auto& violation : violations) {
    std::string text = to_string(violation.at) + ' ' + violation.service + ' ' +
                       std::string{to_string(violation.rule)} + ": " + violation.says;
    for (const auto& line : violation.events) text += "\n  " + line;
    found.push_back(std::move(text));
  }
  return found;
}

std::vector<std::string> texts(const std::vector<Verdict>& verdicts) {
  std::vector<std::string> found;
  for (const auto& verdict : verdicts) {
    found.push_back(std::string{to_string(verdict.rule)} + ' ' + std::to_string(verdict.tested) + ' ' +
                    std::to_string(verdict.violated));
  }
  return found;
}

// Some of the groups become several services each, s-0-0, s-0-1, …
Scenario with_counts(Scenario scenario) {
  for (auto& group : scenario.fleet) {
    if (*rc::gen::arbitrary<bool>()) group.count = *rc::gen::inRange<std::uint32_t>(1, 5);
  }
  return scenario;
}

// Under another name, also where chaos names it. Recorded traces find their services by name and are left out.
Scenario with_another_name(Scenario scenario, std::size_t which, const std::string& name) {
  const std::string old = std::exchange(scenario.fleet[which].name, name);
  const auto rename = [&](auto& kind) {
    if constexpr (requires { kind.target; }) std::replace(kind.target.of.begin(), kind.target.of.end(), old, name);
    if constexpr (std::is_same_v<decltype(kind), Joining&>) std::replace(kind.of.begin(), kind.of.end(), old, name);
  };
  for (auto& entry : scenario.chaos) std::visit(rename, entry.what);
  return scenario;
}

Scenario without_recorded(Scenario scenario) {
  std::erase_if(scenario.chaos, [](const ChaosEntry& entry) { return std::holds_alternative<Recorded>(entry.what); });
  return scenario;
}

// It hits all of its targets, or none of them, in the same way.
template <class Kind>
void draw_nothing(Kind& kind) {
  if constexpr (requires { kind.target; }) {
    kind.target.share = Target::kWhole;
    kind.target.cohort.clear();
    kind.target.spread.reset();
  }
  if constexpr (requires { kind.spread; }) kind.spread.reset();
  if constexpr (requires { kind.change; }) kind.change = {.stop_grace = Duration{2s}};
  if constexpr (requires { kind.repairs; }) kind.repairs = Repairs::together;
  if constexpr (requires { kind.by; }) kind.by = Duration{1ms};
  if constexpr (requires { kind.failing_starts; }) kind.failing_starts = GoingDown::kAllStarts;
}

// Its services run for fixed times and are never retried, and chaos hits all or none of them.
Scenario in_which_it_draws_nothing(Scenario scenario, std::size_t which) {
  auto& group = scenario.fleet[which];
  group.policy.restart = RestartPolicy::never;
  if (group.behaviour.runs_for) group.behaviour.runs_for = Fixed{2s};
  group.behaviour.then = group.behaviour.then.always();
  if (group.behaviour.ready_after) group.behaviour.ready_after = Fixed{1s};
  if (std::holds_alternative<Takes>(group.behaviour.on_stop)) group.behaviour.on_stop = Takes{Fixed{1s}};
  if (group.behaviour.on_kill && std::holds_alternative<Takes>(*group.behaviour.on_kill)) {
    group.behaviour.on_kill = Takes{Fixed{1s}};
  }
  for (auto& entry : scenario.chaos) std::visit([](auto& kind) { draw_nothing(kind); }, entry.what);
  return scenario;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> found;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) found.push_back(line);
  return found;
}

// The lines of a trace that are about one service.
std::vector<std::string> of(const std::string& trace, const std::string& service) {
  std::vector<std::string> found = lines(trace);
  const std::string about = "\"service\":\"" + service + '"';
  std::erase_if(found, [&](const std::string& line) { return line.find(about) == std::string::npos; });
  return found;
}

void show(const Scenario& scenario, const std::string& trace) {
  RC_LOG() << "services: " << scenario.fleet.size() << ", chaos: " << scenario.chaos.size() << '\n' << trace;
}

}  // namespace

TEST_CASE("the laws of the simulator") {
  rc::prop("every rule holds in every scenario", [] {
    obeys(runnable_scenario(), [](const Scenario& scenario) { return watch(scenario).violations.empty(); });
  });

  rc::prop("every rule holds whatever values the format allows", [] {
    Scenario drawn = *any_scenario();
    for (auto& group : drawn.fleet) group.count = std::min(group.count.value_or(1), 5U);
    drawn.budget.events = std::min<std::uint64_t>(drawn.budget.events, 2000);
    const Watched run = watch(drawn);
    show(drawn, run.trace);
    for (const auto& text : texts(run.violations)) RC_LOG() << text << '\n';
    RC_CLASSIFY(run.end.counters.restarts > 0, "restarts");
    RC_ASSERT(run.violations.empty());
  });

  rc::prop("the same scenario and seed give the same bytes", [] {
    obeys(rc::gen::exec([] { return with_counts(*runnable_scenario()); }),
          [](const Scenario& scenario) { return watch(scenario).trace == watch(scenario).trace; });
  });

  rc::prop("removing a group, or one service of a group, changes no event of another", [] {
    const Scenario drawn = with_counts(*runnable_scenario());
    const Watched with = watch(drawn);
    RC_PRE(with.end.reason == EndReason::finished);  // a budget is shared by the fleet
    Scenario less = drawn;
    const auto which = *rc::gen::inRange<std::size_t>(0, drawn.fleet.size());
    const auto gone = less.fleet.begin() + static_cast<std::ptrdiff_t>(which);
    if (gone->size() > 1 && *rc::gen::arbitrary<bool>()) {
      --*gone->count;
    } else {
      less.fleet.erase(gone);
    }
    // Whom chaos names stays as it is: names that nobody has mean nobody.
    const Watched without = watch(less);
    RC_PRE(without.end.reason == EndReason::finished);
    for (const auto& group : less.fleet) {
      for (std::uint32_t i = 0; i < group.size(); ++i) {
        RC_LOG() << "without " << drawn.fleet[which].name << ", events of " << group.service_name(i) << '\n';
        RC_ASSERT(of(with.trace, group.service_name(i)) == of(without.trace, group.service_name(i)));
      }
    }
  });

  rc::prop("events balance, and virtual time never goes backwards", [] {
    const Watched run = watch(*runnable_scenario());
    const Counters& counters = run.end.counters;
    RC_ASSERT(counters.spawned == counters.terminated + counters.active_services);
    RC_ASSERT(counters.starts >= counters.restarts);
    std::int64_t before = 0;
    for (const auto& line : lines(run.trace)) {
      constexpr std::string_view kTime = "\"t_ns\":";
      const auto at = line.find(kTime);
      if (at == std::string::npos) continue;
      const std::int64_t now = std::stoll(line.substr(at + kTime.size()));
      RC_ASSERT(now >= before);
      before = now;
    }
  });

  rc::prop("a saved trace has the digest of its run and gets the same verdicts", [] {
    const Watched run = watch(*runnable_scenario());
    std::istringstream in{run.trace};
    Digest digest;
    Checks checks;
    const TraceSummary summary = read_trace(in, "trace", {&digest, &checks});
    checks.finish(summary.end);
    RC_ASSERT(digest.text() == run.digest);
    RC_ASSERT(summary.digest == run.digest);
    RC_ASSERT(summary.end == run.end);
    RC_ASSERT(texts(checks.violations()) == texts(run.violations));
    RC_ASSERT(texts(checks.verdicts()) == texts(run.verdicts));
  });

  rc::prop("a saved trace of a run with a falsified event gets the violations that the run got", [] {
    using enum Damage::How;
    const Scenario drawn = with_counts(*runnable_scenario());
    const auto how = *rc::gen::element(left_out, reported_twice, too_late, another_number, another_run);
    const Watched run = watch(drawn, how, *rc::gen::inRange<std::uint64_t>(1, 60));
    show(drawn, run.trace);
    RC_LOG() << "falsified in way " << static_cast<int>(how) << '\n';
    std::istringstream in{run.trace};
    Digest digest;
    Checks checks;
    const TraceSummary summary = read_trace(in, "trace", {&digest, &checks});
    checks.finish(summary.end);
    RC_CLASSIFY(!run.violations.empty(), "violated");
    RC_ASSERT(digest.text() == run.digest);
    RC_ASSERT(texts(checks.violations()) == texts(run.violations));
    RC_ASSERT(texts(checks.verdicts()) == texts(run.verdicts));
  });

  rc::prop("renaming a group changes its own draws and nothing of the others", [] {
    const Scenario drawn = with_counts(without_recorded(*runnable_scenario()));
    const Watched before = watch(drawn);
    RC_PRE(before.end.reason == EndReason::finished);
    const auto which = *rc::gen::inRange<std::size_t>(0, drawn.fleet.size());
    const Watched after = watch(with_another_name(drawn, which, "another"));
    RC_PRE(after.end.reason == EndReason::finished);
    for (const auto& group : drawn.fleet) {
      if (&group == &drawn.fleet[which]) continue;
      for (std::uint32_t i = 0; i < group.size(); ++i) {
        RC_ASSERT(of(before.trace, group.service_name(i)) == of(after.trace, group.service_name(i)));
      }
    }
  });

  rc::prop("a group that draws nothing does the same under another name", [] {
    Scenario drawn = with_counts(without_recorded(*runnable_scenario()));
    const auto which = *rc::gen::inRange<std::size_t>(0, drawn.fleet.size());
    drawn = in_which_it_draws_nothing(std::move(drawn), which);
    const auto& group = drawn.fleet[which];
    const Watched before = watch(drawn);
    RC_PRE(before.end.reason == EndReason::finished);
    const Scenario renamed = with_another_name(drawn, which, "another");
    const Watched after = watch(renamed);
    RC_PRE(after.end.reason == EndReason::finished);
    for (std::uint32_t i = 0; i < group.size(); ++i) {
      const std::string old_name = group.service_name(i);
      auto lines = of(before.trace, old_name);
      for (auto& line : lines) line.replace(line.find(old_name), old_name.size(), renamed.fleet[which].service_name(i));
      RC_ASSERT(!lines.empty() || group.joins == Joins::later);
      RC_ASSERT(lines == of(after.trace, renamed.fleet[which].service_name(i)));
    }
  });
}

}  // namespace holdfast::laws_test
