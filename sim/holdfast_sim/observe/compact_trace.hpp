// A run as a compact file: the same as a trace of lines in a tenth of its bytes, and written in a fraction of the time.
// lib/docs/reference/compact_trace_format.md describes every byte.
//
// What is read from it are the events of the run, so that the trace of lines can be made of it to the byte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/random.hpp>
#include <holdfast_sim/observe/detail/field_bytes.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/observe/trace.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// The first bytes of such a file; the last one is the version. What transfers damage most, line ends and the highest
// bit, is among them.
inline constexpr std::array<unsigned char, 8> kCompactTraceMagic{0x89, 'H', 'F', 'T', '\r', '\n', 0x1a, 1};

class CompactTraceWriter final : public Observer {
 public:
  // `out` outlives the writer.
  CompactTraceWriter(std::ostream& out, std::string_view scenario, Seed seed);

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;

  // Writes the end and flushes. Whether everything could be written is in the stream's state.
  void finish(const SimulationEnd& end, Digest& digest);

 private:
  // What a reader knows of a service, and need not be told.
  struct Known {
    std::uint32_t generation = 0;
    std::uint64_t n = 0;
    std::uint64_t run = 0;
    TimePoint started{};
  };

  struct Place;

  Known& lead(Place& place, unsigned kind, const ServiceId& service, std::string_view name, std::uint64_t n,
              std::uint64_t run, TimePoint at);
  void put(Place& place, const event::Ended& ended, Duration since);
  void put(Place& place, const event::BackingOff& waits);
  void put_rare(const Event& event);
  void correct(const ServiceId& service, std::string_view name, std::uint64_t n, std::uint64_t run);
  void put_byte(unsigned byte) noexcept { *at_++ = static_cast<unsigned char>(byte); }
  void put_number(std::uint64_t value) noexcept;
  void put_text(std::string_view text);
  void put_raw(std::string_view text);
  void put_block(bool last);
  void make_room(std::size_t bytes);

  std::ostream& out_;
  std::vector<unsigned char> block_;
  unsigned char* at_ = nullptr;
  unsigned char* full_ = nullptr;  // a block that has come so far is written
  std::uint64_t latest_service_ = 0;
  TimePoint latest_at_{};
  Duration latest_ceiling_{};
  std::string latest_error_;
  std::vector<Known> known_;                                 // of the supervisor itself, then by slot
  std::map<std::string, std::uint64_t, std::less<>> texts_;  // each with its number, from 0
  std::size_t text_bytes_ = 0;
  std::uint64_t latest_text_ = 0;  // its place from 1; 0: none
  std::string_view latest_text_is_{};
  detail::FieldWriter fields_;
};

// Reads a compact trace. Throws BadInput, which names the byte where the file is damaged or cut short, or says that its
// digest is not that of its events.
class CompactTraceReader {
 public:
  // Reads up to the first event. `in` outlives the reader.
  CompactTraceReader(std::istream& in, std::string file);
  ~CompactTraceReader();

  [[nodiscard]] const std::string& scenario() const noexcept;
  [[nodiscard]] Seed seed() const noexcept;

  // Shows the events to the observers, as the run did. Service ids are the reader's own. Called once.
  TraceSummary read(const std::vector<Observer*>& observers);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether a file begins like a compact trace. Takes nothing from it.
bool is_compact_trace(std::istream& in);

}  // namespace holdfast::sim

#pragma GCC visibility pop
