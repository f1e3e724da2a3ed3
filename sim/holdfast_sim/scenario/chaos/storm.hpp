// A storm: every live run of the targets fails at once.
#pragma once

#include <string_view>

#include <holdfast_sim/scenario/chaos/strike.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct Storm {
  static constexpr std::string_view kKey = "storm";
  static constexpr std::string_view kHelp =
      "the targets' runs fail at this instant. `storm = {}` is over the whole fleet";

  Target target{};
  friend bool operator==(const Storm&, const Storm&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.all_of(&Storm::target);
  }

  void strike(Strike& strike) const {
    strike.for_each(target, [](Victim& victim) { victim.crash("storm"); });
  }
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
