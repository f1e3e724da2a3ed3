#include "sweep_output.hpp"

#include <algorithm>
#include <ostream>

#include <CLI/CLI.hpp>

#include "command_line.hpp"
#include "exit_status.hpp"
#include "terminal.hpp"

namespace holdfast::tools {

void add_output_options(CLI::App& line, SweepOutputOptions& options) {
  line.add_flag("--lines", options.lines, "Also print a line for each seed, in the order of the seeds");
  line.add_flag("--failed", options.failed, "Also print a line for each seed that did not hold");
  line.add_flag("--json", options.json, "Print one JSON object per line (lib/docs/reference/json.md)");
  line.add_option("--junit", options.junit, "Write JUnit XML for CI to this file")->type_name("OUT");
}

int SweepOutput::open(const std::vector<std::string>& inputs) {
  if (options_.junit.empty()) return all_held;
  for (const auto& file : inputs) {
    if (is_same_file(options_.junit, file)) return complain_overwrites("JUnit XML", file);
  }
  junit_ = std::make_unique<OutputFile>(options_.junit);
  return junit_->ok() ? all_held : complain_unwritable("JUnit XML", *junit_);
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
  if (!junit_) return all_held;
  std::vector<sim::SweepSummary> summaries;
  summaries.reserve(all.size());
  for (const auto& swept : all) summaries.push_back(swept.summary());
  junit_->stream() << sim::sweep_junit(summaries);
  return junit_->close() || junit_->reader_gone() ? all_held : complain_unwritable("JUnit XML", *junit_);
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
