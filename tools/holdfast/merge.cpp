// holdfast merge: ledgers of a sweep's shards become the result of the whole sweep.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast_sim/search/ledger.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "ledger_file.hpp"
#include "ledger_folder.hpp"
#include "merging.hpp"
#include "sweep_output.hpp"
#include "terminal.hpp"

namespace holdfast::tools::merge {

namespace {

constexpr auto kFooter = R"(
Prints what one undisturbed sweep of all seeds would have printed, byte for byte. Ledgers may overlap, and the same one
may be given twice: a seed with one outcome counts once. A seed that no ledger has, or that has two different outcomes,
is an error.

Examples:
  holdfast sweep FILE --seeds 1..1000000 --shard 1/2 --ledger one.ledger     on one machine
  holdfast sweep FILE --seeds 1..1000000 --shard 2/2 --ledger two.ledger     on another
  holdfast merge one.ledger two.ledger

Exit status:
  0  every run held
  1  at least one run was violated, or none showed what some run has to (a property "sometimes")
  2  the ledgers are not of one sweep, or do not have all of its seeds
  3  at least one run ran out of budget, and none was violated
  4  two runs of one seed differ: the simulation is not deterministic, or the ledgers are of different builds)";

struct Arguments {
  std::vector<std::string> ledgers;
  SweepOutputOptions output;
};

[[noreturn]] void complain_about_gap(std::uint64_t first, std::uint64_t last) {
  throw LedgerTrouble(
      first == last ? fmt::format("no ledger has seed {}: its sweep is not finished, or its ledger is missing", first)
                    : fmt::format("no ledger has the seeds {} to {}: their sweep is not finished, or its ledger "
                                  "is missing",
                                  first, last));
}

// Those of folders among them.
std::vector<std::string> all_ledgers(const std::vector<std::string>& named) {
  std::vector<std::string> all;
  for (const auto& path : named) {
    for (auto& ledger : ledgers_in(path)) all.push_back(std::move(ledger));
  }
  if (all.empty()) throw LedgerTrouble{fmt::format("{}: has no ledger", file::printable(named.front()))};
  return all;
}

int call(const Arguments& arguments) {
  const auto ledgers = all_ledgers(arguments.ledgers);
  Merger merger{ledgers};
  SweepOutput output{arguments.output};
  if (const int status = output.open(ledgers); status != all_held) return status;
  std::deque<Swept> all;
  Swept& swept = all.emplace_back(Swept{.plan = merger.plan()});
  const auto seeds = swept.plan.seeds;
  std::string lines;
  for (std::uint64_t i = 0; i < seeds.size(); ++i) {
    const auto outcome = merger.next();
    if (!outcome) complain_about_gap(seeds.first + i, seeds.last);
    if (outcome->seed != seeds.first + i) complain_about_gap(seeds.first + i, outcome->seed - 1);
    swept.sweep.add(*outcome);
    lines += output.lines(swept.plan, *outcome);
    constexpr std::size_t kLinesMax = 1 << 16;
    if (lines.size() > kLinesMax) {
      if (!output.print_lines(std::exchange(lines, {}))) return bad_input;
      if (output_reader_gone()) return exit_status(all);
    }
  }
  if (!output.print_lines(lines) || !output.show(swept)) return bad_input;
  if (const int status = output.close(all); status != all_held) return status;
  return exit_status(all);
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("merge", "Put the ledgers of a sweep's shards together");
  line->footer(kFooter);
  line->add_option("LEDGER", arguments->ledgers, "What \"holdfast sweep --ledger\" wrote; a folder: all in it")
      ->required();
  add_output_options(*line, arguments->output);
  return {line, [arguments] {
            try {
              return call(*arguments);
            } catch (const OutcomesDiffer& differs) {
              complain(fmt::format("holdfast: {}\n", differs.what()));
              return static_cast<int>(not_trustworthy);
            }
          }};
}

}  // namespace holdfast::tools::merge
