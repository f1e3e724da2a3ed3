#include <holdfast_sim/scenario/roster.hpp>

#include <variant>

namespace holdfast::sim {

Roster roster_of(const Scenario& scenario) {
  Roster roster;
  for (const auto& group : scenario.fleet) roster.add(group.name, group.count);
  for (const auto& entry : scenario.chaos) {
    const auto* const recorded = std::get_if<Recorded>(&entry.what);
    if (!recorded || !recorded->of.empty()) continue;
    for (const auto& entity : recorded->trace.entities) {
      if (!roster.group_of(entity)) roster.add(entity, std::nullopt);
    }
  }
  return roster;
}

}  // namespace holdfast::sim
