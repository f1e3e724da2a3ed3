#include "input.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>

#include <CLI/CLI.hpp>
#include <holdfast/file/small_file.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/search/settings.hpp>

#include "command_line.hpp"
#include "output_file.hpp"

namespace holdfast::tools {

namespace {

// As much as a scenario may have, and a little more: the reader complains about that.
std::string standard_input() {
  static bool is_read = false;
  if (std::exchange(is_read, true)) throw UsageError{"standard input (-) can be one file only"};
  std::string text;
  std::array<char, 1 << 14> part{};
  while (text.size() <= sim::kScenarioSizeMax) {
    const auto size = std::fread(part.data(), 1, part.size(), stdin);
    if (size == 0) break;
    text.append(part.data(), size);
  }
  if (std::ferror(stdin) != 0) {
    throw sim::BadInput({{kStandardInput, 0, 0, "", std::string{"cannot be read: "} + std::strerror(errno)}});
  }
  return text;
}

}  // namespace

sim::Scenario scenario_from(const std::string& path, std::vector<sim::Complaint>* warnings) {
  if (!is_standard_stream(path)) return sim::read_scenario(path, warnings);
  return sim::parse_scenario(standard_input(), kStandardInput, "", warnings);
}

std::string unreadable(const std::filesystem::path& file, const std::ifstream& opened) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found) return "does not exist";
  if (std::filesystem::is_directory(status)) return "is a folder; allowed is a file";
  return opened ? "" : "cannot be read: is this user allowed to?";
}

ScenarioSource scenario_source(const std::vector<std::string>& settings, const std::string& path,
                               std::vector<sim::Complaint>* warnings) {
  ScenarioSource source{.file = kStandardInput};
  if (is_standard_stream(path)) {
    source.text = standard_input();
  } else {
    const std::filesystem::path file{path};
    source.file = file.generic_string();
    source.folder = file.parent_path();
    const auto read = file::read_small_file(file, sim::kScenarioSizeMax);
    if (!read.problem.empty()) throw sim::BadInput({{source.file, 0, 0, "", read.problem}});
    source.text = read.text;
  }
  try {
    source.text = sim::text_with(settings, source.text, source.file, source.folder, warnings);
  } catch (const sim::BadSetting& bad) {
    throw UsageError{std::string{"--set: "} + bad.what()};
  }
  return source;
}

sim::Scenario scenario_with(const std::vector<std::string>& settings, const std::string& path,
                            std::vector<sim::Complaint>* warnings) {
  if (settings.empty()) return scenario_from(path, warnings);
  const auto source = scenario_source(settings, path, warnings);
  return sim::parse_scenario(source.text, source.file, source.folder);
}

std::vector<std::uint32_t> chaos_lines_of(const std::string& path) {
  if (is_standard_stream(path)) return {};
  const auto read = file::read_small_file(path, sim::kScenarioSizeMax);
  if (!read.problem.empty()) return {};
  return sim::chaos_lines(read.text, path);
}

std::optional<std::filesystem::path> overwritten_input(const std::string& output, const std::string& path,
                                                       const sim::Scenario& scenario) {
  if (output.empty() || is_standard_stream(output)) return std::nullopt;
  const bool from_file = !is_standard_stream(path);
  const std::filesystem::path file = from_file ? path : "";
  if (from_file && is_same_file(output, file)) return file;
  for (const auto& chaos : scenario.chaos) {
    const auto* const recorded = std::get_if<sim::Recorded>(&chaos.what);
    if (!recorded) continue;
    if (auto input = file.parent_path() / recorded->file; is_same_file(output, input)) return input;
  }
  return std::nullopt;
}

void add_settings(CLI::App& line, std::vector<std::string>& settings) {
  line.add_option("--set", settings, "Replace a value of the scenario: supervisor.backoff.max=10s, fleet.feed.count=5")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

}  // namespace holdfast::tools
