// What a sweep came to, as text for a person in a terminal, as JSON (lib/docs/reference/json.md), and as JUnit XML for
// CI. All three are functions of the plan and the outcomes alone.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <holdfast_sim/search/corpus.hpp>
#include <holdfast_sim/search/sweep.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct SweepSummary {
  enum class End : std::uint8_t {
    complete,
    stopped,     // at the first seed that did not hold, as was asked for
    interrupted  // by its user
  };
  const SweepPlan& plan;
  const Sweep& sweep;
  End end = End::complete;
  const CorpusSummary* corpus = nullptr;  // none: the sweep keeps nothing
};

// Every seed was run, and something that some run has to meet was met by none: the sweep proves nothing.
[[nodiscard]] bool is_vacuous(const SweepSummary& summary);

struct SweepTextOptions {
  std::size_t width = 100;  // columns of a line at most; commands may be longer
  bool colours = false;     // ANSI escape sequences
};

std::string sweep_text(const SweepSummary& summary, const SweepTextOptions& options = {});
// One object in one line.
std::string sweep_json(const SweepSummary& summary);
// A suite for each summary, a test for each expectation, each rule, and each file of the corpus.
std::string sweep_junit(const std::vector<SweepSummary>& summaries);

// "7 violated 0123…  restarts: expected 0, found 3"
std::string seed_line(const SeedOutcome& outcome);
std::string seed_json(const SweepPlan& plan, const SeedOutcome& outcome);

// The command that repeats a seed: "holdfast run storm.toml --seed 7".
std::string repeat_command(const SweepPlan& plan, std::uint64_t seed);
// The command that says why it failed: "holdfast explain storm.toml --seed 7".
std::string explain_command(const SweepPlan& plan, std::uint64_t seed);

// "████████░░░░░░░░░░░░ 42 %  4 200 of 10 000 seeds, 3 did not hold, 310 a second, 18.7s left", the bar as long as
// there is room for it.
struct SweepProgress {
  std::uint64_t done = 0;
  std::uint64_t done_before = 0;  // of these, without having taken any time: they stood in a ledger
  std::uint64_t of = 0;
  std::uint64_t not_held = 0;
  Duration wall{0};
};
std::string progress_text(const SweepProgress& progress, std::size_t width = 100);

}  // namespace holdfast::sim

#pragma GCC visibility pop
