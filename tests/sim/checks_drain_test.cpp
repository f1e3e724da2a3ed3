// The rules about graces, kills and the drain (checks/detail/check_graces, check_drain): good histories, and a bad one
// for each rule.

#include <catch2/catch.hpp>

#include <chrono>
#include <memory>
#include <string>

#include <holdfast_sim/checks/checks.hpp>

#include "checks_history.hpp"

namespace holdfast::sim::checks_test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a run that does not stop within its grace is killed, and a killed one abandoned") {
  History ends;
  ends.stopping_with_grace().at(5s).killed(5s).kill_threw().at(7s).failed("dead").cancelled("dead");
  check_held(ends.finish());
  History lives_on;
  lives_on.stopping_with_grace().at(5s).killed(5s).at(10s).abandoned(10s).at(1h).ended_late();
  check_held(lives_on.finish());
  History cannot_be_killed;
  cannot_be_killed.stopping_with_grace(false).at(5s).abandoned(5s);
  check_held(cannot_be_killed.finish());
  History obeys;
  obeys.stopping_with_grace().at(5s).exited().cancelled().at(1h);
  check_held(obeys.finish());
  History restarts;
  restarts.up_with_grace("a").commanded(Command::restart).stopping(StopCause::restart).at(1s);
  restarts.commanded(Command::remove).stopping(StopCause::remove);
  restarts.at(5s).killed(5s).failed("dead").cancelled("dead").removed();
  check_held(restarts.finish());
  History still_waits;
  still_waits.stopping_with_grace().at(5s).killed(5s).at(10s - 1ns);
  check_held(still_waits.finish());
}

TEST_CASE("in a drain, runs are killed and abandoned by their graces, and the rest by the drain") {
  History history;
  history.up_with_grace("a").up_with_grace("b", false, 20s).up("c").at(1s).shutdown();
  for (const char* const name : {"a", "b", "c"}) history.of(name).stopping(StopCause::shutdown);
  history.of("a").at(6s).killed(5s).at(11s).abandoned(10s).of("b").at(21s).abandoned(20s);
  history.of("c").at(31s).abandoned(30s).drained(DrainOutcome::deadline);
  check_held(history.finish());
  History all_by_graces;
  all_by_graces.up_with_grace("a", false).shutdown().stopping(StopCause::shutdown).at(5s).abandoned(5s).drained();
  check_held(all_by_graces.finish());
  // Within one instant the two cannot be distinguished.
  for (const auto outcome : {DrainOutcome::deadline, DrainOutcome::drained}) {
    History at_once;
    at_once.up_with_grace("a", false, 30s).shutdown().stopping(StopCause::shutdown).at(30s).abandoned(30s);
    check_held(at_once.drained(outcome).finish());
  }
}

TEST_CASE("a drain that ends at its deadline abandons services that are left, and a late end is reported once") {
  History history;
  history.up("a").up("b").at(10s).shutdown().of("a").stopping(StopCause::shutdown).of("b");
  history.stopping(StopCause::shutdown).at(11s).exited().cancelled();
  history.of("a").at(40s).abandoned(30s).drained(DrainOutcome::deadline).at(50s).ended_late();
  check_held(history.finish());
}

TEST_CASE("a drain is cut short by command, or over at once when no service is left") {
  History cut;
  cut.up("a").shutdown().stopping(StopCause::shutdown).at(1s).abandoned(1s).drained(DrainOutcome::cut_short);
  check_held(cut.finish());
  History empty;
  empty.up("a").exited().completed().shutdown(ShutdownCause::all_terminated).drained();
  check_held(empty.finish());
}

TEST_CASE("escalates_when_the_grace_has_passed") {
  History never_killed;
  never_killed.stopping_with_grace().at(6s).finish();
  check_only(never_killed, Rule::escalates_when_the_grace_has_passed,
             "the run was not killed by 6s, though its grace was over at 5s");
  History never_abandoned;
  never_abandoned.stopping_with_grace().at(5s).killed(5s).at(10s).finish();
  check_only(never_abandoned, Rule::escalates_when_the_grace_has_passed,
             "the run was not abandoned by 10s, though its grace was over at 10s");
  History overdue;
  overdue.stopping_with_grace().at(6s).exited().cancelled().finish();
  check_only(overdue, Rule::escalates_when_the_grace_has_passed,
             "the run was not killed, though its grace was over at 5s");
  History early;
  early.stopping_with_grace().at(4s).killed(4s).exited().cancelled().finish();
  check_only(early, Rule::escalates_when_the_grace_has_passed, "is killed at 4s, but its grace lasts until 5s");
  History late;
  late.stopping_with_grace().at(6s).killed(6s).exited().cancelled().finish();
  check_only(late, Rule::escalates_when_the_grace_has_passed, "is killed at 6s, but its grace lasts until 5s");
  History measured_from_elsewhere;
  measured_from_elsewhere.stopping_with_grace().at(5s).killed(4s).exited().cancelled().finish();
  check_only(measured_from_elsewhere, Rule::escalates_when_the_grace_has_passed,
             "is killed after 5s, but 4s is reported");
  History twice;
  twice.stopping_with_grace().at(5s).killed(5s).at(10s).killed(10s).exited().cancelled().finish();
  check_only(twice, Rule::escalates_when_the_grace_has_passed, "is killed again");
  History invulnerable;
  invulnerable.stopping_with_grace(false).at(5s).killed(5s).exited().cancelled().finish();
  check_only(invulnerable, Rule::escalates_when_the_grace_has_passed, "is killed, though it cannot be");
  History unasked;
  unasked.up_with_grace("a").at(5s).killed(5s).finish();
  check_only(unasked, Rule::escalates_when_the_grace_has_passed, "is killed, but no run was given a grace");
  History cannot_be_killed;
  cannot_be_killed.up("a").commanded(Command::stop).stopping(StopCause::stop).at(5s).killed(5s).finish();
  check_only(cannot_be_killed, Rule::escalates_when_the_grace_has_passed, "is killed, though it cannot be");
  History skipped;
  skipped.stopping_with_grace().at(5s).abandoned(5s).finish();
  check_only(skipped, Rule::escalates_when_the_grace_has_passed, "is abandoned, but was to be killed first");
  History given_up_early;
  given_up_early.stopping_with_grace().at(5s).killed(5s).at(6s).abandoned(6s).finish();
  check_only(given_up_early, Rule::escalates_when_the_grace_has_passed,
             "is abandoned at 6s, but its grace lasts until 10s");
  History wrong_length;
  wrong_length.stopping_with_grace(false).at(5s).abandoned(4s).finish();
  check_only(wrong_length, Rule::escalates_when_the_grace_has_passed, "is abandoned after 5s, but 4s is reported");
  History threw;
  threw.stopping_with_grace().kill_threw().exited().cancelled().finish();
  check_only(threw, Rule::escalates_when_the_grace_has_passed, "a kill threw, but no run was killed just before");
}

TEST_CASE("shuts_down_once") {
  History twice;
  twice.up("a").shutdown().stopping(StopCause::shutdown).at(1s).shutdown().exited().cancelled().drained().finish();
  check_only(twice, Rule::shuts_down_once, "a shutdown is requested again");
  History too_early;
  too_early.up("a").shutdown(ShutdownCause::all_terminated).stopping(StopCause::shutdown).exited().cancelled();
  too_early.drained().finish();
  check_only(too_early, Rule::shuts_down_once, "all are said to have terminated, but 1 are active (a)");
}

TEST_CASE("a fleet ends with a service whose policy says so, and with no other") {
  struct Fleet : History {
    explicit Fleet(EndsFleet when, RestartPolicy restart = RestartPolicy::never) {
      added_under("main", {.restart = restart, .backoff = kPolicy, .ends_fleet = when}).restarted();
      added_under("other", {.restart = restart, .backoff = kPolicy}).restarted();
      at(1s).of("main");
    }
    Fleet& ends() {
      of("other").stopping(StopCause::shutdown).exited().cancelled().drained().finish();
      return *this;
    }
  };
  SECTION("when it is lost") {
    Fleet lost{EndsFleet::when_lost};
    lost.failed().given_up().fleet_ends_with("main");
    check_held(lost.ends());
    Fleet goes_on{EndsFleet::when_lost};
    goes_on.exited().completed().finish(EndReason::events_budget);
    check_held(goes_on);
    Fleet unasked{EndsFleet::when_lost};
    unasked.exited().completed().fleet_ends_with("main");
    check_only(unasked.ends(), Rule::shuts_down_once,
               "the fleet ends with \"main\", though nothing calls for that now");
  }
  SECTION("always, but for a command") {
    Fleet completed{EndsFleet::always};
    completed.exited().completed().fleet_ends_with("main");
    check_held(completed.ends());
    Fleet stopped{EndsFleet::always};
    stopped.commanded(Command::stop).stopping(StopCause::stop).exited().cancelled();
    stopped.at(2s).finish(EndReason::events_budget);
    check_held(stopped);
    Fleet ends_all_the_same{EndsFleet::always};
    ends_all_the_same.commanded(Command::stop).stopping(StopCause::stop).exited().cancelled().fleet_ends_with("main");
    check_only(ends_all_the_same.ends(), Rule::shuts_down_once,
               "the fleet ends with \"main\", though nothing calls for that now");
  }
  SECTION("in that very instant, and with its name") {
    Fleet never{EndsFleet::when_lost};
    never.failed().given_up();
    never.at(2s).of("other").exited().completed().finish();
    check_only(never, Rule::shuts_down_once,
               "has ended, and the fleet does not end with it, though its ends_fleet says so");
    Fleet at_the_end{EndsFleet::always};
    at_the_end.of("other").exited().completed().of("main").exited().completed().finish();
    check_only(at_the_end, Rule::shuts_down_once,
               "has ended, and the fleet does not end with it, though its ends_fleet says so");
    Fleet misnamed{EndsFleet::when_lost};
    misnamed.failed().given_up().fleet_ends_with("other");
    check_only(misnamed.ends(), Rule::shuts_down_once,
               "the fleet ends with \"other\", though nothing calls for that now");
    Fleet by_hand{EndsFleet::when_lost};
    by_hand.failed().given_up().shutdown();
    check_held(by_hand.ends());
  }
}

TEST_CASE("drains_by_its_deadline") {
  const auto stopping = [] {
    auto history = std::make_unique<History>();
    history->up_with_grace("a", false, 1min).at(10s).shutdown().stopping(StopCause::shutdown);
    return history;
  };
  auto late = stopping();
  late->at(41s).abandoned(31s).drained(DrainOutcome::deadline).finish();
  check_only(*late, Rule::drains_by_its_deadline, "the drain must be over by 40s, and is not (a)");
  auto never = stopping();
  never->at(40s).finish();
  check_only(*never, Rule::drains_by_its_deadline, "the drain must be over by 40s, and is not (a)");
  auto early = stopping();
  early->at(39s).abandoned(29s).drained(DrainOutcome::deadline).finish();
  check_only(*early, Rule::drains_by_its_deadline,
             "the deadline is 40s, but the drain is reported to have met it at 39s");
  auto after = stopping();
  after->at(40s).abandoned(40s).drained(DrainOutcome::deadline).finish();
  check_only(*after, Rule::drains_by_its_deadline, "is abandoned after 30s, but 40s is reported");
  auto active = stopping();
  active->at(11s).drained(DrainOutcome::cut_short).finish();
  check_only(*active, Rule::drains_by_its_deadline, "1 services are active after the drain (a)");
  auto nobody = stopping();
  nobody->at(11s).exited().cancelled().drained(DrainOutcome::cut_short).finish();
  check_only(*nobody, Rule::drains_by_its_deadline, "is reported as cut_short, but no service was killed or abandoned");
  auto somebody = stopping();
  somebody->at(11s).abandoned(1s).drained().finish();
  check_only(*somebody, Rule::drains_by_its_deadline, "is reported as drained, but 1 services were abandoned");
  auto lingering = stopping();
  lingering->at(11s).exited().cancelled().at(12s).drained().finish();
  check_only(*lingering, Rule::drains_by_its_deadline, "the drain must be over by 11s, and is not");
  auto twice = stopping();
  twice->exited().cancelled().drained().drained().finish();
  check_only(*twice, Rule::drains_by_its_deadline, "a drain is over again");
  History unasked;
  unasked.up("a").exited().completed().drained().finish();
  check_only(unasked, Rule::drains_by_its_deadline, "a drain is over, but no shutdown was requested");
  History no_drain;
  no_drain.up("a").at(30s).abandoned(30s).finish();
  check_only(no_drain, Rule::drains_by_its_deadline, "is abandoned, but no drain is under way");
}

TEST_CASE("tells_late_ends_once") {
  const auto abandoned = [] {
    auto history = std::make_unique<History>();
    history->up("a").shutdown().stopping(StopCause::shutdown).at(30s).abandoned(30s);
    history->drained(DrainOutcome::deadline);
    return history;
  };
  auto twice = abandoned();
  twice->at(40s).ended_late().ended_late().finish();
  check_only(*twice, Rule::tells_late_ends_once, "the late end of the run is reported again");
  auto not_late = abandoned();
  not_late->at(40s).exited().finish();
  check_only(*not_late, Rule::tells_late_ends_once, "the end of an abandoned run is reported as ended");
  History nobody;
  nobody.up("a").at(1s).ended_late().finish();
  check_only(nobody, Rule::tells_late_ends_once, "a late end is reported, but no run was abandoned");
}

}  // namespace
}  // namespace holdfast::sim::checks_test
