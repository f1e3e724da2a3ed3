#include <holdfast_sim/configuration_check.hpp>

#include <utility>
#include <variant>

#include <holdfast_sim/detail/service_names.hpp>

namespace holdfast::sim {

using holdfast::to_string;

ConfigurationCheck::ConfigurationCheck(const Scenario& scenario) : scenario_(scenario) {
  for (std::size_t i = 0; i < scenario.fleet.size(); ++i) groups_.emplace(scenario.fleet[i].name, i);
  result_.what = "configuration";
  result_.expected = "as in the scenario";
  result_.held = true;
}

const FleetGroup& ConfigurationCheck::group_of(std::string_view service) const {
  if (const auto group = groups_.find(service); group != groups_.end() && !scenario_.fleet[group->second].count) {
    return scenario_.fleet[group->second];
  }
  if (const auto numbered = detail::numbered_name(service)) {
    const auto group = groups_.find(numbered->group);
    if (group != groups_.end()) return scenario_.fleet[group->second];
  }
  return of_its_own_;
}

void ConfigurationCheck::differs(const Event& event, std::string found) {
  if (result_.held) {
    result_.held = false;
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

void ConfigurationCheck::on_event(const Event& event) {
  if (const auto* const added = std::get_if<event::Added>(&event.what)) {
    const FleetGroup& group = group_of(event.name);
    if (added->restart != group.restart) {
      differs(event, "another restart policy: " + std::string{to_string(added->restart)});
    } else if (*added->backoff != group.backoff.value_or(scenario_.supervisor.backoff)) {
      differs(event, "another backoff");
    } else {
      const auto& grace = group.stop_grace ? group.stop_grace : scenario_.supervisor.stop_grace;
      if (added->stop_grace != grace) {
        differs(event, added->stop_grace ? "another stop grace: " + to_string(*added->stop_grace) : "no stop grace");
      } else if (added->can_be_killed != (grace && group.behaviour.on_kill)) {
        differs(event, added->can_be_killed ? "it can be killed" : "it cannot be killed");
      }
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
    result_.found = "no shutdown when all services had terminated";
  }
  if (result_.held) result_.found = "as in the scenario";
  if (result_.at == TimePoint{}) result_.at = end.at;
  return result_;
}

}  // namespace holdfast::sim
