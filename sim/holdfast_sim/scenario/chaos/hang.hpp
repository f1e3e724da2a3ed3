// A hang: until its end the targets' runs neither end nor obey. What falls due in the meantime happens at the end.
#pragma once

#include <optional>
#include <string_view>

#include <holdfast_sim/scenario/behaviour.hpp>
#include <holdfast_sim/scenario/chaos/lasting.hpp>
#include <holdfast_sim/scenario/chaos/strike.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct HangWindow {
  static constexpr std::string_view kKey = "hang";
  static constexpr std::string_view kHelp =
      "the targets' runs neither end nor obey until the end of the hang; what becomes due meanwhile happens then";

  Target target{};
  std::optional<DrawnLength> length{};  // nullopt: for ever
  HungHeartbeats heartbeats = HungHeartbeats::stop;
  Repairs repairs = Repairs::together;
  friend bool operator==(const HangWindow&, const HangWindow&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.all_of(&HangWindow::target);
    keys.key("for", &HangWindow::length, {.otherwise = "for ever", .help = "how long it lasts"});
    keys.key("heartbeats", &HangWindow::heartbeats,
             {.help = "what becomes of the heartbeats of services with a `watchdog`: they stop, or they go on without "
                      "any progress"});
    keys.key("repairs", &HangWindow::repairs, {.help = Lasting::kRepairsHelp});
  }

  template <class Rules>
  void check(Rules& rules) const {
    lasting().check(rules);
  }

  void strike(Strike& strike) const {
    lasting().for_each(strike, target, [heartbeats = heartbeats](Victim& victim, TimePoint until) {
      victim.begin_hang(until, heartbeats, "hang");
    });
  }

 private:
  [[nodiscard]] Lasting lasting() const { return {length, repairs}; }
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
