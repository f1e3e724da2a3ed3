// Whether the supervisor runs under what the scenario says: each service's restart policy and backoff, the shutdown
// timeout, the limits on restarts, and what happens when every service has terminated.
//
// The rules of checks.hpp take a service's policy from its `added` event, so that a trace can be checked alone. They
// would not notice a supervisor that misreads its configuration. This check compares the events with the scenario.
//
// Thread-safety: none.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <holdfast_sim/checks/detail/limit_check.hpp>
#include <holdfast_sim/checks/expectations.hpp>
#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/scenario/roster.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

namespace holdfast::sim {

class ConfigurationCheck final : public Observer {
 public:
  // The scenario outlives the check.
  explicit ConfigurationCheck(const Scenario& scenario);

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override {
    if (meaning_of(event.kind) == ChaosMeaning::unsupervised) limit_.is_unsupervised(event.at, event.until);
    if (meaning_of(event.kind) == ChaosMeaning::timer_is_late) limit_.is_late(event.service, event.until);
  }

  // The run is over. Called once.
  ExpectationResult finish(const SimulationEnd& end);

 private:
  [[nodiscard]] const FleetGroup& group_of(std::string_view service) const;
  const Order& of_services(const FleetGroup& group);
  [[nodiscard]] ServicePolicy policy_of(const FleetGroup& group);
  // An entry of the chaos adds the service.
  [[nodiscard]] bool is_added(const Event& event) const;
  // An entry of the chaos makes this policy of the one before.
  void is_reconfigured(const Event& event, const ServicePolicy& policy);
  void differs(const Event& event, std::string found);

  const Scenario& scenario_;
  const Roster roster_;
  FleetGroup of_its_own_;  // what a recorded trace brings along
  const FleetGroup* latest_group_ = nullptr;
  Order latest_order_;                                         // of it, with names of services
  std::map<std::string, ServicePolicy, std::less<>> changed_;  // the policies of services that were reconfigured
  detail::LimitCheck limit_;
  ExpectationResult result_;
  bool shutdown_requested_ = false;
};

}  // namespace holdfast::sim
