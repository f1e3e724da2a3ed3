// Compares what a scenario expects with the figures of the report (ExpectedFigures), and with those of its groups.
//
// A bound is met by a figure that is equal to it. Quantiles of recoveries are as exact as the report has them: off by
// at most 0.4 % (LogLinearHistogram), while the longest is exact.
//
// Thread-safety: a function of its arguments alone.
#pragma once

#include <vector>

#include <holdfast_sim/checks/expectations.hpp>
#include <holdfast_sim/report/report_data.hpp>

namespace holdfast::sim {

// One result for each figure that something is expected of, in their order.
std::vector<ExpectationResult> figure_expectations(const Expectations& expected, const ReportData& report);

}  // namespace holdfast::sim
