// What each event of a service follows from, read from its events alone. It shares nothing with the supervisor.
//
// Thread-safety: a pure function, safe anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include <holdfast_sim/explain/detail/history.hpp>
#include <holdfast_sim/explain/explain.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

namespace holdfast::sim::detail {

inline constexpr std::size_t kNone = SIZE_MAX;

// In which way: what a sentence about the event says, beyond what its kind says.
enum class Why : std::uint8_t {
  as_ever,     // the kind says it
  by_itself,   // a run's time was over
  first_runs,  // it is one of the first, which fail
  crashed,     // chaos ended the run at this instant
  in_outage,   // the run began in an outage, and failed of it
  met_fault,   // the run met failing starts or a bad configuration
  gave_up,     // it had waited for a resource for too long
  refused,     // by a resource
  after_hang,  // what was due in a hang happened at its end
  stopped,     // it had been asked to stop
  killed
};

struct Cause {
  CauseKind by = CauseKind::outside;
  Why why = Why::as_ever;
  std::size_t from = kNone;   // the event that it follows from
  std::size_t also = kNone;   // chaos that was going on
  std::size_t first = kNone;  // the failure with which the row began that it ends
  bool enough = false;        // `from` says when it began, and not why it came: a chain may begin here
  bool failed = false;        // it is the end of a run, and a failure that counts
};

// One for each, in their order. The indices are those of `all`.
std::vector<Cause> causes_of(const std::deque<Happening>& all, const Scenario& scenario);

}  // namespace holdfast::sim::detail
