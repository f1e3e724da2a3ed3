// Events: their order, their numbers, and what callbacks may do. Semantics.md, sections 2.8 and 5 ("Inline ends"), and
// row 26 of section 4.

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "support.hpp"

namespace holdfast::test::supervisor_events_test {

TEST_CASE("a run that ends inside its own start is reported as started, running, ended, in that order") {
  Fleet fleet;
  auto& a = fleet.script();
  a.on_start = [](Run run) {
    if (run.number().value < 3) run.end(run.number().value == 1 ? Exit::failed("early") : Exit::clean());
  };
  REQUIRE(fleet->add({.name = "a", .policy = {.restart = RestartPolicy::always}}, a));
  fleet.pass(100ms);
  CHECK(fleet.take() ==
        Lines{"0s a added always", "0s a started 1", "0s a running 1", "0s a ended 1 after 0s failed: early",
              "0s a backing_off failure 1, 0s of 0s", "0s a started 2", "0s a running 2", "0s a ended 2 after 0s clean",
              "0s a backing_off clean_exit 0, 100ms of 100ms", "100ms a started 3", "100ms a running 3"});
}

TEST_CASE("only the first end of a run counts") {
  SECTION("ended twice") {
    Fleet fleet;
    auto& a = fleet.add("a");
    a.end_cleanly();
    a.fail("too late");
    fleet.settle();
    a.fail("much too late");
    fleet.settle();
    CHECK(fleet.termination("a") == "completed");
    CHECK(fleet.snapshot("a").last_error.empty());
    CHECK(fleet->counters().failures == 0);
  }
  SECTION("ended and then thrown inside start") {
    Fleet fleet;
    auto& a = fleet.script();
    a.on_start = [](Run run) {
      run.end(Exit::clean());
      throw std::runtime_error{"unheard"};
    };
    REQUIRE(fleet->add({.name = "a"}, a));
    fleet.settle();
    CHECK(fleet.termination("a") == "completed");
    CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 1, .clean_exits = 1, .terminated = 1});
  }
  SECTION("thrown inside start and then ended") {
    Fleet fleet;
    auto& a = fleet.script();
    a.on_start = [](Run run) {
      if (run.number().value == 1) throw std::runtime_error{"thrown"};
    };
    REQUIRE(fleet->add({.name = "a"}, a));
    fleet.settle();
    a.end_cleanly();
    fleet.pass_nothing();
    CHECK(fleet.phase("a") == "running");
    CHECK(fleet->counters() == Counters{.spawned = 1, .starts = 2, .restarts = 1, .failures = 1, .active_services = 1});
  }
}

TEST_CASE("the end of an earlier run is ignored while a later one is alive") {
  Fleet fleet;
  auto& a = fleet.add("a");
  a.fail();
  fleet.pass_nothing();
  REQUIRE(a.runs.size() == 2);
  a.runs[0].end(Exit::fatal("from the grave"));
  fleet.settle();
  CHECK(fleet.phase("a") == "running");
  CHECK(fleet->counters().failures == 1);
  REQUIRE(fleet->restart("a"));
  fleet.settle();
  a.runs[0].end(Exit::clean());
  fleet.settle();
  CHECK(fleet.phase("a") == "stopping");
  a.runs[1].end(Exit::clean());
  fleet.settle();
  CHECK(fleet.phase("a") == "running");
  CHECK(fleet.snapshot("a").run == RunNumber{3});
}

TEST_CASE("the end of a run of an earlier life is ignored, also where the slot is used again") {
  Fleet fleet;
  auto& a = fleet.add("a");
  const Run old = a.runs[0];
  REQUIRE(fleet->remove("a"));
  fleet.settle();
  a.end_cleanly();
  fleet.settle();
  auto& b = fleet.add("b");
  CHECK(fleet.snapshot("b").id.slot == old.service().slot);
  CHECK(b.runs[0].number() == old.number());
  old.end(Exit::fatal("from the grave"));
  fleet.settle();
  CHECK(fleet.phase("b") == "running");
  CHECK(fleet->counters().failures == 0);
}

TEST_CASE("an exception from stop is reported and counts as not obeyed; the supervisor waits for the run") {
  Fleet fleet;
  auto& a = fleet.add("a");
  auto& b = fleet.add("b");
  a.on_stop = [](Run) { throw std::runtime_error{"will not"}; };
  b.on_stop = [](Run) { throw 42; };
  fleet.take();
  fleet->request_shutdown();
  fleet.settle();
  CHECK(fleet.take() == Lines{"0s - shutdown_requested requested 30s", "0s a stopping shutdown",
                              "0s a stop_threw will not", "0s b stopping shutdown",
                              "0s b stop_threw unknown exception"});
  CHECK(fleet.phase("a") == "stopping");
  CHECK(fleet.snapshot("a").last_error.empty());
  fleet.pass(1s);
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet.termination("a") == "cancelled");
  fleet.pass(29s);
  CHECK(fleet.termination("b") == "abandoned after 30s");
}

TEST_CASE("a run that ends inside stop and then throws has ended") {
  Fleet fleet;
  auto& a = fleet.add("a");
  a.on_stop = [](Run run) {
    run.end(Exit::failed("halfway"));
    throw std::runtime_error{"and more"};
  };
  fleet.take();
  REQUIRE(fleet->stop("a"));
  fleet.settle();
  CHECK(fleet.take() == Lines{"0s a commanded stop", "0s a stopping stop", "0s a stop_threw and more",
                              "0s a ended 1 after 0s failed: halfway", "0s a terminated cancelled"});
}

TEST_CASE("a command from inside start is queued: the start is finished first") {
  const auto lines_after = [](auto act) {
    Fleet fleet;
    auto& a = fleet.script();
    a.on_start = [&](Run run) {
      if (run.number().value == 1) act(*fleet);
    };
    a.on_stop = [](Run run) { run.end(Exit::clean()); };
    CHECK(fleet->add({.name = "a"}, a));
    fleet.settle();
    Lines lines = fleet.take();
    CHECK(Lines(lines.begin(), lines.begin() + 3) ==
          Lines{"0s a added on_failure", "0s a started 1", "0s a running 1"});
    return Lines(lines.begin() + 3, lines.end());
  };
  CHECK(lines_after([](Supervisor& supervisor) { CHECK(supervisor.stop("a")); }) ==
        Lines{"0s a commanded stop", "0s a stopping stop", "0s a ended 1 after 0s clean", "0s a terminated cancelled"});
  CHECK(lines_after([](Supervisor& supervisor) { CHECK(supervisor.restart("a")); }) ==
        Lines{"0s a commanded restart", "0s a stopping restart", "0s a ended 1 after 0s clean", "0s a started 2",
              "0s a running 2"});
  CHECK(lines_after([](Supervisor& supervisor) { CHECK(supervisor.remove("a")); }) ==
        Lines{"0s a commanded remove", "0s a stopping remove", "0s a ended 1 after 0s clean",
              "0s a terminated cancelled", "0s a removed"});
  CHECK(lines_after([](Supervisor& supervisor) { supervisor.request_shutdown(); }) ==
        Lines{"0s - shutdown_requested requested 30s", "0s a stopping shutdown", "0s a ended 1 after 0s clean",
              "0s a terminated cancelled", "0s - drained drained"});
  CHECK(lines_after([](Supervisor& supervisor) { supervisor.end_drain(); }) ==
        Lines{"0s - shutdown_requested requested 30s", "0s a stopping shutdown", "0s a ended 1 after 0s clean",
              "0s a terminated cancelled", "0s - drained drained"});
}

TEST_CASE("a command from inside stop is queued: all are asked before it takes effect") {
  Fleet fleet;
  auto& a = fleet.add("a");
  auto& b = fleet.add("b");
  a.on_stop = [&](Run run) {
    CHECK(fleet->remove("b"));
    CHECK_FALSE(fleet->restart("a"));
    run.end(Exit::clean());
  };
  fleet.take();
  fleet->request_shutdown();
  fleet.settle();
  CHECK(fleet.take() == Lines{"0s - shutdown_requested requested 30s", "0s a stopping shutdown",
                              "0s b stopping shutdown", "0s b commanded remove", "0s a ended 1 after 0s clean",
                              "0s a terminated cancelled"});
  b.end_cleanly();
  fleet.settle();
  CHECK(fleet->service_count() == 1);
}

TEST_CASE("a service may add another from inside its start, and the other starts in the same instant") {
  Fleet fleet;
  auto& child = fleet.script();
  auto& parent = fleet.script();
  parent.on_start = [&](Run) {
    CHECK(fleet->add({.name = "child"}, child));
    CHECK(child.calls.empty());
  };
  REQUIRE(fleet->add({.name = "parent"}, parent));
  fleet.settle();
  CHECK(fleet.take() == Lines{"0s parent added on_failure", "0s parent started 1", "0s parent running 1",
                              "0s child added on_failure", "0s child started 1", "0s child running 1"});
}

// For every kind of event in turn: at the first event of that kind, the sink gives every command at once.
TEST_CASE("an event sink may give any command from within any event; nothing recurses") {
  const Lines kinds{
      "added",    "started",    "running",   "ended",      "backing_off", "breaker_tripped",    "commanded",
      "stopping", "stop_threw", "removed",   "terminated", "ended_late",  "shutdown_requested", "drained",
      "warned",   "killed",     "kill_threw"};
  for (const auto& at_kind : kinds) {
    CAPTURE(at_kind);
    // Two failures trip the breaker; the policy is one that warns.
    Fleet fleet{config_of({.base = 0ns, .max = 0ns, .cooldown = 1h, .breaker = BreakerPolicy{2, 1min}}, 10s)};
    auto& extra = fleet.script();
    bool seen = false;
    int depth = 0;
    fleet.recorder.on_each = [&](const Event& event) {
      CHECK(++depth == 1);
      if (kind(event) == at_kind && !seen) {
        seen = true;
        (void)fleet->add({.name = "extra"}, extra);
        for (const auto* const name : {"fails", "hangs", "extra", "nobody"}) {
          (void)fleet->restart(name);
          (void)fleet->stop(name);
          (void)fleet->restart(name);
          (void)fleet->remove(name);
        }
        (void)fleet->snapshots();
        fleet->request_shutdown();
        (void)fleet->add({.name = "too late"}, extra);
      }
      --depth;
    };
    if (at_kind == "warned") {
      // The supervisor reported its own warning at its construction; it reports this service's when the service is
      // added.
      (void)fleet->add(
          {.name = "warns", .policy = {.backoff = BackoffPolicy{.cooldown = 1h, .breaker = BreakerPolicy{2, 1min}}}},
          extra);
    }
    auto& hangs = fleet.script();
    hangs.on_stop = [](Run) { throw std::runtime_error{"no"}; };
    hangs.on_kill = [](Run) { throw std::runtime_error{"no"}; };
    (void)fleet->add({.name = "hangs", .policy = {.stop_grace = 2s}}, hangs);
    auto& fails = fleet.script();
    fails.on_start = [](Run run) { run.end(Exit::failed("boom")); };
    (void)fleet->add({.name = "fails"}, fails);
    auto& removed = fleet.script();
    (void)fleet->add({.name = "removed"}, removed);
    fleet.settle();
    fleet.pass(1s);
    if (fleet->snapshot("removed")) {
      (void)fleet->remove("removed");
      fleet.settle();
      if (!removed.runs.empty()) removed.end_cleanly();
    }
    fleet.pass(1s);
    fleet->request_shutdown();
    fleet.pass(10s);
    REQUIRE(fleet->shutdown_result().has_value());
    if (!hangs.runs.empty()) hangs.end_cleanly();
    fleet.pass(1s);
    CHECK(seen);
    CHECK(fleet->counters().active_services == 0);
    CHECK(fleet->counters().spawned == fleet->counters().terminated);
    fleet.recorder.on_each = nullptr;
  }
}

TEST_CASE("the result of a shutdown is whole whenever it can be seen") {
  Fleet fleet;
  fleet.add("a");
  fleet.add("b");
  fleet.recorder.on_each = [&](const Event&) {
    if (const auto& result = fleet->shutdown_result()) {
      CHECK(result->abandoned == Lines{"a", "b"});
      CHECK(result->counters.terminated == 2);
    }
  };
  fleet->request_shutdown();
  fleet.pass(30s);
  fleet.recorder.on_each = nullptr;
}

TEST_CASE("an event is about one service: its id, its name, the name's hash, its run, and a number that counts") {
  Fleet fleet;
  struct Seen {
    TimePoint at;
    ServiceId service;
    std::string name;
    std::uint64_t hash, n, run;
  };
  std::vector<Seen> seen;
  fleet.recorder.on_each = [&](const Event& event) {
    seen.push_back({event.at, event.service, std::string{event.name}, event.name_hash, event.n, event.run.value});
  };
  fleet.add("a");
  fleet.add("b");
  fleet.pass(1s);
  fleet->request_shutdown();
  fleet.settle();
  REQUIRE(seen.size() == 9);
  const std::vector<std::tuple<std::string, std::uint64_t, std::uint64_t>> expected{
      {"a", 1, 0}, {"a", 2, 1}, {"a", 3, 1}, {"b", 1, 0}, {"b", 2, 1},
      {"b", 3, 1}, {"", 1, 0},  {"a", 4, 1}, {"b", 4, 1}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(std::tuple{seen[i].name, seen[i].n, seen[i].run} == expected[i]);
    CHECK(seen[i].hash == (seen[i].name.empty() ? 0 : name_hash(seen[i].name)));
    CHECK(seen[i].service == (seen[i].name.empty() ? ServiceId{} : fleet.snapshot(seen[i].name).id));
    CHECK(seen[i].at == TimePoint{} + (i < 6 ? 0s : 1s));
  }
  fleet.recorder.on_each = nullptr;
}

// Row 26: accepted without a word.
TEST_CASE("a configuration that cannot do what it says is reported when it is accepted") {
  SECTION("but not for the defaults, which no configuration has set") {
    Fleet fleet{SupervisorConfig{}};
    fleet.add("a", RestartPolicy::on_failure, BackoffPolicy{});
    CHECK(fleet.take() == Lines{"0s a added on_failure", "0s a started 1", "0s a running 1"});
  }
  SECTION("the supervisor's own, once") {
    Fleet fleet{SupervisorConfig{.backoff = {.max = 59s}}};
    CHECK(fleet.take() == Lines{"0s - warned backoff.cooldown"});
    fleet.add("a");
    CHECK(fleet.take() == Lines{"0s a added on_failure", "0s a started 1", "0s a running 1"});
  }
  SECTION("a service's own, for each service that has it") {
    Fleet fleet;
    const BackoffPolicy band{.max = 59s};
    fleet.add("a", RestartPolicy::on_failure, band);
    fleet.add("b", RestartPolicy::on_failure, band);
    CHECK(fleet.take() == Lines{"0s a added on_failure", "0s a warned backoff.cooldown", "0s a started 1",
                                "0s a running 1", "0s b added on_failure", "0s b warned backoff.cooldown",
                                "0s b started 1", "0s b running 1"});
  }
}

TEST_CASE("a supervisor refuses an impossible configuration at construction and lists every error") {
  sim::VirtualScheduler scheduler;
  Recorder recorder;
  const SupervisorConfig wrong{.shutdown_timeout = -5s, .backoff = {.base = -1ns, .cooldown = -1s}};
  try {
    const Supervisor supervisor{scheduler, wrong, kSeed, recorder};
    FAIL("it was accepted");
  } catch (const ConfigError& error) {
    CHECK(error.problems().size() == 3);
    CHECK(std::string{error.what()} ==
          "shutdown_timeout is -5s; allowed is 0s to 36500d\n"
          "backoff.base is -1ns; allowed is 0s to 36500d\n"
          "backoff.cooldown is -1s; allowed is 0s to 36500d");
  }
  CHECK(scheduler.idle());
  CHECK(recorder.lines().empty());
}

TEST_CASE("a service with an impossible configuration is refused, and nothing is counted or reported") {
  Fleet fleet;
  auto& a = fleet.script();
  const auto result = fleet->add({.name = "", .policy = {.backoff = BackoffPolicy{.base = -1ns}}}, a);
  REQUIRE_FALSE(result);
  CHECK(result.refusal().reason == Refusal::Reason::invalid_configuration);
  CHECK(result.refusal().message.find("name is empty") != std::string::npos);
  CHECK(result.refusal().message.find("backoff.base is -1ns") != std::string::npos);
  CHECK_THROWS_WITH(result.value(), result.refusal().message);
  CHECK(fleet->counters() == Counters{});
  fleet.settle();
  CHECK(fleet.take() == Lines{});
}

TEST_CASE("the text of a literal error outlives everything without a copy, that of a string is its own") {
  static constexpr std::string_view kText = "disk full";
  const Error literal = Error::literal(kText);
  CHECK(literal.text().data() == kText.data());
  Error copy;
  {
    const Error owned{std::string(1000, 'x')};
    copy = owned;
    CHECK(copy.text().data() == owned.text().data());
  }
  CHECK(copy.text() == std::string(1000, 'x'));
  CHECK(Error{}.text().empty());
}

}  // namespace holdfast::test::supervisor_events_test
