// The text that Prometheus scrapes: names, types, buckets, escapes, each to the byte.
#include <catch2/catch.hpp>

#include <string>

#include <holdfast/prometheus.hpp>
#include <holdfast_sim/event_log.hpp>
#include <holdfast_sim/simulation.hpp>

using namespace holdfast;
using namespace holdfast::sim;
using namespace std::chrono_literals;

namespace {

class Uptimes final : public Observer {
 public:
  void on_event(const Event& event) override { histogram.on_event(event); }
  void on_chaos(const ChaosEvent&) override {}
  UptimeHistogram histogram;
};

std::string buckets(const std::string& label, const std::string& counts, const std::string& sum) {
  const char* const bounds[] = {"1", "10", "60", "600", "3600", "21600", "86400", "604800", "2592000", "+Inf"};
  std::string text;
  for (std::size_t i = 0; i < 10; ++i) {
    text += "x_uptime_seconds_bucket{service=\"" + label + "\",le=\"" + bounds[i] + "\"} " + counts[i] + '\n';
  }
  return text + "x_uptime_seconds_sum{service=\"" + label + "\"} " + sum + "\nx_uptime_seconds_count{service=\"" +
         label + "\"} " + counts[9] + '\n';
}

}  // namespace

TEST_CASE("the text has the names of the field, a type and a help for each, and whole numbers") {
  const Counters counters{
      .spawned = 1, .restarts = 2, .circuit_breaker_trips = 3, .terminated = 4, .active_services = 5};
  CHECK(prometheus_text("holdfast", counters, UptimeHistogram{}) ==
        "# HELP holdfast_restarts_total Runs begun but for the first of each service.\n"
        "# TYPE holdfast_restarts_total counter\n"
        "holdfast_restarts_total 2\n"
        "# HELP holdfast_active_services Services added and not terminated.\n"
        "# TYPE holdfast_active_services gauge\n"
        "holdfast_active_services 5\n"
        "# HELP holdfast_spawned_total Services added; restarts are not counted.\n"
        "# TYPE holdfast_spawned_total counter\n"
        "holdfast_spawned_total 1\n"
        "# HELP holdfast_terminated_total Services that terminated.\n"
        "# TYPE holdfast_terminated_total counter\n"
        "holdfast_terminated_total 4\n"
        "# HELP holdfast_circuit_breaker_trips_total Circuit breakers opened.\n"
        "# TYPE holdfast_circuit_breaker_trips_total counter\n"
        "holdfast_circuit_breaker_trips_total 3\n"
        "# HELP holdfast_uptime_seconds Running time of a service, all runs together, at its termination.\n"
        "# TYPE holdfast_uptime_seconds histogram\n");
}

TEST_CASE("a service's uptime is observed once, at its termination, over all its runs") {
  Uptimes uptimes;
  Simulation sim{{.seed = {1}, .supervisor = {.shutdown_timeout = 30s, .backoff = {.breaker = std::nullopt}}},
                 {&uptimes}};
  REQUIRE(sim.add({.name = "two runs"}, {.fails_first = {.runs = 1, .after = 1500ms}}));
  REQUIRE(sim.add({.name = "abandoned"}, {.on_stop = Ignores{}}));
  REQUIRE(sim.add({.name = "never", .restart = RestartPolicy::never}, {.runs_for = Fixed{10s}, .then = Then::end}));
  sim.run_until(TimePoint{} + 1h);
  const Duration first_wait =
      sim.supervisor().snapshot("two runs")->age - sim.supervisor().snapshot("two runs")->running_time;
  sim.supervisor().request_shutdown();
  sim.run_for(1min);
  const std::string text = prometheus_text("x", sim.supervisor().counters(), uptimes.histogram);
  CHECK(text.find(buckets("never", "0111111111", "10")) != std::string::npos);  // a bound is included
  CHECK(text.find(buckets("abandoned", "0000011111", "3630")) != std::string::npos);
  std::string sum = std::to_string((Duration{1h} - first_wait).count());
  sum.insert(sum.size() - 9, ".");
  CHECK(text.find("x_uptime_seconds_sum{service=\"two runs\"} " + sum) != std::string::npos);
}

TEST_CASE("a service that is terminated before its first run has an uptime of zero, and a name can be forgotten") {
  Uptimes uptimes;
  Simulation sim{{.seed = {1}}, {&uptimes}};
  REQUIRE(sim.add({.name = "a\\b\"c"}));
  sim.supervisor().request_shutdown();
  sim.run_for(0s);
  const auto text = [&] { return prometheus_text("x", sim.supervisor().counters(), uptimes.histogram); };
  CHECK(text().find(buckets("a\\\\b\\\"c", "1111111111", "0")) != std::string::npos);
  uptimes.histogram.forget("nobody");
  uptimes.histogram.forget("a\\b\"c");
  CHECK(text().find("service=") == std::string::npos);
}
