// The summary of a rehearsal as JSON, for programs: everything that the text says, and the numbers of its picture.
//
// One object in one line, keys always in the same order. Times (since virtual time zero) and lengths of time are whole
// nanoseconds and end in `_ns`; sums of time over services end in `_ms`, because nanoseconds would not fit; averages of
// services are in thousandths. What does not apply is null.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <holdfast/time.hpp>
#include <holdfast_sim/bad_input.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/replay.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// `wall`: how long the rehearsal took; `warnings`: of the scenario's file. Ends with a line feed.
std::string report_json(const RehearsalResult& result, std::optional<Duration> wall = std::nullopt,
                        const std::vector<Complaint>& warnings = {});

// The same of a recording that was replayed.
std::string replay_json(const ReplayResult& result);

}  // namespace holdfast::sim

#pragma GCC visibility pop
