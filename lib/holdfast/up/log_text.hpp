// How a line of a log looks.
//
//     2026-11-30T05:42:05.123Z web-0 out listening on 8080           a program's standard output
//     2026-11-30T05:42:05.124Z web-0 err cannot open the cache       its standard error
//     2026-11-30T05:42:05.125Z holdfast warning event=ended service=web-0 …
//
// `out+` and `err+`: the line was longer than kLinePieceMax, and goes on in the next one of its stream. On a terminal
// the time is the local one, without the day, and each service has a colour. As JSON a line is
//
//     {"time":"2026-11-30T05:42:05.123Z","service":"web-0","stream":"out","line":"listening on 8080"}
//
// with `"continues":true` in place of the `+`, and `"level"` and `"stream":"holdfast"` for the supervisor's own lines.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <holdfast/event.hpp>

namespace holdfast::up {

enum class LogFormat : std::uint8_t {
  text,
  terminal,  // with colours and the time of day
  json
};

enum class LogStream : std::uint8_t { output, error };

inline constexpr std::size_t kLinePieceMax = std::size_t{16} * 1024;  // bytes of a line; a longer one is split

// The time as lines have it, written once a millisecond at most.
class LogClock {
 public:
  explicit LogClock(LogFormat format) : format_(format) {}
  // Reads the clock of the system.
  std::string_view now();
  // The same of another time, in milliseconds since 1970.
  std::string_view at(std::int64_t milliseconds);
  [[nodiscard]] std::int64_t milliseconds() const noexcept { return shown_; }

 private:
  LogFormat format_;
  std::int64_t shown_ = -1;  // milliseconds since 1970
  std::string text_;
};

// One service's lines.
class LogLabel {
 public:
  // `number` chooses the colour, `width` is that of the longest name.
  LogLabel(LogFormat format, std::string name, std::size_t number, std::size_t width);
  void append_line(std::string& to, std::string_view time, LogStream stream, std::string_view line, bool goes_on) const;

 private:
  LogFormat format_;
  std::string name_;
  std::string shown_;  // as it stands in a line, with its colour
};

// A line of holdfast itself.
void append_own_line(std::string& to, LogFormat format, std::string_view time, LogLevel level, std::string_view service,
                     std::string_view line, std::size_t width);

// A line as a client of the control socket gets it, who decides how it looks:
//
//     {"ms":1764480000123,"service":"web-0","stream":"out","line":"listening on 8080"}
//
// with `"continues":true` as above, and `"level"` in place of the stream for a line of the supervisor.
std::string followed_line(std::int64_t milliseconds, std::string_view service, LogStream stream, std::string_view line,
                          bool goes_on);
std::string followed_own_line(std::int64_t milliseconds, std::string_view service, LogLevel level,
                              std::string_view line);

}  // namespace holdfast::up
