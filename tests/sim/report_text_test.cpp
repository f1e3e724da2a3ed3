// The report as text, picture and JSON.

#include <catch2/catch.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <holdfast_sim/present/detail/fleet_picture.hpp>
#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/present/report_text.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/report/detail/fleet_timeline.hpp>
#include <holdfast_sim/report/report.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>

#include "report_history.hpp"

namespace holdfast::report_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;

TEST_CASE("lengths of time are written for people") {
  const std::vector<std::pair<Duration, std::string>> cases{
      {0ns, "0s"},          {7ns, "7ns"},       {999ns, "999ns"},   {1234ns, "1.23us"},
      {12'345ns, "12.3us"}, {999'999ns, "1ms"}, {250ms, "250ms"},   {51'149ms, "51.1s"},
      {59'949ms, "59.9s"},  {59'960ms, "1min"}, {750s, "12min30s"}, {1h, "1h"},
      {3'599'600ms, "1h"},  {76h, "3d4h"},      {24h * 365, "1y"},  {24h * (3 * 365 + 132), "3y132d"},
      {1500ns, "1.5us"},    {10'040ms, "10s"},
  };
  for (const auto& [length, text] : cases) CHECK(sim::detail::human(length) == text);
  CHECK(sim::detail::human(at(59s)) == "59s");
  CHECK(sim::detail::human(at(1h + 5s)) == "1h0min5s");
  CHECK(sim::detail::human(at(24h * 687 + 17h + 5min)) == "687d17h5min");
  CHECK(sim::detail::human(at(24h * 30)) == "30d");
  CHECK(sim::detail::human(ServiceTime{1} << 80) == "38 334 786y");
}

TEST_CASE("a text takes as many columns as a terminal gives it") {
  using sim::detail::columns;
  CHECK(columns("abc") == 3);
  CHECK(columns("süß") == 3);
  CHECK(columns("日本") == 4);
  CHECK(columns("한국 x") == 6);
  CHECK(columns("e\xcc\x81") == 1);  // e, and an accent on it
  CHECK(columns("😀") == 2);
  CHECK(columns("…–│") == 3);
  CHECK(columns("\xff\xe6") == 2);  // no UTF-8
  CHECK(sim::fit("日本語", 6) == "日本語");
  CHECK(sim::fit("日本語", 5) == "日本…");
  CHECK(sim::fit("日本語", 4) == "日…");  // no half of a letter
  CHECK(sim::ascii("日x") == "??x");

  sim::detail::TextTable table{{"name", "n"}};
  table.add({"日本", "1"});
  table.add({"abcde", "22"});
  CHECK(table.text(0, 80) == "name    n\n日本    1\nabcde  22\n");
}

TEST_CASE("no line ends within a number, or before its unit") {
  using sim::detail::folded;
  CHECK(folded("in all 22 995 timers fired", 12) == "in all\n    22 995\n    timers\n    fired\n");
  CHECK(folded("within 50 % of 1 234 567 runs", 14) == "within 50 % of\n    1 234 567\n    runs\n");
  CHECK(folded("the worst 60 s: 3 of 5", 13) == "the worst\n    60 s: 3\n    of 5\n");
  CHECK(folded("and so 37 500 times as fast", 14) == "and so\n    37 500 times\n    as fast\n");
  CHECK(sim::detail::words_of("a 1, 234 b 0.5 123 c 1234 567") ==
        std::vector<std::string>{"a", "1,", "234", "b", "0.5", "123", "c", "1234", "567"});
}

TEST_CASE("counts, shares and long names are written for people") {
  CHECK(sim::detail::human(std::uint64_t{0}) == "0");
  CHECK(sim::detail::human(std::uint64_t{999}) == "999");
  CHECK(sim::detail::human(std::uint64_t{1'234'567}) == "1 234 567");
  CHECK(sim::detail::counted(1, "service") == "1 service");
  CHECK(sim::detail::percent(1'000'000) == "100 %");
  CHECK(sim::detail::percent(999'999) == "99.9999 %");
  CHECK(sim::detail::percent(910'000) == "91 %");
  CHECK(sim::detail::percent(0) == "0 %");
  CHECK(sim::fit("süßes\x1b", 6) == "süßes?");
  CHECK(sim::fit("süßes Ding", 6) == "süßes…");
  CHECK(sim::fit("a\xe2\x80\xa8"
                 "b\xff"
                 "c",
                 6) == "a?b?c");  // U+2028, and a byte that is not UTF-8
  CHECK(sim::ascii("· – … │ ┤ └─┬ ▁▄█ ░▒× “x” é😀\xff") == "- - ~ | + +-+ .:# /=x \"x\" ????");
  CHECK(sim::printable("a\xe2\x80\xae"
                       "b\n\xff") == "a\\u202eb\\n\\xff");
  CHECK(sim::detail::wrapped({"a", "bb", "ccc"}, 4, 6) == "  a bb\n    ccc\n");
}

TEST_CASE("the picture keeps its width and shows one service down in a thousand") {
  FleetTimeline timeline;
  for (int i = 0; i < 1000; ++i) timeline.enter(Standing::running);
  timeline.advance_to(at(50s));
  timeline.leave(Standing::running);
  timeline.enter(Standing::restarting);
  timeline.advance_to(at(50s + 1ms));
  timeline.leave(Standing::restarting);
  timeline.enter(Standing::running);
  timeline.advance_to(at(100s));
  const std::string picture = fleet_picture(timeline.history(), 60, false);
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = picture.find('\n', begin)) != std::string::npos; begin = end + 1) {
    CHECK(sim::detail::columns(std::string_view{picture}.substr(begin, end - begin)) <= 100);
  }
  CHECK(picture.find("down, worst │") != std::string::npos);
  CHECK(picture.find("at most 1\n") != std::string::npos);
  CHECK(picture.find('\x1b') == std::string::npos);
  CHECK(fleet_picture(timeline.history(), 60, true).find("\x1b[32m") != std::string::npos);
  CHECK(fleet_picture({}, 60, false) == "  no virtual time passed\n");
}

TEST_CASE("the JSON report says what the text says, in whole numbers") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  history.start(0s, 0, "feed");
  history.fail(10s, 0, "feed");
  history.start(12s, 0, "feed");
  RehearsalResult result;
  result.seed = Seed{7};
  result.digest = "0123";
  result.report = history.over(20s);
  const auto json = boost::json::parse(report_json(result, 5ms));
  CHECK(json.at("seed").as_int64() == 7);
  CHECK(json.at("verdict").as_string() == "held");
  CHECK(json.at("digest").as_string() == "0123");
  CHECK(json.at("virtual_time_ns").as_int64() == 20'000'000'000);
  CHECK(json.at("wall_time_ns").as_int64() == 5'000'000);
  CHECK(json.at("fleet").at("availability").at("ppm").as_int64() == 900'000);
  CHECK(json.at("fleet").at("availability").at("waiting_ms").as_int64() == 2'000);
  CHECK(json.at("recoveries").at("after_failures").at("max_ns").as_int64() == 2'000'000'000);
  CHECK(json.at("recoveries").at("after_outages").at("max_ns").is_null());
  CHECK(json.at("history").at("buckets").as_array().size() == result.report.history.buckets.size());

  const std::string text = report_text(result, {.wall = 5ms});
  CHECK(text.find("90 %  with the supervisor's waiting") != std::string::npos);
  CHECK(text.find("digest 0123\nheld\n") != std::string::npos);
}

TEST_CASE("kills are counted for each group, and have a column where somebody was killed") {
  for (const bool killed : {false, true}) {
    History history{scenario_of({{.name = "deaf"}, {.name = "slow"}})};
    history.add(0s, 0, "deaf");
    history.add(0s, 1, "slow");
    history.start(0s, 0, "deaf");
    history.start(0s, 1, "slow");
    history.tell(10s, 0, "deaf", event::Stopping{});
    if (killed) history.tell(15s, 0, "deaf", event::Killed{5s});
    history.terminate(15s, 0, "deaf", {Termination::Reason::cancelled});
    RehearsalResult result;
    result.report = history.over(20s);
    CHECK(result.report.groups[0].killed_runs == (killed ? 1 : 0));
    CHECK(result.report.groups[1].killed_runs == 0);
    const auto json = boost::json::parse(report_json(result, 5ms));
    CHECK(json.at("fleet").at("killed_runs").as_int64() == (killed ? 1 : 0));
    const std::string text = report_text(result, {.wall = 5ms});
    CHECK((text.find("clean exits  trips  kills\n") != std::string::npos) == killed);
    CHECK((text.find("clean exits  trips\n") != std::string::npos) == !killed);
  }
}

TEST_CASE("a run that was cut off says which budget, how far it got and what raises it") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  RehearsalResult result;
  result.report = history.over(20s);
  result.report.end.reason = EndReason::events_budget;
  result.report.end.timers_fired = 1001;
  result.report.end.counters.active_services = 1;
  result.budget.events = 1000;
  CHECK(result.verdict() == RehearsalVerdict::out_of_budget);
  CHECK(
      verdict_text(result) ==
      "out of budget: the budget of 1 000 events is used up (1 001 timers fired, 20s of virtual time, 1 service still "
      "active); the key budget.events of the scenario raises it\n");
  result.report.end.reason = EndReason::time_budget;
  CHECK(verdict_text(result).find("budget.virtual_time") != std::string::npos);
}

TEST_CASE("a stall names the services that wait, and is a violation") {
  History history{scenario_of({{.name = "feed"}})};
  RehearsalResult result;
  result.report = history.over(20s);
  result.report.end.reason = EndReason::stalled;
  result.waiting = {{"feed-3", Phase::stopping, at(15s)}};
  result.more_waiting = 4;
  CHECK(result.verdict() == RehearsalVerdict::violated);
  CHECK(verdict_text(result) ==
        "violated: stalled at 20s: nothing is left to happen, and services still wait:\n"
        "  feed-3 (stopping since 15s), and 4 more\n");
}

}  // namespace holdfast::report_test
