// The end of a supervisor itself: what it leaves behind, and two supervisors side by side.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support.hpp"

namespace holdfast::test::supervisor_destruction_test {

TEST_CASE("a supervisor can be destroyed in every state and leaves nothing armed or queued behind") {
  const BackoffPolicy slow{.base = 1h, .max = 1h, .breaker = std::nullopt};
  const std::vector<std::pair<std::string, std::function<void(Fleet&)>>> states{
      {"fresh", [](Fleet&) {}},
      {"with a service that is yet to start", [](Fleet& fleet) { REQUIRE(fleet->add({.name = "a"}, fleet.script())); }},
      {"running", [](Fleet& fleet) { fleet.add("a"); }},
      {"with an end that is queued", [](Fleet& fleet) { fleet.add("a").fail(); }},
      {"backing off",
       [](Fleet& fleet) {
         fleet.add("a").fail();
         fleet.settle();
       }},
      {"with commands that are queued",
       [](Fleet& fleet) {
         fleet.add("a");
         REQUIRE(fleet->restart("a"));
         REQUIRE(fleet->stop("a"));
         REQUIRE(fleet->remove("a"));
       }},
      {"stopping",
       [](Fleet& fleet) {
         fleet.add("a");
         REQUIRE(fleet->stop("a"));
         fleet.settle();
       }},
      {"terminated",
       [](Fleet& fleet) {
         fleet.add("a").end_cleanly();
         fleet.settle();
       }},
      {"with a removal that is queued",
       [](Fleet& fleet) {
         fleet.add("a").end_cleanly();
         fleet.settle();
         REQUIRE(fleet->remove("a"));
       }},
      {"with a shutdown that is queued",
       [](Fleet& fleet) {
         fleet.add("a");
         fleet->request_shutdown();
       }},
      {"draining",
       [](Fleet& fleet) {
         fleet.add("a");
         fleet->request_shutdown();
         fleet.settle();
       }},
      {"drained",
       [](Fleet& fleet) {
         fleet->request_shutdown();
         fleet.settle();
       }},
      {"after an abandonment",
       [](Fleet& fleet) {
         fleet.add("a");
         fleet->end_drain();
         fleet.settle();
       }},
  };
  for (const auto& [state, bring] : states) {
    CAPTURE(state);
    Fleet fleet{config_of(slow)};
    bring(fleet);
    const auto lines = fleet.recorder.lines();
    fleet.destroy_supervisor();
    CHECK(fleet.scheduler.idle());
    fleet.scheduler.run_tasks();
    while (fleet.scheduler.fire_next(TimePoint::max())) {
    }
    CHECK(fleet.recorder.lines() == lines);
  }
}

TEST_CASE("a supervisor that is destroyed before its warning was reported leaves nothing behind") {
  sim::VirtualScheduler scheduler;
  Recorder recorder;
  { const Supervisor supervisor{scheduler, SupervisorConfig{}, kSeed, recorder}; }
  CHECK(scheduler.idle());
  CHECK(recorder.lines().empty());
}

TEST_CASE("two supervisors on one scheduler do not touch each other") {
  sim::VirtualScheduler scheduler;
  Recorder first_recorder;
  Recorder second_recorder;
  Script first_service;
  Script second_service;
  Supervisor second{scheduler, config_of(kAtOnce), kSeed, second_recorder};
  {
    Supervisor first{scheduler, config_of(kAtOnce), kSeed, first_recorder};
    REQUIRE(first.add({.name = "a"}, first_service));
    REQUIRE(second.add({.name = "a"}, second_service));
    scheduler.run_tasks();
    first.request_shutdown();
    scheduler.run_tasks();
    CHECK_FALSE(second.is_shutting_down());
  }
  second_service.fail();
  scheduler.run_tasks();
  while (scheduler.fire_next(scheduler.now())) {
  }
  CHECK(second.counters() == Counters{.spawned = 1, .starts = 2, .restarts = 1, .failures = 1, .active_services = 1});
}

}  // namespace holdfast::test::supervisor_destruction_test
