// Snapshots and counters: what they say, and when.

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support.hpp"

namespace holdfast::test::supervisor_snapshots_test {

TEST_CASE("a snapshot has every field right, through a life") {
  const BackoffPolicy policy{.base = 4s, .max = 1min, .cooldown = 1h, .breaker = BreakerPolicy{3, 2h}};
  Fleet fleet{config_of(policy)};
  auto& a = fleet.script();
  fleet.pass(10s);
  const ServiceId id = fleet->add({.name = "a", .policy = {.restart = RestartPolicy::always}}, a).value();
  ServiceSnapshot expected{.name = "a",
                           .id = id,
                           .restart = RestartPolicy::always,
                           .phase = Phase::starting,
                           .breaker = BreakerState::closed};
  CHECK(fleet.snapshot("a") == expected);

  fleet.pass(7s);  // it runs
  expected.phase = Phase::running;
  expected.run = {1};
  expected.starts = 1;
  expected.running_time = expected.age = expected.time_in_phase = 7s;
  CHECK(fleet.snapshot("a") == expected);

  a.fail("first");  // it backs off
  fleet.settle();
  const Duration delay = fleet.recorder.backoffs.back().delay;
  REQUIRE(delay > 2ns);
  expected.phase = Phase::backing_off;
  expected.failures = expected.attempt = expected.failures_in_window = 1;
  expected.last_error = "first";
  expected.time_in_phase = 0s;
  expected.next_start = TimePoint{} + 17s + delay;
  CHECK(fleet.snapshot("a") == expected);
  fleet.pass(delay - 1ns);
  expected.age = 7s + delay - 1ns;
  expected.time_in_phase = delay - 1ns;
  CHECK(fleet.snapshot("a") == expected);

  fleet.pass(1ns);  // it runs again
  expected.phase = Phase::running;
  expected.run = {2};
  expected.starts = 2;
  expected.age = 7s + delay;
  expected.time_in_phase = 0s;
  expected.next_start.reset();
  CHECK(fleet.snapshot("a") == expected);

  fleet.pass(3s);  // and exits cleanly
  a.end_cleanly();
  fleet.pass(40ms);
  expected.phase = Phase::backing_off;
  expected.clean_exits = 1;
  expected.attempt = 0;
  expected.running_time = 10s;
  expected.age = 10s + delay + 40ms;
  expected.time_in_phase = 40ms;
  expected.next_start = fleet.scheduler.now() + 60ms;
  CHECK(fleet.snapshot("a") == expected);

  fleet.pass(1s);  // it runs, and is asked to stop
  REQUIRE(fleet->stop("a"));
  fleet.pass(2s);
  expected.phase = Phase::stopping;
  expected.run = {3};
  expected.starts = 3;
  expected.running_time = 10s + 940ms + 2s;
  expected.age += 3s;
  expected.time_in_phase = 2s;
  expected.next_start.reset();
  expected.grace_until = fleet.scheduler.now() + 28s;
  CHECK(fleet.snapshot("a") == expected);

  a.fail("at the end");  // it has terminated
  fleet.pass(5s);
  expected.phase = Phase::terminated;
  expected.last_error = "at the end";
  expected.age += 5s;
  expected.time_in_phase = 5s;
  expected.termination = Termination{.reason = Termination::Reason::cancelled};
  expected.grace_until.reset();
  CHECK(fleet.snapshot("a") == expected);
  CHECK(fleet->snapshots() == std::vector{expected});
}

TEST_CASE("running time does not fall back between the end of a run and the supervisor's acting on it") {
  // Story: the run was over for the sum and not yet in it, so a caller saw less running time than a moment before.
  Fleet fleet;
  auto& a = fleet.add("a");
  fleet.pass(5s);
  CHECK(fleet.snapshot("a").running_time == 5s);
  a.end_cleanly();
  CHECK(fleet.snapshot("a").running_time == 5s);
  fleet.settle();
  CHECK(fleet.snapshot("a").running_time == 5s);
}

TEST_CASE("at every event, counters are what the events so far say once the handler is over") {
  // The fleet compares both when it is destroyed; here after every single step of a long mixed life.
  Fleet fleet{config_of(at_once_with_breaker(4, 10s), 3s)};
  std::vector<Script*> services;
  const std::vector<RestartPolicy> policies{RestartPolicy::always, RestartPolicy::on_failure, RestartPolicy::never};
  for (std::size_t i = 0; i < 6; ++i) services.push_back(&fleet.add("s" + std::to_string(i), policies[i % 3]));
  for (int step = 0; step < 200; ++step) {
    auto& service = *services[static_cast<std::size_t>(step * 7) % services.size()];
    const std::string name = "s" + std::to_string(static_cast<std::size_t>(step * 7) % services.size());
    switch (step % 5) {
      case 0: service.fail(); break;
      case 1: service.end_cleanly(); break;
      case 2: (void)fleet->restart(name); break;
      case 3: fleet.pass(70ms); break;
      default: (void)fleet->stop(name); break;
    }
    fleet.check();
  }
  fleet->request_shutdown();
  fleet.check();
  fleet.pass(3s);
  fleet.check();
}

TEST_CASE("a snapshot taken from within an event already shows the phase that the event reports") {
  const std::map<std::string, Phase> phases{{"added", Phase::starting},    {"started", Phase::starting},
                                            {"running", Phase::running},   {"backing_off", Phase::backing_off},
                                            {"stopping", Phase::stopping}, {"terminated", Phase::terminated}};
  Fleet fleet;
  std::set<std::string> seen;
  fleet.recorder.on_each = [&](const Event& event) {
    const auto found = phases.find(std::string{kind(event)});
    if (found == phases.end()) return;
    seen.insert(found->first);
    CAPTURE(found->first);
    CHECK(fleet->snapshot("a")->phase == found->second);
  };
  auto& a = fleet.add("a");
  a.fail();
  fleet.pass_nothing();
  REQUIRE(fleet->stop("a"));
  fleet.settle();
  a.end_cleanly();
  fleet.settle();
  CHECK(seen.size() == phases.size());
  fleet.recorder.on_each = nullptr;
}

}  // namespace holdfast::test::supervisor_snapshots_test
