// What a scenario expects of itself, held against the events of a run.
//
// All of it is computed from the scenario and the events alone, while they come. How each expectation is meant stands
// in scenarios/README.md; in short: counts are taken at the end, a time limit at its instant, after everything that
// happens in it. A termination reason counts services, and a service that was restarted in place no longer counts.
//
// Memory is O(services). Nothing is allocated for an event of a service that is known.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <holdfast_sim/observer.hpp>
#include <holdfast_sim/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// One expectation and what became of it.
struct ExpectationResult {
  std::string what;      // "terminated", "feed.circuit_open", "all_running_by"
  std::string expected;  // "0", "1 to 5", "10min"
  std::string found;     // "3", "at 5min44s", "2 of 1000 services were not running"
  bool held = false;
  TimePoint at;                       // when it was decided
  std::vector<std::string> services;  // that prove it: the first kServicesNamedMax
  std::uint64_t more_services = 0;    // and how many more there are
};
inline constexpr std::size_t kServicesNamedMax = 10;

// "feed.terminated: expected 0, found 3 at 5min44s (feed-1, feed-7 and 1 more)"
std::string to_string(const ExpectationResult&);

class ExpectationChecks final : public Observer {
 public:
  // Copies what it needs.
  explicit ExpectationChecks(const Scenario& scenario);
  ~ExpectationChecks();

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;

  // The run is over. Called once.
  void finish(const SimulationEnd& end);

  // In the order of Expectations. Empty before finish().
  [[nodiscard]] const std::vector<ExpectationResult>& results() const noexcept;
  [[nodiscard]] bool held() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
