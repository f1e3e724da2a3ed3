// A run written down: its digest, its NDJSON file, and the way back.
//
// A trace file is newline-delimited JSON. The first line says what it is of, the last how it ended; every line between
// is one event:
//
//     {"holdfast_trace":1,"scenario":"failure storm","seed":42}
//     {"t":0,"service":"feed-0","n":1,"run":0,"kind":"added","restart":"on_failure",…}
//     …
//     {"end":"finished","t":1800000000000,"timers_fired":…,"counters":{…},"events":…,"digest":"…"}
//
// Times and lengths of time are whole nanoseconds. The digest is XXH3-128 over the canonical bytes of the events (not
// of their text), which scenarios/README.md lays out.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/observer.hpp>

namespace holdfast::sim {

// 128 bits over the canonical bytes of all events so far.
class Digest final : public Observer {
 public:
  Digest();
  ~Digest();

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;

  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  // 32 lower-case hexadecimal digits.
  [[nodiscard]] std::string text() const;

 private:
  void flush() const;

  struct Hash;
  std::unique_ptr<Hash> hash_;
  mutable std::vector<unsigned char> buffer_;
  std::uint64_t events_ = 0;
};

// Writes a trace file, line by line.
class TraceWriter final : public Observer {
 public:
  // Writes the first line. `out` outlives the writer.
  TraceWriter(std::ostream& out, std::string_view scenario, Seed seed);

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;

  // Writes the last line.
  void finish(const SimulationEnd& end, const Digest& digest);

 private:
  void write(const std::string& line);

  std::ostream& out_;
  std::string line_;
};

// What the first and the last line of a trace file say.
struct TraceSummary {
  std::string scenario;
  Seed seed;
  SimulationEnd end;
  std::uint64_t events = 0;
  std::string digest;
};

// Reads a trace file and shows its events to the observers, as the run did. Service ids are the reader's own.
// Throws BadInput.
TraceSummary read_trace(std::istream& in, const std::string& file, const std::vector<Observer*>& observers);

}  // namespace holdfast::sim
