// The rules about the circuit breaker (checks/detail/check_retries): good histories, and a bad one for each rule.

#include <catch2/catch.hpp>

#include <chrono>
#include <string>

#include <holdfast_sim/checks/checks.hpp>

#include "checks_history.hpp"

namespace holdfast::sim::checks_test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("three failures within the window, each after its delay, then an open circuit") {
  History history;
  history.up("a").at(1s).failed().backs_off(1, 100ms, 100ms).at(1100ms).restarted();
  history.at(2s).failed().backs_off(2, 200ms, 0ms).restarted().at(3s).failed().tripped().circuit_open();
  check_held(history.finish());
}

TEST_CASE("a failure that is exactly as old as the window still counts, and one a nanosecond older does not") {
  History full;
  full.up("a").at(1s).failed().backs_off(1, 100ms, 0ms).restarted();
  full.at(30s).failed().backs_off(2, 200ms, 0ms).restarted().at(61s).failed().tripped().circuit_open();
  check_held(full.finish());
  History empty;
  empty.up("a").at(1s).failed().backs_off(1, 100ms, 0ms).restarted();
  empty.at(30s).failed().backs_off(2, 200ms, 0ms).restarted().at(61s + 1ns).failed().backs_off(3, 400ms, 1ms);
  check_held(empty.finish());
}

TEST_CASE("trips_exactly_when_the_window_says_so") {
  const std::string window = "3 failures within 1min open the breaker, the latest were at ";
  History early;
  early.up("a").at(1s).failed().backs_off(1, 100ms, 0ms).restarted().failed().tripped().circuit_open().finish();
  check_only(early, Rule::trips_exactly_when_the_window_says_so,
             "a failure that does not fill the window is followed by backing_off failure; found breaker_tripped; " +
                 window + "1s 1s");
  History not_at_all;
  not_at_all.up("a").failed().backs_off(1, 100ms, 0ms).restarted().failed().backs_off(2, 200ms, 0ms).restarted();
  not_at_all.at(1min).failed().backs_off(3, 400ms, 0ms).restarted().finish();
  check_only(not_at_all, Rule::trips_exactly_when_the_window_says_so,
             "a failure that fills the window, or of a probe, is followed by breaker_tripped; found backing_off; " +
                 window + "0s 0s 1min");
  History numbers;
  numbers.up("a").failed().backs_off(1, 100ms, 0ms).restarted().failed().backs_off(2, 200ms, 0ms).restarted();
  numbers.failed().tripped().circuit_open(2).finish();
  check_only(numbers, Rule::trips_exactly_when_the_window_says_so, "reports 2/3 failures instead of 3/3");
  History unannounced;
  unannounced.up("a").failed().circuit_open().finish();
  check_only(
      unannounced, Rule::trips_exactly_when_the_window_says_so,
      "a failure that does not fill the window is followed by backing_off failure; found terminated; " + window + "0s");
  History lingering;
  lingering.up("a").failed().backs_off(1, 100ms, 0ms).restarted().failed().backs_off(2, 200ms, 0ms).restarted();
  lingering.failed().tripped().finish();
  check_only(lingering, Rule::trips_exactly_when_the_window_says_so,
             "a tripped breaker is followed by terminated circuit breaker open; nothing followed");
  History off;
  off.up("a", RestartPolicy::on_failure, without_breaker()).exited().tripped(0, 0).finish(EndReason::events_budget);
  CHECK(off.checks.violations().front().says ==
        "a clean exit under this policy is followed by terminated completed; found breaker_tripped; "
        "the breaker is off");
}

TEST_CASE("a breaker that counts ends trips at clean exits, and its probe fails with one") {
  BackoffPolicy ends = kPolicy;
  ends.breaker->counts = BreakerCounts::ends;
  History right;
  right.up("a", RestartPolicy::always, ends).exited().backs_off_cleanly().at(100ms).restarted();
  right.failed().backs_off(1, 100ms, 0ms).restarted().exited().tripped().circuit_open(3, "").finish();
  check_held(right);
  History too_late;
  too_late.up("a", RestartPolicy::always, ends).exited().backs_off_cleanly().at(100ms).restarted();
  too_late.exited().backs_off_cleanly().at(200ms).restarted().exited().backs_off_cleanly().finish();
  check_only(too_late, Rule::trips_exactly_when_the_window_says_so,
             "a failure that fills the window, or of a probe, is followed by breaker_tripped; found backing_off; 3 "
             "failures within 1min open the breaker, the latest were at 0s 100ms 200ms");
  ends.breaker = BreakerPolicy{1, 1min, HalfOpenPolicy{.open_for = 2s, .open_for_max = 3s}, BreakerCounts::ends};
  History probe;
  probe.up("a", RestartPolicy::always, ends).exited().tripped(1, 1).stays_open(1, 2s, 1s).at(1s).restarted();
  probe.exited().tripped(1, 1).stays_open(2, 3s, 2s).finish();
  check_held(probe);
}

TEST_CASE("closes_exactly_when_the_probe_succeeds") {
  History right;
  right.probing().at(2s).failed().tripped(1, 1).stays_open(2, 3s, 2s).at(4s).restarted();
  right.at(9s).breaker_closed(2).at(10s).failed().tripped(1, 1).stays_open(1, 2s, 2s);
  right.commanded(Command::reset).breaker_closed().restarted().finish();
  CHECK(texts_of(right.checks) == std::vector<std::string>{});
  History early;
  early.probing().at(5s).breaker_closed().finish(EndReason::events_budget);
  check_only(early, Rule::closes_exactly_when_the_probe_succeeds,
             "the breaker closes at 5s, but its probe has stayed up at 6s");
  History late;
  late.probing().at(7s).breaker_closed().finish(EndReason::events_budget);
  check_only(late, Rule::closes_exactly_when_the_probe_succeeds,
             "the breaker has not closed, though its probe had stayed up at 6s");
  History never;
  never.probing().at(8s).finish(EndReason::finished);
  check_only(never, Rule::closes_exactly_when_the_probe_succeeds,
             "the breaker has not closed by 8s, though its probe had stayed up at 6s");
  History by_nobody;
  by_nobody.up("a").breaker_closed().finish(EndReason::events_budget);
  check_only(by_nobody, Rule::closes_exactly_when_the_probe_succeeds, "the breaker closes, but it was not open");
  History while_open;
  while_open.probing().at(2s).failed().tripped(1, 1).stays_open(2, 3s, 2s).at(3s).breaker_closed(2);
  while_open.finish(EndReason::events_budget);
  check_only(while_open, Rule::closes_exactly_when_the_probe_succeeds,
             "the breaker closes, but no probe has succeeded and no command asks for it");
  History clean;
  clean.probing().at(2s).exited().completed().finish();
  check_only(clean, Rule::closes_exactly_when_the_probe_succeeds,
             "the probe ended cleanly, which closes the breaker; found terminated");
  History numbers;
  numbers.probing().at(6s).breaker_closed(3).finish(EndReason::events_budget);
  check_only(numbers, Rule::closes_exactly_when_the_probe_succeeds, "reports 3 openings, but there were 1");
  History by_command;
  by_command.probing()
      .at(2s)
      .failed()
      .tripped(1, 1)
      .stays_open(2, 3s, 2s)
      .at(3s)
      .commanded(Command::restart)
      .restarted();
  by_command.finish(EndReason::events_budget);
  check_only(by_command, Rule::closes_exactly_when_the_probe_succeeds,
             "a command starts or restarts the service, but its breaker has not closed");
  History retried;  // as if a probe were any run
  retried.probing().at(2s).failed().backs_off(2, 200ms, 0ms).restarted().finish(EndReason::events_budget);
  CHECK(retried.checks.violations().front().says.starts_with(
      "a failure that fills the window, or of a probe, is followed by breaker_tripped; found backing_off"));
  History too_soon;
  too_soon.probing().at(2s).failed().tripped(1, 1).stays_open(2, 3s, 1s).finish(EndReason::events_budget);
  check_only(too_soon, Rule::keeps_every_retry_within_its_ceiling, "the delay is 1s; allowed is 1s500ms to 3s");
}

}  // namespace
}  // namespace holdfast::sim::checks_test
