// holdfast list: which scenarios there are to run.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/present/report_text.hpp>
#include <holdfast_sim/text/wording.hpp>

#include "command.hpp"
#include "exit_status.hpp"
#include "terminal.hpp"

namespace holdfast::tools::list {

namespace {

namespace fs = std::filesystem;

constexpr auto kFooter = R"(
Without a FOLDER it lists ./scenarios if there is one, and otherwise the scenarios that were installed with holdfast.

Examples:
  holdfast list
  holdfast list my_scenarios

Exit status:
  0  every scenario listed can be run
  2  one of them cannot, or there is none)";

// Where `meson install` puts the scenarios, seen from where this program lies: an installed tree can be moved.
fs::path installed_folder() {
  std::error_code error;
  const auto program = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  return (program.parent_path() / HOLDFAST_SCENARIOS_FROM_PROGRAM).lexically_normal();
}

// The scenarios that are at hand when no folder is named.
fs::path default_folder() {
  std::error_code error;
  fs::path here = "scenarios";
  if (fs::is_directory(here, error)) return here;
  const auto installed = installed_folder();
  return fs::is_directory(installed, error) ? installed : here;
}

std::vector<fs::path> scenarios_in(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> files;
  for (fs::directory_iterator entry{folder, error}, end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".toml") files.push_back(entry->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string first_comment_line(const fs::path& file) {
  std::ifstream in{file};
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() != '#') continue;
    const auto begins = line.find_first_not_of("# \t");
    return begins == std::string::npos ? std::string{} : line.substr(begins);
  }
  return {};
}

struct Entry {
  std::string text;
  bool good = true;
};

// The path is never cut: it is there to be copied.
Entry describe(const fs::path& file) {
  const auto room = width(Stream::output) - 2;
  try {
    const auto scenario = sim::read_scenario(file);
    auto text = fmt::format("{}\n  {}\n", sim::printable(file.string()),
                            sim::fit(scenario.name + ": " + sim::extent_text(scenario), room));
    if (const auto comment = first_comment_line(file); !comment.empty()) {
      text += fmt::format("  {}\n", sim::fit(comment, room));
    }
    return {std::move(text)};
  } catch (const sim::BadInput& bad) {
    const auto count = bad.complaints().size();
    return {fmt::format("{0}\n  cannot be run: {1} complaint{2}; holdfast validate shows {3}\n",
                        sim::printable(file.string()), count, count == 1 ? "" : "s", count == 1 ? "it" : "them"),
            false};
  }
}

int call(const std::string& argument) {
  const auto folder = argument.empty() ? default_folder() : fs::path{argument};
  std::error_code error;
  const auto files = scenarios_in(folder, error);
  if (error || files.empty()) {
    complain(fmt::format("holdfast: {}: {}{}\n", sim::printable(folder.string()),
                         error ? error.message() : "holds no scenario (*.toml)",
                         argument.empty() ? "; \"holdfast init\" writes a first one" : ""));
    return bad_input;
  }
  int status = all_held;
  for (const auto& file : files) {
    const auto entry = describe(file);
    if (!entry.good) status = bad_input;
    if (!print(entry.text)) return bad_input;
  }
  return status;
}

}  // namespace

Command add_to(CLI::App& app) {
  auto folder = std::make_shared<std::string>();
  auto* const line = app.add_subcommand("list", "List the scenarios of a folder, or those at hand");
  line->footer(kFooter);
  line->add_option("FOLDER", *folder, "Where the scenarios are");
  return {line, [folder] { return call(*folder); }};
}

}  // namespace holdfast::tools::list
