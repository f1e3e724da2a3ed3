// The rules about runs and what follows their ends (checks/detail/check_lives, check_end): good histories, and a bad
// one for each rule.

#include <catch2/catch.hpp>

#include <chrono>
#include <string>

#include <holdfast/backoff.hpp>
#include <holdfast_sim/checks/checks.hpp>

#include "checks_history.hpp"

namespace holdfast::sim::checks_test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a fatal error and the policy never do not ask the breaker") {
  BackoffPolicy one_is_enough = kPolicy;
  one_is_enough.breaker->max_failures = 1;
  History history;
  history.up("a", RestartPolicy::always, one_is_enough).ended(Outcome::fatal, "boom").given_up();
  history.up("b", RestartPolicy::never, one_is_enough).ended(Outcome::threw, "boom").given_up();
  check_held(history.finish());
}

TEST_CASE("makes_only_legal_transitions") {
  History again;
  again.up("a").running().finish();
  check_only(again, Rule::makes_only_legal_transitions, "running may not follow running");
  History back;
  back.up("a").commanded(Command::stop).stopping(StopCause::stop).running().finish();
  check_only(back, Rule::makes_only_legal_transitions, "running may not follow stopping");
  History waiting;
  waiting.up("a").failed().backs_off(1, 100ms, 100ms).running().finish();
  check_only(waiting, Rule::makes_only_legal_transitions, "running may not follow backing_off");
}

TEST_CASE("runs_are_numbered_in_order") {
  History gap;
  gap.up("a").failed().backs_off(1, 100ms, 0ms).skip_a_run().restarted().finish();
  check_only(gap, Rule::runs_are_numbered_in_order, "run 3 follows run 1");
  History two;
  two.up("a").restarted().finish();
  check_only(two, Rule::runs_are_numbered_in_order, "a run starts while run 1 is alive");
  History twice;
  twice.up("a").failed().backs_off(1, 100ms, 100ms).failed().finish();
  check_only(twice, Rule::runs_are_numbered_in_order, "a run ends, but none is alive");
  History late;
  late.added("a").started().at(1s).running().finish();
  check_only(late, Rule::runs_are_numbered_in_order,
             "a run that started is reported as running at once; it came 1s late");
  History never;
  never.added("a").started().finish();
  check_only(never, Rule::runs_are_numbered_in_order,
             "a run that started is reported as running at once; nothing followed");
}

TEST_CASE("tells_how_long_runs_lasted") {
  History history;
  history.at(1s).up("a").at(3s).ended(Outcome::failed, "boom", 3s).backs_off(1, 100ms, 100ms).finish();
  check_only(history, Rule::tells_how_long_runs_lasted, "the run lasted 2s, from 1s, but 3s is reported");
}

TEST_CASE("a start that is ready in time, one that is not and fails, and one that is abandoned") {
  History history;
  history.starting_slowly("a").at(5s).running().at(6min).failed().backs_off(1, 100ms, 100ms);
  history.at(6min + 100ms).started().at(6min + 5100ms).stopping(StopCause::start_timeout);
  history.at(6min + 6s)
      .failed("not ready within 5s: no database")
      .backs_off(2, 200ms, 100ms)
      .at(6min + 6100ms)
      .started();
  history.at(6min + 6200ms).exited().completed("");
  check_held(history.finish());
  History abandoned;
  abandoned.starting_slowly("a", true).at(5s).stopping(StopCause::start_timeout).at(7s).goes_on(2s);
  abandoned.backs_off(1, 100ms, 100ms).at(7100ms).started().running();
  check_held(abandoned.finish());
  History never;
  never.starting_slowly("a", true, RestartPolicy::never).at(5s).stopping(StopCause::start_timeout).at(7s).goes_on(2s);
  never.given_up("not ready within 5s");
  check_held(never.finish());
  History commanded;
  commanded.starting_slowly("a").at(5s).stopping(StopCause::start_timeout).at(6s).commanded(Command::restart);
  commanded.stopping(StopCause::restart).exited().started().commanded(Command::stop).stopping(StopCause::stop);
  commanded.exited().cancelled();
  check_held(commanded.finish());
}

TEST_CASE("gives_up_a_start_exactly_at_its_timeout") {
  History early;
  early.starting_slowly("a").at(4s).stopping(StopCause::start_timeout).finish(EndReason::events_budget);
  check_only(early, Rule::gives_up_a_start_exactly_at_its_timeout,
             "is stopped for its start_timeout at 4s, but has until 5s");
  History late;
  late.starting_slowly("a").at(6s).stopping(StopCause::start_timeout).finish(EndReason::events_budget);
  check_only(late, Rule::gives_up_a_start_exactly_at_its_timeout,
             "the run was not stopped, though it was not ready at 5s");
  History ready_late;
  ready_late.starting_slowly("a").at(5s + 1ns).running().finish();
  check_only(ready_late, Rule::gives_up_a_start_exactly_at_its_timeout,
             "the run was not stopped, though it was not ready at 5s");
  History never;
  never.starting_slowly("a").at(6s).finish();
  check_only(never, Rule::gives_up_a_start_exactly_at_its_timeout,
             "the run was not stopped by 6s, though it was not ready at 5s");
  History is_ready;
  is_ready.starting_slowly("a").running().at(5s).stopping(StopCause::start_timeout).finish(EndReason::events_budget);
  check_only(is_ready, Rule::gives_up_a_start_exactly_at_its_timeout,
             "is stopped for its start_timeout, but no run is starting");
  History obeyed;
  obeyed.starting_slowly("a").at(5s).stopping(StopCause::start_timeout).exited().completed().finish();
  check_only(obeyed, Rule::gives_up_a_start_exactly_at_its_timeout,
             "ends clean with the error \"\"; a run that was stopped because it was not ready in time fails with \"not "
             "ready within 5s\"");
}

TEST_CASE("a run that hangs and fails, one that is heard again, one that is abandoned, and one that is stopped") {
  History history;
  history.watched("a").at(2s).heard().at(4s).silent_since(TimePoint{} + 2s).at(7s).stopping(StopCause::watchdog);
  history.at(8s).failed("no heartbeat for 5s: deadlock").backs_off(1, 100ms, 100ms).at(8100ms).restarted();
  history.at(9s).heard().at(11s).silent_since(TimePoint{} + 9s).at(12s).heard().at(1h).exited().completed("");
  check_held(history.finish());
  History never_heard;  // signs of life that nobody tells of
  never_heard.watched("a").at(17s).stopping(StopCause::watchdog).failed("no heartbeat for 5s").backs_off(1, 100ms, 0s);
  never_heard.restarted();
  check_held(never_heard.finish());
  History abandoned;
  abandoned.watched("a", true).at(5s).stopping(StopCause::watchdog).at(7s).goes_on(2s);
  abandoned.backs_off(1, 100ms, 100ms).at(7100ms).restarted();
  check_held(abandoned.finish());
  History commanded;
  commanded.watched("a").at(5s).stopping(StopCause::watchdog).at(6s).commanded(Command::restart);
  commanded.stopping(StopCause::restart).exited().restarted().commanded(Command::stop).stopping(StopCause::stop);
  commanded.exited().cancelled();
  check_held(commanded.finish());
}

TEST_CASE("gives_up_a_hang_exactly_at_its_watchdog") {
  History early;
  early.watched("a").at(4s).stopping(StopCause::watchdog).finish(EndReason::events_budget);
  check_only(early, Rule::gives_up_a_hang_exactly_at_its_watchdog,
             "is stopped for its watchdog at 4s, but has until 5s");
  History silent;
  silent.watched("a").at(2s).heard().at(4s).silent_since(TimePoint{} + 2s).at(6s).stopping(StopCause::watchdog);
  silent.finish(EndReason::events_budget);
  check_only(silent, Rule::gives_up_a_hang_exactly_at_its_watchdog,
             "is stopped for its watchdog at 6s, but has until 7s");
  History late;
  late.watched("a").at(2s).heard().at(4s).silent_since(TimePoint{} + 2s).at(8s).stopping(StopCause::watchdog);
  late.finish(EndReason::events_budget);
  check_only(late, Rule::gives_up_a_hang_exactly_at_its_watchdog,
             "the run was not stopped, though it had been silent for its watchdog at 7s");
  History never;
  never.watched("a").at(2s).heard().at(4s).silent_since(TimePoint{} + 2s).at(8s).finish();
  check_only(never, Rule::gives_up_a_hang_exactly_at_its_watchdog,
             "the run was not stopped by 8s, though it had been silent for its watchdog at 7s");
  History alive;
  alive.watched("a").at(2s).heard().at(9s).stopping(StopCause::watchdog).finish(EndReason::events_budget);
  check_only(alive, Rule::gives_up_a_hang_exactly_at_its_watchdog, "is stopped as hung, but gives signs of life");
  History unwatched;
  unwatched.up("a").at(9s).stopping(StopCause::watchdog).finish(EndReason::events_budget);
  check_only(unwatched, Rule::gives_up_a_hang_exactly_at_its_watchdog, "is stopped for its watchdog, but has none");
  History obeyed;
  obeyed.watched("a").at(5s).stopping(StopCause::watchdog).exited().completed().finish();
  check_only(obeyed, Rule::gives_up_a_hang_exactly_at_its_watchdog,
             "ends clean with the error \"\"; a run that was stopped because it gave no sign of life fails with \"no "
             "heartbeat for 5s\"");
}

TEST_CASE("never_runs_after_termination") {
  History history;
  history.up("a").exited().completed().at(1s).restarted().finish();
  check_only(history, Rule::never_runs_after_termination, "started is reported, though the service has terminated");
}

TEST_CASE("never_starts_after_shutdown") {
  History history;
  history.up("a").up("b").at(1s).shutdown().of("a").stopping(StopCause::shutdown).of("b");
  history.stopping(StopCause::shutdown).at(2s).exited().restarted().at(3s).finish();
  check_only(history, Rule::never_starts_after_shutdown, "a run starts after the shutdown requested at 1s");
}

TEST_CASE("follows_the_restart_policy") {
  History completed;
  completed.up("a").exited().backs_off_cleanly().finish();
  check_only(completed, Rule::follows_the_restart_policy,
             "a clean exit under this policy is followed by terminated completed; found backing_off");
  History always;
  always.up("a", RestartPolicy::always).exited().completed().finish();
  check_only(always, Rule::follows_the_restart_policy,
             "a clean exit under always is followed by backing_off clean_exit; found terminated");
  History never;
  never.up("a", RestartPolicy::never).failed().backs_off(1, 100ms, 1ms).finish();
  check_only(never, Rule::follows_the_restart_policy,
             "a fatal error, or a failure under never, is followed by terminated failed; found backing_off");
  History fatal;
  fatal.up("a", RestartPolicy::always).ended(Outcome::fatal, "boom").backs_off(1, 100ms, 1ms).finish();
  check_only(fatal, Rule::follows_the_restart_policy,
             "a fatal error, or a failure under never, is followed by terminated failed; found backing_off");
  History gave_up;
  gave_up.up("a").failed().given_up().finish();
  check_only(gave_up, Rule::follows_the_restart_policy,
             "a failure that does not fill the window is followed by backing_off failure; found terminated");
  History nothing;
  nothing.up("a").failed().at(1s).finish();
  check_only(nothing, Rule::follows_the_restart_policy,
             "a failure that does not fill the window is followed by backing_off failure; nothing followed");
  History out_of_the_blue;
  out_of_the_blue.up("a").at(1s).completed().finish();
  check_only(out_of_the_blue, Rule::follows_the_restart_policy, "terminates completed, but no run ended just before");
}

TEST_CASE("takes_an_exit_status_as_its_policy_says") {
  History right;
  right.up_with_rules("a").ended_with(3, Outcome::clean).completed();
  right.up_with_rules("b").ended_with(78, Outcome::fatal, "boom").given_up();
  right.up_with_rules("c").ended_with(0, Outcome::failed, "boom").backs_off(1, 100ms, 1ms);
  right.at(1ms).restarted().ended_with(0, Outcome::threw, "boom").backs_off(2, 200ms, 1ms);
  right.at(2ms).restarted().ended_with(4, Outcome::failed, "boom").tripped().circuit_open();
  right.up_with_rules("d", RestartPolicy::always).ended_with(78, Outcome::done).completed().finish();
  check_held(right);
  History retried;
  retried.up_with_rules("a").ended_with(78, Outcome::failed, "boom").backs_off(1, 100ms, 1ms).finish();
  check_only(retried, Rule::takes_an_exit_status_as_its_policy_says,
             "exit status 78 ends the run as failed; by its exit_rules it is fatal");
  History failed;
  failed.up_with_rules("a").ended_with(3, Outcome::failed, "boom").backs_off(1, 100ms, 1ms).finish();
  check_only(failed, Rule::takes_an_exit_status_as_its_policy_says,
             "exit status 3 ends the run as failed; by its exit_rules it is clean");
  History clean;
  clean.up_with_rules("a").ended_with(0, Outcome::clean).completed().finish();
  check_only(clean, Rule::takes_an_exit_status_as_its_policy_says,
             "exit status 0 ends the run as clean; by its exit_rules it is a failure that may be retried");
  History large;
  large.up_with_rules("a").ended_with(256, Outcome::clean).completed().finish();
  check_only(large, Rule::takes_an_exit_status_as_its_policy_says, "reports the exit status 256; allowed is 0 to 255");
}

TEST_CASE("an end for good completes a service under always") {
  History history;
  history.up("a", RestartPolicy::always).ended(Outcome::done).backs_off_cleanly().finish();
  check_only(history, Rule::follows_the_restart_policy,
             "a clean exit under this policy is followed by terminated completed; found backing_off");
}

TEST_CASE("last_error_is_kept") {
  History stale;
  stale.up("a").failed("first").backs_off(1, 100ms, 0ms).restarted().failed("second").backs_off(2, 200ms, 0ms);
  stale.restarted().exited().completed("first").finish();
  check_only(stale, Rule::last_error_is_kept, "the error of the last run is reported as \"first\", but was \"\"");
  History lost;
  lost.up("a").commanded(Command::stop).stopping(StopCause::stop).failed("late").cancelled().finish();
  check_only(lost, Rule::last_error_is_kept, "the error of the last run is reported as \"\", but was \"late\"");
}

// The grace of services that have none of their own shows with the first kill, unless the supervisor stood still
// meanwhile.
TEST_CASE("a stall during the first grace says nothing about how long graces are") {
  for (const auto kind : {ChaosEvent::Kind::stalled, ChaosEvent::Kind::late}) {
    CAPTURE(to_string(kind));
    const ServicePolicy policy{.backoff = kPolicy};
    History history;
    history.added_killable("a", policy).restarted().commanded(Command::stop).stopping(StopCause::stop);
    history.at(1s).pulse(kind, TimePoint{} + 100s).at(130s).killed(130s).at(160s).abandoned(160s);
    check_held(history.finish(EndReason::events_budget));
    History told;
    told.added_killable("a", policy).restarted().commanded(Command::stop).stopping(StopCause::stop);
    told.at(130s).killed(130s).at(160s).abandoned(160s).finish(EndReason::events_budget);
    CHECK(texts_of(told.checks).size() == 1);
  }
}

}  // namespace
}  // namespace holdfast::sim::checks_test
