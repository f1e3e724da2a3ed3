// The summary of a rehearsal, or of a replay, as text for a person in a terminal. Everything but the picture is in the
// JSON as well.
#pragma once

#include <cstddef>
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

struct ReportTextOptions {
  std::size_t width = 100;               // columns of a line at most; paths and proofs may be longer
  bool colours = false;                  // ANSI escape sequences
  std::optional<Duration> wall{};        // how long the rehearsal took
  std::vector<Complaint> warnings = {};  // of the scenario's file
};

std::string report_text(const RehearsalResult& result, const ReportTextOptions& options = {});

// The same for a recording that was replayed: the report of its events, and whether they were as recorded.
std::string replay_text(const ReplayResult& result, const ReportTextOptions& options = {});

// Why the verdict is not `held`, in full sentences, a line each; empty if it is. "the budget of events ran out at …".
std::string verdict_text(const RehearsalResult& result);

// "20 services, 1h": how much there is to rehearse.
std::string extent_text(const Scenario& scenario);

// "42 %  12min of virtual time, 1 234 timers in 1.5s"; `wall` is the time that it took so far.
std::string progress_text(const Progress& progress, Duration wall);

// One line: verdict and digest.
std::string report_line(const RehearsalResult& result);

}  // namespace holdfast::sim

#pragma GCC visibility pop
