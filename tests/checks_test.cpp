// Every rule of checks.hpp on histories written by hand, bad ones and good ones, and on whatever the real supervisor
// does.

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <holdfast/backoff.hpp>
#include <holdfast/random.hpp>
#include <holdfast/supervisor.hpp>
#include <holdfast_sim/checks.hpp>
#include <holdfast_sim/virtual_scheduler.hpp>

namespace holdfast::sim::checks_test {
namespace {

using namespace std::chrono_literals;

// Every delay has a ceiling of 100 ms, 200 ms, 400 ms …; three failures within a minute open the breaker.
constexpr BackoffPolicy kPolicy{.base = 100ms,
                                .max = 1s,
                                .cooldown = 5min,
                                .clean_restart_delay = 100ms,
                                .breaker = BreakerPolicy{.max_failures = 3, .window = 1min}};

BackoffPolicy without_breaker() {
  BackoffPolicy policy = kPolicy;
  policy.breaker = std::nullopt;
  return policy;
}

// Tells a history event by event. What an event says is right by itself (numbers, runs, lengths) unless it is said
// otherwise; the events are about the service that was named last.
class History {
 public:
  History& at(Duration time) {
    now_ = TimePoint{} + time;
    return *this;
  }
  History& of(const std::string& name) {
    name_ = name;
    return *this;
  }

  History& added(const std::string& name, RestartPolicy restart = RestartPolicy::on_failure,
                 BackoffPolicy policy = kPolicy, std::uint64_t runs_before = 0) {
    name_ = name;
    ServiceId id{static_cast<std::uint32_t>(services_.size()), 1};
    if (const auto known = services_.find(name); known != services_.end()) {
      id = {known->second.id.slot, known->second.id.generation + 1};
    }
    services_[name] = {.id = id, .run = runs_before};
    return tell(event::Added{restart, &policy, {runs_before}});
  }
  // A service with a run that is ready.
  History& up(const std::string& name, RestartPolicy restart = RestartPolicy::on_failure,
              BackoffPolicy policy = kPolicy) {
    return added(name, restart, policy).started().running();
  }
  History& started() {
    ++service().run;
    service().began = now_;
    return tell(event::Started{});
  }
  History& running() { return tell(event::Running{}); }
  History& restarted() { return started().running(); }
  History& ended(Outcome outcome, const std::string& error = {}, std::optional<Duration> lasted = std::nullopt) {
    return tell(event::Ended{outcome, lasted.value_or(now_ - service().began), error});
  }
  History& failed(const std::string& error = "boom") { return ended(Outcome::failed, error); }
  History& exited() { return ended(Outcome::clean); }
  History& backs_off(Attempt attempt, Duration ceiling, Duration delay) {
    return tell(event::BackingOff{BackoffCause::failure, attempt, ceiling, delay});
  }
  History& backs_off_cleanly(Duration delay = 100ms) {
    return tell(event::BackingOff{BackoffCause::clean_exit, 0, delay, delay});
  }
  History& tripped(std::uint32_t failures = 3, std::uint32_t max_failures = 3) {
    return tell(event::BreakerTripped{failures, max_failures});
  }
  History& commanded(Command command) { return tell(event::Commanded{command}); }
  History& stopping(StopCause cause) { return tell(event::Stopping{cause}); }
  History& stop_threw() { return tell(event::StopThrew{"no"}); }
  History& killed(Duration after) { return tell(event::Killed{after}); }
  History& kill_threw() { return tell(event::KillThrew{"no"}); }
  // A service that stops within 5 s, or is killed (if it can be) or abandoned. Its run is ready.
  History& up_with_grace(const std::string& name, bool can_be_killed = true, Duration grace = 5s) {
    name_ = name;
    services_[name] = {.id = service().id};
    tell(event::Added{RestartPolicy::on_failure, &kPolicy, {}, can_be_killed, grace});
    return restarted();
  }
  // The same, and it is asked to stop.
  History& stopping_with_grace(bool can_be_killed = true, Duration grace = 5s) {
    return up_with_grace("a", can_be_killed, grace).commanded(Command::stop).stopping(StopCause::stop);
  }
  History& terminated(Termination why, const std::string& last_error = {}) {
    return tell(event::Terminated{why, last_error});
  }
  History& completed(const std::string& last_error = {}) {
    return terminated({Termination::Reason::completed}, last_error);
  }
  History& given_up(const std::string& last_error = "boom") {
    return terminated({Termination::Reason::failed}, last_error);
  }
  History& cancelled(const std::string& last_error = {}) {
    return terminated({Termination::Reason::cancelled}, last_error);
  }
  History& circuit_open(std::uint32_t failures = 3, const std::string& last_error = "boom") {
    return terminated({Termination::Reason::circuit_open, failures, 3}, last_error);
  }
  History& abandoned(Duration after) { return terminated({.reason = Termination::Reason::abandoned, .after = after}); }
  History& ended_late() { return tell(event::EndedLate{Outcome::clean, now_ - service().began, {}}); }
  History& removed() { return tell(event::Removed{}); }
  History& shutdown(ShutdownCause cause = ShutdownCause::requested) {
    return tell_of_supervisor(event::ShutdownRequested{cause, 30s});
  }
  History& drained(DrainOutcome outcome = DrainOutcome::drained) { return tell_of_supervisor(event::Drained{outcome}); }

  History& skip_a_number() {
    ++service().n;
    return *this;
  }
  History& skip_a_run() {
    ++service().run;
    return *this;
  }

  // The end of the run at the present time, with counters that are right unless said otherwise.
  History& finish(EndReason reason = EndReason::finished, const std::function<void(Counters&)>& change = {}) {
    SimulationEnd end{.reason = reason, .at = now_, .counters = checks.counters()};
    if (change) change(end.counters);
    checks.finish(end);
    return *this;
  }

  Checks checks;

 private:
  struct Service {
    ServiceId id;
    std::uint64_t n = 0;
    std::uint64_t run = 0;
    TimePoint began;
  };

  Service& service() {
    Service& known = services_[name_];
    if (known.id.generation == 0) known.id = {static_cast<std::uint32_t>(services_.size() - 1), 1};
    return known;
  }

  History& tell(const Event::What& what) {
    Service& about = service();
    checks.on_event({now_, about.id, name_, name_hash(name_), ++about.n, {about.run}, what});
    return *this;
  }
  History& tell_of_supervisor(const Event::What& what) {
    checks.on_event({.at = now_, .n = ++supervisor_n_, .what = what});
    return *this;
  }

  TimePoint now_;
  std::string name_;
  std::map<std::string, Service> services_;
  std::uint64_t supervisor_n_ = 0;
};

std::string text_of(const Violation& violation) {
  std::string text = to_string(violation.at) + ' ' + violation.service + ' ' + std::string{to_string(violation.rule)} +
                     ": " + violation.says;
  for (const auto& line : violation.events) text += "\n    " + line;
  return text;
}

std::vector<std::string> texts_of(const Checks& checks) {
  std::vector<std::string> texts;
  for (const auto& violation : checks.violations()) texts.push_back(text_of(violation));
  return texts;
}

// Exactly one violation, of this rule, that says this.
void check_only(const History& history, Rule rule, const std::string& says) {
  CAPTURE(texts_of(history.checks));
  REQUIRE(history.checks.violations().size() == 1);
  const Violation& found = history.checks.violations().front();
  CHECK(to_string(found.rule) == to_string(rule));
  CHECK(found.says == says);
  CHECK_FALSE(history.checks.held());
  for (const Verdict& verdict : history.checks.verdicts()) CHECK(verdict.violated == (verdict.rule == rule ? 1 : 0));
}

void check_held(const History& history) {
  CHECK(texts_of(history.checks) == std::vector<std::string>{});
  CHECK(history.checks.held());
}

// ---------------------------------------------------------------------------------------------------------------------
// Good histories
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a history in which nothing happens breaks no rule, and most rules were not tested") {
  History history;
  history.finish();
  check_held(history);
  const auto verdicts = history.checks.verdicts();
  REQUIRE(verdicts.size() == kRuleCount);
  for (const auto& verdict : verdicts) {
    const bool always =
        verdict.rule == Rule::counters_agree_with_events || verdict.rule == Rule::time_never_goes_backwards;
    CHECK((verdict.tested > 0) == always);
  }
}

TEST_CASE("every rule has a name and a sentence, in the order of the enumeration") {
  REQUIRE(rules().size() == kRuleCount);
  CHECK(rules()[static_cast<std::size_t>(Rule::stops_when_asked)].name == "stops_when_asked");
  CHECK(to_string(Rule::counters_agree_with_events) == "counters_agree_with_events");
  for (const auto& rule : rules()) {
    CHECK_FALSE(rule.name.empty());
    CHECK(rule.says.back() == '.');
  }
}

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

TEST_CASE("the ceiling doubles up to the maximum and stays there") {
  History history;
  history.up("a", RestartPolicy::on_failure, without_breaker());
  Duration now{0};
  Duration ceiling = 100ms;
  for (Attempt attempt = 1; attempt < 200; ++attempt) {
    const Duration delay = full_jitter(ceiling, draw({}, Purpose::backoff_jitter, attempt));
    history.failed().backs_off(attempt, ceiling, delay).at(now += delay).restarted();
    ceiling = std::min<Duration>(1s, 2 * ceiling);
  }
  check_held(history.finish());
}

TEST_CASE("a run of the cooldown's length clears attempt and history, a clean exit only the attempt") {
  History cooled;
  cooled.up("a").failed().backs_off(1, 100ms, 0ms).restarted().failed().backs_off(2, 200ms, 0ms).restarted();
  cooled.at(5min).failed().backs_off(1, 100ms, 5ms);
  check_held(cooled.finish());
  History clean;
  clean.up("a", RestartPolicy::always).failed().backs_off(1, 100ms, 0ms).restarted();
  clean.exited().backs_off_cleanly().at(100ms).restarted().failed().backs_off(1, 100ms, 0ms).restarted();
  clean.at(1s).failed().tripped().circuit_open();
  check_held(clean.finish());
}

TEST_CASE("a restart command cuts a delay short, stops a running service first, and revives a terminated one") {
  History history;
  history.up("a").failed().backs_off(1, 100ms, 50ms).at(10ms).commanded(Command::restart).restarted();
  history.at(20ms).commanded(Command::restart).stopping(StopCause::restart).at(30ms).failed("late").restarted();
  history.at(40ms).failed().backs_off(1, 100ms, 50ms);
  history.at(90ms).restarted().exited().completed("boom");
  history.at(1s).commanded(Command::restart).removed();
  history.added("a", RestartPolicy::on_failure, kPolicy, 4).restarted();
  check_held(history.finish());
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

TEST_CASE("a drain that ends at its deadline abandons who is left, and a late end is told once") {
  History history;
  history.up("a").up("b").at(10s).shutdown().of("a").stopping(StopCause::shutdown).of("b");
  history.stopping(StopCause::shutdown).at(11s).exited().cancelled();
  history.of("a").at(40s).abandoned(30s).drained(DrainOutcome::deadline).at(50s).ended_late();
  check_held(history.finish());
}

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
  // At one time the two cannot be told apart.
  for (const auto outcome : {DrainOutcome::deadline, DrainOutcome::drained}) {
    History at_once;
    at_once.up_with_grace("a", false, 30s).shutdown().stopping(StopCause::shutdown).at(30s).abandoned(30s);
    check_held(at_once.drained(outcome).finish());
  }
}

TEST_CASE("a drain is cut short by command, or over at once when nobody is left") {
  History cut;
  cut.up("a").shutdown().stopping(StopCause::shutdown).at(1s).abandoned(1s).drained(DrainOutcome::cut_short);
  check_held(cut.finish());
  History empty;
  empty.up("a").exited().completed().shutdown(ShutdownCause::all_terminated).drained();
  check_held(empty.finish());
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

TEST_CASE("a fatal error and the policy never do not ask the breaker") {
  BackoffPolicy one_is_enough = kPolicy;
  one_is_enough.breaker->max_failures = 1;
  History history;
  history.up("a", RestartPolicy::always, one_is_enough).ended(Outcome::fatal, "boom").given_up();
  history.up("b", RestartPolicy::never, one_is_enough).ended(Outcome::threw, "boom").given_up();
  check_held(history.finish());
}

// ---------------------------------------------------------------------------------------------------------------------
// Bad histories, rule by rule
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("time_never_goes_backwards") {
  History history;
  history.up("a").at(2s).exited().completed().at(1s).commanded(Command::stop).at(3s).finish();
  check_only(history, Rule::time_never_goes_backwards, "is at 1s, after an event at 2s");
  History end;
  end.up("a").at(2s).exited().completed().at(1s).finish();
  check_only(end, Rule::time_never_goes_backwards, "the end is at 1s, after an event at 2s");
}

TEST_CASE("events_are_numbered_without_gaps") {
  History gap;
  gap.up("a").skip_a_number().at(1s).exited().completed().finish();
  check_only(gap, Rule::events_are_numbered_without_gaps, "has the number 5 instead of 4");
  History unknown;
  unknown.of("a").started().running().at(1s).exited().completed().finish();
  check_only(unknown, Rule::events_are_numbered_without_gaps, "its first event is started instead of added");
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
  check_only(late, Rule::runs_are_numbered_in_order, "a run that started is told as running at once; it came 1s late");
  History never;
  never.added("a").started().finish();
  check_only(never, Rule::runs_are_numbered_in_order,
             "a run that started is told as running at once; nothing followed");
}

TEST_CASE("tells_how_long_runs_lasted") {
  History history;
  history.at(1s).up("a").at(3s).ended(Outcome::failed, "boom", 3s).backs_off(1, 100ms, 100ms).finish();
  check_only(history, Rule::tells_how_long_runs_lasted, "the run lasted 2s, from 1s, but 3s is told");
}

TEST_CASE("never_runs_after_termination") {
  History history;
  history.up("a").exited().completed().at(1s).restarted().finish();
  check_only(history, Rule::never_runs_after_termination, "started is told, though the service has terminated");
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

TEST_CASE("keeps_every_retry_within_its_ceiling") {
  History too_long;
  too_long.up("a").failed().backs_off(1, 100ms, 100ms + 1ns).finish();
  check_only(too_long, Rule::keeps_every_retry_within_its_ceiling, "the delay is 100ms1ns; allowed is 0s to 100ms");
  History negative;
  negative.up("a").at(1s).failed().backs_off(1, 100ms, -1ns).finish(EndReason::events_budget);
  CHECK(negative.checks.violations().front().says == "the delay is -1ns; allowed is 0s to 100ms");
  History doubled;
  doubled.up("a").failed().backs_off(1, 200ms, 150ms).finish();
  check_only(doubled, Rule::keeps_every_retry_within_its_ceiling,
             "is attempt 1 with a ceiling of 200ms; right is attempt 1 with a ceiling of 100ms");
  History not_reset;
  not_reset.up("a").failed().backs_off(1, 100ms, 0ms).restarted().at(5min).failed().backs_off(2, 200ms, 1ms).finish();
  check_only(not_reset, Rule::keeps_every_retry_within_its_ceiling,
             "is attempt 2 with a ceiling of 200ms; right is attempt 1 with a ceiling of 100ms");
  History clean;
  clean.up("a", RestartPolicy::always).exited().backs_off_cleanly(99ms).finish();
  check_only(clean, Rule::keeps_every_retry_within_its_ceiling,
             "is attempt 0 with a ceiling of 99ms; right is attempt 0 with a ceiling of 100ms");
}

// A service that fails over and over, whose delays are these shares of a ceiling that never grows.
constexpr std::int64_t kWhole = 1'000'000;
void fails_with_shares(History& history, Duration ceiling, const std::vector<std::int64_t>& millionths) {
  BackoffPolicy policy = without_breaker();
  policy.base = policy.max = ceiling;
  policy.cooldown = kDurationMax;
  history.up("a", RestartPolicy::on_failure, policy);
  Duration now{0};
  for (Attempt attempt = 1; const std::int64_t share : millionths) {
    const Duration delay{ceiling.count() / kWhole * share};
    history.failed().backs_off(attempt++, ceiling, delay).at(now += delay).restarted();
  }
}

// Half of them are `low`, half of them `high`.
std::vector<std::int64_t> halves(std::size_t count, std::int64_t low, std::int64_t high) {
  std::vector<std::int64_t> shares(count, low);
  for (std::size_t i = 0; i < count; i += 2) shares[i] = high;
  return shares;
}

TEST_CASE("spreads_its_delays") {
  History none;
  fails_with_shares(none, 100ms, std::vector<std::int64_t>(100, 0));
  check_only(none.finish(), Rule::spreads_its_delays,
             "100 delays are 0.00% of their ceilings on average, more than 6 standard errors from 50%");
  CHECK(none.checks.violations().front().service.empty());
  History all;
  fails_with_shares(all, 1ms, std::vector<std::int64_t>(250, kWhole));
  check_only(all.finish(), Rule::spreads_its_delays,
             "250 delays are 100.00% of their ceilings on average, more than 6 standard errors from 50%");
  History half_jitter;
  fails_with_shares(half_jitter, 500ms, halves(200, 500'000, kWhole));
  check_only(half_jitter.finish(), Rule::spreads_its_delays,
             "200 delays are 75.00% of their ceilings on average, more than 6 standard errors from 50%");
}

TEST_CASE("spreads_its_delays allows 6 standard errors and not more, and says nothing of few or short delays") {
  // Of 300 shares: 6 * sqrt(1 / 12 / 300) is exactly 1/10.
  const auto held_with_mean = [](std::int64_t millionths) {
    History history;
    fails_with_shares(history, 900ms, halves(300, millionths - 200'000, millionths + 200'000));
    return history.finish().checks.held();
  };
  CHECK(held_with_mean(500'000));
  CHECK(held_with_mean(600'000));
  CHECK_FALSE(held_with_mean(600'001));
  CHECK(held_with_mean(400'001));
  CHECK_FALSE(held_with_mean(399'999));
  History few;
  fails_with_shares(few, 100ms, std::vector<std::int64_t>(99, 0));
  check_held(few.finish());
  History too_short;
  fails_with_shares(too_short, 999us, std::vector<std::int64_t>(500, 0));
  check_held(too_short.finish());
  for (const History* const history : {&few, &too_short}) {
    CHECK(history->checks.verdicts()[static_cast<std::size_t>(Rule::spreads_its_delays)].tested == 0);
  }
}

TEST_CASE("spreads_its_delays weighs shares, not lengths, of the longest ceilings too") {
  History history;
  fails_with_shares(history, std::chrono::hours{24 * 300}, halves(100, 0, kWhole));
  check_held(history.finish());
  CHECK(history.checks.verdicts()[static_cast<std::size_t>(Rule::spreads_its_delays)].tested == 1);
}

TEST_CASE("draws_every_delay_anew") {
  History frozen;
  fails_with_shares(frozen, 2s, std::vector<std::int64_t>(10, 123'456));
  check_only(
      frozen.finish(), Rule::draws_every_delay_anew,
      "the delay is 246ms912us of 2s, the one before it was 246ms912us of 2s; shares were repeated 3 times in 3");
  CHECK(frozen.checks.verdicts()[static_cast<std::size_t>(Rule::draws_every_delay_anew)].tested == 9);
  // The same draw for every ceiling, as the supervisor would round it.
  History growing;
  growing.up("a", RestartPolicy::on_failure, {.base = 1s, .max = 1min, .cooldown = 5min, .breaker = std::nullopt});
  Duration now{0};
  Duration ceiling = 1s;
  for (Attempt attempt = 1; attempt <= 4; ++attempt) {
    const Duration delay = full_jitter(ceiling, {0x5555'5555'5555'5555, 0});
    growing.failed().backs_off(attempt, ceiling, delay).at(now += delay).restarted();
    ceiling *= 2;
  }
  check_only(
      growing.finish(), Rule::draws_every_delay_anew,
      "the delay is 2s666ms666us666ns of 8s, the one before it was 1s333ms333us333ns of 4s; shares were repeated "
      "3 times in 3");
}

TEST_CASE("draws_every_delay_anew forgives two repetitions, and whatever is short, apart or of another service") {
  const std::vector<std::int64_t> repeated_twice{700'000, 700'000, 100'000, 100'000, 200'000};
  const std::vector<std::int64_t> repeated_thrice{700'000, 700'000, 100'000, 100'000, 200'000, 200'000};
  History twice;
  fails_with_shares(twice, 1s, repeated_twice);
  check_held(twice.finish());
  History thrice;
  fails_with_shares(thrice, 1s, repeated_thrice);
  CHECK_FALSE(thrice.finish().checks.held());
  History too_short;
  fails_with_shares(too_short, 999ms, repeated_thrice);
  check_held(too_short.finish());
  History two_apart;
  fails_with_shares(two_apart, 1s, halves(20, 100'000, 100'001));
  check_held(two_apart.finish());
  History two_services;
  BackoffPolicy policy = without_breaker();
  policy.base = policy.max = 1s;
  for (const std::string name : {"a", "b", "c", "d", "e"}) {
    two_services.up(name, RestartPolicy::on_failure, policy).failed().backs_off(1, 1s, 500ms);
  }
  check_held(two_services.finish());
}

TEST_CASE("starts_when_the_delay_has_passed") {
  History early;
  early.up("a").failed().backs_off(1, 100ms, 100ms).at(99ms).restarted().finish();
  check_only(early, Rule::starts_when_the_delay_has_passed, "a run starts at 99ms, but is due at 100ms");
  History late;
  late.up("a").failed().backs_off(1, 100ms, 100ms).at(1s).restarted().finish();
  check_only(late, Rule::starts_when_the_delay_has_passed, "a run starts at 1s, but is due at 100ms");
  History never;
  never.up("a").failed().backs_off(1, 100ms, 100ms).at(1s).finish();
  check_only(never, Rule::starts_when_the_delay_has_passed, "no run has started by 1s, though one was due at 100ms");
  History stalled;
  stalled.up("a").failed().backs_off(1, 100ms, 100ms).finish(EndReason::stalled);
  check_only(stalled, Rule::starts_when_the_delay_has_passed, "no run has started by 0s, though one was due at 100ms");
  History stopped_instead;
  stopped_instead.up("a").failed().backs_off(1, 100ms, 100ms).at(1s).commanded(Command::stop);
  stopped_instead.stopping(StopCause::stop).cancelled("boom").finish();
  check_only(stopped_instead, Rule::starts_when_the_delay_has_passed,
             "no run has started, though one was due at 100ms");
  History first;
  first.added("a").at(1ms).restarted().finish();
  check_only(first, Rule::starts_when_the_delay_has_passed, "a run starts at 1ms, but is due at 0s");
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
  check_only(
      not_at_all, Rule::trips_exactly_when_the_window_says_so,
      "a failure that fills the window is followed by breaker_tripped; found backing_off; " + window + "0s 0s 1min");
  History numbers;
  numbers.up("a").failed().backs_off(1, 100ms, 0ms).restarted().failed().backs_off(2, 200ms, 0ms).restarted();
  numbers.failed().tripped().circuit_open(2).finish();
  check_only(numbers, Rule::trips_exactly_when_the_window_says_so, "tells 2/3 failures instead of 3/3");
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

TEST_CASE("stops_when_asked") {
  History ignored;
  ignored.up("a").at(1s).commanded(Command::stop).at(2s).exited().completed().finish();
  check_only(ignored, Rule::stops_when_asked,
             "a service that is asked to stop is told as stopping, with the cause, at once; found ended");
  History forgotten;
  forgotten.up("a").up("b").at(1s).shutdown().of("a").stopping(StopCause::shutdown).at(2s).finish();
  check_only(forgotten, Rule::stops_when_asked,
             "a service that is asked to stop is told as stopping, with the cause, at once; nothing followed");
  CHECK(forgotten.checks.violations().front().service == "b");
  CHECK(forgotten.checks.violations().front().at == TimePoint{} + 1s);
  History other_cause;
  other_cause.up("a").commanded(Command::stop).stopping(StopCause::remove).finish();
  check_only(other_cause, Rule::stops_when_asked,
             "a service that is asked to stop is told as stopping, with the cause, at once; found stopping");
  History late;
  late.up("a").shutdown().at(1ms).stopping(StopCause::shutdown).finish();
  check_only(late, Rule::stops_when_asked,
             "a service that is asked to stop is told as stopping, with the cause, at once; it came 1ms late");
  History completed;
  completed.up("a").commanded(Command::stop).stopping(StopCause::stop).exited().completed().finish();
  check_only(completed, Rule::stops_when_asked,
             "a service that was stopped and has no run is terminated cancelled at once; found terminated");
  History dropped;
  dropped.up("a").commanded(Command::stop).stopping(StopCause::stop).cancelled().finish();
  check_only(dropped, Rule::stops_when_asked, "is cancelled, but its run is alive");
  History unasked;
  unasked.up("a").stopping(StopCause::stop).finish();
  check_only(unasked, Rule::stops_when_asked, "stops for stop, though nobody has asked for that now");
  History threw;
  threw.up("a").stop_threw().finish();
  check_only(threw, Rule::stops_when_asked, "a stop threw, but no run was asked to stop just before");
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
  check_only(measured_from_elsewhere, Rule::escalates_when_the_grace_has_passed, "is killed after 5s, but 4s is told");
  History twice;
  twice.stopping_with_grace().at(5s).killed(5s).at(10s).killed(10s).exited().cancelled().finish();
  check_only(twice, Rule::escalates_when_the_grace_has_passed, "is killed again");
  History invulnerable;
  invulnerable.stopping_with_grace(false).at(5s).killed(5s).exited().cancelled().finish();
  check_only(invulnerable, Rule::escalates_when_the_grace_has_passed, "is killed, though it cannot be");
  History unasked;
  unasked.up_with_grace("a").at(5s).killed(5s).finish();
  check_only(unasked, Rule::escalates_when_the_grace_has_passed, "is killed, but no run was given a grace");
  History without_a_grace;
  without_a_grace.up("a").commanded(Command::stop).stopping(StopCause::stop).at(5s).killed(5s).finish();
  check_only(without_a_grace, Rule::escalates_when_the_grace_has_passed, "is killed, but no run was given a grace");
  History skipped;
  skipped.stopping_with_grace().at(5s).abandoned(5s).finish();
  check_only(skipped, Rule::escalates_when_the_grace_has_passed, "is abandoned, but was to be killed first");
  History given_up_early;
  given_up_early.stopping_with_grace().at(5s).killed(5s).at(6s).abandoned(6s).finish();
  check_only(given_up_early, Rule::escalates_when_the_grace_has_passed,
             "is abandoned at 6s, but its grace lasts until 10s");
  History told_wrong;
  told_wrong.stopping_with_grace(false).at(5s).abandoned(4s).finish();
  check_only(told_wrong, Rule::escalates_when_the_grace_has_passed, "is abandoned after 5s, but 4s is told");
  History threw;
  threw.stopping_with_grace().kill_threw().exited().cancelled().finish();
  check_only(threw, Rule::escalates_when_the_grace_has_passed, "a kill threw, but no run was killed just before");
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
  check_only(unasked, Rule::removes_when_commanded, "is removed, though nobody asked for that");
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
  check_only(history, Rule::removed_services_stay_silent, "commanded is told, though the service was removed");
  CHECK(history.checks.violations().front().events ==
        std::vector<std::string>{"0s a#1 ended clean after 0s", "0s a#1 terminated completed",
                                 "0s a#1 commanded remove", "0s a#1 removed", "1s a#1 commanded stop"});
  History usurped;
  usurped.up("a").exited().completed().added("a").restarted().finish();
  check_only(usurped, Rule::removed_services_stay_silent, "takes the place of \"a\", which was not removed");
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

TEST_CASE("drains_by_its_deadline") {
  const auto stopping = [] {
    auto history = std::make_unique<History>();
    history->up("a").at(10s).shutdown().stopping(StopCause::shutdown);
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
  check_only(*early, Rule::drains_by_its_deadline, "the deadline is 40s, but the drain is told to have met it at 39s");
  auto after = stopping();
  after->at(40s).abandoned(40s).drained(DrainOutcome::deadline).finish();
  check_only(*after, Rule::drains_by_its_deadline, "is abandoned after 30s, but 40s is told");
  auto active = stopping();
  active->at(11s).drained(DrainOutcome::cut_short).finish();
  check_only(*active, Rule::drains_by_its_deadline, "1 services are active after the drain (a)");
  auto nobody = stopping();
  nobody->at(11s).exited().cancelled().drained(DrainOutcome::cut_short).finish();
  check_only(*nobody, Rule::drains_by_its_deadline, "is told as cut_short, but no service was abandoned");
  auto somebody = stopping();
  somebody->at(11s).abandoned(1s).drained().finish();
  check_only(*somebody, Rule::drains_by_its_deadline, "is told as drained, but 1 services were abandoned");
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
  no_drain.up("a").commanded(Command::stop).stopping(StopCause::stop).at(30s).abandoned(30s).finish();
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
  check_only(*twice, Rule::tells_late_ends_once, "the late end of the run is told again");
  auto not_late = abandoned();
  not_late->at(40s).exited().finish();
  check_only(*not_late, Rule::tells_late_ends_once, "the end of an abandoned run is told as ended");
  History nobody;
  nobody.up("a").at(1s).ended_late().finish();
  check_only(nobody, Rule::tells_late_ends_once, "a late end is told, but no run was abandoned");
}

TEST_CASE("last_error_is_kept") {
  History stale;
  stale.up("a").failed("first").backs_off(1, 100ms, 0ms).restarted().failed("second").backs_off(2, 200ms, 0ms);
  stale.restarted().exited().completed("first").finish();
  check_only(stale, Rule::last_error_is_kept, "the last error is told as \"first\", but was \"second\"");
  History lost;
  lost.up("a").commanded(Command::stop).stopping(StopCause::stop).failed("late").cancelled().finish();
  check_only(lost, Rule::last_error_is_kept, "the last error is told as \"\", but was \"late\"");
}

TEST_CASE("gauge_never_goes_negative") {
  History history;
  history.up("a").exited().completed().completed().finish();
  check_only(history, Rule::gauge_never_goes_negative, "a service terminates, but none is active");
  History others_are_active;
  others_are_active.up("b").up("a").exited().completed().completed().finish();
  check_only(others_are_active, Rule::makes_only_legal_transitions, "terminated may not follow terminated");
}

TEST_CASE("counters_agree_with_events") {
  const std::vector<std::pair<std::string, std::uint64_t Counters::*>> fields{
      {"spawned", &Counters::spawned},
      {"starts", &Counters::starts},
      {"restarts", &Counters::restarts},
      {"failures", &Counters::failures},
      {"clean_exits", &Counters::clean_exits},
      {"circuit_breaker_trips", &Counters::circuit_breaker_trips},
      {"terminated", &Counters::terminated},
      {"killed_runs", &Counters::killed_runs},
      {"abandoned_runs", &Counters::abandoned_runs},
      {"active_services", &Counters::active_services},
  };
  for (const auto& [name, field] : fields) {
    History history;
    history.up("a").finish(EndReason::finished, [field = field](Counters& counters) { counters.*field += 1; });
    const bool is_one = name == "spawned" || name == "starts" || name == "active_services";
    check_only(history, Rule::counters_agree_with_events,
               name + (is_one ? " is 2, but the events add up to 1" : " is 1, but the events add up to 0"));
  }
}

TEST_CASE("a violation shows the events that led to it, with what is still known of their errors") {
  History history;
  history.at(1s).up("feed-17").at(2s).failed("first").backs_off(1, 100ms, 0ms).restarted();
  history.at(3s).failed("second").backs_off(2, 200ms, 133ms).at(4s).restarted().finish();
  REQUIRE(history.checks.violations().size() == 1);
  CHECK(text_of(history.checks.violations().front()) ==
        "4s feed-17 starts_when_the_delay_has_passed: a run starts at 4s, but is due at 3s133ms\n"
        "    2s feed-17#2 started\n"
        "    2s feed-17#2 running\n"
        "    3s feed-17#2 ended failed after 1s: second\n"
        "    3s feed-17#2 backing_off failure attempt 2 delay 133ms of 200ms\n"
        "    4s feed-17#3 started");
}

TEST_CASE("only the first violations are kept, and all are counted") {
  History history;
  history.up("a");
  for (int i = 0; i < 250; ++i) history.running();
  history.finish();
  CHECK(history.checks.violations().size() == kViolationsKeptMax);
  const auto verdicts = history.checks.verdicts();
  CHECK(verdicts[static_cast<std::size_t>(Rule::makes_only_legal_transitions)].violated == 250);
}

// ---------------------------------------------------------------------------------------------------------------------
// The real supervisor
// ---------------------------------------------------------------------------------------------------------------------

constexpr std::uint64_t kTimersMax = 3000;  // of one history: some would never end

// What one run does. All lengths are few and round, so that things often fall into one instant.
struct Plan {
  enum class End : std::uint8_t { clean, failed, fatal, threw_at_start, at_start, never };
  enum class OnStop : std::uint8_t { obeys, takes_a_while, fails, ignores, throws };
  enum class OnKill : std::uint8_t { dies, takes_a_while, lives_on, throws };
  Duration length{0};
  End end = End::clean;
  OnStop on_stop = OnStop::obeys;
  OnKill on_kill = OnKill::dies;
};

Exit exit_of(Plan::End end) {
  switch (end) {
    case Plan::End::failed: return Exit::failed("failed");
    case Plan::End::fatal: return Exit::fatal("fatal");
    case Plan::End::at_start: return Exit::failed("failed at its start");
    default: return Exit::clean();
  }
}

// Runs by plan, over and over.
class PlannedService final : public Service, public Timer {
 public:
  PlannedService(Scheduler& scheduler, std::vector<Plan> plans, bool can_be_killed)
      : scheduler_(scheduler), plans_(std::move(plans)), can_be_killed_(can_be_killed) {}
  ~PlannedService() { scheduler_.disarm(*this); }

  void start(Run run) override {
    scheduler_.disarm(*this);
    run_ = run;
    exit_ = plan().end;
    if (plan().end == Plan::End::threw_at_start) throw std::runtime_error("threw");
    if (plan().end == Plan::End::at_start) return run.end(exit_of(exit_));
    if (plan().end != Plan::End::never) scheduler_.arm(*this, scheduler_.now() + plan().length);
  }

  void stop(Run run) override {
    switch (plan().on_stop) {
      case Plan::OnStop::obeys: scheduler_.disarm(*this); return run.end(Exit::clean());
      case Plan::OnStop::fails: scheduler_.disarm(*this); return run.end(Exit::failed("failed to stop"));
      case Plan::OnStop::throws: throw std::runtime_error("will not");
      case Plan::OnStop::ignores: return;
      case Plan::OnStop::takes_a_while:
        scheduler_.disarm(*this);
        exit_ = Plan::End::clean;
        scheduler_.arm(*this, scheduler_.now() + 5ms);
    }
  }

  [[nodiscard]] bool can_be_killed() const noexcept override { return can_be_killed_; }
  void kill(Run run) override {
    switch (plan().on_kill) {
      case Plan::OnKill::dies: scheduler_.disarm(*this); return run.end(Exit::failed("killed"));
      case Plan::OnKill::throws: throw std::runtime_error("cannot");
      case Plan::OnKill::lives_on: return;
      case Plan::OnKill::takes_a_while: scheduler_.disarm(*this); scheduler_.arm(*this, scheduler_.now() + 5ms);
    }
  }

 private:
  void fired() override { run_.end(exit_of(exit_)); }
  const Plan& plan() const { return plans_[run_.number().value % plans_.size()]; }

  Scheduler& scheduler_;
  const std::vector<Plan> plans_;
  const bool can_be_killed_;
  Run run_;
  Plan::End exit_ = Plan::End::clean;
};

struct Order {
  enum class Kind : std::uint8_t { stop, restart, remove, add, shutdown, end_drain };
  Kind kind = Kind::stop;
  std::size_t service = 0;
};

struct Play {
  Seed seed;
  SupervisorConfig config;
  std::vector<ServiceConfig> services;
  std::vector<std::vector<Plan>> plans;            // one a service
  std::vector<std::pair<Duration, Order>> orders;  // on a timetable
  std::map<std::uint64_t, Order> interjections{};  // from within the event with this number
  std::size_t killable = 0;                        // as many services can be killed, the first ones
};

// The supervisor, its services and those who command them, watched by the checks.
class Theatre final : public EventSink {
 public:
  explicit Theatre(const Play& play) : play_(play), supervisor_(scheduler_, play.config, play.seed, *this) {
    for (std::size_t i = 0; i < play_.services.size(); ++i) add(i);
    for (const auto& [at, order] : play_.orders) {
      cues_.push_back(std::make_unique<Cue>(*this, order));
      scheduler_.arm(*cues_.back(), TimePoint{} + at);
    }
  }
  ~Theatre() {
    for (auto& cue : cues_) scheduler_.disarm(*cue);
  }

  void on_event(const Event& event) override {
    checks.on_event(event);
    if (const auto found = play_.interjections.find(++events_); found != play_.interjections.end()) {
      obey(found->second);
    }
  }

  void run_until(TimePoint limit) {
    scheduler_.run_tasks();
    SimulationEnd end;
    while (scheduler_.timers_fired() < kTimersMax && scheduler_.fire_next(limit)) {
    }
    if (scheduler_.timers_fired() >= kTimersMax) {
      end.reason = EndReason::events_budget;
    } else {
      scheduler_.advance_to(limit);
    }
    end.at = scheduler_.now();
    end.counters = supervisor_.counters();
    checks.finish(end);
  }

  Checks checks;

 private:
  struct Cue final : Timer {
    Cue(Theatre& its_theatre, const Order& its_order) : theatre(its_theatre), order(its_order) {}
    void fired() override { theatre.obey(order); }
    Theatre& theatre;
    Order order;
  };

  void add(std::size_t i) {
    const bool can_be_killed = i < play_.killable;
    services_.push_back(std::make_unique<PlannedService>(scheduler_, play_.plans[i], can_be_killed));
    static_cast<void>(supervisor_.add(play_.services[i], *services_.back()));
  }

  void obey(const Order& order) {
    const std::size_t i = order.service % play_.services.size();
    const std::string& name = play_.services[i].name;
    switch (order.kind) {
      case Order::Kind::stop: static_cast<void>(supervisor_.stop(name)); return;
      case Order::Kind::restart: static_cast<void>(supervisor_.restart(name)); return;
      case Order::Kind::remove: static_cast<void>(supervisor_.remove(name)); return;
      case Order::Kind::add: return add(i);
      case Order::Kind::shutdown: return supervisor_.request_shutdown();
      case Order::Kind::end_drain: return supervisor_.end_drain();
    }
  }

  const Play& play_;
  VirtualScheduler scheduler_;
  std::vector<std::unique_ptr<PlannedService>> services_;
  std::vector<std::unique_ptr<Cue>> cues_;
  Supervisor supervisor_;
  std::uint64_t events_ = 0;
};

rc::Gen<Duration> short_time() {
  return rc::gen::weightedElement<Duration>({{2, 0ns}, {3, 1ms}, {3, 5ms}, {2, 10ms}, {1, 50ms}, {1, 1s}});
}

BackoffPolicy random_policy() {
  BackoffPolicy policy{.base = *rc::gen::element<Duration>(0ns, 1ns, 1ms, 5ms, 10ms),
                       .max = *rc::gen::element<Duration>(10ms, 40ms, 1s),
                       .cooldown = *rc::gen::element<Duration>(0ns, 5ms, 10ms, 5min),
                       .clean_restart_delay = *rc::gen::element<Duration>(0ns, 1ms, 5ms),
                       .breaker = std::nullopt};
  if (*rc::gen::inRange(0, 4) > 0) {
    policy.breaker = BreakerPolicy{*rc::gen::element<std::uint32_t>(1, 2, 3, 5, 20),
                                   *rc::gen::element<Duration>(1ns, 5ms, 20ms, 1s)};
  }
  return policy;
}

Plan random_plan() {
  using enum Plan::End;
  using enum Plan::OnStop;
  return {.length = *short_time(),
          .end = *rc::gen::weightedElement<Plan::End>(
              {{3, clean}, {8, failed}, {1, fatal}, {1, threw_at_start}, {1, at_start}, {1, never}}),
          .on_stop = *rc::gen::weightedElement<Plan::OnStop>(
              {{3, obeys}, {3, takes_a_while}, {2, fails}, {1, ignores}, {1, throws}}),
          .on_kill = *rc::gen::element(Plan::OnKill::dies, Plan::OnKill::takes_a_while, Plan::OnKill::lives_on,
                                       Plan::OnKill::throws)};
}

Order random_order() {
  using enum Order::Kind;
  return {*rc::gen::weightedElement<Order::Kind>(
              {{5, stop}, {8, restart}, {4, remove}, {6, add}, {1, shutdown}, {1, end_drain}}),
          *rc::gen::inRange<std::size_t>(0, 100)};
}

template <class Make>
auto several(int least, int most, const Make& make) {
  std::vector<decltype(make())> made;
  for (int i = *rc::gen::inRange(least, most + 1); i > 0; --i) made.push_back(make());
  return made;
}

Play random_play() {
  Play play;
  play.seed.value = *rc::gen::arbitrary<std::uint64_t>();
  play.config = {.shutdown_timeout = *rc::gen::element<Duration>(0ns, 1ms, 5ms, 50ms, 30s),
                 .backoff = random_policy(),
                 .when_all_terminated = *rc::gen::element(WhenAllTerminated::wait, WhenAllTerminated::return_)};
  if (*rc::gen::arbitrary<bool>()) play.config.stop_grace = *short_time();
  play.killable = *rc::gen::inRange<std::size_t>(0, 5);
  for (int i = *rc::gen::inRange(1, 5); i > 0; --i) {
    ServiceConfig service{.name = "s" + std::to_string(i),
                          .restart = *rc::gen::weightedElement<RestartPolicy>(
                              {{3, RestartPolicy::always}, {3, RestartPolicy::on_failure}, {1, RestartPolicy::never}})};
    if (*rc::gen::arbitrary<bool>()) service.backoff = random_policy();
    if (*rc::gen::arbitrary<bool>()) service.stop_grace = *short_time();
    play.services.push_back(std::move(service));
    play.plans.push_back(several(1, 4, random_plan));
  }
  play.orders = several(0, 12, [] {
    const Duration at = *short_time() + *short_time();
    return std::pair{at, random_order()};
  });
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    play.interjections[*rc::gen::inRange<std::uint64_t>(1, 60)] = random_order();
  }
  return play;
}

TEST_CASE("whatever the services do and whoever commands them, the supervisor keeps every rule") {
  CHECK(rc::check([] {
    const Play play = random_play();
    Theatre theatre{play};
    theatre.run_until(TimePoint{} + *rc::gen::element<Duration>(5ms, 100ms, 2s, 60s));
    for (const auto& violation : theatre.checks.violations()) RC_LOG() << text_of(violation) << '\n';
    RC_ASSERT(theatre.checks.held());
  }));
}

TEST_CASE("a restart that comes in the instant of the last termination, but after it, revives nothing") {
  const Play play{.config = {.backoff = without_breaker(), .when_all_terminated = WhenAllTerminated::return_},
                  .services = {{.name = "a", .restart = RestartPolicy::never}},
                  .plans = {{{.end = Plan::End::at_start}}},
                  .interjections = {{3, {Order::Kind::stop, 0}}, {6, {Order::Kind::restart, 0}}}};
  Theatre theatre{play};
  theatre.run_until(TimePoint{} + 1s);
  CHECK(texts_of(theatre.checks) == std::vector<std::string>{});
  CHECK(theatre.checks.counters().spawned == 1);
}

TEST_CASE("a busy day tests every rule") {
  // Fails, trips, is revived, is removed while it stops, and does not obey the shutdown; fails at short and at long
  // distances.
  BackoffPolicy often = without_breaker();
  often.max = often.base;
  BackoffPolicy seldom = without_breaker();
  seldom.base = seldom.max;
  const Play play{.config = {.shutdown_timeout = 1s, .backoff = kPolicy},
                  .services = {{.name = "fails"},
                               {.name = "hangs", .stop_grace = 100ms},
                               {.name = "leaves"},
                               {.name = "cycles", .restart = RestartPolicy::always},
                               {.name = "stutters", .backoff = often},
                               {.name = "limps", .backoff = seldom}},
                  .plans = {{{.length = 1ms, .end = Plan::End::failed}},
                            {{.length = 32s, .end = Plan::End::clean, .on_stop = Plan::OnStop::ignores}},
                            {{.end = Plan::End::never, .on_stop = Plan::OnStop::takes_a_while}},
                            {{.length = 1s, .end = Plan::End::clean}},
                            {{.length = 1ms, .end = Plan::End::failed}},
                            {{.length = 1ms, .end = Plan::End::failed}}},
                  .orders = {{2s, {Order::Kind::restart, 0}},
                             {3s, {Order::Kind::remove, 2}},
                             {4s, {Order::Kind::add, 2}},
                             {30s, {Order::Kind::shutdown, 0}}}};
  Theatre theatre{play};
  theatre.run_until(TimePoint{} + 60s);
  CHECK(texts_of(theatre.checks) == std::vector<std::string>{});
  for (const auto& verdict : theatre.checks.verdicts()) {
    CAPTURE(to_string(verdict.rule));
    CHECK(verdict.tested > 0);
  }
}

}  // namespace
}  // namespace holdfast::sim::checks_test
