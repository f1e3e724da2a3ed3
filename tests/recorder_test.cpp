// What a recording holds, line by line, and that to be recorded changes nothing.
#include "support.hpp"

#include <sstream>

#include <holdfast/recorder.hpp>

namespace holdfast::recorder_test {

using namespace holdfast::test;

namespace {

// A supervisor in virtual time that is recorded.
class Recorded {
 public:
  explicit Recorded(const SupervisorConfig& config = config_of(kAtOnce)) { begin(config); }

  void settle() { scheduler.run_tasks(); }
  void pass(Duration time) { let_pass(scheduler, time); }
  // The lines since the last call.
  Lines take() {
    std::istringstream in{out.str()};
    out.str("");
    Lines lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
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
  CHECK(run.take() == Lines{R"({"holdfast_recording":1,"version":"0.1.0","seed":20240229,"t_ns":0,)"
                            R"("shutdown_timeout_ns":5000000000,"when_all_terminated":"wait","base_ns":1000000000,)"
                            R"("max_ns":60000000000,"cooldown_ns":300000000000,"clean_restart_delay_ns":100000000,)"
                            R"("max_failures":3,"window_ns":60000000000})"});
}

TEST_CASE("a life is recorded as what the supervisor was given and what it did, in that order") {
  Recorded run;
  Script feed;
  run.take();
  run.scheduler.advance_to(TimePoint{5});
  REQUIRE(run.supervisor->add({.name = "feed"}, feed));
  CHECK(run.take() == Lines{R"({"t_ns":5,"input":"add","service":"feed","restart":"on_failure"})"});
  run.pass(1us);
  CHECK(run.take() ==
        Lines{R"({"clock_ns":5})",
              R"({"t_ns":5,"service":"feed","n":1,"run":0,"kind":"added","base_ns":0,"max_ns":0,)"
              R"("cooldown_ns":300000000000,"clean_restart_delay_ns":100000000,"max_failures":0,"window_ns":0,)"
              R"("restart":"on_failure","runs_before":0})",
              R"({"t_ns":5,"service":"feed","n":2,"run":1,"kind":"started"})",
              R"({"t_ns":5,"service":"feed","n":3,"run":1,"kind":"running"})"});
  feed.fail("a \"bad\" day\n");
  run.settle();
  CHECK(run.take() ==
        Lines{R"({"t_ns":1005,"input":"end","service":"feed","slot":0,"generation":1,"run":1,"outcome":"failed",)"
              R"("error":"a \"bad\" day\n"})",
              R"({"clock_ns":1005})",
              R"({"t_ns":1005,"service":"feed","n":4,"run":1,"kind":"ended","outcome":"failed","lasted_ns":1000,)"
              R"("error":"a \"bad\" day\n"})",
              R"({"t_ns":1005,"service":"feed","n":5,"run":1,"kind":"backing_off","cause":"failure","attempt":1,)"
              R"("ceiling_ns":0,"delay_ns":0})"});
  run.pass(0s);
  CHECK(run.take() == Lines{R"({"t_ns":1005,"timer":1,"due_ns":1005})",
                            R"({"t_ns":1005,"service":"feed","n":6,"run":2,"kind":"started"})",
                            R"({"t_ns":1005,"service":"feed","n":7,"run":2,"kind":"running"})"});
  run.finish();
  CHECK(run.take() == Lines{R"({"end":"closed","t_ns":1005,"events":7,"undone":0})"});
}

TEST_CASE("every command is recorded when it is given, and none that is refused") {
  Recorded run;
  Script feed;
  run.take();
  REQUIRE(run.supervisor->add({.name = "feed", .restart = RestartPolicy::always, .backoff = kAtOnce}, feed));
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
  CHECK(run.take() == Lines{R"({"t_ns":0,"input":"add","service":"feed","restart":"always","base_ns":0,"max_ns":0,)"
                            R"("cooldown_ns":300000000000,"clean_restart_delay_ns":100000000,"max_failures":0,)"
                            R"("window_ns":0})",
                            R"({"t_ns":0,"input":"restart","service":"feed"})",
                            R"({"t_ns":0,"input":"stop","service":"feed"})",
                            R"({"t_ns":0,"input":"remove","service":"feed"})", R"({"t_ns":0,"input":"shutdown"})",
                            R"({"t_ns":0,"input":"end_drain"})"});
  run.finish();
}

TEST_CASE("an input from within a service or an event sink says so, and a stop that threw is an input") {
  Recorded run;
  Script feed;
  feed.on_start = [&](Run r) { r.end(Exit::clean()); };
  REQUIRE(run.supervisor->add({.name = "feed", .restart = RestartPolicy::always}, feed));
  run.settle();
  const auto lines_with = [&](std::string_view part) {
    Lines found;
    for (const auto& line : run.take()) {
      if (line.find(part) != std::string::npos) found.push_back(line);
    }
    return found;
  };
  CHECK(lines_with(R"("input":"end")") ==
        Lines{R"({"t_ns":0,"input":"end","service":"feed","slot":0,"generation":1,"run":1,"outcome":"clean",)"
              R"("error":"","within":"service"})"});
  feed.on_start = nullptr;
  feed.on_stop = [&](Run) { throw std::runtime_error{"no"}; };
  run.pass(1s);
  run.sink.on_each = [&](const Event& event) {
    if (kind(event) == "stopping") CHECK(run.supervisor->remove("feed"));
  };
  run.take();
  REQUIRE(run.supervisor->stop("feed"));
  run.settle();
  CHECK(lines_with("input") == Lines{R"({"t_ns":1000000000,"input":"stop","service":"feed"})",
                                     R"({"t_ns":1000000000,"input":"remove","service":"feed","within":"sink"})",
                                     R"({"t_ns":1000000000,"input":"stop_threw","error":"no"})"});
  run.sink.on_each = nullptr;
  run.finish();
}

TEST_CASE("what is no UTF-8 in an error is replaced, alike in the input and in the event") {
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
    Lines told;
    test::Recorder sink;
    sink.on_each = [&](const Event& event) { told.push_back(line_of(event)); };
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
      CHECK(supervisor->add({.name = std::to_string(i), .restart = RestartPolicy::always}, script));
      script.on_start = [&](Run r) {
        const TimePoint at = scheduler.now() + 100ms;
        alarms.emplace_back(scheduler, at, [&told, &scheduler, r] {
          told.push_back(to_string(scheduler.now()) + " alarm");
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
    return told;
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

}  // namespace holdfast::recorder_test
