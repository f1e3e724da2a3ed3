// Writes recorded traces as files from which the reader makes the same traces.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <string>

#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/scenario/recorded_trace.hpp>
#include <holdfast_sim/text/file.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// The text of the file, its rows in order of time as far as the order of names allows. Throws BadInput for a trace that
// no file can have become, such as one with an entity that never fails; messages call the file `file`.
std::string recorded_trace_text(const RecordedTrace& trace, const std::string& file);

}  // namespace holdfast::sim

#pragma GCC visibility pop
