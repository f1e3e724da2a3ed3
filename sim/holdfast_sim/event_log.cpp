#include <holdfast_sim/event_log.hpp>

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

namespace holdfast::sim {

// ---------------------------------------------------------------------------------------------------------------------
// Keeping
// ---------------------------------------------------------------------------------------------------------------------

std::string_view EventLog::keep(std::string_view text) {
  return text.empty() ? std::string_view{} : texts_.emplace_back(text);
}

void EventLog::on_event(const Event& event) {
  Event kept = event;
  kept.name = keep(event.name);
  if (auto* added = std::get_if<event::Added>(&kept.what)) {
    if (policies_.empty() || policies_.back() != *added->backoff) policies_.push_back(*added->backoff);
    added->backoff = &policies_.back();
  } else if (auto* warned = std::get_if<event::Warned>(&kept.what)) {
    warned->field = keep(warned->field);
    warned->says = keep(warned->says);
  } else if (auto* ended = std::get_if<event::Ended>(&kept.what)) {
    ended->error = keep(ended->error);
  } else if (auto* threw = std::get_if<event::StopThrew>(&kept.what)) {
    threw->error = keep(threw->error);
  } else if (auto* kill_threw = std::get_if<event::KillThrew>(&kept.what)) {
    kill_threw->error = keep(kill_threw->error);
  } else if (auto* terminated = std::get_if<event::Terminated>(&kept.what)) {
    terminated->last_error = keep(terminated->last_error);
  } else if (auto* late = std::get_if<event::EndedLate>(&kept.what)) {
    late->error = keep(late->error);
  }
  events_.push_back(kept);
}

void EventLog::on_chaos(const ChaosEvent& event) {
  ChaosEvent kept = event;
  kept.name = keep(event.name);
  kept.cause = keep(event.cause);
  chaos_.push_back(kept);
}

std::vector<Event> EventLog::of(std::string_view service) const {
  std::vector<Event> found;
  std::copy_if(events_.begin(), events_.end(), std::back_inserter(found),
               [&](const Event& event) { return !event.about_supervisor() && event.name == service; });
  return found;
}

namespace {

std::vector<std::string> describe_all(const std::vector<Event>& events) {
  std::vector<std::string> lines;
  lines.reserve(events.size());
  for (const Event& event : events) lines.push_back(describe(event));
  return lines;
}

}  // namespace

std::vector<std::string> EventLog::lines() const { return describe_all(events_); }

std::vector<std::string> EventLog::lines_of(std::string_view service) const { return describe_all(of(service)); }

void EventLog::clear() {
  events_.clear();
  chaos_.clear();
  texts_.clear();
  policies_.clear();
}

// ---------------------------------------------------------------------------------------------------------------------
// Telling
// ---------------------------------------------------------------------------------------------------------------------

namespace {

std::string word(std::string_view text) { return ' ' + std::string{text}; }

std::string error_part(std::string_view error) { return error.empty() ? std::string{} : ": " + std::string{error}; }

std::string fields(const event::Added& added) {
  std::string text = word(to_string(added.restart));
  if (added.runs_before.value > 0) text += " after " + std::to_string(added.runs_before.value) + " runs";
  if (added.stop_grace) text += " stop_grace " + holdfast::to_string(*added.stop_grace);
  if (added.can_be_killed) text += " can be killed";
  return text;
}
std::string fields(const event::Warned& warned) { return word(warned.field) + word(warned.says); }
std::string fields(const event::Started&) { return {}; }
std::string fields(const event::Running&) { return {}; }
std::string fields(const event::Ended& ended) {
  return word(to_string(ended.outcome)) + " after " + holdfast::to_string(ended.lasted) + error_part(ended.error);
}
std::string fields(const event::BackingOff& backing_off) {
  std::string text = word(to_string(backing_off.cause));
  if (backing_off.cause == BackoffCause::failure) text += " attempt " + std::to_string(backing_off.attempt);
  text += " delay " + holdfast::to_string(backing_off.delay);
  if (backing_off.cause == BackoffCause::failure) text += " of " + holdfast::to_string(backing_off.ceiling);
  return text;
}
std::string fields(const event::BreakerTripped& tripped) {
  return " (" + std::to_string(tripped.failures) + '/' + std::to_string(tripped.max_failures) + " failures)";
}
std::string fields(const event::Commanded& commanded) { return word(to_string(commanded.command)); }
std::string fields(const event::Stopping& stopping) { return word(to_string(stopping.cause)); }
std::string fields(const event::StopThrew& threw) { return error_part(threw.error); }
std::string fields(const event::Killed& killed) { return " after " + holdfast::to_string(killed.after); }
std::string fields(const event::KillThrew& threw) { return error_part(threw.error); }
std::string fields(const event::Terminated& terminated) {
  return word(to_string(terminated.why, terminated.last_error));
}
std::string fields(const event::EndedLate& late) {
  return word(to_string(late.outcome)) + " after " + holdfast::to_string(late.lasted) + error_part(late.error);
}
std::string fields(const event::Removed&) { return {}; }
std::string fields(const event::ShutdownRequested& requested) {
  return word(to_string(requested.cause)) + " timeout " + holdfast::to_string(requested.timeout);
}
std::string fields(const event::Drained& drained) { return word(to_string(drained.outcome)); }

}  // namespace

std::string describe(const Event& event) {
  std::string text = to_string(event.at) + ' ';
  if (event.about_supervisor()) {
    text += "supervisor";
  } else {
    text += std::string{event.name} + '#' + std::to_string(event.run.value);
  }
  text += word(kind(event));
  return text + std::visit([](const auto& what) { return fields(what); }, event.what);
}

}  // namespace holdfast::sim
