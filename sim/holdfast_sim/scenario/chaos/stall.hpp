// A stall: the supervisor stands still, as in a program that gets no processor, is stopped, or sleeps with its machine.
#pragma once

#include <string_view>

#include <holdfast_sim/scenario/chaos/strike.hpp>
#include <holdfast_sim/scenario/drawn_length.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct Stall {
  static constexpr std::string_view kKey = "stall";
  static constexpr std::string_view kHelp =
      "the supervisor stands still: it got no processor, was stopped, or slept with its machine. Services go on. What "
      "ends, becomes due or is commanded meanwhile the supervisor handles when it wakes: first what arrived, in the "
      "order of arrival, then the timers that are overdue. Its deadlines are later by as much "
      "([semantics](../semantics.md#5-edges-decided), Deadlines)";

  DrawnLength length{};
  friend bool operator==(const Stall&, const Stall&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.key("for", &Stall::length, {.required = true, .help = "how long it lasts"});
  }

  template <class Rules>
  void check(Rules& rules) const {
    if (length == Duration::zero() && rules.has("for")) rules.warn("for", "is 0s: the stall has no effect");
  }

  void strike(Strike& strike) const { strike.stand_still(strike.now() + strike.draw(length)); }
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
