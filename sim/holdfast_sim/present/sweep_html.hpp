// What sweeps came to as one page for a browser without a network: verdicts, reasons with the commands that repeat
// them, and how each figure spreads over the seeds.
//
// Thread-safety: a function of its arguments alone.
#pragma once

#include <string>
#include <vector>

#include <holdfast_sim/present/sweep_text.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// A section for each summary. A function of the plans and the outcomes: equal sweeps give equal bytes.
std::string sweep_html(const std::vector<SweepSummary>& summaries);

}  // namespace holdfast::sim

#pragma GCC visibility pop
