// A rehearsal as a value: a fleet, the policies it runs under, what goes wrong and when, and what is expected of it.
//
// scenarios/README.md is the reference of the file format; this is what a file becomes. A scenario and a seed determine
// a run to the byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/behaviour.hpp>
#include <holdfast_sim/recorded_trace.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

inline constexpr std::uint64_t kServicesMax = 2'000'000;  // in one scenario
inline constexpr std::size_t kChaosMax = 10'000;          // entries in one scenario
inline constexpr std::size_t kGroupsMax = 10'000;

// Services of one kind. Without a count it is one service with the group's name; with a count they are name-0,
// name-1, …
struct FleetGroup {
  std::string name;
  std::optional<std::uint32_t> count;
  RestartPolicy restart = RestartPolicy::on_failure;
  std::optional<BackoffPolicy> backoff;
  std::optional<Duration> stop_grace = std::nullopt;
  Behaviour behaviour;
  friend bool operator==(const FleetGroup&, const FleetGroup&) = default;

  [[nodiscard]] std::uint32_t size() const noexcept { return count.value_or(1); }
  // REQUIRES: index < size().
  [[nodiscard]] std::string service_name(std::uint32_t index) const {
    return count ? name + '-' + std::to_string(index) : name;
  }
};

// Whom a chaos entry is about.
struct Target {
  std::vector<std::string> of;  // names of groups and of services; empty: the whole fleet
  // Each service is hit with this probability, in units of 2^-32, by a draw of its own: hit if draw < share.
  std::uint64_t share = kWhole;
  static constexpr std::uint64_t kWhole = std::uint64_t{1} << 32;
  friend bool operator==(const Target&, const Target&) = default;
};

// Every live run of the targets fails at once.
struct Storm {
  Target target;
  friend bool operator==(const Storm&, const Storm&) = default;
};
// The targets crash, and each run of theirs that starts before the end fails after `fails_after`.
struct Outage {
  Target target;
  Duration length{0};
  Duration fails_after = std::chrono::seconds{1};
  friend bool operator==(const Outage&, const Outage&) = default;
};
// The targets hang: until the end their runs neither end nor obey. What falls due in the meantime happens at the end.
struct HangWindow {
  Target target;
  std::optional<Duration> length;  // nullopt: for ever
  friend bool operator==(const HangWindow&, const HangWindow&) = default;
};
// The supervisor is asked to shut down.
struct Shutdown {
  friend bool operator==(const Shutdown&, const Shutdown&) = default;
};
// An outage for each row of a recorded trace, whose time zero is the entry's `at`.
struct Recorded {
  std::string file;  // as written, relative to the scenario's folder
  std::string of;    // entity e is service <of>-e; empty: it is a service named e, added to the fleet for it
  Duration fails_after = std::chrono::seconds{1};
  RecordedTrace trace;
  friend bool operator==(const Recorded&, const Recorded&) = default;
};

struct ChaosEntry {
  Duration at{0};
  std::variant<Storm, Outage, HangWindow, Shutdown, Recorded> what;
  friend bool operator==(const ChaosEntry&, const ChaosEntry&) = default;
};

// Both ends included.
struct CountRange {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  friend bool operator==(const CountRange&, const CountRange&) = default;
};

// What is expected of counts at the end of a run; nullopt: nothing. Counters, then services by termination reason.
struct ExpectedCounts {
  std::optional<CountRange> spawned;
  std::optional<CountRange> starts;
  std::optional<CountRange> restarts;
  std::optional<CountRange> failures;
  std::optional<CountRange> clean_exits;
  std::optional<CountRange> circuit_breaker_trips;
  std::optional<CountRange> killed_runs;
  std::optional<CountRange> terminated;
  std::optional<CountRange> completed;
  std::optional<CountRange> cancelled;
  std::optional<CountRange> circuit_open;
  std::optional<CountRange> failed;
  std::optional<CountRange> abandoned;
  friend bool operator==(const ExpectedCounts&, const ExpectedCounts&) = default;
};

struct ExpectedOfGroup {
  std::string name;  // of a group or of a service
  ExpectedCounts counts;
  friend bool operator==(const ExpectedOfGroup&, const ExpectedOfGroup&) = default;
};

struct Expectations {
  ExpectedCounts fleet;
  std::vector<ExpectedOfGroup> groups;
  // Not later than this, and after the end of the last disturbance that began before it, all services run at once.
  std::optional<Duration> all_running_by;
  std::optional<Duration> all_terminated_by;
  std::optional<Duration> drained_by;
  std::optional<std::vector<std::string>> abandoned_services;  // exactly these, in any order
  friend bool operator==(const Expectations&, const Expectations&) = default;
};

// Where a run is cut off. A run that is cut off proves nothing.
struct Budget {
  std::uint64_t events = 100'000'000;  // timers fired
  Duration virtual_time = kDurationMax;
  friend bool operator==(const Budget&, const Budget&) = default;
};

struct Scenario {
  std::string name;
  Seed seed;
  // The rehearsal is over after this, or earlier if nothing is left to happen and every service has terminated.
  // nullopt: it goes on until then.
  std::optional<Duration> duration;
  SupervisorConfig supervisor;
  std::vector<FleetGroup> fleet;
  std::vector<ChaosEntry> chaos;
  Expectations expect;
  Budget budget;
  friend bool operator==(const Scenario&, const Scenario&) = default;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
