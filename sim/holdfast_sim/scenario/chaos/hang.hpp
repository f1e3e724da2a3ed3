// A hang: until its end the targets' runs neither end nor obey. What falls due in the meantime happens at the end. Or
// only what starts hangs so, or what is asked to stop.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include <holdfast/file/enumerators.hpp>
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
  HangsWhen when = HangsWhen::always;
  friend bool operator==(const HangWindow&, const HangWindow&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.all_of(&HangWindow::target);
    keys.key("for", &HangWindow::length, {.otherwise = "for ever", .help = "how long it lasts"});
    keys.key("heartbeats", &HangWindow::heartbeats,
             {.help = "what becomes of the heartbeats of services with a `watchdog`: they stop, or they go on without "
                      "any progress"});
    keys.key("repairs", &HangWindow::repairs, {.help = Lasting::kRepairsHelp});
    keys.key(
        "when", &HangWindow::when,
        {.help = "`\"start\"`: only runs that start before the end hang, from their start on, and are not ready "
                 "before it; what runs goes on as ever. `\"stop\"`: only runs that are asked to stop before the end "
                 "hang from then on; until then they live as ever"});
  }

  template <class Rules>
  void check(Rules& rules) const {
    lasting().check(rules);
    if (when == HangsWhen::at_stop && rules.has("heartbeats"))
      rules.warn("heartbeats", "has no effect beside when = \"stop\": nobody watches a run that stops");
  }

  void strike(Strike& strike) const {
    lasting().for_each(strike, target, [heartbeats = heartbeats, when = when](Victim& victim, TimePoint until) {
      victim.begin_hang(until, heartbeats, when);
    });
  }

 private:
  [[nodiscard]] Lasting lasting() const { return {length, repairs}; }
};

}  // namespace holdfast::sim

template <>
inline constexpr std::array holdfast::file::kEnumerators<holdfast::sim::HangsWhen>{
    holdfast::sim::HangsWhen::always, holdfast::sim::HangsWhen::at_start, holdfast::sim::HangsWhen::at_stop};

#pragma GCC visibility pop
