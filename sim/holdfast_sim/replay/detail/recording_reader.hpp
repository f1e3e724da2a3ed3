// Reads recordings (holdfast/recorder.hpp) line by line, with a look at the next one.
//
// Whatever was changed in a line is noticed: a key that it must not have or has twice, a value that cannot be, and a
// check that is not that of the line and those above. A recording whose first line has no check, as one made by hand,
// has none at all: then a time between two others may be any between them.
//
// Nothing here throws but the constructor: lines are asked for from within a supervisor's handler. What is wrong with
// the file ends the lines; throw_if_bad() reports it.
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

#include <holdfast/detail/line_check.hpp>
#include <holdfast/event.hpp>
#include <holdfast/file/bad_input.hpp>
#include <holdfast/lifecycle.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/observe/detail/line_source.hpp>
#include <holdfast_sim/observe/detail/object_reader.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim::detail {

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
enum class InputKind : std::uint8_t {
  add,
  stop,
  restart,
  remove,
  shutdown,
  end_drain,
  end,
  stop_threw,
  kill_threw,
  pid,
  warn,
  signal_ignored,
  reset,
  ready,
  heartbeat,
  add_group,
  reconfigure
};
std::string_view to_string(InputKind) noexcept;
// From within what it came.
enum class Within : std::uint8_t { nothing, service, sink };
struct InputLine {
  TimePoint at;
  InputKind kind = InputKind::add;
  Within within = Within::nothing;
  std::string service;
  ServicePolicy policy;                            // of add and reconfigure
  bool can_be_killed = false;                      // of add
  bool runs_side_by_side = false;                  // of add
  ServiceId id;                                    // of end, ready, heartbeat and warn
  RunNumber run;                                   // of end, ready, heartbeat and warn
  TimePoint heard;                                 // of heartbeat: when it came
  std::optional<std::uint64_t> progress;           // of heartbeat
  Outcome outcome = Outcome::clean;                // of end
  std::optional<std::uint8_t> exit_status;         // of end
  std::string error;                               // of end, stop_threw and kill_threw; what a run warned of
  std::uint32_t pid = 0;                           // of pid
  ShutdownCause cause = ShutdownCause::requested;  // of shutdown, end_drain and signal_ignored
  GroupConfig group{};                             // of add_group
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
  [[nodiscard]] std::uint32_t lines() const noexcept { return source_.number(); }
  // The clock as far as it was read.
  [[nodiscard]] TimePoint latest() const noexcept { return latest_; }
  void throw_if_bad() const;
  [[nodiscard]] BadInput bad(std::uint32_t line, std::string key, std::string says) const;
  // The first line has one that is refused.
  [[nodiscard]] BadInput bad_configuration(const ConfigError& error) const;

 private:
  void read_header();
  void advance();
  void read_line();
  [[nodiscard]] TimePoint clock(const ObjectReader& object, std::string_view key);
  [[nodiscard]] TimerLine timer(const ObjectReader& object);
  [[nodiscard]] InputLine input(const ObjectReader& object);
  [[nodiscard]] EndLine end(const ObjectReader& object);
  void take_fields(const boost::json::object& fields);
  void verify(const boost::json::object& fields, const ObjectReader& object);

  LineSource source_;
  const std::string file_;
  RecordingHeader header_;
  holdfast::detail::LineCheck check_;
  bool has_checks_ = false;  // the first line has one, so all have
  bool ended_ = false;       // by its last line
  bool cut_short_ = false;
  TimePoint latest_;
  std::optional<RecordingLine> line_;
  std::optional<Complaint> complaint_;
};

}  // namespace holdfast::sim::detail
