// Compares two policies under the same seeds: how much they differ, and how sure that is.
//
//     runs_a.push_back(figures_of(rehearse(a, {.seed = seed})));
//     runs_b.push_back(figures_of(rehearse(b, {.seed = seed})));
//     const PolicyComparison found = compare(runs_a, runs_b);
//
// Each interval is of the mean difference from A to B, over the seeds for which both runs have the figure. If B is the
// same policy as A, the up times differ significantly in at most kErrorRate of all comparisons. The conclusion uses the
// up time only, because with many figures to choose from, chance would find a difference more often.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <holdfast_sim/compare/statistics.hpp>
#include <holdfast_sim/rehearsal.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

enum class Figure : std::uint8_t {
  up_time,         // of a service, ns
  availability,    // millionths
  lost,            // services
  outage_median,   // recoveries after outages, ns
  outage_90,       // the same
  outage_99,       // the same
  failure_median,  // recoveries after failures, ns
  failure_90,      // the same
  failure_99,      // the same
  worst_second,    // restarts
  restarts,        // all
};
inline constexpr std::size_t kFigures = 11;
std::string_view to_string(Figure) noexcept;
// Whether more of it is better; restarts are neither.
enum class Better : std::uint8_t { more, less, neither };
Better better(Figure) noexcept;

// The figures of one run. nullopt: the run has no such figure, such as a recovery if nothing recovered.
struct RunFigures {
  std::array<std::optional<double>, kFigures> of{};
  bool held = false;
};
RunFigures figures_of(const RehearsalResult& result);

struct FigureComparison {
  Figure figure = Figure::up_time;
  std::uint64_t pairs = 0;  // seeds of which both runs have it
  double a = 0, b = 0;      // means
  double difference = 0;    // mean of b - a
  std::optional<MeanInterval> interval;
  // How many times as many seeds would give the same certainty if A and B had different ones. nullopt: the differences
  // do not vary, or there are too few pairs.
  std::optional<double> pairing_saves;

  [[nodiscard]] bool significant() const noexcept { return interval && !interval->holds(0); }
};

struct PolicyComparison {
  std::uint64_t seeds = 0;
  std::uint64_t both_held = 0, only_a_held = 0, only_b_held = 0, neither_held = 0;
  double p_of_verdicts = 1;  // McNemar's
  bool same_in_every_run = false;
  std::vector<FigureComparison> figures;  // without those of which no seed has a pair

  [[nodiscard]] const FigureComparison* find(Figure figure) const noexcept;
};

// REQUIRES: as many of `a` as of `b`; those at one place are of one seed.
PolicyComparison compare(const std::vector<RunFigures>& a, const std::vector<RunFigures>& b);

}  // namespace holdfast::sim

#pragma GCC visibility pop
