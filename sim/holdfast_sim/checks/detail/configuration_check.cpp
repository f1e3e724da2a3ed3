#include <holdfast_sim/checks/detail/configuration_check.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <holdfast/event_fields.hpp>
#include <holdfast/file/order.hpp>
#include <holdfast_sim/scenario/detail/named.hpp>

namespace holdfast::sim {

using holdfast::to_string;

namespace {

// The fields of a policy, with the keys and in the order of traces, each with its value as text.
class PolicyFields {
 public:
  explicit PolicyFields(const ServicePolicy& policy) {
    visit_backoff(*this, policy.backoff.value_or(BackoffPolicy{}));
    visit_policy(*this, policy);
  }

  template <class T>
  void operator()(std::string_view key, const T& value) {
    if constexpr (std::is_same_v<T, Duration>) {
      fields_.push_back(std::string{key.substr(0, key.rfind("_ns"))} + ' ' + to_string(value));
    } else if constexpr (std::is_enum_v<T>) {
      fields_.push_back(std::string{key} + ' ' + std::string{to_string(value)});
    } else if constexpr (std::is_integral_v<T>) {
      fields_.push_back(std::string{key} + ' ' + std::to_string(value));
    } else if constexpr (std::is_same_v<T, ExitStatuses> || std::is_same_v<T, NameList>) {
      fields_.push_back(std::string{key} + ' ' + to_string(value));
    } else if constexpr (std::is_same_v<T, std::string>) {
      fields_.push_back(std::string{key} + ' ' + value);
    } else if (value) {
      (*this)(key, *value);
    } else {
      fields_.push_back("no " + std::string{key.substr(0, key.rfind("_ns"))});
    }
  }

  // The first field that differs. REQUIRES: one does.
  [[nodiscard]] std::string first_other_than(const PolicyFields& right) const {
    return *std::mismatch(fields_.begin(), fields_.end(), right.fields_.begin()).first;
  }

 private:
  std::vector<std::string> fields_;  // as many for every policy
};

// "another backoff: base 2s". REQUIRES: something differs.
std::string what_differs(const ServicePolicy& found, const ServicePolicy& right) {
  if (found.restart != right.restart) return "another restart policy: " + std::string{to_string(found.restart)};
  if (found.stop_grace != right.stop_grace) {
    return found.stop_grace ? "another stop grace: " + to_string(*found.stop_grace) : "no stop grace";
  }
  const std::string_view part = found.backoff == right.backoff ? "policy" : "backoff";
  return "another " + std::string{part} + ": " + PolicyFields{found}.first_other_than(PolicyFields{right});
}

}  // namespace

ConfigurationCheck::ConfigurationCheck(const Scenario& scenario)
    : scenario_(scenario), roster_(roster_of(scenario)), limit_(scenario.supervisor) {
  result_.what = "configuration";
  result_.expected = "as in the scenario";
  result_.held = true;
}

const FleetGroup& ConfigurationCheck::group_of(std::string_view service) const {
  const auto group = roster_.group_of(service);
  return group && *group < scenario_.fleet.size() ? scenario_.fleet[*group] : of_its_own_;
}

// Kept for the latest group: the names may be many.
const Order& ConfigurationCheck::of_services(const FleetGroup& group) {
  if (latest_group_ != &group) latest_order_ = file::of_services(group.policy.order, roster_);
  latest_group_ = &group;
  return latest_order_;
}

void ConfigurationCheck::differs(const Event& event, std::string found) {
  if (result_.held) {
    result_.held = false;
    result_.cause = "another one";
    result_.found = std::move(found);
    result_.at = event.at;
  }
  if (event.about_supervisor()) return;
  if (result_.services.size() < kServicesNamedMax) {
    result_.services.emplace_back(event.name);
  } else {
    ++result_.more_services;
  }
}

ServicePolicy ConfigurationCheck::policy_of(const FleetGroup& group) {
  ServicePolicy right = in_force(group.policy, scenario_.supervisor);
  if (right.order.is_after_any()) right.order = of_services(group);
  return right;
}

bool ConfigurationCheck::is_added(const Event& event) const {
  return std::any_of(scenario_.chaos.begin(), scenario_.chaos.end(), [&](const ChaosEntry& entry) {
    const auto* const joining = std::get_if<Joining>(&entry.what);
    return joining != nullptr && TimePoint{} + entry.at <= event.at &&
           detail::is_named(roster_, event.name, joining->of);
  });
}

void ConfigurationCheck::is_reconfigured(const Event& event, const ServicePolicy& policy) {
  const auto known = changed_.find(event.name);
  ServicePolicy before = known == changed_.end() ? policy_of(group_of(event.name)) : known->second;
  changed_.insert_or_assign(std::string{event.name}, policy);
  const auto is_it = [&](const ChaosEntry& entry) {
    const auto* const kind = std::get_if<Reconfigure>(&entry.what);
    if (kind == nullptr || TimePoint{} + entry.at > event.at) return false;
    if (!detail::is_named(roster_, event.name, kind->target.of)) return false;
    ServicePolicy right = before;
    kind->change.apply_to(right);
    return right == policy;
  };
  if (std::any_of(scenario_.chaos.begin(), scenario_.chaos.end(), is_it)) return;
  differs(event, "a policy that no entry of the chaos gives: " +
                     (before == policy ? std::string{"the one that it had"} : what_differs(policy, before)));
}

void ConfigurationCheck::on_event(const Event& event) {
  if (auto wrong = limit_.on_event(event)) differs(event, std::move(*wrong));
  if (const auto* const reconfigured = std::get_if<event::Reconfigured>(&event.what)) {
    is_reconfigured(event, *reconfigured->policy);
  } else if (const auto* const added = std::get_if<event::Added>(&event.what)) {
    const FleetGroup& group = group_of(event.name);
    const ServicePolicy right = policy_of(group);
    const auto changed = changed_.find(event.name);
    // One that a command starts again after its end keeps what it was given; one that is added anew does not.
    if (changed != changed_.end() && *added->policy == changed->second) return;
    if (changed != changed_.end()) changed_.erase(changed);
    if (*added->policy != right) {
      differs(event, what_differs(*added->policy, right));
    } else if (group.joins == Joins::later && !is_added(event)) {
      differs(event, "added, though its group joins later and no entry of the chaos adds it");
    } else if (added->can_be_killed != group.behaviour.on_kill.has_value()) {
      differs(event, added->can_be_killed ? "it can be killed" : "it cannot be killed");
    }
  } else if (const auto* const shutdown = std::get_if<event::ShutdownRequested>(&event.what)) {
    shutdown_requested_ = true;
    if (shutdown->timeout != scenario_.supervisor.shutdown_timeout) {
      differs(event, "another shutdown timeout: " + to_string(shutdown->timeout));
    }
    const bool by_itself = shutdown->cause == ShutdownCause::all_terminated;
    if (by_itself && scenario_.supervisor.when_all_terminated != WhenAllTerminated::return_) {
      differs(event, "a shutdown when all services had terminated, though it should wait");
    }
  }
}

ExpectationResult ConfigurationCheck::finish(const SimulationEnd& end) {
  const bool should_return = scenario_.supervisor.when_all_terminated == WhenAllTerminated::return_ &&
                             end.counters.active_services == 0 && end.counters.spawned > 0;
  if (result_.held && should_return && !shutdown_requested_) {
    result_.held = false;
    result_.cause = "another one";
    result_.found = "no shutdown when all services had terminated";
  }
  if (result_.held) result_.found = "as in the scenario";
  if (result_.at == TimePoint{}) result_.at = end.at;
  return result_;
}

}  // namespace holdfast::sim
