// Less capacity: a resource has fewer slots for a while, or none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <holdfast_sim/scenario/chaos/strike.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct Capacity {
  static constexpr std::string_view kKey = "capacity";
  static constexpr std::string_view kHelp =
      "a resource has fewer slots until the end; a run that has one keeps it. If several overlap, the smallest number "
      "of slots holds";
  static constexpr bool kReachesNobody = true;  // it is done to a resource

  std::string of{};
  std::uint32_t slots = 0;
  std::optional<DrawnLength> length{};  // nullopt: for ever
  friend bool operator==(const Capacity&, const Capacity&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.key("of", &Capacity::of, {.required = true, .help = "the name of a resource"});
    keys.key("slots", &Capacity::slots, {.help = "how many it has at most; `0`: no run is served"});
    keys.key("for", &Capacity::length, {.otherwise = "for ever", .help = "how long it lasts"});
  }

  template <class Rules>
  void check(Rules& rules) const {
    rules.is_resource("of", of);
  }

  void strike(Strike& strike) const {
    strike.limit(of, slots, length ? strike.now() + strike.draw(*length) : TimePoint::max());
  }
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
