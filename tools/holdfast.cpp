// The holdfast command: reads the command line, calls, and turns every end into an exit status.

#include <charconv>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include <holdfast_sim/bad_input.hpp>

#include "commands.hpp"
#include "terminal.hpp"

namespace {

using namespace holdfast::tools;

constexpr auto kFooter = R"(
Examples:
  holdfast list                                   what there is to run
  holdfast run scenarios/failure_storm.toml       run it and show what happened
  holdfast run FILE --seed 7 --trace run.ndjson   with other dice, every event written down
  holdfast run FILE --json | jq .fleet            the summary for programs
  holdfast validate scenarios/*.toml              only read the files and say what is wrong

Exit status:
  0  all checks and expectations held
  1  one was violated, or the run stalled
  2  bad input: a scenario, the command line, or a trace that cannot be written
  3  a budget of the scenario ran out before its end)";

// Decimal only, and the whole range: CLI11 would read "010" as eight.
std::uint64_t seed_from(const std::string& text) {
  std::uint64_t seed = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, seed);
  if (error != std::errc{} || stopped != end) {
    throw CLI::ValidationError{"--seed", "\"" + text + "\" is no whole number from 0 to 18446744073709551615"};
  }
  return seed;
}

int parse_and_call(int argc, char** argv) {
  CLI::App app{"Rehearses supervised fleets in virtual time: the real supervisor, simulated services and failures.",
               "holdfast"};
  app.footer(kFooter);
  app.set_version_flag("--version", "holdfast " HOLDFAST_VERSION, "Print the version and exit");
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
