// A sink that throws: the supervisor goes on as if it had not, and the caller that runs the scheduler learns which it
// was. (What happens without memory is in allocation_test.cpp.)

#include <stdexcept>

#include "support.hpp"

namespace holdfast::test::supervisor_exceptions_test {

namespace {

// What came out of the scheduler while a sink threw at one event.
struct Caught {
  int sink_errors = 0;
  std::string says;
  std::string nested;
};

// Does it until nothing is thrown any more.
template <class Act>
void insist(Caught& caught, const Act& act) {
  for (;;) {
    try {
      return act();
    } catch (const SinkError& error) {
      ++caught.sink_errors;
      caught.says = error.what();
      try {
        std::rethrow_if_nested(error);
      } catch (const std::exception& nested) {
        caught.nested = nested.what();
      }
    }
  }
}

struct Lived {
  Lines lines;
  Counters counters;
  ShutdownResult result;
  Caught caught;
};

// A life with every kind of input and event; the sink throws at one of its events, or at none.
Lived live(std::size_t throws_at) {
  Lived lived;
  SupervisorConfig config = config_of({.base = 1s, .max = 1s, .breaker = BreakerPolicy{2, 1min}}, 10s);
  config.stop_grace = 2s;
  Fleet fleet{config};
  (void)fleet.take();  // the warning about the policy
  std::size_t seen = 0;
  fleet.recorder.on_each = [&](const Event&) {
    if (++seen == throws_at) throw std::runtime_error{"disk full"};
  };
  const auto settle = [&] { insist(lived.caught, [&] { fleet.settle(); }); };
  const auto pass = [&](Duration time) {
    const TimePoint end = fleet.scheduler.now() + time;
    insist(lived.caught, [&] { fleet.scheduler.run_tasks(); });
    for (bool more = true; more;) insist(lived.caught, [&] { more = fleet.scheduler.fire_next(end); });
    fleet.scheduler.advance_to(end);
  };
  auto& trips = fleet.script();
  auto& restarts = fleet.script();
  restarts.side_by_side = true;
  auto& killed = fleet.script();
  killed.on_stop = [](Run) { throw std::runtime_error{"no"}; };
  killed.on_kill = [](Run) { throw std::runtime_error{"neither"}; };
  auto& always = fleet.script();
  CHECK(fleet->add({.name = "trips"}, trips));
  CHECK(fleet->add({.name = "restarts"}, restarts));
  CHECK(fleet->add({.name = "killed"}, killed));
  CHECK(fleet->add({.name = "always", .policy = {.restart = RestartPolicy::always}}, always));
  settle();
  trips.fail();
  always.end_cleanly();
  settle();
  pass(1s);
  trips.fail();
  CHECK(fleet->restart("restarts"));
  CHECK(fleet->stop("killed"));
  settle();
  pass(4s);
  restarts.runs.front().end(Exit::failed("late"));
  killed.fail("late too");
  settle();
  CHECK(fleet->restart("trips"));
  CHECK(fleet->remove("killed"));
  settle();
  fleet->request_shutdown();
  always.end_cleanly();
  settle();
  pass(1s);
  fleet->end_drain();
  settle();
  CHECK(fleet->shutdown_result());
  lived.lines = fleet.take();
  lived.counters = fleet->counters();
  if (fleet->shutdown_result()) lived.result = *fleet->shutdown_result();
  return lived;
}

}  // namespace

// Story: a sink that threw once left the supervisor marked as busy for ever: no command, shutdown or signal did
// anything.
TEST_CASE("a sink that throws, at whatever event, changes nothing of a life, and is reported as that") {
  const Lived undisturbed = live(0);
  REQUIRE(undisturbed.lines.size() > 40);
  CHECK(undisturbed.caught.sink_errors == 0);
  for (std::size_t throws_at = 1; throws_at <= undisturbed.lines.size(); ++throws_at) {
    CAPTURE(throws_at, undisturbed.lines[throws_at - 1]);
    const Lived lived = live(throws_at);
    CHECK(lived.lines == undisturbed.lines);
    CHECK(lived.counters == undisturbed.counters);
    CHECK(lived.result.abandoned == undisturbed.result.abandoned);
    CHECK(lived.caught.sink_errors == 1);
    CHECK(lived.caught.says == "an event sink threw: disk full");
    CHECK(lived.caught.nested == "disk full");
  }
}

TEST_CASE("of several exceptions of one turn the first is thrown, when everything that was queued is done") {
  Fleet fleet;
  int thrown = 0;
  fleet.recorder.on_each = [&](const Event& event) {
    if (kind(event) == "started") throw std::runtime_error{std::to_string(++thrown)};
  };
  REQUIRE(fleet->add({.name = "a"}, fleet.script()));
  REQUIRE(fleet->add({.name = "b"}, fleet.script()));
  CHECK_THROWS_WITH(fleet.settle(), "an event sink threw: 1");
  CHECK(thrown == 2);
  CHECK(fleet.phase("b") == "running");
  CHECK_NOTHROW(fleet.settle());
}

TEST_CASE("an exception that is not a std::exception is reported as well") {
  Fleet fleet;
  fleet.recorder.on_each = [&](const Event& event) {
    if (kind(event) == "started") throw 42;
  };
  REQUIRE(fleet->add({.name = "a"}, fleet.script()));
  CHECK_THROWS_WITH(fleet.settle(), "an event sink threw something that is not a std::exception");
  CHECK(fleet.phase("a") == "running");
}

}  // namespace holdfast::test::supervisor_exceptions_test
