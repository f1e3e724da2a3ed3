// The holdfast command: reads the command line, calls, and turns every end into an exit status.

#include <charconv>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include <holdfast/version.hpp>
#include <holdfast_sim/bad_input.hpp>

#include "commands.hpp"
#include "sweep.hpp"
#include "terminal.hpp"

namespace {

using namespace holdfast::tools;

constexpr auto kFooter = R"(
Examples:
  holdfast list                                   what there is to run
  holdfast run scenarios/failure_storm.toml       run it and show what happened
  holdfast run FILE --seed 7 --trace run.ndjson   with other dice, every event written down
  holdfast run FILE --json | jq .fleet            the summary for programs
  holdfast sweep FILE --seeds 1..1000             under a thousand seeds, on all processors
  holdfast validate scenarios/*.toml              only read the files and say what is wrong
  holdfast replay run.ndjson                      does the supervisor decide as it did in a recorded run?
  holdfast replay run.ndjson --scenario x.toml    what failed in it, to be rehearsed under another policy

Exit status:
  0  all checks and expectations held
  1  one was violated, or the run stalled; a replay is not as recorded
  2  bad input: a scenario or recording, the command line, or a trace that cannot be written
  3  a budget of the scenario ran out before its end)";

// Decimal only, and the whole range: CLI11 would read "010" as eight.
std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stopped == end ? std::optional{number} : std::nullopt;
}

std::uint64_t seed_from(const std::string& text) {
  const auto seed = whole_number(text);
  if (!seed) {
    throw CLI::ValidationError{"--seed", "\"" + text + "\" is no whole number from 0 to 18446744073709551615"};
  }
  return *seed;
}

// "A..B", both included. Not all seeds there are: their number would not fit.
Seeds seeds_from(const std::string& text) {
  const auto dots = text.find("..");
  if (dots != std::string::npos) {
    const auto first = whole_number(std::string_view{text}.substr(0, dots));
    const auto last = whole_number(std::string_view{text}.substr(dots + 2));
    if (first && last && *first <= *last && *last - *first != UINT64_MAX) return {*first, *last};
  }
  throw CLI::ValidationError{"--seeds", "\"" + text + "\" is no range of seeds, the smaller first, like 1..1000"};
}

int parse_and_call(int argc, char** argv) {
  CLI::App app{"Rehearses supervised fleets in virtual time: the real supervisor, simulated services and failures.",
               "holdfast"};
  app.footer(kFooter);
  app.set_version_flag("--version", "holdfast " HOLDFAST_VERSION_TEXT, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.require_subcommand(1);

  RunArguments arguments;
  std::string scenario, trace;
  auto* const run_command = app.add_subcommand("run", "Run a scenario and show what happened");
  run_command->add_option("FILE", scenario, "The scenario, a TOML file")->required();
  run_command
      ->add_option_function<std::string>(
          "--seed", [&](const std::string& text) { arguments.seed = seed_from(text); },
          "Replaces the scenario's seed: a whole number")
      ->type_name("N");
  auto* const trace_option =
      run_command->add_option("--trace", trace, "Write every event to this file, a line of JSON each")
          ->type_name("OUT");
  auto* const quiet = run_command->add_flag("--quiet", arguments.quiet, "Print one line: verdict and digest");
  run_command->add_flag("--json", arguments.json, "Print the summary as JSON")->excludes(quiet);

  SweepArguments sweep_arguments;
  auto* const sweep_command = app.add_subcommand("sweep", "Run a scenario under many seeds: a line for each");
  sweep_command->add_option("FILE", scenario, "The scenario, a TOML file")->required();
  sweep_command
      ->add_option_function<std::string>(
          "--seeds", [&](const std::string& text) { sweep_arguments.seeds = seeds_from(text); },
          "The first seed and the last, both included")
      ->type_name("A..B")
      ->required();
  constexpr unsigned kJobsMax = 1024;
  sweep_command->add_option("--jobs", sweep_arguments.jobs, "Runs at a time; by default one for each processor")
      ->type_name("N")
      ->check(CLI::Range(1U, kJobsMax));
  sweep_command->add_flag("--json", sweep_arguments.json, "Print an object a line as JSON, the summary last");

  ReplayArguments replay_arguments;
  std::string recording;
  auto* const replay_command =
      app.add_subcommand("replay", "Give a recorded run to the supervisor again: it must decide the same");
  replay_command->add_option("FILE", recording, "The recording, as a program's recorder wrote it")->required();
  auto* const replay_trace_option =
      replay_command->add_option("--trace", trace, "Write every event to this file, a line of JSON each")
          ->type_name("OUT");
  auto* const incident_option =
      replay_command
          ->add_option(
              "--scenario", scenario,
              "Write fleet, policies and failures as a scenario to this file, and the failures beside it as .csv")
          ->type_name("OUT");
  replay_command->add_flag("--json", replay_arguments.json, "Print the summary as JSON");

  std::vector<std::string> scenarios;
  auto* const validate_command = app.add_subcommand("validate", "Read scenarios and say everything that is wrong");
  validate_command->add_option("FILE", scenarios, "Scenarios, TOML files")->required();

  std::string folder = "scenarios";
  auto* const list_command = app.add_subcommand("list", "List the scenarios of a folder");
  list_command->add_option("FOLDER", folder, "Where the scenarios are")->capture_default_str();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? all_held : bad_input;
  }
  if (*run_command) {
    arguments.scenario = scenario;
    if (*trace_option) arguments.trace = trace;
    return run(arguments);
  }
  if (*sweep_command) {
    sweep_arguments.scenario = scenario;
    return sweep(sweep_arguments);
  }
  if (*replay_command) {
    replay_arguments.recording = recording;
    if (*replay_trace_option) replay_arguments.trace = trace;
    if (*incident_option) replay_arguments.scenario = scenario;
    return replay(replay_arguments);
  }
  if (*validate_command) return validate({scenarios.begin(), scenarios.end()});
  if (*list_command) return list(folder);
  return bad_input;
}

}  // namespace

int main(int argc, char** argv) {
  prepare_streams();
  try {
    return parse_and_call(argc, argv);
  } catch (const holdfast::sim::BadInput& bad) {
    complain(std::string{bad.what()} + '\n');
  } catch (const std::exception& error) {
    complain(std::string{"holdfast: "} + error.what() + '\n');
  }
  return bad_input;
}
