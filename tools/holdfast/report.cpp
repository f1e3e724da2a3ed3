// holdfast report: a run as a page for a browser.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast_sim/explain/explain.hpp>
#include <holdfast_sim/picture/fleet_map.hpp>
#include <holdfast_sim/present/report_html.hpp>
#include <holdfast_sim/rehearsal.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "interruption.hpp"
#include "output_file.hpp"
#include "terminal.hpp"

namespace holdfast::tools::report {

namespace {

constexpr auto kFooter = R"(
One file, which needs no network: the fleet over time with a line for each service, faults, restarts, and every check
and expectation with the moment that decided it. It has a light and a dark theme, and everything can be done by
keyboard.

Examples:
  holdfast report scenarios/mixed_fleet.toml -o report.html
  holdfast report FILE --seed 7 -o seed_7.html
  holdfast report FILE -o - > report.html

Exit status:
  0    written; the verdict stands in the page
  2    bad input: the scenario, the command line, or a page that cannot be written
  130  Ctrl-C; nothing is written)";

// A screen could not show more, and browsers would be slow with such a page.
constexpr std::uint64_t kServicesOfPageMax = 50'000;

constexpr std::size_t kChainsOfPageMax = 3;

struct Arguments {
  std::string scenario;
  std::string output;
  std::optional<std::uint64_t> seed;
};

// Of what went wrong, if anything did.
std::vector<sim::Explanation> why(const sim::Scenario& scenario, const sim::RehearsalResult& result,
                                  const Arguments& arguments) {
  if (result.verdict() != sim::RehearsalVerdict::violated) return {};
  return sim::explain(scenario, result,
                      {.chaos_lines = chaos_lines_of(arguments.scenario), .explanations_max = kChainsOfPageMax})
      .explanations;
}

int call(const Arguments& arguments) {
  std::vector<sim::Complaint> warnings;
  const auto scenario = scenario_from(arguments.scenario, &warnings);
  if (const auto input = overwritten_input(arguments.output, arguments.scenario, scenario)) {
    return complain_overwrites("page", *input);
  }
  watch_for_interruption();
  const Seed seed = arguments.seed ? Seed{*arguments.seed} : scenario.seed;
  const auto result = sim::rehearse(scenario, {.seed = seed, .interrupted = interrupted});
  if (result.verdict() == sim::RehearsalVerdict::interrupted) {
    complain("holdfast: interrupted: a page is of a whole run, and none was written\n");
    return interrupted_status();
  }
  const auto services = result.report.fleet.services;
  if (services > kServicesOfPageMax) {
    complain(
        fmt::format("holdfast: the fleet has {} services; a page draws up to {}: lower the counts, or use "
                    "\"holdfast run\"\n",
                    services, kServicesOfPageMax));
    return bad_input;
  }
  const auto map =
      sim::draw_fleet(scenario, seed, result.report.counts_until - TimePoint{}, sim::buckets_of_page(services));
  OutputFile out{arguments.output};
  if (out.ok()) out.stream() << sim::report_html(scenario, result, map, warnings, why(scenario, result, arguments));
  return out.close() || out.reader_gone() ? all_held : complain_unwritable("page", out);
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("report", "Write a run as a page for a browser");
  line->footer(kFooter);
  add_scenario(*line, arguments->scenario);
  line->add_option("-o,--output", arguments->output, "The page, an HTML file; - is standard output")
      ->type_name("OUT")
      ->required();
  add_seed(*line, arguments->seed, "A whole number that replaces the scenario's seed");
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::report
