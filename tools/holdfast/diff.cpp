// holdfast diff: where two runs part.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/diff/diff.hpp>
#include <holdfast_sim/explain/explain.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/present/diff_text.hpp>
#include <holdfast_sim/text/wording.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "interruption.hpp"
#include "terminal.hpp"

namespace holdfast::tools::diff {

namespace {

constexpr auto kFooter = R"(
A run is a trace (holdfast run --trace), a recording of a program, or a scenario: FILE.toml, or FILE.toml@SEED for
a seed that is not its own. Shows the first event that differs, and for each group what differs from there on.

Examples:
  holdfast diff scenarios/mixed_fleet.toml@1 scenarios/mixed_fleet.toml@1    the same
  holdfast diff before.ndjson after.ndjson                                   two traces
  holdfast diff before.ndjson after.ndjson --without-times                   two recordings of a real program
  holdfast run FILE.toml --trace - | holdfast diff - FILE.toml --json

Exit status:
  0    the same
  1    different
  2    bad input: a file, the command line, or an output that cannot be written
  130  Ctrl-C; the counts are of what was read until then)";

struct Arguments {
  std::string left, right;
  bool without_times = false;
  bool json = false;
};

// "fleet.toml@7" is two words; a file that is called so is a file.
struct Wanted {
  std::string file;
  std::optional<Seed> seed;
};

Wanted wanted_from(const std::string& word) {
  std::error_code error;
  const auto at = word.rfind('@');
  if (at == std::string::npos || std::filesystem::exists(word, error)) return {word, std::nullopt};
  if (const auto seed = whole_number(std::string_view{word}.substr(at + 1))) return {word.substr(0, at), Seed{*seed}};
  throw UsageError{fmt::format("\"{}\" names no seed behind its last \"@\": a whole number is expected, like {}@7",
                               sim::printable(word), sim::printable(word.substr(0, at)))};
}

// A run with whatever it is read from.
class Run {
 public:
  explicit Run(const std::string& word) {
    const auto wanted = wanted_from(word);
    if (is_standard_stream(wanted.file)) {
      source_ = sim::line_source(std::cin, kStandardInput);
    } else if (wanted.file.ends_with(".toml")) {
      scenario_ = sim::read_scenario(wanted.file);
      seed_ = wanted.seed.value_or(scenario_->seed);
      chaos_lines_ = chaos_lines_of(wanted.file);
      source_ = sim::line_source(*scenario_, wanted.seed, wanted.file);
    } else {
      if (wanted.seed) {
        throw UsageError{
            fmt::format("\"{}\": a seed belongs to a scenario, a file that ends in .toml", sim::printable(word))};
      }
      file_.open(wanted.file);
      if (const auto problem = unreadable(wanted.file, file_); !problem.empty()) {
        throw sim::BadInput{{{.file = sim::printable(wanted.file), .says = problem}}};
      }
      source_ = sim::line_source(file_, wanted.file);
    }
  }

  sim::LineSource& source() { return *source_; }

  // What its event of this number follows from; nothing for a file of events, which does not have the scenario.
  [[nodiscard]] std::vector<sim::Link> causes_of(std::uint64_t event) const {
    if (!scenario_) return {};
    return sim::chain_to(*scenario_, seed_, event, {.chaos_lines = chaos_lines_, .interrupted = interrupted});
  }

 private:
  std::optional<sim::Scenario> scenario_;
  Seed seed_;
  std::vector<std::uint32_t> chaos_lines_;
  std::ifstream file_;
  std::unique_ptr<sim::LineSource> source_;
};

int call(const Arguments& arguments) {
  if (is_standard_stream(arguments.left) && is_standard_stream(arguments.right)) {
    throw UsageError{"standard input can be one of the two runs, not both"};
  }
  Run left{arguments.left};
  Run right{arguments.right};
  watch_for_interruption();
  const auto found =
      sim::diff(left.source(), right.source(), {.without_times = arguments.without_times, .interrupted = interrupted});
  sim::DiffCauses causes;
  if (found.first && !found.interrupted) {
    causes = {left.causes_of(found.first->event), right.causes_of(found.first->event)};
  }
  const bool shown =
      arguments.json ? print_json(sim::diff_json(found, causes)) : print(sim::diff_text(found, width(), causes));
  if (!shown) return bad_input;
  if (found.interrupted) return interrupted_status();
  return found.same() ? all_held : something_violated;
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("diff", "Show where two runs part: traces, recordings, scenarios");
  line->footer(kFooter);
  line->add_option("A", arguments->left, "A trace, a recording, a scenario, or a scenario@seed; - is standard input")
      ->required();
  line->add_option("B", arguments->right, "The same")->required();
  line->add_flag("--without-times", arguments->without_times, "Ignore times and lengths of time");
  line->add_flag("--json", arguments->json, "Print JSON (lib/docs/reference/json.md)");
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::diff
