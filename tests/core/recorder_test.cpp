// What a recording holds, line by line.
#include "recorded.hpp"

#include <algorithm>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>

#include <holdfast/recorder.hpp>
#include <holdfast_sim/replay/replay.hpp>

namespace holdfast::recorder_test {

namespace {

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

TEST_CASE("a recording has everything of its configuration that is not the default, and nothing that is") {
  const auto header_of = [](const SupervisorConfig& config) {
    Recorded run{config};
    return run.take().at(0);
  };
  const std::string plain = header_of({});
  for (const char* const key : {"abandoned_runs_max", "kill_wait_ns", "stop_grace_ns"}) {
    CHECK(plain.find(key) == std::string::npos);
  }
  CHECK(header_of({.restart_limit = RestartLimit{.every = 5ns, .burst = 3}, .starting_max = 7})
            .find(",\"restart_limit_every_ns\":5,\"restart_limit_burst\":3,\"starting_max\":7}") != std::string::npos);
  CHECK(header_of({.abandoned_runs_max = 2}).find(",\"abandoned_runs_max\":2}") != std::string::npos);
  CHECK(header_of({.kill_wait = 7ns}).find(",\"kill_wait_ns\":7}") != std::string::npos);
  CHECK(header_of({.stop_grace = 8ns}).find(",\"stop_grace_ns\":8}") != std::string::npos);
}

TEST_CASE("a service is recorded with its own grace, whether it can be killed, and whether its runs are side by side") {
  const auto added = [](const Duration* grace, bool can_be_killed, bool side_by_side) {
    Recorded run;
    run.take();
    Script feed;
    if (can_be_killed) feed.on_kill = [](Run) {};
    feed.side_by_side = side_by_side;
    ServiceConfig config{.name = "feed"};
    if (grace) config.policy.stop_grace = *grace;
    REQUIRE(run.supervisor->add(config, feed));
    const std::string line = run.take().at(0);
    run.finish();
    return line;
  };
  const Duration grace = 9ns;
  const std::string begin = R"({"t_ns":0,"input":"add","service":"feed","restart":"on_failure")";
  CHECK(added(nullptr, false, false) == begin + "}");
  CHECK(added(&grace, false, false) == begin + R"(,"stop_grace_ns":9})");
  CHECK(added(nullptr, true, false) == begin + R"(,"can_be_killed":true})");
  CHECK(added(nullptr, false, true) == begin + R"(,"runs_side_by_side":true})");
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

TEST_CASE("a kill that threw is an input, and so is a timer that fires for nothing") {
  Recorded run{{.backoff = kAtOnce, .stop_grace = 1s}};
  Script feed;
  feed.on_kill = [](Run) { throw std::runtime_error{"not allowed"}; };
  REQUIRE(run.supervisor->add({.name = "feed"}, feed));
  run.settle();
  REQUIRE(run.supervisor->stop("feed"));
  run.settle();
  run.take();
  run.pass(1s);
  const Lines lines = run.take();
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == R"({"t_ns":1000000000,"timer":1,"due_ns":1000000000})");
  CHECK(lines[2] == R"({"t_ns":1000000000,"input":"kill_threw","error":"not allowed"})");
  run.finish();
}

TEST_CASE("after a sink has thrown, an input from a service is not from that sink, and one from outside from nobody") {
  Recorded run;
  Script feed;
  REQUIRE(run.supervisor->add({.name = "feed"}, feed));
  run.sink.on_each = [](const Event& event) {
    if (kind(event) == "started") throw std::runtime_error{"no"};
  };
  feed.on_start = [](Run r) { r.warn("from the service"); };
  CHECK_THROWS(run.settle());
  feed.on_start = nullptr;
  run.sink.on_each = nullptr;
  const Lines told = run.take();
  const JsonFields warning{
      {"slot", 0}, {"generation", 1}, {"run", 1}, {"says", "from the service"}, {"within", "service"}};
  CHECK(std::count(told.begin(), told.end(), input_line(0, "warn", warning)) == 1);
  feed.on_stop = [](Run r) { r.end(Exit::clean()); };
  REQUIRE(run.supervisor->stop("feed"));
  run.settle();
  const Lines lines = run.take();
  CHECK(lines.at(0) == R"({"t_ns":0,"input":"stop","service":"feed"})");
  CHECK(std::count(lines.begin(), lines.end(), end_line(0, "clean", "", {{"within", "service"}})) == 1);
  run.finish();
}

TEST_CASE("a timer is recorded before what it leads to, and when it fires, also if it leads to nothing") {
  struct Bell final : Timer {
    explicit Bell(std::function<void()> act) : act_(std::move(act)) {}
    void fired() override { act_(); }
    std::function<void()> act_;
  };
  Recorded run;
  Script feed;
  REQUIRE(run.supervisor->add({.name = "feed"}, feed));
  run.settle();
  run.take();
  Bell nothing{[] {}}, ends{[&] { feed.end_cleanly(); }};
  run.recorder->arm(nothing, TimePoint{5});
  run.recorder->arm(ends, TimePoint{8});
  REQUIRE(run.scheduler.fire_next(TimePoint{5}));
  CHECK(run.take() == Lines{json_line({{"t_ns", 5}, {"timer", 1}, {"due_ns", 5}})});
  REQUIRE(run.scheduler.fire_next(TimePoint{8}));
  const Lines lines = run.take();
  REQUIRE(lines.size() > 2);
  CHECK(lines[0] == json_line({{"t_ns", 8}, {"timer", 2}, {"due_ns", 8}}));
  CHECK(lines[1] == end_line(8, "clean", "", {{"within", "service"}}));
  run.finish();
}

TEST_CASE("a supervisor that was destroyed before it acted leaves that as undone") {
  Recorded run;
  Script feed;
  REQUIRE(run.supervisor->add({.name = "feed"}, feed));
  run.finish();
  CHECK(run.take().back() == R"({"end":"closed","t_ns":0,"events":0,"undone":1})");
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

TEST_CASE("a text of just as many bytes as there is room for is recorded whole, and of one more the last is left out") {
  for (const std::size_t more : {0U, 1U}) {
    Recorded run;
    Script feed;
    REQUIRE(run.supervisor->add({.name = "feed", .policy = {.restart = RestartPolicy::never}}, feed));
    run.settle();
    run.take();
    feed.fail(std::string(kRecordedTextMax + more, 'x'));
    run.settle();
    const std::string line = run.take().at(0);
    const bool same = line == end_line(0, "failed", std::string(kRecordedTextMax, 'x').c_str());
    CHECK(same);
    run.finish();
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

}  // namespace

}  // namespace holdfast::recorder_test
