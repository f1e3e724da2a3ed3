// Reads recordings (holdfast/recorder.hpp) line by line, with a look at the next one.
//
// Nothing here throws but the constructor: lines are asked for from within a supervisor's handler. What is wrong with
// the file ends the lines and is told by throw_if_bad().
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <boost/json.hpp>

#include <holdfast/lifecycle.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/bad_input.hpp>

namespace holdfast::sim::detail {

class ObjectReader;

struct RecordingHeader {
  std::string version;
  Seed seed;
  TimePoint began;
  SupervisorConfig supervisor;
};

// What the supervisor was given next.
struct ClockLine {
  TimePoint at;
};
struct TimerLine {
  TimePoint at;
  std::uint64_t number = 0;
  TimePoint due;
};
enum class InputKind : std::uint8_t { add, stop, restart, remove, shutdown, end_drain, end, stop_threw, kill_threw };
std::string_view to_string(InputKind) noexcept;
// From within what it came.
enum class Within : std::uint8_t { nothing, service, sink };
struct InputLine {
  TimePoint at;
  InputKind kind = InputKind::add;
  Within within = Within::nothing;
  std::string service;
  RestartPolicy restart = RestartPolicy::on_failure;  // of add
  std::optional<BackoffPolicy> backoff;               // of add
  std::optional<Duration> stop_grace;                 // of add
  bool can_be_killed = false;                         // of add
  ServiceId id;                                       // of end
  RunNumber run;                                      // of end
  Outcome outcome = Outcome::clean;                   // of end
  std::string error;                                  // of end, stop_threw and kill_threw
};
// What it did.
struct EventLine {};
// The recording is whole.
struct EndLine {
  TimePoint at;
  std::uint64_t events = 0;
  std::uint64_t undone = 0;  // tasks that the supervisor was destroyed with
};

struct RecordingLine {
  std::uint32_t number = 0;
  std::string text;
  std::variant<ClockLine, TimerLine, InputLine, EventLine, EndLine> what;
};

class RecordingReader {
 public:
  // Reads the first line. Throws BadInput. `in` outlives the reader.
  RecordingReader(std::istream& in, std::string file);

  [[nodiscard]] const RecordingHeader& header() const noexcept { return header_; }

  // The next line; null: there is none.
  [[nodiscard]] const RecordingLine* peek() const noexcept { return line_ ? &*line_ : nullptr; }
  template <class What>
  [[nodiscard]] const What* peek_as() const noexcept {
    return line_ ? std::get_if<What>(&line_->what) : nullptr;
  }
  // REQUIRES: there is a next line.
  RecordingLine take();

  // The lines came to an end without one that says so.
  [[nodiscard]] bool cut_short() const noexcept { return cut_short_; }
  [[nodiscard]] std::uint32_t lines() const noexcept { return number_; }
  // The clock as far as it was read.
  [[nodiscard]] TimePoint latest() const noexcept { return latest_; }
  void throw_if_bad() const;
  [[nodiscard]] BadInput bad(std::uint32_t line, std::string key, std::string says) const;
  // The first line has one that is refused.
  [[nodiscard]] BadInput bad_configuration(const ConfigError& error) const;

 private:
  [[nodiscard]] bool next_text();
  void read_header();
  void advance();
  void read_line();
  [[nodiscard]] TimePoint clock(const ObjectReader& object, std::string_view key);
  [[nodiscard]] TimerLine timer(const ObjectReader& object);
  [[nodiscard]] InputLine input(const ObjectReader& object);

  std::istream& in_;
  const std::string file_;
  RecordingHeader header_;
  std::string text_;
  std::uint32_t number_ = 0;   // of text_
  bool has_line_end_ = false;  // text_ has
  bool ended_ = false;         // by its last line
  bool cut_short_ = false;
  TimePoint latest_;
  std::optional<RecordingLine> line_;
  std::optional<Complaint> complaint_;
};

}  // namespace holdfast::sim::detail
