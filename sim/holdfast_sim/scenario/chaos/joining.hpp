// Services that join the fleet while it runs: a group that grows, or what was removed and comes back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/keys.hpp>
#include <holdfast/file/values.hpp>
#include <holdfast_sim/scenario/chaos/strike.hpp>
#include <holdfast_sim/scenario/drawn_length.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct Joining {
  static constexpr std::string_view kKey = "add";
  static constexpr std::string_view kHelp =
      "an operator adds services of the fleet that are not there: `add = { of = \"web\" }`. They belong to a group "
      "that joins later (`joins = \"later\"`), or have been removed. One that is there stays as it is. One that is "
      "added "
      "begins anew, and outside of everything that has begun before, such as an outage. An `add` that the supervisor "
      "refuses, because a service of its `after` is not there or the fleet shuts down, does nothing";
  static constexpr bool kReachesNobody = true;  // the supervisor's own events have it

  std::vector<std::string> of{};        // as in Target
  std::optional<DrawnLength> spread{};  // each joins so long after the beginning; nullopt: at once
  friend bool operator==(const Joining&, const Joining&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.template key_as<file::OneOrMoreTexts>(
        "of", &Joining::of,
        {.otherwise = "the whole fleet",
         .help = "who joins: names of groups and of single services, or patterns of names",
         .written = [](const Joining& joining) { return !joining.of.empty(); }});
    keys.key(
        "spread", &Joining::spread,
        {.otherwise = "all at once", .help = "how long after the beginning each of them joins, by a draw of its own"});
  }

  template <class Rules>
  void check(Rules& rules) const {
    rules.names_exist("of", of);
    if (spread) rules.length_works("spread", *spread);
  }

  void strike(Strike& strike) const { strike.add(of, spread); }
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
