// A hang: until its end the targets' runs neither end nor obey. What falls due in the meantime happens at the end.
#pragma once

#include <optional>
#include <string_view>

#include <holdfast_sim/scenario/chaos/strike.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct HangWindow {
  static constexpr std::string_view kKey = "hang";
  static constexpr std::string_view kHelp =
      "the targets' runs neither end nor obey until the end of the hang; what becomes due meanwhile happens then";

  Target target{};
  std::optional<Duration> length{};  // nullopt: for ever
  friend bool operator==(const HangWindow&, const HangWindow&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.all_of(&HangWindow::target);
    keys.key("for", &HangWindow::length, {.otherwise = "for ever", .help = "how long it lasts"});
  }

  void strike(Strike& strike) const {
    const TimePoint until = length ? strike.now() + *length : TimePoint::max();
    strike.for_each(target, [until](Victim& victim) { victim.begin_hang(until, "hang"); });
  }
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
