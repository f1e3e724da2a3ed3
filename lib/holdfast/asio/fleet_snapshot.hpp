// A copy of the state of all services at one moment, to be handed to any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <holdfast/snapshot.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

struct FleetSnapshot {
  TimePoint at;
  bool shutting_down = false;
  Counters counters;
  std::vector<ServiceSnapshot> services;          // in the order of adding
  std::optional<ShutdownResult> shutdown_result;  // once the shutdown is over
};

// Running, or terminated as it should: completed, or cancelled by whoever stopped it.
bool is_as_it_should_be(const ServiceSnapshot& service) noexcept;

// No shutdown has been asked for, and every service present is as it should be.
bool is_ready(const FleetSnapshot& fleet) noexcept;

// As one line of JSON:
//
//     {"at_ns":…,"shutting_down":false,"ready":true,"counters":{"spawned":…,"starts":…,…},"services":[
//       {"name":"feed","restart":"on_failure","phase":"backing_off","run":3,"starts":3,"failures":3,"clean_exits":0,
//        "attempt":3,"failures_in_window":3,"breaker":"closed","last_error":"connection refused","running_time_ns":…,
//        "age_ns":…,"time_in_phase_ns":…,"next_start_in_ns":…,"grace_ends_in_ns":null,"killed":false,
//        "termination":null,"termination_text":null},…]}
//
// `next_start_in_ns` is null unless the service backs off, `grace_ends_in_ns` unless it stops under a stop_grace;
// neither is negative. `termination` is null until it terminates, then one of the reasons of lifecycle.hpp, and
// `termination_text` the same in words: "circuit breaker open (5/5 failures)". It is always well-formed, whatever bytes
// an error has.
std::string to_json(const FleetSnapshot& fleet);

}  // namespace holdfast

#pragma GCC visibility pop
