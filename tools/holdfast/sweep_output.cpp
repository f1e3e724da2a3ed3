#include "sweep_output.hpp"

#include <algorithm>
#include <ostream>

#include <CLI/CLI.hpp>
#include <holdfast_sim/present/sweep_html.hpp>

#include "command_line.hpp"
#include "exit_status.hpp"
#include "terminal.hpp"

namespace holdfast::tools {

void add_output_options(CLI::App& line, SweepOutputOptions& options) {
  line.add_flag("--lines", options.lines, "Also print a line for each seed, in the order of the seeds");
  line.add_flag("--failed", options.failed, "Also print a line for each seed that did not hold");
  line.add_flag("--json", options.json, "Print one JSON object per line (lib/docs/reference/json.md)");
  line.add_option("--junit", options.junit, "Write JUnit XML for CI to this file")->type_name("OUT");
  line.add_option("--page", options.page, "Write a page for a browser to this file: verdicts, reasons, distributions")
      ->type_name("OUT");
}

namespace {

constexpr auto kJUnit = "JUnit XML";
constexpr auto kPage = "page";

// 0, or the exit status after a complaint.
int open_one(std::unique_ptr<OutputFile>& out, const std::string& file, const char* what,
             const std::vector<std::string>& inputs) {
  if (file.empty()) return all_held;
  for (const auto& input : inputs) {
    if (is_same_file(file, input)) return complain_overwrites(what, input);
  }
  out = std::make_unique<OutputFile>(file);
  return out->ok() ? all_held : complain_unwritable(what, *out);
}

int close_one(OutputFile& out, const char* what, const std::string& text) {
  out.stream() << text;
  return out.close() || out.reader_gone() ? all_held : complain_unwritable(what, out);
}

}  // namespace

int SweepOutput::open(const std::vector<std::string>& inputs) {
  if (const int status = open_one(junit_, options_.junit, kJUnit, inputs); status != all_held) return status;
  if (!options_.junit.empty() && !options_.page.empty() && is_same_file(options_.page, options_.junit)) {
    return complain_overwrites(kPage, options_.junit);
  }
  return open_one(page_, options_.page, kPage, inputs);
}

std::string SweepOutput::lines(const sim::SweepPlan& plan, const sim::SeedOutcome& outcome) const {
  if (!options_.lines && (!options_.failed || outcome.held())) return "";
  return options_.json ? sim::seed_json(plan, outcome) : sim::seed_line(outcome);
}

bool SweepOutput::print_lines(std::string_view lines) const { return options_.json ? print_json(lines) : print(lines); }

bool SweepOutput::show(const Swept& swept) {
  if (options_.json) return print_json(sim::sweep_json(swept.summary()));
  const bool follows = !is_first_ || options_.lines || (options_.failed && !swept.sweep.all_held());
  is_first_ = false;
  return print((follows ? "\n" : "") +
               sim::sweep_text(swept.summary(), {.width = width(), .colours = wants_colours()}));
}

int SweepOutput::close(const std::deque<Swept>& all) {
  std::vector<sim::SweepSummary> summaries;
  summaries.reserve(all.size());
  for (const auto& swept : all) summaries.push_back(swept.summary());
  const int junit = junit_ ? close_one(*junit_, kJUnit, sim::sweep_junit(summaries)) : all_held;
  const int page = page_ ? close_one(*page_, kPage, sim::sweep_html(summaries)) : all_held;
  return junit != all_held ? junit : page;
}

int exit_status(const std::deque<Swept>& all) {
  const auto any = [&](sim::RehearsalVerdict verdict) {
    return std::any_of(all.begin(), all.end(),
                       [verdict](const Swept& swept) { return swept.sweep.runs_of(verdict) > 0; });
  };
  const bool corpus_fails =
      std::any_of(all.begin(), all.end(), [](const Swept& one) { return one.corpus && one.corpus->failing() > 0; });
  const bool vacuous = std::any_of(all.begin(), all.end(), [](const Swept& one) { return is_vacuous(one.summary()); });
  if (corpus_fails || vacuous || any(sim::RehearsalVerdict::violated)) return something_violated;
  return any(sim::RehearsalVerdict::out_of_budget) ? budget_ran_out : all_held;
}

}  // namespace holdfast::tools
