// The law: whatever happens on whatever machine, the simulator decides the same when it is given the same, event for
// event.
#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <sstream>

#include <holdfast_sim/bad_input.hpp>
#include <holdfast_sim/event_log.hpp>
#include <holdfast_sim/replay.hpp>
#include <holdfast_sim/report_text.hpp>
#include <holdfast_sim/trace.hpp>

#include "late_machine.hpp"

namespace holdfast::replay_test {

using namespace holdfast::sim;
using namespace holdfast::test;
using Lines = std::vector<std::string>;

namespace {

struct Lived {
  std::string first, second;  // recordings
  Lines first_events, second_events;
};

Lived live_by(std::uint64_t seed, Duration tick = 3ns) {
  Dice dice{seed};
  LateMachine machine{tick};
  RestlessFleet first{machine, dice}, second{machine, dice};
  live(machine, dice, first, second);
  first.finish();
  second.finish();
  return {first.recording(), second.recording(), first.log().lines(), second.log().lines()};
}

ReplayResult replay_text_of(const std::string& recording, const ReplayOptions& options = {}) {
  std::istringstream in{recording};
  return replay(in, "run.ndjson", options);
}

std::string told(const ReplayResult& result) {
  if (!result.difference) return "as recorded";
  const auto& found = *result.difference;
  return std::to_string(found.line) + ": " + found.says + "\nrecorded " + found.recorded + "\nreplayed " +
         found.replayed;
}

// How the replay went, and its events.
std::pair<std::string, Lines> replayed(const std::string& recording) {
  EventLog log;
  const auto result = replay_text_of(recording, {.observers = {&log}});
  return {told(result), log.lines()};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + '\n';
  return text;
}

bool is_event(const std::string& line) { return line.find("\"kind\":") != std::string::npos; }

// An error may hold what is no UTF-8; a recording does not.
std::string as_recorded(std::string line) {
  for (auto at = line.find('\xff'); at != std::string::npos; at = line.find('\xff')) line.replace(at, 1, "\ufffd");
  return line;
}

Lines as_recorded(Lines lines) {
  for (auto& line : lines) line = as_recorded(line);
  return lines;
}

// One in which something happens.
const std::string& a_recording() {
  static const std::string kRecording = [] {
    for (std::uint64_t seed = 0;; ++seed) {
      auto recording = live_by(seed).first;
      if (lines_of(recording).size() > 300) return recording;
    }
  }();
  return kRecording;
}

}  // namespace

TEST_CASE("whatever two fleets on one late machine go through, the simulator decides the same, event for event") {
  rc::prop("", [](std::uint64_t seed) {
    const auto tick = Duration{static_cast<std::int64_t>(seed % 3)};  // 0: the clock stands still within a turn
    const Lived lived = live_by(seed, tick);
    const std::pair<std::string, Lines> first{"as recorded", as_recorded(lived.first_events)};
    const std::pair<std::string, Lines> second{"as recorded", as_recorded(lived.second_events)};
    RC_ASSERT(replayed(lived.first) == first);
    RC_ASSERT(replayed(lived.second) == second);
  });
}

TEST_CASE("the runs of the law hold every kind of line, of event, and of origin") {
  std::map<std::string, int> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Lived lived = live_by(seed);
    for (const auto& line : lines_of(lived.first + lived.second)) {
      for (const char* const part :
           {"\"clock_ns\"", "\"timer\"", "\"input\":\"add\"", "\"input\":\"stop\"", "\"input\":\"restart\"",
            "\"input\":\"remove\"", "\"input\":\"shutdown\"", "\"input\":\"end_drain\"", "\"input\":\"end\"",
            "\"input\":\"stop_threw\"", "\"input\":\"kill_threw\"", "\"stop_grace_ns\"", "\"can_be_killed\"",
            "\"within\":\"sink\"", "\"within\":\"service\"", "\"outcome\":\"clean\"", "\"outcome\":\"failed\"",
            "\"outcome\":\"threw\"", "\"outcome\":\"fatal\""}) {
        seen[part] += line.find(part) != std::string::npos;
      }
      if (const auto at = line.find("\"kind\":"); at != std::string::npos) {
        ++seen[line.substr(at, line.find('"', at + 8) - at + 1)];
      }
    }
  }
  CHECK(seen.size() == 19 + std::variant_size_v<Event::What>);
  for (const auto& [part, times] : seen) {
    INFO(part);
    CHECK(times > 0);
  }
}

TEST_CASE("what is replayed is counted, reported, and can be written as a trace") {
  std::ostringstream trace;
  const auto result = replay_text_of(a_recording(), {.trace = &trace});
  REQUIRE(result.same());
  const auto lines = lines_of(a_recording());
  std::uint64_t events = 0, inputs = 0, timers = 0;
  for (const auto& line : lines) {
    events += is_event(line);
    inputs += line.find("\"input\":") != std::string::npos;
    timers += line.find("\"timer\":") != std::string::npos;
  }
  CHECK(result.events == events);
  CHECK(result.inputs == inputs);
  CHECK(result.lateness.timers == timers);
  CHECK(result.lateness.most > 0ns);
  CHECK(result.lines == lines.size());
  CHECK_FALSE(result.cut_short);
  CHECK(result.version == "0.1.0");
  CHECK(result.report.events == events);
  CHECK(result.report.fleet.starts > 10);

  std::istringstream in{trace.str()};
  const auto summary = read_trace(in, "trace", {});
  CHECK(summary.events == events);
  CHECK(summary.digest == result.digest);

  const auto text = replay_text(result);
  CHECK(text.find(std::to_string(events) + " events, all as recorded\n") != std::string::npos);
  CHECK(text.find("digest " + result.digest + "\nas recorded\n") != std::string::npos);
}

TEST_CASE("services with a number are reported as one group, all others by themselves") {
  const auto result = replay_text_of(a_recording());
  std::set<std::string> groups;
  for (const auto& group : result.report.groups) groups.insert(group.name);
  CHECK(groups == std::set<std::string>{"a", "b", "c", "feed"});
}

TEST_CASE("a recording in which an event was changed, dropped or repeated differs at that very line") {
  const auto lines = lines_of(a_recording());
  REQUIRE(lines.size() > 100);
  std::size_t events = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (!is_event(lines[i])) continue;
    ++events;
    INFO(lines[i]);
    auto changed = lines;
    changed[i].replace(changed[i].find("\"n\":"), 4, "\"n\":1");
    auto result = replay_text_of(text_of(changed));
    REQUIRE(result.difference);
    CHECK(result.difference->line == i + 1);
    CHECK(result.difference->says.starts_with("n: recorded 1"));
    CHECK(result.difference->replayed == lines[i]);
    CHECK(result.events == events - 1);

    changed = lines;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    result = replay_text_of(text_of(changed));
    REQUIRE(result.difference);
    CHECK(result.difference->line > i);
    CHECK(result.difference->line <= i + 3);  // inputs from within may follow, and the clock

    changed = lines;
    changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
    result = replay_text_of(text_of(changed));
    REQUIRE(result.difference);
    CHECK(result.difference->line == i + 2);
  }
  CHECK(events > 50);
}

TEST_CASE("every input that is missing, and every timer, is noticed") {
  const auto lines = lines_of(a_recording());
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const bool input = lines[i].find("\"input\":") != std::string::npos;
    if (!input && lines[i].find("\"timer\":") == std::string::npos) continue;
    // Asked for twice, or when it was over already.
    if (lines[i].find("end_drain") != std::string::npos || lines[i].find("\"stop\"") != std::string::npos) continue;
    INFO(lines[i]);
    auto changed = lines;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    const auto result = replay_text_of(text_of(changed));
    REQUIRE(result.difference);
    CHECK(result.difference->line > i);
  }
}

TEST_CASE("a recording that is cut off anywhere is replayed as far as it goes, and says so") {
  const std::string whole = a_recording().substr(0, HOLDFAST_SLOW_BUILD ? 3000 : 6000);
  const std::size_t header = whole.find('\n') + 1;
  for (std::size_t size = header; size < whole.size(); ++size) {
    const auto result = replay_text_of(whole.substr(0, size));
    if (!result.same() || !result.cut_short) {
      FAIL("at byte " << size << ": " << told(result));
    }
  }
  const auto text = replay_text(replay_text_of(whole));
  CHECK(text.find("run.ndjson:") != std::string::npos);
  CHECK(text.find(": the recording is cut short here: the line that says how it ended is missing\n") !=
        std::string::npos);
}

TEST_CASE("blanks and another order of keys make no difference") {
  auto lines = lines_of(a_recording());
  for (auto& line : lines) {
    if (!is_event(line)) continue;
    const auto end = line.find(",\"n\":");
    line = "{ " + line.substr(end + 1, line.size() - end - 2) + " , " + line.substr(1, end - 1) + "}";
  }
  CHECK(told(replay_text_of(text_of(lines))) == "as recorded");
}

// ---------------------------------------------------------------------------------------------------------------------

namespace {

const std::string kHeader =
    R"({"holdfast_recording":1,"version":"0.1.0","seed":1,"t_ns":100,"shutdown_timeout_ns":1,)"
    R"("when_all_terminated":"wait","base_ns":1000,"max_ns":1000,"cooldown_ns":1,"clean_restart_delay_ns":1,)"
    R"("max_failures":0,"window_ns":0})";
const std::string kAdd = R"({"t_ns":100,"input":"add","service":"feed","restart":"on_failure"})";
const std::string kAdded = R"({"t_ns":100,"service":"feed","n":1,"run":0,"kind":"added","base_ns":1000,"max_ns":1000,)"
                           R"("cooldown_ns":1,"clean_restart_delay_ns":1,"max_failures":0,"window_ns":0,)"
                           R"("restart":"on_failure","runs_before":0})";
const std::string kStarted = R"({"t_ns":100,"service":"feed","n":2,"run":1,"kind":"started"})";
const std::string kRunning = R"({"t_ns":100,"service":"feed","n":3,"run":1,"kind":"running"})";

std::string without(std::string text, const std::string& part, const std::string& by = "") {
  const auto at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), by);
}

std::string complaint_about(const std::string& text) {
  try {
    return "accepted: " + told(replay_text_of(text));
  } catch (const BadInput& bad) {
    return bad.what();
  }
}

// The complaint about a line after the header and an addition that is in order.
std::string complaint_about_line(const std::string& line) {
  return complaint_about(text_of({kHeader, kAdd, kAdded, kStarted, kRunning, line, "{}"}));
}

std::string difference_in(const Lines& lines) {
  const auto result = replay_text_of(text_of(lines));
  return result.difference ? std::to_string(result.difference->line) + ": " + result.difference->says : "none";
}

}  // namespace

TEST_CASE("a first line that is none of a recording is refused with the reason") {
  CHECK(complaint_about("") == "run.ndjson:1: is empty; a recording begins with a line that says what it is of");
  CHECK(complaint_about("hello\n") ==
        "run.ndjson:1: is not a JSON object; the first line of a recording has the key holdfast_recording");
  CHECK(complaint_about(kHeader.substr(0, 50)) ==
        "run.ndjson:1: is not a JSON object; the first line of a recording has the key holdfast_recording");
  CHECK(complaint_about(R"({"holdfast_trace":1})") == "run.ndjson:1: holdfast_recording: is missing");
  CHECK(complaint_about(without(kHeader, "recording\":1", "recording\":2")) ==
        "run.ndjson:1: holdfast_recording: is 2; this program reads 1");
  CHECK(complaint_about(without(kHeader, "\"seed\":1", "\"seed\":-1")) ==
        "run.ndjson:1: seed: is not a whole number in its range");
  CHECK(complaint_about(without(kHeader, "\"wait\"", "\"go\"")) ==
        "run.ndjson:1: when_all_terminated: is \"go\", which is none of its words");
  for (const char* const key : {"version", "seed", "t_ns", "shutdown_timeout_ns", "when_all_terminated", "base_ns",
                                "max_ns", "cooldown_ns", "clean_restart_delay_ns", "max_failures", "window_ns"}) {
    const std::string expected = "run.ndjson:1: " + std::string{key} + ": is missing";
    CHECK(complaint_about(without(kHeader, '"' + std::string{key} + '"', "\"x\"")) == expected);
  }
  CHECK(complaint_about(without(kHeader, "timeout_ns\":1", "timeout_ns\":-1")) ==
        "run.ndjson:1: shutdown_timeout: is -1ns; allowed is 0s to 36500d");
  CHECK(
      complaint_about(without(kHeader, "\"t_ns\":100", "\"t_ns\":-1")) ==
      "run.ndjson:1: t_ns: is -1; allowed is 0 to 3153600000000000000 nanoseconds, counted from the scheduler's start");
}

TEST_CASE("a line that is none of a recording is refused with its place, its key and what would be right") {
  const std::string kinds =
      "a line of a recording has one of the keys input, timer, clock_ns, kind, end; the first has holdfast_recording";
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"nonsense", "is not a JSON object; " + kinds},
      {"", "is not a JSON object; " + kinds},
      {"[]", "is not a JSON object; " + kinds},
      {"{}", "says nothing; " + kinds},
      {kHeader, "holdfast_recording: begins another recording; a file holds one"},
      {R"({"clock_ns":"x"})", "clock_ns: is not a whole number in its range"},
      {R"({"clock_ns":3153600000000000001})",
       "clock_ns: is 3153600000000000001; allowed is 0 to 3153600000000000000 nanoseconds, counted from the "
       "scheduler's start"},
      {R"({"clock_ns":99})",
       "clock_ns: is 99, but a line above has 100; the clock of a supervisor does not go backwards"},
      {R"({"timer":1,"due_ns":1})", "t_ns: is missing"},
      {R"({"t_ns":200,"timer":-1,"due_ns":1})", "timer: is not a whole number in its range"},
      {R"({"t_ns":200,"timer":1})", "due_ns: is missing"},
      {R"({"t_ns":200,"timer":1,"due_ns":201})",
       "t_ns: is 200, before due_ns, which is 201; a timer fires at its time or later"},
      {R"({"t_ns":200,"input":"kill","service":"feed"})",
       "input: is \"kill\"; allowed is one of add, stop, restart, remove, shutdown, end_drain, end, stop_threw, "
       "kill_threw"},
      {R"({"t_ns":200,"input":7})", "input: is not a string"},
      {R"({"input":"shutdown"})", "t_ns: is missing"},
      {R"({"t_ns":99,"input":"shutdown"})",
       "t_ns: is 99, but a line above has 100; the clock of a supervisor does not go backwards"},
      {R"({"t_ns":200,"input":"shutdown","within":"dream"})",
       "within: is \"dream\"; allowed is \"service\" or \"sink\", or no such key"},
      {R"({"t_ns":200,"input":"add","restart":"never"})", "service: is missing"},
      {R"({"t_ns":200,"input":"add","service":"x"})", "restart: is missing"},
      {R"({"t_ns":200,"input":"add","service":"x","restart":"sometimes"})",
       "restart: is \"sometimes\", which is none of its words"},
      {R"({"t_ns":200,"input":"add","service":"x","restart":"never","base_ns":1})", "max_ns: is missing"},
      {R"({"t_ns":200,"input":"add","service":"x","restart":"never","stop_grace_ns":"1s"})",
       "stop_grace_ns: is not a whole number in its range"},
      {R"({"t_ns":200,"input":"add","service":"x","restart":"never","can_be_killed":1})",
       "can_be_killed: is neither true nor false"},
      {R"({"t_ns":200,"input":"kill_threw"})", "error: is missing"},
      {R"({"t_ns":200,"input":"stop"})", "service: is missing"},
      {R"({"t_ns":200,"input":"restart"})", "service: is missing"},
      {R"({"t_ns":200,"input":"remove","service":1})", "service: is not a string"},
      {R"({"t_ns":200,"input":"end","service":"feed","generation":1,"run":1,"outcome":"clean","error":""})",
       "slot: is missing"},
      {R"({"t_ns":200,"input":"end","service":"feed","slot":0,"run":1,"outcome":"clean","error":""})",
       "generation: is missing"},
      {R"({"t_ns":200,"input":"end","service":"feed","slot":0,"generation":1,"outcome":"clean","error":""})",
       "run: is missing"},
      {R"({"t_ns":200,"input":"end","service":"feed","slot":0,"generation":1,"run":1,"outcome":"bad","error":""})",
       "outcome: is \"bad\", which is none of its words"},
      {R"({"t_ns":200,"input":"end","service":"feed","slot":0,"generation":1,"run":1,"outcome":"clean"})",
       "error: is missing"},
      {R"({"t_ns":200,"input":"stop_threw"})", "error: is missing"},
      {R"({"end":"closed","events":3,"undone":0})", "t_ns: is missing"},
      {R"({"end":"closed","t_ns":200})", "events: is missing"},
      {R"({"end":"closed","t_ns":200,"events":3})", "undone: is missing"},
      {R"({"end":"closed","t_ns":200,"events":4,"undone":0})", "events: is 4, but above there are 3"},
  };
  for (const auto& [line, says] : wrong) CHECK(complaint_about_line(line) == "run.ndjson:6: " + says);
  CHECK(complaint_about(text_of({kHeader, R"({"end":"closed","t_ns":100,"events":0,"undone":0})", kAdd})) ==
        "run.ndjson:3: stands behind the line that says how the recording ended");
}

TEST_CASE("an input that the supervisor does not take, and a timer that it did not arm, are differences") {
  const Lines good{kHeader, kAdd, kAdded, kStarted, kRunning};
  const auto with = [&](const std::string& line) {
    Lines lines = good;
    lines.push_back(line);
    return difference_in(lines);
  };
  CHECK(difference_in(good) == "none");
  CHECK(with(R"({"t_ns":200,"input":"stop","service":"feet"})") ==
        "6: the supervisor refuses it: stop: there is no service named \"feet\"");
  CHECK(with(kAdd).starts_with("6: the supervisor refuses it: add: the name \"feed\" is taken"));
  CHECK(with(R"({"t_ns":200,"input":"add","service":"","restart":"never"})")
            .starts_with("6: the supervisor refuses it: add \"\": name"));
  CHECK(with(R"({"t_ns":200,"input":"end","service":"feed","slot":0,"generation":1,"run":2,"outcome":"clean",)"
             R"("error":""})") == "6: no such run is alive in the replay");
  CHECK(with(R"({"t_ns":200,"timer":1,"due_ns":200})") == "6: timer: number 1 is not armed in the replay");
  CHECK(with(R"({"t_ns":200,"input":"shutdown","within":"service"})") ==
        "6: came from within a service or a sink, and the replay is in none");
  CHECK(with(R"({"t_ns":200,"input":"stop_threw","error":"x"})") ==
        "6: came from within a service or a sink, and the replay is in none");
  CHECK(with(R"({"t_ns":100,"kind":"nonsense"})") ==
        "6: nothing is left to be done in the replay before the next input or timer");
  CHECK(difference_in({kHeader, kAdd, kStarted}).starts_with("3: n: recorded 2, replayed 1; run: recorded 1"));
  CHECK(difference_in({kHeader, kAdd, R"({"t_ns":100,"timer":1,"due_ns":100})"}) ==
        "3: the replay has an event that the recording does not have here");
}

TEST_CASE("a timer that was due at another time than in the replay is a difference") {
  const Lines lines{kHeader,
                    kAdd,
                    kAdded,
                    kStarted,
                    kRunning,
                    R"({"t_ns":100,"input":"shutdown"})",
                    R"({"t_ns":100,"n":1,"kind":"shutdown_requested","cause":"requested","timeout_ns":1})",
                    R"({"t_ns":100,"service":"feed","n":4,"run":1,"kind":"stopping","cause":"shutdown"})",
                    R"({"t_ns":150,"timer":1,"due_ns":102})"};
  CHECK(difference_in(lines) == "9: due_ns: recorded 102, replayed 101");
}

TEST_CASE("what a supervisor was destroyed with is not done in its replay either") {
  const std::string end = R"({"end":"closed","t_ns":200,"events":0,"undone":1})";
  CHECK(difference_in({kHeader, kAdd, end}) == "none");
  CHECK(difference_in({kHeader, kAdd, without(end, "undone\":1", "undone\":0")}) ==
        "3: the replay has an event that the recording does not have here");
}

}  // namespace holdfast::replay_test
