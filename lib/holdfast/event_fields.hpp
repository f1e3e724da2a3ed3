// The fields of every kind of event, in the order in which traces, recordings and digests write them. One description
// serves the canonical bytes, the JSON text and the reader, so that they cannot disagree.
#pragma once

#include <cstddef>
#include <type_traits>
#include <variant>

#include <holdfast/event.hpp>
#include <holdfast/snapshot.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// Calls visit(what) with the kind of event that it is. (std::visit calls through a table: more than the call does.)
template <std::size_t Index = 0, class Visit>
void visit_what(const Event::What& what, Visit&& visit) {
  if constexpr (Index + 1 < std::variant_size_v<Event::What>) {
    if (what.index() != Index) return visit_what<Index + 1>(what, visit);
  }
  visit(*std::get_if<Index>(&what));
}

// Calls field(name, reference) for each field of `what`, an event kind of holdfast::event, const or not. The policy of
// `added` is not among them: it is behind a pointer and written by visit_policy.
template <class Field, class What>
void visit_fields(Field&& field, What& what) {
  using Kind = std::remove_const_t<What>;
  if constexpr (std::is_same_v<Kind, event::Added>) {
    field("restart", what.restart);
    field("runs_before", what.runs_before.value);
    field("can_be_killed", what.can_be_killed);  // these two are written only where they say something
    field("stop_grace_ns", what.stop_grace);
  } else if constexpr (std::is_same_v<Kind, event::Warned>) {
    field("field", what.field);
    field("says", what.says);
  } else if constexpr (std::is_same_v<Kind, event::Ended> || std::is_same_v<Kind, event::EndedLate>) {
    field("outcome", what.outcome);
    field("lasted_ns", what.lasted);
    field("error", what.error);
  } else if constexpr (std::is_same_v<Kind, event::BackingOff>) {
    field("cause", what.cause);
    field("attempt", what.attempt);
    field("ceiling_ns", what.ceiling);
    field("delay_ns", what.delay);
  } else if constexpr (std::is_same_v<Kind, event::BreakerTripped>) {
    field("failures", what.failures);
    field("max_failures", what.max_failures);
  } else if constexpr (std::is_same_v<Kind, event::Commanded>) {
    field("command", what.command);
  } else if constexpr (std::is_same_v<Kind, event::Stopping>) {
    field("cause", what.cause);
  } else if constexpr (std::is_same_v<Kind, event::StopThrew> || std::is_same_v<Kind, event::KillThrew>) {
    field("error", what.error);
  } else if constexpr (std::is_same_v<Kind, event::Killed>) {
    field("after_ns", what.after);
  } else if constexpr (std::is_same_v<Kind, event::Terminated>) {
    field("reason", what.why.reason);
    field("failures", what.why.failures);
    field("max_failures", what.why.max_failures);
    field("after_ns", what.why.after);
    field("last_error", what.last_error);
  } else if constexpr (std::is_same_v<Kind, event::ShutdownRequested>) {
    field("cause", what.cause);
    field("timeout_ns", what.timeout);
  } else if constexpr (std::is_same_v<Kind, event::Drained>) {
    field("outcome", what.outcome);
  } else {
    static_assert(std::is_empty_v<Kind>, "an event kind has fields that no trace would show");
  }
}

// The same for a backoff policy. A breaker that is off has max_failures 0.
template <class Field>
void visit_policy(Field&& field, const BackoffPolicy& policy) {
  field("base_ns", policy.base);
  field("max_ns", policy.max);
  field("cooldown_ns", policy.cooldown);
  field("clean_restart_delay_ns", policy.clean_restart_delay);
  const BreakerPolicy breaker = policy.breaker.value_or(BreakerPolicy{.max_failures = 0, .window = Duration{0}});
  field("max_failures", breaker.max_failures);
  field("window_ns", breaker.window);
}

// The same for counters.
template <class Field, class C>
void visit_counters(Field&& field, C& counters) {
  field("spawned", counters.spawned);
  field("starts", counters.starts);
  field("restarts", counters.restarts);
  field("failures", counters.failures);
  field("clean_exits", counters.clean_exits);
  field("circuit_breaker_trips", counters.circuit_breaker_trips);
  field("terminated", counters.terminated);
  field("killed_runs", counters.killed_runs);
  field("abandoned_runs", counters.abandoned_runs);
  field("active_services", counters.active_services);
}

}  // namespace holdfast

#pragma GCC visibility pop
