// What a query found in many runs, as text for a person, and as JSON for programs (lib/docs/reference/json.md).
//
// Thread-safety: functions of their arguments alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <holdfast_sim/find/find.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct Searched {
  std::string scenario{};
  std::string query{};  // in_words()
  bool of_events = true;
  std::uint64_t first_seed = 0;
  std::uint64_t last_seed = 0;  // that was looked through
  bool interrupted = false;     // there were more seeds
  const FoundInRuns& found;
  // What explains the event of this number of a seed; empty: nothing does.
  std::function<std::string(std::uint64_t seed, std::uint64_t number)> command{};
};

// `width`: columns of a line at most; commands may be longer.
std::string searched_text(const Searched& searched, std::size_t width = 100);

// One object in one line. Ends with a line feed.
std::string searched_json(const Searched& searched);

}  // namespace holdfast::sim

#pragma GCC visibility pop
