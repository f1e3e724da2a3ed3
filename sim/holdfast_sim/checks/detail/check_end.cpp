#include <holdfast_sim/checks/detail/check_end.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace holdfast::sim::detail {

void EndRules::judge(const SimulationEnd& end, TimePoint now) {
  found.tested(Rule::time_never_goes_backwards);
  if (end.at < now) {
    found.violated(Rule::time_never_goes_backwards, {}, end.at,
                   fmt::format("the end is at {}, after an event at {}", to_string(end.at), to_string(now)), {});
  }
  for (std::size_t i = 0; i < known.lives.size(); ++i) {
    if (known.lives[i].present) nothing_is_owed(i, end);
  }
  if (debts.replaced) {
    found.violated(Rule::restarts_when_commanded, debts.replaced->name, debts.replaced->at,
                   "a restart command adds a terminated service again at once; nothing followed",
                   std::move(debts.replaced->lines));
  }
  if (is_over(drain.drain_over_by, end)) drain.drain_is_over_in_time(drain.drain_over_by, {found.shutdown_line});
  retries.spreads_its_delays(end);
  counters_agree_with_events(end);
}

bool EndRules::is_over(TimePoint at, const SimulationEnd& end) noexcept {
  if (at == TimePoint::max()) return false;
  return at < end.at || end.reason == EndReason::stalled || (at == end.at && end.reason == EndReason::finished);
}

void EndRules::nothing_is_owed(std::size_t slot, const SimulationEnd& end) {
  const Life& life = known.lives[slot];
  if (life.owed != Owed::nothing && life.owed_is_optional) return;
  if (life.owed != Owed::nothing) {
    const auto& [rule, says] = text_of(life.owed);
    broken_at_the_end(rule, slot, life.owed_at, fmt::format("{}; nothing followed", says));
  } else if (life.restart_ignored) {
    broken_at_the_end(Rule::restarts_when_commanded, slot, known.pasts[slot].ignored_at,
                      "the restart command was ignored, though no remove or shutdown came after it");
  } else if (life.waits() && !life.reported_overdue && is_over(life.due, end)) {
    broken_at_the_end(
        Rule::starts_when_the_delay_has_passed, slot, life.due,
        fmt::format("no run has started by {}, though one was due at {}", to_string(end.at), to_string(life.due)));
  } else if (life.must_close) {
    broken_at_the_end(Rule::closes_exactly_when_the_probe_succeeds, slot, known.pasts[slot].close_asked_at,
                      "the breaker was to close, and nothing followed");
  } else if (life.probes() && !life.reported_overdue && is_over(life.due + slack_of(life, known.pasts[slot]), end)) {
    broken_at_the_end(Rule::closes_exactly_when_the_probe_succeeds, slot, life.due,
                      fmt::format("the breaker has not closed by {}, though its probe had stayed up at {}",
                                  to_string(end.at), to_string(life.due)));
  } else if (life.starts() && !life.reported_overdue && is_over(life.due, end)) {
    broken_at_the_end(Rule::gives_up_a_start_exactly_at_its_timeout, slot, life.due,
                      fmt::format("the run was not stopped by {}, though it was not ready at {}", to_string(end.at),
                                  to_string(life.due)));
  } else if (const TimePoint until = retries.silent_until(life, known.pasts[slot]);
             !life.reported_overdue && is_over(until, end)) {
    broken_at_the_end(Rule::gives_up_a_hang_exactly_at_its_watchdog, slot, until,
                      fmt::format("the run was not stopped by {}, though it had been silent for its watchdog at {}",
                                  to_string(end.at), to_string(until)));
  } else if (life.has_grace && !life.reported_overdue && is_over(life.due, end)) {
    broken_at_the_end(Rule::escalates_when_the_grace_has_passed, slot, life.due,
                      fmt::format("the run was not {} by {}, though its grace was over at {}",
                                  life.can_be_killed && !life.killed ? "killed" : "abandoned", to_string(end.at),
                                  to_string(life.due)));
  }
}

void EndRules::broken_at_the_end(Rule rule, std::size_t slot, TimePoint at, std::string says) {
  auto lines = lines_of(known.lives[slot], known.pasts[slot], known.lives[slot].run);
  if (drain.shutdown && Findings::is_about_shutdown(rule)) lines.push_back(found.shutdown_line);
  found.violated(rule, known.pasts[slot].name, at, std::move(says), std::move(lines));
}

void EndRules::counters_agree_with_events(const SimulationEnd& end) {
  found.tested(Rule::counters_agree_with_events);
  std::string says;
  const auto compare = [&](std::string_view name, std::uint64_t counter, std::uint64_t right) {
    if (counter == right) return;
    says += fmt::format("{}{} is {}, but the events add up to {}", says.empty() ? "" : "; ", name, counter, right);
  };
  compare("spawned", end.counters.spawned, counted.spawned);
  compare("starts", end.counters.starts, counted.starts);
  compare("restarts", end.counters.restarts, counted.restarts);
  compare("failures", end.counters.failures, counted.failures);
  compare("clean_exits", end.counters.clean_exits, counted.clean_exits);
  compare("circuit_breaker_trips", end.counters.circuit_breaker_trips, counted.circuit_breaker_trips);
  compare("terminated", end.counters.terminated, counted.terminated);
  compare("killed_runs", end.counters.killed_runs, counted.killed_runs);
  compare("abandoned_runs", end.counters.abandoned_runs, counted.abandoned_runs);
  compare("active_services", end.counters.active_services, counted.active_services);
  compare("failed_starts", end.counters.failed_starts, counted.failed_starts);
  compare("hangs", end.counters.hangs, counted.hangs);
  compare("limited_restarts", end.counters.limited_restarts, counted.limited_restarts);
  compare("waiting_services", end.counters.waiting_services, counted.waiting_services);
  compare("open_breakers", end.counters.open_breakers, counted.open_breakers);
  if (!says.empty()) found.violated(Rule::counters_agree_with_events, {}, end.at, std::move(says), {});
}

}  // namespace holdfast::sim::detail
