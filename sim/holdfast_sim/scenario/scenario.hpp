// A rehearsal as a value: a fleet, the policies it runs under, what goes wrong and when, and what is expected of it.
//
// lib/docs/reference/scenario_format.md is the reference of the file format; this is what a file becomes. A scenario
// and a seed determine a run to the byte.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/enumerators.hpp>
#include <holdfast/file/program.hpp>
#include <holdfast/file/roster.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/scenario/behaviour.hpp>
#include <holdfast_sim/scenario/chaos/kinds.hpp>
#include <holdfast_sim/scenario/property.hpp>
#include <holdfast_sim/scenario/resource.hpp>
#include <holdfast_sim/text/file.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

inline constexpr std::size_t kChaosMax = 10'000;  // entries in one scenario
inline constexpr std::size_t kResourcesMax = 1000;
inline constexpr std::size_t kPropertiesMax = 1000;

// When the services of a group are added.
enum class Joins : std::uint8_t {
  at_start,
  later  // when an entry of the chaos adds them (`add`)
};
constexpr std::string_view to_string(Joins joins) noexcept { return joins == Joins::at_start ? "at_start" : "later"; }

// Services of one kind, as holdfast::file::ServiceGroup has them, with what they do in a rehearsal.
struct FleetGroup {
  std::string name{};
  std::optional<std::uint32_t> count{};
  ServicePolicy policy{};
  Behaviour behaviour{};
  file::Program program{};  // of production: a rehearsal only reads it
  Joins joins = Joins::at_start;
  friend bool operator==(const FleetGroup&, const FleetGroup&) = default;

  [[nodiscard]] std::uint32_t size() const noexcept { return count.value_or(1); }
  // REQUIRES: index < size().
  [[nodiscard]] std::string service_name(std::uint32_t index) const { return file::service_name(name, count, index); }
};

// Written as `true` or not at all.
struct Required {
  friend bool operator==(const Required&, const Required&) = default;
};
struct Swarm {
  friend bool operator==(const Swarm&, const Swarm&) = default;
};

// In which order things of one instant happen.
enum class InstantOrder : std::uint8_t {
  fifo,   // as they were put on the timetable
  random  // by draws of the seed
};
constexpr std::string_view to_string(InstantOrder order) noexcept {
  return order == InstantOrder::fifo ? "fifo" : "random";
}

// What goes wrong, and when.
struct ChaosEntry {
  Duration at{0};
  Chaos what{};
  std::optional<Distribution> every{};  // again so long after the latest time; nullopt: once
  std::optional<Duration> until{};      // not later than this; nullopt: to the end
  std::optional<Required> required{};   // it reaches a service in some run of a sweep
  friend bool operator==(const ChaosEntry&, const ChaosEntry&) = default;
};

// What is expected of counts at the end of a run; nullopt: nothing. Counters, then services by termination reason.
struct ExpectedCounts {
  std::optional<CountRange> spawned{};
  std::optional<CountRange> starts{};
  std::optional<CountRange> restarts{};
  std::optional<CountRange> failures{};
  std::optional<CountRange> failed_starts{};
  std::optional<CountRange> clean_exits{};
  std::optional<CountRange> circuit_breaker_trips{};
  std::optional<CountRange> killed_runs{};
  std::optional<CountRange> terminated{};
  std::optional<CountRange> completed{};
  std::optional<CountRange> cancelled{};
  std::optional<CountRange> circuit_open{};
  std::optional<CountRange> failed{};
  std::optional<CountRange> abandoned{};
  friend bool operator==(const ExpectedCounts&, const ExpectedCounts&) = default;
};

// Each member of ExpectedCounts under its name in a file, in the order of the format.
struct ExpectedCount {
  std::string_view name;
  std::optional<CountRange> ExpectedCounts::*member;
  std::string_view counts;  // what it counts, in Markdown
};
inline constexpr std::array<ExpectedCount, 14> kExpectedCounts{{
    {"spawned", &ExpectedCounts::spawned, "services added; restarts not included"},
    {"starts", &ExpectedCounts::starts, "runs begun"},
    {"restarts", &ExpectedCounts::restarts, "runs begun, without the first run of each service"},
    {"failures", &ExpectedCounts::failures, "runs without a requested stop that ended with an error or an exception"},
    {"failed_starts", &ExpectedCounts::failed_starts,
     "of these, the ones that had not been ready (`ready = \"notified\"`)"},
    {"clean_exits", &ExpectedCounts::clean_exits, "runs without a requested stop that ended cleanly"},
    {"circuit_breaker_trips", &ExpectedCounts::circuit_breaker_trips, "breakers that opened"},
    {"killed_runs", &ExpectedCounts::killed_runs,
     "runs that did not stop within their `stop_grace`, and could be killed"},
    {"terminated", &ExpectedCounts::terminated, "services that terminated, for whatever reason"},
    {"completed", &ExpectedCounts::completed, "of these, the ones that ended cleanly"},
    {"cancelled", &ExpectedCounts::cancelled, "of these, the ones that were asked to stop and did"},
    {"circuit_open", &ExpectedCounts::circuit_open, "of these, the ones whose breaker opened"},
    {"failed", &ExpectedCounts::failed,
     "of these, the ones that failed under `restart = \"never\"` or with an error that no restart can fix"},
    {"abandoned", &ExpectedCounts::abandoned, "of these, the ones that did not stop in time"},
}};

struct ExpectedOfGroup {
  std::string name{};  // of a group or of a service
  ExpectedCounts counts{};
  std::optional<std::uint64_t> availability_min{};  // of a group, in units of 2^-32
  friend bool operator==(const ExpectedOfGroup&, const ExpectedOfGroup&) = default;
};

// What is expected of figures of the report, each as report_data.hpp defines it; nullopt: nothing.
struct ExpectedFigures {
  std::optional<std::uint64_t> availability_min{};  // of the fleet, in units of 2^-32
  std::optional<std::uint64_t> down_at_once_max{};
  std::optional<std::uint64_t> restarts_a_second_max{};
  std::optional<std::uint64_t> storm_max{};
  std::optional<Duration> recovery_median_max{};
  std::optional<Duration> recovery_p90_max{};
  std::optional<Duration> recovery_p99_max{};
  std::optional<Duration> recovery_max{};
  std::optional<Duration> drain_max{};
  friend bool operator==(const ExpectedFigures&, const ExpectedFigures&) = default;
};

struct Expectations {
  ExpectedCounts fleet{};
  ExpectedFigures figures{};
  std::vector<ExpectedOfGroup> groups{};
  std::vector<ExpectedProperty> properties{};
  // Not later than this, and after the end of the last disturbance that began before it and the last adding before it,
  // all services run at once.
  std::optional<Duration> all_running_by{};
  // Not later than this after the scenario's heal_at, all services run at once but those that are done.
  std::optional<Duration> after_heal_within{};
  std::optional<Duration> all_terminated_by{};
  std::optional<Duration> drained_by{};
  std::optional<std::vector<std::string>> abandoned_services{};  // exactly these, in any order
  friend bool operator==(const Expectations&, const Expectations&) = default;
};

// Where a run is cut off. A run that is cut off proves nothing.
struct Budget {
  std::uint64_t events = 100'000'000;  // timers fired
  Duration virtual_time = kDurationMax;
  friend bool operator==(const Budget&, const Budget&) = default;
};

struct Scenario {
  std::string name{};
  Seed seed{};
  // The rehearsal is over after this, or earlier if nothing is left to happen and every service has terminated.
  // nullopt: it goes on until then.
  std::optional<Duration> duration{};
  // From then on nothing goes wrong any more by chaos, and what lasts is over.
  std::optional<Duration> heal_at{};
  // Each seed switches some faults off, and varies the others (swarm.hpp).
  std::optional<Swarm> swarm{};
  InstantOrder order = InstantOrder::fifo;
  SupervisorConfig supervisor{};
  file::Production production{};  // a rehearsal only reads it
  std::vector<Resource> resources{};
  std::vector<GroupConfig> groups{};  // the outer ones first
  std::vector<FleetGroup> fleet{};
  std::vector<ChaosEntry> chaos{};
  Expectations expect{};
  Budget budget{};
  friend bool operator==(const Scenario&, const Scenario&) = default;
};

}  // namespace holdfast::sim

template <>
inline constexpr std::array holdfast::file::kEnumerators<holdfast::sim::InstantOrder>{
    holdfast::sim::InstantOrder::fifo, holdfast::sim::InstantOrder::random};
template <>
inline constexpr std::array holdfast::file::kEnumerators<holdfast::sim::Joins>{holdfast::sim::Joins::at_start,
                                                                               holdfast::sim::Joins::later};

#pragma GCC visibility pop
