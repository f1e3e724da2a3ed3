// Which lines of a crash loop a log leaves out.
#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <vector>

#include <holdfast/lifecycle.hpp>
#include <holdfast/log_filter.hpp>
#include <holdfast/log_line.hpp>

#include "support.hpp"

namespace holdfast::test::log_filter_test {
namespace {

Event about(Event::What what, std::uint32_t slot = 0, std::uint32_t generation = 1) {
  return {.at = TimePoint{}, .service = {slot, generation}, .name = "feed", .n = 1, .run = {1}, .what = what};
}
event::Ended ended(Duration lasted, Outcome outcome = Outcome::failed) { return {outcome, lasted, "x"}; }

// The numbers of the ends that are shown, of so many that come one after the other.
std::vector<int> shown_of(LogFilter& filter, int ends, Duration lasted, Outcome outcome = Outcome::failed) {
  std::vector<int> shown;
  for (int i = 1; i <= ends; ++i) {
    filter.look_at(about(event::Started{}));
    filter.look_at(about(event::Running{}));
    const bool end_is_shown = filter.look_at(about(ended(lasted, outcome))).has_value();
    // What follows an end is shown as the end is.
    CHECK(filter.look_at(about(event::BackingOff{BackoffCause::failure, 1, 1s, 1s})).has_value() == end_is_shown);
    if (end_is_shown) shown.push_back(i);
  }
  return shown;
}

TEST_CASE("of a loop the first three ends are shown, then powers of two, then each 64th") {
  for (const auto outcome : {Outcome::failed, Outcome::threw, Outcome::clean}) {
    LogFilter filter;
    CHECK(shown_of(filter, 200, 10ms, outcome) == std::vector<int>{1, 2, 3, 4, 8, 16, 32, 64, 128, 192});
  }
}

TEST_CASE("runs of a minute or more are no loop") {
  LogFilter filter;
  CHECK(shown_of(filter, 6, 1min) == std::vector<int>{1, 2, 3, 4, 5, 6});
  CHECK(shown_of(filter, 6, 1min - 1ns) == std::vector<int>{1, 2, 3});
}

TEST_CASE("whatever else happens in a loop is shown, with the number of lines that were left out") {
  for (const Event::What& what : std::vector<Event::What>{
           event::Added{}, event::Warned{"x", "y"}, event::BreakerTripped{5, 5}, event::Commanded{Command::stop},
           event::Stopping{StopCause::stop}, event::StopThrew{"x"}, event::Killed{1s}, event::KillThrew{"x"},
           event::Terminated{}, event::EndedLate{Outcome::failed, 1s, "x"}, event::Removed{},
           ended(1ms, Outcome::fatal)}) {
    LogFilter filter;
    shown_of(filter, 7, 10ms);  // the ends 5, 6 and 7 are left out, and with each its wait, start and running
    const auto unlogged = filter.look_at(about(what));
    REQUIRE(unlogged);
    CHECK(*unlogged == 3 * 4 - 2);  // the start and the running before the 5th belong to the 4th
    CHECK(filter.look_at(about(event::Warned{"x", "y"})) == std::optional<std::uint64_t>{0});  // said once
  }
}

TEST_CASE("an end that was asked for is shown, and a command begins anew") {
  LogFilter filter;
  shown_of(filter, 7, 10ms);
  filter.look_at(about(event::Commanded{Command::restart}));
  filter.look_at(about(event::Stopping{StopCause::restart}));
  CHECK(filter.look_at(about(ended(1ms))));
  CHECK(shown_of(filter, 5, 10ms) == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("a loop of runs that hang is a loop, though each stop is shown") {
  LogFilter filter;
  const auto is_shown = [&] {
    CHECK(filter.look_at(about(event::Stopping{StopCause::watchdog})));
    return filter.look_at(about(ended(30s))).has_value();
  };
  for (int i = 1; i <= 4; ++i) CHECK(is_shown());
  CHECK_FALSE(is_shown());
}

TEST_CASE("a loop of starts that are not ready in time is a loop, though each stop is shown") {
  LogFilter filter;
  const auto is_shown = [&] {
    CHECK(filter.look_at(about(event::Stopping{StopCause::start_timeout})));
    return filter.look_at(about(ended(30s))).has_value();
  };
  for (int i = 1; i <= 4; ++i) CHECK(is_shown());
  CHECK_FALSE(is_shown());
}

TEST_CASE("services, lives in one slot and the supervisor do not disturb each other") {
  LogFilter filter;
  shown_of(filter, 7, 10ms);
  CHECK(filter.look_at(about(ended(1ms), 3)) == std::optional<std::uint64_t>{0});
  CHECK(filter.look_at(about(ended(1ms), 0, 2)) == std::optional<std::uint64_t>{0});
  CHECK(filter.look_at({.at = TimePoint{}, .n = 1, .what = event::Drained{DrainOutcome::drained}}) ==
        std::optional<std::uint64_t>{0});
}

TEST_CASE("lines that the log would not write by their level are not counted") {
  LogFilter filter;
  for (int i = 0; i < 7; ++i) {
    filter.look_at(about(event::Started{}), false);
    filter.look_at(about(ended(1ms)), true);
  }
  CHECK(filter.look_at(about(event::BreakerTripped{7, 7})) == std::optional<std::uint64_t>{3});
}

TEST_CASE("a line says how many were left out before it") {
  CHECK(log_line(about(event::BreakerTripped{5, 5}), 12) ==
        "event=breaker_tripped service=feed run=1 failures=5 max_failures=5 unlogged=12 n=1 at=0s");
  CHECK(log_line(about(event::BreakerTripped{5, 5}), 0).find("unlogged") == std::string::npos);
}

TEST_CASE("why a service terminated is a word with fields for programs, and a sentence for people") {
  struct Row {
    Termination why;
    std::string fields;
    std::string sentence;
  };
  using Reason = Termination::Reason;
  for (const auto& [why, fields, sentence] : std::vector<Row>{
           {{.reason = Reason::completed}, "reason=completed", "completed"},
           {{.reason = Reason::cancelled}, "reason=cancelled", "cancelled"},
           {{.reason = Reason::circuit_open, .failures = 5, .max_failures = 5},
            "reason=circuit_open failures=5 max_failures=5",
            "circuit breaker open (5/5 failures)"},
           {{.reason = Reason::failed}, "reason=failed", "failed: disk"},
           {{.reason = Reason::abandoned, .after = 30s}, "reason=abandoned after=30s", "abandoned after 30s"},
       }) {
    CHECK(log_line(about(event::Terminated{why, "disk"})).find(' ' + fields + ' ') != std::string::npos);
    CHECK(to_string(why, "disk") == sentence);
  }
}

}  // namespace
}  // namespace holdfast::test::log_filter_test
