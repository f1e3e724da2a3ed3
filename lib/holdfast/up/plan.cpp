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

// The supervisor cannot change these of a service that it has.
Keys changed_in_policy(const ServiceToRun& before, const ServiceToRun& now) {
  const auto& old = before.config.policy;
  const auto& given = now.config.policy;
  return Comparison{}("restart", old.restart, given.restart)("backoff", old.backoff, given.backoff)(
             "stop_grace", old.stop_grace, given.stop_grace)("ready", old.ready, given.ready)(
             "start_timeout", old.start_timeout, given.start_timeout)("watchdog", old.watchdog, given.watchdog)(
             "watchdog_needs", old.watchdog_needs, given.watchdog_needs)(
             "exit_rules", old.exit_rules, given.exit_rules)("after", old.order.after, given.order.after)(
             "after_if_present", old.order.after_if_present, given.order.after_if_present)(
             "on_dependency", old.order.on_dependency, given.order.on_dependency)(
             "wake_jitter", old.order.wake_jitter, given.order.wake_jitter)("in", old.group, given.group)(
             "ends_fleet", old.ends_fleet, given.ends_fleet)("log", before.log, now.log)(
             "before_start", before.before_start, now.before_start)("after_stop", before.after_stop, now.after_stop)
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

std::string listed_keys(const Keys& keys) {
  std::string text;
  for (const auto& key : keys) text += (text.empty() ? "" : ", ") + key;
  return text;
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
      plan.steps.push_back({PlanStep::What::add, service.config.name});
      continue;
    }
    auto keys = changed_in_policy(*found->second, service);
    const auto what = keys.empty() ? PlanStep::What::restart : PlanStep::What::replace;
    for (auto& key : changed_in_program(found->second->process, service.process)) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
    }
    known.erase(found);
    if (keys.empty()) {
      ++plan.kept;
    } else {
      plan.steps.push_back({what, service.config.name, std::move(keys)});
    }
  }
  for (const auto& service : before.services) {
    if (known.contains(service.config.name)) plan.steps.push_back({PlanStep::What::remove, service.config.name});
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
      case PlanStep::What::restart:
        lines.push_back("~ " + step.service + ": restarted: " + listed_keys(step.keys) + " changed");
        break;
      case PlanStep::What::replace:
        lines.push_back("~ " + step.service + ": restarted as a new service, because these cannot change in place: " +
                        listed_keys(step.keys));
        break;
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
