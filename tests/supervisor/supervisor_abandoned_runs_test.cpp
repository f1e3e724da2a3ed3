// A restart that goes on without a run that hangs, where runs are instances of their own (semantics, section 6).

#include <cstdint>
#include <string>

#include "supervisor_graces.hpp"

namespace holdfast::test::supervisor_grace_test {

namespace {

Script& add_side_by_side(Fleet& fleet, const std::string& name) {
  auto& service = fleet.script();
  service.side_by_side = true;
  REQUIRE(fleet->add({.name = name}, service));
  fleet.settle();
  (void)fleet.take();
  return service;
}

void restart(Fleet& fleet, const char* name) {
  REQUIRE(fleet->restart(name));
  fleet.settle();
}

}  // namespace

// Story: a restart of a hung coroutine terminated its service for good, and further restarts were refused.
TEST_CASE("a restart of a hung run goes on without it where runs are instances of their own, and it ends late") {
  Fleet fleet{with_grace()};
  auto& service = add_side_by_side(fleet, "a");
  restart(fleet, "a");
  fleet.pass(3s);
  CHECK(fleet.take() == Lines{"0s a commanded restart", "0s a stopping restart", "2s a abandoned 1 after 2s",
                              "2s a started 2", "2s a running 2"});
  CHECK(service.calls == Lines{"start 1", "stop 1", "start 2"});
  CHECK(fleet.snapshot("a").running_time == 3s);
  CHECK(fleet->counters() ==
        Counters{.spawned = 1, .starts = 2, .restarts = 1, .abandoned_runs = 1, .active_services = 1});
  service.runs[0].end(Exit::failed("at last"));
  service.runs[0].end(Exit::failed("only the first end counts"));
  fleet.settle();
  CHECK(fleet.take() == Lines{"3s a ended_late 1 after 3s failed: at last"});
  CHECK(fleet.snapshot("a").failures == 0);
  CHECK(fleet.snapshot("a").last_error.empty());
  service.fail();
  fleet.pass_nothing();
  CHECK(fleet.take() == Lines{"3s a ended 2 after 1s failed: boom", "3s a backing_off failure 1, 0s of 0s",
                              "3s a started 3", "3s a running 3"});
}

TEST_CASE("a service goes on beside as many abandoned runs as are allowed, and terminates with one more") {
  SupervisorConfig config = with_grace();
  SECTION("three, where nothing else is said") {}
  SECTION("as many as the configuration says") { config.abandoned_runs_max = 1; }
  const std::uint32_t most = config.abandoned_runs_max;
  Fleet fleet{config};
  auto& service = add_side_by_side(fleet, "a");
  for (std::uint32_t i = 0; i < most; ++i) {
    restart(fleet, "a");
    fleet.pass(2s);
    CHECK(fleet.phase("a") == "running");
  }
  restart(fleet, "a");
  fleet.pass(2s);
  CHECK(fleet.termination("a") == "abandoned after 2s");
  CHECK(fleet->counters().abandoned_runs == most + 1);
  const auto refused = fleet->restart("a");
  REQUIRE_FALSE(refused);
  CHECK(refused.refusal().message == "restart \"a\": abandoned runs that are still alive: " + std::to_string(most + 1) +
                                         ", allowed beside another run are " + std::to_string(most) +
                                         " (abandoned_runs_max); restart it once one of them has ended, or remove it "
                                         "and add another one");
  service.runs[0].end(Exit::clean());
  restart(fleet, "a");
  CHECK(fleet.phase("a") == "running");
  CHECK(service.runs.back().number().value == most + 2);
  (void)fleet.take();
  service.runs[most].end(Exit::clean());  // of the service that was replaced in place
  fleet.settle();
  CHECK(fleet.take().back().find("ended_late " + std::to_string(most + 1)) != std::string::npos);
}

TEST_CASE(
    "a run that is abandoned on the way to a final stop terminates its service, whose restart need not wait for it") {
  Fleet fleet{with_grace()};
  auto& service = add_side_by_side(fleet, "a");
  stop(fleet, "a");
  fleet.pass(2s);
  restart(fleet, "a");
  service.runs[0].end(Exit::clean());
  fleet.settle();
  CHECK(fleet.take() == Lines{"0s a commanded stop", "0s a stopping stop", "2s a terminated abandoned after 2s",
                              "2s a commanded restart", "2s a removed",
                              "2s a added on_failure after run 1, stop_grace 2s, runs side by side", "2s a started 2",
                              "2s a running 2", "2s a ended_late 1 after 2s clean"});
}

TEST_CASE("the late end of an abandoned run is ignored once its service was removed") {
  Fleet fleet{with_grace()};
  auto& service = add_side_by_side(fleet, "a");
  restart(fleet, "a");
  fleet.pass(2s);
  service.runs[1].end(Exit::fatal("over"));
  REQUIRE(fleet->remove("a"));
  fleet.settle();
  REQUIRE(fleet->add({.name = "b"}, fleet.script()));
  fleet.settle();
  (void)fleet.take();
  service.runs[0].end(Exit::clean());
  fleet.settle();
  CHECK(fleet.take().empty());
}

}  // namespace holdfast::test::supervisor_grace_test
