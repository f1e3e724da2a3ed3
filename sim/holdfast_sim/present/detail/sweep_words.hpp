// What the text and the page of a sweep say in the same words.
//
// Thread-safety: functions of their arguments alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/present/sweep_text.hpp>
#include <holdfast_sim/search/seed_outcome.hpp>

namespace holdfast::sim::detail {

std::string value_text(SeedFigureText::Unit unit, std::uint64_t value);
std::string joined(const std::vector<std::string>& texts);  // with commas

// "held": "all 1 000 seeds; with 95 % confidence at most 0.3 % of all seeds fail (3/n)"
struct SweepVerdict {
  std::string_view word;
  std::string says;
  bool good;
};
// One, or two if the sweep is vacuous as well; none if there was no run.
std::vector<SweepVerdict> verdicts_of(const SweepSummary& summary);

}  // namespace holdfast::sim::detail
