// Contagion: what starts takes others with it, as a server that fetches what it lacks from the others, or the load of
// one that goes to its neighbours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/keys.hpp>
#include <holdfast/file/values.hpp>
#include <holdfast_sim/scenario/behaviour.hpp>
#include <holdfast_sim/scenario/chaos/lasting.hpp>
#include <holdfast_sim/scenario/chaos/strike.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct Contagion {
  static constexpr std::string_view kKey = "contagion";
  static constexpr std::string_view kHelp =
      "each run of the targets that starts before the end makes the run of another service fail. Those start again, "
      "and "
      "may hit others in turn";

  Target target{};                      // whose starts
  std::vector<std::string> others{};    // whom they hit; empty: the targets
  std::optional<DrawnLength> length{};  // nullopt: for ever
  Ratio chance = kAlways;
  std::uint32_t hits = 1;
  Duration after{0};
  friend bool operator==(const Contagion&, const Contagion&) = default;

  static constexpr Ratio kAlways = Ratio::from(1);

  template <class Keys>
  static void describe(Keys& keys) {
    keys.all_of(&Contagion::target);
    keys.template key_as<file::OneOrMoreTexts>(
        "others", &Contagion::others,
        {.otherwise = "those of `of`",
         .help = "who may be hit: names of groups and of single services, or patterns of names",
         .written = [](const Contagion& contagion) { return !contagion.others.empty(); }});
    keys.key("for", &Contagion::length, {.otherwise = "for ever", .help = "how long it lasts"});
    keys.key("chance", &Contagion::chance,
             {.forms = {file::Number{Ratio{}, kAlways, true}},
              .help = "each start does so with this probability, by a draw of its own"});
    keys.key("hits", &Contagion::hits,
             {.forms = {file::Integer{1, Infection::kHitsMax}},
              .help = "how many it hits, each drawn among all of `others`. One that is down, or is drawn twice, fails "
                      "no second time"});
    keys.key("after", &Contagion::after, {.help = "how long after its start"});
  }

  template <class Rules>
  void check(Rules& rules) const {
    rules.names_exist("others", others);
    if (length == Duration::zero()) rules.warn("for", "is 0s: no start falls into it, so it has no effect");
  }

  void strike(Strike& strike) const {
    const Infection infection{strike.names_of(others.empty() ? target.of : others), chance.two_to_minus_32, hits,
                              after};
    const Lasting lasting{length, Repairs::together};
    lasting.for_each(strike, target,
                     [infection](Victim& victim, TimePoint until) { victim.infect(infection, until, "contagion"); });
  }
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
