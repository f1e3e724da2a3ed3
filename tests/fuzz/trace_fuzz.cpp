// Trace files (NDJSON): whatever the text, it is refused with its line, and the events that were shown until then make
// a trace of their own, which is read back to the byte. The checks look at all of them, as absurd as they may be.
#include <optional>
#include <sstream>

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/trace.hpp>

#include "fuzz.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::sim;

const std::string kFile = "x.ndjson";

// A trace of the events that are shown to it.
class Copy {
 public:
  std::vector<Observer*> observers() { return {&digest_, &checks_, &writer_}; }

  std::string finish(const SimulationEnd& end) {
    checks_.finish(end);
    writer_.finish(end, digest_);
    return out_.str();
  }

 private:
  std::ostringstream out_;
  Digest digest_;
  Checks checks_;
  TraceWriter writer_{out_, "copy", Seed{1}};
};

std::optional<TraceSummary> accepted(std::string_view text, Copy& copy) {
  try {
    std::istringstream in{std::string{text}};
    return read_trace(in, kFile, copy.observers());
  } catch (const file::BadInput& bad) {
    fuzz::claim(bad.complaints().size() == 1, "a trace is refused with one complaint");
    fuzz::claim_sound(bad.complaints(), text, kFile);
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Copy first;
  const auto summary = accepted(fuzz::text_of(data, size), first);
  const SimulationEnd end = summary ? summary->end : SimulationEnd{};
  const std::string written = first.finish(end);
  Copy second;
  const auto read = accepted(written, second);
  fuzz::claim(read.has_value(), "what was written is read", written);
  fuzz::claim(read->end == end, "the end survives being written and read", written);
  fuzz::claim(second.finish(read->end) == written, "events survive being written and read", written);
  return 0;
}
