// What `shrink` and the corpus of a sweep share.
#pragma once

#include <string>

#include <holdfast_sim/search/shrink.hpp>

#include "input.hpp"

namespace holdfast::tools {

// Whether the scenario names recorded traces that it would not find from `out`, a file or "-": they are named relative
// to the folder of the scenario.
bool loses_traces(const sim::ShrinkResult& result, const ScenarioSource& source, const std::string& out);

}  // namespace holdfast::tools
