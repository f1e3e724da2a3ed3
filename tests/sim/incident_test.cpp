// A recorded run becomes a scenario: its fleet, its policies, its failures.
#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/format/scenario_writer.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/replay/incident.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::incident_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;

namespace {

// A run in virtual time, and the scenario that comes of it.
struct Life {
  explicit Life(SupervisorConfig config = {.backoff = {.base = 1s, .max = 1s, .breaker = std::nullopt}})
      : supervisor(config), simulation({.seed = {9}, .supervisor = config}, {&incident}) {}

  [[nodiscard]] Scenario scenario(Mended mended = Mended::early) {
    ReplayResult result{.file = "logs/monday.ndjson", .seed = {9}, .supervisor = supervisor};
    result.report.end.at = simulation.now();
    return incident.scenario(result, "monday.csv", mended);
  }
  [[nodiscard]] std::string rows(Mended mended = Mended::early) {
    const auto files = recorded_files(scenario(mended));
    return files.empty() ? "none" : files.front().text;
  }
  void fail(const char* service, const char* error = "lost") {
    CHECK(simulation.end_run(service, Exit::failed(error)));
  }

  SupervisorConfig supervisor;
  Incident incident;
  Simulation simulation;
};

// A history that is written by hand, of one service.
struct Told {
  void tell(Duration at, Event::What what) {
    Event event;
    event.at = TimePoint{} + at;
    event.service = {0, 1};
    event.name = "feed";
    event.what = what;
    incident.on_event(event);
  }
  void add(const ServicePolicy& policy = {.backoff = BackoffPolicy{}}) { tell(0s, event::Added{&policy, {0}}); }
  void start(Duration at) {
    tell(at, event::Started{});
    tell(at, event::Running{});
  }
  void end(Duration at, Duration lasted, Outcome outcome = Outcome::failed) {
    tell(at, event::Ended{outcome, lasted, outcome == Outcome::clean ? "" : "lost"});
  }
  [[nodiscard]] Scenario scenario(Duration over, Mended mended = Mended::early) const {
    ReplayResult result{.file = "x.ndjson", .seed = {9}};
    result.report.end.at = TimePoint{} + over;
    return incident.scenario(result, "x.csv", mended);
  }
  [[nodiscard]] std::string rows(Duration over, Mended mended = Mended::early) const {
    const auto files = recorded_files(scenario(over, mended));
    return files.empty() ? "none" : files.front().text.substr(sizeof("entity,from,until,cause"));
  }

  Incident incident;
};

}  // namespace

TEST_CASE("failures in a row are one outage, from the first end to the last; a run that lasted begins another") {
  Life run;
  REQUIRE(run.simulation.add({.name = "feed"}));
  run.simulation.run_for(1min);
  for (int i = 0; i < 3; ++i) {  // each run after the first is ended in its start's instant or soon after
    run.fail("feed");
    run.simulation.run_for(2s);
  }
  const auto last = run.simulation.now() - 2s;
  run.simulation.run_for(1h);
  run.fail("feed", "another\nday");
  const auto again = run.simulation.now();
  run.simulation.run_for(10s);
  CHECK(run.rows() == "entity,from,until,cause\nfeed,1min," + to_string(last) + ",lost\nfeed," + to_string(again) +
                          ',' + to_string(again) + ",another day\n");
}

TEST_CASE("a service that says when it is ready takes as long for it as the runs did, in the middle") {
  Life run;
  const ServicePolicy policy{.ready = Ready::notified, .start_timeout = 30s};
  REQUIRE(run.simulation.add({.name = "a", .policy = policy}, {.ready_after = Fixed{4s}}));
  REQUIRE(run.simulation.add({.name = "b", .policy = policy}, {.ready_after = Fixed{9s}}));
  REQUIRE(run.simulation.add({.name = "c"}));
  run.simulation.run_for(1min);
  const auto fleet = run.scenario().fleet;
  REQUIRE(fleet.size() == 3);
  CHECK(fleet[0].policy.ready == Ready::notified);
  CHECK(fleet[0].policy.start_timeout == 30s);
  CHECK(fleet[0].behaviour.ready_after == Distribution{Fixed{9s}});
  CHECK_FALSE(fleet[2].behaviour.ready_after);
}

// Every recording of a program (Runtime) has a kill_wait, and `holdfast replay --scenario` ended with an assertion.
TEST_CASE("what a recording says and a scenario cannot say is left out, so that its text reads back") {
  Life run{{.backoff = {.base = 1s, .max = 1s, .breaker = std::nullopt}, .kill_wait = 1s}};
  REQUIRE(run.simulation.add({.name = "feed"}));
  run.simulation.run_for(1min);
  const auto scenario = run.scenario();
  REQUIRE_FALSE(scenario.supervisor.kill_wait);
  CHECK_NOTHROW(parse_scenario(scenario_text(scenario), "incident.toml", "."));
}

TEST_CASE("a scenario has a name that it may have, however the file of the recording is called") {
  struct Row {
    std::string file, name;
  };
  for (const auto& [file, name] : std::vector<Row>{{"logs/monday.ndjson", "incident monday"},
                                                   {"a .nd", "incident a"},
                                                   {" a\nb.nd", "incident a b"},
                                                   {"a\xC2\xA0.nd", "incident a"},
                                                   {"\xE2\x80\xAE.nd", "incident"},
                                                   {"<stdin>", "incident <stdin>"},
                                                   {std::string(300, 'x'), "incident " + std::string(200, 'x')},
                                                   {"a\xFF.nd", "incident a"}}) {
    CAPTURE(file);
    ReplayResult result{.file = file, .seed = {9}};
    result.report.end.at = TimePoint{} + 1s;
    Told told;
    told.add();
    const auto scenario = told.incident.scenario(result, "x.csv", Mended::early);
    CHECK(scenario.name == name);
    CHECK_NOTHROW(scenario_text(scenario));
  }
}

TEST_CASE("a start that was not in time is a failure of its run") {
  Life run;
  REQUIRE(run.simulation.add({.name = "a", .policy = {.ready = Ready::notified, .start_timeout = 30s}},
                             {.ready_after = Fixed{1min}}));
  run.simulation.run_for(40s);
  CHECK(run.rows() == "entity,from,until,cause\na,30s,30s,not ready within 30s\n");
}

TEST_CASE("an error with characters that do not show becomes a cause that can be read back") {
  // Story: names and causes of recorded traces have none of these, so what was written was refused.
  Life run;
  REQUIRE(run.simulation.add({.name = "feed"}));
  run.simulation.run_for(1min);
  const std::string error = std::string{"lost\u2028line"} + "\xe2\x80\xae" + "back\x1b\u200b\xff";
  run.fail("feed", error.c_str());
  run.simulation.run_for(10s);
  CHECK(run.rows() == "entity,from,until,cause\nfeed,1min,1min,lost line back\n");
}

TEST_CASE("a cause has no blanks around it, 200 bytes at most, and none that is half a character") {
  Life run;
  for (const char* const name : {"blanks", "long", "half", "nothing"}) REQUIRE(run.simulation.add({.name = name}));
  run.simulation.run_for(1min);
  run.fail("blanks", " \n lost \t ");
  run.fail("long", std::string(300, 'x').c_str());
  run.fail("half", (std::string(199, 'x') + "\u00fc").c_str());
  run.fail("nothing", "\n\n");
  run.simulation.run_for(1min);
  CHECK(run.rows() == "entity,from,until,cause\nblanks,1min,1min,lost\nlong,1min,1min," + std::string(200, 'x') +
                          "\nhalf,1min,1min," + std::string(199, 'x') + "\nnothing,1min,1min,failed\n");
}

TEST_CASE("a name with a comma, a hash or a quote has no row, and is counted") {
  Life run;
  for (const char* const name : {"a,b", "#c", "d\"e"}) REQUIRE(run.simulation.add({.name = name}));
  run.simulation.run_for(1s);
  for (const char* const name : {"a,b", "#c", "d\"e"}) run.fail(name);
  run.simulation.run_for(1s);
  CHECK(run.rows() == "none");
  CHECK(run.incident.left_out() ==
        std::vector<std::string>{"3 services whose name cannot stand in a recorded trace: the failures"});
}

TEST_CASE("rows are in the order of time, whichever service was added first") {
  Life run;
  for (const char* const name : {"first", "second"}) REQUIRE(run.simulation.add({.name = name}));
  run.simulation.run_for(1min);
  run.fail("second");
  run.simulation.run_for(1min);
  run.fail("first");
  run.simulation.run_for(1min);
  run.fail("second");
  run.simulation.run_for(1min);
  CHECK(run.rows() == "entity,from,until,cause\nsecond,1min,1min,lost\nfirst,2min,2min,lost\nsecond,3min,3min,lost\n");
}

TEST_CASE("only the last outage of a service that was given up on lasts to the end") {
  Life run{{.backoff = {.base = 0ns, .max = 0ns, .breaker = BreakerPolicy{.max_failures = 2, .window = 1min}}}};
  REQUIRE(run.simulation.add({.name = "feed"}));
  run.simulation.run_for(1min);
  run.fail("feed");
  run.simulation.run_for(1h);
  run.fail("feed");
  run.simulation.run_for(1s);
  run.fail("feed");
  run.simulation.run_for(1h);
  CHECK(run.rows() == "entity,from,until,cause\nfeed,1min,1min,lost\nfeed,1h1min,2h1min1s,lost\n");
}

TEST_CASE("a start that fails lasts the median of what the recorded ones lasted") {
  Life run{{.backoff = {.base = 0ns, .max = 0ns, .breaker = std::nullopt}}};
  REQUIRE(run.simulation.add({.name = "feed"}));
  run.simulation.run_for(1min);
  run.fail("feed");
  for (const auto lasted : {Duration{1s}, Duration{9s}, Duration{2s}}) {
    run.simulation.run_for(lasted);
    run.fail("feed");
  }
  run.simulation.run_for(1min);
  CHECK(std::get<Recorded>(run.scenario().chaos.front().what).fails_after == Duration{2s});
}

TEST_CASE("a seed and a length that a scenario cannot have become those that it can") {
  Life run;
  REQUIRE(run.simulation.add({.name = "feed"}));
  run.simulation.run_for(1s);
  const ReplayResult result{.file = "x.ndjson", .seed = {~std::uint64_t{0}}, .supervisor = run.supervisor};
  const auto scenario = run.incident.scenario(result, "x.csv");
  CHECK(scenario.seed == Seed{INT64_MAX});
  CHECK(scenario.duration == Duration{1});  // the recording ends where it begins
  CHECK(parse_scenario(scenario_text(scenario), "x.toml", ".").seed == scenario.seed);
}

TEST_CASE("services that differ in restart, policy, grace or obedience are no group") {
  Life run;
  const auto add = [&](ServiceConfig config, Behaviour behaviour = {}) {
    REQUIRE(run.simulation.add(std::move(config), behaviour));
  };
  add({.name = "a-0"});
  add({.name = "a-1", .policy = {.restart = RestartPolicy::always}});
  add({.name = "b-0"});
  add({.name = "b-1", .policy = {.stop_grace = 7s}});
  add({.name = "c-0"});
  add({.name = "c-1"}, {.on_stop = Ignores{}});
  run.simulation.run_for(1s);
  run.simulation.supervisor().request_shutdown();
  run.simulation.run_for(1min);
  const auto fleet = run.scenario().fleet;
  REQUIRE(fleet.size() == 6);
  CHECK(fleet[1].policy.restart == RestartPolicy::always);
  CHECK(fleet[3].policy.stop_grace == Duration{7s});
  CHECK(fleet[5].behaviour.on_stop == OnStop{Ignores{}});
}

TEST_CASE("a start that failed after just as long as counts for one is none") {
  for (const auto lasted : {kStartFailedWithin - 1ns, kStartFailedWithin}) {
    Life run{{.backoff = {.base = 0ns, .max = 0ns, .breaker = std::nullopt}}};
    REQUIRE(run.simulation.add({.name = "feed"}));
    run.simulation.run_for(1min);
    run.fail("feed");
    run.simulation.run_for(lasted);
    run.fail("feed");
    run.simulation.run_for(0s);
    const auto trace = std::get<Recorded>(run.scenario().chaos.front().what).trace;
    CHECK(trace.failures.size() == (lasted < kStartFailedWithin ? 1 : 2));
  }
}

TEST_CASE("the scenario has the run's name, seed, time, policies and shutdown") {
  Life run;
  REQUIRE(run.simulation.add({.name = "feed", .policy = {.restart = RestartPolicy::always}}));
  run.simulation.run_for(5s);
  run.simulation.supervisor().request_shutdown();
  run.simulation.run_for(1s);
  const auto scenario = run.scenario();
  CHECK(scenario.name == "incident monday");
  CHECK(scenario.seed == Seed{9});
  CHECK(scenario.duration == Duration{6s});
  CHECK(scenario.supervisor == run.supervisor);
  REQUIRE(scenario.chaos.size() == 1);
  CHECK(scenario.chaos.front() == ChaosEntry{5s, Shutdown{}});
  CHECK(scenario.fleet == std::vector{FleetGroup{.name = "feed", .policy = {.restart = RestartPolicy::always}}});
}

TEST_CASE("alike services with numbers from 0 on become one group, all others stand by themselves") {
  Life run;
  const BackoffPolicy own{.base = 5s};
  for (const char* const name :
       {"feed-0", "feed-1", "engine", "feed-2", "desk-0", "desk-1", "desk-2", "x-1", "x-2", "y-0"}) {
    ServiceConfig config{.name = name};
    if (std::string_view{name} == "desk-2") config.policy.backoff = own;
    REQUIRE(run.simulation.add(config));
  }
  run.simulation.run_for(1s);
  const std::vector<FleetGroup> expected{{.name = "feed", .count = 2},
                                         {.name = "engine"},
                                         {.name = "feed-2"},
                                         {.name = "desk", .count = 2},
                                         {.name = "desk-2", .policy = {.backoff = own}},
                                         {.name = "x-1"},
                                         {.name = "x-2"},
                                         {.name = "y-0"}};
  CHECK(run.scenario().fleet == expected);
}

TEST_CASE("services become no group whose name another service has, so that the scenario can be read") {
  Life run;
  for (const char* const name : {"feed-0", "feed-1", "feed", "a-0-0", "a-0-1", "a-0", "a-1", "b-00", "b-1"}) {
    REQUIRE(run.simulation.add({.name = name}));
  }
  run.simulation.run_for(1s);
  const auto scenario = run.scenario();
  std::vector<std::string> names;
  for (const auto& group : scenario.fleet) names.push_back(group.name + (group.count ? " (group)" : ""));
  CHECK(names == std::vector<std::string>{"feed-0", "feed-1", "feed", "a-0-0", "a-0-1", "a (group)", "b-00", "b-1"});
  CHECK_NOTHROW(parse_scenario(scenario_text(scenario), "incident.toml", "."));
}

TEST_CASE("a service that was given up on is down to the end, unless it was added again") {
  for (const bool again : {false, true}) {
    Life run{{.backoff = {.base = 0ns, .max = 0ns, .breaker = BreakerPolicy{.max_failures = 2, .window = 1min}}}};
    REQUIRE(run.simulation.add({.name = "feed"}));
    REQUIRE(run.simulation.add({.name = "once", .policy = {.restart = RestartPolicy::never}}));
    run.simulation.run_for(1min);
    run.fail("feed");
    run.fail("once");
    run.simulation.run_for(1s);
    run.fail("feed");
    run.simulation.run_for(1s);
    if (again) CHECK(run.simulation.supervisor().restart("feed"));
    run.simulation.run_for(1h);
    const std::string end = to_string(run.simulation.now());
    CHECK(run.rows() ==
          "entity,from,until,cause\nfeed,1min," + (again ? "1min1s" : end) + ",lost\nonce,1min," + end + ",lost\n");
    if (again) continue;
    auto without_breaker = run.scenario();  // a program that can never start does not recover under another policy
    without_breaker.supervisor.backoff.breaker.reset();
    without_breaker.fleet[1].policy.restart = RestartPolicy::on_failure;
    CHECK(rehearse(without_breaker).report.fleet.availability.up < static_cast<ServiceTime>(2 * 62'000'000'000));
  }
}

TEST_CASE("an outage is over with the last start that failed, or late, with the next one") {
  Life run{{.backoff = {.base = 1min, .max = 1min, .breaker = std::nullopt}}};
  REQUIRE(run.simulation.add({.name = "feed"}));
  run.simulation.run_for(1min);
  const auto starts = [&] { return run.simulation.supervisor().counters().starts; };
  const auto next_start = [&] {
    for (const auto before = starts(); starts() == before;) run.simulation.run_for(100ms);
    return run.simulation.now();
  };
  run.fail("feed");
  next_start();
  run.fail("feed");  // within 100 ms of its start
  run.simulation.run_for(0s);
  const TimePoint failed = run.simulation.now();
  const TimePoint held = next_start();
  run.simulation.run_for(1h);
  const auto until_of = [&](Mended mended, std::size_t row) {
    return TimePoint{} + std::get<Recorded>(run.scenario(mended).chaos.front().what).trace.failures.at(row).until;
  };
  CHECK(until_of(Mended::early, 0) == failed);
  CHECK(until_of(Mended::late, 0) <= held);
  CHECK(until_of(Mended::late, 0) > held - 100ms);

  run.fail("feed", "again");  // and is not started again within the recording
  run.simulation.run_for(0s);
  const TimePoint at = run.simulation.now();
  CHECK(until_of(Mended::early, 1) == at);
  CHECK(until_of(Mended::late, 1) == at);
  const TimePoint before = run.simulation.now();
  while (starts() == 3 && run.simulation.now() < before + 1ms) run.simulation.run_for(1ms);
  CHECK(until_of(Mended::early, 1) == at);
  CHECK(until_of(Mended::late, 1) == run.simulation.now());
}

TEST_CASE("a run that ended otherwise than by failing ends the row: a start that fails after it is another outage") {
  // Story: a service that had recovered and was restarted by an operator an hour later had been down all that hour, as
  // soon as the new run failed at once.
  SECTION("a clean exit") {
    Told told;
    told.add();
    told.start(0s);
    told.end(1min, 1min);
    told.start(61s);
    told.end(1h, 1h - 61s, Outcome::clean);
    told.start(1h + 1s);
    told.end(1h + 3s, 2s);
    CHECK(told.rows(2h) == "feed,1min,1min,lost\nfeed,1h3s,1h3s,lost\n");
  }
  SECTION("a stop by command, of a run that had lasted") {
    Told told;
    told.add();
    told.start(0s);
    told.end(1min, 1min);
    told.start(61s);
    told.tell(1h, event::Stopping{StopCause::restart});
    told.end(1h + 1s, 1h - 60s, Outcome::clean);
    told.start(1h + 1s);
    told.end(1h + 3s, 2s);
    CHECK(told.rows(2h) == "feed,1min,1min,lost\nfeed,1h3s,1h3s,lost\n");
    CHECK(told.rows(2h, Mended::late) == "feed,1min,1min1s,lost\nfeed,1h3s,2h,lost\n");
  }
  SECTION("a stop by command, of a run of which nobody knows whether it would have held") {
    Told told;
    told.add();
    told.start(0s);
    told.end(1min, 1min);
    told.start(61s);
    told.tell(62s, event::Stopping{StopCause::restart});
    told.end(62s, 1s, Outcome::failed);
    told.start(62s);
    told.end(64s, 2s);
    CHECK(told.rows(2h) == "feed,1min,1min4s,lost\n");
  }
  SECTION("a run that was abandoned") {
    Told told;
    told.add();
    told.start(0s);
    told.end(1min, 1min);
    told.start(61s);
    told.tell(1h, event::Stopping{StopCause::restart});
    told.tell(1h + 30s, event::Abandoned{30s});
    told.start(1h + 30s);
    told.end(1h + 33s, 3s);
    CHECK(told.rows(2h) == "feed,1min,1min,lost\nfeed,1h33s,1h33s,lost\n");
  }
}

TEST_CASE("a service of which a run was abandoned on the way to a restart does not obey in the scenario either") {
  Told told;
  told.add();
  told.start(0s);
  CHECK(told.scenario(1h).fleet.front().behaviour.on_stop != OnStop{Ignores{}});
  told.tell(1min, event::Stopping{StopCause::restart});
  told.tell(2min, event::Abandoned{1min});
  told.start(2min);
  CHECK(told.scenario(1h).fleet.front().behaviour.on_stop == OnStop{Ignores{}});
}

TEST_CASE("a run that was asked to stop has not failed, however it ends") {
  Told told;
  told.add();
  told.start(0s);
  told.tell(1h, event::Commanded{Command::restart});
  told.tell(1h, event::Stopping{StopCause::restart});
  told.end(1h + 1s, 1h + 1s, Outcome::fatal);
  told.start(1h + 1s);
  CHECK(told.rows(2h) == "none");
  CHECK(told.incident.left_out() == std::vector<std::string>{"1 command from outside: stop, restart or remove"});
}

TEST_CASE("of a service that was given another policy the scenario has the latest one, and says so") {
  Told told;
  told.add();
  const ServicePolicy latest{.restart = RestartPolicy::never, .backoff = BackoffPolicy{}, .stop_grace = 7s};
  told.tell(1min, event::Reconfigured{&latest});
  CHECK(told.scenario(1h).fleet.front().policy.stop_grace == 7s);
  CHECK(told.incident.left_out() ==
        std::vector<std::string>{"1 reconfigure: each service has its latest policy all the time"});
}

TEST_CASE("a service that was added again has the policy that it had last") {
  Told told;
  told.add({.restart = RestartPolicy::never, .backoff = BackoffPolicy{}});
  told.add({.restart = RestartPolicy::always, .backoff = BackoffPolicy{}});
  CHECK(told.scenario(1h).fleet.front().policy.restart == RestartPolicy::always);
}

TEST_CASE("rows are in the order of their beginnings, however long each lasts") {
  Life run{{.backoff = {.base = 0ns, .max = 0ns, .breaker = std::nullopt}}};
  for (const char* const name : {"long", "short"}) REQUIRE(run.simulation.add({.name = name}));
  run.simulation.run_for(1min);
  run.fail("long");
  run.simulation.run_for(1s);
  run.fail("short");
  run.simulation.run_for(1s);
  run.fail("long");
  run.simulation.run_for(1min);
  CHECK(run.rows() == "entity,from,until,cause\nlong,1min,1min2s,lost\nshort,1min1s,1min1s,lost\n");
}

TEST_CASE("of an even number of failed starts the longer one of the middle counts") {
  Told told;
  told.add();
  told.start(0s);
  told.end(1min, 1min);
  for (const auto lasted : {Duration{8s}, Duration{1s}, Duration{2s}, Duration{5s}}) told.end(2min, lasted);
  CHECK(std::get<Recorded>(told.scenario(1h).chaos.front().what).fails_after == Duration{5s});
}

TEST_CASE("a start before which nothing failed ends no outage, and the second after it does not move its end") {
  Life run{{.backoff = {.base = 0ns, .max = 0ns, .breaker = std::nullopt}}};
  REQUIRE(run.simulation.add({.name = "feed", .policy = {.restart = RestartPolicy::always}}));
  run.simulation.run_for(1min);
  run.fail("feed");
  run.simulation.run_for(1min);
  CHECK(run.simulation.end_run("feed", Exit::clean()));
  run.simulation.run_for(1min);
  CHECK(run.rows(Mended::late) == "entity,from,until,cause\nfeed,1min,1min,lost\n");
}

TEST_CASE("a restart by command is no failure, and a failure after it begins an outage of its own") {
  Life run;
  REQUIRE(run.simulation.add({.name = "feed"}));
  run.simulation.run_for(1min);
  CHECK(run.simulation.supervisor().restart("feed"));
  run.simulation.run_for(1min);
  CHECK(run.rows() == "none");
  run.fail("feed");
  run.simulation.run_for(1min);
  CHECK(run.rows() == "entity,from,until,cause\nfeed,2min,2min,lost\n");
}

TEST_CASE("a service that was abandoned does not obey in the scenario either") {
  Life run;
  REQUIRE(run.simulation.add({.name = "deaf"}, {.on_stop = Ignores{}}));
  run.simulation.run_for(1s);
  run.simulation.supervisor().request_shutdown();
  run.simulation.run_for(1min);
  CHECK(run.scenario().fleet.front().behaviour.on_stop == OnStop{Ignores{}});
}

TEST_CASE("what has no place in a scenario is counted") {
  Life run;
  REQUIRE(run.simulation.add({.name = "a,b"}));
  REQUIRE(run.simulation.add({.name = "feed", .policy = {.restart = RestartPolicy::always}}));
  REQUIRE(run.simulation.add({.name = "risk"}));
  run.simulation.run_for(1s);
  CHECK(run.incident.left_out().empty());
  run.fail("a,b");
  CHECK(run.simulation.end_run("feed", Exit::clean()));
  CHECK(run.simulation.end_run("risk", Exit::fatal("no")));
  CHECK(run.simulation.supervisor().restart("a,b"));
  run.simulation.run_for(1s);
  CHECK(run.incident.left_out() ==
        std::vector<std::string>{"1 command from outside: stop, restart or remove",
                                 "1 clean exit: runs that ended without an error and unasked",
                                 "1 fatal error: in the scenario the run fails like any other",
                                 "1 service whose name cannot stand in a recorded trace: the failures"});
  CHECK(run.rows() == "entity,from,until,cause\nrisk,1s,2s,no\n");
}

TEST_CASE("the scenario of an outage is rehearsed: the same services are down at the same times") {
  Life run;
  for (int i = 0; i < 5; ++i) REQUIRE(run.simulation.add({.name = "feed-" + std::to_string(i)}));
  run.simulation.add_chaos({.at = 1min, .what = Outage{.target = {}, .length = 30s, .fails_after = 20ms}});
  run.simulation.run_for(5min);
  const auto scenario = run.scenario();
  CHECK(std::get<Recorded>(scenario.chaos.front().what).fails_after == Duration{20ms});
  CHECK_NOTHROW(scenario_text(scenario));
  const auto rehearsed = rehearse(scenario);
  CHECK(rehearsed.all_held());
  CHECK(rehearsed.report.after_outages.count == 5);
  const auto failures = run.simulation.supervisor().counters().failures;
  CHECK(failures > 100);
  CHECK(rehearsed.report.fleet.failures > failures * 9 / 10);
  CHECK(rehearsed.report.fleet.failures < failures * 11 / 10);
}

}  // namespace holdfast::incident_test
