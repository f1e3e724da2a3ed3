// Poison: a bad configuration or binary. Whatever starts with it fails, until it is rolled back.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <holdfast/file/enumerators.hpp>
#include <holdfast/file/keys.hpp>
#include <holdfast_sim/scenario/chaos/lasting.hpp>
#include <holdfast_sim/scenario/chaos/strike.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// How a run ends that has started with it.
enum class PoisonedThen : std::uint8_t {
  fail,  // with an error
  fatal  // with an error that no restart can fix
};
constexpr std::string_view to_string(PoisonedThen then) noexcept {
  return then == PoisonedThen::fail ? "fail" : "fatal";
}

struct Poison {
  static constexpr std::string_view kKey = "poison";
  static constexpr std::string_view kHelp =
      "a configuration or a binary that is bad: each run of the targets that starts before it is rolled back fails "
      "after `fails_after`. What runs goes on, because it has started with the old one";

  Target target{};
  std::optional<DrawnLength> length{};  // nullopt: it is never rolled back
  Duration fails_after = std::chrono::seconds{1};
  PoisonedThen then = PoisonedThen::fail;
  Repairs repairs = Repairs::together;
  std::uint32_t from_start = 1;             // of those of a service that follow after it has reached it
  std::optional<std::uint32_t> to_start{};  // nullopt: until it is rolled back
  friend bool operator==(const Poison&, const Poison&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.all_of(&Poison::target);
    keys.key("for", &Poison::length, {.otherwise = "for ever", .help = "after how long it is rolled back"});
    keys.key("repairs", &Poison::repairs, {.help = Lasting::kRepairsHelp});
    keys.key("fails_after", &Poison::fails_after, {.help = "how long a run lasts that starts with it"});
    keys.key("then", &Poison::then,
             {.help = "what such a run does then: end with an error, or with an error that no restart can fix"});
    constexpr file::Integer kStart{1, std::numeric_limits<std::uint32_t>::max()};
    keys.key("from_start", &Poison::from_start,
             {.forms = {kStart},
              .help = "only from this start of a service on fails what starts with it: `1` is the first that follows "
                      "after it has reached the service, so that `3` lets two runs live. What shows only after a few "
                      "starts, such as a counter that is full or a quota that is used up"});
    keys.key("to_start", &Poison::to_start,
             {.forms = {kStart},
              .otherwise = "until it is rolled back",
              .help = "the last start that fails so; not before `from_start`"});
  }

  template <class Rules>
  void check(Rules& rules) const {
    lasting().check(rules);
    if (to_start && *to_start < from_start) {
      rules.complain("to_start", "is " + std::to_string(*to_start) + ", before from_start, which is " +
                                     std::to_string(from_start) + "; allowed is from_start or later");
    }
    if (length == Duration::zero()) rules.warn("for", "is 0s: no start falls into it, so the poison has no effect");
  }

  void strike(Strike& strike) const {
    const bool fatal = then == PoisonedThen::fatal;
    const std::uint64_t last = to_start ? *to_start : StartFault::kNoLast;
    const auto hit = [fails_after = fails_after, fatal, first = from_start, last](Victim& victim, TimePoint until) {
      victim.begin({.name = kKey,
                    .kind = ChaosEvent::Kind::failing_starts,
                    .until = until,
                    .cause = "poison",
                    .fails_after = fails_after,
                    .fatal = fatal,
                    .goes_first = true,
                    .from_start = first,
                    .to_start = last});
    };
    lasting().for_each(strike, target, hit);
  }

 private:
  [[nodiscard]] Lasting lasting() const { return {length, repairs}; }
};

}  // namespace holdfast::sim

template <>
inline constexpr std::array holdfast::file::kEnumerators<holdfast::sim::PoisonedThen>{
    holdfast::sim::PoisonedThen::fail, holdfast::sim::PoisonedThen::fatal};

#pragma GCC visibility pop
