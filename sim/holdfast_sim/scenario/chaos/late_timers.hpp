// Late timers: the supervisor gets to each of its timers too late, as in a program that shares a busy machine.
#pragma once

#include <optional>
#include <string_view>

#include <holdfast_sim/scenario/chaos/strike.hpp>
#include <holdfast_sim/scenario/drawn_length.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct LateTimers {
  static constexpr std::string_view kKey = "late_timers";
  static constexpr std::string_view kHelp =
      "each timer of the supervisor that becomes due before the end is late, as on a busy machine: delays, open times, "
      "start timeouts, watchdogs, successes of probes, graces, the queue of `restart_limit` and the deadline of the "
      "drain. What arrives meanwhile comes first. If several overlap, the one that began last holds until the last of "
      "them ends";

  DrawnLength by{};
  std::optional<DrawnLength> length{};  // nullopt: for ever
  friend bool operator==(const LateTimers&, const LateTimers&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.key("by", &LateTimers::by,
             {.required = true, .help = "how late; where it is drawn, by a draw of its own for each timer"});
    keys.key("for", &LateTimers::length, {.otherwise = "for ever", .help = "how long it lasts"});
  }

  template <class Rules>
  void check(Rules& rules) const {
    rules.length_works("by", by);
    if (length == Duration::zero()) rules.warn("for", "is 0s: no timer becomes due in it, so it has no effect");
    if (by == Duration::zero() && rules.has("by")) rules.warn("by", "is 0s: every timer is in time");
  }

  void strike(Strike& strike) const {
    strike.be_late(by, length ? strike.now() + strike.draw(*length) : TimePoint::max());
  }
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
