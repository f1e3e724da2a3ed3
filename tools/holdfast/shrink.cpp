// holdfast shrink: the smallest scenario that still fails as a seed of this one does.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/file/small_file.hpp>
#include <holdfast_sim/search/shrink.hpp>
#include <holdfast_sim/text/file.hpp>
#include <holdfast_sim/text/wording.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "interruption.hpp"
#include "output_file.hpp"
#include "shrinking.hpp"
#include "terminal.hpp"

namespace holdfast::tools::shrink {

namespace {

namespace fs = std::filesystem;

constexpr auto kFooter = R"(
Takes everything away that the failure does not need: chaos, groups, keys, services; makes distributions constant, and
counts and times smaller and rounder. What is left fails for the same reason, with the same rule or expectation missed
in the same way. The file says what fails, and how far each number may be changed. Shrinking it again changes nothing.

Examples:
  holdfast shrink FILE --seed 7             writes FILE.seed-7.toml
  holdfast shrink FILE --seed 7 --out -     prints it
  holdfast shrink FILE --seed 7 --runs 500   tries no more than 500 runs

Exit status:
  0    written
  2    bad input, the seed holds, or the file is there already or cannot be written
  130  Ctrl-C; the smallest that was found until then is written)";

struct Arguments {
  std::string scenario;
  std::vector<std::string> settings;
  std::optional<std::uint64_t> seed;
  std::string out;  // empty: beside the scenario
  std::uint64_t runs = 10'000;
};

std::string out_of(const Arguments& arguments) {
  if (!arguments.out.empty()) return arguments.out;
  if (is_standard_stream(arguments.scenario)) return "-";
  const fs::path file{arguments.scenario};
  return (file.parent_path() / fmt::format("{}.seed-{}.toml", file.stem().string(), *arguments.seed)).string();
}

// A file that is there already may be somebody's work.
bool exists(const std::string& out) {
  std::error_code error;
  return !is_standard_stream(out) && fs::exists(fs::symlink_status(out, error));
}

int write(const std::string& out, const std::string& text) {
  OutputFile file{out};
  if (!file.ok()) return complain_unwritable("scenario", file);
  file.stream() << text;
  if (!file.close() && !file.reader_gone()) return complain_unwritable("scenario", file);
  return all_held;
}

int call(const Arguments& arguments) {
  const auto out = out_of(arguments);
  if (exists(out)) {
    complain(fmt::format("holdfast: {}: exists already, and is left as it is; name another file with --out\n",
                         sim::printable(out)));
    return bad_input;
  }
  const auto source = scenario_source(arguments.settings, arguments.scenario);
  watch_for_interruption();
  ProgressLine progress;
  sim::ShrinkOptions options{.seed = Seed{*arguments.seed}, .runs_max = arguments.runs, .interrupted = interrupted};
  if (progress.possible()) {
    options.progress = [&](const sim::ShrinkProgress& now) {
      progress.show([&](Duration) {
        return fmt::format("{} runs, {} of them smaller; {} bytes are left", now.runs, now.accepted, now.bytes);
      });
    };
  }
  std::optional<sim::ShrinkResult> shrunk;
  try {
    shrunk = sim::shrink(source.text, source.file, source.folder, options);
  } catch (const sim::NothingToShrink& nothing) {
    if (!interrupted()) throw;
    progress.erase();
    complain(fmt::format("holdfast: {}\n", nothing.what()));
    return interrupted_status();
  }
  const auto& result = *shrunk;
  progress.erase();
  if (loses_traces(result, source, out)) {
    complain(fmt::format("holdfast: {}: would not find its recorded traces; name a file in the folder of {}\n",
                         sim::printable(out), sim::printable(source.file)));
    return bad_input;
  }
  if (const int status = write(out, shrunk_file(result, source.file, options.seed)); status != all_held) return status;
  if (!is_standard_stream(out)) {
    const auto says = fmt::format("wrote {0}: {1} ({2})\nafter {3} runs{4}; next:\n  holdfast run {0}\n",
                                  sim::printable(out), sim::printable(to_string(result.reason)),
                                  sim::printable(result.says), result.runs, result.finished ? "" : ", and cut short");
    if (!print(says)) return bad_input;
  }
  return interrupted() ? interrupted_status() : all_held;
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("shrink", "Find the smallest scenario that still fails as a seed does");
  line->footer(kFooter);
  add_scenario(*line, arguments->scenario);
  add_seed(*line, arguments->seed, "A seed that fails")->required();
  add_settings(*line, arguments->settings);
  line->add_option("--out", arguments->out, "The file to write; - is standard output; by default FILE.seed-N.toml")
      ->type_name("OUT");
  line->add_option("--runs", arguments->runs, "Try at most so many runs")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::shrink
