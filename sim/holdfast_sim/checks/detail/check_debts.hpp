// Compares each event of a service with the event that had to come next.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/checks/detail/check_findings.hpp>
#include <holdfast_sim/checks/detail/check_lives.hpp>
#include <holdfast_sim/checks/detail/check_owed.hpp>
#include <holdfast_sim/checks/detail/check_retries.hpp>

namespace holdfast::sim::detail {

using holdfast::to_string;

struct DebtRules {
  Findings& found;
  const RetryRules& retries;

  // A restart in place: removed, and to be added again with the next event.
  struct Replaced {
    std::string name;
    TimePoint at;
    std::uint64_t run;
    std::vector<std::string> lines;
  };
  std::optional<Replaced> replaced = std::nullopt;

  // Compares an event with the one that was owed. No other event of the service may come before it.
  template <class What>
  void settle(Step& step, const What& what) {
    Life& life = step.life;
    const Owed owed = life.owed;
    const bool is_optional = life.owed_is_optional;
    life.owed = Owed::nothing;
    life.owed_is_optional = false;
    if (life.restart_ignored && step.event.at > step.past.ignored_at) restarts_when_commanded(step);
    if (owed == Owed::nothing) return;
    const bool right = pays(owed, life.owed_cause, what);
    if (right && step.event.at == life.owed_at) {
      step.paid = owed;
      found.tested(text_of(owed).rule);
    } else if (is_optional) {
      return;
    } else if (!right && may_be_overtaken(owed)) {
      life.restart_ignored = true;
      step.past.ignored_at = life.owed_at;
    } else if (!step.explained) {
      const Rule rule = blame(owed, step.event);
      found.test(rule, false, step, [&] {
        std::string says = fmt::format("{}; ", text_of(owed).says);
        says += right ? fmt::format("it came {} late", to_string(step.event.at - life.owed_at))
                      : fmt::format("found {}", kind(step.event));
        if (rule == Rule::trips_exactly_when_the_window_says_so) says += "; " + retries.window_text(step);
        return says;
      });
    }
  }

  // If a breaker opens where the policy asks for something else, the rule of the breaker is broken.
  static Rule blame(Owed owed, const Event& event) noexcept {
    const auto* const terminated = std::get_if<event::Terminated>(&event.what);
    const bool opens = std::holds_alternative<event::BreakerTripped>(event.what) ||
                       (terminated && terminated->why.reason == Termination::Reason::circuit_open);
    return opens ? Rule::trips_exactly_when_the_window_says_so : text_of(owed).rule;
  }

  // The remove that has overtaken the restart is reported within the instant.
  void restarts_when_commanded(Step& step) {
    step.life.restart_ignored = false;
    found.test(Rule::restarts_when_commanded, false, step, [&] {
      return fmt::format("the restart command at {} was ignored, though no remove or shutdown came after it",
                         to_string(step.past.ignored_at));
    });
  }

  // The event after the removal.
  void comes_back_in_place(const Event& event);
};

}  // namespace holdfast::sim::detail
