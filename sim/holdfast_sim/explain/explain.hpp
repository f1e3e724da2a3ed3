// Why a run came to what it did: the chain from the first cause to a violated rule, a missed expectation, or any event
// that is chosen.
//
//     const RehearsalResult result = rehearse(scenario);
//     const Explained explained = explain(scenario, result);
//     std::cout << explained_text(explained);   // present/explain_text.hpp
//
// A run that nobody asks about pays nothing: the same run is repeated, which determinism makes exact, and causes are
// read from its events and from the scenario. It is repeated two or three times, without checks. Memory is O(services)
// and, for each explanation, at most 65 536 events of its service.
//
// Thread-safety: none for one call; any number of calls may run in as many threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/time.hpp>
#include <holdfast_sim/explain/selector.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// What brought an event about.
enum class CauseKind : std::uint8_t {
  outside,      // the scenario's beginning or its words, or another service
  disturbance,  // an entry of chaos
  draw,         // a length of time that was drawn
  timer,        // a time that was over, and that an earlier event had begun
  event,        // an earlier event, at once
  command       // of whoever drives the simulation, or of a host that boots
};
std::string_view to_string(CauseKind) noexcept;

// An event of a chain, as a sentence.
struct Link {
  TimePoint at;
  TimePoint until;           // of several events in one: when the last of them was; else `at`
  std::string service;       // empty: the supervisor itself
  std::string kind;          // as traces have it: "ended", "outage"
  std::uint64_t number = 0;  // in the run, from 1: line number + 1 of its trace
  std::uint64_t run = 0;     // 0: before the first, or none
  CauseKind by = CauseKind::outside;
  std::optional<std::uint32_t> chaos{};  // the entry of the scenario that it is, from 0
  std::uint32_t line = 0;                // of that entry in the file; 0: not known
  std::uint64_t folded = 0;              // so many failures like the one before it, in one; 0: an event
  std::string says;
};

// Why one thing happened.
struct Explanation {
  enum class Of : std::uint8_t { rule, stall, expectation, remarkable, event };
  Of of = Of::event;
  std::string what;         // "feed.lost", the name of the rule, the selector
  std::string says;         // what is explained, with its figures
  std::string about;        // why it is this service that is shown; may be empty
  std::string service;      // empty: the supervisor itself, or none
  std::vector<Link> chain;  // the first cause first; empty: nothing happened that could be shown
  std::string afterwards;   // what came of the cause in the end; may be empty
  bool cut = false;         // there were too many events: some in the middle are taken for ones like the others
};
std::string_view to_string(Explanation::Of) noexcept;

struct ExplainOptions {
  std::optional<EventSelector> event{};      // this event; nullopt: all that went wrong, or what is most remarkable
  std::vector<std::uint32_t> chaos_lines{};  // of the entries of chaos in the file; see chaos_lines()
  std::size_t explanations_max = 5;          // from 1
  std::function<bool()> interrupted = {};    // asked now and then; true: the result is what there is so far
};

struct Explained {
  std::string scenario;
  Seed seed;
  std::string digest;
  RehearsalVerdict verdict = RehearsalVerdict::held;
  std::vector<Explanation> explanations;
  std::vector<std::string> more;  // what else went wrong: rules and expectations by their names
  bool interrupted = false;
};

// `result` is of a rehearsal of this very scenario. Throws BadSelector if the event that is asked for never came.
Explained explain(const Scenario& scenario, const RehearsalResult& result, const ExplainOptions& options = {});

// The chain to the event of this number, from 1, of a run that nobody has judged. Empty: it has no such event, or it
// was interrupted. Of the options `chaos_lines` and `interrupted` count.
std::vector<Link> chain_to(const Scenario& scenario, Seed seed, std::uint64_t event,
                           const ExplainOptions& options = {});

// The chain in at most so many links: the first, the last, and of the others those that say most. REQUIRES: 3 <= most.
std::vector<Link> shortened(std::vector<Link> chain, std::size_t most);

}  // namespace holdfast::sim

#pragma GCC visibility pop
