// Another policy: what an operator changes while the fleet runs.
#pragma once

#include <optional>
#include <string_view>

#include <holdfast/file/keys.hpp>
#include <holdfast/policy.hpp>
#include <holdfast_sim/scenario/chaos/command.hpp>
#include <holdfast_sim/scenario/chaos/strike.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// What an operator changes of a policy. The rest stays.
struct PolicyChange {
  std::optional<RestartPolicy> restart{};
  std::optional<BackoffPolicy> backoff{};
  std::optional<Duration> stop_grace{};
  std::optional<ExitRules> exit_rules{};
  std::optional<EndsFleet> ends_fleet{};
  bool forget_when_done = false;  // true: from then on
  friend bool operator==(const PolicyChange&, const PolicyChange&) = default;

  void apply_to(ServicePolicy& policy) const {
    if (restart) policy.restart = *restart;
    if (backoff) policy.backoff = *backoff;
    if (stop_grace) policy.stop_grace = *stop_grace;
    if (exit_rules) policy.exit_rules = *exit_rules;
    if (ends_fleet) policy.ends_fleet = *ends_fleet;
    if (forget_when_done) policy.forget_when_done = true;
  }
};

struct Reconfigure {
  static constexpr std::string_view kKey = "reconfigure";
  static constexpr std::string_view kHelp =
      "an operator gives each of the targets another policy while it runs: "
      "`reconfigure = { of = \"web\", backoff = { max = \"5min\" } }`. What stands here is changed, and the rest of "
      "its policy stays. [Semantics](../semantics.md#69-run-time-changes) says what follows. A service that has "
      "terminated "
      "or is being stopped for good keeps its policy";
  static constexpr bool kReachesNobody = true;  // the supervisor's own events have it

  Target target{};
  PolicyChange change{};
  std::optional<Rolling> batches{};  // nullopt: all at once
  friend bool operator==(const Reconfigure&, const Reconfigure&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.all_of(&Reconfigure::target);
    keys.all_of(&Reconfigure::change);
    keys.key("batches", &Reconfigure::batches,
             {.otherwise = "all at once",
              .help = "in batches, in the order of the fleet, of which the next one waits until the last one runs"});
    keys.choice(file::Table::Choice::at_least_one,
                {"restart", "backoff", "stop_grace", "exit_rules", "ends_fleet", "forget_when_done"});
  }

  template <class Rules>
  void check(Rules& rules) const {
    if (batches && target.spread) {
      rules.complain("spread", "stands beside \"batches\", which say when each is reached; leave one of them out");
    }
    if (change.backoff) rules.backoff_works("backoff", *change.backoff);
    if (change.exit_rules) rules.exit_rules_work(*change.exit_rules);
  }

  void strike(Strike& strike) const {
    const auto hit = [change = change](Victim& victim) { victim.reconfigure(change); };
    if (!batches) return strike.for_each(target, hit);
    strike.in_batches(target, {batches->size, batches->gap, Phase::running}, hit);
  }
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
