// Makes a Scenario of a file that was held against the format.
#pragma once

#include <string_view>

#include <holdfast_sim/detail/toml_document.hpp>
#include <holdfast_sim/scenario.hpp>

namespace holdfast::sim::detail {

// What is refused is left at its default, so that the rest can be looked at all the same; groups and chaos entries
// keep their places. Recorded traces are named, not yet read.
Scenario map_scenario(const TomlValue& document);

}  // namespace holdfast::sim::detail
