// Where two runs part, as text for a person, and as JSON for programs (lib/docs/reference/json.md).
//
// Thread-safety: functions of their arguments alone.
#pragma once

#include <cstddef>
#include <string>

#include <holdfast_sim/diff/diff.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// `width`: columns of a line at most; events of a trace may be longer.
std::string diff_text(const Diff& diff, std::size_t width = 100);

// One object in one line. Ends with a line feed.
std::string diff_json(const Diff& diff);

}  // namespace holdfast::sim

#pragma GCC visibility pop
