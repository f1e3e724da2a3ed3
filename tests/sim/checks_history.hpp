#pragma once

// Histories for the tests of the checks, written by hand, and what the checks say about one.

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/backoff.hpp>
#include <holdfast/event.hpp>
#include <holdfast/random.hpp>
#include <holdfast_sim/checks/checks.hpp>

namespace holdfast::sim::checks_test {

using namespace std::chrono_literals;

// Every delay has a ceiling of 100 ms, 200 ms, 400 ms …; three failures within a minute open the breaker.
constexpr BackoffPolicy kPolicy{.base = 100ms,
                                .max = 1s,
                                .cooldown = 5min,
                                .clean_restart_delay = 100ms,
                                .breaker = BreakerPolicy{.max_failures = 3, .window = 1min}};

inline BackoffPolicy without_breaker() {
  BackoffPolicy policy = kPolicy;
  policy.breaker = std::nullopt;
  return policy;
}

// Reports a history to the checks, event by event. The events are about the service that was named last. Their numbers,
// runs and lengths are right unless a caller changes them.
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
    const ServicePolicy whole{.restart = restart, .backoff = policy};
    return tell(event::Added{&whole, {runs_before}});
  }
  // Under a policy that outlives this call only.
  History& added_under(const std::string& name, const ServicePolicy& policy) {
    name_ = name;
    services_[name] = {.id = {static_cast<std::uint32_t>(services_.size()), 1}};
    return tell(event::Added{&policy, {}});
  }
  // One whose runs can be killed.
  History& added_killable(const std::string& name, const ServicePolicy& policy) {
    name_ = name;
    services_[name] = {.id = service().id};
    return tell(event::Added{&policy, {}, true});
  }
  // It is under another policy from now on, which outlives this call only.
  History& reconfigured(const ServicePolicy& policy) { return tell(event::Reconfigured{&policy}); }
  // It waits for another one.
  History& waits_for(std::string_view dependency, std::optional<Duration> delay = std::nullopt) {
    return tell(event::Waiting{WaitsFor::dependency, delay, dependency});
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
  History& ended_with(std::uint32_t exit_status, Outcome outcome, const std::string& error = {}) {
    return tell(event::Ended{outcome, now_ - service().began, error, exit_status});
  }
  // A service whose policy says what some exit statuses mean. Its run is ready.
  History& up_with_rules(const std::string& name, RestartPolicy restart = RestartPolicy::on_failure) {
    name_ = name;
    services_[name] = {.id = service().id};
    const ServicePolicy policy{
        .restart = restart, .backoff = kPolicy, .exit_rules = {.clean = {3}, .failure = {0}, .fatal = {78}}};
    tell(event::Added{&policy, {}});
    return restarted();
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
  History& stays_open(Attempt opening, Duration ceiling, Duration delay) {
    return tell(event::BackingOff{BackoffCause::breaker_open, opening, ceiling, delay});
  }
  History& waiting() { return tell(event::Waiting{.waits_for = WaitsFor::restart_limit}); }
  // It waits for the others of its group.
  History& waits_for_group() { return tell(event::Waiting{.waits_for = WaitsFor::group}); }
  History& backs_off_with_siblings(Attempt attempt = 0) {
    return tell(event::BackingOff{BackoffCause::sibling, attempt, 0s, 0s});
  }
  History& group(std::string_view path, Strategy strategy, std::optional<std::uint32_t> max_restarts = std::nullopt,
                 std::optional<Duration> within = std::nullopt) {
    return tell_of_supervisor(event::GroupAdded{path, strategy, max_restarts, within});
  }
  History& group_lost(std::string_view path, GroupLoss cause, std::string_view child) {
    return tell_of_supervisor(event::GroupLost{path, cause, child});
  }
  History& breaker_closed(Attempt openings = 1) { return tell(event::BreakerClosed{openings}); }
  // Its breaker opened at the time 0. At 1 s its probe began, which has to stay up for 5 s.
  History& probing(RestartPolicy restart = RestartPolicy::on_failure) {
    BackoffPolicy policy = kPolicy;
    policy.breaker =
        BreakerPolicy{1, 1min, HalfOpenPolicy{.open_for = 2s, .open_for_max = 3s, .probe_success_after = 5s}};
    up("a", restart, policy).failed().tripped(1, 1).stays_open(1, 2s, 1s);
    return at(1s).restarted();
  }
  History& commanded(Command command) { return tell(event::Commanded{command}); }
  History& stopping(StopCause cause) { return tell(event::Stopping{cause}); }
  // A service that says when it is ready, and has 5 s for that. Its first run has begun.
  History& starting_slowly(const std::string& name, bool runs_side_by_side = false,
                           RestartPolicy restart = RestartPolicy::on_failure) {
    name_ = name;
    services_[name] = {.id = service().id};
    const ServicePolicy policy{
        .restart = restart, .backoff = kPolicy, .stop_grace = 2s, .ready = Ready::notified, .start_timeout = 5s};
    tell(event::Added{&policy, {}, false, runs_side_by_side});
    return started();
  }
  // A service that has to give a sign of life every 5 s. Its run is ready.
  History& watched(const std::string& name, bool runs_side_by_side = false) {
    name_ = name;
    services_[name] = {.id = service().id};
    const ServicePolicy policy{.backoff = kPolicy, .stop_grace = 2s, .watchdog = 5s};
    tell(event::Added{&policy, {}, false, runs_side_by_side});
    return restarted();
  }
  History& heard() { return pulse(ChaosEvent::Kind::heard, now_); }
  History& silent_since(TimePoint at) { return pulse(ChaosEvent::Kind::silent, at); }
  History& stop_threw() { return tell(event::StopThrew{"no"}); }
  History& killed(Duration after) { return tell(event::Killed{after}); }
  History& kill_threw() { return tell(event::KillThrew{"no"}); }
  // A service that stops within 5 s, or is killed (if it can be) or abandoned. Its run is ready.
  History& up_with_grace(const std::string& name, bool can_be_killed = true, Duration grace = 5s) {
    name_ = name;
    services_[name] = {.id = service().id};
    const ServicePolicy policy{.backoff = kPolicy, .stop_grace = grace};
    tell(event::Added{&policy, {}, can_be_killed});
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
  // The run is abandoned, and the service is not.
  History& goes_on(Duration after) { return tell(event::Abandoned{after}); }
  History& ended_late() { return tell(event::EndedLate{Outcome::clean, now_ - service().began, {}}); }
  History& removed() { return tell(event::Removed{}); }
  History& forgotten() { return tell(event::Removed{.forgotten = true}); }
  History& shutdown(ShutdownCause cause = ShutdownCause::requested) {
    return tell_of_supervisor(event::ShutdownRequested{cause, 30s});
  }
  History& fleet_ends_with(std::string_view name) {
    return tell_of_supervisor(event::ShutdownRequested{ShutdownCause::ends_fleet, 30s, name});
  }
  History& drained(DrainOutcome outcome = DrainOutcome::drained) { return tell_of_supervisor(event::Drained{outcome}); }

  History& pulse(ChaosEvent::Kind kind, TimePoint until) {
    checks.on_chaos({.at = now_,
                     .service = service().id,
                     .name = name_,
                     .name_hash = name_hash(name_),
                     .kind = kind,
                     .until = until,
                     .cause = "heartbeat"});
    return *this;
  }

  // Its host is off until then.
  History& gone(Duration until) {
    checks.on_chaos({.at = now_,
                     .service = service().id,
                     .name = name_,
                     .name_hash = name_hash(name_),
                     .kind = ChaosEvent::Kind::gone,
                     .until = TimePoint{} + until,
                     .cause = "outage"});
    return *this;
  }

  History& skip_a_number() {
    ++service().n;
    return *this;
  }
  History& skip_a_run() {
    ++service().run;
    return *this;
  }

  // The rehearsal ends now. The counters are right unless `change` changes them.
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

inline std::string text_of(const Violation& violation) {
  std::string text = to_string(violation.at) + ' ' + violation.service + ' ' + std::string{to_string(violation.rule)} +
                     ": " + violation.says;
  for (const auto& line : violation.events) text += "\n    " + line;
  return text;
}

inline std::vector<std::string> texts_of(const Checks& checks) {
  std::vector<std::string> texts;
  for (const auto& violation : checks.violations()) texts.push_back(text_of(violation));
  return texts;
}

// Exactly one violation, of this rule, that says this.
inline void check_only(const History& history, Rule rule, const std::string& says) {
  CAPTURE(texts_of(history.checks));
  REQUIRE(history.checks.violations().size() == 1);
  const Violation& found = history.checks.violations().front();
  CHECK(to_string(found.rule) == to_string(rule));
  CHECK(found.says == says);
  CHECK_FALSE(history.checks.held());
  for (const Verdict& verdict : history.checks.verdicts()) CHECK(verdict.violated == (verdict.rule == rule ? 1 : 0));
}

inline void check_held(const History& history) {
  CHECK(texts_of(history.checks) == std::vector<std::string>{});
  CHECK(history.checks.held());
}

}  // namespace holdfast::sim::checks_test
