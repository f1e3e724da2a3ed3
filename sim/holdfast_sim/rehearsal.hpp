// One rehearsal from beginning to end: runs a scenario with all checks, expectations and the report.
//
//     const RehearsalResult result = rehearse(scenario);
//     std::cout << report_text(result);
//
// Nothing here reads a clock; the caller measures how long it takes.
//
// Thread-safety: none for one rehearsal; any number of them may run in as many threads.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/checks/expectations.hpp>
#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/report/report_data.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// How far a rehearsal has got.
struct Progress {
  TimePoint at;
  std::uint64_t timers_fired = 0;
  const Scenario& scenario;
};

struct RehearsalOptions {
  std::optional<Seed> seed{};                          // replaces the scenario's own
  std::ostream* trace = nullptr;                       // where a trace is written to; none without it
  bool compact = false;                                // a compact trace (compact_trace.hpp) instead of lines
  std::function<void(const Progress&)> progress = {};  // called after every `slice` timers
  // Asked after every slice: true ends the rehearsal there, and the result is what there is so far.
  std::function<bool()> interrupted = {};
  std::uint64_t slice = 1 << 16;
  // The checks do not see the first run begin, as if the supervisor had a bug: the run has to be violated. It ends
  // after the slice in which that is noticed. The digest until then and everything else are as ever.
  bool canary = false;
  bool with_history = true;  // false: ReportData::history has no buckets. A run of a few events takes a fraction then
};

// A trace that cannot be written ends the rehearsal.
class TraceNotWritten : public std::runtime_error {
 public:
  TraceNotWritten() : std::runtime_error("the trace could not be written") {}
};

// The verdict of a rehearsal as a whole.
enum class RehearsalVerdict : std::uint8_t {
  held,           // every rule and every expectation
  violated,       // a rule was broken, an expectation missed, or the run stalled
  out_of_budget,  // the run was cut off, so that its expectations prove nothing; no rule was broken until then
  interrupted     // the same, by the caller
};
std::string_view to_string(RehearsalVerdict) noexcept;

// A service that had not terminated when the run stalled.
struct WaitingService {
  std::string name;
  Phase phase = Phase::starting;
  TimePoint since;
};
inline constexpr std::size_t kWaitingNamedMax = 10;

struct RehearsalResult {
  Seed seed;
  Budget budget;  // it ran under
  std::string digest;
  ReportData report;
  std::vector<Verdict> rules;
  std::vector<Violation> violations;
  std::vector<ExpectationResult> expectations;
  std::string swarm;                          // which faults the seed chose, and how large; empty: without swarm
  std::vector<std::string> verdict_warnings;  // sentences about what no expectation is about
  std::vector<WaitingService> waiting;        // if the run stalled: the first kWaitingNamedMax, in the order of adding
  std::uint64_t more_waiting = 0;             // and how many more there are
  bool canary_planted = false;                // a run has begun that the checks did not see

  [[nodiscard]] RehearsalVerdict verdict() const noexcept;
  [[nodiscard]] bool all_held() const noexcept { return verdict() == RehearsalVerdict::held; }
};

// Throws TraceNotWritten, and what the progress callback throws.
RehearsalResult rehearse(const Scenario& scenario, const RehearsalOptions& options = {});

}  // namespace holdfast::sim

#pragma GCC visibility pop
