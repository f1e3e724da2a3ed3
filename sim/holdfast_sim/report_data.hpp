// What a rehearsal came to, as plain numbers: lengths of time are nanoseconds, shares are exact until they are printed.
//
// How each figure is defined stands beside it. Text for people is made in report_text.hpp, JSON in report_json.hpp.
//
// Thread-safety: values, safe anywhere.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/lifecycle.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/fleet_timeline.hpp>
#include <holdfast_sim/observer.hpp>
#include <holdfast_sim/storm_tracker.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

inline constexpr std::size_t kTerminationReasons = 5;

// Availability of a set of services.
//
// A service's time counts from its adding to the end of the run. Completed and cancelled services stop counting at
// their end; lost ones (circuit_open, failed, abandoned) go on counting, as down, until they are removed.
struct Availability {
  ServiceTime time = 0;  // that counts, of all services
  // With the supervisor's waiting: a run was alive in `running` or `stopping`, outside of the outage and hang windows
  // that hit the service, and the service has started again since its latest outage.
  ServiceTime up = 0;
  // Without it: all time outside of those windows. The best that a supervisor could do.
  ServiceTime ideal = 0;

  // Millionths, rounded down, so that only what was never down is 1 000 000; an empty time gives 1 000 000.
  [[nodiscard]] std::uint32_t ppm() const noexcept { return share(up); }
  [[nodiscard]] std::uint32_t ideal_ppm() const noexcept { return share(ideal); }
  // What the waiting cost.
  [[nodiscard]] ServiceTime waiting() const noexcept { return ideal - up; }

  Availability& operator+=(const Availability& other) noexcept {
    time += other.time;
    up += other.up;
    ideal += other.ideal;
    return *this;
  }
  friend bool operator==(const Availability&, const Availability&) = default;

 private:
  [[nodiscard]] std::uint32_t share(ServiceTime part) const noexcept {
    return time == 0 ? 1'000'000 : static_cast<std::uint32_t>(part * 1'000'000 / time);
  }
};

struct GroupReport {
  std::string name;
  std::uint64_t services = 0;  // added
  std::uint64_t starts = 0;
  std::uint64_t restarts = 0;  // starts but for each service's first
  std::uint64_t failures = 0;  // unasked ends with an error or an exception
  std::uint64_t clean_exits = 0;
  std::uint64_t breaker_trips = 0;
  std::uint64_t killed_runs = 0;
  std::array<std::uint64_t, kTerminationReasons> terminated{};  // by Termination::Reason
  Availability availability;

  [[nodiscard]] std::uint64_t terminated_by(Termination::Reason reason) const noexcept {
    return terminated[static_cast<std::size_t>(reason)];
  }
  // The supervisor gave up on them.
  [[nodiscard]] std::uint64_t lost() const noexcept {
    return terminated_by(Termination::Reason::circuit_open) + terminated_by(Termination::Reason::failed) +
           terminated_by(Termination::Reason::abandoned);
  }
  GroupReport& operator+=(const GroupReport& other) noexcept;
};

// How often something happened, and when: the median is off by at most kErrorPpm of LogLinearHistogram.
struct Occurrences {
  std::uint64_t count = 0;
  TimePoint first, median, last;  // meaningless if count is 0
};

// When services were lost. Exact. The k % are reached with the first loss that makes it at least k % of all losses.
struct Losses {
  std::uint64_t count = 0;
  TimePoint first, after_10_percent, median, after_90_percent, last;  // meaningless if count is 0
};
struct Loss {
  std::string service;
  TimePoint at;
  std::string why;  // "circuit breaker open (10/10 failures)"
};

// How long it took until services ran again. Quantiles are off by at most kErrorPpm of LogLinearHistogram; max is
// exact.
struct Recoveries {
  std::uint64_t count = 0;
  Duration median{0}, percentile_90{0}, percentile_99{0}, max{0};  // meaningless if count is 0
  // What never recovered: the service was lost; it completed or was stopped; it was still waiting when the run was
  // over; the outage was not over by then; (of failures alone) an outage began before, which counts for itself.
  std::uint64_t lost = 0, ended = 0, waiting = 0, ongoing = 0, overtaken = 0;

  [[nodiscard]] std::uint64_t never() const noexcept { return lost + ended + waiting + ongoing; }
};
struct SlowRecovery {
  std::string service;
  TimePoint from;  // end of the outage, or of the run that failed
  Duration took{0};
  bool after_outage = false;
};

struct BusiestSecond {
  std::uint64_t restarts = 0;
  TimePoint at;  // its beginning; seconds are counted from virtual time zero
};

// A recorded trace that was replayed, and what was odd about it (recorded_trace.hpp).
struct RecordedInput {
  std::string file;
  std::uint64_t rows = 0;
  std::uint64_t entities = 0;
  std::uint64_t zero_length = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t overlapping = 0;
  std::uint64_t beyond_end = 0;  // rows that would begin after the scenario's duration
};

// A configuration that was accepted though it cannot do what it says.
struct ConfigurationWarning {
  std::string field;
  std::string says;
  std::uint64_t services = 0;  // that it was told of; 0: the supervisor's own
};

struct ReportData {
  std::string scenario;
  SimulationEnd end;
  std::uint64_t events = 0;        // of the supervisor
  std::uint64_t chaos_events = 0;  // chaos that reached a service
  std::optional<TimePoint> shutdown_at;
  std::optional<TimePoint> drained_at;

  GroupReport fleet;                // all groups together
  std::vector<GroupReport> groups;  // in the order of the scenario; groups without a service are left out
  FleetHistory history;

  Occurrences restarts;
  Occurrences breaker_trips;
  Losses losses;
  std::vector<Loss> first_losses;  // the first kFirstLossesMax

  Recoveries after_outages;  // from the end of an outage (of a service; those that overlap or touch are one) to a start
  Recoveries after_failures;          // outside of outages: from the end of a run that failed to the next `running`
  std::vector<SlowRecovery> slowest;  // of both, the kSlowestMax longest, longest first

  WorstStorm worst_storm;  // services that went from up to down because of a failure or an outage
  BusiestSecond busiest_second;

  std::vector<RecordedInput> recorded;
  std::vector<ConfigurationWarning> warnings;
};
inline constexpr std::size_t kFirstLossesMax = 10;
inline constexpr std::size_t kSlowestMax = 10;

}  // namespace holdfast::sim

#pragma GCC visibility pop
