// holdfast replay: a recorded run is given to the supervisor again, which must decide the same.

#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/format/scenario_writer.hpp>
#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/present/report_text.hpp>
#include <holdfast_sim/replay/incident.hpp>
#include <holdfast_sim/replay/replay.hpp>
#include <holdfast_sim/text/wording.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "interruption.hpp"
#include "output_file.hpp"
#include "terminal.hpp"

namespace holdfast::tools::replay {

namespace {

namespace fs = std::filesystem;

constexpr auto kFooter = R"(
A program records its supervisor with ".recording = &file" in the configuration of its Runtime. The replay compares
every event and shows the first difference. A recording that was cut off is replayed as far as it goes.

The end of an outage is unknown: it lies between the last start that failed and the next one, which held. The scenario
takes the first of the two (--mended early). With --mended late no policy can recover sooner than the recorded one did.
The truth lies between the two.

Examples:
  holdfast replay recording.ndjson                         does the supervisor decide as it did then?
  holdfast replay recording.ndjson --scenario again.toml   what failed, as a scenario: change its policy and run it
  zcat recording.ndjson.gz | holdfast replay -             a recording from standard input

Exit status:
  0    every event is as recorded
  1    the replay differs from the recording
  2    bad input: the recording, the command line, or an output that cannot be written
  130  Ctrl-C; the summary is of what was replayed until then)";

struct Arguments {
  std::string recording;
  std::string trace;     // empty: none
  std::string scenario;  // empty: none
  std::string mended;    // empty: not said
  bool json = false;
};

constexpr const char* kEarly = "early";
constexpr const char* kLate = "late";

// What stands above the scenario: where it is from, when its outages end, and what it leaves out.
std::string comment_of(const sim::Incident& incident, const std::string& recording, sim::Mended mended) {
  auto text = fmt::format("# What failed in the run that {} recorded, to be rehearsed under this or another policy.\n",
                          sim::printable(recording));
  text +=
      mended == sim::Mended::early
          ? "# An outage ends with the last start that failed; --mended late ends it with the next one, which held.\n"
          : "# An outage ends with the first start that held; --mended early ends it with the last that failed.\n";
  for (const auto& part : incident.left_out()) text += fmt::format("# Left out: {}.\n", part);
  return text;
}

int write(const fs::path& file, const std::string& text) {
  OutputFile out{file};
  if (out.ok()) out.stream() << text;
  return out.close() ? all_held : complain_unwritable("scenario", out);
}

// The scenario and, beside it, its recorded trace.
int write_scenario(const fs::path& file, const sim::Incident& incident, const sim::ReplayResult& result,
                   sim::Mended mended) {
  const auto csv = file.filename().replace_extension(".csv").string();
  const auto scenario = incident.scenario(result, csv, mended);
  const auto text = comment_of(incident, result.file, mended) + sim::scenario_text(scenario);
  for (const auto& trace : sim::recorded_files(scenario)) {
    if (const int status = write(file.parent_path() / trace.path, trace.text); status != all_held) return status;
  }
  return write(file, text);
}

// Each output is a file of its own, and the scenario has its recorded trace beside it.
void check_outputs(const Arguments& arguments) {
  if (arguments.scenario.empty()) return;
  const auto csv = fs::path{arguments.scenario}.replace_extension(".csv");
  if (would_be_one_file(csv, arguments.scenario)) {
    throw UsageError{fmt::format("--scenario: {} is where its recorded trace would be written; name the scenario {}",
                                 sim::printable(arguments.scenario),
                                 sim::printable(fs::path{csv}.replace_extension(".toml").string()))};
  }
  const bool has_trace = !arguments.trace.empty() && !is_standard_stream(arguments.trace);
  if (has_trace &&
      (would_be_one_file(arguments.trace, arguments.scenario) || would_be_one_file(arguments.trace, csv))) {
    throw UsageError{
        fmt::format("--trace: {} is a file of --scenario as well; name another one", sim::printable(arguments.trace))};
  }
}

// What an output would overwrite of what is read: its name; null: nothing.
const char* overwriting_output(const Arguments& arguments) {
  if (is_standard_stream(arguments.recording)) return nullptr;
  if (!arguments.trace.empty() && is_same_file(arguments.trace, arguments.recording)) return "trace";
  if (arguments.scenario.empty()) return nullptr;
  const auto csv = fs::path{arguments.scenario}.replace_extension(".csv");
  const bool overwrites =
      is_same_file(arguments.scenario, arguments.recording) || is_same_file(csv, arguments.recording);
  return overwrites ? "scenario" : nullptr;
}

bool show(const sim::ReplayResult& result, const Arguments& arguments) {
  const auto where = is_standard_stream(arguments.trace) ? Stream::error : Stream::output;
  if (arguments.json) return print_json(sim::replay_json(result), where);
  return print(sim::replay_text(result, {.width = width(where), .colours = wants_colours(where)}), where);
}

int call(const Arguments& arguments) {
  if (arguments.trace.ends_with(".hft")) {
    throw UsageError{"--trace: a replay writes lines of JSON; name a file that ends in .ndjson"};
  }
  if (!arguments.mended.empty() && arguments.scenario.empty()) {
    throw UsageError{"--mended: says when outages of a scenario end; add --scenario OUT"};
  }
  if (is_standard_stream(arguments.scenario)) {
    throw UsageError{
        "--scenario: \"-\" is not a file; a scenario and its recorded trace are two files, so name the first"};
  }
  const bool from_stdin = is_standard_stream(arguments.recording);
  const std::string name = from_stdin ? kStandardInput : arguments.recording;
  std::ifstream file;
  if (!from_stdin) {
    file.open(arguments.recording);
    if (const auto problem = unreadable(arguments.recording, file); !problem.empty()) {
      throw sim::BadInput{{{.file = sim::printable(name), .says = problem}}};
    }
  }
  if (const auto* const output = overwriting_output(arguments)) return complain_overwrites(output, arguments.recording);
  check_outputs(arguments);
  std::unique_ptr<OutputFile> trace;
  if (!arguments.trace.empty()) {
    trace = std::make_unique<OutputFile>(arguments.trace);
    if (!trace->ok()) return complain_unwritable("trace", *trace);
  }
  sim::Incident incident;
  watch_for_interruption();
  const auto result =
      sim::replay(from_stdin ? std::cin : file, name,
                  {.trace = trace ? &trace->stream() : nullptr, .observers = {&incident}, .interrupted = interrupted});
  if (trace && !trace->close() && !trace->reader_gone()) return complain_unwritable("trace", *trace);
  if (!arguments.scenario.empty() && !result.interrupted) {
    const auto mended = arguments.mended == kLate ? sim::Mended::late : sim::Mended::early;
    if (const int status = write_scenario(arguments.scenario, incident, result, mended); status != all_held)
      return status;
  }
  if (!show(result, arguments)) return bad_input;
  if (result.interrupted) return interrupted_status();
  return result.same() ? all_held : something_violated;
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line =
      app.add_subcommand("replay", "Give a recorded run to the supervisor again and compare every event");
  line->footer(kFooter);
  line->add_option("FILE", arguments->recording, "The recording that a program wrote; - is standard input")->required();
  line->add_option("--trace", arguments->trace,
                   "Write every event to this file, one line of JSON each; - is standard output")
      ->type_name("OUT");
  line->add_option("--scenario", arguments->scenario,
                   "Write what failed, under which policies, as a scenario to this file, with a .csv beside it")
      ->type_name("OUT");
  line->add_option_function<std::string>(
          "--mended",
          [arguments](const std::string& text) {
            if (text != kEarly && text != kLate) {
              throw UsageError{fmt::format("--mended: is \"{}\"; allowed is early or late", sim::printable(text))};
            }
            arguments->mended = text;
          },
          "When the outages of the scenario end, early or late (see below); by default early")
      ->type_name("WHEN");
  line->add_flag("--json", arguments->json, "Print the summary as JSON (lib/docs/reference/json.md)");
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::replay
