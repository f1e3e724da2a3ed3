// Which service belongs to which group of a scenario. holdfast/file/roster.hpp has the rule.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <holdfast/file/roster.hpp>
#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/text/file.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// The groups of the fleet in their order, then each service that recorded traces bring along, in the order in which
// they name them. Keeps nothing of `scenario`.
Roster roster_of(const Scenario& scenario);

}  // namespace holdfast::sim

#pragma GCC visibility pop
