// An event as a line for a log, in logfmt: `key=value` with blanks between, a value in quotes where it needs them.
//
//     event=ended service=feed run=3 outcome=threw lasted=12.5s error="connection refused" n=14 at=63.07s
//     event=shutdown_requested cause=requested timeout=30s n=1 at=86400s
//
// Words and keys are those of traces, in the same order. Lengths of time are exact, in seconds: the one form that
// people and the query languages of logs both read. `at` counts from the scheduler's start, and (service, n) is the
// event's identity. Keys that say nothing about this event are left out: the run before there is one, an empty error,
// the limits of a breaker that did not trip.
//
// Whatever an error says, a line is one line: it has no control characters, and is UTF-8.
//
// Nothing here logs; spdlog_sink.hpp does, and so does a sink of yours for any other logger in a few lines.
//
// Thread-safety: functions of their argument alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <holdfast/event.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
std::string_view to_string(LogLevel) noexcept;

// How much an event concerns an operator.
//
//     error    breaker_tripped; terminated by it, by an error, or abandoned; ended fatally; drained at the deadline
//     warning  warned, stop_threw, killed, kill_threw, ended_late; ended with an error or an exception; drained before
//     its end, by command info     added, running, commanded, stopping, removed, shutdown_requested; backing_off;
//     everything that went well debug    started, which `running` follows
LogLevel log_level(const Event& event) noexcept;

// Without a line break at its end.
std::string log_line(const Event& event);

}  // namespace holdfast

#pragma GCC visibility pop
