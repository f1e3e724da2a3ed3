// holdfast explain: why a run came to what it did.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast_sim/explain/explain.hpp>
#include <holdfast_sim/explain/selector.hpp>
#include <holdfast_sim/present/explain_text.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/text/wording.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "interruption.hpp"
#include "terminal.hpp"

namespace holdfast::tools::explain {

namespace {

constexpr auto kFooter = R"(
Shows the chain of events from the first cause to each rule that was violated and each expectation that was missed. If
all held, it is the chain to what was most remarkable: a service that was lost, or else the longest time that one was
down. lib/docs/guide/explaining.md explains what stands in a chain.

An EVENT is a service (or a group), a kind of event, and which one of them; or its number in the run:
  'feed-7 terminated'            the last one of feed-7
  'feed breaker_tripped'         the first one of the group feed
  'feed-7 started #3'            the third
  drained                        of the supervisor itself
  1234                           event 1234 of the run, which is line 1235 of its trace

Examples:
  holdfast explain scenarios/failure_storm_default_policy.toml
  holdfast explain FILE --seed 7
  holdfast explain FILE --event 'feed-7 started'
  holdfast explain FILE --json | jq '.explanations[].chain[].says'

Exit status:
  0    printed
  2    bad input: the scenario, the command line, or an event that never came
  130  Ctrl-C)";

struct Arguments {
  std::string scenario;
  std::vector<std::string> settings;
  std::optional<std::uint64_t> seed;
  std::optional<std::string> event;
  bool json = false;
};

std::string command_of(const Arguments& arguments) {
  std::string command = "holdfast explain " + sim::shell_word(arguments.scenario);
  if (arguments.seed) command += fmt::format(" --seed {}", *arguments.seed);
  for (const auto& setting : arguments.settings) command += " --set " + sim::shell_word(setting);
  return command;
}

int call(const Arguments& arguments) {
  sim::ExplainOptions options{.interrupted = interrupted};
  try {
    if (arguments.event) options.event = sim::parse_selector(*arguments.event);
  } catch (const sim::BadSelector& bad) {
    throw UsageError{std::string{"--event: "} + bad.what()};
  }
  const auto scenario = scenario_with(arguments.settings, arguments.scenario);
  options.chaos_lines = chaos_lines_of(arguments.scenario);
  watch_for_interruption();
  sim::RehearsalOptions rehearsal{.interrupted = interrupted, .with_history = false};
  if (arguments.seed) rehearsal.seed = Seed{*arguments.seed};
  const auto result = sim::rehearse(scenario, rehearsal);
  if (result.verdict() == sim::RehearsalVerdict::interrupted) {
    complain("holdfast: interrupted: nothing is explained yet\n");
    return interrupted_status();
  }
  try {
    const auto explained = sim::explain(scenario, result, options);
    const bool shown = arguments.json ? print_json(sim::explained_json(explained))
                                      : print(sim::explained_text(explained, {width(), command_of(arguments)}));
    if (!shown) return bad_input;
    return explained.interrupted ? interrupted_status() : static_cast<int>(all_held);
  } catch (const sim::BadSelector& bad) {
    throw UsageError{std::string{"--event: "} + bad.what()};
  }
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("explain", "Show why a run failed, from the first cause to the last event");
  line->footer(kFooter);
  add_scenario(*line, arguments->scenario);
  add_seed(*line, arguments->seed, "A whole number that replaces the scenario's seed");
  line->add_option("--event", arguments->event, "Explain this event: SERVICE KIND, or its number")->type_name("EVENT");
  add_settings(*line, arguments->settings);
  line->add_flag("--json", arguments->json, "Print JSON (lib/docs/reference/json.md)");
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::explain
