// What a scenario expects of the course of a run, and not only of its end: a condition that always holds, never,
// eventually, or in some run of a sweep. lib/docs/reference/scenario_format.md explains each.
//
// Thread-safety: values, safe anywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// Both ends included.
struct CountRange {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  friend bool operator==(const CountRange&, const CountRange&) = default;
  [[nodiscard]] bool has(std::uint64_t count) const noexcept { return min <= count && count <= max; }
};

// How many services are in a state at once, and how much has happened to them lately; nullopt: any number.
struct ConditionCounts {
  std::optional<CountRange> starting{};
  std::optional<CountRange> running{};
  std::optional<CountRange> hung{};
  std::optional<CountRange> backing_off{};
  std::optional<CountRange> stopping{};
  std::optional<CountRange> terminated{};
  std::optional<CountRange> lost{};
  std::optional<CountRange> starts{};
  std::optional<CountRange> restarts{};
  std::optional<CountRange> failures{};
  friend bool operator==(const ConditionCounts&, const ConditionCounts&) = default;
};

// Each member of ConditionCounts under its name in a file, states before happenings.
struct ConditionCount {
  std::string_view name;
  std::optional<CountRange> ConditionCounts::*member;
  std::string_view counts;  // in Markdown
};
inline constexpr std::array<ConditionCount, 10> kConditionCounts{{
    {"starting", &ConditionCounts::starting, "services in `starting`"},
    {"running", &ConditionCounts::running,
     "services that run and work: they neither hang by themselves nor wait for a resource, and their host is on"},
    {"hung", &ConditionCounts::hung, "services in `running` whose run hangs by itself"},
    {"backing_off", &ConditionCounts::backing_off, "services in `backing_off`"},
    {"stopping", &ConditionCounts::stopping, "services in `stopping`"},
    {"terminated", &ConditionCounts::terminated, "services in `terminated`"},
    {"lost", &ConditionCounts::lost,
     "of these, the ones that neither completed nor were stopped by a command; one that its dependency or its group "
     "took along is lost"},
    {"starts", &ConditionCounts::starts, "runs begun within the last `window`"},
    {"restarts", &ConditionCounts::restarts, "of these, the ones that are not the first of their service"},
    {"failures", &ConditionCounts::failures, "runs without a requested stop that failed within the last `window`"},
}};
inline constexpr std::size_t kConditionStates = 7;  // the first ones are states

struct Condition {
  std::optional<std::string> of{};  // a group or a service; nullopt: the fleet
  ConditionCounts counts{};
  std::optional<Duration> window{};  // what happened in it counts: longer ago than this it does not
  friend bool operator==(const Condition&, const Condition&) = default;
};

struct Always {
  Condition what{};
  friend bool operator==(const Always&, const Always&) = default;
};
struct Never {
  Condition what{};
  friend bool operator==(const Never&, const Never&) = default;
};
struct Eventually {
  Condition what{};
  friend bool operator==(const Eventually&, const Eventually&) = default;
};
// In at least one run of a sweep. A single run only reports whether it did.
struct Sometimes {
  Condition what{};
  friend bool operator==(const Sometimes&, const Sometimes&) = default;
};
using PropertyKind = std::variant<Always, Never, Eventually, Sometimes>;

// Written as `true` or not at all.
struct InDrain {
  friend bool operator==(const InDrain&, const InDrain&) = default;
};

struct ExpectedProperty {
  std::string name{};
  PropertyKind what{};
  std::optional<Condition> whenever{};  // `what` is expected only then; of Eventually from each time it begins on
  std::optional<Duration> within{};     // of Eventually with `whenever`: so long after
  std::optional<Condition> before{};    // only before this holds for the first time
  Duration from{0};
  std::optional<Duration> until{};    // included; nullopt: to the end
  std::optional<InDrain> in_drain{};  // also while the fleet shuts down
  friend bool operator==(const ExpectedProperty&, const ExpectedProperty&) = default;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
