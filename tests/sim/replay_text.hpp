#pragma once

// Recordings as text, and what their replay comes to.

#include <sstream>
#include <string>
#include <vector>

#include <holdfast_sim/replay/replay.hpp>

namespace holdfast::replay_test {

using namespace holdfast::sim;
using Lines = std::vector<std::string>;

inline ReplayResult replay_text_of(const std::string& recording, const ReplayOptions& options = {}) {
  std::istringstream in{recording};
  return replay(in, "run.ndjson", options);
}

inline std::string summary_of(const ReplayResult& result) {
  if (!result.difference) return "as recorded";
  const auto& found = *result.difference;
  return std::to_string(found.line) + ": " + found.says + "\nrecorded " + found.recorded + "\nreplayed " +
         found.replayed;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

inline std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + '\n';
  return text;
}

}  // namespace holdfast::replay_test
