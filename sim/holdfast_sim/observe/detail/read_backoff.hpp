// The part of a backoff that a trace has written by visit_backoff, from whatever form it was written in.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <optional>

#include <holdfast/policy.hpp>

namespace holdfast::sim::detail {

// `fields(key, value)` reads the field of this key.
template <class Fields>
BackoffPolicy read_backoff(Fields&& fields) {
  BackoffPolicy policy;
  BreakerPolicy breaker;
  fields("base_ns", policy.base);
  fields("max_ns", policy.max);
  fields("cooldown_ns", policy.cooldown);
  fields("clean_restart_delay_ns", policy.clean_restart_delay);
  fields("max_failures", breaker.max_failures);
  fields("window_ns", breaker.window);
  policy.breaker = breaker.max_failures == 0 ? std::nullopt : std::optional{breaker};
  return policy;
}

}  // namespace holdfast::sim::detail
