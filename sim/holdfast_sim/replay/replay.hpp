// Feeds a recording of a real run (holdfast/recorder.hpp) to the same supervisor in virtual time and compares every
// event, to the nanosecond. It reports the first difference.
//
//     std::ifstream file{"run.ndjson"};
//     const ReplayResult result = replay(file, "run.ndjson");
//     std::cout << replay_text(result);        // report_text.hpp
//
// A difference has one of three causes: another version of the supervisor (a changed rule), a bug (a decision that
// depends on something that is not recorded), or a changed file.
//
// Thread-safety: none for one replay; any number of them may run in as many threads.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/report/report_data.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// Where the replay first did something else than what was recorded.
struct Difference {
  std::uint32_t line = 0;  // of the recording
  std::string recorded;    // that line; empty: the recording has nothing more
  std::string replayed;    // the line that the replay would write; empty: it does nothing
  std::string says;        // "delay_ns: recorded 17, replayed 18"
};

// A timer fires at its time or later: in virtual time never later, on a machine always.
struct Lateness {
  std::uint64_t timers = 0;  // that fired
  Duration most{0};
  TimePoint at;  // when that one fired
};

struct ReplayResult {
  std::string file;
  std::string version;  // of the holdfast that recorded it
  Seed seed;
  SupervisorConfig supervisor;
  std::uint64_t inputs = 0;  // commands, ends of runs
  std::uint64_t events = 0;  // that were as recorded
  Lateness lateness;
  std::optional<Difference> difference;  // the replay ends with it
  bool cut_short = false;                // the recording has no last line: it ends where the program died
  bool interrupted = false;              // by the caller; the recording goes on
  std::uint32_t lines = 0;               // that were read
  std::string digest;                    // of the events
  ReportData report;

  [[nodiscard]] bool same() const noexcept { return !difference; }
  // "as recorded", "not as recorded", "interrupted".
  [[nodiscard]] std::string_view verdict() const noexcept;
};

struct ReplayOptions {
  std::ostream* trace = nullptr;  // where a trace is written to; none without it
  std::vector<Observer*> observers = {};
  // Asked every few dozen lines: true ends the replay there, and the result is what there is so far.
  std::function<bool()> interrupted = {};
};

// Messages call the recording `file`. Throws BadInput: a file that is not a recording, a line that is none of its
// lines.
ReplayResult replay(std::istream& recording, const std::string& file, const ReplayOptions& options = {});

}  // namespace holdfast::sim

#pragma GCC visibility pop
