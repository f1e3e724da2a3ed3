// What an operator does: a command to each of the targets, at once or in batches, as a rolling restart has it.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include <holdfast/event.hpp>
#include <holdfast/file/enumerators.hpp>
#include <holdfast/file/keys.hpp>
#include <holdfast_sim/scenario/chaos/strike.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// A rolling restart.
struct Rolling {
  static constexpr std::string_view kKey = "batches";

  std::uint32_t size = 1;
  Duration gap{1};
  friend bool operator==(const Rolling&, const Rolling&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.key("size", &Rolling::size,
             {.forms = {file::Integer{1, std::numeric_limits<std::uint32_t>::max()}},
              .required = true,
              .help = "how many get the command at once"});
    keys.key("gap", &Rolling::gap,
             {.forms = {file::kPositiveLength},
              .required = true,
              .help = "how long after one batch the next one gets it. If the command has not done its work on all of a "
                      "batch by then, so that they run again or have terminated, the next one waits as long again. If "
                      "one that was to run has terminated, it never comes"});
  }
};

struct OperatorCommand {
  static constexpr std::string_view kKey = "command";
  static constexpr std::string_view kHelp =
      "an operator gives a command to each of the targets: `command = { of = \"web\", do = \"restart\" }`. A command "
      "that the supervisor refuses does nothing";
  static constexpr bool kReachesNobody = true;  // the supervisor's own events have it

  Target target{};
  Command what = Command::restart;
  std::optional<Rolling> batches{};  // nullopt: all at once
  friend bool operator==(const OperatorCommand&, const OperatorCommand&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.all_of(&OperatorCommand::target);
    keys.key("do", &OperatorCommand::what, {.required = true, .help = "the command"});
    keys.key("batches", &OperatorCommand::batches,
             {.otherwise = "all at once",
              .help = "in batches, in the order of the fleet, of which the next one waits for the last one"});
  }

  template <class Rules>
  void check(Rules& rules) const {
    if (batches && target.spread) {
      rules.complain("spread", "stands beside \"batches\", which say when each is reached; leave one of them out");
    }
  }

  void strike(Strike& strike) const {
    const auto hit = [what = what](Victim& victim) { victim.command(what); };
    if (!batches) return strike.for_each(target, hit);
    const bool ends = what == Command::stop || what == Command::remove;
    strike.in_batches(target, {batches->size, batches->gap, ends ? Phase::terminated : Phase::running}, hit);
  }
};

}  // namespace holdfast::sim

template <>
inline constexpr std::array holdfast::file::kEnumerators<holdfast::Command>{
    holdfast::Command::restart, holdfast::Command::stop, holdfast::Command::remove, holdfast::Command::reset};

#pragma GCC visibility pop
