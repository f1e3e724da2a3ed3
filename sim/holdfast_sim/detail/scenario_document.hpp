// Makes of a Scenario what its file would say: the way back from scenario_mapping.hpp.
#pragma once

#include <holdfast_sim/detail/toml_document.hpp>
#include <holdfast_sim/scenario.hpp>

namespace holdfast::sim::detail {

// What has its default is left out. A value that no file can hold stands there all the same, for check_format to
// refuse. Recorded traces are named, not written.
TomlValue document_of(const Scenario& scenario);

}  // namespace holdfast::sim::detail
