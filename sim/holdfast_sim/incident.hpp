// A recorded run as a scenario: its fleet, its policies, and its failures as a recorded trace. So an incident can be
// rehearsed under another policy.
//
//     Incident incident;
//     const ReplayResult result = replay(file, "run.ndjson", {.observers = {&incident}});
//     const Scenario scenario = incident.scenario(result, "incident.csv");   // scenario_writer.hpp writes it
//
// What a service suffered is told from its runs: an outage begins when a run fails, and lasts until the end of the last
// run in a row that failed within kStartFailedWithin of its start, as it would have under any policy. When it was
// mended after that nobody saw. The rehearsal is not the recording once more: its services start at once, do not fail
// but in these outages, and wait for other dice.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/observer.hpp>
#include <holdfast_sim/replay.hpp>
#include <holdfast_sim/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

inline constexpr Duration kStartFailedWithin = std::chrono::seconds{10};

class Incident final : public Observer {
 public:
  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent&) override {}

  // The failures go into the recorded trace `csv`, beside the scenario's file. Throws BadInput for a run whose failures
  // are too many for one. REQUIRES: all events of the replay were seen.
  [[nodiscard]] Scenario scenario(const ReplayResult& result, const std::string& csv) const;

  // What of the run has no place in the scenario, in sentences: "3 commands".
  [[nodiscard]] std::vector<std::string> left_out() const;

 private:
  struct Down {
    TimePoint from, until;
    std::string cause;
  };
  struct Life {  // of all services of one name
    std::string name;
    RestartPolicy restart = RestartPolicy::on_failure;
    BackoffPolicy backoff;
    std::optional<Duration> stop_grace;
    bool asked_to_stop = false;
    bool deaf = false;  // was abandoned
    std::vector<Down> outages;
  };

  Life& life_of(std::string_view name);
  void failed(Life& life, const Event& event, const event::Ended& ended);
  [[nodiscard]] std::vector<FleetGroup> fleet(const SupervisorConfig& config) const;
  [[nodiscard]] std::string rows() const;
  [[nodiscard]] Duration fails_after() const;

  std::vector<Life> lives_;  // in the order of adding
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::vector<Duration> failed_starts_;  // how long they lasted
  std::optional<TimePoint> shutdown_at_;
  std::uint64_t commands_ = 0;
  std::uint64_t clean_exits_ = 0;
  std::uint64_t fatal_errors_ = 0;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
