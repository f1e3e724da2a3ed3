// The events of a run as lines of a trace (lib/docs/reference/trace_format.md), one after the other: from a file, or
// from a simulation that runs as far as it is read.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include <holdfast/random.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

class LineSource {
 public:
  virtual ~LineSource() = default;
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;

  // The next event; false: there is none. Throws BadInput.
  virtual bool next(std::string& line) = 0;
  // What messages call it: "run.ndjson", "fleet.toml, seed 7".
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  // How the run ended, as the last line says; empty: there is none, or it has not been read yet.
  [[nodiscard]] virtual const std::string& end() const noexcept = 0;
  // Of the event that was read last: its line in the file, or its number.
  [[nodiscard]] virtual std::uint64_t number() const noexcept = 0;

 protected:
  LineSource() = default;
};

// A trace, or a recording: its events alone, not what was recorded between them. Reads the first line, and throws
// BadInput if it is neither's. `in` outlives the source.
std::unique_ptr<LineSource> line_source(std::istream& in, const std::string& file);

// A run of `scenario`, which outlives the source. `seed` replaces its own.
std::unique_ptr<LineSource> line_source(const Scenario& scenario, std::optional<Seed> seed, const std::string& file);

}  // namespace holdfast::sim

#pragma GCC visibility pop
