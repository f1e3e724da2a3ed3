// Recorded traces (CSV): whatever the text, it is refused with complaints that have their place, or it becomes a trace
// that survives being written and read.
#include <optional>

#include <holdfast_sim/format/recorded_trace_writer.hpp>
#include <holdfast_sim/scenario/recorded_trace.hpp>

#include "fuzz.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::sim;

const std::string kFile = "x.csv";

std::optional<RecordedTrace> accepted(std::string_view text) {
  return fuzz::accepted(text, kFile, [text] { return parse_recorded_trace(text, kFile); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto trace = accepted(fuzz::text_of(data, size));
  if (!trace) return 0;
  const auto written = recorded_trace_text(*trace, kFile);
  const auto read = accepted(written);
  fuzz::claim(read == trace, "a recorded trace survives being written and read", written);
  fuzz::claim(recorded_trace_text(*read, kFile) == written, "the same trace is the same text", written);
  return 0;
}
