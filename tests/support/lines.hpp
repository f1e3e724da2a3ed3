// Events as short lines that start with their time: "1s a started 2".
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <holdfast/event.hpp>

namespace holdfast::test {

using Lines = std::vector<std::string>;

// Of a kind that only informs and has no form of its own below.
template <event::OnlyInforms What>
std::string text_of(const What& what, RunNumber) {
  return std::string{what.kKind};
}
inline std::string text_of(const event::Added& what, RunNumber) {
  std::string text = "added " + std::string{to_string(what.policy->restart)};
  if (what.runs_before.value > 0) text += " after run " + std::to_string(what.runs_before.value);
  if (what.policy->stop_grace) text += ", stop_grace " + to_string(*what.policy->stop_grace);
  if (what.policy->ready == Ready::notified) text += ", ready when notified";
  if (what.policy->start_timeout) text += ", start_timeout " + to_string(*what.policy->start_timeout);
  if (what.policy->watchdog) text += ", watchdog " + to_string(*what.policy->watchdog);
  const SignOfLife needs = what.policy->watchdog_needs;
  if (needs != SignOfLife::heartbeat) text += " of " + std::string{to_string(needs)};
  if (what.can_be_killed) text += ", can be killed";
  if (what.runs_side_by_side) text += ", runs side by side";
  return text;
}
inline std::string text_of(const event::Reconfigured& what, RunNumber) {
  const std::string text = "reconfigured " + std::string{to_string(what.policy->restart)};
  return what.policy->stop_grace ? text + ", stop_grace " + to_string(*what.policy->stop_grace) : text;
}
inline std::string text_of(const event::Warned& what, RunNumber) { return "warned " + std::string{what.field}; }
inline std::string text_of(const event::Started&, RunNumber run) { return "started " + std::to_string(run.value); }
inline std::string text_of(const event::Running&, RunNumber run) { return "running " + std::to_string(run.value); }
inline std::string end_text(std::string_view kind, Outcome outcome, Duration lasted, std::string_view error,
                            RunNumber run) {
  std::string text{kind};
  text += ' ' + std::to_string(run.value) + " after " + to_string(lasted) + ' ' + std::string{to_string(outcome)};
  return error.empty() ? text : text + ": " + std::string{error};
}
inline std::string text_of(const event::Ended& what, RunNumber run) {
  return end_text("ended", what.outcome, what.lasted, what.error, run);
}
inline std::string text_of(const event::BackingOff& what, RunNumber) {
  return "backing_off " + std::string{to_string(what.cause)} + ' ' + std::to_string(what.attempt) + ", " +
         to_string(what.delay) + " of " + to_string(what.ceiling);
}
inline std::string text_of(const event::BreakerTripped& what, RunNumber) {
  return "breaker_tripped " + std::to_string(what.failures) + '/' + std::to_string(what.max_failures);
}
inline std::string text_of(const event::Waiting& what, RunNumber) {
  std::string text = "waiting " + std::string{to_string(what.waits_for)};
  if (!what.dependency.empty()) text += ' ' + std::string{what.dependency};
  return what.delay ? text + ", then " + to_string(*what.delay) : text;
}
inline std::string text_of(const event::GroupAdded& what, RunNumber) {
  std::string text = "group_added " + std::string{what.group} + ' ' + std::string{to_string(what.strategy)};
  if (what.max_restarts) text += ", " + std::to_string(*what.max_restarts) + " in " + to_string(*what.within);
  return text;
}
inline std::string text_of(const event::GroupLost& what, RunNumber) {
  return "group_lost " + std::string{what.group} + ' ' + std::string{to_string(what.cause)} + ' ' +
         std::string{what.child};
}
inline std::string text_of(const event::BreakerClosed& what, RunNumber) {
  return "breaker_closed after " + std::to_string(what.openings);
}
inline std::string text_of(const event::Commanded& what, RunNumber) {
  return "commanded " + std::string{to_string(what.command)};
}
inline std::string text_of(const event::Stopping& what, RunNumber) {
  return "stopping " + std::string{to_string(what.cause)};
}
inline std::string text_of(const event::StopThrew& what, RunNumber) { return "stop_threw " + std::string{what.error}; }
inline std::string text_of(const event::Killed& what, RunNumber) { return "killed after " + to_string(what.after); }
inline std::string text_of(const event::Abandoned& what, RunNumber run) {
  return "abandoned " + std::to_string(run.value) + " after " + to_string(what.after);
}
inline std::string text_of(const event::KillThrew& what, RunNumber) { return "kill_threw " + std::string{what.error}; }
inline std::string text_of(const event::Terminated& what, RunNumber) {
  return "terminated " + to_string(what.why, what.last_error);
}
inline std::string text_of(const event::EndedLate& what, RunNumber run) {
  return end_text("ended_late", what.outcome, what.lasted, what.error, run);
}
inline std::string text_of(const event::ReadyLate&, RunNumber run) { return "ready_late " + std::to_string(run.value); }
inline std::string text_of(const event::Removed& what, RunNumber) { return what.forgotten ? "forgotten" : "removed"; }
inline std::string text_of(const event::ShutdownRequested& what, RunNumber) {
  const std::string text = "shutdown_requested " + std::string{to_string(what.cause)} + ' ' + to_string(what.timeout);
  return what.ended_by.empty() ? text : text + ", with " + std::string{what.ended_by};
}
inline std::string text_of(const event::RecordingFailed& what, RunNumber) {
  return "recording_failed " + std::string{what.error};
}
inline std::string text_of(const event::Drained& what, RunNumber) {
  return "drained " + std::string{to_string(what.outcome)};
}

// "1s a started 2"; "-" stands for the supervisor itself.
inline std::string line_of(const Event& event) {
  const std::string what = std::visit([&](const auto& kind) { return text_of(kind, event.run); }, event.what);
  return to_string(event.at) + ' ' + (event.about_supervisor() ? "-" : std::string{event.name}) + ' ' + what;
}

}  // namespace holdfast::test
