// The rule about stops that a run does not obey: which runs are killed or abandoned, and when.
//
// Thread-safety: none.
#pragma once

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/checks/detail/check_findings.hpp>
#include <holdfast_sim/checks/detail/check_lives.hpp>

namespace holdfast::sim::detail {

struct GraceRules {
  Findings& found;
  Counters& counted;
  Lives& known;

  // The service was asked to stop.
  void begin(Step& step) noexcept;
  // True if it is the drain that has killed it, and not its grace.
  bool on_killed(Step& step, const event::Killed& what, bool in_drain);
  // The service goes on without the run.
  void on_abandoned(Step& step, const event::Abandoned& what);
  void on_kill_threw(Step& step);

  // Whether the run may be abandoned now because its grace has passed.
  bool calls_for_abandonment(const Step& step, const Termination& why) noexcept;
  // If the grace is not known yet, the first kill or abandonment shows it.
  void learn(Step& step) noexcept;
  // The run is abandoned, but neither its grace has passed nor a drain is under way.
  void is_abandoned_too_early(Step& step, const Termination& why);

  // The shutdown reported the grace of services that have none of their own.
  void on_default_grace(Duration grace, TimePoint at);

  // The grace has passed, and this event came instead of the kill or the abandonment.
  void is_overdue(Step& step);

 private:
  void begin_default_graces(Duration grace) noexcept;
  [[nodiscard]] TimePoint due_after(const Past& past, TimePoint from) const noexcept {
    const auto grace = known.grace_of(past);
    return grace ? from + *grace : TimePoint::max();
  }
};

}  // namespace holdfast::sim::detail
