#include "commands.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>

#include <fmt/format.h>

#include <holdfast_sim/bad_input.hpp>
#include <holdfast_sim/detail/human_text.hpp>
#include <holdfast_sim/detail/message_text.hpp>
#include <holdfast_sim/incident.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/replay.hpp>
#include <holdfast_sim/report_json.hpp>
#include <holdfast_sim/report_text.hpp>
#include <holdfast_sim/scenario_reader.hpp>
#include <holdfast_sim/scenario_writer.hpp>

#include "output_file.hpp"
#include "terminal.hpp"

namespace holdfast::tools {

namespace {

namespace fs = std::filesystem;

int exit_status(sim::RehearsalVerdict verdict) {
  switch (verdict) {
    case sim::RehearsalVerdict::held: return all_held;
    case sim::RehearsalVerdict::violated: return something_violated;
    case sim::RehearsalVerdict::out_of_budget: return budget_ran_out;
  }
  return something_violated;
}

int unwritable(const OutputFile& file, std::string_view what = "trace") {
  complain(fmt::format("holdfast: cannot write the {} {}\n", what, file.problem()));
  return bad_input;
}

bool is_same_file(const fs::path& a, const fs::path& b) {
  std::error_code neither_exists;
  return fs::equivalent(a, b, neither_exists);
}

int overwrites(const fs::path& input, std::string_view what = "trace") {
  complain(fmt::format("holdfast: the {} would overwrite {}, which is being read\n", what, input.string()));
  return bad_input;
}

// What `trace` would overwrite of what the rehearsal reads; nullopt: nothing.
std::optional<fs::path> overwritten_input(const fs::path& trace, const fs::path& file, const sim::Scenario& scenario) {
  const auto is_trace = [&](const fs::path& input) { return is_same_file(trace, input); };
  if (is_trace(file)) return file;
  for (const auto& chaos : scenario.chaos) {
    const auto* const recorded = std::get_if<sim::Recorded>(&chaos.what);
    if (recorded && is_trace(file.parent_path() / recorded->file)) return file.parent_path() / recorded->file;
  }
  return std::nullopt;
}

// A result with how long it took.
struct Rehearsed {
  sim::RehearsalResult result;
  Duration wall;
};

Rehearsed rehearse(const sim::Scenario& scenario, const RunArguments& arguments, std::ostream* trace) {
  ProgressLine progress;
  sim::RehearsalOptions options{.trace = trace};
  if (arguments.seed) options.seed = Seed{*arguments.seed};
  if (progress.possible() && !arguments.quiet) options.progress = [&](const auto& now) { progress.show(now); };
  const auto began = std::chrono::steady_clock::now();
  auto result = sim::rehearse(scenario, options);
  return {std::move(result), std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - began)};
}

std::string summary(const Rehearsed& rehearsed, const RunArguments& arguments,
                    const std::vector<sim::Complaint>& warnings) {
  if (arguments.json) return sim::report_json(rehearsed.result, rehearsed.wall, warnings);
  if (arguments.quiet) return sim::report_line(rehearsed.result);
  return sim::report_text(
      rehearsed.result,
      {.width = width_at_most(100), .colours = wants_colours(), .wall = rehearsed.wall, .warnings = warnings});
}

}  // namespace

int run(const RunArguments& arguments) {
  std::vector<sim::Complaint> warnings;
  const auto scenario = sim::read_scenario(arguments.scenario, &warnings);
  std::unique_ptr<OutputFile> trace;
  if (arguments.trace) {
    if (const auto input = overwritten_input(*arguments.trace, arguments.scenario, scenario)) return overwrites(*input);
    trace = std::make_unique<OutputFile>(*arguments.trace);
    if (!trace->ok()) return unwritable(*trace);
  }
  try {
    const auto rehearsed = rehearse(scenario, arguments, trace ? &trace->stream() : nullptr);
    if (trace && !trace->close()) return unwritable(*trace);
    return print(summary(rehearsed, arguments, warnings)) ? exit_status(rehearsed.result.verdict()) : bad_input;
  } catch (const sim::TraceNotWritten&) {
    return unwritable(*trace);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

namespace {

// Those of the fleet, and those that a recorded trace adds to it.
std::uint64_t services_of(const sim::Scenario& scenario) {
  std::uint64_t count = 0;
  std::set<std::string_view> names;
  for (const auto& group : scenario.fleet) {
    count += group.size();
    if (!group.count) names.insert(group.name);
  }
  for (const auto& entry : scenario.chaos) {
    const auto* const recorded = std::get_if<sim::Recorded>(&entry.what);
    if (!recorded || !recorded->of.empty()) continue;
    for (const auto& entity : recorded->trace.entities) count += names.insert(entity).second;
  }
  return count;
}

std::string extent_of(const sim::Scenario& scenario) {
  return fmt::format("{}, {}", sim::detail::counted(services_of(scenario), "service"),
                     scenario.duration ? to_string(*scenario.duration) : "until nothing is left to happen");
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

}  // namespace

namespace {

// Empty: it can be read. It need not be an ordinary file: a recording may come through a pipe.
std::string unreadable(const fs::path& file, const std::ifstream& opened) {
  std::error_code error;
  const auto status = fs::status(file, error);
  if (status.type() == fs::file_type::not_found) return "does not exist";
  if (fs::is_directory(status)) return "is a folder; allowed is a file";
  return opened ? "" : "cannot be read: is this user allowed to?";
}

// What stands above the scenario: where it is from, and what it leaves out.
std::string comment_of(const sim::Incident& incident, const std::string& recording) {
  auto text = fmt::format("# What failed in the run that {} recorded, to be rehearsed under this or another policy.\n",
                          sim::detail::printable(recording));
  for (const auto& part : incident.left_out()) text += fmt::format("# Left out: {}.\n", part);
  return text;
}

int write(const fs::path& file, const std::string& text) {
  OutputFile out{file};
  if (out.ok()) out.stream() << text;
  return out.close() ? all_held : unwritable(out, "scenario");
}

// The scenario and, beside it, its recorded trace.
int write_scenario(const fs::path& file, const sim::Incident& incident, const sim::ReplayResult& result) {
  const auto csv = file.filename().replace_extension(".csv").string();
  const auto scenario = incident.scenario(result, csv);
  const auto text = comment_of(incident, result.file) + sim::scenario_text(scenario);
  for (const auto& trace : sim::recorded_files(scenario)) {
    if (const int status = write(file.parent_path() / trace.path, trace.text); status != all_held) return status;
  }
  return write(file, text);
}

}  // namespace

int replay(const ReplayArguments& arguments) {
  const std::string name = arguments.recording.string();
  std::ifstream in{arguments.recording};
  if (const auto problem = unreadable(arguments.recording, in); !problem.empty()) {
    throw sim::BadInput{{{.file = sim::detail::printable(name), .says = problem}}};
  }
  std::unique_ptr<OutputFile> trace;
  if (arguments.trace) {
    if (is_same_file(*arguments.trace, arguments.recording)) return overwrites(arguments.recording);
    trace = std::make_unique<OutputFile>(*arguments.trace);
    if (!trace->ok()) return unwritable(*trace);
  }
  if (arguments.scenario) {
    auto csv = *arguments.scenario;
    if (is_same_file(*arguments.scenario, arguments.recording) ||
        is_same_file(csv.replace_extension(".csv"), arguments.recording)) {
      return overwrites(arguments.recording, "scenario");
    }
  }
  sim::Incident incident;
  const auto result = sim::replay(in, name, {.trace = trace ? &trace->stream() : nullptr, .observers = {&incident}});
  if (trace && !trace->close()) return unwritable(*trace);
  if (arguments.scenario) {
    if (const int status = write_scenario(*arguments.scenario, incident, result); status != all_held) return status;
  }
  const auto text = arguments.json
                        ? sim::replay_json(result)
                        : sim::replay_text(result, {.width = width_at_most(100), .colours = wants_colours()});
  if (!print(text)) return bad_input;
  return result.same() ? all_held : something_violated;
}

// ---------------------------------------------------------------------------------------------------------------------

int validate(const std::vector<fs::path>& scenarios) {
  int status = all_held;
  for (const auto& file : scenarios) {
    std::vector<sim::Complaint> warnings;
    std::string says;
    try {
      const auto scenario = sim::read_scenario(file, &warnings);
      says = fmt::format("ok {}: {}\n", file.string(), extent_of(scenario));
      for (const auto& warning : warnings) says += fmt::format("warning: {}\n", to_string(warning));
    } catch (const sim::BadInput& bad) {
      complain(fmt::format("{}\n", bad.what()));
      status = bad_input;
    }
    if (!print(says)) return bad_input;
  }
  return status;
}

int list(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator entry{folder, error}, end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".toml") files.push_back(entry->path());
  }
  if (error || files.empty()) {
    complain(
        fmt::format("holdfast: {}: {}\n", folder.string(), error ? error.message() : "holds no scenario (*.toml)"));
    return bad_input;
  }
  std::sort(files.begin(), files.end());
  int status = all_held;
  for (const auto& file : files) {
    std::string says;
    try {
      const auto scenario = sim::read_scenario(file);
      says = fmt::format("{}\n  {}: {}\n", file.string(), scenario.name, extent_of(scenario));
      if (const auto comment = first_comment_line(file); !comment.empty()) {
        says += fmt::format("  {}\n", sim::detail::fit(comment, 98));
      }
    } catch (const sim::BadInput& bad) {
      says = fmt::format("{}\n  cannot be run: {}; see holdfast validate\n", file.string(),
                         sim::detail::counted(bad.complaints().size(), "complaint"));
      status = bad_input;
    }
    if (!print(says)) return bad_input;
  }
  return status;
}

}  // namespace holdfast::tools
