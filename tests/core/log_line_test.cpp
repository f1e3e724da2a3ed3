// Events as lines for a log: every kind, every level, and values that would break a line.
#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/detail/text.hpp>
#include <holdfast/log_line.hpp>

#include "support.hpp"

namespace holdfast::test::log_line_test {
namespace {

Event about_feed(Event::What what, std::uint64_t run = 3) {
  return {
      .at = TimePoint{} + 63'070ms, .service = {.generation = 1}, .name = "feed", .n = 14, .run = {run}, .what = what};
}
Event about_supervisor(Event::What what) { return {.at = TimePoint{} + 24h, .n = 1, .what = what}; }

TEST_CASE("every kind of event has its line and its level") {
  using Reason = Termination::Reason;
  struct Row {
    Event event;
    LogLevel level;
    std::string line;
  };
  const ServicePolicy always{.restart = RestartPolicy::always}, never{.restart = RestartPolicy::never};
  const std::string of_feed = " service=feed run=3 ", end = "n=14 at=63.07s";
  const std::vector<Row> rows{
      {about_feed(event::Added{&always, {0}}, 0), LogLevel::info, "event=added service=feed restart=always " + end},
      {about_feed(event::Added{&never, {3}}), LogLevel::info,
       "event=added" + of_feed + "restart=never runs_before=3 " + end},
      {about_feed(event::Reconfigured{&always}), LogLevel::info,
       "event=reconfigured" + of_feed + "restart=always " + end},
      {about_feed(event::Warned{"backoff.breaker", "cannot be reached"}, 0), LogLevel::warning,
       "event=warned service=feed field=backoff.breaker says=\"cannot be reached\" " + end},
      {about_feed(event::Started{}), LogLevel::debug, "event=started" + of_feed + end},
      {about_feed(event::Running{}), LogLevel::info, "event=running" + of_feed + end},
      {about_feed(event::Running{4711}), LogLevel::info, "event=running" + of_feed + "pid=4711 " + end},
      {about_feed(event::Ended{Outcome::clean, 90s, ""}), LogLevel::info,
       "event=ended" + of_feed + "outcome=clean lasted=90s " + end},
      {about_feed(event::Ended{Outcome::failed, 1ns, "boom"}), LogLevel::warning,
       "event=ended" + of_feed + "outcome=failed lasted=0.000000001s error=boom " + end},
      {about_feed(event::Ended{Outcome::threw, 12'500ms, "connection refused"}), LogLevel::warning,
       "event=ended" + of_feed + "outcome=threw lasted=12.5s error=\"connection refused\" " + end},
      {about_feed(event::Ended{Outcome::fatal, 0s, "no key"}), LogLevel::error,
       "event=ended" + of_feed + "outcome=fatal lasted=0s error=\"no key\" " + end},
      {about_feed(event::BackingOff{BackoffCause::failure, 2, 200ms, 123'456us}), LogLevel::info,
       "event=backing_off" + of_feed + "cause=failure attempt=2 ceiling=0.2s delay=0.123456s " + end},
      {about_feed(event::BackingOff{BackoffCause::clean_exit, 0, 100ms, 100ms}), LogLevel::info,
       "event=backing_off" + of_feed + "cause=clean_exit attempt=0 ceiling=0.1s delay=0.1s " + end},
      {about_feed(event::BreakerTripped{5, 5}), LogLevel::error,
       "event=breaker_tripped" + of_feed + "failures=5 max_failures=5 " + end},
      {about_feed(event::Waiting{WaitsFor::restart_limit}), LogLevel::debug,
       "event=waiting" + of_feed + "waits_for=restart_limit " + end},
      {about_feed(event::BreakerClosed{2}), LogLevel::info, "event=breaker_closed" + of_feed + "openings=2 " + end},
      {about_feed(event::Commanded{Command::restart}), LogLevel::info,
       "event=commanded" + of_feed + "command=restart " + end},
      {about_feed(event::Stopping{StopCause::shutdown}), LogLevel::info,
       "event=stopping" + of_feed + "cause=shutdown " + end},
      {about_feed(event::StopThrew{"busy"}), LogLevel::warning, "event=stop_threw" + of_feed + "error=busy " + end},
      {about_feed(event::Killed{1500ms}), LogLevel::warning, "event=killed" + of_feed + "after=1.5s " + end},
      {about_feed(event::Abandoned{1500ms}), LogLevel::warning, "event=abandoned" + of_feed + "after=1.5s " + end},
      {about_feed(event::KillThrew{"busy"}), LogLevel::warning, "event=kill_threw" + of_feed + "error=busy " + end},
      {about_feed(event::Terminated{{.reason = Reason::completed}, ""}), LogLevel::info,
       "event=terminated" + of_feed + "reason=completed " + end},
      {about_feed(event::Terminated{{.reason = Reason::cancelled}, "late"}), LogLevel::info,
       "event=terminated" + of_feed + "reason=cancelled last_error=late " + end},
      {about_feed(event::Terminated{{.reason = Reason::circuit_open, .failures = 5, .max_failures = 5}, "boom"}),
       LogLevel::error,
       "event=terminated" + of_feed + "reason=circuit_open failures=5 max_failures=5 last_error=boom " + end},
      {about_feed(event::Terminated{{.reason = Reason::failed}, "boom"}), LogLevel::error,
       "event=terminated" + of_feed + "reason=failed last_error=boom " + end},
      {about_feed(event::Terminated{{.reason = Reason::abandoned, .after = 30s}, ""}), LogLevel::error,
       "event=terminated" + of_feed + "reason=abandoned after=30s " + end},
      {about_feed(event::EndedLate{Outcome::clean, 1h, ""}), LogLevel::warning,
       "event=ended_late" + of_feed + "outcome=clean lasted=3600s " + end},
      {about_feed(event::Removed{}), LogLevel::info, "event=removed" + of_feed + end},
      {about_feed(event::ReadyLate{}), LogLevel::warning, "event=ready_late" + of_feed + end},
      {about_supervisor(event::ShutdownRequested{ShutdownCause::requested, 30s}), LogLevel::info,
       "event=shutdown_requested cause=requested timeout=30s n=1 at=86400s"},
      {about_supervisor(event::ShutdownRequested{ShutdownCause::ends_fleet, 30s, "main"}), LogLevel::info,
       "event=shutdown_requested cause=ends_fleet timeout=30s ended_by=main n=1 at=86400s"},
      {about_supervisor(event::GroupAdded{"/gateway", Strategy::one_for_all, 3, 5s}), LogLevel::info,
       "event=group_added group=/gateway strategy=one_for_all max_restarts=3 within=5s n=1 at=86400s"},
      {about_supervisor(event::GroupLost{"/gateway", GroupLoss::child, "feed"}), LogLevel::error,
       "event=group_lost group=/gateway cause=child child=feed n=1 at=86400s"},
      {about_supervisor(event::RecordingFailed{"the disk is full"}), LogLevel::error,
       "event=recording_failed error=\"the disk is full\" n=1 at=86400s"},
      {about_supervisor(event::Drained{DrainOutcome::drained}), LogLevel::info,
       "event=drained outcome=drained n=1 at=86400s"},
      {about_supervisor(event::Drained{DrainOutcome::cut_short}), LogLevel::warning,
       "event=drained outcome=cut_short n=1 at=86400s"},
      {about_supervisor(event::Drained{DrainOutcome::cut_short, ShutdownCause::sigterm}), LogLevel::warning,
       "event=drained outcome=cut_short cause=SIGTERM n=1 at=86400s"},
      {about_supervisor(event::ShutdownRequested{ShutdownCause::sighup, 30s}), LogLevel::info,
       "event=shutdown_requested cause=SIGHUP timeout=30s n=1 at=86400s"},
      {about_supervisor(event::Drained{DrainOutcome::deadline}), LogLevel::error,
       "event=drained outcome=deadline n=1 at=86400s"},
  };
  std::vector<bool> seen(std::variant_size_v<Event::What>);
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(log_line(row.event) == row.line);
    CHECK(to_string(log_level(row.event)) == to_string(row.level));
    seen[row.event.what.index()] = true;
  }
  for (std::size_t kind = 0; kind < seen.size(); ++kind) CHECK(seen[kind]);
}

TEST_CASE("a value is in quotes exactly where logfmt would read something else") {
  const auto line_of_error = [](std::string_view error) {
    const std::string line = log_line(about_feed(event::StopThrew{error}));
    const std::string begin = "event=stop_threw service=feed run=3 error=", end = " n=14 at=63.07s";
    REQUIRE(line.starts_with(begin));
    REQUIRE(line.ends_with(end));
    return line.substr(begin.size(), line.size() - begin.size() - end.size());
  };
  for (int byte = 0; byte < 128; ++byte) {
    CAPTURE(byte);
    const auto c = static_cast<char>(byte);
    const bool plain = byte > ' ' && byte < 0x7f && c != '"' && c != '=' && c != '\\';
    CHECK(line_of_error(std::string(1, c)).starts_with('"') == !plain);
  }
  CHECK(line_of_error("") == R"("")");
  CHECK(line_of_error("a=b") == R"("a=b")");
  CHECK(line_of_error("é") == R"("é")");
  CHECK(line_of_error("line\nbreak event=forged") == R"("line\nbreak event=forged")");
}

TEST_CASE("the name of a service is one value, too") {
  Event event = about_feed(event::Started{});
  event.name = "feed 1 \"EU\" a\\b";
  CHECK(log_line(event) == R"(event=started service="feed 1 \"EU\" a\\b" run=3 n=14 at=63.07s)");
}

// ---------------------------------------------------------------------------------------------------------------------
// What all texts for programs share
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a quoted text is one line of UTF-8, whatever bytes it is made of") {
  using detail::quoted;
  CHECK(quoted("") == R"("")");
  CHECK(quoted("a\"b\\c/d") == R"("a\"b\\c/d")");
  CHECK(quoted("\n\r\t") == R"("\n\r\t")");
  CHECK(quoted(std::string_view{"\0\x01\x1b\x1f\x7f", 5}) == R"("\u0000\u0001\u001b\u001f\u007f")");
  CHECK(quoted("\xc2\x80\xc2\x9f\xc2\xa0") == "\"\\u0080\\u009f\xc2\xa0\"");  // C1 moves a cursor, too
  CHECK(quoted("é€😀") == "\"é€😀\"");
  const std::string one = "\xef\xbf\xbd";
  CHECK(quoted("a\xff"
               "b") == "\"a" + one + "b\"");
  CHECK(quoted("\xe2\x82") == '"' + one + one + '"');            // cut short
  CHECK(quoted("\xc0\xaf") == '"' + one + one + '"');            // overlong
  CHECK(quoted("\xed\xa0\x80") == '"' + one + one + one + '"');  // half of a surrogate pair
  CHECK(quoted("\xf5\x80\x80\x80") == '"' + one + one + one + one + '"');
}

TEST_CASE("characters that do not show are escaped, wherever a text leaves") {
  using detail::quoted;
  // Story: U+2028 made two lines of one in a log viewer, and U+202E showed an error backwards.
  CHECK(quoted("a\u2028b\u2029c") == R"("a\u2028b\u2029c")");
  for (const auto& [text, escaped] : std::vector<std::pair<std::string, std::string>>{
           {"\u202a\u202b\u202c\u202d\u202e", R"(\u202a\u202b\u202c\u202d\u202e)"},  // embeddings and overrides
           {"\u2066\u2067\u2068\u2069", R"(\u2066\u2067\u2068\u2069)"},              // isolates
           {"\u200e\u200f\u061c", R"(\u200e\u200f\u061c)"},                          // marks of direction
           {"\u200b\u200c\u200d\u2060\ufeff", R"(\u200b\u200c\u200d\u2060\ufeff)"},  // zero width
           {"\u2061\u2062\u2063\u2064", R"(\u2061\u2062\u2063\u2064)"},              // invisible operators
           {"\u00ad\u034f\u115f\u1160\u3164\uffa0", R"(\u00ad\u034f\u115f\u1160\u3164\uffa0)"},  // fillers
           {"\ufff9\ufffa\ufffb", R"(\ufff9\ufffa\ufffb)"},                                      // annotations
           {"\U000e0001\U000e007f", R"(\udb40\udc01\udb40\udc7f)"},                              // tags
           {"\U0001d173", R"(\ud834\udd73)"},
       }) {
    CHECK(quoted(text) == '"' + escaped + '"');
    CHECK(detail::without_invisible(text) == escaped);
    CHECK(detail::find_invisible("ok" + text) == 2);
  }
  for (const std::string text : {"é€😀", "\u00a0", "❤\ufe0f", "עברית عربي", "\ufffd", "\u2027\u202f", "\U0010fffd"}) {
    CHECK(quoted(text) == '"' + text + '"');
    CHECK(detail::without_invisible(text) == text);
    CHECK(detail::find_invisible(text) == std::string_view::npos);
  }
  CHECK(detail::without_invisible("a\x7f\xff\\n") == "a\\u007f\xff\\n");  // what another writer has escaped stays
  CHECK(log_line(about_feed(event::Ended{.outcome = Outcome::failed, .lasted = 1s, .error = "x\u2028event=drained"}))
            .find("error=\"x\\u2028event=drained\"") != std::string::npos);
}

TEST_CASE("seconds are exact, and have no closing zeros") {
  using detail::in_seconds;
  for (const auto& [duration, text] : std::vector<std::pair<Duration, std::string>>{
           {0ns, "0"},
           {1ns, "0.000000001"},
           {100ms, "0.1"},
           {999'999'999ns, "0.999999999"},
           {1s, "1"},
           {1'000'000'010ns, "1.00000001"},
           {10s, "10"},
           {-1ns, "-0.000000001"},
           {-1500ms, "-1.5"},
           {Duration::max(), "9223372036.854775807"},
           {Duration::min(), "-9223372036.854775808"},
       }) {
    CHECK(in_seconds(duration) == text);
  }
}

}  // namespace
}  // namespace holdfast::test::log_line_test
