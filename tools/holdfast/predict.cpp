// holdfast predict: what the policies of a scenario come to while every start fails, computed and simulated.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/file/duration_text.hpp>
#include <holdfast/file/meant_duration.hpp>
#include <holdfast_sim/predict/prediction.hpp>
#include <holdfast_sim/present/prediction_text.hpp>
#include <holdfast_sim/text/wording.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "terminal.hpp"

namespace holdfast::tools::predict {

namespace {

constexpr auto kFooter = R"(
For each group: when its breaker opens while every start fails, which outages it survives, how often it restarts, which
runs neither open the breaker nor reset the backoff, and which settings are out of reach. Nothing of the scenario is
run; lib/docs/guide/predicting.md explains every figure.

Examples:
  holdfast predict scenarios/failure_storm.toml
  holdfast predict FILE --fails-after 5s            each start fails after 5 s
  holdfast predict FILE --services 0                computed figures only
  holdfast predict FILE --json | jq .groups

Exit status:
  0  printed
  2  bad input: the scenario or the command line)";

constexpr std::uint32_t kServicesMax = 100'000;

struct Arguments {
  std::string scenario;
  sim::PredictionOptions options;
  bool json = false;
};

Duration fails_after_from(const std::string& text) {
  const auto length = file::parse_duration(text);
  if (length && *length >= Duration::zero() && *length <= kDurationMax) return *length;
  auto meant = file::meant_duration(text);
  if (!meant) meant = file::meant_seconds(text);
  throw UsageError{fmt::format("--fails-after: \"{}\" is not a length of time; write {}", sim::printable(text),
                               meant ? to_string(*meant) : "a number and a unit, like 20ms, 5s or 1min30s")};
}

int call(const Arguments& arguments) {
  const auto prediction = sim::predict(scenario_from(arguments.scenario), arguments.options);
  if (arguments.json) return print_json(sim::prediction_json(prediction)) ? all_held : bad_input;
  return print(sim::prediction_text(prediction, width())) ? all_held : bad_input;
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("predict", "Compute what the policies do while every start fails");
  line->footer(kFooter);
  add_scenario(*line, arguments->scenario);
  line->add_option_function<std::string>(
          "--fails-after",
          [arguments](const std::string& text) { arguments->options.fails_after = fails_after_from(text); },
          "How long each start lasts before it fails; by default as outages of the scenario say")
      ->type_name("TIME");
  line->add_option("--services", arguments->options.services,
                   "How many services are simulated for each policy, 1000 by default; 0: none")
      ->type_name("N")
      ->check(CLI::Range(0U, kServicesMax));
  line->add_flag("--json", arguments->json, "Print JSON (lib/docs/reference/json.md)");
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::predict
