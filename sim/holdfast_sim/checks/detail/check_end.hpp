// What should have happened by the end of a run, and the counters.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <string>

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/checks/detail/check_debts.hpp>
#include <holdfast_sim/checks/detail/check_drain.hpp>
#include <holdfast_sim/checks/detail/check_findings.hpp>
#include <holdfast_sim/checks/detail/check_lives.hpp>
#include <holdfast_sim/checks/detail/check_retries.hpp>

namespace holdfast::sim::detail {

struct EndRules {
  Findings& found;
  const Counters& counted;
  const Lives& known;
  RetryRules& retries;
  DebtRules& debts;
  DrainRules& drain;

  // `now` is the time of the latest event.
  void judge(const SimulationEnd& end, TimePoint now);

  // Whether everything has happened that was due at `at`. A budget may cut off in the middle of an instant.
  static bool is_over(TimePoint at, const SimulationEnd& end) noexcept;
  void nothing_is_owed(std::size_t slot, const SimulationEnd& end);
  void broken_at_the_end(Rule rule, std::size_t slot, TimePoint at, std::string says);
  void counters_agree_with_events(const SimulationEnd& end);
};

}  // namespace holdfast::sim::detail
