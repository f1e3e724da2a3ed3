// holdfast find: one query over the events of many runs. What it prints does not depend on the number of threads.

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/find/find.hpp>
#include <holdfast_sim/find/query.hpp>
#include <holdfast_sim/present/find_text.hpp>
#include <holdfast_sim/present/sweep_text.hpp>
#include <holdfast_sim/text/wording.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "interruption.hpp"
#include "ordered_pool.hpp"
#include "terminal.hpp"

namespace holdfast::tools::find {

namespace {

constexpr auto kFooter = R"(
A QUERY looks for events, or for runs in which a property holds. Its words are those of traces and of
[[expect.property]]; lib/docs/guide/finding.md has them all.

Events, by their kind, their service or group, and their fields:
  'breaker_tripped'
  'ended of feed outcome=failed lasted<1s'
  'backing_off delay>1min from 10min until 20min'
Events that another one comes before or after, by default of the same service:
  'breaker_tripped not preceded by outage within 5min'
  'outage followed by terminated reason=circuit_open within 10min'
  'started preceded by outage of db within 1s'
Properties:
  'eventually feed: running at most 2'
  'whenever db: running at most 2, eventually db: running 3 within 50s'
  'not always db: running at least 2, from 1min'

FILE is a scenario, or a trace (a file that ends in .ndjson or .hft), which is one run.

Examples:
  holdfast find FILE --seeds 1..1000 'trip not preceded by outage within 5min'
  holdfast find FILE --seeds 1..1000 'eventually feed: running 0' --json | jq .seeds
  holdfast find run.ndjson 'killed'

Exit status:
  0    looked through, whether anything was found or not
  2    bad input: the scenario, the query (its column is named), or the command line
  3    a budget of the scenario cut a run off
  130  Ctrl-C; what is printed is of the seeds until then)";

struct Arguments {
  std::string file;
  std::string query;
  std::vector<std::string> settings;
  std::optional<sim::SeedRange> seeds;
  std::size_t examples = 5;
  unsigned jobs = 0;
  bool json = false;
};
constexpr std::size_t kExamplesMax = 1000;

std::string explain_command(const Arguments& arguments, std::uint64_t seed, std::uint64_t number) {
  std::string command = fmt::format("holdfast explain {} --seed {}", sim::shell_word(arguments.file), seed);
  for (const auto& setting : arguments.settings) command += " --set " + sim::shell_word(setting);
  return number > 0 ? fmt::format("{} --event {}", command, number) : command;
}

int show(const Arguments& arguments, const sim::Searched& searched) {
  const bool shown =
      arguments.json ? print_json(sim::searched_json(searched)) : print(sim::searched_text(searched, width()));
  if (!shown) return bad_input;
  if (searched.interrupted) return interrupted_status();
  return searched.found.cut_off() > 0 ? budget_ran_out : all_held;
}

sim::Query query_from(const std::string& text, const sim::Roster* roster) {
  try {
    return sim::parse_query(text, roster);
  } catch (const sim::BadQuery& bad) {
    throw UsageError{fmt::format("QUERY: {}", bad.what())};
  }
}

int search_trace(const Arguments& arguments) {
  if (arguments.seeds) throw UsageError{"--seeds: a trace is one run; name the scenario to look through others"};
  if (!arguments.settings.empty()) throw UsageError{"--set: a trace has no settings; name the scenario"};
  const auto query = query_from(arguments.query, nullptr);
  std::ifstream in{arguments.file};
  if (const auto problem = unreadable(arguments.file, in); !problem.empty()) {
    throw sim::BadInput{{{.file = sim::printable(arguments.file), .says = problem}}};
  }
  try {
    const auto found = sim::find_in_trace(in, sim::printable(arguments.file), query, arguments.query);
    sim::FoundInRuns all{arguments.examples};
    all.add(found);
    return show(arguments, {.scenario = arguments.file,
                            .query = sim::in_words(query),
                            .first_seed = found.seed,
                            .last_seed = found.seed,
                            .found = all});
  } catch (const sim::BadQuery& bad) {
    throw UsageError{fmt::format("QUERY: {}", bad.what())};
  }
}

int search_runs(const Arguments& arguments) {
  const auto scenario = scenario_with(arguments.settings, arguments.file);
  const auto roster = sim::roster_of(scenario);
  const auto query = query_from(arguments.query, &roster);
  const auto seeds = arguments.seeds.value_or(sim::SeedRange{scenario.seed.value, scenario.seed.value});
  watch_for_interruption();
  const sim::Finder finder{scenario, query};
  sim::FoundInRuns all{arguments.examples};
  bool ended_early = false;
  {
    ProgressLine progress;
    OrderedPool<sim::FindResult> pool{
        seeds, arguments.jobs > 0 ? arguments.jobs : std::max(1U, std::thread::hardware_concurrency()),
        [&](std::uint64_t first, std::uint64_t count, const std::function<bool()>& abandoned) {
          std::vector<sim::FindResult> found;
          found.reserve(count);
          const auto over = [&] { return abandoned() || interrupted(); };
          for (std::uint64_t i = 0; i < count && !over(); ++i) found.push_back(finder.find(Seed{first + i}, over));
          return found;
        }};
    const auto show_progress = [&] {
      if (!progress.possible()) return;
      progress.show([&](Duration wall) {
        return sim::progress_text({.done = all.runs(), .of = seeds.size(), .wall = wall}, width(Stream::error) - 1);
      });
    };
    while (!ended_early && all.runs() < seeds.size()) {
      const auto some = pool.next(show_progress);
      ended_early = some.empty();
      for (const auto& found : some) {
        ended_early = ended_early || found.end == sim::EndReason::interrupted;
        if (!ended_early) all.add(found);
      }
      show_progress();
    }
  }
  if (all.runs() == 0) {
    complain("holdfast: interrupted before a run was looked through\n");
    return interrupted_status();
  }
  return show(arguments, {.scenario = scenario.name,
                          .query = sim::in_words(query),
                          .of_events = std::holds_alternative<sim::EventQuery>(query),
                          .first_seed = seeds.first,
                          .last_seed = seeds.first + (all.runs() - 1),
                          .interrupted = ended_early,
                          .found = all,
                          .command = [&](std::uint64_t seed, std::uint64_t number) {
                            return explain_command(arguments, seed, number);
                          }});
}

int call(const Arguments& arguments) {
  const bool is_trace = arguments.file.ends_with(".ndjson") || arguments.file.ends_with(".hft");
  return is_trace ? search_trace(arguments) : search_runs(arguments);
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("find", "Look for events or properties in the runs of many seeds");
  line->footer(kFooter);
  line->add_option("FILE", arguments->file, "The scenario, or a trace; - is a scenario on standard input")->required();
  line->add_option("QUERY", arguments->query, "What is looked for")->required();
  add_seeds(
      *line, [arguments](const sim::SeedRange& seeds) { arguments->seeds = seeds; },
      "The first seed and the last, both included; by default the scenario's own");
  line->add_option("--examples", arguments->examples, "How many examples are shown, 5 by default")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{0}, kExamplesMax));
  add_jobs(*line, arguments->jobs);
  add_settings(*line, arguments->settings);
  line->add_flag("--json", arguments->json, "Print JSON (lib/docs/reference/json.md)");
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::find
