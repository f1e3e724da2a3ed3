// Services that are removed once they have terminated: semantics 6.9, forgetting.

#include <string>
#include <utility>
#include <vector>

#include "supervisor_states.hpp"

namespace holdfast::test::supervisor_forgetting_test {

using supervisor_commands_test::kSlow;
using supervisor_commands_test::lines_of;

namespace {

Script& add_job(Fleet& fleet, const std::string& name = "job", ServicePolicy policy = {}) {
  Script& script = fleet.script();
  policy.forget_when_done = true;
  REQUIRE(fleet->add({.name = name, .policy = std::move(policy)}, script));
  fleet.settle();
  (void)fleet.take();
  return script;
}

}  // namespace

TEST_CASE("a service is removed in the instant in which it has completed, and its name is free") {
  Fleet fleet{config_of(kSlow)};
  Script& job = add_job(fleet);
  job.end_cleanly();
  fleet.settle();
  CHECK(lines_of(fleet) == Lines{"job ended 1 after 0s clean", "job terminated completed", "job forgotten"});
  CHECK(fleet->service_count() == 0);
  add_job(fleet);
  CHECK(fleet.phase("job") == "running");
}

TEST_CASE("whatever ends it for good") {
  using Reason = Termination::Reason;
  for (const Reason reason :
       {Reason::completed, Reason::cancelled, Reason::circuit_open, Reason::failed, Reason::abandoned}) {
    CAPTURE(to_string(reason));
    Fleet fleet{config_of({.base = 0ns, .max = 0ns, .breaker = BreakerPolicy{1, 1h}})};
    Script& job = add_job(fleet, "job", {.stop_grace = 1s});
    switch (reason) {
      case Reason::completed: job.end_cleanly(); break;
      case Reason::cancelled:
      case Reason::abandoned: REQUIRE(fleet->stop("job")); break;
      case Reason::circuit_open: job.fail(); break;
      case Reason::failed: job.runs.back().end(Exit::fatal("no key")); break;
    }
    fleet.settle();
    if (reason == Reason::cancelled) job.end_cleanly();
    if (reason == Reason::abandoned) fleet.pass(1s);
    fleet.settle();
    const auto lines = lines_of(fleet);
    REQUIRE(lines.size() >= 2);
    CHECK(lines.at(lines.size() - 2).starts_with("job terminated"));
    CHECK(lines.back() == "job forgotten");
    CHECK(fleet->service_count() == 0);
    if (reason != Reason::abandoned) continue;
    job.end_cleanly();  // nobody is left to report it
    fleet.settle();
    CHECK(lines_of(fleet).empty());
  }
}

TEST_CASE("one that goes on is not forgotten, nor one whose policy does not say so") {
  Fleet fleet{config_of(kSlow)};
  Script& job = add_job(fleet);
  job.fail();
  fleet.pass(1s);
  CHECK(fleet.phase("job") == "running");
  fleet.add("kept").end_cleanly();
  fleet.settle();
  CHECK(fleet.phase("kept") == "terminated");
}

TEST_CASE("what was asked for before comes first: a restart starts it again instead") {
  Fleet fleet{config_of(kSlow)};
  Script& job = add_job(fleet);
  fleet.recorder.on_each = [&](const Event& event) {
    if (std::holds_alternative<event::Ended>(event.what) && event.run.value == 1) REQUIRE(fleet->restart("job"));
  };
  job.end_cleanly();
  fleet.settle();
  CHECK(fleet.phase("job") == "running");
  job.end_cleanly();
  fleet.settle();
  CHECK(fleet->service_count() == 0);
}

TEST_CASE("in a shutdown nobody is forgotten, so that the result names all") {
  Fleet fleet{config_of(kSlow)};
  Script& job = add_job(fleet);
  fleet->request_shutdown();
  fleet.settle();
  job.fail("late");
  fleet.settle();
  CHECK(fleet.phase("job") == "terminated");
  REQUIRE(fleet->shutdown_result());
  REQUIRE(fleet->shutdown_result()->errors.size() == 1);
  CHECK(fleet->shutdown_result()->errors.front().service == "job");
}

TEST_CASE("the last one is forgotten before the fleet returns") {
  SupervisorConfig config = config_of(kSlow);
  config.when_all_terminated = WhenAllTerminated::return_;
  Fleet fleet{config};
  add_job(fleet).end_cleanly();
  fleet.settle();
  CHECK(lines_of(fleet) == Lines{"job ended 1 after 0s clean", "job terminated completed", "job forgotten",
                                 "- shutdown_requested all_terminated 30s", "- drained drained"});
}

TEST_CASE("a whole group that is lost is forgotten, and so are those that a dependency takes along") {
  Fleet fleet{config_of({.base = 0ns, .max = 0ns, .breaker = BreakerPolicy{1, 1h}})};
  REQUIRE(fleet->add_group({.path = "/g"}));
  Script& first = add_job(fleet, "a", {.group = "/g"});
  std::vector<Script*> others{&add_job(fleet, "b", {.group = "/g"})};
  add_job(fleet, "c", {.restart = RestartPolicy::never, .group = "/g"}).fail();  // is not lost
  for (const char* const name : {"x", "y"}) {
    others.push_back(
        &add_job(fleet, name,
                 {.order = {.after = NameList{std::vector<std::string>{"a"}}, .on_dependency = OnDependency::stop}}));
  }
  CHECK(fleet->service_count() == 4);
  first.fail();
  fleet.settle();
  for (Script* const other : others) other->end_cleanly();
  fleet.settle();
  CHECK(fleet->service_count() == 0);
}

TEST_CASE("a service that runs may get a policy that forgets it") {
  Fleet fleet{config_of(kSlow)};
  Script& a = fleet.add("a");
  REQUIRE(fleet->reconfigure("a", {.forget_when_done = true}));
  fleet.settle();
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet->service_count() == 0);
}

}  // namespace holdfast::test::supervisor_forgetting_test
