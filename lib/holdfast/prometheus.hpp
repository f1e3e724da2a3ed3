// The supervisor's figures in Prometheus' text exposition format, version 0.0.4.
//
// Counters and the gauge come from a snapshot. The histogram of uptimes has to watch the events: give a supervisor an
// UptimeHistogram as its sink, or call its on_event from the sink you have.
//
//     <ns>_restarts_total, <ns>_spawned_total, <ns>_terminated_total, <ns>_circuit_breaker_trips_total   counters
//     <ns>_active_services                                                                              gauge
//     <ns>_uptime_seconds{service="…"}                                                                  histogram
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
  friend std::string prometheus_text(std::string_view, const Counters&, const UptimeHistogram&);

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

// REQUIRES: `ns` matches [a-zA-Z_][a-zA-Z0-9_]*.
std::string prometheus_text(std::string_view ns, const Counters& counters, const UptimeHistogram& uptimes);

}  // namespace holdfast

#pragma GCC visibility pop
