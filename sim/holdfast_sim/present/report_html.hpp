// A rehearsal as one page for a browser without a network: the fleet over time, service by service, and the report.
//
// Thread-safety: functions of their arguments alone.
#pragma once

#include <string>
#include <vector>

#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/explain/explain.hpp>
#include <holdfast_sim/picture/fleet_map.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/text/file.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// How many buckets of time a map of so many services has: fewer for many, so that the page stays small.
std::uint32_t buckets_of_page(std::uint64_t services) noexcept;

// `map`: of the same run. `warnings`: of the scenario's file. `why`: chains that the page shows below its verdicts.
std::string report_html(const Scenario& scenario, const RehearsalResult& result, const FleetMap& map,
                        const std::vector<Complaint>& warnings = {}, const std::vector<Explanation>& why = {});

}  // namespace holdfast::sim

#pragma GCC visibility pop
