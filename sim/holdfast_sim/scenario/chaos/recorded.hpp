// Recorded chaos: an outage for each row of a recorded trace, whose time zero is the entry's `at`.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <holdfast/detail/wide.hpp>
#include <holdfast/file/keys.hpp>
#include <holdfast/file/ratio.hpp>
#include <holdfast_sim/scenario/chaos/outage.hpp>
#include <holdfast_sim/scenario/chaos/strike.hpp>
#include <holdfast_sim/scenario/recorded_trace.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct Recorded {
  static constexpr std::string_view kKey = "recorded";
  static constexpr std::string_view kHelp = "an outage for each row of a recorded trace";

  std::string file{};  // as written, relative to the scenario's folder
  std::string of{};    // entity e is service <of>-e; empty: it is a service named e, added to the fleet for it
  Duration fails_after = std::chrono::seconds{1};  // not of OutageMode::gone
  RecordedTrace trace{};
  OutageMode mode = OutageMode::failing;
  Ratio failing_starts = GoingDown::kAllStarts;  // not of OutageMode::gone
  Ratio compress = Ratio::from(1);               // so many times as fast as it was
  friend bool operator==(const Recorded&, const Recorded&) = default;

  template <class Keys>
  static void describe(Keys& keys) {
    keys.key("file", &Recorded::file,
             {.required = true, .help = "path of the trace, relative to the folder of the scenario"});
    keys.key("of", &Recorded::of,
             {.otherwise = "none",
              .help = "name of a group with a `count`: entity `3` of the trace is service `of-3`. Without it each "
                      "entity is a service of its own name, added to the fleet with the defaults if it is not there "
                      "already. An entity whose name resembles that of a service of the fleet (`W-3` or `w-77` beside "
                      "a group `w` with 5 services) gets a warning"});
    keys.key("fails_after", &Recorded::fails_after, {.help = "how long a run lasts that starts during an outage"});
    GoingDown::describe<Recorded>(keys);
    keys.key(
        "compress", &Recorded::compress,
        {.forms = {file::Number{Ratio::from(1), kCompressMax, false}},
         .help = "how many times as fast as it was the record passes: with `10` a row from `20min` to `50min` is an "
                 "outage from `2min` to `5min`. Lengths of the scenario itself stay as they are"});
    keys.without_key(&Recorded::trace);
  }

  template <class Rules>
  void check(Rules& rules) const {
    GoingDown::check(mode, rules);
    if (mode == OutageMode::gone && trace.has_severities()) {
      rules.complain("mode",
                     "is \"gone\", and nothing starts then, but the file says which share of the starts fails "
                     "(severity); allowed is one of the two");
    }
  }

  template <class At>
  void strikes_at(const At& at) const {
    for (std::uint32_t row = 0; row < trace.failures.size(); ++row) at(row, compressed(trace.failures[row].from));
  }

  void strike(Strike& strike) const {
    const Failure& failure = trace.failures[strike.number()];
    const GoingDown down{mode, fails_after, share_of_both(failing_starts, failure.severity),
                         trace.causes[failure.cause]};
    const TimePoint until = strike.now() + (compressed(failure.until) - compressed(failure.from));
    const auto hit = [&](Victim& victim) { down.hit(victim, until); };
    const std::string& entity = trace.entities[failure.entity];
    strike.find(of.empty() ? entity : of + '-' + entity, hit);
  }

  // A time of the record, rounded down.
  [[nodiscard]] Duration compressed(Duration since_zero) const noexcept {
    if (compress == Ratio::from(1)) return since_zero;
    using holdfast::detail::SignedWide;
    return Duration{static_cast<std::int64_t>((SignedWide{since_zero.count()} << 32) /
                                              static_cast<std::int64_t>(compress.two_to_minus_32))};
  }

  static constexpr Ratio kCompressMax = Ratio::from(1'000'000);

 private:
  // Not nothing.
  static Ratio share_of_both(Ratio a, Ratio b) noexcept {
    using holdfast::detail::Wide;
    const auto both = static_cast<std::uint64_t>((Wide{a.two_to_minus_32} * b.two_to_minus_32) >> 32);
    return Ratio{std::max<std::uint64_t>(both, 1)};
  }
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
