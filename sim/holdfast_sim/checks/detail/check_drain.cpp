#include <holdfast_sim/checks/detail/check_drain.hpp>

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include <holdfast_sim/observe/event_log.hpp>

namespace holdfast::sim::detail {

using holdfast::to_string;

void DrainRules::on_supervisor_event(const Event& event, const std::function<bool(std::uint32_t)>& is_in_use) {
  found.tested(Rule::events_are_numbered_without_gaps);
  if (event.n != supervisor_n + 1) {
    found.violated(Rule::events_are_numbered_without_gaps, {}, event.at,
                   fmt::format("has the number {} instead of {}", event.n, supervisor_n + 1), {describe(event)});
  }
  supervisor_n = event.n;
  if (const auto* const requested = std::get_if<event::ShutdownRequested>(&event.what)) {
    on_shutdown_requested(event, *requested, is_in_use);
  } else if (const auto* const over = std::get_if<event::Drained>(&event.what)) {
    on_drained(event, over->outcome);
  }
}

void DrainRules::may_end_the_fleet(Step& step, const Termination& why, EndsFleet when, StopCause cause) {
  using Reason = Termination::Reason;
  if (shutdown || when == EndsFleet::never) return;
  const bool was_stopped = why.reason == Reason::cancelled || why.reason == Reason::abandoned;
  const bool hangs = why.reason == Reason::abandoned && goes_on_after(cause);
  const bool is_lost = why.reason == Reason::failed || why.reason == Reason::circuit_open || hangs ||
                       (was_stopped && cause == StopCause::group_lost);
  const bool with_dependency = was_stopped && cause == StopCause::dependency_stop;
  const bool ends = when == EndsFleet::when_lost ? is_lost : !was_stopped || is_lost || with_dependency;
  if (!ends) return;
  const bool surely = !with_dependency;  // a command may have come upon that stop
  if (fleet_end && fleet_end->surely) return;
  if (!fleet_end) fleet_end = FleetEnd{step.event.at, {}, false};
  fleet_end->by.push_back(step.past.name);
  fleet_end->surely = surely;
}

void DrainRules::time_goes_on(TimePoint at) {
  if (!fleet_end || at <= fleet_end->at) return;
  if (fleet_end->surely) {
    found.violated(Rule::shuts_down_once, fleet_end->by.back(), fleet_end->at,
                   "has ended, and the fleet does not end with it, though its ends_fleet says so", {});
  }
  fleet_end.reset();
}

void DrainRules::shuts_down_once(const Event& event, const event::ShutdownRequested& what) {
  const ShutdownCause cause = what.cause;
  const auto due = std::exchange(fleet_end, std::nullopt);
  const auto is_due = [&] { return due && std::find(due->by.begin(), due->by.end(), what.ended_by) != due->by.end(); };
  found.tested(Rule::shuts_down_once);
  if (shutdown) {
    found.violated(Rule::shuts_down_once, {}, event.at, "a shutdown is requested again",
                   {found.shutdown_line, describe(event)});
  } else if (cause == ShutdownCause::all_terminated && counted.active_services > 0) {
    found.violated(Rule::shuts_down_once, {}, event.at,
                   fmt::format("all are said to have terminated, but {} are active{}", counted.active_services,
                               known.names_of_the_active()),
                   {describe(event)});
  } else if (cause == ShutdownCause::ends_fleet && !is_due()) {
    found.violated(Rule::shuts_down_once, {}, event.at,
                   fmt::format("the fleet ends with \"{}\", though nothing calls for that now", what.ended_by),
                   {describe(event)});
  }
}

void DrainRules::on_shutdown_requested(const Event& event, const event::ShutdownRequested& what,
                                       const std::function<bool(std::uint32_t)>& is_in_use) {
  shuts_down_once(event, what);
  if (shutdown) return;
  shutdown = what;
  shutdown_at = event.at;
  found.shutdown_line = describe({.at = event.at, .what = what});
  drain_over_by = counted.active_services == 0 ? event.at : event.at + what.timeout;
  for (std::size_t i = 0; i < known.lives.size(); ++i) {
    Life& life = known.lives[i];
    if (!life.present) continue;
    if (life.owed_is_optional) {
      life.owed = Owed::nothing;
      life.owed_is_optional = false;
    } else if (may_be_overtaken(life.owed)) {
      life.restart_ignored = true;
      known.pasts[i].ignored_at = life.owed_at;
      life.owed = Owed::nothing;
    }
    const bool goes_on = life.run_alive && life.phase != Phase::stopping && is_in_use(static_cast<std::uint32_t>(i));
    if (life.owed == Owed::nothing && !goes_on) owes_a_stop(life, event.at, StopCause::shutdown);
  }
}

void DrainRules::drain_is_over_in_time(TimePoint at, std::vector<std::string> lines) {
  found.violated(
      Rule::drains_by_its_deadline, {}, at,
      fmt::format("the drain must be over by {}, and is not{}", to_string(drain_over_by), known.names_of_the_active()),
      std::move(lines));
  drain_over_by = TimePoint::max();
  drain_is_late = true;
}

void DrainRules::on_drained(const Event& event, DrainOutcome outcome) {
  if (const std::string says = what_is_wrong_with_the_drain(event, outcome); !says.empty()) {
    std::vector<std::string> lines{describe(event)};
    if (shutdown) lines.insert(lines.begin(), found.shutdown_line);
    found.violated(Rule::drains_by_its_deadline, {}, event.at, says, std::move(lines));
  }
  drained = true;
  drain_over_by = TimePoint::max();
}

std::string DrainRules::what_is_wrong_with_the_drain(const Event& event, DrainOutcome outcome) {
  found.tested(Rule::drains_by_its_deadline);
  if (!shutdown) return "a drain is over, but no shutdown was requested";
  if (drained) return "a drain is over again";
  if (counted.active_services > 0) {
    return fmt::format("{} services are active after the drain{}", counted.active_services,
                       known.names_of_the_active());
  }
  if (outcome == DrainOutcome::drained) {
    if (has_killed) return "is reported as drained, but has killed runs whose graces were not over";
    return abandoned == 0 ? "" : fmt::format("is reported as drained, but {} services were abandoned", abandoned);
  }
  if (abandoned == 0 && perhaps_abandoned_at != event.at && killed_at != event.at)
    return fmt::format("is reported as {}, but no service was killed or abandoned", to_string(outcome));
  const TimePoint deadline = shutdown_at + shutdown->timeout + postponed;
  if (outcome == DrainOutcome::deadline && event.at != deadline && !drain_is_late) {
    return fmt::format("the deadline is {}, but the drain is reported to have met it at {}", to_string(deadline),
                       to_string(event.at));
  }
  return {};
}

void DrainRules::is_abandoned_in_the_drain(Step& step, const Termination& why) {
  ++abandoned;
  const Life& life = step.life;
  if (!found.test(Rule::drains_by_its_deadline, is_under_way(), step,
                  [] { return "is abandoned, but no drain is under way"; })) {
    return;
  }
  drain_over_by = std::min(drain_over_by, step.event.at);
  const Duration after = step.event.at - step.past.stop_asked_at;
  found.test(Rule::drains_by_its_deadline, !life.can_be_killed || life.killed, step,
             [] { return "is abandoned in the drain, but was to be killed first"; });
  found.test(Rule::drains_by_its_deadline, life.phase == Phase::stopping && life.run_alive, step,
             [&] { return fmt::format("is abandoned while {}", to_string(life.phase)); });
  found.test(Rule::drains_by_its_deadline, why.after == after, step, [&] {
    return fmt::format("is abandoned after {}, but {} is reported", to_string(after), to_string(why.after));
  });
}

}  // namespace holdfast::sim::detail
