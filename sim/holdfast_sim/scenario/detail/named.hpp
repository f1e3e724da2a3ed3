// Whom the names in a scenario mean.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/scenario/roster.hpp>

namespace holdfast::sim::detail {

// Whether a service is the one of this name, or belongs to the group of this name.
bool is_of(const Roster& roster, std::string_view service, std::string_view name);
// Whether a target of chaos names it: by its own name, that of its group, or a pattern. None at all name everybody.
bool is_named(const Roster& roster, std::string_view service, const std::vector<std::string>& names);

}  // namespace holdfast::sim::detail
