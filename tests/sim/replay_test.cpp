// The law: whatever happens on whatever machine, the simulator decides the same when it is given the same, event for
// event.

#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <streambuf>

#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/observe/event_log.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/present/report_text.hpp>
#include <holdfast_sim/replay/replay.hpp>

#include "late_machine.hpp"
#include "replay_text.hpp"

namespace holdfast::replay_test {

using namespace holdfast::sim;
using namespace holdfast::test;

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

// How the replay went, and its events.
std::pair<std::string, Lines> replayed(const std::string& recording) {
  EventLog log;
  const auto result = replay_text_of(recording, {.observers = {&log}});
  return {summary_of(result), log.lines()};
}

bool is_event(const std::string& line) { return line.find("\"kind\":") != std::string::npos; }

// An error may hold what is not UTF-8; a recording does not.
std::string as_recorded(std::string line) {
  for (auto at = line.find('\xff'); at != std::string::npos; at = line.find('\xff')) line.replace(at, 1, "\ufffd");
  return line;
}

Lines as_recorded(Lines lines) {
  for (auto& line : lines) line = as_recorded(line);
  return lines;
}

// Where a change of a recording is noticed, and how; line 0: nowhere.
struct Noticed {
  std::uint32_t line = 0;
  std::string says;
  bool refused = false;  // as a file that was changed; else the replay differs
};

Noticed noticed_in(const Lines& lines) {
  try {
    const auto result = replay_text_of(text_of(lines));
    if (result.difference) return {result.difference->line, result.difference->says};
    return result.cut_short ? Noticed{result.lines, "cut short"} : Noticed{};
  } catch (const BadInput& bad) {
    return {bad.complaints().front().line, bad.what(), true};
  }
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
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Lived lived = live_by(seed);
    for (const auto& line : lines_of(lived.first + lived.second)) {
      for (const char* const part : {"\"clock_ns\"",
                                     "\"timer\"",
                                     "\"input\":\"add\"",
                                     "\"input\":\"stop\"",
                                     "\"input\":\"restart\"",
                                     "\"input\":\"remove\"",
                                     "\"input\":\"shutdown\"",
                                     "\"input\":\"end_drain\"",
                                     "\"input\":\"end\"",
                                     "\"input\":\"stop_threw\"",
                                     "\"input\":\"kill_threw\"",
                                     "\"stop_grace_ns\"",
                                     "\"can_be_killed\"",
                                     "\"within\":\"sink\"",
                                     "\"within\":\"service\"",
                                     "\"outcome\":\"clean\"",
                                     "\"outcome\":\"failed\"",
                                     "\"outcome\":\"threw\"",
                                     "\"outcome\":\"fatal\"",
                                     "\"outcome\":\"done\"",
                                     "\"exit_status\":0",
                                     "\"clean_statuses\":\"1 255\"",
                                     "\"breaker_counts\":\"ends\"",
                                     "\"input\":\"reset\"",
                                     "\"input\":\"reconfigure\"",
                                     "\"open_for_ns\"",
                                     "\"step_ns\"",
                                     "\"jitter_thousandths\""}) {
        seen[part] += line.find(part) != std::string::npos;
      }
      if (const auto at = line.find("\"kind\":"); at != std::string::npos) {
        ++seen[line.substr(at, line.find('"', at + 8) - at + 1)];
      }
    }
  }
  constexpr std::size_t kNeverRecorded = 1;  // recording_failed: it is what a recording cannot hold
  std::string all;
  for (const auto& [part, times] : seen) all += part + ' ';
  INFO(all);
  CHECK(seen.size() == 28 + std::variant_size_v<Event::What> - kNeverRecorded);
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

TEST_CASE("a replay that is interrupted shows what there is so far") {
  Lived lived;  // one that is long enough to be interrupted
  for (std::uint64_t seed = 1; lived.first_events.size() < 60; ++seed) lived = live_by(seed);
  std::istringstream in{lived.first};
  int asked = 0;
  const auto result = replay(in, "run.ndjson", {.interrupted = [&] { return ++asked == 1; }});
  CHECK(result.interrupted);
  CHECK(result.same());
  CHECK(result.verdict() == "interrupted");
  CHECK_FALSE(result.cut_short);
  CHECK(result.events > 0);
  CHECK(result.events < lived.first_events.size());
  const auto text = replay_text(result);
  CHECK(text.find("events, all as recorded so far\n") != std::string::npos);
  CHECK(text.ends_with("\ninterrupted: this is what there is so far\n"));
  CHECK(replay_text_of(lived.first).verdict() == "as recorded");
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
    const std::string& replayed = result.difference->replayed;  // a long one is cut
    CHECK((replayed == lines[i] || (replayed.ends_with("…") && lines[i].starts_with(replayed.substr(0, 400)))));
    CHECK(result.events == events - 1);

    changed = lines;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(noticed_in(changed).line == i + 1);

    changed = lines;
    changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
    CHECK(noticed_in(changed).line == i + 2);
  }
  CHECK(events > 50);
}

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;  // of one line, as they are written

Fields fields_of(const std::string& line) {
  Fields fields;
  for (std::size_t at = 1; at < line.size() - 1;) {
    const auto colon = line.find("\":", at);
    auto end = colon + 2;
    for (bool in_text = false; in_text || (line[end] != ',' && line[end] != '}'); ++end) {
      if (line[end] == '"' && line[end - 1] != '\\') in_text = !in_text;
    }
    fields.emplace_back(line.substr(at + 1, colon - at - 1), line.substr(colon + 2, end - colon - 2));
    at = end + 1;
  }
  return fields;
}

std::string line_of(const Fields& fields) {
  std::string line;
  for (const auto& [key, value] : fields) line += (line.empty() ? "{\"" : ",\"") + key + "\":" + value;
  return line + '}';
}

// What a value may have become.
Lines other_values(const std::string& value) {
  const auto among = [&](const Lines& words) {
    Lines others;
    if (std::find(words.begin(), words.end(), value) == words.end()) return others;
    for (const auto& word : words) {
      if (word != value) others.push_back(word);
    }
    return others;
  };
  if (value == "true") return {"false", "1", "null"};
  if (value.front() != '"') {
    const auto number = std::stoull(value);
    return {std::to_string(number + 1), number == 0 ? "-1" : std::to_string(number - 1), '"' + value + '"',
            value + ".5", "null"};
  }
  Lines others{"\"\"", value.substr(0, value.size() - 1) + "x\"", "7"};
  if (value == "\"\"") others.front() = "\"y\"";
  for (const auto& words :
       {Lines{"\"a\"", "\"b\"", "\"c\"", "\"feed-0\"", "\"feed-1\""},
        Lines{"\"clean\"", "\"failed\"", "\"threw\"", "\"fatal\""}, Lines{"\"stop\"", "\"restart\"", "\"remove\""},
        Lines{"\"service\"", "\"sink\""}, Lines{"\"always\"", "\"on_failure\"", "\"never\""},
        Lines{"\"wait\"", "\"return\""}, Lines{"\"shutdown\"", "\"end_drain\"", "\"stop_threw\"", "\"kill_threw\""}}) {
    for (const auto& word : among(words)) others.push_back(word);
  }
  return others;
}

// A short one with every kind of line.
const Lines& a_short_recording() {
  static const Lines kLines = [] {
    for (std::uint64_t seed = 0;; ++seed) {
      const auto recording = live_by(seed).first;
      const auto has = [&](const char* part) { return recording.find(part) != std::string::npos; };
      if (recording.size() < (HOLDFAST_SLOW_BUILD ? 10000 : 15000) && has("\"input\":\"restart\"") &&
          has("\"input\":\"stop\"") && has("\"input\":\"shutdown\"") && has("\"timer\"") &&
          has("\"within\":\"sink\"") && has("\"within\":\"service\"") && has("\"stop_grace_ns\"") &&
          has("\"undone\"")) {
        return lines_of(recording);
      }
    }
  }();
  return kLines;
}

}  // namespace

TEST_CASE("whatever is changed in a field of a recording is noticed in that very line") {
  const Lines& lines = a_short_recording();
  std::size_t changes = 0;
  const auto try_with = [&](std::size_t i, const Fields& fields) {
    Lines changed = lines;
    changed[i] = line_of(fields);
    const auto noticed = noticed_in(changed);
    ++changes;
    // Without a check in the first line there are none, so that the second must not have one.
    const bool has_none = i == 0 && changed[i].find("\"check\":") == std::string::npos && noticed.line == 2;
    if (noticed.line == i + 1 || has_none) return;
    FAIL_CHECK("line " << i + 1 << ": " << lines[i] << "\nbecame " << changed[i] << "\nnoticed at " << noticed.line
                       << ": " << noticed.says);
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Fields fields = fields_of(lines[i]);
    REQUIRE(line_of(fields) == lines[i]);
    constexpr std::size_t kEach = HOLDFAST_SLOW_BUILD ? 16 : 1;
    for (std::size_t k = i % kEach; k < fields.size(); k += kEach) {
      for (const auto& value : other_values(fields[k].second)) {
        Fields changed = fields;
        changed[k].second = value;
        try_with(i, changed);
        changed.push_back(fields[k]);  // the right value counts for readers that take the last
        try_with(i, changed);
      }
      Fields changed = fields;
      changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(k));
      try_with(i, changed);
      changed.emplace_back("x" + fields[k].first, fields[k].second);
      try_with(i, changed);
    }
    for (const char* const key : {"unknown", "check2", "within2", "service2"}) {
      Fields changed = fields;
      changed.emplace_back(key, "1");
      try_with(i, changed);
    }
  }
  CHECK(changes > (HOLDFAST_SLOW_BUILD ? 100 : 1000));
}

TEST_CASE("a line of a recording that is dropped, repeated, or has changed places with the next is noticed") {
  // An event has no check: what would lead to the same events is noticed in the next line that is none.
  const auto is_noticed = [](const Lines& changed, std::size_t at) {
    std::size_t checked = at;
    while (checked + 1 < changed.size() && is_event(changed[checked])) ++checked;
    const auto line = noticed_in(changed).line;
    return line > at && line <= checked + 1;
  };
  for (const Lines& lines : {lines_of(a_recording()), a_short_recording()}) {
    for (std::size_t i = 0; i < lines.size(); i += HOLDFAST_SLOW_BUILD ? 5 : 1) {
      INFO(lines[i]);
      const auto at = static_cast<std::ptrdiff_t>(i);
      const bool is_last = i + 1 == lines.size();
      Lines changed = lines;
      changed.insert(changed.begin() + at, lines[i]);
      CHECK(is_noticed(changed, i + 1));

      changed = lines;
      changed.erase(changed.begin() + at);
      if (is_last) {  // as if the program had died
        CHECK(noticed_in(changed).says == "cut short");
        continue;
      }
      CHECK(is_noticed(changed, i));

      changed = lines;
      std::swap(changed[i], changed[i + 1]);
      CHECK(is_noticed(changed, i));
    }
  }
}

TEST_CASE("the message about a changed line says what was found, what was expected, and what may have happened") {
  Lines lines = a_short_recording();
  const auto end = std::find_if(lines.begin(), lines.end(),
                                [](const auto& line) { return line.find("\"input\":\"end\"") != std::string::npos; });
  REQUIRE(end != lines.end());
  auto fields = fields_of(*end);
  const auto was = fields.back();
  REQUIRE(was.first == "check");
  fields.back().second = "\"00000000\"";
  *end = line_of(fields);
  const auto place = "run.ndjson:" + std::to_string(end - lines.begin() + 1);
  CHECK(noticed_in(lines).says ==
        place + ": check: is \"00000000\", but that of this line and those above is " + was.second +
            "; since it was recorded, this line was changed or moved, or one was taken out or put in above it");
  fields.pop_back();
  *end = line_of(fields);
  CHECK(noticed_in(lines).says == place + ": check: is missing");
  fields.push_back(was);
  fields.emplace_back("colour", "7");
  *end = line_of(fields);
  CHECK(noticed_in(lines).says.starts_with(place + ": colour: has no place in this line; allowed here: t_ns, input, "));
  fields.back() = {"\\u0072un", "1"};
  *end = line_of(fields);
  CHECK(noticed_in(lines).says == place + ": run: stands twice in this line; allowed is once");
}

TEST_CASE("a recording that is cut off anywhere is replayed as far as it goes, and says so") {
  const std::string whole = a_recording().substr(0, HOLDFAST_SLOW_BUILD ? 1500 : 6000);
  const std::size_t header = whole.find('\n') + 1;
  for (std::size_t size = header; size < whole.size(); ++size) {
    const auto result = replay_text_of(whole.substr(0, size));
    if (!result.same() || !result.cut_short) {
      FAIL("at byte " << size << ": " << summary_of(result));
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
  CHECK(summary_of(replay_text_of(text_of(lines))) == "as recorded");
}

}  // namespace holdfast::replay_test
