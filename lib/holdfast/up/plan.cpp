#include <holdfast/up/plan.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

namespace holdfast::up {

namespace {

using Keys = std::vector<std::string>;

class Comparison {
 public:
  template <class Value>
  Comparison& operator()(const char* key, const Value& before, const Value& now) {
    if (!(before == now)) changed_.emplace_back(key);
    return *this;
  }
  [[nodiscard]] Keys take() { return std::move(changed_); }

 private:
  Keys changed_;
};

Keys changed_in_program(const Process& before, const Process& now) {
  return Comparison{}("command", before.command, now.command)("environment", before.environment, now.environment)(
             "folder", before.folder, now.folder)("user", before.user, now.user)("group", before.group, now.group)(
             "umask", before.umask, now.umask)("limits", before.limits, now.limits)(
             "stop_signal", before.stop_signal, now.stop_signal)("stop_to", before.stop_to, now.stop_to)(
             "ready", before.ready_by, now.ready_by)("health", before.health, now.health)
      .take();
}

// What the supervisor decides by from then on (Supervisor::reconfigure).
Keys changed_in_decisions(const ServicePolicy& old, const ServicePolicy& given) {
  return Comparison{}("restart", old.restart, given.restart)("backoff", old.backoff, given.backoff)(
             "stop_grace", old.stop_grace, given.stop_grace)("exit_rules", old.exit_rules, given.exit_rules)(
             "ends_fleet", old.ends_fleet, given.ends_fleet)("forget_when_done", old.forget_when_done,
                                                             given.forget_when_done)
      .take();
}

// Neither the supervisor nor this program can change these of a service that is there.
Keys changed_for_good(const ServiceToRun& before, const ServiceToRun& now) {
  const auto& old = before.config.policy;
  const auto& given = now.config.policy;
  return Comparison{}("ready", old.ready, given.ready)("start_timeout", old.start_timeout, given.start_timeout)(
             "watchdog", old.watchdog, given.watchdog)("watchdog_needs", old.watchdog_needs, given.watchdog_needs)(
             "after", old.order.after, given.order.after)("after_if_present", old.order.after_if_present,
                                                          given.order.after_if_present)(
             "on_dependency", old.order.on_dependency, given.order.on_dependency)(
             "wake_jitter", old.order.wake_jitter, given.order.wake_jitter)("in", old.group, given.group)(
             "log", before.log, now.log)("before_start", before.before_start, now.before_start)(
             "after_stop", before.after_stop, now.after_stop)
      .take();
}

Keys changed_in_supervisor(const file::FleetFile& before, const file::FleetFile& now) {
  const auto& old = before.supervisor;
  const auto& given = now.supervisor;
  return Comparison{}("shutdown_timeout", old.shutdown_timeout, given.shutdown_timeout)(
             "backoff", old.backoff, given.backoff)("when_all_terminated", old.when_all_terminated,
                                                    given.when_all_terminated)(
             "stop_grace", old.stop_grace, given.stop_grace)("abandoned_runs_max", old.abandoned_runs_max,
                                                             given.abandoned_runs_max)(
             "kill_wait", old.kill_wait, given.kill_wait)("restart_limit", old.restart_limit, given.restart_limit)(
             "starting_max", old.starting_max, given.starting_max)("control", before.production.control,
                                                                   now.production.control)(
             "endpoint", before.production.endpoint, now.production.endpoint)("recording", before.production.recording,
                                                                              now.production.recording)
      .take();
}

// Without keys nothing has changed.
PlanStep step_between(const ServiceToRun& before, const ServiceToRun& now) {
  PlanStep step{.what = PlanStep::What::reconfigure, .service = now.config.name};
  const auto take = [&step](Keys changed) {
    for (auto& key : changed) {
      if (std::find(step.keys.begin(), step.keys.end(), key) == step.keys.end()) step.keys.push_back(std::move(key));
    }
  };
  auto decisions = changed_in_decisions(before.config.policy, now.config.policy);
  auto for_good = changed_for_good(before, now);
  auto program = changed_in_program(before.process, now.process);
  step.other_policy = !decisions.empty();
  if (!program.empty()) step.what = PlanStep::What::restart;
  if (!for_good.empty()) step.what = PlanStep::What::replace;
  take(std::move(for_good));
  step.for_good = step.keys.size();
  take(std::move(decisions));
  take(std::move(program));
  return step;
}

std::string listed_keys(const Keys& keys) {
  std::string text;
  for (const auto& key : keys) text += (text.empty() ? "" : ", ") + key;
  return text;
}

std::string why_replaced(const PlanStep& step) {
  const auto rest = step.keys.begin() + static_cast<std::ptrdiff_t>(step.for_good);
  const Keys for_good{step.keys.begin(), rest};
  const Keys others{rest, step.keys.end()};
  if (for_good.empty())
    return ": started as a new service, because it has terminated: " + listed_keys(others) + " changed";
  return ": restarted as a new service, because these cannot change in place: " + listed_keys(for_good) +
         (others.empty() ? "" : "; also changed: " + listed_keys(others));
}

}  // namespace

Plan plan_of(const FleetToRun& before, const FleetToRun& now) {
  Plan plan;
  plan.later = changed_in_supervisor(before.fleet, now.fleet);
  for (const auto& group : before.fleet.groups) {
    const auto& groups = now.fleet.groups;
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) plan.changed_groups.push_back(group.path);
  }
  std::map<std::string_view, const ServiceToRun*> known;
  for (const auto& service : before.services) known.emplace(service.config.name, &service);
  for (const auto& service : now.services) {
    const auto found = known.find(service.config.name);
    if (found == known.end()) {
      plan.steps.push_back({.what = PlanStep::What::add, .service = service.config.name});
      continue;
    }
    auto step = step_between(*found->second, service);
    known.erase(found);
    if (step.keys.empty()) {
      ++plan.kept;
    } else {
      plan.steps.push_back(std::move(step));
    }
  }
  for (const auto& service : before.services) {
    if (known.contains(service.config.name))
      plan.steps.push_back({.what = PlanStep::What::remove, .service = service.config.name});
  }
  return plan;
}

void keep_groups(const file::FleetFile& before, file::FleetFile& now) {
  std::map<std::string_view, const GroupConfig*> by_path;
  for (const auto& group : now.groups) by_path.emplace(group.path, &group);
  for (const auto& group : before.groups) by_path.insert_or_assign(group.path, &group);
  std::vector<GroupConfig> kept;
  kept.reserve(by_path.size());
  for (const auto& [path, group] : by_path) kept.push_back(*group);
  now.groups = std::move(kept);
}

std::vector<std::string> lines_of(const Plan& plan) {
  std::vector<std::string> lines;
  lines.reserve(plan.steps.size() + 2);
  for (const auto& step : plan.steps) {
    switch (step.what) {
      case PlanStep::What::add: lines.push_back("+ " + step.service + ": started"); break;
      case PlanStep::What::remove: lines.push_back("- " + step.service + ": stopped and forgotten"); break;
      case PlanStep::What::reconfigure:
        lines.push_back("~ " + step.service + ": goes on under another policy: " + listed_keys(step.keys) + " changed");
        break;
      case PlanStep::What::restart:
        lines.push_back("~ " + step.service + ": restarted: " + listed_keys(step.keys) + " changed");
        break;
      case PlanStep::What::replace: lines.push_back("~ " + step.service + why_replaced(step)); break;
    }
  }
  if (!plan.later.empty()) {
    lines.push_back("! [supervisor] takes effect with the next \"holdfast up\": " + listed_keys(plan.later));
  }
  if (!plan.changed_groups.empty()) {
    lines.push_back("! [[group]] takes effect with the next \"holdfast up\": " + listed_keys(plan.changed_groups));
  }
  lines.push_back(plan.kept == 1 ? "1 service goes on as it is"
                                 : std::to_string(plan.kept) + " services go on as they are");
  return lines;
}

}  // namespace holdfast::up
