// Every kind of chaos. A kind is a file: its struct, its keys, the rules across them, and what it does.
//
//     struct Storm {
//       static constexpr std::string_view kKey = "storm";  // the key of [[chaos]] behind which it stands
//       static constexpr std::string_view kHelp = "…";     // what it does, in Markdown
//       Target target{};                                   // its keys: names in `target.of` are checked
//       template <class Keys>
//       static void describe(Keys& keys);                  // lists them, as holdfast/file/table_of.hpp has it; a kind
//                                                          // without members has no keys, and stands there as `true`
//       template <class Rules>
//       void check(Rules& rules) const;                    // optional: rules across its keys, and what has no effect
//       template <class At>
//       void strikes_at(const At& at) const;               // optional: at(number, how long after the entry's `at`);
//                                                          // such an entry has no `every`
//       void strike(Strike& strike) const;                 // what it does
//       static constexpr bool kReachesNobody = true;       // optional: no service has a ChaosEvent of it
//     };
//
// Here it is included, and stands in the list: the first is what an empty entry is. Reader, writer, schema, reference,
// timetable and generated scenarios take it from there. How its events read stands in observe/chaos_event.hpp.
#pragma once

#include <string_view>
#include <variant>

#include <holdfast_sim/scenario/chaos/capacity.hpp>
#include <holdfast_sim/scenario/chaos/command.hpp>
#include <holdfast_sim/scenario/chaos/contagion.hpp>
#include <holdfast_sim/scenario/chaos/hang.hpp>
#include <holdfast_sim/scenario/chaos/joining.hpp>
#include <holdfast_sim/scenario/chaos/late_timers.hpp>
#include <holdfast_sim/scenario/chaos/outage.hpp>
#include <holdfast_sim/scenario/chaos/poison.hpp>
#include <holdfast_sim/scenario/chaos/reconfigure.hpp>
#include <holdfast_sim/scenario/chaos/recorded.hpp>
#include <holdfast_sim/scenario/chaos/shutdown.hpp>
#include <holdfast_sim/scenario/chaos/slow.hpp>
#include <holdfast_sim/scenario/chaos/stall.hpp>
#include <holdfast_sim/scenario/chaos/storm.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

using Chaos = std::variant<Storm, Outage, HangWindow, Shutdown, Recorded, Capacity, Poison, OperatorCommand, Slow,
                           Contagion, Stall, LateTimers, Reconfigure, Joining>;

// Whether it is done to services, each of which has a ChaosEvent of it.
inline bool reaches_services(const Chaos& chaos) {
  return std::visit(
      [](const auto& kind) {
        return !requires { kind.kReachesNobody; };
      },
      chaos);
}
// Whether it is the supervisor that it makes late.
inline bool makes_supervisor_late(const Chaos& chaos) {
  return std::holds_alternative<Stall>(chaos) || std::holds_alternative<LateTimers>(chaos);
}
// Whether an operator does it: nothing goes wrong by it alone.
inline bool is_done_by_operator(const Chaos& chaos) {
  return std::holds_alternative<Shutdown>(chaos) || std::holds_alternative<OperatorCommand>(chaos) ||
         std::holds_alternative<Reconfigure>(chaos) || std::holds_alternative<Joining>(chaos);
}
// "storm"
inline std::string_view key_of(const Chaos& chaos) {
  return std::visit([](const auto& kind) { return kind.kKey; }, chaos);
}

}  // namespace holdfast::sim

#pragma GCC visibility pop
