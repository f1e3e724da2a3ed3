// The summary of a rehearsal as JSON, for programs: everything that the text says, and the numbers of its picture.
//
// lib/docs/reference/json.md describes every key. One object in one line, keys always in the same order. Times (since
// virtual time zero) and lengths of time are whole nanoseconds and end in `_ns`; sums of time over services end in
// `_ms`, because nanoseconds would not fit; averages of services are in thousandths. What does not apply is null.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <holdfast/file/bad_input.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/replay/replay.hpp>
#include <holdfast_sim/text/file.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// The version of this JSON and that of `holdfast sweep`: its key `version`. It rises when a key is removed or changes
// its meaning, not when a key is added.
inline constexpr int kReportJsonVersion = 1;

// `wall`: how long the rehearsal took; `warnings`: of the scenario's file. Ends with a line feed.
std::string report_json(const RehearsalResult& result, std::optional<Duration> wall = std::nullopt,
                        const std::vector<Complaint>& warnings = {});

// The same for a recording that was replayed.
std::string replay_json(const ReplayResult& result);

}  // namespace holdfast::sim

#pragma GCC visibility pop
