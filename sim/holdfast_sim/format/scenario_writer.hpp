// Writes scenarios as files from which the reader makes the same scenarios.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <string>
#include <vector>

#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/text/file.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// The text of a scenario file. What has its default is left out; comments of a file that was read are lost. Recorded
// traces are named as in the scenario; the caller writes recorded_files() beside the file.
//
// Throws BadInput for values that the format cannot express: a seed above 9223372036854775807, `then` without
// `runs_for`, a name that is not UTF-8. It does not check rules between keys: chaos for an unknown service is written
// as it is.
std::string scenario_text(const Scenario& scenario);

// The files that a scenario names, each once, in the order in which it first names them.
struct RecordedFile {
  std::string path;  // as in the scenario, relative to its folder
  std::string text;
};
// Throws BadInput for a trace that no file can have become, and for two traces under one path.
std::vector<RecordedFile> recorded_files(const Scenario& scenario);

}  // namespace holdfast::sim

#pragma GCC visibility pop
