// A copy of the state of all services, which any thread may read.
//
// A runtime's async_snapshot() and the pages of its endpoint use it. `at`, `shutting_down`, `counters` and
// `shutdown_result` are of one moment. The services are copied slice by slice, in the order in which they were added,
// and everything else on the executor has its turn between two slices. Each service is copied whole. A fleet that fits
// into one slice is therefore of one moment, too; in a larger one a service may be some milliseconds younger than the
// counters. A service that is there all the while is in the copy once. One that is added or removed meanwhile may be in
// it or not.
#pragma once

#include <cstddef>
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

// Running, or ended as intended: completed, or cancelled by a stop.
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

// The same, for a caller that must not block for long: adds services one by one, and returns the text in pieces of
// little more than 64 KiB.
class FleetJson {
 public:
  // Adds the next service, in the order of adding; future times count from `now`.
  void add(const ServiceSnapshot& service, TimePoint now);
  // The complete text. It ignores the services of `fleet`.
  [[nodiscard]] std::vector<std::string> take(const FleetSnapshot& fleet);

 private:
  std::vector<std::string> full_;
  std::string text_;
  bool has_services_ = false;
  bool all_as_they_should_be_ = true;
};

}  // namespace holdfast

#pragma GCC visibility pop
