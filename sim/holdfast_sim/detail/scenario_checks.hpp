// The rules that look at more than one key of a scenario, or at another file.
#pragma once

#include <filesystem>
#include <string>

#include <holdfast_sim/detail/complaints.hpp>
#include <holdfast_sim/detail/toml_document.hpp>
#include <holdfast_sim/scenario.hpp>

namespace holdfast::sim::detail {

struct CheckedScenario {
  const TomlValue& document;  // held against the format
  Scenario& scenario;         // made of it
  std::string file;
  std::filesystem::path folder;
  Complaints& complaints;
  Complaints& warnings;
};

// Reads the recorded traces into the scenario, then checks everything. What was refused before is passed over.
void check_scenario(const CheckedScenario& checked);

}  // namespace holdfast::sim::detail
