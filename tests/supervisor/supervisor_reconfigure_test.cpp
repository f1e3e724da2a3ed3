// Another policy for a service that is there: semantics 6.9, sentence by sentence.

#include <string>

#include "supervisor_states.hpp"

namespace holdfast::test::supervisor_reconfigure_test {

using supervisor_commands_test::bring;
using supervisor_commands_test::kSlow;
using supervisor_commands_test::kStates;
using supervisor_commands_test::lines_of;
using supervisor_commands_test::reason_of;
using supervisor_commands_test::State;

namespace {

// A delay of exactly 3 s, whatever has failed before.
const BackoffPolicy kSteady{
    .base = 3s, .max = 3s, .breaker = std::nullopt, .growth = FixedDelay{}, .jitter = NoJitter{}};

// Two failures open it, a probe comes within 10 s and has to stay up for 5 s.
BackoffPolicy half_open() {
  return {.base = 0ns,
          .max = 0ns,
          .breaker = BreakerPolicy{2, 1h, HalfOpenPolicy{.open_for = 10s, .probe_success_after = 5s}}};
}

Script& with_open_breaker(Fleet& fleet) {
  Script& a = fleet.add("a");
  for (int i = 0; i < 2; ++i) {
    a.fail();
    i == 0 ? fleet.pass_nothing() : fleet.settle();
  }
  REQUIRE(fleet.snapshot("a").breaker == BreakerState::open);
  (void)fleet.take();
  return a;
}

}  // namespace

TEST_CASE("a run goes on, and what follows its end is decided by the new policy") {
  Fleet fleet{config_of(kSlow)};
  Script& a = bring(fleet, State::running);
  REQUIRE(fleet->reconfigure("a", {.restart = RestartPolicy::always, .backoff = kSteady}));
  fleet.settle();
  CHECK(lines_of(fleet) == Lines{"a reconfigured always"});
  CHECK(fleet.phase("a") == "running");
  CHECK(fleet.snapshot("a").restart == RestartPolicy::always);
  CHECK(fleet.snapshot("a").breaker == BreakerState::off);
  REQUIRE(fleet->policy("a") != nullptr);
  CHECK(fleet->policy("a")->backoff == kSteady);
  CHECK(fleet->policy("b") == nullptr);
  a.fail();
  fleet.settle();
  CHECK(fleet.recorder.backoffs.back().delay == 3s);
  CHECK(fleet.recorder.backoffs.back().attempt == 1);
  REQUIRE(fleet->reconfigure("a", {.restart = RestartPolicy::never}));
  fleet.pass(3s);
  CHECK(fleet.phase("a") == "running");
  a.fail("for the last time");
  fleet.settle();
  CHECK(fleet.phase("a") == "terminated");
}

TEST_CASE("a delay that has begun ends when it was to end") {
  Fleet fleet{config_of(kSlow)};
  Script& a = bring(fleet, State::backing_off);
  const auto due = fleet.snapshot("a").next_start;
  REQUIRE(fleet->reconfigure("a", {.backoff = kSteady}));
  fleet.settle();
  CHECK(fleet.snapshot("a").next_start == due);
  CHECK(fleet.snapshot("a").attempt == 0);
  CHECK(a.runs.size() == 1);
  fleet.pass(*due - fleet.scheduler.now() - 1ns);
  CHECK(a.runs.size() == 1);
  fleet.pass(1ns);
  CHECK(a.runs.size() == 2);
}

TEST_CASE("with the same backoff nothing is cleared, with another one attempt and failures are") {
  for (const bool is_another : {false, true}) {
    CAPTURE(is_another);
    Fleet fleet{config_of(kSlow)};
    Script& a = bring(fleet, State::running);  // one failure behind it
    BackoffPolicy backoff = kSlow;
    if (is_another) backoff.clean_restart_delay += 1ns;
    REQUIRE(fleet->reconfigure("a", {.restart = RestartPolicy::always, .backoff = backoff}));
    fleet.settle();
    CHECK(fleet.snapshot("a").attempt == (is_another ? 0 : 1));
    CHECK(fleet.snapshot("a").failures_in_window == (is_another ? 0 : 1));
    CHECK(fleet.snapshot("a").failures == 1);
    a.fail();
    fleet.settle();
    CHECK(fleet.recorder.backoffs.back().attempt == (is_another ? 1 : 2));
    CHECK(fleet.snapshot("a").failures_in_window == (is_another ? 1 : 2));
  }
}

TEST_CASE("a smaller window trips with the failures that come under it, a larger one keeps them all") {
  Fleet fleet{config_of({.base = 0ns, .max = 0ns, .breaker = BreakerPolicy{9, 1h}})};
  Script& a = fleet.add("a");
  const auto fail = [&](int times) {
    for (int i = 0; i < times; ++i) {
      a.fail();
      fleet.pass_nothing();
    }
  };
  const auto with = [](std::uint32_t max_failures) {
    return ServicePolicy{.backoff = BackoffPolicy{.base = 0ns, .max = 0ns, .breaker = BreakerPolicy{max_failures, 1h}}};
  };
  fail(8);
  REQUIRE(fleet->reconfigure("a", with(2)));
  fleet.pass_nothing();
  fail(1);
  CHECK(fleet.phase("a") == "running");
  REQUIRE(fleet->reconfigure("a", with(30)));
  fleet.pass_nothing();
  fail(29);
  CHECK(fleet.phase("a") == "running");
  CHECK(fleet.snapshot("a").failures_in_window == 29);
  fail(1);
  CHECK(fleet.phase("a") == "terminated");
}

TEST_CASE("another backoff closes an open breaker, the wait goes on, and the run after it is no probe") {
  Fleet fleet{config_of(half_open())};
  Script& a = with_open_breaker(fleet);
  const auto due = fleet.snapshot("a").next_start;
  REQUIRE(fleet->reconfigure("a", {.backoff = kSteady}));
  fleet.settle();
  CHECK(lines_of(fleet) == Lines{"a reconfigured on_failure", "a breaker_closed after 1"});
  CHECK(fleet->counters().open_breakers == 0);
  CHECK(fleet.snapshot("a").next_start == due);
  fleet.pass(*due - fleet.scheduler.now());
  CHECK(fleet.phase("a") == "running");
  CHECK_FALSE(fleet.scheduler.has_timer_by(TimePoint::max()));  // nobody waits for it to stay up
  a.fail();
  fleet.settle();
  CHECK(fleet.recorder.backoffs.back().delay == 3s);
}

TEST_CASE("a run that is a probe is none any more under another backoff, and still one under the same") {
  for (const bool is_another : {false, true}) {
    CAPTURE(is_another);
    Fleet fleet{config_of(half_open())};
    with_open_breaker(fleet);
    fleet.pass(10s);
    if (fleet.phase("a") != "running") fleet.pass(10s);
    REQUIRE(fleet.snapshot("a").breaker == BreakerState::half_open);
    const auto backoff = is_another ? kSteady : half_open();
    REQUIRE(fleet->reconfigure("a", {.restart = RestartPolicy::always, .backoff = backoff}));
    fleet.settle();
    CHECK(fleet.snapshot("a").breaker == (is_another ? BreakerState::off : BreakerState::half_open));
    fleet.pass(1h);
    CHECK(fleet.snapshot("a").breaker == (is_another ? BreakerState::off : BreakerState::closed));
    CHECK(fleet->counters().open_breakers == 0);
  }
}

TEST_CASE("a grace that has begun is the old one, and the second one, after a kill, the new one") {
  Fleet fleet{config_of(kSlow)};
  Script& a = fleet.script();
  a.on_kill = [](Run) {};
  REQUIRE(fleet->add({.name = "a", .policy = {.stop_grace = 10s}}, a));
  fleet.settle();
  REQUIRE(fleet->restart("a"));
  fleet.settle();
  REQUIRE(fleet->reconfigure("a", {.stop_grace = 2s}));
  fleet.settle();
  fleet.pass(10s - 1ns);
  CHECK_FALSE(fleet.snapshot("a").killed);
  fleet.pass(1ns);
  CHECK(fleet.snapshot("a").killed);
  CHECK(fleet.snapshot("a").grace_until == fleet.scheduler.now() + 2s);
  fleet.pass(2s);
  CHECK(fleet.phase("a") == "terminated");
}

TEST_CASE("what an exit status means is decided by the policy at the end") {
  Fleet fleet{config_of(kSlow)};
  Script& a = fleet.add("a");
  REQUIRE(fleet->reconfigure("a", {.exit_rules = {.fatal = {3}}}));
  fleet.settle();
  a.runs.back().end(Exit::failed("bad configuration").with_status(3));
  fleet.settle();
  CHECK(to_string(*fleet.snapshot("a").termination, "x") == "failed: x");
}

TEST_CASE("ends_fleet that a service gets later ends the fleet") {
  Fleet fleet{config_of(kSlow)};
  Script& a = fleet.add("a", RestartPolicy::never);
  REQUIRE(fleet->reconfigure("a", {.restart = RestartPolicy::never, .ends_fleet = EndsFleet::always}));
  fleet.settle();
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet->is_shutting_down());
}

TEST_CASE("a questionable policy is accepted with a warning") {
  Fleet fleet{config_of(kSlow)};
  fleet.add("a");
  (void)fleet.take();
  REQUIRE(fleet->reconfigure("a", {.stop_grace = 1h}));
  fleet.settle();
  CHECK(lines_of(fleet) == Lines{"a reconfigured on_failure, stop_grace 1h", "a warned stop_grace"});
}

TEST_CASE("an open breaker closes before the new policy is warned of") {
  Fleet fleet{config_of(half_open())};
  with_open_breaker(fleet);
  REQUIRE(fleet->reconfigure("a", {.backoff = kSteady, .stop_grace = 1h}));
  fleet.settle();
  CHECK(lines_of(fleet) ==
        Lines{"a reconfigured on_failure, stop_grace 1h", "a breaker_closed after 1", "a warned stop_grace"});
}

TEST_CASE("the service keeps its policy when a command starts it again after its end") {
  Fleet fleet{config_of(kSlow)};
  Script& a = fleet.add("a");
  REQUIRE(fleet->reconfigure("a", {.restart = RestartPolicy::never}));
  a.end_cleanly();
  fleet.settle();
  (void)fleet.take();
  REQUIRE(fleet->restart("a"));
  fleet.settle();
  CHECK(lines_of(fleet).at(2) == "a added never after run 1");
}

TEST_CASE("reconfigure, in every state") {
  for (const State state : kStates) {
    CAPTURE(static_cast<int>(state));
    Fleet fleet{config_of(kSlow)};
    Script& a = bring(fleet, state);
    const std::size_t calls = a.calls.size();
    const auto answer = fleet->reconfigure("a", {.restart = RestartPolicy::always});
    switch (state) {
      case State::starting:
        REQUIRE(answer);
        fleet.settle();
        CHECK(lines_of(fleet) == Lines{"a added on_failure", "a reconfigured always", "a started 1", "a running 1"});
        break;
      case State::running:
      case State::backing_off:
      case State::stopping_to_restart:
        REQUIRE(answer);
        fleet.settle();
        CHECK(lines_of(fleet) == Lines{"a reconfigured always"});
        CHECK(a.calls.size() == calls);
        break;
      case State::stopping_for_good:
      case State::removing:
      case State::terminated:
        CHECK(reason_of(answer) == Refusal::Reason::stopping);
        fleet.settle();
        CHECK(lines_of(fleet).empty());
        break;
    }
  }
}

TEST_CASE("what cannot change is refused, with its name") {
  Fleet fleet{config_of(kSlow)};
  REQUIRE(fleet->add_group({.path = "/g"}));
  fleet.add("b");
  fleet.add("a");
  const std::string begin = "reconfigure \"a\": ";
  const std::string end = " is another one, which takes a service of its own; remove it and add it again";
  const auto says = [&](const ServicePolicy& policy) {
    const auto answer = fleet->reconfigure("a", policy);
    CHECK(reason_of(answer) == Refusal::Reason::invalid_configuration);
    return answer.refusal().message;
  };
  CHECK(says({.ready = Ready::notified}) == begin + "ready" + end);
  CHECK(says({.start_timeout = 1s}) == begin + "start_timeout" + end);
  CHECK(says({.watchdog = 1s}) == begin + "watchdog" + end);
  CHECK(says({.watchdog_needs = SignOfLife::progress}) == begin + "watchdog_needs" + end);
  CHECK(says({.order = {.after = NameList{std::vector<std::string>{"b"}}}}) == begin + "order" + end);
  CHECK(says({.group = "/g"}) == begin + "group" + end);
  CHECK(says({.stop_grace = -1s}) == begin + "stop_grace is -1s; allowed is 0s to 36500d");
  const auto unknown = fleet->reconfigure("c", {});
  CHECK(reason_of(unknown) == Refusal::Reason::unknown_service);
  CHECK(unknown.refusal().message == "reconfigure: there is no service named \"c\"");
  fleet->request_shutdown();
  CHECK(reason_of(fleet->reconfigure("a", {})) == Refusal::Reason::shutting_down);
}

TEST_CASE("a change that an end, a removal or a shutdown overtakes changes nothing") {
  for (int what = 0; what < 3; ++what) {
    CAPTURE(what);
    Fleet fleet{config_of(kSlow)};
    Script& a = fleet.add("a", RestartPolicy::never);
    (void)fleet.take();
    if (what == 0) a.end_cleanly();
    if (what == 1) fleet->request_shutdown();
    if (what == 1) CHECK_FALSE(fleet->reconfigure("a", {.restart = RestartPolicy::always}));
    if (what != 1) REQUIRE(fleet->reconfigure("a", {.restart = RestartPolicy::always}));
    if (what == 2) REQUIRE(fleet->remove("a"));
    fleet.settle();
    if (what == 2) a.end_cleanly();
    fleet.settle();
    for (const auto& line : lines_of(fleet)) CHECK((what == 2 || line.find("reconfigured") == std::string::npos));
  }
}

TEST_CASE("two changes in one instant are made in the order in which they came") {
  Fleet fleet{config_of(kSlow)};
  fleet.add("a");
  fleet.add("b");
  (void)fleet.take();
  REQUIRE(fleet->reconfigure("a", {.restart = RestartPolicy::always}));
  REQUIRE(fleet->reconfigure("b", {.stop_grace = 1s}));
  REQUIRE(fleet->reconfigure("a", {.restart = RestartPolicy::never}));
  fleet.settle();
  CHECK(lines_of(fleet) ==
        Lines{"a reconfigured always", "b reconfigured on_failure, stop_grace 1s", "a reconfigured never"});
  CHECK(fleet.snapshot("a").restart == RestartPolicy::never);
}

}  // namespace holdfast::test::supervisor_reconfigure_test
