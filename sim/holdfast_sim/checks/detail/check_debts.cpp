#include <holdfast_sim/checks/detail/check_debts.hpp>

#include <utility>
#include <variant>

#include <fmt/format.h>

#include <holdfast_sim/observe/event_log.hpp>

namespace holdfast::sim::detail {

void DebtRules::comes_back_in_place(const Event& event) {
  const auto* const added = std::get_if<event::Added>(&event.what);
  const bool right =
      added && event.name == replaced->name && event.at == replaced->at && added->runs_before.value == replaced->run;
  found.tested(Rule::restarts_when_commanded);
  if (!right) {
    replaced->lines.push_back(describe(event));
    found.violated(
        Rule::restarts_when_commanded, replaced->name, replaced->at,
        fmt::format("a restart command removes a terminated service and adds it again at once, with run numbers "
                    "going on after {}; found {}",
                    replaced->run, kind(event)),
        std::move(replaced->lines));
  }
  replaced.reset();
}

}  // namespace holdfast::sim::detail
