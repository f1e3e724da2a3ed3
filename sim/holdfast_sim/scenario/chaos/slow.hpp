// Slow starts and stops: of a machine that is short of something, of a cache that is cold, of what has been up for
// long.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include <holdfast/detail/wide.hpp>
#include <holdfast/file/keys.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/scenario/behaviour.hpp>
#include <holdfast_sim/scenario/chaos/lasting.hpp>
#include <holdfast_sim/scenario/chaos/strike.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct Slow {
  static constexpr std::string_view kKey = "slow";
  static constexpr std::string_view kHelp =
      "each run of the targets that starts before the end takes longer until it is ready, or to stop. What runs goes "
      "on "
      "as ever";

  Target target{};
  std::optional<DrawnLength> length{};  // nullopt: for ever
  std::optional<DrawnLength> ready_after{};
  std::optional<Ratio> ready_grows{};
  std::optional<DrawnLength> stop_takes{};
  std::optional<Duration> absent_for{};  // nullopt: every start
  friend bool operator==(const Slow&, const Slow&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.all_of(&Slow::target);
    keys.key("for", &Slow::length, {.otherwise = "for ever", .help = "how long it lasts"});
    keys.key("ready_after", &Slow::ready_after,
             {.otherwise = "as ever",
              .help = "how long such a run takes until it is ready, instead of what its group says. It takes effect "
                      "with `ready = \"notified\"`"});
    keys.key("ready_grows", &Slow::ready_grows,
             {.forms = {file::Number{Ratio{}, Ratio::from(100), true}},
              .otherwise = "nothing",
              .help = "what is added to that: this share of the time for which the last run that was ready had been "
                      "so. What has been up for long starts slowly"});
    keys.key("stop_takes", &Slow::stop_takes,
             {.otherwise = "as ever", .help = "how long such a run takes to stop, instead of what its group says"});
    keys.key("absent_for", &Slow::absent_for,
             {.otherwise = "each run",
              .help = "only a run of a service that was not ready for so long, or never: its cache is cold"});
    keys.choice(file::Table::Choice::at_least_one, {"ready_after", "ready_grows", "stop_takes"});
  }

  template <class Rules>
  void check(Rules& rules) const {
    if (length == Duration::zero()) rules.warn("for", "is 0s: no start falls into it, so it has no effect");
    if (ready_after) rules.length_works("ready_after", *ready_after);
    if (stop_takes) rules.length_works("stop_takes", *stop_takes);
  }

  void strike(Strike& strike) const {
    const Lasting lasting{length, Repairs::together};
    lasting.for_each(strike, target, [slow = *this](Victim& victim, TimePoint until) {
      victim.begin({.name = kKey,
                    .kind = ChaosEvent::Kind::slow,
                    .until = until,
                    .cause = "slow",
                    .changes = [slow](Behaviour& run, const LastReady& last) { slow.change(run, last); }});
    });
  }

 private:
  static Duration share_of(Duration length, Ratio share) {
    using holdfast::detail::SignedWide;
    const SignedWide product = (SignedWide{length.count()} * static_cast<std::int64_t>(share.two_to_minus_32)) >> 32;
    return Duration{static_cast<std::int64_t>(std::min(product, SignedWide{kDurationMax.count()}))};
  }
  void change(Behaviour& run, const LastReady& last) const {
    if (absent_for && last.ago < *absent_for) return;
    if (ready_after) run.ready_after = ready_after->of();
    if (ready_grows) run.ready_later = share_of(last.lasted, *ready_grows);
    if (stop_takes) run.on_stop = Takes{stop_takes->of()};
  }
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
