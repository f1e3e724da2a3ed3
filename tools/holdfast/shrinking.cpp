#include "shrinking.hpp"

#include <algorithm>
#include <filesystem>
#include <variant>

#include <holdfast_sim/format/scenario_reader.hpp>

#include "command_line.hpp"

namespace holdfast::tools {

bool loses_traces(const sim::ShrinkResult& result, const ScenarioSource& source, const std::string& out) {
  namespace fs = std::filesystem;
  const auto scenario = sim::parse_scenario(result.text, source.file, source.folder);
  const bool has_traces = std::any_of(scenario.chaos.begin(), scenario.chaos.end(), [](const auto& entry) {
    return std::holds_alternative<sim::Recorded>(entry.what);
  });
  const auto folder_of = [](const fs::path& file) { return fs::absolute(file).lexically_normal().parent_path(); };
  return has_traces && !is_standard_stream(out) && folder_of(out) != folder_of(source.folder / "x");
}

}  // namespace holdfast::tools
