// The rules about the supervisor's own events: the shutdown and its drain.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/checks/detail/check_findings.hpp>
#include <holdfast_sim/checks/detail/check_lives.hpp>

namespace holdfast::sim::detail {

struct DrainRules {
  Findings& found;
  Counters& counted;
  Lives& known;

  std::uint64_t supervisor_n = 0;
  std::optional<event::ShutdownRequested> shutdown;
  TimePoint shutdown_at;
  bool drained = false;
  bool drain_is_late = false;                  // reported as late
  TimePoint drain_over_by = TimePoint::max();  // the instant at the end of which the drain must be over
  Duration postponed{0};                       // by stalls, since it began
  TimePoint late_until = TimePoint::min();     // when the supervisor acts on its deadline, if that is late
  std::uint64_t abandoned = 0;
  TimePoint perhaps_abandoned_at = TimePoint::min();  // by a grace that ended in the very instant, or by the drain
  TimePoint killed_at = TimePoint::min();             // the same of a run that was killed
  bool has_killed = false;                            // before a grace was over

  // Services have ended that the fleet does not go on without (EndsFleet).
  struct FleetEnd {
    TimePoint at;
    std::vector<std::string> by;  // one of them is named
    bool surely = false;          // else the events do not show whether a command has stopped it
  };
  std::optional<FleetEnd> fleet_end;  // it has to be reported in that instant

  [[nodiscard]] bool is_under_way() const noexcept { return shutdown && !drained; }
  // The supervisor stands still: so much later.
  void is_postponed(Duration by) noexcept {
    if (!is_under_way()) return;
    postponed += by;
    if (drain_over_by != TimePoint::max()) drain_over_by = drain_over_by + by;
  }
  // It does so from now until then, and decides nothing before it goes on.
  void stands_still(TimePoint now, TimePoint until, Duration given) noexcept {
    if (!is_under_way()) return;
    const TimePoint by = shutdown_at + shutdown->timeout + postponed;
    is_postponed(given);
    if (by < now) return;  // it is overdue
    if (by + given < until) postponed += until - (by + given);
    if (drain_over_by != TimePoint::max()) drain_over_by = std::max(drain_over_by, until);
  }
  // Its deadline is now, and the supervisor acts on it at `until`. Each service has an event of it; the first counts.
  void is_late(TimePoint now, TimePoint until) noexcept {
    if (std::exchange(late_until, until) != until) is_postponed(until - now);
  }
  // A grace led to the abandonment, but the drain could have, too.
  void may_have_abandoned(TimePoint at) noexcept {
    if (is_under_way()) perhaps_abandoned_at = at;
  }
  // The same for a kill; if it was the drain, the drain is over in this very instant.
  void may_have_killed(TimePoint at, bool surely) noexcept {
    if (!is_under_way()) return;
    killed_at = at;
    if (!surely) return;
    has_killed = true;
    drain_over_by = std::min(drain_over_by, at);
  }

  // `is_in_use` tells of a slot whether services that are after it have not terminated.
  void on_supervisor_event(const Event& event, const std::function<bool(std::uint32_t)>& is_in_use);
  // After each termination.
  void on_terminated(TimePoint at) noexcept {
    if (shutdown && !drained && counted.active_services == 0) drain_over_by = std::min(drain_over_by, at);
  }
  void drain_is_over_in_time(TimePoint at, std::vector<std::string> lines);
  void is_abandoned_in_the_drain(Step& step, const Termination& why);
  // `cause` is that of its latest stop.
  void may_end_the_fleet(Step& step, const Termination& why, EndsFleet when, StopCause cause);
  // Before an event at `at`.
  void time_goes_on(TimePoint at);
  void shuts_down_once(const Event& event, const event::ShutdownRequested& what);
  void on_shutdown_requested(const Event& event, const event::ShutdownRequested& what,
                             const std::function<bool(std::uint32_t)>& is_in_use);
  void on_drained(const Event& event, DrainOutcome outcome);
  std::string what_is_wrong_with_the_drain(const Event& event, DrainOutcome outcome);
};

}  // namespace holdfast::sim::detail
