// The ordinary life of services, with exact times and counts, and the words for it: what every other test of the
// supervisor builds upon.

#include "support.hpp"

#include <set>
#include <utility>

namespace holdfast::test::supervisor_basics_test {

TEST_CASE("a new supervisor has no services, zero counters, and is not shutting down") {
  Fleet fleet{SupervisorConfig{}};
  CHECK_FALSE(fleet->is_shutting_down());
  CHECK_FALSE(fleet->shutdown_result());
  CHECK(fleet->service_count() == 0);
  CHECK(fleet->snapshots().empty());
  CHECK(fleet->counters() == Counters{});
}

TEST_CASE("a service starts once when it is added and is cancelled by a shutdown") {
  Fleet fleet;
  auto& a = fleet.add("a");
  CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 1, .active_services = 1});
  a.on_stop = [](Run run) { run.end(Exit::clean()); };
  fleet.pass(50ms);
  CHECK(a.calls == Lines{"start 1"});
  fleet->request_shutdown();
  fleet.settle();
  CHECK(a.calls == Lines{"start 1", "stop 1"});
  CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 1, .terminated = 1});
  CHECK(fleet.take() == Lines{"0s a added on_failure", "0s a started 1", "0s a running 1",
                              "50ms - shutdown_requested requested 30s", "50ms a stopping shutdown",
                              "50ms a ended 1 after 50ms clean", "50ms a terminated cancelled",
                              "50ms - drained drained"});
}

TEST_CASE("several services each start once, in the order of adding, and all are stopped in that order") {
  Fleet fleet;
  Lines stopped;
  for (const auto* const name : {"c", "a", "b"}) {
    fleet.add(name).on_stop = [&stopped, name](Run run) {
      stopped.push_back(name);
      run.end(Exit::clean());
    };
  }
  CHECK(fleet->counters() == Counters{.spawned = 3, .starts = 3, .active_services = 3});
  fleet->request_shutdown();
  fleet.settle();
  CHECK(stopped == Lines{"c", "a", "b"});
  CHECK(fleet->counters() == Counters{.spawned = 3, .starts = 3, .terminated = 3});
  CHECK(fleet->shutdown_result()->outcome == DrainOutcome::drained);
}

TEST_CASE("a service that fails three times and then stays up has four starts, three restarts and three failures") {
  Fleet fleet{config_of({.base = 10ms, .max = 50ms, .breaker = std::nullopt})};
  auto& a = fleet.add("a");
  TimePoint expected_start;
  for (int failure = 1; failure <= 3; ++failure) {
    fleet.pass(1ms);
    a.fail();
    fleet.settle();
    CHECK(fleet.phase("a") == "backing_off");
    expected_start = *fleet.snapshot("a").next_start;
    CHECK(expected_start == fleet.scheduler.now() + fleet.recorder.backoffs.back().delay);
    fleet.pass(expected_start - fleet.scheduler.now());
    CHECK(fleet.phase("a") == "running");
  }
  CHECK(a.calls == Lines{"start 1", "start 2", "start 3", "start 4"});
  CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 4, .restarts = 3, .failures = 3, .active_services = 1});
  const auto& backoffs = fleet.recorder.backoffs;
  REQUIRE(backoffs.size() == 3);
  CHECK(backoffs[0].ceiling == 10ms);
  CHECK(backoffs[1].ceiling == 20ms);
  CHECK(backoffs[2].ceiling == 40ms);
}

TEST_CASE("a service of policy never that exits cleanly runs once and is completed") {
  Fleet fleet;
  auto& a = fleet.add("a", RestartPolicy::never);
  a.end_cleanly();
  fleet.pass(100ms);
  CHECK(a.calls == Lines{"start 1"});
  CHECK(fleet.termination("a") == "completed");
  CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 1, .clean_exits = 1, .terminated = 1});
  CHECK_FALSE(fleet->is_shutting_down());
}

TEST_CASE("a service of policy never that fails runs once and has failed") {
  Fleet fleet;
  auto& a = fleet.add("a", RestartPolicy::never);
  a.fail("no such file");
  fleet.pass(100ms);
  CHECK(a.calls == Lines{"start 1"});
  CHECK(fleet.termination("a") == "failed: no such file");
  CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 1, .failures = 1, .terminated = 1});
}

TEST_CASE("a breaker of three failures within a minute gives a failing service three runs and trips once") {
  Fleet fleet{config_of({.base = 5ms, .max = 20ms, .breaker = BreakerPolicy{3, 60s}})};
  auto& a = fleet.add("a");
  for (int run = 1; run <= 3; ++run) {
    fleet.pass(1ms);
    a.fail("permanent");
    fleet.pass(20ms);
  }
  CHECK(a.calls == Lines{"start 1", "start 2", "start 3"});
  CHECK(fleet.termination("a") == "circuit breaker open (3/3 failures)");
  CHECK(fleet->counters() ==
        Counters{.spawned = 1, .starts = 3, .restarts = 2, .failures = 3, .circuit_breaker_trips = 1, .terminated = 1});
  fleet.pass(200s);
  CHECK(a.runs.size() == 3);
}

TEST_CASE("snapshots show a service that runs, and one that was terminated by a shutdown") {
  Fleet fleet;
  auto& a = fleet.add("a");
  fleet.pass(50ms);
  REQUIRE(fleet->snapshots().size() == 1);
  CHECK(fleet->snapshots()[0] == ServiceSnapshot{.name = "a",
                                                 .id = {0, 1},
                                                 .restart = RestartPolicy::on_failure,
                                                 .phase = Phase::running,
                                                 .run = {1},
                                                 .starts = 1,
                                                 .running_time = 50ms,
                                                 .age = 50ms,
                                                 .time_in_phase = 50ms});
  fleet->request_shutdown();
  a.end_cleanly();
  fleet.settle();
  REQUIRE(fleet->snapshots().size() == 1);
  CHECK(fleet->snapshots()[0].phase == Phase::terminated);
  CHECK(fleet->snapshots()[0].termination == Termination{.reason = Termination::Reason::cancelled});
}

TEST_CASE("a snapshot is found by name, and none by a name that nobody has") {
  Fleet fleet;
  fleet.add("a");
  CHECK(fleet->snapshot("a")->name == "a");
  CHECK_FALSE(fleet->snapshot("b"));
  CHECK_FALSE(fleet->snapshot(""));
}

// Row 7: its phase stayed `running`, and no event reported it.
TEST_CASE("a service that hangs holds the drain for exactly the shutdown timeout and is then abandoned") {
  Fleet fleet{config_of(kAtOnce, 100ms)};
  fleet.add("hangs");
  fleet.pass(20ms);
  fleet->request_shutdown();
  fleet.pass_until_just_before(TimePoint{} + 120ms);
  CHECK_FALSE(fleet->shutdown_result());
  CHECK(fleet.phase("hangs") == "stopping");
  fleet.pass_nothing();
  REQUIRE(fleet->shutdown_result());
  CHECK(fleet->shutdown_result()->took == 100ms);
  CHECK(fleet->shutdown_result()->abandoned == Lines{"hangs"});
  CHECK(fleet.termination("hangs") == "abandoned after 100ms");
}

TEST_CASE("a service's own backoff overrides the supervisor's as a whole") {
  Fleet fleet{config_of({.base = 1h, .max = 2h, .breaker = std::nullopt})};
  auto& a = fleet.add("a", RestartPolicy::on_failure,
                      BackoffPolicy{.base = 5ms, .max = 10ms, .breaker = BreakerPolicy{2, 60s}});
  auto& b = fleet.add("b");
  a.fail();
  b.fail();
  fleet.pass(5ms);
  CHECK(fleet.recorder.backoffs[0].ceiling == 5ms);
  CHECK(fleet.recorder.backoffs[1].ceiling == 1h);
  CHECK(a.runs.size() == 2);
  a.fail();
  fleet.settle();
  CHECK(fleet.termination("a") == "circuit breaker open (2/2 failures)");
  CHECK(fleet->counters().circuit_breaker_trips == 1);
}

TEST_CASE("under always a clean exit is followed by the next run after exactly clean_restart_delay") {
  for (const Duration delay : {Duration{100ms}, Duration{0}, Duration{1}, Duration{7s}}) {
    CAPTURE(to_string(delay));
    Fleet fleet{config_of({.base = 10ms, .max = 50ms, .clean_restart_delay = delay, .breaker = std::nullopt})};
    auto& a = fleet.add("a", RestartPolicy::always);
    for (std::size_t cycle = 1; cycle <= 5; ++cycle) {
      fleet.pass(1ms);
      a.end_cleanly();
      fleet.settle();
      CHECK(fleet.snapshot("a").next_start == fleet.scheduler.now() + delay);
      if (delay > 0ns) fleet.pass_until_just_before(fleet.scheduler.now() + delay);
      CHECK(a.runs.size() == cycle);
      fleet.pass_nothing();
      CHECK(a.runs.size() == cycle + 1);
    }
    CHECK(fleet->counters() ==
          Counters{.spawned = 1, .starts = 6, .restarts = 5, .clean_exits = 5, .active_services = 1});
  }
}

TEST_CASE("a supervisor says that it is shutting down as soon as it was asked to") {
  Fleet fleet;
  CHECK_FALSE(fleet->is_shutting_down());
  fleet->request_shutdown();
  CHECK(fleet->is_shutting_down());
  CHECK_FALSE(fleet->shutdown_result());
  fleet.settle();
  CHECK(fleet->is_shutting_down());
  CHECK(fleet->shutdown_result()->outcome == DrainOutcome::drained);
}

TEST_CASE("a supervisor uses the shutdown timeout and the backoff that it was given") {
  Fleet fleet{{.shutdown_timeout = 10s, .backoff = {.base = 200ms, .max = 30s, .breaker = std::nullopt}}};
  auto& a = fleet.add("a");
  a.fail();
  fleet.settle();
  CHECK(fleet.recorder.backoffs.at(0).ceiling == 200ms);
  fleet.pass(200ms);
  fleet->request_shutdown();
  fleet.pass(10s);
  CHECK(fleet->shutdown_result()->took == 10s);
}

TEST_CASE("a failing service waits out each drawn delay to the nanosecond, under a ceiling that doubles") {
  Fleet fleet{config_of({.base = 20ms, .max = 2s, .breaker = std::nullopt})};
  auto& a = fleet.add("a");
  Duration ceiling = 20ms;
  for (std::size_t run = 1; run <= 20; ++run) {
    const TimePoint ended = fleet.scheduler.now();
    a.fail();
    fleet.settle();
    const auto& backoff = fleet.recorder.backoffs.back();
    CHECK(backoff.attempt == run);
    CHECK(backoff.ceiling == ceiling);
    CHECK(backoff.delay <= ceiling);
    if (backoff.delay > 0ns) fleet.pass_until_just_before(ended + backoff.delay);
    CHECK(a.runs.size() == run);
    fleet.pass_nothing();
    CHECK(a.runs.size() == run + 1);
    ceiling = std::min<Duration>(2 * ceiling, 2s);
  }
  a.on_stop = [](Run run) { run.end(Exit::clean()); };
  fleet->request_shutdown();
  fleet.settle();
  CHECK(fleet.phase("a") == "terminated");
}

TEST_CASE("a service whose breaker tripped is never run again") {
  Fleet fleet{config_of({.base = 10ms, .max = 50ms, .breaker = BreakerPolicy{3, 60s}})};
  auto& a = fleet.add("a");
  a.on_start = [](Run run) { run.end(Exit::failed(Error::literal("chaos"))); };
  a.fail();
  fleet.pass(24h);
  CHECK(a.runs.size() == 3);
  CHECK(fleet.termination("a") == "circuit breaker open (3/3 failures)");
  CHECK(fleet->counters().circuit_breaker_trips == 1);
  fleet->request_shutdown();
  fleet.settle();
  CHECK(a.runs.size() == 3);
  CHECK(fleet.termination("a") == "circuit breaker open (3/3 failures)");
}

TEST_CASE("in a mixed fleet the healthy run on, the hopeless trip, the flaky recover, and a shutdown ends them all") {
  Fleet fleet{config_of({.base = 10ms, .max = 100ms, .breaker = BreakerPolicy{3, 60s}}, 5s)};
  auto& healthy = fleet.add("healthy");
  auto& hopeless = fleet.script();
  hopeless.on_start = [](Run run) { run.end(Exit::failed(Error::literal("chaos"))); };
  auto& flaky = fleet.script();
  flaky.on_start = [](Run run) {
    if (run.number().value <= 2) run.end(Exit::failed(Error::literal("chaos")));
  };
  REQUIRE(fleet->add({.name = "hopeless"}, hopeless));
  REQUIRE(fleet->add({.name = "flaky"}, flaky));
  CHECK(fleet->service_count() == 3);
  fleet.pass(1s);
  CHECK(fleet.phase("healthy") == "running");
  CHECK(healthy.runs.size() == 1);
  CHECK(fleet.termination("hopeless") == "circuit breaker open (3/3 failures)");
  CHECK(hopeless.runs.size() == 3);
  CHECK(fleet.phase("flaky") == "running");
  CHECK(fleet.snapshot("flaky").starts == 3);
  fleet->request_shutdown();
  fleet.settle();
  healthy.end_cleanly();
  flaky.end_cleanly();
  fleet.settle();
  CHECK(fleet.termination("healthy") == "cancelled");
  CHECK(fleet.termination("flaky") == "cancelled");
  CHECK(fleet->counters() ==
        Counters{.spawned = 3, .starts = 7, .restarts = 4, .failures = 5, .circuit_breaker_trips = 1, .terminated = 3});
  CHECK(fleet->shutdown_result()->failed == Lines{"hopeless"});
  CHECK(fleet->shutdown_result()->abandoned == Lines{});
}

// ---------------------------------------------------------------------------------------------------------------------
// Phases and their words
// ---------------------------------------------------------------------------------------------------------------------

// Row 9: an illegal transition was silently ignored. That the supervisor makes none is in the ledger of every test.
TEST_CASE("exactly the transitions of the table are legal") {
  using enum Phase;
  const std::set<std::pair<Phase, Phase>> legal{
      {starting, running},     {starting, backing_off},   {starting, stopping},   {starting, terminated},
      {running, backing_off},  {running, stopping},       {running, terminated},  {backing_off, starting},
      {backing_off, stopping}, {backing_off, terminated}, {stopping, terminated}, {stopping, backing_off},
      {stopping, starting}};
  for (const Phase from : {starting, running, backing_off, stopping, terminated}) {
    for (const Phase to : {starting, running, backing_off, stopping, terminated}) {
      CAPTURE(to_string(from), to_string(to));
      CHECK(is_legal_transition(from, to) == legal.contains({from, to}));
    }
  }
}

TEST_CASE("alive are starting, running and backing off") {
  CHECK(is_alive(Phase::starting));
  CHECK(is_alive(Phase::running));
  CHECK(is_alive(Phase::backing_off));
  CHECK_FALSE(is_alive(Phase::stopping));
  CHECK_FALSE(is_alive(Phase::terminated));
}

TEST_CASE("the words for phases, outcomes, causes and reasons are frozen") {
  const auto words = [](auto... values) { return Lines{std::string{to_string(values)}...}; };
  CHECK(words(Phase::starting, Phase::running, Phase::backing_off, Phase::stopping, Phase::terminated) ==
        Lines{"starting", "running", "backing_off", "stopping", "terminated"});
  CHECK(words(Outcome::clean, Outcome::failed, Outcome::threw, Outcome::fatal, Outcome::done) ==
        Lines{"clean", "failed", "threw", "fatal", "done"});
  CHECK(words(StopCause::shutdown, StopCause::stop, StopCause::restart, StopCause::remove) ==
        Lines{"shutdown", "stop", "restart", "remove"});
  CHECK(words(Termination::Reason::completed, Termination::Reason::cancelled, Termination::Reason::circuit_open,
              Termination::Reason::failed, Termination::Reason::abandoned) ==
        Lines{"completed", "cancelled", "circuit_open", "failed", "abandoned"});
  CHECK(words(Command::stop, Command::restart, Command::remove) == Lines{"stop", "restart", "remove"});
  CHECK(words(BackoffCause::failure, BackoffCause::clean_exit) == Lines{"failure", "clean_exit"});
  CHECK(words(ShutdownCause::requested, ShutdownCause::all_terminated, ShutdownCause::sighup, ShutdownCause::sigint,
              ShutdownCause::sigterm) == Lines{"requested", "all_terminated", "SIGHUP", "SIGINT", "SIGTERM"});
  CHECK(words(DrainOutcome::drained, DrainOutcome::deadline, DrainOutcome::cut_short) ==
        Lines{"drained", "deadline", "cut_short"});
}

TEST_CASE("a termination is reported in the words of the field") {
  using Reason = Termination::Reason;
  CHECK(to_string({.reason = Reason::completed}, "ignored") == "completed");
  CHECK(to_string({.reason = Reason::cancelled}, "ignored") == "cancelled");
  CHECK(to_string({.reason = Reason::circuit_open, .failures = 5, .max_failures = 5}, "ignored") ==
        "circuit breaker open (5/5 failures)");
  CHECK(to_string({.reason = Reason::failed}, "disk full") == "failed: disk full");
  CHECK(to_string({.reason = Reason::abandoned, .after = 30s}, "ignored") == "abandoned after 30s");
}

}  // namespace holdfast::test::supervisor_basics_test
