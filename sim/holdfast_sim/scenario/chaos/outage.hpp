// An outage: the targets are down for a while.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include <holdfast/file/enumerators.hpp>
#include <holdfast/file/keys.hpp>
#include <holdfast/file/ratio.hpp>
#include <holdfast_sim/scenario/chaos/lasting.hpp>
#include <holdfast_sim/scenario/chaos/strike.hpp>
#include <holdfast_sim/text/file.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// What an outage is to a service that it reaches.
enum class OutageMode : std::uint8_t {
  failing,   // its run crashes, and each run that starts before the end fails after `fails_after`
  refusing,  // its run goes on, and each run that starts before the end fails after `fails_after`
  gone  // its host is off, and with it the supervisor: nothing ends and nothing starts before the end, then it boots
};
constexpr std::string_view to_string(OutageMode mode) noexcept {
  switch (mode) {
    case OutageMode::failing: return "failing";
    case OutageMode::refusing: return "refusing";
    case OutageMode::gone: return "gone";
  }
  return "?";
}

// How a service goes down, of every kind that makes it.
struct GoingDown {
  static constexpr std::string_view kModeHelp =
      "`\"failing\"`: the service is there and fails. `\"refusing\"`: its run goes on, and only its starts fail. "
      "`\"gone\"`: its host is off, and the supervisor with it: nothing ends and nothing starts before the end; then "
      "the service starts at once, with its failures forgotten. Not together with `fails_after` or `failing_starts`";
  static constexpr std::string_view kFailingStartsHelp =
      "each run that starts before the end fails with this probability, by a draw of its own, and otherwise lives as "
      "ever";

  OutageMode mode;
  Duration fails_after;
  Ratio failing_starts;
  std::string_view cause;

  void hit(Victim& victim, TimePoint until) const {
    if (mode == OutageMode::gone) {
      victim.go_off(until, cause);
    } else if (mode == OutageMode::failing && failing_starts == kAllStarts) {
      victim.begin_outage(until, fails_after, cause);
    } else {
      victim.begin({.name = "failing_starts",
                    .kind = ChaosEvent::Kind::failing_starts,
                    .until = until,
                    .cause = cause,
                    .share = failing_starts.two_to_minus_32,
                    .fails_after = fails_after});
      if (mode == OutageMode::failing) victim.crash(cause);
    }
  }

  static constexpr Ratio kAllStarts = Ratio::from(1);

  template <class Kind, class Keys>
  static void describe(Keys& keys) {
    keys.key("failing_starts", &Kind::failing_starts,
             {.forms = {file::Number{Ratio{}, kAllStarts, true}}, .help = kFailingStartsHelp});
    keys.key("mode", &Kind::mode, {.help = kModeHelp});
  }

  template <class Rules>
  static void check(OutageMode mode, Rules& rules) {
    if (mode != OutageMode::gone) return;
    for (const char* const key : {"fails_after", "failing_starts"}) {
      if (!rules.has(key)) continue;
      rules.complain(key, "stands beside " + rules.in_line("mode") +
                              ", which is \"gone\": nothing starts then; allowed is one of the two");
    }
  }
};

struct Outage {
  static constexpr std::string_view kKey = "outage";
  static constexpr std::string_view kHelp =
      "the targets' runs fail at the beginning, and each run of theirs that starts before the end fails after "
      "`fails_after`; or only some of them do, or their host is off: see `mode` and `failing_starts`";

  Target target{};
  DrawnLength length{};
  Duration fails_after = std::chrono::seconds{1};  // not of OutageMode::gone
  OutageMode mode = OutageMode::failing;
  Ratio failing_starts = GoingDown::kAllStarts;  // not of OutageMode::gone
  Repairs repairs = Repairs::together;
  friend bool operator==(const Outage&, const Outage&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.all_of(&Outage::target);
    keys.key("for", &Outage::length, {.required = true, .help = "how long it lasts"});
    keys.key("fails_after", &Outage::fails_after, {.help = "how long a run lasts that starts during the outage"});
    GoingDown::describe<Outage>(keys);
    keys.key("repairs", &Outage::repairs, {.help = Lasting::kRepairsHelp});
  }

  template <class Rules>
  void check(Rules& rules) const {
    GoingDown::check(mode, rules);
    lasting().check(rules);
    if (mode == OutageMode::refusing && length == Duration::zero() && rules.has("for"))
      rules.warn("for", "is 0s: no start falls into it, so the outage has no effect");
  }

  void strike(Strike& strike) const {
    const GoingDown down{mode, fails_after, failing_starts, "outage"};
    lasting().for_each(strike, target, [down](Victim& victim, TimePoint until) { down.hit(victim, until); });
  }

 private:
  [[nodiscard]] Lasting lasting() const { return {length, repairs}; }
};

}  // namespace holdfast::sim

template <>
inline constexpr std::array holdfast::file::kEnumerators<holdfast::sim::OutageMode>{
    holdfast::sim::OutageMode::failing, holdfast::sim::OutageMode::refusing, holdfast::sim::OutageMode::gone};

#pragma GCC visibility pop
