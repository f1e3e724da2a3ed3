// A recorded run as a scenario: its fleet, its policies, and its failures as a recorded trace. So an incident can be
// rehearsed under another policy.
//
//     Incident incident;
//     const ReplayResult result = replay(file, "run.ndjson", {.observers = {&incident}});
//     const Scenario scenario = incident.scenario(result, "incident.csv");   // scenario_writer.hpp writes it
//
// The runs of a service show its outages. An outage begins when a run fails, and lasts until the end of the last run
// in a row that failed within kStartFailedWithin of its start, as it would have under any policy. A run that lasted
// longer, ended cleanly or was abandoned has held, and ends the row. The recording does not show when an outage was
// mended: somewhere between its last failed start and the start of the next run. Mended::early takes the earliest
// moment: a policy that tries sooner than the recorded one did is then rewarded for it, though the start might have
// failed. Mended::late takes the latest, so that no policy recovers sooner than was seen to be possible. A service that
// was given up on is down to the end of the scenario, and for Mended::late so is one that was not started again. The
// rehearsal does not repeat the recording: its services start at once, fail only in these outages, and draw other
// delays.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/replay/replay.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

inline constexpr Duration kStartFailedWithin = std::chrono::seconds{10};

// When an outage of the scenario ends, in what the recording leaves open.
enum class Mended : std::uint8_t {
  early,  // with the last start that failed
  late,   // with the next start, which held
};

class Incident final : public Observer {
 public:
  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent&) override {}

  // The failures go into the recorded trace `csv`, beside the scenario's file. Throws BadInput for a run whose failures
  // are too many for one. REQUIRES: all events of the replay were seen.
  [[nodiscard]] Scenario scenario(const ReplayResult& result, const std::string& csv,
                                  Mended mended = Mended::early) const;

  // What of the run has no place in the scenario, in sentences: "3 commands".
  [[nodiscard]] std::vector<std::string> left_out() const;

 private:
  struct Down {
    TimePoint from, until;
    std::string cause;
    std::optional<TimePoint> started;  // again, since the last failure
  };
  struct Life {  // of all services of one name
    std::string name;
    ServicePolicy policy;  // in force
    bool asked_to_stop = false;
    TimePoint began;              // its latest run
    bool deaf = false;            // was abandoned, or a run of it was
    bool given_up = false;        // its breaker opened, or it failed for good, and it was not added again
    bool start_may_fail = false;  // no run has held since the latest outage began
    std::vector<Down> outages;
  };

  Life& life_of(std::string_view name);
  void ended(Life& life, const Event& event, const event::Ended& ended);
  void failed(Life& life, const Event& event, const event::Ended& ended);
  [[nodiscard]] std::vector<FleetGroup> fleet(const SupervisorConfig& config) const;
  [[nodiscard]] std::string rows(TimePoint end, Mended mended) const;
  [[nodiscard]] static TimePoint end_of(const Life& life, const Down& down, TimePoint end, Mended mended);
  [[nodiscard]] Duration fails_after() const;
  [[nodiscard]] std::optional<Distribution> ready_after() const;

  std::vector<Life> lives_;  // in the order of adding
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::vector<Duration> failed_starts_;  // how long they lasted
  std::vector<Duration> slow_starts_;    // how long runs took to be ready, of services that say when they are
  std::optional<TimePoint> shutdown_at_;
  std::uint64_t commands_ = 0;
  std::uint64_t reconfigures_ = 0;
  std::uint64_t clean_exits_ = 0;
  std::uint64_t fatal_errors_ = 0;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
