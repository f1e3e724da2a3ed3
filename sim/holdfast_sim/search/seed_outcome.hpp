// What a sweep keeps of the run of one seed: what it came to, why, and a few figures. Whole numbers alone, so that any
// machine and any number of threads give the same.
//
// Thread-safety: values, safe anywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <holdfast_sim/rehearsal.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// Why a run did not hold, without its numbers: two runs with one reason failed in the same way.
struct FailureReason {
  enum class Kind : std::uint8_t {
    rule,         // of the supervisor; `what` is its name, `cause` the group of the service that broke it first
    expectation,  // `what` is its name, `cause` how it was missed (ExpectationResult::cause)
    stalled,      // nothing was left to happen, and services waited; `cause` is the phase of the first of them
    budget        // `what` is the budget that ran out
  };
  Kind kind = Kind::rule;
  std::string what;
  std::string cause;
  friend bool operator==(const FailureReason&, const FailureReason&) = default;
  // libc++ 14 cannot compare texts by <=>.
  friend bool operator<(const FailureReason& a, const FailureReason& b) noexcept {
    return std::tie(a.kind, a.what, a.cause) < std::tie(b.kind, b.what, b.cause);
  }
};
std::string_view to_string(FailureReason::Kind) noexcept;
// "expectation restarts: too many"
std::string to_string(const FailureReason&);

struct SeedFailure {
  FailureReason reason;
  std::string says;  // with its numbers, in one line
  friend bool operator==(const SeedFailure&, const SeedFailure&) = default;
};

// What is compared between seeds.
enum class SeedFigure : std::uint8_t { availability, lost, never_recovered, slowest_recovery, restarts, drain };
inline constexpr std::size_t kSeedFigures = 6;

struct SeedFigureText {
  enum class Unit : std::uint8_t { ppm, count, nanoseconds };
  std::string_view name;
  std::string_view key;  // in JSON
  Unit unit = Unit::count;
  bool low_is_bad = false;
};
// In the order of SeedFigure.
inline constexpr std::array<SeedFigureText, kSeedFigures> kSeedFigureTexts{{
    {"availability", "availability_ppm", SeedFigureText::Unit::ppm, true},
    {"services lost", "lost", SeedFigureText::Unit::count, false},
    // The service was lost, or still waited at the end.
    {"never recovered", "never_recovered", SeedFigureText::Unit::count, false},
    // Of the outages and failures that were recovered from; nothing without one.
    {"slowest recovery", "slowest_recovery_ns", SeedFigureText::Unit::nanoseconds, false},
    {"restarts", "restarts", SeedFigureText::Unit::count, false},
    // From the request for a shutdown to its end; nothing without both.
    {"drain", "drain_ns", SeedFigureText::Unit::nanoseconds, false},
}};

struct SeedOutcome {
  std::uint64_t seed = 0;
  RehearsalVerdict verdict = RehearsalVerdict::held;
  std::string digest;
  std::vector<SeedFailure> failures;  // each reason once, the worst kind first; empty if it held
  std::array<std::optional<std::uint64_t>, kSeedFigures> figures{};  // by SeedFigure
  // A letter for each expectation that some run of a sweep has to meet: '1' if this one did, or '0'.
  std::string seen;
  friend bool operator==(const SeedOutcome&, const SeedOutcome&) = default;

  [[nodiscard]] bool held() const noexcept { return verdict == RehearsalVerdict::held; }
  [[nodiscard]] const std::optional<std::uint64_t>& figure(SeedFigure which) const noexcept {
    return figures[static_cast<std::size_t>(which)];
  }
};

// Everything that is wrong with a run, and not only what was found first. Expectations are not judged of a run that did
// not come to its end.
SeedOutcome outcome_of(const Scenario& scenario, const RehearsalResult& result);

// What each run of the scenario is asked for, in the order of RehearsalResult::expectations.
std::vector<std::string> expectation_names(const Scenario& scenario);
// What some run of a sweep is asked for, in the order of SeedOutcome::seen.
std::vector<std::string> sometimes_names(const Scenario& scenario);

}  // namespace holdfast::sim

#pragma GCC visibility pop
