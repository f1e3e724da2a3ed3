// Compares two runs: the first event that differs, and what differs afterwards, by group.
//
//     const Diff difference = diff(*left, *right);
//     std::cout << diff_text(difference);   // present/diff_text.hpp
//
// A service is identified by its name, and feed-0, feed-1, … are the group feed. A service differs if its own events
// differ between the runs, whatever the rest of the fleet does in between. Memory is O(services + events by which one
// run is ahead of the other).
//
// Thread-safety: none for two sources; any number of pairs may be compared in as many threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/time.hpp>
#include <holdfast_sim/diff/line_source.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct DiffOptions {
  // Ignores times and lengths of time, which two recordings of a real program never have in common.
  bool without_times = false;
  // Asked every few thousand events: true ends the comparison, and the result is what there is so far.
  std::function<bool()> interrupted = {};
};

struct DifferentEvent {
  std::uint64_t event = 0;          // which one of the run, from 1
  std::uint64_t left_number = 0;    // line of the file, or number of the event; 0: the run has nothing more
  std::uint64_t right_number = 0;   // the same
  std::string left;                 // the line; empty: the run has nothing more
  std::string right;                // the same
  std::string says;                 // which keys differ: "delay_ns: left 17, right 18"
  std::vector<std::string> before;  // the latest events of the same service that both runs have, oldest first
};
inline constexpr std::size_t kEventsBefore = 3;

// Events of a group from the first difference on.
struct DiffCounts {
  std::uint64_t events = 0;
  std::uint64_t starts = 0;
  std::uint64_t failures = 0;
  std::uint64_t lost = 0;  // services that were given up
  friend bool operator==(const DiffCounts&, const DiffCounts&) = default;
};

struct GroupDiff {
  std::string name;             // empty: the supervisor itself
  std::uint64_t services = 0;   // that had an event from the first difference on
  std::uint64_t different = 0;  // of these, the ones whose events differ
  std::string first_service;    // that differs
  TimePoint first_at;           // when
  DiffCounts left, right;
};

struct Diff {
  std::string left, right;              // what messages call the runs
  std::uint64_t common = 0;             // events before the first that differs
  std::uint64_t left_events = 0;        // all that were read
  std::uint64_t right_events = 0;       // the same
  std::optional<DifferentEvent> first;  // nullopt: every event is the same
  std::string ends_say;                 // how the last lines differ; empty: they do not, or one run has none
  std::vector<GroupDiff> groups;        // that differ, in the order in which they began to
  std::uint64_t groups_alike = 0;       // that had events from the first difference on, and the same in both runs
  bool interrupted = false;

  [[nodiscard]] bool same() const noexcept { return !first && ends_say.empty(); }
};

// Throws BadInput for a line that is not an event.
Diff diff(LineSource& left, LineSource& right, const DiffOptions& options = {});

}  // namespace holdfast::sim

#pragma GCC visibility pop
