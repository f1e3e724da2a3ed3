// What follows the end of a run that nobody had asked to stop: the restart policy, the backoff, the breaker and the
// cooldown, in the order of semantics.md, sections 2.3, 2.4 and 3. "Row" names a row of its section 4.

#include "support.hpp"

#include <set>
#include <stdexcept>

namespace holdfast::test::supervisor_restart_test {

// Row 1: a panic left the phase at `running` for ever and the service dead.
TEST_CASE("an exception out of start is a failure with its what() as the error, and the service is restarted") {
  Fleet fleet;
  auto& a = fleet.script();
  a.on_start = [](Run run) {
    if (run.number().value == 1) throw std::runtime_error{"disk on fire"};
  };
  REQUIRE(fleet->add({.name = "a"}, a));
  fleet.settle();
  CHECK(fleet.take() == Lines{"0s a added on_failure", "0s a started 1", "0s a running 1",
                              "0s a ended 1 after 0s threw: disk on fire", "0s a backing_off failure 1, 0s of 0s"});
  fleet.pass_nothing();
  CHECK(fleet.phase("a") == "running");
  CHECK(fleet.snapshot("a").last_error == "disk on fire");
  CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 2, .restarts = 1, .failures = 1, .active_services = 1});
}

// Row 1, its second half.
TEST_CASE("an exception that is not a std::exception is a failure like any other") {
  Fleet fleet;
  auto& a = fleet.script();
  a.on_start = [](Run run) {
    if (run.number().value == 1) throw 42;
  };
  REQUIRE(fleet->add({.name = "a"}, a));
  fleet.pass_nothing();
  CHECK(fleet.phase("a") == "running");
  CHECK(fleet.snapshot("a").failures == 1);
  CHECK(fleet.snapshot("a").last_error == "unknown exception");
}

// Row 2: counted as a failure, with a made-up error.
TEST_CASE("a service that exits cleanly under always is not counted as failed and keeps its last error") {
  Fleet fleet;
  auto& a = fleet.add("a", RestartPolicy::always);
  a.end_cleanly();
  fleet.pass(100ms);
  CHECK(fleet.snapshot("a").failures == 0);
  CHECK(fleet.snapshot("a").clean_exits == 1);
  CHECK(fleet.snapshot("a").last_error.empty());
  a.fail("once");
  fleet.pass_nothing();
  a.end_cleanly();
  fleet.pass(100ms);
  CHECK(fleet.snapshot("a").failures == 1);
  CHECK(fleet.snapshot("a").clean_exits == 2);
  CHECK(fleet.snapshot("a").last_error == "once");
}

// Row 4: a comment that said one thing, and code that did another.
TEST_CASE("restarts are not counted as spawned; starts and restarts have counters of their own") {
  Fleet fleet;
  auto& a = fleet.add("a");
  for (int i = 0; i < 7; ++i) {
    a.fail();
    fleet.pass_nothing();
  }
  CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 8, .restarts = 7, .failures = 7, .active_services = 1});
}

// Row 5: the first retry waited up to twice the base.
TEST_CASE("the ceiling of the first delay is the base itself") {
  Fleet fleet{config_of({.base = 100ms, .max = 60s, .breaker = std::nullopt})};
  fleet.add("a").fail();
  fleet.settle();
  CHECK(fleet.recorder.backoffs.at(0).attempt == 1);
  CHECK(fleet.recorder.backoffs.at(0).ceiling == 100ms);
}

// Row 6: cut to whole milliseconds, they became a tight loop.
TEST_CASE("delays below a millisecond are waited out") {
  Fleet fleet{config_of({.base = 999'999ns, .max = 999'999ns, .breaker = std::nullopt})};
  auto& a = fleet.add("a");
  std::set<Duration> delays;
  for (int i = 0; i < 50; ++i) {
    const TimePoint before = fleet.scheduler.now();
    a.fail();
    fleet.settle();
    const Duration delay = fleet.recorder.backoffs.back().delay;
    delays.insert(delay);
    fleet.pass(1ms);
    CHECK(fleet.snapshot("a").time_in_phase == before + 1ms - (before + delay));
  }
  CHECK(delays.size() > 40);
  CHECK(*delays.rbegin() <= 999'999ns);
}

// Row 19: retried until the breaker opened.
TEST_CASE("a fatal error terminates under any policy, without backoff, and is counted") {
  for (const auto restart : {RestartPolicy::always, RestartPolicy::on_failure, RestartPolicy::never}) {
    CAPTURE(to_string(restart));
    Fleet fleet;
    auto& a = fleet.add("a", restart);
    fleet.pass(3s);
    a.end(Exit::fatal("bad licence"));
    fleet.pass(1h);
    CHECK(fleet.take() == Lines{"0s a added " + std::string{to_string(restart)}, "0s a started 1", "0s a running 1",
                                "3s a ended 1 after 3s fatal: bad licence", "3s a terminated failed: bad licence"});
    CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 1, .failures = 1, .terminated = 1});
  }
}

// Row 21: "3/3 failures" stood beside a count of 2 and an older error.
TEST_CASE("the failure that trips the breaker is counted and is the last error") {
  Fleet fleet{config_of(at_once_with_breaker(3))};
  auto& a = fleet.add("a");
  for (const auto* const error : {"first", "second", "third"}) {
    a.fail(error);
    fleet.pass_nothing();
  }
  CHECK(fleet.termination("a") == "circuit breaker open (3/3 failures)");
  CHECK(fleet.snapshot("a").failures == 3);
  CHECK(fleet.snapshot("a").attempt == 3);
  CHECK(fleet.snapshot("a").last_error == "third");
  CHECK(fleet->counters().failures == 3);
  const auto& lines = fleet.recorder.lines();
  CHECK(Lines(lines.end() - 3, lines.end()) == Lines{"0s a ended 3 after 0s failed: third", "0s a breaker_tripped 3/3",
                                                     "0s a terminated circuit breaker open (3/3 failures)"});
}

// Row 21, for the other way out.
TEST_CASE("the failure that ends a service of policy never is counted and is the last error") {
  Fleet fleet;
  fleet.add("a", RestartPolicy::never).fail("only one");
  fleet.settle();
  CHECK(fleet.snapshot("a").failures == 1);
  CHECK(fleet.snapshot("a").last_error == "only one");
  CHECK(fleet->counters().failures == 1);
}

// Row 22: the clean exits wiped the history, and the breaker never tripped.
TEST_CASE("a service that fails and exits cleanly by turns trips its breaker") {
  Fleet fleet{config_of(at_once_with_breaker(3))};
  auto& a = fleet.add("a", RestartPolicy::always);
  for (int i = 1; i <= 2; ++i) {
    a.fail();
    fleet.pass_nothing();
    CHECK(fleet.snapshot("a").attempt == 1);  // reset by the clean exit in between
    CHECK(fleet.snapshot("a").failures_in_window == static_cast<std::uint32_t>(i));
    a.end_cleanly();
    fleet.settle();
    CHECK(fleet.snapshot("a").attempt == 0);
    CHECK(fleet.snapshot("a").failures_in_window == static_cast<std::uint32_t>(i));
    fleet.pass(100ms);
  }
  a.fail();
  fleet.settle();
  CHECK(fleet.termination("a") == "circuit breaker open (3/3 failures)");
}

// Row 24: an instant before the clock's beginning panicked.
TEST_CASE("a window that reaches before the beginning of time holds every failure") {
  Fleet fleet{config_of(at_once_with_breaker(3, kDurationMax))};
  auto& a = fleet.add("a");
  for (int i = 0; i < 3; ++i) {
    a.fail();
    fleet.pass_nothing();
  }
  CHECK(fleet.termination("a") == "circuit breaker open (3/3 failures)");
}

TEST_CASE("max_failures of three gives three runs and two restarts, of one a single run") {
  for (const std::uint32_t max_failures : {1U, 2U, 3U, 10U, 100U}) {
    CAPTURE(max_failures);
    Fleet fleet{config_of(at_once_with_breaker(max_failures))};
    auto& a = fleet.script();
    a.on_start = [](Run run) { run.end(Exit::failed(Error::literal("boom"))); };
    REQUIRE(fleet->add({.name = "a"}, a));
    fleet.pass(1s);
    CHECK(a.runs.size() == max_failures);
    CHECK(fleet->counters() == Counters{.spawned = 1,
                                        .starts = max_failures,
                                        .restarts = max_failures - 1,
                                        .failures = max_failures,
                                        .circuit_breaker_trips = 1,
                                        .terminated = 1});
  }
}

TEST_CASE("a failure exactly as old as the window still counts, one nanosecond older does not") {
  for (const bool older : {false, true}) {
    CAPTURE(older);
    Fleet fleet{config_of({.base = 0ns, .max = 0ns, .cooldown = 1h, .breaker = BreakerPolicy{2, 10s}})};
    auto& a = fleet.add("a");
    a.fail();
    fleet.pass(older ? 10s + 1ns : 10s);
    a.fail();
    fleet.pass_nothing();
    CHECK(fleet.phase("a") == (older ? "running" : "terminated"));
    CHECK(fleet->counters().circuit_breaker_trips == (older ? 0U : 1U));
  }
}

TEST_CASE("a run of exactly the cooldown resets attempt and history, one of a nanosecond less does not") {
  for (const bool shorter : {false, true}) {
    for (const bool clean : {false, true}) {
      CAPTURE(shorter, clean);
      const BackoffPolicy policy{.base = 8ns, .max = 1s, .cooldown = 1min, .breaker = BreakerPolicy{3, 10min}};
      Fleet fleet{config_of(policy)};
      auto& a = fleet.add("a", RestartPolicy::always);
      a.fail();
      fleet.settle();
      fleet.pass(fleet.recorder.backoffs.back().delay);
      REQUIRE(fleet.snapshot("a").starts == 2);
      fleet.pass(shorter ? 1min - 1ns : Duration{1min});
      a.end(clean ? Exit::clean() : Exit::failed("boom"));
      fleet.settle();
      const auto snapshot = fleet.snapshot("a");
      CHECK(snapshot.attempt == (clean ? 0U : (shorter ? 2U : 1U)));
      CHECK(snapshot.failures_in_window == (shorter ? 1U : 0U) + (clean ? 0U : 1U));
      if (!clean) CHECK(fleet.recorder.backoffs.back().ceiling == (shorter ? 16ns : 8ns));
    }
  }
}

TEST_CASE("the cooldown is looked at before the breaker: a long run that fails does not trip it") {
  Fleet fleet{config_of({.base = 0ns, .max = 0ns, .cooldown = 10s, .breaker = BreakerPolicy{2, 1h}})};
  auto& a = fleet.add("a");
  a.fail();
  fleet.pass(10s);
  a.fail();
  fleet.pass_nothing();
  CHECK(fleet.phase("a") == "running");
  CHECK(fleet.snapshot("a").attempt == 1);
  CHECK(fleet.snapshot("a").failures_in_window == 1);
}

TEST_CASE("the cooldown is measured from the start of the run, not from the adding or the last failure") {
  Fleet fleet{config_of({.base = 0ns, .max = 0ns, .cooldown = 10s, .breaker = std::nullopt})};
  auto& a = fleet.add("a");
  for (std::uint32_t i = 1; i <= 5; ++i) {
    fleet.pass(9s);
    a.fail();
    fleet.pass_nothing();
    CHECK(fleet.snapshot("a").attempt == i);
  }
}

TEST_CASE("a clean exit resets the delay: the next failure waits under the first ceiling again") {
  Fleet fleet{config_of({.base = 4ns, .max = 1s, .clean_restart_delay = 5ns, .breaker = std::nullopt})};
  auto& a = fleet.add("a", RestartPolicy::always);
  for (int i = 0; i < 3; ++i) {
    a.fail();
    fleet.pass(16ns);
  }
  a.end_cleanly();
  fleet.pass(5ns);
  a.fail();
  fleet.settle();
  CHECK(fleet.recorder.backoffs.back().attempt == 1);
  CHECK(fleet.recorder.backoffs.back().ceiling == 4ns);
}

TEST_CASE("the attempt grows on without a breaker and the delays stay at the maximum") {
  Fleet fleet{config_of({.base = 1ns, .max = 1us, .breaker = std::nullopt})};
  auto& a = fleet.add("a");
  for (std::uint32_t i = 1; i <= 300; ++i) {
    a.fail();
    fleet.settle();
    CHECK(fleet.recorder.backoffs.back().attempt == i);
    CHECK(fleet.recorder.backoffs.back().ceiling == (i <= 10 ? Duration{1LL << (i - 1)} : Duration{1us}));
    fleet.pass(1us);
  }
}

// Row 23 is about memory: tests/core/allocation_test.cpp counts it. Here: nothing is remembered where nothing is
// needed.
TEST_CASE("with the breaker off no failure is remembered, with it on no more than it needs") {
  Fleet fleet{config_of(kAtOnce)};
  auto& a = fleet.add("a");
  auto& b = fleet.add("b", RestartPolicy::on_failure,
                      BackoffPolicy{.base = 0ns, .max = 0ns, .cooldown = 1h, .breaker = BreakerPolicy{4, 10s}});
  for (int i = 0; i < 1000; ++i) {
    fleet.pass(4s);
    a.fail();
    b.fail();
    fleet.pass_nothing();
    CHECK(fleet.snapshot("a").failures_in_window == 0);
    CHECK(fleet.snapshot("b").failures_in_window <= 3);
  }
  CHECK(fleet->counters().circuit_breaker_trips == 0);
  CHECK(fleet.snapshot("a").attempt == 1000);
}

TEST_CASE("the restart delay counts from the end of the run") {
  Fleet fleet{config_of({.base = 0ns, .max = 0ns, .clean_restart_delay = 3s, .breaker = std::nullopt})};
  auto& a = fleet.add("a", RestartPolicy::always);
  fleet.pass(40s);
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet.snapshot("a").next_start == TimePoint{} + 43s);
}

TEST_CASE("the longest delay at the end of time does not overflow: it is never due") {
  Fleet fleet{config_of({.base = 0ns, .max = 0ns, .clean_restart_delay = kDurationMax, .breaker = std::nullopt})};
  auto& a = fleet.add("a", RestartPolicy::always);
  for (int i = 0; i < 2; ++i) {
    a.end_cleanly();
    fleet.pass(kDurationMax);
  }
  CHECK(a.runs.size() == 3);
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet.snapshot("a").next_start == TimePoint::max());
}

// Row 16: neither the clock nor the jitter could be pinned.
TEST_CASE("two supervisors of one seed tell the same, of another seed they draw other delays") {
  const auto lines_of = [](Seed seed) {
    Fleet fleet{config_of({.base = 1s, .max = 60s, .breaker = std::nullopt}), seed};
    auto& a = fleet.add("a");
    for (int i = 0; i < 10; ++i) {
      a.fail();
      fleet.pass(60s);
    }
    return fleet.take();
  };
  CHECK(lines_of({1}) == lines_of({1}));
  CHECK(lines_of({1}) != lines_of({2}));
}

TEST_CASE("every delay of a service is a draw of its own: no index repeats, also not after resets and clean exits") {
  Fleet fleet{config_of({.base = kDurationMax / 16,
                         .max = kDurationMax,
                         .cooldown = 1s,
                         .clean_restart_delay = 0ns,
                         .breaker = std::nullopt})};
  auto& a = fleet.add("a", RestartPolicy::always);
  const DrawKey key = fleet->draw_key(fleet.snapshot("a").id);
  std::set<Duration> delays;
  for (int i = 0; i < 60; ++i) {
    if (i % 3 == 1) fleet.pass(1s);  // a run of the cooldown: the attempt starts again
    if (i % 5 == 4) {
      a.end_cleanly();
      fleet.pass_nothing();
    }
    a.fail();
    fleet.settle();
    const auto& backoff = fleet.recorder.backoffs.back();
    CHECK(backoff.delay ==
          full_jitter(backoff.ceiling, draw(key, Purpose::backoff_jitter, a.runs.back().number().value)));
    delays.insert(backoff.delay);
    REQUIRE(fleet->restart("a"));  // cuts the long wait short, and resets the attempt as well
    fleet.settle();
  }
  CHECK(delays.size() == 60);
}

}  // namespace holdfast::test::supervisor_restart_test
