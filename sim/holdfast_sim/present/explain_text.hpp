// Why a run came to what it did, as text for a person, and as JSON for programs (lib/docs/reference/json.md).
//
// Thread-safety: functions of their arguments alone.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <holdfast_sim/explain/explain.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct ExplainTextOptions {
  std::size_t width = 100;                        // columns of a line at most
  std::string command = "holdfast explain FILE";  // what explains another event
};

std::string explained_text(const Explained& explained, const ExplainTextOptions& options = {});

// The links of a chain, a line each where the width allows it, behind their times.
std::string chain_text(const std::vector<Link>& chain, std::size_t width);

// One object in one line. Ends with a line feed.
std::string explained_json(const Explained& explained);

}  // namespace holdfast::sim

#pragma GCC visibility pop
