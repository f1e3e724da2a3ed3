// The rules about what somebody commands: stop, restart, remove (checks/detail/check_debts): good histories, and a bad
// one for each rule.

#include <catch2/catch.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <holdfast_sim/checks/checks.hpp>

#include "checks_history.hpp"

namespace holdfast::sim::checks_test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a restart command cuts a delay short, stops a running service first, and revives a terminated one") {
  History history;
  history.up("a").failed().backs_off(1, 100ms, 50ms).at(10ms).commanded(Command::restart).restarted();
  history.at(20ms).commanded(Command::restart).stopping(StopCause::restart).at(30ms).failed("late").restarted();
  history.at(40ms).failed().backs_off(1, 100ms, 50ms);
  history.at(90ms).restarted().exited().completed();
  history.at(1s).commanded(Command::restart).removed();
  history.added("a", RestartPolicy::on_failure, kPolicy, 4).restarted();
  check_held(history.finish());
}

TEST_CASE("a restart command that a remove or a shutdown overtakes is ignored") {
  History removed;
  removed.up("a").commanded(Command::restart).failed().backs_off(1, 100ms, 100ms).commanded(Command::remove);
  removed.stopping(StopCause::remove).cancelled("boom").removed();
  check_held(removed.finish());
  History shut;
  shut.up("a").commanded(Command::restart).shutdown().stopping(StopCause::shutdown).commanded(Command::restart);
  shut.commanded(Command::remove).exited().cancelled().removed().drained();
  check_held(shut.finish());
}

TEST_CASE("a stop, a remove and a shutdown in every phase") {
  History history;
  history.added("early").commanded(Command::stop).cancelled();
  history.up("runs").commanded(Command::stop).stopping(StopCause::stop).commanded(Command::stop);
  history.at(1s).failed("ignored").cancelled("ignored").commanded(Command::stop);
  history.up("waits").failed().backs_off(1, 100ms, 100ms).commanded(Command::remove).stopping(StopCause::remove);
  history.cancelled("boom").removed();
  history.up("gone").exited().completed().commanded(Command::remove).removed();
  history.up("turned").commanded(Command::restart).stopping(StopCause::restart);
  history.at(2s).up("left").of("turned").commanded(Command::remove).stopping(StopCause::remove);
  history.added("late").shutdown().of("left").stopping(StopCause::shutdown).stop_threw().of("late").cancelled();
  history.of("turned").at(3s).exited().cancelled().removed();
  history.of("left").at(4s).exited().cancelled().drained();
  check_held(history.finish());
}

TEST_CASE("stops_when_asked") {
  History ignored;
  ignored.up("a").at(1s).commanded(Command::stop).at(2s).exited().completed().finish();
  check_only(ignored, Rule::stops_when_asked,
             "a service that is asked to stop is reported as stopping, with the cause, at once; found ended");
  History forgotten;
  forgotten.up("a").up("b").at(1s).shutdown().of("a").stopping(StopCause::shutdown).at(2s).finish();
  check_only(forgotten, Rule::stops_when_asked,
             "a service that is asked to stop is reported as stopping, with the cause, at once; nothing followed");
  CHECK(forgotten.checks.violations().front().service == "b");
  CHECK(forgotten.checks.violations().front().at == TimePoint{} + 1s);
  History other_cause;
  other_cause.up("a").commanded(Command::stop).stopping(StopCause::remove).finish();
  check_only(other_cause, Rule::stops_when_asked,
             "a service that is asked to stop is reported as stopping, with the cause, at once; found stopping");
  History late;
  late.up("a").shutdown().at(1ms).stopping(StopCause::shutdown).finish();
  check_only(late, Rule::stops_when_asked,
             "a service that is asked to stop is reported as stopping, with the cause, at once; it came 1ms late");
  History completed;
  completed.up("a").commanded(Command::stop).stopping(StopCause::stop).exited().completed().finish();
  check_only(completed, Rule::stops_when_asked,
             "a service that was stopped and has no run is terminated cancelled at once; found terminated");
  History dropped;
  dropped.up("a").commanded(Command::stop).stopping(StopCause::stop).cancelled().finish();
  check_only(dropped, Rule::stops_when_asked, "is cancelled, but its run is alive");
  History unasked;
  unasked.up("a").stopping(StopCause::stop).finish();
  check_only(unasked, Rule::stops_when_asked, "stops for stop, though no such stop is requested now");
  History threw;
  threw.up("a").stop_threw().finish();
  check_only(threw, Rule::stops_when_asked, "a stop threw, but no run was asked to stop just before");
}

TEST_CASE("restarts_when_commanded") {
  History ignored;
  ignored.up("a").at(1s).commanded(Command::restart).at(2s).finish();
  check_only(ignored, Rule::restarts_when_commanded,
             "a restart command asks a running service to stop at once; nothing followed");
  History went_on;
  went_on.up("a").at(1s).commanded(Command::restart).at(2s).exited().completed().finish();
  check_only(went_on, Rule::restarts_when_commanded,
             "the restart command at 1s was ignored, though no remove or shutdown came after it");
  History waited;
  waited.up("a").failed().backs_off(1, 100ms, 100ms).at(10ms).commanded(Command::restart).at(100ms).restarted();
  waited.finish();
  check_only(waited, Rule::restarts_when_commanded,
             "a restart command starts a waiting service at once; it came 90ms late");
  History cancelled;
  cancelled.up("a").commanded(Command::restart).stopping(StopCause::restart).at(1s).exited().cancelled().finish();
  check_only(cancelled, Rule::restarts_when_commanded,
             "a run that was stopped for a restart is followed by the next one at once; found terminated");
  History numbers;
  numbers.up("a").exited().completed().commanded(Command::restart).removed().added("a").restarted().finish();
  check_only(numbers, Rule::restarts_when_commanded,
             "a restart command removes a terminated service and adds it again at once, with run numbers going on "
             "after 1; found added");
}

TEST_CASE("a restart command clears attempt and history") {
  History history;
  history.up("a").failed().backs_off(1, 100ms, 100ms).commanded(Command::restart).restarted();
  history.failed().backs_off(2, 200ms, 0ms).finish(EndReason::events_budget);
  check_only(history, Rule::keeps_every_retry_within_its_ceiling,
             "is attempt 2 with a ceiling of 200ms; right is attempt 1 with a ceiling of 100ms");
}

TEST_CASE("removes_when_commanded") {
  History unasked;
  unasked.up("a").exited().completed().removed().finish();
  check_only(unasked, Rule::removes_when_commanded, "is removed, though no removal was requested");
  History kept;
  kept.up("a").commanded(Command::remove).stopping(StopCause::remove).exited().cancelled().at(1s).finish();
  check_only(kept, Rule::removes_when_commanded,
             "a terminated service that is to be removed is removed at once; nothing followed");
  History early;
  early.up("a").commanded(Command::remove).stopping(StopCause::remove).removed().finish();
  check_only(early, Rule::removes_when_commanded, "is removed before it has terminated");
}

TEST_CASE("removed_services_stay_silent") {
  History history;
  history.up("a").exited().completed().commanded(Command::remove).removed().at(1s).commanded(Command::stop).finish();
  check_only(history, Rule::removed_services_stay_silent, "commanded is reported, though the service was removed");
  CHECK(history.checks.violations().front().events ==
        std::vector<std::string>{"0s a#1 ended clean after 0s", "0s a#1 terminated completed",
                                 "0s a#1 commanded remove", "0s a#1 removed", "1s a#1 commanded stop"});
  History usurped;
  usurped.up("a").exited().completed().added("a").restarted().finish();
  check_only(usurped, Rule::removed_services_stay_silent, "takes the place of \"a\", which was not removed");
}

TEST_CASE("a service of forget_when_done is removed in the instant in which it has terminated") {
  const ServicePolicy policy{.backoff = kPolicy, .forget_when_done = true};
  History held;
  held.added_under("done", policy).restarted().exited().completed().forgotten();
  check_held(held.at(1s).finish());
  History again;
  again.added_under("a", policy).restarted().exited().completed().commanded(Command::restart).removed();
  again.added("a", RestartPolicy::on_failure, kPolicy, 1).restarted().at(1s).exited().completed();
  check_held(again.finish());
  History shut;
  shut.added_under("a", policy).restarted().shutdown().of("a").stopping(StopCause::shutdown).exited().cancelled();
  check_held(shut.drained().at(1s).finish());
  History kept;
  kept.added_under("a", policy).restarted().exited().completed().at(1s).group("/g", Strategy::one_for_one).finish();
  check_only(kept, Rule::removes_when_commanded, "has terminated and is there, though its policy has forget_when_done");
  History at_the_end;
  at_the_end.added_under("a", policy).restarted().exited().completed().finish();
  check_only(at_the_end, Rule::removes_when_commanded,
             "has terminated and is there, though its policy has forget_when_done");
  History without_a_policy;
  without_a_policy.up("a").exited().completed().removed().finish();
  check_only(without_a_policy, Rule::removes_when_commanded, "is removed, though no removal was requested");
}

TEST_CASE("a removal says whether the policy or a command was its reason") {
  const ServicePolicy policy{.backoff = kPolicy, .forget_when_done = true};
  History by_command;
  by_command.added_under("a", policy).restarted().exited().completed().removed().finish();
  check_only(by_command, Rule::removes_when_commanded,
             "is said to be removed by a command, though its policy has forgotten it");
  const auto by_a_command = [&policy](bool runs, bool forgotten) {
    auto history = std::make_unique<History>();
    history->added_under("a", policy).restarted();
    if (!runs) history->exited().completed();
    history->commanded(Command::remove);
    if (runs) history->stopping(StopCause::remove).exited().cancelled();
    forgotten ? history->forgotten() : history->removed();
    history->at(1s).finish();
    return history;
  };
  for (const bool runs : {true, false}) {
    check_held(*by_a_command(runs, false));
    check_only(*by_a_command(runs, true), Rule::removes_when_commanded,
               "is said to be forgotten by its policy, though a command removed it");
  }
}

}  // namespace
}  // namespace holdfast::sim::checks_test
