// Writes scenarios as files that the reader makes the same scenarios of.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <string>
#include <vector>

#include <holdfast_sim/bad_input.hpp>
#include <holdfast_sim/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// The text of a scenario file. What has its default is left out; comments of a file that was read are lost. Recorded
// traces are named as the scenario names them: recorded_files() are to be there, beside the file.
//
// Throws BadInput where the format has no way to say it: a seed above 9223372036854775807, `then` without `runs_for`,
// a name that is no UTF-8. Rules between keys are the reader's to judge: chaos for a service that nobody is, is
// written as it stands.
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
