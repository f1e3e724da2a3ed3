// The rules that look at more than one key of a scenario, or at another file.
#pragma once

#include <filesystem>
#include <string>

#include <holdfast/file/complaints.hpp>
#include <holdfast/file/toml_document.hpp>
#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim::detail {

struct CheckedScenario {
  const TomlValue& document;  // compared with the format
  Scenario& scenario;         // made of it
  std::string file;
  std::filesystem::path folder;
  Complaints& complaints;
  Complaints& warnings;
};

// Reads the recorded traces into the scenario, then checks everything that was not refused before.
void check_scenario(const CheckedScenario& checked);

}  // namespace holdfast::sim::detail
