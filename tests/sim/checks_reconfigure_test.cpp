// The rules about services that are given another policy: what they decide by, before and after.

#include <catch2/catch.hpp>

#include <chrono>
#include <string>

#include <holdfast_sim/checks/checks.hpp>

#include "checks_history.hpp"

namespace holdfast::sim::checks_test {
namespace {

using namespace std::chrono_literals;

// Every delay has a ceiling of 7 s; two failures within an hour open the breaker.
ServicePolicy another() {
  return {.restart = RestartPolicy::on_failure,
          .backoff = BackoffPolicy{.base = 7s, .max = 7s, .breaker = BreakerPolicy{.max_failures = 2, .window = 1h}}};
}
ServicePolicy the_same(RestartPolicy restart = RestartPolicy::on_failure) {
  return {.restart = restart, .backoff = kPolicy};
}

// One failure opens it, and a probe begins at 1 s that has to stay up for 5 s.
History& probing(History& history) {
  BackoffPolicy policy = kPolicy;
  policy.breaker = BreakerPolicy{1, 1h, HalfOpenPolicy{.open_for = 2s, .open_for_max = 3s, .probe_success_after = 5s}};
  history.up("a", RestartPolicy::on_failure, policy).failed().tripped(1, 1).stays_open(1, 2s, 1s);
  return history.at(1s).restarted();
}

}  // namespace

TEST_CASE("a service decides by its latest policy") {
  History history;
  history.up("a").failed().backs_off(1, 100ms, 50ms).at(10ms).reconfigured(another());
  history.at(50ms).restarted().at(1s).failed().backs_off(1, 7s, 7s).at(8s).restarted();
  history.failed().tripped(2, 2).terminated({Termination::Reason::circuit_open, 2, 2}, "boom");
  history.up("b")
      .failed()
      .backs_off(1, 100ms, 50ms)
      .at(8050ms)
      .restarted()
      .reconfigured(the_same(RestartPolicy::always));
  history.failed().backs_off(2, 200ms, 200ms).at(8250ms).restarted().exited().backs_off_cleanly();
  history.at(8350ms).restarted().reconfigured(the_same(RestartPolicy::never)).failed().given_up();
  check_held(history.finish());
}

TEST_CASE("another backoff that does not begin anew, and the same one that does") {
  History goes_on;
  goes_on.up("a").failed().backs_off(1, 100ms, 50ms).reconfigured(another()).at(50ms).restarted().failed();
  goes_on.backs_off(2, 7s, 1s).finish(EndReason::events_budget);
  check_only(goes_on, Rule::keeps_every_retry_within_its_ceiling,
             "is attempt 2 with a ceiling of 7s; right is attempt 1 with a ceiling of 7s");
  History forgets;
  forgets.up("a").failed().backs_off(1, 100ms, 50ms).reconfigured(the_same()).at(50ms).restarted().failed();
  forgets.backs_off(1, 100ms, 50ms).finish(EndReason::events_budget);
  check_only(forgets, Rule::keeps_every_retry_within_its_ceiling,
             "is attempt 1 with a ceiling of 100ms; right is attempt 2 with a ceiling of 200ms");
}

TEST_CASE("a delay that has begun goes on as it was") {
  History cut_short;
  cut_short.up("a").failed().backs_off(1, 100ms, 50ms).at(10ms).reconfigured(another()).restarted();
  cut_short.finish(EndReason::events_budget);
  check_only(cut_short, Rule::starts_when_the_delay_has_passed, "a run starts at 10ms, but is due at 50ms");
}

TEST_CASE("another backoff closes an open breaker at once, and the same one does not") {
  History closes;
  probing(closes).at(2s).reconfigured(another()).breaker_closed().at(9s).failed().backs_off(1, 7s, 7s);
  CHECK(closes.checks.counters().open_breakers == 0);
  check_held(closes.finish(EndReason::events_budget));
  History stays;
  probing(stays).at(2s).reconfigured(another()).at(3s).failed().backs_off(1, 7s, 7s).finish(EndReason::events_budget);
  check_only(stays, Rule::closes_exactly_when_the_probe_succeeds,
             "the service has another backoff, which closes the breaker; found ended");
  History by_the_same;
  BackoffPolicy policy = kPolicy;
  policy.breaker = BreakerPolicy{1, 1h, HalfOpenPolicy{.open_for = 2s, .open_for_max = 3s, .probe_success_after = 5s}};
  probing(by_the_same).at(2s).reconfigured({.restart = RestartPolicy::always, .backoff = policy}).breaker_closed();
  by_the_same.finish(EndReason::events_budget);
  check_only(by_the_same, Rule::closes_exactly_when_the_probe_succeeds,
             "the breaker closes at 2s, but its probe has stayed up at 6s");
}

TEST_CASE("a grace that has begun is that of the policy before, and says nothing of the default one") {
  ServicePolicy shorter = the_same();
  shorter.stop_grace = 1s;
  History default_grace;  // which no event has shown yet
  default_grace.added_killable("a", the_same()).restarted().commanded(Command::stop).stopping(StopCause::stop);
  default_grace.at(5s).reconfigured(shorter).at(30s).killed(30s).at(31s).abandoned(31s);
  check_held(default_grace.finish(EndReason::events_budget));
  History own_grace;
  own_grace.added_killable("a", shorter).restarted().commanded(Command::stop).stopping(StopCause::stop);
  own_grace.reconfigured(the_same()).at(1s).killed(1s).up("b").commanded(Command::stop).stopping(StopCause::stop);
  check_held(own_grace.at(20s).exited().cancelled().finish(EndReason::events_budget));  // 1 s is not the default grace
  History both;  // its own grace, and then the default one
  both.added_killable("a", shorter).restarted().commanded(Command::stop).stopping(StopCause::stop);
  both.reconfigured(the_same()).at(1s).killed(1s).at(31s).abandoned(31s).shutdown().drained();
  check_held(both.finish());
  History cut_short;
  cut_short.added_killable("a", shorter).restarted().commanded(Command::stop).stopping(StopCause::stop);
  cut_short.reconfigured(the_same()).at(500ms).killed(500ms).finish(EndReason::events_budget);
  check_only(cut_short, Rule::escalates_when_the_grace_has_passed, "is killed at 500ms, but its grace lasts until 1s");
}

TEST_CASE("a service that has terminated keeps its policy") {
  History history;
  history.up("a").exited().completed().reconfigured(another()).finish();
  check_only(history, Rule::never_runs_after_termination,
             "reconfigured is reported, though the service has terminated");
}

}  // namespace holdfast::sim::checks_test
