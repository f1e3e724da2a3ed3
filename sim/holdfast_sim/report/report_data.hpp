// The result of a rehearsal as plain numbers. Lengths of time are nanoseconds; shares are exact until they are printed.
//
// How each figure is defined stands beside it. Text for people is made in report_text.hpp, JSON in report_json.hpp.
//
// Thread-safety: values, safe anywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/lifecycle.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/text/detail/service_time.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

inline constexpr std::size_t kTerminationReasons = 5;

// Availability of a set of services.
//
// A service's time counts from its adding until the rehearsal is over, which is the earliest of: the scenario's
// `duration`, also if the run had nothing left to do before; the end of a drain that somebody asked for (one that began
// because all services had terminated mends none of them); and where a budget cut the run off. Without a duration it is
// the end of the run. Completed and cancelled services stop counting at their end; lost ones (circuit_open, failed,
// abandoned) go on counting, as down, until the rehearsal is over or a command removes them. One that its own policy
// has forgotten is missed as well, until a service of that name is added again.
struct Availability {
  ServiceTime time = 0;  // that counts, of all services
  // With the supervisor's waiting: a run was alive in `running` or `stopping`, outside of the outages and hangs that
  // hit the service, and the service has started again since its latest outage.
  ServiceTime up = 0;
  // Without it: all time outside of those outages and hangs. The best that a supervisor could do.
  ServiceTime ideal = 0;
  // Of that, what passed while the service was lost.
  ServiceTime lost = 0;

  // Millionths, rounded down, so that only what was never down is 1 000 000; an empty time gives 1 000 000.
  [[nodiscard]] std::uint32_t ppm() const noexcept { return share(up); }
  [[nodiscard]] std::uint32_t ideal_ppm() const noexcept { return share(ideal); }
  // What the waiting for the next start cost, of services that were not lost. up + waiting + lost = ideal.
  [[nodiscard]] ServiceTime waiting() const noexcept { return ideal - up - lost; }

  Availability& operator+=(const Availability& other) noexcept {
    time += other.time;
    up += other.up;
    ideal += other.ideal;
    lost += other.lost;
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
  std::uint64_t restarts = 0;       // starts but for each service's first
  std::uint64_t failures = 0;       // unasked ends with an error or an exception
  std::uint64_t failed_starts = 0;  // of the failures, those of runs that were not ready yet
  std::uint64_t hangs = 0;          // runs that their watchdog asked to stop
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
  // The same, if those that were lost or were still waiting took for ever (Duration::max()): what an expectation is
  // about. Zero without any recovery, and nobody who waits for one.
  Duration median_of_all{0}, percentile_90_of_all{0}, percentile_99_of_all{0}, max_of_all{0};
  // Those that never recovered: the service was lost; it completed or was stopped; it was still waiting when the run
  // was over; the outage was not over by then; (failures only) an outage began first, which is counted by itself.
  std::uint64_t lost = 0, ended = 0, waiting = 0, ongoing = 0, overtaken = 0;

  [[nodiscard]] std::uint64_t never() const noexcept { return lost + ended + waiting + ongoing; }
};
struct SlowRecovery {
  std::string service;
  TimePoint from;  // end of the outage, or of the run that failed
  Duration took{0};
  bool after_outage = false;
};

// The state of a service, for a person.
enum class Standing : std::uint8_t {
  running,     // and not within an outage or a hang window
  restarting,  // down, and the supervisor is not done with it
  stopping,
  lost,  // terminated: its breaker opened, it failed for good, or it was abandoned
  done   // terminated: completed or cancelled
};
inline constexpr std::size_t kStandings = 5;

struct FleetBucket {
  std::array<ServiceTime, kStandings> time{};    // by Standing
  std::array<std::uint32_t, kStandings> most{};  // services at once, by Standing
  std::uint32_t most_down = 0;                   // restarting or lost
  std::uint32_t fewest_running = UINT32_MAX;     // UINT32_MAX: no time has passed in this bucket
  std::uint64_t restarts = 0;

  void merge(const FleetBucket& later) noexcept;
  friend bool operator==(const FleetBucket&, const FleetBucket&) = default;
};

struct FleetHistory {
  Duration length{0};        // from virtual time zero
  Duration bucket_width{0};  // a bucket holds its beginning and not its end; the last may be cut off by the run's end
  std::vector<FleetBucket> buckets;
};

// The most services that fell within any 60 s.
struct WorstStorm {
  std::uint64_t services = 0;  // 0: none ever fell
  TimePoint began;             // the shortest window that holds a fall of each of them and ends with the last fall
  TimePoint last;
  friend bool operator==(const WorstStorm&, const WorstStorm&) = default;
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

// How runs waited for a resource. Runs that got it at once do not count. Quantiles are as those of Recoveries.
struct ResourceReport {
  std::string name;
  std::uint64_t waited = 0;
  std::uint64_t served = 0;   // of these
  std::uint64_t in_vain = 0;  // of these: the run ended before it was served
  std::uint64_t waiting = 0;  // of these, at the end
  std::uint64_t most_waiting = 0;
  TimePoint most_at;
  Duration median{0}, percentile_99{0}, max{0};  // of those served; meaningless if there are none
};

// A configuration that was accepted though it cannot do what it says.
struct ConfigurationWarning {
  std::string field;
  std::string says;
  std::uint64_t services = 0;  // that it was reported for; 0: the supervisor itself
};

struct ReportData {
  std::string scenario;
  SimulationEnd end;
  std::uint64_t events = 0;        // of the supervisor
  std::uint64_t chaos_events = 0;  // chaos that reached a service
  std::optional<TimePoint> shutdown_at;
  std::optional<TimePoint> drained_at;
  TimePoint counts_until;  // when the rehearsal was over: see Availability

  GroupReport fleet;                // all groups together
  std::vector<GroupReport> groups;  // in the order of the scenario; groups without a service are left out
  FleetHistory history;

  Occurrences restarts;
  Occurrences breaker_trips;
  Losses losses;
  std::uint64_t lost_at_end = 0;    // services that were present and lost when the run ended
  std::uint64_t active_at_end = 0;  // that were present and had not terminated
  std::vector<Loss> first_losses;   // the first kFirstLossesMax
  std::uint64_t started_again = 0;  // services that were lost until a command started them: not among `losses`

  Recoveries after_outages;  // from the end of an outage (of a service; those that overlap or touch are one) to a start
  Recoveries after_failures;          // outside of outages: from the end of a run that failed to the next `running`
  std::vector<SlowRecovery> slowest;  // of both, the kSlowestMax longest, longest first

  WorstStorm worst_storm;  // services that went from up to down because of a failure or an outage
  BusiestSecond busiest_second;
  std::uint32_t most_down = 0;  // services that were restarting or lost at once, for longer than an instant

  std::vector<ResourceReport> resources;  // in the order in which they were waited for
  std::vector<RecordedInput> recorded;
  std::vector<ConfigurationWarning> warnings;
};
inline constexpr std::size_t kFirstLossesMax = 10;
inline constexpr std::size_t kSlowestMax = 10;

}  // namespace holdfast::sim

#pragma GCC visibility pop
