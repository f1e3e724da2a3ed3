// Files that are read, and standard input, which "-" stands for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

namespace CLI {
class App;
}

namespace holdfast::tools {

// What messages call standard input.
inline constexpr const char* kStandardInput = "<stdin>";

// Throws BadInput. `warnings`, where it is given, receives what is questionable. A scenario from standard input names
// its recorded traces relative to the current folder.
sim::Scenario scenario_from(const std::string& path, std::vector<sim::Complaint>* warnings = nullptr);

// What is wrong with a file that was opened; empty: it can be read. It need not be an ordinary file: a recording may
// come through a pipe.
std::string unreadable(const std::filesystem::path& file, const std::ifstream& opened);

// The same with values that replace those of the file: the arguments of --set. Throws UsageError, too.
sim::Scenario scenario_with(const std::vector<std::string>& settings, const std::string& path,
                            std::vector<sim::Complaint>* warnings = nullptr);

// The text of it, where it came from, and the folder of its recorded traces. Throws the same.
struct ScenarioSource {
  std::string text{};
  std::string file{};
  std::filesystem::path folder{};
};
ScenarioSource scenario_source(const std::vector<std::string>& settings, const std::string& path,
                               std::vector<sim::Complaint>* warnings = nullptr);

// In which line of that file each entry of its chaos begins; none for standard input, which is gone.
std::vector<std::uint32_t> chaos_lines_of(const std::string& path);

// What a file that is to be written would overwrite of what a rehearsal of the scenario reads; nullopt: nothing.
std::optional<std::filesystem::path> overwritten_input(const std::string& output, const std::string& path,
                                                       const sim::Scenario& scenario);

// Adds --set to a command.
void add_settings(CLI::App& line, std::vector<std::string>& settings);

}  // namespace holdfast::tools
