// holdfast run: one scenario, and what happened.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast_sim/explain/explain.hpp>
#include <holdfast_sim/present/explain_text.hpp>
#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/present/report_text.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/text/wording.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "interruption.hpp"
#include "output_file.hpp"
#include "terminal.hpp"

namespace holdfast::tools::run {

namespace {

namespace fs = std::filesystem;

constexpr auto kFooter = R"(
The summary shows the fleet over time, availability, recoveries, lost services, storms, and a verdict on every rule
and expectation. Ctrl-C ends the run early and shows what there is so far.

Examples:
  holdfast run scenarios/failure_storm.toml           show what happens
  holdfast run FILE --seed 7                          the same with another seed
  holdfast run FILE --set supervisor.backoff.max=10s   the same with another value
  holdfast run FILE --trace events.ndjson             also write every event to a file
  holdfast run FILE --trace events.hft                the same in a tenth of the bytes: holdfast help trace
  holdfast run FILE --trace - | head                  events to standard output, the summary to standard error
  holdfast run FILE --json | jq .fleet.availability   the summary for programs
  generate | holdfast run -                           a scenario from standard input

Exit status:
  0    every rule and expectation held
  1    one was violated, or the run stalled
  2    bad input: the scenario, the command line, or an output that cannot be written
  3    a budget of the scenario ran out before its end
  130  Ctrl-C; the summary is of what happened until then)";

constexpr auto kCompactEnd = ".hft";

struct Arguments {
  std::string scenario;
  std::vector<std::string> settings;
  std::optional<std::uint64_t> seed;
  std::string trace;  // empty: none
  bool quiet = false;
  bool json = false;
};

int exit_status(sim::RehearsalVerdict verdict) {
  switch (verdict) {
    case sim::RehearsalVerdict::held: return all_held;
    case sim::RehearsalVerdict::violated: return something_violated;
    case sim::RehearsalVerdict::out_of_budget: return budget_ran_out;
    case sim::RehearsalVerdict::interrupted: return interrupted_status();
  }
  return something_violated;
}

// A result with how long it took.
struct Rehearsed {
  sim::RehearsalResult result;
  Duration wall;
};

Rehearsed rehearse(const sim::Scenario& scenario, const Arguments& arguments, std::ostream* trace) {
  ProgressLine progress;
  sim::RehearsalOptions options{
      .trace = trace, .compact = arguments.trace.ends_with(kCompactEnd), .interrupted = interrupted};
  if (arguments.seed) options.seed = Seed{*arguments.seed};
  if (progress.possible() && !arguments.quiet) options.progress = [&](const auto& now) { progress.show(now); };
  const auto began = std::chrono::steady_clock::now();
  watch_for_interruption();
  auto result = sim::rehearse(scenario, options);
  return {std::move(result), std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - began)};
}

// The first thing that went wrong in a few lines, and the command that says more. The run is repeated for it, which a
// run of many events would make tedious.
constexpr std::uint64_t kEventsRepeatedMax = 2'000'000;
constexpr std::size_t kLinksShown = 6;

std::string why(const sim::Scenario& scenario, const sim::RehearsalResult& result, const Arguments& arguments,
                std::size_t columns) {
  if (result.verdict() != sim::RehearsalVerdict::violated) return {};
  std::string text;
  if (result.report.events + result.report.chaos_events <= kEventsRepeatedMax && !interrupted()) {
    const auto explained = sim::explain(
        scenario, result,
        {.chaos_lines = chaos_lines_of(arguments.scenario), .explanations_max = 1, .interrupted = interrupted});
    for (const auto& first : explained.explanations) {
      if (first.chain.empty()) continue;
      const auto whose = first.service.empty() ? std::string{} : fmt::format(" ({})", sim::printable(first.service));
      text = fmt::format("\n{}{}:\n", sim::printable(first.what), whose);
      text += sim::chain_text(sim::shortened(first.chain, kLinksShown), columns);
    }
  }
  text += fmt::format("why: holdfast explain {} --seed {}", sim::shell_word(arguments.scenario), result.seed.value);
  for (const auto& setting : arguments.settings) text += " --set " + sim::shell_word(setting);
  return text + '\n';
}

bool show(const sim::Scenario& scenario, const Rehearsed& rehearsed, const Arguments& arguments,
          const std::vector<sim::Complaint>& warnings) {
  // Standard output has one thing at a time.
  const auto where = is_standard_stream(arguments.trace) ? Stream::error : Stream::output;
  if (arguments.json) return print_json(sim::report_json(rehearsed.result, rehearsed.wall, warnings), where);
  if (arguments.quiet) return print(sim::report_line(rehearsed.result), where);
  return print(
      sim::report_text(
          rehearsed.result,
          {.width = width(where), .colours = wants_colours(where), .wall = rehearsed.wall, .warnings = warnings}) +
          why(scenario, rehearsed.result, arguments, width(where)),
      where);
}

int call(const Arguments& arguments) {
  std::vector<sim::Complaint> warnings;
  const auto scenario = scenario_with(arguments.settings, arguments.scenario, &warnings);
  std::unique_ptr<OutputFile> trace;
  if (!arguments.trace.empty()) {
    if (const auto input = overwritten_input(arguments.trace, arguments.scenario, scenario)) {
      return complain_overwrites("trace", *input);
    }
    trace = std::make_unique<OutputFile>(arguments.trace);
    if (!trace->ok()) return complain_unwritable("trace", *trace);
  }
  try {
    const auto rehearsed = rehearse(scenario, arguments, trace ? &trace->stream() : nullptr);
    if (trace && !trace->close() && !trace->reader_gone()) return complain_unwritable("trace", *trace);
    return show(scenario, rehearsed, arguments, warnings) ? exit_status(rehearsed.result.verdict()) : bad_input;
  } catch (const sim::TraceNotWritten&) {
    return trace->reader_gone() ? all_held : complain_unwritable("trace", *trace);
  }
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("run", "Run a scenario in virtual time and show what happened");
  line->footer(kFooter);
  add_scenario(*line, arguments->scenario);
  add_seed(*line, arguments->seed, "A whole number that replaces the scenario's seed");
  add_settings(*line, arguments->settings);
  line->add_option("--trace", arguments->trace,
                   "Write every event to this file, as JSON or, for .hft, compactly; - is standard output")
      ->type_name("OUT");
  auto* const quiet = line->add_flag("--quiet", arguments->quiet, "Print one line only: verdict and digest");
  line->add_flag("--json", arguments->json, "Print the summary as JSON (lib/docs/reference/json.md)")->excludes(quiet);
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::run
