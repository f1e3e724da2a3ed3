// A run as an NDJSON file with its digest: the writer and the reader.
//
// A trace file is newline-delimited JSON. The first line names the scenario, the last says how the run ended; every
// line between is one event:
//
//     {"holdfast_trace":1,"scenario":"failure storm","seed":42}
//     {"t_ns":0,"service":"feed-0","n":1,"run":0,"kind":"added","base_ns":100000000,…}
//     …
//     {"end":"finished","t_ns":1800000000000,"timers_fired":…,"counters":{…},"events":…,"digest":"…"}
//
// Times and lengths of time are whole nanoseconds, times since virtual time zero. Everything that checks and reports
// need is in the file.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/random.hpp>
#include <holdfast_sim/observe/detail/text_buffer.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/observer.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// Writes a trace file, line by line.
class TraceWriter final : public Observer {
 public:
  // Writes the first line. `out` outlives the writer.
  TraceWriter(std::ostream& out, std::string_view scenario, Seed seed);

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;

  // Writes the last line and flushes. Whether everything could be written is in the stream's state.
  void finish(const SimulationEnd& end, Digest& digest);

 private:
  void put_time(TimePoint at);
  void flush();

  std::ostream& out_;
  detail::TextBuffer text_;
  TimePoint latest_at_;
  std::size_t latest_time_ = 0;  // where the latest time stands in text_; 0: nowhere
  std::size_t latest_digits_ = 0;
};

// What the first and the last line of a trace file say.
struct TraceSummary {
  std::string scenario;
  Seed seed;
  SimulationEnd end;
  std::uint64_t events = 0;
  std::string digest;
};

// Reads a trace file, or a compact one, and shows its events to the observers, as the run did. Service ids are the
// reader's own. Throws BadInput for a line that is not an event, a file that was cut short, and a digest that is not
// that of the events.
TraceSummary read_trace(std::istream& in, const std::string& file, const std::vector<Observer*>& observers);

}  // namespace holdfast::sim

#pragma GCC visibility pop
