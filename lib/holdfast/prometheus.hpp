// The supervisor's figures in Prometheus' text exposition format, version 0.0.4.
//
// Everything comes from a snapshot, except the histogram of uptimes, which has to see the events: give a supervisor an
// UptimeHistogram as its sink, or call its on_event from your own sink.
//
// Of the supervisor:
//
//     counters    <ns>_restarts_total, <ns>_spawned_total, <ns>_terminated_total, <ns>_circuit_breaker_trips_total,
//                 <ns>_starts_total, <ns>_failures_total, <ns>_clean_exits_total, <ns>_killed_runs_total,
//                 <ns>_abandoned_runs_total, <ns>_failed_starts_total, <ns>_hangs_total,
//                 <ns>_limited_restarts_total
//     gauge       <ns>_active_services
//
// Of each service that is present, in the order of adding; they begin anew when it is removed and added again:
//
//     counters    <ns>_service_starts_total{service}, <ns>_service_failures_total{service},
//                 <ns>_service_clean_exits_total{service}, <ns>_service_running_seconds_total{service},
//                 with ready = notified <ns>_service_failed_starts_total{service}, and with a
//                 watchdog <ns>_service_hangs_total{service}
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
#include <cstddef>
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
// It grows with the number of names that ever terminated, never with restarts; forget() takes a name out. An event of a
// restart costs an access by slot: names are looked up when a service terminates.
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
  friend class PrometheusPage;

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

  Life& life_of(const Event& event);
  static void give_up_run(Life& life, TimePoint now) noexcept;
  void observe(std::string_view service, Duration uptime);

  std::vector<Life> lives_;                            // of the services that have not terminated, by slot
  std::map<std::string, Series, std::less<>> series_;  // in the order of their names
};

// Whether `ns` may precede the names: [a-zA-Z_][a-zA-Z0-9_]*
bool is_prometheus_namespace(std::string_view ns) noexcept;

// The text, made a few services at a time, for a caller that must not be held up for long: about a microsecond a
// service. The format wants all samples of one metric together. So the text is made in as many columns as there are
// metrics, in pieces of at most 64 KiB plus one service, which are never copied.
class PrometheusPage {
 public:
  // REQUIRES: is_prometheus_namespace(ns).
  explicit PrometheusPage(std::string_view ns);

  // The next service, in the order in which they are to appear.
  void add(const ServiceSnapshot& service);
  // The uptimes of the next `most` names; false: those were the last. The histogram may change between two calls. Names
  // that it gained meanwhile may then be missing, and names that it lost may be there.
  bool add_uptimes(const UptimeHistogram& uptimes, std::size_t most);
  // One number more about the supervisor, `<ns>_<metric>`.
  void add_single(std::string_view metric, std::string_view type, std::string_view help, std::uint64_t value);

  // Everything, in the order of the format. The page is empty after it.
  [[nodiscard]] std::vector<std::string> take(const Counters& counters);

 private:
  // One metric: its help and type, then its samples.
  class Column {
   public:
    Column(std::string_view ns, std::string_view metric, std::string_view type, std::string_view help);
    // The text to append a sample to, whose name is appended already.
    std::string& sample(std::string_view suffix = {});
    void number(std::string_view label, std::uint64_t value);
    void take_into(std::vector<std::string>& pieces);

   private:
    std::string name_;
    std::vector<std::string> full_;
    std::string text_;
  };

  template <class State, std::size_t kStates>
  void add_states(Column& column, const State (&all)[kStates], std::string_view key, State present);

  std::string ns_;
  std::string label_;  // of the service that is being added
  std::string singles_;
  Column starts_, failures_, hangs_, failed_starts_, clean_exits_, running_seconds_, attempt_, phase_, breaker_,
      termination_, uptime_;
  std::string uptimes_done_;  // the latest name
  bool uptimes_begun_ = false;
};

// All of it at once. REQUIRES: is_prometheus_namespace(ns).
std::string prometheus_text(std::string_view ns, const Counters& counters, const std::vector<ServiceSnapshot>& services,
                            const UptimeHistogram& uptimes);

}  // namespace holdfast

#pragma GCC visibility pop
