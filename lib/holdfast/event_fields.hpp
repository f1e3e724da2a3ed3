// The fields of every kind of event, in the order in which traces, recordings and digests write them. One description
// serves the canonical bytes, the JSON text and the reader, so that they cannot disagree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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

// The fields of a backoff that every line of a policy has. A breaker that is off has max_failures 0.
template <class Field>
void visit_backoff(Field&& field, const BackoffPolicy& policy) {
  field("base_ns", policy.base);
  field("max_ns", policy.max);
  field("cooldown_ns", policy.cooldown);
  field("clean_restart_delay_ns", policy.clean_restart_delay);
  const BreakerPolicy breaker = policy.breaker.value_or(BreakerPolicy{.max_failures = 0, .window = Duration{0}});
  field("max_failures", breaker.max_failures);
  field("window_ns", breaker.window);
}

// A field of a part that a policy may lack. If the part is absent nothing is written; if the field is read the part is
// made.
template <class Field, std::size_t kSize, class Part, class Value>
constexpr void visit_part(Field& field, const char (&key)[kSize], std::optional<Part>& part, Value Part::*member) {
  std::optional<Value> value;
  if (part) value = (*part).*member;
  field(key, value);
  if (!value) return;
  if (!part) part.emplace();
  *part.*member = *value;
}

// A word that is written unless it is the default.
template <class Field, std::size_t kSize, class Word>
constexpr void visit_unless_default(Field& field, const char (&key)[kSize], Word& word,
                                    std::remove_const_t<Word> by_default) {
  std::optional<std::remove_const_t<Word>> value;
  if (word != by_default) value = word;
  field(key, value);
  if constexpr (!std::is_const_v<Word>) word = value.value_or(by_default);
}

// A law and the number that it has, of several kinds of which it has one at most.
struct GrowthFields {
  GrowthLaw law = GrowthLaw::exponential;
  std::optional<std::uint32_t> factor{};
  std::optional<Duration> step{};
  std::optional<std::uint32_t> steps{};
};
GrowthFields fields_of(const Growth&) noexcept;
Growth growth_of(const GrowthFields&) noexcept;

struct JitterFields {
  JitterLaw law = JitterLaw::full;
  std::optional<std::uint32_t> share{};
};
JitterFields fields_of(const Jitter&) noexcept;
Jitter jitter_of(const JitterFields&) noexcept;

// The delay laws of a policy that has a backoff of its own.
template <class Field, class Policy>
constexpr void visit_delay_laws(Field& field, Policy& policy) {
  GrowthFields growth = policy.backoff ? fields_of(policy.backoff->growth) : GrowthFields{};
  visit_unless_default(field, "growth", growth.law, GrowthLaw::exponential);
  field("factor_thousandths", growth.factor);
  field("step_ns", growth.step);
  field("steps", growth.steps);
  JitterFields jitter = policy.backoff ? fields_of(policy.backoff->jitter) : JitterFields{};
  visit_unless_default(field, "jitter", jitter.law, JitterLaw::full);
  field("jitter_thousandths", jitter.share);
  if constexpr (!std::is_const_v<Policy>) {
    if (!policy.backoff) return;
    policy.backoff->growth = growth_of(growth);
    policy.backoff->jitter = jitter_of(jitter);
  }
}

// The other fields of a policy, which are written only where they differ from the default. They end every line that has
// a policy: `added`, an `add` in a recording, and the first line of a recording. A new field stands at the end, because
// digests depend on the order.
template <class Field, class Policy>
constexpr void visit_policy(Field&& field, Policy& policy) {
  const bool has_breaker = policy.backoff && policy.backoff->breaker;
  std::optional<HalfOpenPolicy> half_open = has_breaker ? policy.backoff->breaker->half_open : std::nullopt;
  visit_part(field, "open_for_ns", half_open, &HalfOpenPolicy::open_for);
  visit_part(field, "open_for_max_ns", half_open, &HalfOpenPolicy::open_for_max);
  visit_part(field, "probe_success_after_ns", half_open, &HalfOpenPolicy::probe_success_after);
  if constexpr (!std::is_const_v<Policy>) {
    if (has_breaker) policy.backoff->breaker->half_open = half_open;
  }
  visit_unless_default(field, "ready", policy.ready, Ready::at_once);
  field("start_timeout_ns", policy.start_timeout);
  visit_delay_laws(field, policy);
  field("watchdog_ns", policy.watchdog);
  visit_unless_default(field, "watchdog_needs", policy.watchdog_needs, SignOfLife::heartbeat);
  visit_unless_default(field, "clean_statuses", policy.exit_rules.clean, {});
  visit_unless_default(field, "failure_statuses", policy.exit_rules.failure, {});
  visit_unless_default(field, "fatal_statuses", policy.exit_rules.fatal, {});
  BreakerCounts counts = has_breaker ? policy.backoff->breaker->counts : BreakerCounts::failures;
  visit_unless_default(field, "breaker_counts", counts, BreakerCounts::failures);
  if constexpr (!std::is_const_v<Policy>) {
    if (has_breaker) policy.backoff->breaker->counts = counts;
  }
  visit_unless_default(field, "after", policy.order.after, {});
  visit_unless_default(field, "after_if_present", policy.order.after_if_present, {});
  visit_unless_default(field, "on_dependency", policy.order.on_dependency, OnDependency::keep);
  visit_unless_default(field, "wake_jitter_ns", policy.order.wake_jitter, Order{}.wake_jitter);
  visit_unless_default(field, "group", policy.group, {});
  visit_unless_default(field, "ends_fleet", policy.ends_fleet, EndsFleet::never);
  field("forget_when_done", policy.forget_when_done);
}

// The fields of a line of an event that has a policy, after those of the backoff. The event has a pointer to its
// policy; a reader passes a policy of its own to read into.
template <class Field, event::HasPolicy What, class Policy>
constexpr void visit_with_policy(Field&& field, What& what, Policy& policy) {
  constexpr bool kIsAdded = std::is_same_v<std::remove_const_t<What>, event::Added>;
  field("restart", policy.restart);
  if constexpr (kIsAdded) {
    field("runs_before", what.runs_before.value);
    field("can_be_killed", what.can_be_killed);
  }
  field("stop_grace_ns", policy.stop_grace);
  if constexpr (kIsAdded) field("runs_side_by_side", what.runs_side_by_side);
  visit_policy(field, policy);
}

// Calls field(name, reference) for each field of `what`, an event kind of holdfast::event, const or not. For lines and
// digests there is visit_with_policy instead, which goes into the policy.
template <class Field, class What>
constexpr void visit_fields(Field&& field, What& what) {
  using Kind = std::remove_const_t<What>;
  if constexpr (std::is_same_v<Kind, event::Added>) {
    field("", what.policy);  // no line has this field
    field("runs_before", what.runs_before.value);
    field("can_be_killed", what.can_be_killed);
    field("runs_side_by_side", what.runs_side_by_side);
  } else if constexpr (std::is_same_v<Kind, event::Reconfigured>) {
    field("", what.policy);  // no line has this field
  } else if constexpr (std::is_same_v<Kind, event::Warned>) {
    field("field", what.field);
    field("says", what.says);
  } else if constexpr (std::is_same_v<Kind, event::Running>) {
    field("pid", what.pid);  // written only where there is one
  } else if constexpr (std::is_same_v<Kind, event::Ended> || std::is_same_v<Kind, event::EndedLate>) {
    field("outcome", what.outcome);
    field("lasted_ns", what.lasted);
    field("error", what.error);
    field("exit_status", what.exit_status);  // written only where there is one
  } else if constexpr (std::is_same_v<Kind, event::BackingOff>) {
    field("cause", what.cause);
    field("attempt", what.attempt);
    field("ceiling_ns", what.ceiling);
    field("delay_ns", what.delay);
  } else if constexpr (std::is_same_v<Kind, event::Waiting>) {
    field("waits_for", what.waits_for);
    field("delay_ns", what.delay);
    visit_unless_default(field, "dependency", what.dependency, std::string_view{});
  } else if constexpr (std::is_same_v<Kind, event::BreakerTripped>) {
    field("failures", what.failures);
    field("max_failures", what.max_failures);
  } else if constexpr (std::is_same_v<Kind, event::BreakerClosed>) {
    field("openings", what.openings);
  } else if constexpr (std::is_same_v<Kind, event::Commanded>) {
    field("command", what.command);
  } else if constexpr (std::is_same_v<Kind, event::Stopping>) {
    field("cause", what.cause);
  } else if constexpr (std::is_same_v<Kind, event::StopThrew> || std::is_same_v<Kind, event::KillThrew> ||
                       std::is_same_v<Kind, event::RecordingFailed>) {
    field("error", what.error);
  } else if constexpr (std::is_same_v<Kind, event::Killed> || std::is_same_v<Kind, event::Abandoned>) {
    field("after_ns", what.after);
  } else if constexpr (std::is_same_v<Kind, event::Terminated>) {
    field("reason", what.why.reason);
    field("failures", what.why.failures);
    field("max_failures", what.why.max_failures);
    field("after_ns", what.why.after);
    field("last_error", what.last_error);
  } else if constexpr (std::is_same_v<Kind, event::Removed>) {
    field("forgotten", what.forgotten);
  } else if constexpr (std::is_same_v<Kind, event::ShutdownRequested>) {
    field("cause", what.cause);
    field("timeout_ns", what.timeout);
    visit_unless_default(field, "ended_by", what.ended_by, std::string_view{});
  } else if constexpr (std::is_same_v<Kind, event::GroupAdded>) {
    field("group", what.group);
    field("strategy", what.strategy);
    field("max_restarts", what.max_restarts);
    field("within_ns", what.within);
  } else if constexpr (std::is_same_v<Kind, event::GroupLost>) {
    field("group", what.group);
    field("cause", what.cause);
    field("child", what.child);
  } else if constexpr (std::is_same_v<Kind, event::Drained>) {
    field("outcome", what.outcome);
    field("cause", what.cause);  // written only where there is one
  } else {
    static_assert(std::is_empty_v<Kind>, "an event kind has fields that no trace would show");
  }
}

// A number that is written unless it is zero.
template <class Field, std::size_t kSize, class Number>
constexpr void visit_unless_zero(Field& field, const char (&key)[kSize], Number& number) {
  std::optional<std::remove_const_t<Number>> value;
  if (number != 0) value = number;
  field(key, value);
  if constexpr (!std::is_const_v<Number>) number = value.value_or(0);
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
  visit_unless_zero(field, "open_breakers", counters.open_breakers);
  visit_unless_zero(field, "failed_starts", counters.failed_starts);
  visit_unless_zero(field, "hangs", counters.hangs);
  visit_unless_zero(field, "limited_restarts", counters.limited_restarts);
  visit_unless_zero(field, "waiting_services", counters.waiting_services);
}

}  // namespace holdfast

#pragma GCC visibility pop
