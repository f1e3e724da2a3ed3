#include <holdfast_sim/checks/checks.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>

#include <fmt/format.h>

#include <holdfast_sim/checks/detail/check_debts.hpp>
#include <holdfast_sim/checks/detail/check_drain.hpp>
#include <holdfast_sim/checks/detail/check_end.hpp>
#include <holdfast_sim/checks/detail/check_findings.hpp>
#include <holdfast_sim/checks/detail/check_graces.hpp>
#include <holdfast_sim/checks/detail/check_groups.hpp>
#include <holdfast_sim/checks/detail/check_lives.hpp>
#include <holdfast_sim/checks/detail/check_order.hpp>
#include <holdfast_sim/checks/detail/check_owed.hpp>
#include <holdfast_sim/checks/detail/check_retries.hpp>
#include <holdfast_sim/checks/detail/check_stalls.hpp>
#include <holdfast_sim/checks/detail/check_turns.hpp>
#include <holdfast_sim/observe/event_log.hpp>

namespace holdfast::sim {

using namespace detail;
using holdfast::to_string;

// Each event
struct Checks::State {
  Findings found;
  Counters counted;
  Lives known;
  RetryRules retries{.found = found, .counted = counted};
  DebtRules debts{.found = found, .retries = retries};
  DrainRules drain{.found = found, .counted = counted, .known = known};
  TurnRules turns{.found = found, .counted = counted};
  GraceRules graces{.found = found, .counted = counted, .known = known};
  OrderRules order{.found = found, .known = known, .drain = drain, .turns = turns};
  GroupRules groups{.found = found, .known = known, .drain = drain, .turns = turns, .order = order, .retries = retries};

  StallRules stalls;

  TimePoint now = TimePoint::min();

  // -- The order of everything --------------------------------------------------------------------------------------

  template <class AnyEvent, class Line>
  void time_never_goes_backwards(const AnyEvent& event, const Line& line) {
    found.tested(Rule::time_never_goes_backwards);
    if (event.at < now) [[unlikely]] {
      found.violated(Rule::time_never_goes_backwards, event.name, event.at,
                     fmt::format("is at {}, after an event at {}", to_string(event.at), to_string(now)), {line()});
    }
    now = event.at;
  }

  // Services of forget_when_done that have terminated, and when: nothing is left of them after that instant, unless
  // they were restarted or the fleet shuts down.
  struct Forgotten {
    ServiceId service;
    TimePoint at;
  };
  std::vector<Forgotten> forgotten;

  void time_goes_on(TimePoint to) {
    const auto is_over = [to](const Forgotten& each) { return each.at < to; };
    for (const auto& each : forgotten) {
      if (!is_over(each) || drain.shutdown || !is_known(each.service)) continue;
      const Life& life = known.lives[each.service.slot];
      const Past& past = known.pasts[each.service.slot];
      found.tested(Rule::removes_when_commanded);
      if (life.phase != Phase::terminated) continue;
      found.violated(Rule::removes_when_commanded, past.name, each.at,
                     "has terminated and is there, though its policy has forget_when_done",
                     lines_of(life, past, life.run));
    }
    std::erase_if(forgotten, is_over);
  }

  void on_event(const Event& event) {
    time_never_goes_backwards(event, [&] { return describe(event); });
    if (!forgotten.empty()) [[unlikely]]
      time_goes_on(event.at);
    if (order.is_used()) [[unlikely]]
      order.time_goes_on(event.at);
    if (groups.is_used()) [[unlikely]]
      groups.time_goes_on(event.at);
    if (drain.fleet_end) [[unlikely]]
      drain.time_goes_on(event.at);
    if (event.at > drain.drain_over_by) drain.drain_is_over_in_time(event.at, {found.shutdown_line, describe(event)});
    if (debts.replaced) debts.comes_back_in_place(event);
    if (event.about_supervisor()) return on_supervisor_event(event);
    if (const auto* const added = std::get_if<event::Added>(&event.what)) return on_added(event, *added);
    if (!is_known(event.service)) return on_stray_event(event);
    Step step = step_of(event);
    events_are_numbered_without_gaps(step);
    is_not_overdue(step);
    retries.closes_at_once(step);
    step.explained = false;
    visit_what(event.what, [&]<class What>(const What& what) {
      on(step, what);
      if constexpr (event::HasPolicy<What>) {
        keep_with_policy(step, what);
      } else {
        step.life.keep(event, what);
      }
    });
    step.life.just_stopping = std::holds_alternative<event::Stopping>(event.what);
  }

  void on_supervisor_event(const Event& event) {
    const bool was_under_way = drain.is_under_way();
    groups.on_supervisor_event(event);
    drain.on_supervisor_event(event, [this](std::uint32_t slot) { return order.is_in_use(slot); });
    if (!was_under_way && drain.is_under_way()) graces.on_default_grace(drain.shutdown->timeout, event.at);
  }

  [[nodiscard]] bool is_known(ServiceId id) const noexcept {
    return id.slot < known.lives.size() && known.lives[id.slot].generation == id.generation &&
           known.lives[id.slot].present;
  }

  Step step_of(const Event& event) {
    const std::uint32_t slot = event.service.slot;
    if (slot >= known.lives.size()) {
      known.lives.resize(slot + 1);
      known.pasts.resize(slot + 1);
    }
    return {event, known.lives[slot], known.pasts[slot], known.lives[slot].run};
  }

  void on_added(const Event& event, const event::Added& added) {
    Step step = step_of(event);
    removed_services_stay_silent(step);
    step.past.begin(event);
    step.life.begin(event, added, retries.policy_index(*added.policy));
    if (added.runs_before.value == 0) step.past.abandoned_runs.clear();
    step.past.has_grace_of(*added.policy);
    found.test(Rule::events_are_numbered_without_gaps, event.n == 1, step,
               [&] { return fmt::format("has the number {} instead of 1", event.n); });
    found.test(Rule::runs_are_numbered_in_order, event.run == added.runs_before, step, [&] {
      return fmt::format("is reported with run {}, having had {}", event.run.value, added.runs_before.value);
    });
    order.on_added(step, *added.policy);
    if (groups.is_used()) groups.on_added(step, *added.policy);
    ++counted.spawned;
    ++counted.active_services;
    keep_with_policy(step, added);
  }

  // The policy of the event is gone with it.
  template <event::HasPolicy What>
  void keep_with_policy(Step& step, What what) {
    what.policy = retries.policies[step.life.policy].get();
    step.life.keep(step.event, what);
  }

  // An event of a service that is not present.
  void on_stray_event(const Event& event) {
    Step step = step_of(event);
    if (event.service.generation <= step.life.generation) {
      if (step.life.unknown) return;
      found.test(Rule::removed_services_stay_silent, false, step,
                 [&] { return fmt::format("{} is reported, though the service was removed", kind(event)); });
      return;
    }
    if (!step.life.present) {
      step.past.begin(event);
      step.life = Life{};
      step.life.generation = event.service.generation;
      step.life.unknown = true;
    }
    found.test(Rule::events_are_numbered_without_gaps, false, step,
               [&] { return fmt::format("its first event is {} instead of added", kind(event)); });
  }

  void events_are_numbered_without_gaps(Step& step) {
    const bool follows = found.test(Rule::events_are_numbered_without_gaps, step.event.n == step.life.n + 1, step, [&] {
      return fmt::format("has the number {} instead of {}", step.event.n, step.life.n + 1);
    });
    if (!follows) step.past.show_from(step.event.n);
  }

  // An id is used for one service only; another one has its slot only after it was removed.
  void removed_services_stay_silent(Step& step) {
    const Life& life = step.life;
    found.test(Rule::removed_services_stay_silent, !life.present, step,
               [&] { return fmt::format("takes the place of \"{}\", which was not removed", step.past.name); });
    if (life.present) return;
    found.test(Rule::removed_services_stay_silent, step.event.service.generation > life.generation, step,
               [] { return "is added under an id that was used before"; });
  }

  // -- Phases -------------------------------------------------------------------------------------------------------

  void makes_only_legal_transitions(Step& step, Phase to) {
    const Phase from = step.life.phase;
    step.life.phase = to;
    found.tested(Rule::makes_only_legal_transitions);
    if (!may_follow(from, to) && !step.explained) [[unlikely]] {
      found.broken(Rule::makes_only_legal_transitions, step,
                   [&] { return fmt::format("{} may not follow {}", to_string(to), to_string(from)); });
    }
  }

  // Kinds that change no phase, and those that never get here. The latter are spelled out, so that the compiler asks
  // about a new kind of event that does more than inform.
  template <event::OnlyInforms What>
  void on(Step&, const What&) {}
  void on(Step&, const event::Added&) {}
  void on(Step&, const event::ShutdownRequested&) {}
  void on(Step&, const event::Drained&) {}

  // -- Runs ---------------------------------------------------------------------------------------------------------

  void is_the_present_run(Step& step) {
    found.test(Rule::runs_are_numbered_in_order, step.event.run.value == step.life.run, step, [&] {
      return fmt::format("is about run {}, but the latest is {}", step.event.run.value, step.life.run);
    });
    step.life.run = step.event.run.value;
  }

  void runs_are_numbered_in_order(Step& step) {
    const Life& life = step.life;
    if (!found.test(Rule::runs_are_numbered_in_order, step.event.run.value == life.run + 1, step,
                    [&] { return fmt::format("run {} follows run {}", step.event.run.value, life.run); })) {
      step.explained = false;
    }
    found.test(Rule::runs_are_numbered_in_order, !life.run_alive || life.phase == Phase::terminated, step,
               [&] { return fmt::format("a run starts while run {} is alive", life.run); });
    step.life.run = step.event.run.value;
  }

  void never_runs_after_termination(Step& step) {
    found.test(Rule::never_runs_after_termination, step.life.phase != Phase::terminated, step,
               [&] { return fmt::format("{} is reported, though the service has terminated", kind(step.event)); });
  }

  void never_starts_after_shutdown(Step& step) {
    found.tested(Rule::never_starts_after_shutdown);
    if (drain.shutdown) [[unlikely]] {
      found.broken(Rule::never_starts_after_shutdown, step, [&] {
        return fmt::format("a run starts after the shutdown requested at {}", to_string(drain.shutdown_at));
      });
    }
  }

  // The host is off.
  void nothing_starts_before(ServiceId service, TimePoint until) {
    if (!is_known(service)) return;
    Life& life = known.lives[service.slot];
    if (life.phase != Phase::backing_off) return;
    order.waits_no_more(service.slot);
    groups.leaves(service.slot, now);
    const bool was_limited = known.pasts[service.slot].turn != 0;
    life.due = life.is_limited() ? until : std::max(life.due, until);
    if (was_limited) turns.ends(known.pasts[service.slot]);
  }

  // The simulation tells when the present run gives signs of life, and when it gives none any more.
  void is_heard(ServiceId service) {
    if (!is_known(service)) return;
    Past& past = known.pasts[service.slot];
    past.silent_since = TimePoint::min();
    past.gives_signs = true;
  }

  void is_silent(ServiceId service, TimePoint since) {
    if (!is_known(service)) return;
    Past& past = known.pasts[service.slot];
    past.silent_since = std::max(since, past.ready_at);
    past.gives_signs = false;
    Life& life = known.lives[service.slot];
    if (life.is_watched() && !life.probes()) life.due = retries.silent_until(life, past);
  }

  // The supervisor stands still. What it was to do meanwhile it does then, and what a service must have done by a
  // deadline may come later by as much.
  void nothing_is_decided_before(ServiceId service, TimePoint until) {
    drain.stands_still(now, until, stalls.begins(now, until));
    if (!is_known(service)) return;
    Life& life = known.lives[service.slot];
    Past& past = known.pasts[service.slot];
    if (life.has_grace && life.due == TimePoint::max()) past.grace_is_special = true;
    if (life.has_deadline()) {
      life.due = life.due == TimePoint::max() ? life.due : std::max(life.due + stalls.given_to_each, until);
    } else if (life.waits()) {
      life.due = std::max(life.due, until);
    }
    if (life.is_watched()) past.lateness += until - now;
  }

  // The supervisor's timer for the service is late.
  void is_decided_at(ServiceId service, TimePoint at) {
    if (!is_known(service)) return;
    Life& life = known.lives[service.slot];
    Past& past = known.pasts[service.slot];
    if (life.is_watched()) past.lateness += at - now;
    if (life.has_grace && life.due == TimePoint::max()) past.grace_is_special = true;
    // Every look at a probe that is watched may put its success off.
    if (life.due == now || (life.is_watched() && life.probes())) life.due = at + (life.due - now);
  }

  void starts_when_the_delay_has_passed(Step& step) {
    const Life& life = step.life;
    if (life.reported_overdue || step.explained || !life.waits() || step.paid == Owed::start_now) return;
    if (turns.waits(step.past)) [[unlikely]]
      return turns.starts(step);
    found.test(Rule::starts_when_the_delay_has_passed, step.event.at == life.due, step, [&] {
      return fmt::format("a run starts at {}, but is due at {}", to_string(step.event.at), to_string(life.due));
    });
  }

  void is_not_overdue(Step& step) {
    Life& life = step.life;
    if (step.event.at <= life.due || life.reported_overdue) return;
    if (life.has_grace || life.runs_specially()) [[unlikely]] {
      if (is_specially_overdue(step)) return;
    }
    if (!life.waits()) return;
    if (std::holds_alternative<event::Started>(step.event.what)) return;
    life.reported_overdue = true;
    found.test(Rule::starts_when_the_delay_has_passed, false, step,
               [&] { return fmt::format("no run has started, though one was due at {}", to_string(life.due)); });
  }

  [[gnu::cold, gnu::noinline]] bool is_specially_overdue(Step& step) {
    if (step.life.has_grace) {
      graces.is_overdue(step);
    } else if (step.life.probes()) {
      if (step.event.at <= step.life.due + slack_of(step.life, step.past)) return false;
      is_overdue_to_close(step);
    } else if (step.life.starts()) {
      start_is_overdue(step);
    } else if (step.event.at > retries.silent_until(step.life, step.past)) {
      hang_is_overdue(step);
    } else {
      return false;
    }
    return true;
  }

  void start_is_overdue(Step& step) {
    step.life.reported_overdue = true;
    found.test(Rule::gives_up_a_start_exactly_at_its_timeout, false, step, [&] {
      return fmt::format("the run was not stopped, though it was not ready at {}", to_string(step.life.due));
    });
  }

  void hang_is_overdue(Step& step) {
    step.life.reported_overdue = true;
    found.test(Rule::gives_up_a_hang_exactly_at_its_watchdog, false, step, [&] {
      return fmt::format("the run was not stopped, though it had been silent for its watchdog at {}",
                         to_string(retries.silent_until(step.life, step.past)));
    });
  }

  void is_overdue_to_close(Step& step) {
    step.life.reported_overdue = true;
    found.test(Rule::closes_exactly_when_the_probe_succeeds, false, step, [&] {
      return fmt::format("the breaker has not closed, though its probe had stayed up at {}", to_string(step.life.due));
    });
  }

  void on(Step& step, const event::Started& what) {
    Life& life = step.life;
    runs_are_numbered_in_order(step);
    never_runs_after_termination(step);
    never_starts_after_shutdown(step);
    debts.settle(step, what);
    if (order.is_used()) [[unlikely]]
      order.on_started(step);
    if (groups.is_used()) [[unlikely]]
      groups.on_started(step);
    starts_when_the_delay_has_passed(step);
    if (turns.waits(step.past)) [[unlikely]]
      turns.ends(step.past);
    if (step.paid == Owed::start_now) {
      retries.was_closed_by_the_command(step);
      forget_failures(step);
    }
    const bool is_first = life.phase == Phase::starting && !life.run_alive;
    if (!is_first) makes_only_legal_transitions(step, Phase::starting);
    ++counted.starts;
    if (life.started_before) ++counted.restarts;
    life.started_before = life.run_alive = true;
    life.reported_overdue = false;
    life.began = step.event.at;
    if (life.says_when_ready) [[unlikely]]
      return retries.starts_until(step);
    life.owe(Owed::be_ready, step.event.at);
  }

  void on(Step& step, const event::Running& what) {
    is_the_present_run(step);
    never_runs_after_termination(step);
    debts.settle(step, what);
    makes_only_legal_transitions(step, Phase::running);
    if (order.is_used()) [[unlikely]]
      order.on_running(step);
    if (step.life.runs_specially()) [[unlikely]]
      is_ready(step);
  }

  // In time: otherwise it is overdue, which was said before.
  [[gnu::cold, gnu::noinline]] void is_ready(Step& step) {
    if (step.life.says_when_ready) found.tested(Rule::gives_up_a_start_exactly_at_its_timeout);
    step.past.ready_at = step.event.at;
    step.past.silent_since = TimePoint::min();
    step.past.gives_signs = false;
    step.past.lateness = Duration{0};
    retries.probes_until(step);
  }

  void tells_how_long_runs_lasted(Step& step, Duration lasted) {
    const Duration right = step.event.at - step.life.began;
    found.test(Rule::tells_how_long_runs_lasted, lasted == right, step, [&] {
      return fmt::format("the run lasted {}, from {}, but {} is reported", to_string(right), to_string(step.life.began),
                         to_string(lasted));
    });
  }

  void on(Step& step, const event::Ended& what) {
    Life& life = step.life;
    is_the_present_run(step);
    debts.settle(step, what);
    if (life.run_alive && life.phase == Phase::terminated) {
      life.run_alive = false;
      found.test(Rule::tells_late_ends_once, false, step,
                 [] { return "the end of an abandoned run is reported as ended"; });
      return;
    }
    if (!found.test(Rule::runs_are_numbered_in_order, life.run_alive, step,
                    [] { return "a run ends, but none is alive"; })) {
      return;
    }
    tells_how_long_runs_lasted(step, what.lasted);
    retries.takes_an_exit_status_as_its_policy_says(step, what);
    life.run_alive = life.has_grace = false;
    if (order.is_used()) [[unlikely]]
      order.on_ended(step);
    if (groups.is_used()) [[unlikely]]
      groups.on_ended(step);
    if (life.phase == Phase::stopping && !is_missed_deadline(life.stop_cause)) {
      life.owe(owed_after_stop(life.stop_cause), step.event.at);
    } else {
      if (life.phase == Phase::stopping) retries.was_given_up(step, what);
      retries.on_unasked_end<event::Ended>(step, what.outcome);
    }
    step.life.last_run_failed = is_failure(what.outcome);
    if (step.life.last_run_failed) step.past.last_error = what.error;
  }

  void on(Step& step, const event::EndedLate& what) {
    Life& life = step.life;
    debts.settle(step, what);
    retries.takes_an_exit_status_as_its_policy_says(step, what);
    if (was_set_aside(step, what)) return;
    const bool abandoned_run = life.phase == Phase::terminated && life.run_alive;
    found.test(Rule::tells_late_ends_once, abandoned_run, step, [&] {
      return step.past.late_end_reported ? "the late end of the run is reported again"
                                         : "a late end is reported, but no run was abandoned";
    });
    if (!abandoned_run) return;
    life.run_alive = false;
    step.past.late_end_reported = true;
    tells_how_long_runs_lasted(step, what.lasted);
  }

  // The end of an abandoned run while the service went on.
  bool was_set_aside(Step& step, const event::EndedLate& what) {
    auto& runs = step.past.abandoned_runs;
    const auto run =
        std::find_if(runs.begin(), runs.end(), [&](const auto& one) { return one.run == step.event.run.value; });
    if (run == runs.end()) return false;
    found.tested(Rule::tells_late_ends_once);
    const Duration right = step.event.at - run->began;
    found.test(Rule::tells_how_long_runs_lasted, what.lasted == right, step, [&] {
      return fmt::format("the run lasted {}, from {}, but {} is reported", to_string(right), to_string(run->began),
                         to_string(what.lasted));
    });
    runs.erase(run);
    return true;
  }

  // -- Policy, backoff and breaker ----------------------------------------------------------------------------------

  void on(Step& step, const event::BackingOff& what) {
    Life& life = step.life;
    is_the_present_run(step);
    debts.settle(step, what);
    if (step.paid == Owed::nothing && !step.explained) {
      found.test(Rule::follows_the_restart_policy, false, step,
                 [] { return "the service backs off, but no run has ended"; });
    }
    if (step.paid != Owed::nothing && step.paid != Owed::wait_for_others && step.paid != Owed::wait_for_siblings)
      retries.keeps_every_retry_within_its_ceiling(step, what);
    if (step.paid == Owed::back_off_after_failure && what.delay >= Duration::zero() && what.delay <= what.ceiling) {
      retries.counts_for_the_spread(step, what);
      retries.draws_every_delay_anew(step, what);
    }
    makes_only_legal_transitions(step, Phase::backing_off);
    life.due = step.event.at + what.delay;
    life.reported_overdue = false;
    if (order.is_used()) [[unlikely]]
      order.on_backing_off(step);
    if (groups.is_used()) [[unlikely]]
      groups.on_backing_off(step, what.cause);
  }

  void on(Step& step, const event::BreakerTripped& what) {
    is_the_present_run(step);
    debts.settle(step, what);
    if (step.paid == Owed::nothing && !step.explained) {
      found.test(Rule::trips_exactly_when_the_window_says_so, false, step,
                 [&] { return "the breaker opens without a failure; " + retries.window_text(step); });
    } else if (step.paid != Owed::nothing) {
      retries.has_the_numbers_of_the_window(step, what.failures, what.max_failures);
    }
    ++counted.circuit_breaker_trips;
    retries.opens(step);
  }

  void on(Step& step, const event::Waiting& what) {
    is_the_present_run(step);
    debts.settle(step, what);
    if (what.waits_for == WaitsFor::group) return groups.on_waiting(step);
    groups.on_other_wait(step);
    if (what.waits_for == WaitsFor::dependency) return order.on_waiting(step, what);
    order.waits_no_more(step.event.service.slot);
    turns.begins(step);
  }

  // What was owed before is still owed.
  void on(Step& step, const event::BreakerClosed& what) {
    is_the_present_run(step);
    retries.closes_exactly_when_the_probe_succeeds(step, what);
  }

  // -- Commands and stops -------------------------------------------------------------------------------------------

  void on(Step& step, const event::Commanded& what) {
    is_the_present_run(step);
    debts.settle(step, what);
    order.on_commanded(step);
    groups.on_commanded(step);
    switch (what.command) {
      case Command::stop: return owes_a_stop(step.life, step.event.at, StopCause::stop);
      case Command::restart:
        if (drain.shutdown) return;
        may_close(step);
        return owes_a_restart(step.life, step.event.at);
      case Command::reset:
        if (drain.shutdown) return;
        may_close(step);
        if (!step.life.breaker_has_opened) forget_failures(step);  // otherwise when it closes
        if (step.life.phase == Phase::backing_off) step.life.owe(Owed::start_now, step.event.at);
        return;
      case Command::remove: return owes_a_removal(step.life, step.event.at);
    }
  }

  // What it waits for stays as it is. With another backoff its failures are forgotten, at once or when its breaker
  // closes.
  void on(Step& step, const event::Reconfigured& what) {
    is_the_present_run(step);
    never_runs_after_termination(step);
    debts.settle(step, what);
    const bool begins_anew = retries.backoff_of(step.life) != *what.policy->backoff;
    step.life.policy = retries.policy_index(*what.policy) & 0xffffff;
    step.past.has_grace_of(*what.policy);
    step.past.grace_is_special = step.life.has_grace;
    if (!begins_anew) return;
    if (!step.life.breaker_has_opened) return forget_failures(step);
    step.life.must_close = true;
    step.past.close_asked_at = step.event.at;
  }

  // Unless a remove or a shutdown overtakes the command.
  static void may_close(Step& step) noexcept {
    step.life.may_close = step.life.breaker_has_opened;
    step.past.close_asked_at = step.event.at;
  }

  void on(Step& step, const event::Stopping& what) {
    Life& life = step.life;
    is_the_present_run(step);
    debts.settle(step, what);
    if (what.cause == StopCause::start_timeout) {
      gives_up_a_start_exactly_at_its_timeout(step);
    } else if (what.cause == StopCause::watchdog) {
      retries.gives_up_a_hang_exactly_at_its_watchdog(step);
    } else if (what.cause == StopCause::dependency || what.cause == StopCause::dependency_stop) {
      order.follows_its_dependencies(step, what.cause);
    } else if (what.cause == StopCause::sibling) {
      groups.stops_with_its_siblings(step);
    } else if (step.paid == Owed::nothing && !step.explained && !order.stops_with_the_rest(step, what.cause)) {
      found.test(Rule::stops_when_asked, false, step, [&] {
        return fmt::format("stops for {}, though no such stop is requested now", to_string(what.cause));
      });
    }
    if (step.paid == Owed::stop_to_restart) {
      retries.was_closed_by_the_command(step);
      forget_failures(step);
    }
    life.stop_cause = what.cause;
    if (order.is_used()) [[unlikely]]
      order.on_stopping(step, what.cause);
    if (groups.is_used()) [[unlikely]]
      groups.on_stopping(step);
    if (turns.waits(step.past)) [[unlikely]]
      turns.ends(step.past);
    if (life.phase != Phase::stopping) {
      makes_only_legal_transitions(step, Phase::stopping);
      graces.begin(step);
    }
    if (!life.run_alive) life.owe(Owed::cancel, step.event.at);
  }

  [[gnu::cold, gnu::noinline]] void gives_up_a_start_exactly_at_its_timeout(Step& step) {
    const Life& life = step.life;
    const bool is_due = life.starts() && (step.event.at == life.due || life.reported_overdue);
    found.test(Rule::gives_up_a_start_exactly_at_its_timeout, is_due, step, [&] {
      if (!life.starts()) return std::string{"is stopped for its start_timeout, but no run is starting"};
      if (life.due == TimePoint::max()) return std::string{"is stopped for a start_timeout, but has none"};
      return fmt::format("is stopped for its start_timeout at {}, but has until {}", to_string(step.event.at),
                         to_string(life.due));
    });
  }

  void on(Step& step, const event::StopThrew& what) {
    is_the_present_run(step);
    debts.settle(step, what);
    found.test(Rule::stops_when_asked, step.life.just_stopping && step.life.run_alive, step,
               [] { return "a stop threw, but no run was asked to stop just before"; });
  }

  void on(Step& step, const event::Killed& what) {
    is_the_present_run(step);
    debts.settle(step, what);
    drain.may_have_killed(step.event.at, graces.on_killed(step, what, drain.is_under_way()));
  }

  void on(Step& step, const event::Abandoned& what) {
    is_the_present_run(step);
    debts.settle(step, what);
    graces.on_abandoned(step, what);
    if (step.life.stop_cause == StopCause::dependency) step.life.owe(Owed::wait_for_others, step.event.at);
    if (step.life.stop_cause == StopCause::sibling) step.life.owe(Owed::wait_for_siblings, step.event.at);
    if (step.life.owed != Owed::start_again || !is_missed_deadline(step.life.stop_cause)) return;
    retries.fails_when_abandoned(step);
  }

  void on(Step& step, const event::KillThrew& what) {
    is_the_present_run(step);
    debts.settle(step, what);
    graces.on_kill_threw(step);
  }

  // -- Ends of lives ------------------------------------------------------------------------------------------------

  void gauge_never_goes_negative(Step& step) {
    if (found.test(Rule::gauge_never_goes_negative, counted.active_services > 0, step,
                   [] { return "a service terminates, but none is active"; })) {
      --counted.active_services;
    }
  }

  void last_error_is_kept(Step& step, std::string_view last_error) {
    const std::string_view right = step.life.last_run_failed ? step.past.last_error.text() : std::string_view{};
    found.test(Rule::last_error_is_kept, last_error == right, step, [&] {
      return fmt::format("the error of the last run is reported as \"{}\", but was \"{}\"", last_error, right);
    });
  }

  void was_waited_for(Step& step, const Termination& why) {
    ++counted.abandoned_runs;
    if (graces.calls_for_abandonment(step, why)) {
      found.tested(Rule::escalates_when_the_grace_has_passed);
      graces.learn(step);
      drain.may_have_abandoned(step.event.at);
    } else if (step.life.has_grace && !drain.is_under_way()) {
      graces.is_abandoned_too_early(step, why);
    } else {
      drain.is_abandoned_in_the_drain(step, why);
    }
  }

  // A termination for which there was no reason.
  void was_called_for(Step& step, const Termination& why) {
    using Reason = Termination::Reason;
    if (why.reason == Reason::abandoned) return was_waited_for(step, why);
    if (step.life.phase == Phase::terminated) return;  // the transition says what is wrong
    if (why.reason == Reason::circuit_open) {
      found.test(Rule::trips_exactly_when_the_window_says_so, false, step,
                 [] { return "terminates by an open circuit, but no breaker tripped just before"; });
    } else if (why.reason == Reason::cancelled) {
      found.test(Rule::stops_when_asked, false, step, [&] {
        return step.life.run_alive ? "is cancelled, but its run is alive" : "is cancelled, but was not asked to stop";
      });
    } else {
      found.test(Rule::follows_the_restart_policy, false, step,
                 [&] { return fmt::format("terminates {}, but no run ended just before", to_string(why.reason)); });
    }
  }

  void on(Step& step, const event::Terminated& what) {
    Life& life = step.life;
    const StopCause cause = life.phase == Phase::stopping ? life.stop_cause : life.owed_cause;
    is_the_present_run(step);
    gauge_never_goes_negative(step);
    debts.settle(step, what);
    if (step.paid == Owed::nothing && !step.explained) was_called_for(step, what.why);
    if (step.paid == Owed::open_circuit) {
      retries.has_the_numbers_of_the_window(step, what.why.failures, what.why.max_failures);
    }
    if (what.why.reason == Termination::Reason::abandoned) step.life.last_run_failed = false;
    last_error_is_kept(step, what.last_error);
    makes_only_legal_transitions(step, Phase::terminated);
    life.has_grace = false;
    if (life.breaker_has_opened) --counted.open_breakers;
    life.breaker_has_opened = life.may_close = false;
    ++counted.terminated;
    if (life.to_be_removed) {
      life.owe(Owed::be_removed, step.event.at);
    } else if (retries.policies[life.policy]->forget_when_done) {
      life.to_be_forgotten = true;
      forgotten.push_back({step.event.service, step.event.at});
    }
    if (order.is_used()) [[unlikely]]
      order.on_terminated(step);
    if (groups.is_used()) [[unlikely]]
      groups.on_terminated(step, what.why);
    drain.may_end_the_fleet(step, what.why, retries.policies[life.policy]->ends_fleet, cause);
    drain.on_terminated(step.event.at);
  }

  void on(Step& step, const event::Removed& what) {
    Life& life = step.life;
    is_the_present_run(step);
    debts.settle(step, what);
    if (step.paid == Owed::nothing && !step.explained && !life.to_be_forgotten) {
      found.test(Rule::removes_when_commanded, false, step, [&] {
        return life.to_be_removed ? "is removed before it has terminated"
                                  : "is removed, though no removal was requested";
      });
    } else {
      const bool is_forgotten = step.paid == Owed::nothing && !step.explained;
      found.test(Rule::removes_when_commanded, what.forgotten == is_forgotten, step, [&] {
        return what.forgotten ? "is said to be forgotten by its policy, though a command removed it"
                              : "is said to be removed by a command, though its policy has forgotten it";
      });
    }
    life.present = false;
    if (order.is_used()) [[unlikely]]
      order.on_removed(step);
    groups.on_removed(step);
    if (step.paid != Owed::be_replaced) return;
    if (life.run_alive) step.past.abandoned_runs.push_back({life.run, life.began});
    debts.replaced = {step.past.name, step.event.at, life.run, step.lines()};
    debts.replaced->lines.push_back(describe(step.event));
  }
};

Checks::Checks() : state_(std::make_unique<State>()) {}

Checks::~Checks() = default;

void Checks::on_event(const Event& event) { state_->on_event(event); }

void Checks::on_chaos(const ChaosEvent& event) {
  state_->time_never_goes_backwards(
      event, [&] { return fmt::format("{} {} hit by {}", to_string(event.at), event.name, event.cause); });
  switch (meaning_of(event.kind)) {
    case ChaosMeaning::off: return state_->nothing_starts_before(event.service, event.until);
    case ChaosMeaning::unsupervised: return state_->nothing_is_decided_before(event.service, event.until);
    case ChaosMeaning::timer_is_late: return state_->is_decided_at(event.service, event.until);
    case ChaosMeaning::drain_is_late: return state_->drain.is_late(event.at, event.until);
    case ChaosMeaning::disturbed:
    case ChaosMeaning::down:
    case ChaosMeaning::hung:
    case ChaosMeaning::slowed:
    case ChaosMeaning::run_hangs:
    case ChaosMeaning::run_is_over:
    case ChaosMeaning::run_waits:
    case ChaosMeaning::run_is_served: return;  // the supervisor goes on
    case ChaosMeaning::run_is_silent: return state_->is_silent(event.service, event.until);
    case ChaosMeaning::run_is_heard: return state_->is_heard(event.service);
  }
}

void Checks::comes_soon(ServiceId service) noexcept {
  if (service.slot < state_->known.lives.size()) state_->known.fetch(service.slot);
}

void Checks::finish(const SimulationEnd& end) {
  State& state = *state_;
  state.time_goes_on(end.reason == EndReason::finished ? TimePoint::max() : end.at);
  state.order.time_goes_on(end.reason == EndReason::finished ? TimePoint::max() : end.at);
  state.groups.time_goes_on(end.reason == EndReason::finished ? TimePoint::max() : end.at);
  state.drain.time_goes_on(end.reason == EndReason::finished ? TimePoint::max() : end.at);
  EndRules{.found = state.found,
           .counted = state.counted,
           .known = state.known,
           .retries = state.retries,
           .debts = state.debts,
           .drain = state.drain}
      .judge(end, state.now);
}

bool Checks::held() const noexcept {
  return std::all_of(state_->found.verdicts.begin(), state_->found.verdicts.end(),
                     [](const Verdict& verdict) { return verdict.violated == 0; });
}

const std::vector<Violation>& Checks::violations() const noexcept { return state_->found.violations; }

std::vector<Verdict> Checks::verdicts() const { return {state_->found.verdicts.begin(), state_->found.verdicts.end()}; }

Counters Checks::counters() const noexcept { return state_->counted; }

}  // namespace holdfast::sim
