// What may come next about a service, and what must.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <holdfast/event.hpp>
#include <holdfast_sim/checks/checks.hpp>

namespace holdfast::sim::detail {

// Which phase may follow which: a row of bits for each, in the order starting, running, backing_off, stopping,
// terminated, as semantics lay them down.
inline constexpr std::array<unsigned, 5> kMayFollow{{
    0b11110,  // starting: all but itself
    0b11100,  // running: backing_off, stopping, terminated
    0b11001,  // backing_off: starting, stopping, terminated
    0b10101,  // stopping: starting and backing_off for a stop in order to restart; terminated
    0b00000,  // terminated
}};

inline bool may_follow(Phase from, Phase to) noexcept {
  return ((kMayFollow[static_cast<std::size_t>(from)] >> static_cast<unsigned>(to)) & 1U) != 0;
}

// The event that must come next about a service, in the very instant in which it became due.
enum class Owed : std::uint8_t {
  nothing,
  be_ready,
  back_off_after_clean_exit,
  back_off_after_failure,
  complete,
  fail,
  trip,
  open_circuit,
  stay_open,
  stop,
  cancel,
  start_again,
  start_now,        // these three are waived if a remove has overtaken the restart
  stop_to_restart,  //
  be_replaced,      //
  be_removed,
  wait_for_others,
  wait_for_siblings,
};

struct OwedText {
  Rule rule;
  std::string_view says;
};
inline constexpr std::array<OwedText, 18> kOwedTexts{{
    {Rule::runs_are_numbered_in_order, ""},
    {Rule::runs_are_numbered_in_order, "a run that started is reported as running at once"},
    {Rule::follows_the_restart_policy, "a clean exit under always is followed by backing_off clean_exit"},
    {Rule::follows_the_restart_policy, "a failure that does not fill the window is followed by backing_off failure"},
    {Rule::follows_the_restart_policy, "a clean exit under this policy is followed by terminated completed"},
    {Rule::follows_the_restart_policy, "a fatal error, or a failure under never, is followed by terminated failed"},
    {Rule::trips_exactly_when_the_window_says_so,
     "a failure that fills the window, or of a probe, is followed by breaker_tripped"},
    {Rule::trips_exactly_when_the_window_says_so, "a tripped breaker is followed by terminated circuit breaker open"},
    {Rule::trips_exactly_when_the_window_says_so,
     "an opened breaker with half_open is followed by backing_off breaker_open"},
    {Rule::stops_when_asked, "a service that is asked to stop is reported as stopping, with the cause, at once"},
    {Rule::stops_when_asked, "a service that was stopped and has no run is terminated cancelled at once"},
    {Rule::restarts_when_commanded, "a run that was stopped for a restart is followed by the next one at once"},
    {Rule::restarts_when_commanded, "a restart command starts a waiting service at once"},
    {Rule::restarts_when_commanded, "a restart command asks a running service to stop at once"},
    {Rule::restarts_when_commanded, "a restart command adds a terminated service again at once"},
    {Rule::removes_when_commanded, "a terminated service that is to be removed is removed at once"},
    {Rule::follows_its_dependencies,
     "a run that was stopped because of a dependency is followed by backing_off dependency"},
    {Rule::starts_again_with_its_group,
     "a run that was stopped because a sibling had failed is followed by backing_off sibling"},
}};

constexpr const OwedText& text_of(Owed owed) noexcept { return kOwedTexts[static_cast<std::size_t>(owed)]; }

constexpr bool may_be_overtaken(Owed owed) noexcept { return owed >= Owed::start_now && owed <= Owed::be_replaced; }

// Whether the service goes on after a stop with this cause.
constexpr bool goes_on_after(StopCause cause) noexcept {
  return cause == StopCause::restart || cause == StopCause::dependency || cause == StopCause::sibling ||
         is_missed_deadline(cause);
}

// After the end of a run that was asked to stop, and missed no deadline.
constexpr Owed owed_after_stop(StopCause cause) noexcept {
  if (cause == StopCause::dependency) return Owed::wait_for_others;
  if (cause == StopCause::sibling) return Owed::wait_for_siblings;
  return cause == StopCause::restart ? Owed::start_again : Owed::cancel;
}

// Whether an event of kind What pays what is owed.
template <class What>
inline bool pays(Owed, StopCause, const What&) noexcept {
  return false;
}
inline bool pays(Owed owed, StopCause, const event::Started&) noexcept {
  return owed == Owed::start_again || owed == Owed::start_now;
}
inline bool pays(Owed owed, StopCause, const event::Running&) noexcept { return owed == Owed::be_ready; }
inline bool pays(Owed owed, StopCause, const event::BackingOff& what) noexcept {
  switch (what.cause) {
    case BackoffCause::failure: return owed == Owed::back_off_after_failure;
    case BackoffCause::clean_exit: return owed == Owed::back_off_after_clean_exit;
    case BackoffCause::breaker_open: return owed == Owed::stay_open;
    case BackoffCause::dependency: return owed == Owed::wait_for_others;
    case BackoffCause::sibling: return owed == Owed::wait_for_siblings;
  }
  return false;
}
inline bool pays(Owed owed, StopCause, const event::BreakerTripped&) noexcept { return owed == Owed::trip; }
inline bool pays(Owed owed, StopCause cause, const event::Stopping& what) noexcept {
  return what.cause == StopCause::restart ? owed == Owed::stop_to_restart : owed == Owed::stop && what.cause == cause;
}
inline bool pays(Owed owed, StopCause, const event::Terminated& what) noexcept {
  switch (what.why.reason) {
    case Termination::Reason::completed: return owed == Owed::complete;
    case Termination::Reason::cancelled: return owed == Owed::cancel;
    case Termination::Reason::circuit_open: return owed == Owed::open_circuit;
    case Termination::Reason::failed: return owed == Owed::fail;
    case Termination::Reason::abandoned: return false;
  }
  return false;
}
inline bool pays(Owed owed, StopCause, const event::Removed&) noexcept {
  return owed == Owed::be_removed || owed == Owed::be_replaced;
}

}  // namespace holdfast::sim::detail
