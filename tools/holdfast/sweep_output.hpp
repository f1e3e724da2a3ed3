// What sweep and merge print: a line for a seed where one is wanted, a summary for each scenario, JUnit XML and a page.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/present/sweep_text.hpp>
#include <holdfast_sim/search/sweep.hpp>

#include "output_file.hpp"

namespace CLI {
class App;
}

namespace holdfast::tools {

struct SweepOutputOptions {
  bool lines = false;
  bool failed = false;
  bool json = false;
  std::string junit;  // a file; empty: none
  std::string page;   // the same
};
void add_output_options(CLI::App& line, SweepOutputOptions& options);

struct Swept {
  sim::SweepPlan plan;
  sim::Sweep sweep{};
  sim::SweepSummary::End end = sim::SweepSummary::End::complete;
  std::optional<sim::CorpusSummary> corpus{};

  [[nodiscard]] sim::SweepSummary summary() const { return {plan, sweep, end, corpus ? &*corpus : nullptr}; }
};

class SweepOutput {
 public:
  // `options` outlives it.
  explicit SweepOutput(const SweepOutputOptions& options) : options_(options) {}

  // Opens the files of --junit and --page, which must be none of `inputs`. 0, or the exit status after a complaint.
  int open(const std::vector<std::string>& inputs);

  // The lines that are wanted of these seeds; empty: none.
  [[nodiscard]] std::string lines(const sim::SweepPlan& plan, const sim::SeedOutcome& outcome) const;
  // Prints them. False: they could not be written.
  [[nodiscard]] bool print_lines(std::string_view lines) const;
  // False: it could not be written.
  [[nodiscard]] bool show(const Swept& swept);
  // 0, or the exit status after a complaint.
  int close(const std::deque<Swept>& all);

 private:
  const SweepOutputOptions& options_;
  std::unique_ptr<OutputFile> junit_;
  std::unique_ptr<OutputFile> page_;
  bool is_first_ = true;
};

// That of the worst run.
int exit_status(const std::deque<Swept>& all);

}  // namespace holdfast::tools
