// Recordings that are none, or that nobody recorded: which line is refused or differs, and why.

#include <catch2/catch.hpp>

#include <cstddef>
#include <streambuf>
#include <string>
#include <utility>
#include <vector>

#include <holdfast/file/bad_input.hpp>
#include <holdfast/recorder.hpp>
#include <holdfast_sim/replay/replay.hpp>

#include "json_line.hpp"
#include "replay_text.hpp"

namespace holdfast::replay_test {

namespace {

const test::JsonFields kBackoff{{"base_ns", 1000},   {"max_ns", 1000},
                                {"cooldown_ns", 1},  {"clean_restart_delay_ns", 1},
                                {"max_failures", 0}, {"window_ns", 0}};
const std::string kHeader = test::json_line(test::JsonFields{{"holdfast_recording", 1},
                                                             {"version", "0.1.0"},
                                                             {"seed", 1},
                                                             {"t_ns", 100},
                                                             {"shutdown_timeout_ns", 1},
                                                             {"when_all_terminated", "wait"}} +
                                            kBackoff);
const std::string kAdd = R"({"t_ns":100,"input":"add","service":"feed","restart":"on_failure"})";
const std::string kAdded =
    test::json_line(test::JsonFields{{"t_ns", 100}, {"service", "feed"}, {"n", 1}, {"run", 0}, {"kind", "added"}} +
                    kBackoff + test::JsonFields{{"restart", "on_failure"}, {"runs_before", 0}});
const std::string kStarted = R"({"t_ns":100,"service":"feed","n":2,"run":1,"kind":"started"})";
const std::string kRunning = R"({"t_ns":100,"service":"feed","n":3,"run":1,"kind":"running"})";

std::string without(std::string text, const std::string& part, const std::string& by = "") {
  const auto at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), by);
}

std::string complaint_about(const std::string& text) {
  try {
    return "accepted: " + summary_of(replay_text_of(text));
  } catch (const file::BadInput& bad) {
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

TEST_CASE("a first line that does not belong to a recording is refused with the reason") {
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

TEST_CASE("a line that does not belong to a recording is refused with its place, its key and what would be valid") {
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
       "kill_threw, pid, warn, signal_ignored, reset, ready, heartbeat, add_group, reconfigure"},
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
      {R"({"t_ns":200,"input":"pid","service":"feed"})", "pid: is missing"},
      {R"({"t_ns":200,"input":"pid","pid":7})", "service: is missing"},
      {R"({"t_ns":200,"input":"pid","service":"feed","pid":-7})", "pid: is not a whole number in its range"},
      {R"({"t_ns":200,"input":"warn","service":"feed","slot":0,"generation":1,"run":1})", "says: is missing"},
      {R"({"t_ns":200,"input":"warn","service":"feed","generation":1,"run":1,"says":"x"})", "slot: is missing"},
      {R"({"t_ns":200,"input":"signal_ignored"})", "cause: is missing"},
      {R"({"t_ns":200,"input":"shutdown","cause":"SIGUSR1"})", "cause: is \"SIGUSR1\", which is none of its words"},
      {R"({"t_ns":200,"input":"end_drain","cause":"all_terminated"})",
       "cause: is \"all_terminated\"; allowed is \"SIGHUP\", \"SIGINT\" or \"SIGTERM\""},
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
  const auto end_line = [](const char* service, int run) {
    return test::json_line({{"t_ns", 200},
                            {"input", "end"},
                            {"service", service},
                            {"slot", 0},
                            {"generation", 1},
                            {"run", run},
                            {"outcome", "clean"},
                            {"error", ""}});
  };
  CHECK(with(end_line("feed", 2)) == "6: no such run is alive in the replay");
  CHECK(with(end_line("desk", 1)) == "6: service: recorded \"desk\", replayed \"feed\"");
  CHECK(with(R"({"t_ns":200,"input":"warn","service":"desk","slot":0,"generation":1,"run":1,"says":"x"})") ==
        "6: service: recorded \"desk\", replayed \"feed\"");
  CHECK(with(R"({"end":"closed","t_ns":200,"events":3,"undone":1})") ==
        "6: undone: recorded that something was left to be done, replayed nothing");
  CHECK(with(R"({"t_ns":200,"input":"warn","service":"feed","slot":0,"generation":1,"run":2,"says":"x"})") ==
        "6: no such run is alive in the replay");
  CHECK(with(R"({"t_ns":200,"input":"pid","service":"feed","pid":7})") ==
        "6: a pid is said within the start of a run only");
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

TEST_CASE("an input that the supervisor has no use for was never recorded, so it is a difference") {
  const std::string shutdown = R"({"t_ns":100,"input":"shutdown"})";
  CHECK(difference_in({kHeader, kAdd, shutdown}) == "none");
  CHECK(difference_in({kHeader, kAdd, shutdown, shutdown}) ==
        "4: the supervisor has no use for it here and does not take it");
}

TEST_CASE("a line of a recording has a length at most, and a longer one is refused without being read") {
  class Endless final : public std::streambuf {
   public:
    std::size_t given = 0;

   private:
    int_type underflow() override {
      if (given == 0) begin_.assign(kHeader + "\n{\"t_ns\":\"");
      if (given > 0) begin_.assign(4096, 'x');
      given += begin_.size();
      setg(begin_.data(), begin_.data(), begin_.data() + begin_.size());
      return traits_type::to_int_type(begin_.front());
    }
    std::string begin_;
  };
  Endless endless;
  std::istream in{&endless};
  std::string says;
  try {
    replay(in, "run.ndjson");
  } catch (const file::BadInput& bad) {
    says = bad.what();
  }
  CHECK(says == "run.ndjson:2: is longer than 1048576 bytes, which no line of it is");
  CHECK(endless.given < kRecordedLineMax + 10000);

  const auto with_size = [](std::size_t size) {
    std::string line = without(kAdd, "feed", "");
    return complaint_about(text_of({kHeader, line.insert(1, size - line.size(), ' ')}));
  };
  CHECK(with_size(kRecordedLineMax).find("the supervisor refuses it") != std::string::npos);
  CHECK(with_size(kRecordedLineMax + 1) == "run.ndjson:2: is longer than 1048576 bytes, which no line of it is");
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
