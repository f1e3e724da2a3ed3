// How long what is done to the targets of an entry lasts, of every kind that has an end.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <holdfast/file/enumerators.hpp>
#include <holdfast_sim/scenario/chaos/strike.hpp>
#include <holdfast_sim/scenario/drawn_length.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// Whose length is drawn.
enum class Repairs : std::uint8_t {
  together,  // one for all targets
  each,      // one for each
  in_turn    // one for each, and each begins when the one before it is done
};
constexpr std::string_view to_string(Repairs repairs) noexcept {
  switch (repairs) {
    case Repairs::together: return "together";
    case Repairs::each: return "each";
    case Repairs::in_turn: return "in_turn";
  }
  return "?";
}

struct Lasting {
  static constexpr std::string_view kRepairsHelp =
      "`\"together\"`: one length for all targets. `\"each\"`: one for each, by a draw of its own. `\"in_turn\"`: one "
      "repairer, who takes so long for each and mends one after the other, in the order in which they were reached";

  std::optional<DrawnLength> length{};  // nullopt: for ever
  Repairs repairs = Repairs::together;

  // Calls hit(victim, until) for each target when it is reached. `hit` is copied, and outlives the call.
  template <class Hit>
  void for_each(Strike& strike, const Target& target, Hit hit) const {
    if (!length) {
      strike.for_each(target, [hit](Victim& victim) { hit(victim, TimePoint::max()); });
    } else if (repairs == Repairs::together) {
      strike.for_each(target,
                      [hit, lasts = strike.draw(*length)](Victim& victim) { hit(victim, victim.now() + lasts); });
    } else if (repairs == Repairs::each) {
      strike.for_each(target,
                      [hit, lasts = *length](Victim& victim) { hit(victim, victim.now() + victim.draw(lasts)); });
    } else {
      const auto repairer_is_free = std::make_shared<TimePoint>(strike.now());
      strike.for_each(target, [hit, lasts = *length, repairer_is_free](Victim& victim) {
        *repairer_is_free = std::max(*repairer_is_free, victim.now()) + victim.draw(lasts);
        hit(victim, *repairer_is_free);
      });
    }
  }

  // `for` says how long, if it is there.
  template <class Rules>
  void check(Rules& rules) const {
    if (length && length->fixed() && repairs == Repairs::each && rules.has("repairs"))
      rules.warn("repairs", "is \"each\" beside a fixed length, which is the same for all: it has no effect");
    if (!length && rules.has("repairs")) rules.warn("repairs", "has no effect without \"for\": nothing is repaired");
  }
};

}  // namespace holdfast::sim

template <>
inline constexpr std::array holdfast::file::kEnumerators<holdfast::sim::Repairs>{
    holdfast::sim::Repairs::together, holdfast::sim::Repairs::each, holdfast::sim::Repairs::in_turn};

#pragma GCC visibility pop
