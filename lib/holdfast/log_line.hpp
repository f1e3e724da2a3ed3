// An event as a line for a log, in logfmt: `key=value` with blanks between, a value in quotes where it needs them.
//
//     event=ended service=feed run=3 outcome=threw lasted=12.5s error="connection refused" n=14 at=63.07s
//     event=shutdown_requested cause=requested timeout=30s n=1 at=86400s
//
// Words and keys are those of traces, in the same order. Lengths of time are exact, in seconds, because both people and
// the query languages of logs read that form. `at` counts from the scheduler's start, and (service, n) is the event's
// identity. A key is left out where it would say nothing: the run before the first run, an empty error, the limits of a
// breaker that did not trip.
//
// A line is always one line of UTF-8 without control or invisible characters, whatever text an error has.
//
// The reason of a termination is a word with numbers in fields of their own (`reason=circuit_open failures=5
// max_failures=5`), as in metrics and traces. The sentence for people is to_string(Termination, last_error).
//
// Nothing here writes a log. spdlog_sink.hpp does, and for any other logger a sink takes a few lines.
//
// Thread-safety: functions of their argument alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <holdfast/event.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// How much an event concerns an operator.
//
//     error    breaker_tripped; terminated by it, by an error, or abandoned; ended fatally; drained at the deadline;
//              recording_failed
//     warning  warned, stop_threw, killed, kill_threw, abandoned, ended_late; ended with an error or an exception;
//              drained before its end, by command
//     info     added, running, commanded, stopping, removed, shutdown_requested, backing_off, breaker_closed, and
//              whatever went well
//     debug    started, because `running` follows it
LogLevel log_level(const Event& event) noexcept;

// Without a line break at its end. `unlogged`: how many lines of the service were left out before this one
// (log_filter.hpp); if there were any, the line has their number.
std::string log_line(const Event& event, std::uint64_t unlogged = 0);

}  // namespace holdfast

#pragma GCC visibility pop
