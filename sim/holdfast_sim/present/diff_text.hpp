// Where two runs part, as text for a person, and as JSON for programs (lib/docs/reference/json.md).
//
// Thread-safety: functions of their arguments alone.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <holdfast_sim/diff/diff.hpp>
#include <holdfast_sim/explain/explain.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// What the first event that differs follows from, of each run that is one of a scenario; empty: not known.
struct DiffCauses {
  std::vector<Link> left{}, right{};
};

// `width`: columns of a line at most; events of a trace may be longer.
std::string diff_text(const Diff& diff, std::size_t width = 100, const DiffCauses& causes = {});

// One object in one line. Ends with a line feed.
std::string diff_json(const Diff& diff, const DiffCauses& causes = {});

}  // namespace holdfast::sim

#pragma GCC visibility pop
