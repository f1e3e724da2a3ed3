// The rule about stops that are not obeyed: who is killed or abandoned, and when.
//
// Thread-safety: none.
#pragma once

#include <holdfast_sim/checks.hpp>
#include <holdfast_sim/detail/check_findings.hpp>
#include <holdfast_sim/detail/check_lives.hpp>

namespace holdfast::sim::detail {

struct GraceRules {
  Findings& found;
  Counters& counted;

  // The service was asked to stop.
  static void begin(Step& step) noexcept;
  void on_killed(Step& step, const event::Killed& what);
  void on_kill_threw(Step& step);

  // Whether it is right that the run is abandoned now, for its grace has passed.
  static bool calls_for_abandonment(const Step& step, const Termination& why) noexcept;
  // The run is abandoned, and neither its grace nor a drain has led to that.
  void is_abandoned_too_early(Step& step, const Termination& why);

  // The grace has passed, and this is told instead of what had to come.
  void is_overdue(Step& step);
};

}  // namespace holdfast::sim::detail
