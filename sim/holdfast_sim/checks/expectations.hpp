// Compares what a scenario expects with the events of a run.
//
// Everything is computed from the scenario and the events, one by one. The meaning of each expectation is in
// lib/docs/reference/scenario_format.md. In short: counts are taken at the end, a time limit at its instant, after
// everything that happens in it. A termination reason counts services, and a service that was restarted in place no
// longer counts.
//
// Memory is O(services). Nothing is allocated for an event of a service that is known.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// One expectation and its result.
struct ExpectationResult {
  std::string what;      // "terminated", "feed.circuit_open", "all_running_by"
  std::string expected;  // "0", "1 to 5", "10min"
  std::string found;     // "3", "at 5min44s", "2 of 1000 services were not running"
  bool held = false;
  std::optional<bool> seen{};  // whether it happened in this run: only of what has to in some run of a sweep
  std::string_view cause{};    // how it was missed, without a number, the same in every run: "too many"; empty if held
  TimePoint at;                // when it was decided
  std::vector<std::string> services;  // that prove it: the first kServicesNamedMax
  std::uint64_t more_services = 0;    // and how many more there are
  std::string exceeded_by{};          // of a count that is too high: the service of the first that was too many
};
inline constexpr std::size_t kServicesNamedMax = 10;

// "feed.terminated: expected 0, found 3 at 5min44s (feed-1, feed-7 and 1 more)"
std::string to_string(const ExpectationResult&);
// "feed-1, feed-2 and 3 more"
std::string services_text(const ExpectationResult&);

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
  // Entries of the chaos that have reached no service, and are not required to; the first is 0.
  [[nodiscard]] std::vector<std::size_t> without_effect() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
