// The supervisor's figures in Prometheus' text exposition format, version 0.0.4.
//
// Everything comes from a snapshot, but for the histogram of uptimes, which has to watch the events: give a supervisor
// an UptimeHistogram as its sink, or call its on_event from the sink you have.
//
// Of the supervisor:
//
//     counters    <ns>_restarts_total, <ns>_spawned_total, <ns>_terminated_total, <ns>_circuit_breaker_trips_total,
//                 <ns>_starts_total, <ns>_failures_total, <ns>_clean_exits_total, <ns>_killed_runs_total,
//                 <ns>_abandoned_runs_total
//     gauge       <ns>_active_services
//
// Of each service that is present, in the order of adding; they begin anew when it is removed and added again:
//
//     counters    <ns>_service_starts_total{service}, <ns>_service_failures_total{service},
//                 <ns>_service_clean_exits_total{service}, <ns>_service_running_seconds_total{service}
//     gauge       <ns>_service_attempt{service}
//     gauges      <ns>_service_phase{service,phase}, <ns>_service_breaker{service,breaker}:
//                 1 for the present state, 0 for the others
//     gauge       <ns>_service_termination{service,reason}: 1, once it has terminated
//     histogram   <ns>_uptime_seconds{service}, once it has terminated
//
// That is 13 series a service, and as many again once it has terminated. A label is a name, or a word of
// lifecycle.hpp; errors are in logs and snapshots.
//
// Numbers are written from integers: nothing is rounded. Source of the format: the Prometheus documentation,
// "Exposition formats".
//
// Thread-safety: none.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/event.hpp>
#include <holdfast/snapshot.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// How long services had been running, all their runs together, when they terminated; by service name.
//
// It grows with the number of names that ever terminated, never with restarts; forget() takes a name out.
class UptimeHistogram final : public EventSink {
 public:
  // Upper bounds of the buckets, each included; the last bucket has none.
  static constexpr std::array<Duration, 9> kBounds{
      std::chrono::seconds{1},  std::chrono::seconds{10}, std::chrono::minutes{1},
      std::chrono::minutes{10}, std::chrono::hours{1},    std::chrono::hours{6},
      std::chrono::hours{24},   std::chrono::hours{168},  std::chrono::hours{720}};

  void on_event(const Event& event) override;

  // No effect on a name that it does not know.
  void forget(std::string_view service);

 private:
  friend std::string prometheus_text(std::string_view, const Counters&, const std::vector<ServiceSnapshot>&,
                                     const UptimeHistogram&);

  struct Series {
    std::array<std::uint64_t, kBounds.size()> up_to{};  // observations up to each bound
    std::uint64_t count = 0;
    Duration sum{0};
  };
  struct Life {
    Duration ran{0};  // by all runs that have ended
    TimePoint began;  // the present run
    bool running = false;
  };

  void observe(std::string_view service, Duration uptime);

  std::map<std::string, Life, std::less<>> lives_;     // services that have not terminated
  std::map<std::string, Series, std::less<>> series_;  // in the order of their names
};

// What may stand before the names: [a-zA-Z_][a-zA-Z0-9_]*
bool is_prometheus_namespace(std::string_view ns) noexcept;

// REQUIRES: is_prometheus_namespace(ns).
std::string prometheus_text(std::string_view ns, const Counters& counters, const std::vector<ServiceSnapshot>& services,
                            const UptimeHistogram& uptimes);

}  // namespace holdfast

#pragma GCC visibility pop
