// What a recording holds, line by line, and that to be recorded changes nothing.
#include "json_line.hpp"
#include "support.hpp"

#include <algorithm>
#include <functional>
#include <new>
#include <optional>
#include <ostream>
#include <sstream>
#include <streambuf>
#include <string>
#include <string_view>

#include <holdfast/recorder.hpp>
#include <holdfast_sim/replay/replay.hpp>

namespace holdfast::recorder_test {

using namespace holdfast::test;

namespace {

std::string without_check(const std::string& line) {
  constexpr std::string_view kCheck = ",\"check\":\"01234567\"}";
  const auto check = line.size() - kCheck.size();
  const bool has_one = line.size() > kCheck.size() && line.compare(check, 10, kCheck.substr(0, 10)) == 0;
  return has_one ? line.substr(0, check) + '}' : line;
}

// The keys of kAtOnce.
const JsonFields kAtOnceFields{
    {"base_ns", 0},      {"max_ns", 0},   {"cooldown_ns", 300'000'000'000}, {"clean_restart_delay_ns", 100'000'000},
    {"max_failures", 0}, {"window_ns", 0}};

// The line of an event of the service `feed`: its number, its run, its kind, and the fields of that kind.
std::string event_line(std::int64_t at, int n, int run, const char* kind, const JsonFields& fields = {}) {
  return json_line(JsonFields{{"t_ns", at}, {"service", "feed"}, {"n", n}, {"run", run}, {"kind", kind}} + fields);
}

// The line of an input about the service `feed`.
std::string input_line(std::int64_t at, const char* input, const JsonFields& fields = {}) {
  return json_line(JsonFields{{"t_ns", at}, {"input", input}, {"service", "feed"}} + fields);
}

// The input that its first run has ended.
std::string end_line(std::int64_t at, const char* outcome, const char* error, const JsonFields& fields = {}) {
  const JsonFields run{{"slot", 0}, {"generation", 1}, {"run", 1}, {"outcome", outcome}, {"error", error}};
  return input_line(at, "end", run + fields);
}

// A supervisor in virtual time that is recorded.
class Recorded {
 public:
  explicit Recorded(const SupervisorConfig& config = config_of(kAtOnce)) { begin(config); }

  void settle() { scheduler.run_tasks(); }
  void pass(Duration time) { let_pass(scheduler, time); }
  // The lines since the last call, without their checks.
  Lines take() {
    std::istringstream in{out.str()};
    out.str("");
    Lines lines;
    for (std::string line; std::getline(in, line);) lines.push_back(without_check(line));
    return lines;
  }
  void finish() {
    supervisor.reset();
    recorder.reset();
  }

  std::ostringstream out;
  sim::VirtualScheduler scheduler;
  test::Recorder sink;
  std::optional<holdfast::Recorder> recorder;
  std::optional<Supervisor> supervisor;

 private:
  void begin(const SupervisorConfig& config) {
    recorder.emplace(out, scheduler, config, kSeed, sink);
    supervisor.emplace(*recorder, config, kSeed, *recorder, &*recorder);
  }
};

}  // namespace

TEST_CASE("a recording opens with format, version, seed, time and configuration") {
  Recorded run{{.shutdown_timeout = 5s, .backoff = {.base = 1s, .breaker = BreakerPolicy{3, 1min}}}};
  CHECK(run.take() == Lines{json_line({{"holdfast_recording", 1},
                                       {"version", "0.1.0"},
                                       {"seed", 20240229},
                                       {"t_ns", 0},
                                       {"shutdown_timeout_ns", 5'000'000'000},
                                       {"when_all_terminated", "wait"},
                                       {"base_ns", 1'000'000'000},
                                       {"max_ns", 60'000'000'000},
                                       {"cooldown_ns", 300'000'000'000},
                                       {"clean_restart_delay_ns", 100'000'000},
                                       {"max_failures", 3},
                                       {"window_ns", 60'000'000'000}})});
}

TEST_CASE("a life is recorded as what the supervisor was given and what it did, in that order") {
  Recorded run;
  Script feed;
  run.take();
  run.scheduler.advance_to(TimePoint{5});
  REQUIRE(run.supervisor->add({.name = "feed"}, feed));
  CHECK(run.take() == Lines{input_line(5, "add", {{"restart", "on_failure"}})});
  run.pass(1us);
  CHECK(run.take() ==
        Lines{json_line({{"clock_ns", 5}}),
              event_line(5, 1, 0, "added", kAtOnceFields + JsonFields{{"restart", "on_failure"}, {"runs_before", 0}}),
              event_line(5, 2, 1, "started"), event_line(5, 3, 1, "running")});
  feed.fail("a \"bad\" day\n");
  run.settle();
  const char* const error = R"(a \"bad\" day\n)";
  CHECK(run.take() ==
        Lines{end_line(1005, "failed", error), json_line({{"clock_ns", 1005}}),
              event_line(1005, 4, 1, "ended", {{"outcome", "failed"}, {"lasted_ns", 1000}, {"error", error}}),
              event_line(1005, 5, 1, "backing_off",
                         {{"cause", "failure"}, {"attempt", 1}, {"ceiling_ns", 0}, {"delay_ns", 0}})});
  run.pass(0s);
  CHECK(run.take() == Lines{json_line({{"t_ns", 1005}, {"timer", 1}, {"due_ns", 1005}}),
                            event_line(1005, 6, 2, "started"), event_line(1005, 7, 2, "running")});
  run.finish();
  CHECK(run.take() == Lines{json_line({{"end", "closed"}, {"t_ns", 1005}, {"events", 7}, {"undone", 0}})});
}

TEST_CASE("every command is recorded when it is given, and none that is refused") {
  Recorded run;
  Script feed;
  run.take();
  REQUIRE(
      run.supervisor->add({.name = "feed", .policy = {.restart = RestartPolicy::always, .backoff = kAtOnce}}, feed));
  REQUIRE_FALSE(run.supervisor->add({.name = "feed"}, feed));
  REQUIRE_FALSE(run.supervisor->stop("nobody"));
  REQUIRE(run.supervisor->restart("feed"));
  REQUIRE(run.supervisor->stop("feed"));
  REQUIRE_FALSE(run.supervisor->restart("feed"));
  REQUIRE(run.supervisor->remove("feed"));
  REQUIRE(run.supervisor->remove("feed"));
  run.supervisor->request_shutdown();
  run.supervisor->request_shutdown();
  run.supervisor->end_drain();
  CHECK(run.take() == Lines{input_line(0, "add", JsonFields{{"restart", "always"}} + kAtOnceFields),
                            input_line(0, "restart"), input_line(0, "stop"), input_line(0, "remove"),
                            R"({"t_ns":0,"input":"shutdown"})", R"({"t_ns":0,"input":"end_drain"})"});
  run.finish();
}

TEST_CASE("an input from within a service or an event sink says so, and a stop that threw is an input") {
  Recorded run;
  Script feed;
  feed.on_start = [&](Run r) { r.end(Exit::clean()); };
  REQUIRE(run.supervisor->add({.name = "feed", .policy = {.restart = RestartPolicy::always}}, feed));
  run.settle();
  const auto lines_with = [&](std::string_view part) {
    Lines found;
    for (const auto& line : run.take()) {
      if (line.find(part) != std::string::npos) found.push_back(line);
    }
    return found;
  };
  CHECK(lines_with(R"("input":"end")") == Lines{end_line(0, "clean", "", {{"within", "service"}})});
  feed.on_start = nullptr;
  feed.on_stop = [&](Run) { throw std::runtime_error{"no"}; };
  run.pass(1s);
  run.sink.on_each = [&](const Event& event) {
    if (kind(event) == "stopping") CHECK(run.supervisor->remove("feed"));
  };
  run.take();
  REQUIRE(run.supervisor->stop("feed"));
  run.settle();
  CHECK(lines_with("input") == Lines{input_line(1'000'000'000, "stop"),
                                     input_line(1'000'000'000, "remove", {{"within", "sink"}}),
                                     R"({"t_ns":1000000000,"input":"stop_threw","error":"no"})"});
  run.sink.on_each = nullptr;
  run.finish();
}

TEST_CASE("the process of a run, what it warns of, and the signals of a shutdown are recorded, and replayed the same") {
  Recorded run;
  Script feed;
  feed.on_start = [&](Run r) { r.set_pid(4711); };
  REQUIRE(run.supervisor->add({.name = "feed"}, feed));
  run.settle();
  CHECK(run.supervisor->snapshot("feed")->pid == 4711U);
  feed.runs.back().set_pid(1);  // too late to be said
  CHECK(run.supervisor->snapshot("feed")->pid == 4711U);
  feed.runs.back().warn("it's \"odd\"");
  run.settle();
  run.supervisor->request_shutdown(ShutdownCause::sigint);
  run.supervisor->ignore_signal(ShutdownCause::sigterm);
  run.supervisor->end_drain(ShutdownCause::sighup);
  run.settle();
  CHECK(run.supervisor->snapshot("feed")->pid == 4711U);  // abandoned, and alive
  const Run late = feed.runs.back();
  feed.end_cleanly();
  late.warn("nobody wants to know any more");
  run.settle();
  CHECK_FALSE(run.supervisor->snapshot("feed")->pid);
  run.finish();
  const std::string recorded = run.out.str();
  const auto has = [&](std::string line) {
    line.pop_back();
    return recorded.find(line + "}\n") != std::string::npos || recorded.find(line + ",\"check\":") != std::string::npos;
  };
  const char* const says = R"(it's \"odd\")";
  CHECK(has(input_line(0, "pid", {{"pid", 4711}, {"within", "service"}})));
  CHECK(has(event_line(0, 3, 1, "running", {{"pid", 4711}})));
  CHECK(has(input_line(0, "warn", {{"slot", 0}, {"generation", 1}, {"run", 1}, {"says", says}})));
  CHECK(has(event_line(0, 4, 1, "warned", {{"field", "run"}, {"says", says}})));
  CHECK(has(R"({"t_ns":0,"input":"shutdown","cause":"SIGINT"})"));
  CHECK(has(R"({"t_ns":0,"input":"signal_ignored","cause":"SIGTERM"})"));
  CHECK(has(R"({"t_ns":0,"input":"end_drain","cause":"SIGHUP"})"));
  CHECK(has(json_line({{"t_ns", 0},
                       {"n", 2},
                       {"kind", "warned"},
                       {"field", "signal"},
                       {"says", "SIGTERM within a second of the shutdown's beginning changes nothing"}})));
  CHECK(has(R"({"t_ns":0,"n":3,"kind":"drained","outcome":"cut_short","cause":"SIGHUP"})"));
  CHECK(recorded.find("nobody wants") == std::string::npos);
  std::istringstream in{recorded};
  const auto replayed = sim::replay(in, "run.ndjson");
  CHECK(replayed.same());
}

TEST_CASE("all lines but events carry a check, which depends on the line and all above, events included") {
  const auto recording_of = [](std::string_view error) {
    Recorded run;
    Script feed;
    REQUIRE(run.supervisor->add({.name = "feed"}, feed));
    run.settle();
    feed.fail(std::string{error});
    run.settle();
    run.finish();
    Lines checks;
    std::istringstream in{run.out.str()};
    for (std::string line; std::getline(in, line);) {
      const auto at = line.find(",\"check\":\"");
      CHECK((at == std::string::npos) == (line.find("\"kind\":") != std::string::npos));
      if (at == std::string::npos) continue;
      checks.push_back(line.substr(at + 10, 8));
      CHECK(checks.back().find_first_not_of("0123456789abcdef") == std::string::npos);
      CHECK(line.substr(at + 18) == "\"}");
    }
    return checks;
  };
  const Lines a = recording_of("a"), b = recording_of("b");
  // The first line, the addition, the end of the run, the end of the recording.
  REQUIRE(a.size() == 4);
  REQUIRE(b.size() == 4);
  CHECK(a == Lines{"8f08b855", "68c64b96", "5285e0f4", "b06cdd5c"});  // frozen: recordings are read by later versions
  CHECK(a[0] == b[0]);
  CHECK(a[1] == b[1]);
  CHECK(a[2] != b[2]);
  CHECK(a[3] != b[3]);
}

TEST_CASE("a text of a recording has a length at most, and what was shortened is replayed the same") {
  for (const std::string part : {"x", "\xff", "\u2028", "\n"}) {
    Recorded run;
    Script feed;
    REQUIRE(run.supervisor->add({.name = "feed", .policy = {.restart = RestartPolicy::never}}, feed));
    run.settle();
    std::string error = "a";  // so that the longest text ends within a character
    while (error.size() < 2 * kRecordedTextMax) error += part;
    feed.fail(error);
    run.settle();
    run.finish();
    std::istringstream lines{run.out.str()};
    std::size_t longest = 0;
    for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
    CHECK(longest > kRecordedTextMax);
    CHECK(longest < kRecordedLineMax);
    std::istringstream in{run.out.str()};
    const auto replayed = sim::replay(in, "run.ndjson");
    CHECK(replayed.same());
    CHECK_FALSE(replayed.cut_short);
  }
}

TEST_CASE("bytes of an error that are not UTF-8 are replaced, alike in the input and in the event") {
  Recorded run;
  Script feed;
  REQUIRE(run.supervisor->add({.name = "f\xc3\xbc"}, feed));
  run.settle();
  feed.fail("caf\xe9 \xed\xa0\x80");
  run.settle();
  std::size_t found = 0;
  for (const auto& line : run.take()) {
    if (line.find("\"error\":\"caf\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"") != std::string::npos) ++found;
  }
  CHECK(found == 2);
  run.finish();
}

TEST_CASE("to be recorded changes no event, and no order among the timers and tasks of a scheduler") {
  // A fleet beside timers and tasks of others, armed for the same instants.
  const auto run = [](bool recorded) {
    sim::VirtualScheduler scheduler;
    Lines lines;
    test::Recorder sink;
    sink.on_each = [&](const Event& event) { lines.push_back(line_of(event)); };
    std::ostringstream out;
    std::optional<holdfast::Recorder> recorder;
    const auto config = config_of({.base = 1s, .max = 1s, .breaker = std::nullopt});
    if (recorded) recorder.emplace(out, scheduler, config, kSeed, sink);
    std::optional<Supervisor> supervisor;
    std::deque<Alarm> alarms;
    std::deque<Script> scripts;
    if (recorded) {
      supervisor.emplace(*recorder, config, kSeed, *recorder, &*recorder);
    } else {
      supervisor.emplace(scheduler, config, kSeed, sink);
    }
    for (int i = 0; i < 20; ++i) {
      Script& script = scripts.emplace_back();
      CHECK(supervisor->add({.name = std::to_string(i), .policy = {.restart = RestartPolicy::always}}, script));
      script.on_start = [&](Run r) {
        const TimePoint at = scheduler.now() + 100ms;
        alarms.emplace_back(scheduler, at, [&lines, &scheduler, r] {
          lines.push_back(to_string(scheduler.now()) + " alarm");
          r.number().value % 3 == 0 ? r.end(Exit::clean()) : r.end(Exit::failed("x"));
        });
      };
    }
    scheduler.run_tasks();
    while (scheduler.fire_next(TimePoint{} + 10s)) {
    }
    CHECK(supervisor->stop("7"));
    supervisor->request_shutdown();
    scheduler.run_tasks();
    while (scheduler.fire_next(TimePoint{} + 60s)) {
    }
    supervisor.reset();
    return lines;
  };
  const Lines alone = run(false);
  CHECK(alone.size() > 500);
  CHECK(run(true) == alone);
}

TEST_CASE("a recorder forwards to its scheduler what is armed, disarmed, deferred and cancelled, and leaves nothing") {
  struct Note final : Task, Timer {
    explicit Note(Lines& lines) : lines_(lines) {}
    void run() override { lines_.emplace_back("task"); }
    void fired() override { lines_.emplace_back("timer"); }
    Lines& lines_;
  };
  sim::VirtualScheduler scheduler;
  std::ostringstream out;
  test::Recorder sink;
  holdfast::Recorder recorder{out, scheduler, {}, kSeed, sink};
  Lines lines;
  Note note{lines};
  recorder.arm(note, TimePoint{3});
  CHECK(note.armed());
  CHECK(recorder.disarm(note));
  CHECK_FALSE(note.armed());
  CHECK_FALSE(recorder.disarm(note));
  CHECK_FALSE(scheduler.has_timer_by(TimePoint::max()));
  recorder.defer(note);
  CHECK(recorder.cancel(note));
  CHECK_FALSE(recorder.cancel(note));
  scheduler.run_tasks();
  CHECK(lines == Lines{});
  recorder.arm(note, TimePoint{3});
  recorder.defer(note);
  scheduler.run_tasks();
  CHECK(scheduler.fire_next(TimePoint{3}));
  CHECK(lines == Lines{"task", "timer"});
  CHECK(recorder.now() == TimePoint{3});
  CHECK(scheduler.idle());
}

// Takes so many bytes, and throws at the next one.
class Bursting final : public std::streambuf {
 public:
  explicit Bursting(std::size_t bytes) : left_(bytes) {}
  std::string written;

 private:
  int_type overflow(int_type byte) override {
    if (left_ == 0) throw 42;
    --left_;
    written += traits_type::to_char_type(byte);
    return byte;
  }
  std::size_t left_;
};

TEST_CASE("a recording that cannot be written ends, once, and nothing else does: wherever it fails") {
  class Trouble final : public RecordingTrouble {
   public:
    void recording_failed_with(std::string_view error) noexcept override { errors.emplace_back(error); }
    Lines errors;
  };
  const auto run_on = [](std::ostream& out, RecordingTrouble* trouble) {
    sim::VirtualScheduler scheduler;
    test::Recorder sink;
    Script feed;
    std::optional<holdfast::Recorder> recorder;
    recorder.emplace(out, scheduler, config_of(kAtOnce), kSeed, sink, trouble);
    {
      Supervisor supervisor{*recorder, config_of(kAtOnce), kSeed, *recorder, &*recorder};
      REQUIRE(supervisor.add({.name = "feed"}, feed));
      let_pass(scheduler, 1us);
      feed.fail();
      let_pass(scheduler, 1us);
      supervisor.request_shutdown();
      scheduler.run_tasks();
      feed.end_cleanly();
      scheduler.run_tasks();
      CHECK(supervisor.shutdown_result());
    }
    recorder.reset();
    return sink.lines();
  };
  std::ostringstream whole;
  const Lines expected = run_on(whole, nullptr);
  for (std::size_t bytes = 0; bytes < whole.str().size(); bytes += 7) {
    for (const bool passes_on : {false, true}) {
      CAPTURE(bytes, passes_on);
      Bursting buffer{bytes};
      std::ostream out{&buffer};
      if (passes_on) out.exceptions(std::ios::badbit | std::ios::failbit);
      Trouble trouble;
      CHECK(run_on(out, &trouble) == expected);
      CHECK(trouble.errors.size() == 1);
      CHECK(buffer.written == whole.str().substr(0, bytes));
    }
  }
  Bursting buffer{0};
  std::ostream out{&buffer};
  out.exceptions(std::ios::badbit);
  CHECK(run_on(out, nullptr) == expected);  // nobody wants to know
}

// Counts how often it was flushed.
class Flushed final : public std::stringbuf {
 public:
  int times = 0;

 private:
  int sync() override {
    ++times;
    return 0;
  }
};

TEST_CASE("lines are flushed when a handler returns, after an input from outside, and at the end") {
  sim::VirtualScheduler scheduler;
  test::Recorder sink;
  Flushed buffer;
  std::ostream out{&buffer};
  Script feed;
  std::optional<holdfast::Recorder> recorder;
  recorder.emplace(out, scheduler, config_of(kAtOnce), kSeed, sink);
  std::optional<Supervisor> supervisor;
  supervisor.emplace(*recorder, config_of(kAtOnce), kSeed, *recorder, &*recorder);
  const auto flushes = [&](const auto& act) {
    const int before = buffer.times;
    act();
    return buffer.times - before;
  };
  CHECK(flushes([&] { CHECK(supervisor->add({.name = "feed"}, feed)); }) == 1);
  CHECK(flushes([&] { scheduler.run_tasks(); }) == 1);  // three events
  CHECK(flushes([&] { feed.fail(); }) == 1);
  CHECK(flushes([&] { scheduler.run_tasks(); }) == 1);
  CHECK(flushes([&] { CHECK(scheduler.fire_next(TimePoint::max())); }) >= 1);
  supervisor.reset();
  CHECK(flushes([&] { recorder.reset(); }) == 1);
}

TEST_CASE("a deadline is armed as one, and an alarm that could not be armed leaves nothing") {
  class Choosy final : public Scheduler {
   public:
    [[nodiscard]] TimePoint now() const noexcept override { return {}; }
    void arm(Timer&, TimePoint) override {
      ++timers;
      if (throws) throw std::bad_alloc{};
    }
    void arm_deadline(Timer&, TimePoint) override { ++deadlines; }
    bool disarm(Timer&) noexcept override { return true; }
    void defer(Task&) override {}
    bool cancel(Task&) noexcept override { return true; }
    int timers = 0, deadlines = 0;
    bool throws = false;
  };
  class Note final : public Timer {
    void fired() override {}
  };
  Choosy scheduler;
  std::ostringstream out;
  test::Recorder sink;
  holdfast::Recorder recorder{out, scheduler, {}, kSeed, sink};
  Note note;
  recorder.arm_deadline(note, TimePoint{3});
  CHECK(scheduler.timers == 0);
  CHECK(scheduler.deadlines == 1);
  CHECK(recorder.disarm(note));
  scheduler.throws = true;
  CHECK_THROWS_AS(recorder.arm(note, TimePoint{3}), std::bad_alloc);
  CHECK_FALSE(note.armed());
  scheduler.throws = false;
  recorder.arm(note, TimePoint{3});
  CHECK(note.armed());
  CHECK(recorder.disarm(note));
}

TEST_CASE("what a task throws leaves the others for the next turn, and a turn with nothing to do is cancelled") {
  class Note final : public Task {
   public:
    explicit Note(std::function<void()> does) : does_(std::move(does)) {}
    void run() override { does_(); }

   private:
    std::function<void()> does_;
  };
  sim::VirtualScheduler scheduler;
  std::ostringstream out;
  test::Recorder sink;
  holdfast::Recorder recorder{out, scheduler, {}, kSeed, sink};
  Lines lines;
  Note throws{[] { throw std::runtime_error{"no"}; }}, notes{[&] { lines.emplace_back("ran"); }};
  recorder.defer(throws);
  recorder.defer(notes);
  CHECK_THROWS_AS(scheduler.run_tasks(), std::runtime_error);
  CHECK(lines == Lines{});
  scheduler.run_tasks();
  CHECK(lines == Lines{"ran"});
  recorder.defer(notes);
  CHECK(recorder.cancel(notes));
  CHECK(scheduler.idle());
}

}  // namespace holdfast::recorder_test
