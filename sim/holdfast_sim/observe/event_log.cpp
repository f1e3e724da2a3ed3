#include <holdfast_sim/observe/event_log.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <holdfast/event_fields.hpp>

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
  if (const ServicePolicy* const policy = policy_in(kept)) {
    if (policies_.empty() || policies_.back() != *policy) policies_.push_back(*policy);
    set_policy_in(kept, policies_.back());
  }
  const auto keep_text = [this](std::string_view, auto& value) {
    using Value = std::remove_reference_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, std::string_view>) value = keep(value);
    if constexpr (std::is_same_v<Value, std::optional<std::string_view>>) {
      if (value) value = keep(*value);
    }
  };
  std::visit([&](auto& what) { visit_fields(keep_text, what); }, kept.what);
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
  for (const Event& event : events) lines.push_back(sim::describe(event));
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
// Events as text
// ---------------------------------------------------------------------------------------------------------------------

namespace {

std::string word(std::string_view text) { return ' ' + std::string{text}; }

std::string error_part(std::string_view error) { return error.empty() ? std::string{} : ": " + std::string{error}; }

std::string in_words(const ServicePolicy& policy) {
  std::string text;
  if (policy.stop_grace) text += " stop_grace " + holdfast::to_string(*policy.stop_grace);
  if (policy.ready == Ready::notified) text += " ready when notified";
  if (policy.start_timeout) text += " start_timeout " + holdfast::to_string(*policy.start_timeout);
  if (policy.watchdog) {
    text += " watchdog " + holdfast::to_string(*policy.watchdog);
    const SignOfLife needs = policy.watchdog_needs;
    if (needs != SignOfLife::heartbeat) text += " of " + std::string{to_string(needs)};
  }
  const BackoffPolicy& backoff = *policy.backoff;
  if (backoff.breaker && backoff.breaker->half_open) text += " half_open";
  if (!doubles(backoff.growth)) text += " growth " + std::string{to_string(fields_of(backoff.growth).law)};
  if (backoff.jitter.index() != 0) text += " jitter " + std::string{to_string(fields_of(backoff.jitter).law)};
  return text;
}

std::string fields(const event::Added& added) {
  std::string text = word(to_string(added.policy->restart));
  if (added.runs_before.value > 0) text += " after " + std::to_string(added.runs_before.value) + " runs";
  text += in_words(*added.policy);
  if (added.can_be_killed) text += " can be killed";
  if (added.runs_side_by_side) text += " runs side by side";
  return text;
}

std::string fields(const event::Reconfigured& what) {
  return word(to_string(what.policy->restart)) + in_words(*what.policy);
}
// The fields of a kind that has no form of its own below, each behind its key.
struct Fields {
  std::string text;

  template <class T>
  void operator()(std::string_view key, const T& value) {
    if constexpr (std::is_same_v<T, std::string_view>) {
      text += word(key) + word(value);
    } else if constexpr (std::is_same_v<T, Duration>) {
      text += word(key.substr(0, key.rfind("_ns"))) + word(holdfast::to_string(value));
    } else if constexpr (std::is_enum_v<T>) {
      text += word(key) + word(to_string(value));
    } else if constexpr (std::is_integral_v<T>) {
      text += word(key) + word(std::to_string(value));
    } else if (value) {
      (*this)(key, *value);
    }
  }
};

template <class What>
std::string fields(const What& what) {
  Fields fields;
  visit_fields(fields, what);
  return fields.text;
}
std::string fields(const event::Warned& warned) { return word(warned.field) + word(warned.says); }
std::string fields(const event::Started&) { return {}; }
std::string fields(const event::Running& running) {
  return running.pid ? " as process " + std::to_string(*running.pid) : std::string{};
}
template <class End>
std::string end_fields(const End& end) {
  const auto status = end.exit_status ? " with exit status " + std::to_string(*end.exit_status) : std::string{};
  return word(to_string(end.outcome)) + status + " after " + holdfast::to_string(end.lasted) + error_part(end.error);
}
std::string fields(const event::Ended& ended) { return end_fields(ended); }
std::string fields(const event::EndedLate& late) { return end_fields(late); }
std::string fields(const event::BackingOff& backing_off) {
  std::string text = word(to_string(backing_off.cause));
  const bool drawn = backing_off.cause == BackoffCause::failure || backing_off.cause == BackoffCause::breaker_open;
  if (drawn)
    text +=
        (backing_off.cause == BackoffCause::failure ? " attempt " : " opening ") + std::to_string(backing_off.attempt);
  text += " delay " + holdfast::to_string(backing_off.delay);
  if (drawn) text += " of " + holdfast::to_string(backing_off.ceiling);
  return text;
}
std::string fields(const event::BreakerTripped& tripped) {
  return " (" + std::to_string(tripped.failures) + '/' + std::to_string(tripped.max_failures) + " failures)";
}
std::string fields(const event::Waiting& waiting) {
  std::string text = " for" + word(to_string(waiting.waits_for));
  if (!waiting.dependency.empty()) text += word(waiting.dependency);
  return waiting.delay ? text + ", then " + holdfast::to_string(*waiting.delay) : text;
}
std::string fields(const event::BreakerClosed& closed) {
  return " after " + std::to_string(closed.openings) + (closed.openings == 1 ? " opening" : " openings");
}
std::string fields(const event::Commanded& commanded) { return word(to_string(commanded.command)); }
std::string fields(const event::Stopping& stopping) { return word(to_string(stopping.cause)); }
std::string fields(const event::StopThrew& threw) { return error_part(threw.error); }
std::string fields(const event::Killed& killed) { return " after " + holdfast::to_string(killed.after); }
std::string fields(const event::Abandoned& abandoned) { return " after " + holdfast::to_string(abandoned.after); }
std::string fields(const event::KillThrew& threw) { return error_part(threw.error); }
std::string fields(const event::Terminated& terminated) {
  return word(to_string(terminated.why, terminated.last_error));
}
std::string fields(const event::Removed& removed) { return removed.forgotten ? " forgotten" : ""; }
std::string fields(const event::ShutdownRequested& requested) {
  return word(to_string(requested.cause)) + " timeout " + holdfast::to_string(requested.timeout);
}
std::string fields(const event::RecordingFailed& failed) { return error_part(failed.error); }
std::string fields(const event::Drained& drained) {
  return word(to_string(drained.outcome)) + (drained.cause ? " by" + word(to_string(*drained.cause)) : std::string{});
}

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
