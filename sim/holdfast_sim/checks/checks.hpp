// The rules of the supervisor, recomputed from its events alone while it runs.
//
// The checks never ask the supervisor and share no decision with it, so a bug cannot agree with itself. A saved trace
// can be checked again. What a service is allowed to do comes from its `added` event.
//
// Each rule is a function of the same name. An event that breaks a rule counts as true from then on, so that a bug is
// reported once and not with all its consequences. An event that breaks two rules of the same meaning is reported under
// the more special one.
//
// Memory is O(services + failures that a breaker may still count). Nothing is allocated for an event of a service that
// is known, unless a rule is violated.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/observe/observer.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

enum class Rule : std::uint8_t {
  time_never_goes_backwards,
  events_are_numbered_without_gaps,
  makes_only_legal_transitions,
  runs_are_numbered_in_order,
  tells_how_long_runs_lasted,
  never_runs_after_termination,
  never_starts_after_shutdown,
  follows_the_restart_policy,
  keeps_every_retry_within_its_ceiling,
  spreads_its_delays,
  draws_every_delay_anew,
  starts_when_the_delay_has_passed,
  restarts_in_turn,
  starts_after_its_dependencies,
  follows_its_dependencies,
  stops_before_its_dependencies,
  starts_again_with_its_group,
  loses_a_group_when_its_policy_says_so,
  trips_exactly_when_the_window_says_so,
  closes_exactly_when_the_probe_succeeds,
  gives_up_a_start_exactly_at_its_timeout,
  gives_up_a_hang_exactly_at_its_watchdog,
  stops_when_asked,
  escalates_when_the_grace_has_passed,
  restarts_when_commanded,
  removes_when_commanded,
  removed_services_stay_silent,
  shuts_down_once,
  drains_by_its_deadline,
  tells_late_ends_once,
  last_error_is_kept,
  takes_an_exit_status_as_its_policy_says,
  gauge_never_goes_negative,
  counters_agree_with_events,
};
inline constexpr std::size_t kRuleCount = 34;

struct RuleText {
  std::string_view name;
  std::string_view says;  // the rule as a sentence
};
// In the order of Rule.
std::span<const RuleText, kRuleCount> rules() noexcept;
std::string_view to_string(Rule) noexcept;

// An event that broke a rule, or the lack of one.
struct Violation {
  Rule rule = Rule::time_never_goes_backwards;
  std::string service;  // empty: the supervisor itself
  TimePoint at;
  std::string says;                 // what was found and what would have been right
  std::vector<std::string> events;  // that prove it, as describe() writes them, the latest last
};
inline constexpr std::size_t kViolationsKeptMax = 100;

// The result of one rule.
struct Verdict {
  Rule rule = Rule::time_never_goes_backwards;
  std::uint64_t tested = 0;    // 0: nothing in this run could have broken it
  std::uint64_t violated = 0;  // all are counted, also those that are not kept
};

class Checks final : public Observer {
 public:
  Checks();
  ~Checks();

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;
  void comes_soon(ServiceId service) noexcept override;

  // The run is over. Compares what should have happened by now, and the supervisor's own counters. Called once.
  void finish(const SimulationEnd& end);

  [[nodiscard]] bool held() const noexcept;
  // The first kViolationsKeptMax, in the order in which they were found.
  [[nodiscard]] const std::vector<Violation>& violations() const noexcept;
  // One for each rule, in their order.
  [[nodiscard]] std::vector<Verdict> verdicts() const;
  // As the events so far give them.
  [[nodiscard]] Counters counters() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
