// Recordings of real runs (NDJSON): whatever the text, it is refused with its lines, or replayed to the first
// difference. Whatever a supervisor is given, it survives it; and what its replay decided makes a trace that is read
// back.
#include <optional>
#include <sstream>

#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/present/report_text.hpp>
#include <holdfast_sim/replay/replay.hpp>

#include "fuzz.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::sim;

const std::string kFile = "x.ndjson";

std::optional<ReplayResult> accepted(std::string_view text, std::ostream* trace) {
  try {
    std::istringstream in{std::string{text}};
    return replay(in, kFile, {.trace = trace});
  } catch (const file::BadInput& bad) {
    fuzz::claim(!bad.complaints().empty(), "a recording is refused with a reason");
    fuzz::claim_sound(bad.complaints(), text, kFile);
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  std::ostringstream trace;
  const auto result = accepted(text, &trace);
  if (!result) return 0;
  const auto lines = fuzz::lines_of(text).size();
  fuzz::claim(result->events + result->inputs + result->lateness.timers < lines, "every line is one thing at most");
  fuzz::claim(!result->difference || (result->difference->line > 1 && result->difference->line <= lines),
              "a difference stands at a line of the file");
  fuzz::claim(file::invalid_utf8(replay_text(*result)) == std::string_view::npos, "the report is UTF-8");
  fuzz::claim(!replay_json(*result).empty(), "the report is JSON");
  fuzz::claim(accepted(text, nullptr)->digest == result->digest, "a replay is the same every time");
  std::istringstream in{trace.str()};
  fuzz::claim(read_trace(in, kFile, {}).digest == result->digest, "the trace of a replay is read back");
  return 0;
}
