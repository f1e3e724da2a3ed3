// The text that Prometheus scrapes: names, types, buckets, escapes, each to the byte.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include <holdfast/prometheus.hpp>
#include <holdfast_sim/observe/event_log.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::prometheus_test {

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
  const Counters counters{.spawned = 1,
                          .starts = 6,
                          .restarts = 2,
                          .failures = 7,
                          .clean_exits = 8,
                          .circuit_breaker_trips = 3,
                          .terminated = 4,
                          .killed_runs = 10,
                          .abandoned_runs = 9,
                          .active_services = 5,
                          .open_breakers = 3,
                          .failed_starts = 6,
                          .hangs = 11,
                          .limited_restarts = 9,
                          .waiting_services = 10};
  CHECK(prometheus_text("holdfast", counters, {}, UptimeHistogram{}) ==
        "# HELP holdfast_restarts_total Runs begun but for the first of each service.\n"
        "# TYPE holdfast_restarts_total counter\n"
        "holdfast_restarts_total 2\n"
        "# HELP holdfast_active_services Services added and not terminated.\n"
        "# TYPE holdfast_active_services gauge\n"
        "holdfast_active_services 5\n"
        "# HELP holdfast_open_breakers Services whose circuit breaker is open or half open.\n"
        "# TYPE holdfast_open_breakers gauge\n"
        "holdfast_open_breakers 3\n"
        "# HELP holdfast_waiting_services Services that wait for others or for a limit on restarts.\n"
        "# TYPE holdfast_waiting_services gauge\n"
        "holdfast_waiting_services 10\n"
        "# HELP holdfast_spawned_total Services added; restarts are not counted.\n"
        "# TYPE holdfast_spawned_total counter\n"
        "holdfast_spawned_total 1\n"
        "# HELP holdfast_terminated_total Services that terminated.\n"
        "# TYPE holdfast_terminated_total counter\n"
        "holdfast_terminated_total 4\n"
        "# HELP holdfast_circuit_breaker_trips_total Circuit breakers opened.\n"
        "# TYPE holdfast_circuit_breaker_trips_total counter\n"
        "holdfast_circuit_breaker_trips_total 3\n"
        "# HELP holdfast_starts_total Runs begun.\n"
        "# TYPE holdfast_starts_total counter\n"
        "holdfast_starts_total 6\n"
        "# HELP holdfast_failures_total Runs that ended with an error or an exception, unasked.\n"
        "# TYPE holdfast_failures_total counter\n"
        "holdfast_failures_total 7\n"
        "# HELP holdfast_failed_starts_total Runs that failed before they were ready.\n"
        "# TYPE holdfast_failed_starts_total counter\n"
        "holdfast_failed_starts_total 6\n"
        "# HELP holdfast_hangs_total Runs that were asked to stop because they gave no sign of life.\n"
        "# TYPE holdfast_hangs_total counter\n"
        "holdfast_hangs_total 11\n"
        "# HELP holdfast_limited_restarts_total Restarts that had to wait for a limit on restarts.\n"
        "# TYPE holdfast_limited_restarts_total counter\n"
        "holdfast_limited_restarts_total 9\n"
        "# HELP holdfast_clean_exits_total Runs that ended without an error, unasked.\n"
        "# TYPE holdfast_clean_exits_total counter\n"
        "holdfast_clean_exits_total 8\n"
        "# HELP holdfast_killed_runs_total Runs that did not stop within their grace, and were killed.\n"
        "# TYPE holdfast_killed_runs_total counter\n"
        "holdfast_killed_runs_total 10\n"
        "# HELP holdfast_abandoned_runs_total Runs that did not stop in time.\n"
        "# TYPE holdfast_abandoned_runs_total counter\n"
        "holdfast_abandoned_runs_total 9\n"
        "# HELP holdfast_service_starts_total Runs begun.\n"
        "# TYPE holdfast_service_starts_total counter\n"
        "# HELP holdfast_service_failures_total Runs that ended with an error or an exception, unasked.\n"
        "# TYPE holdfast_service_failures_total counter\n"
        "# HELP holdfast_service_failed_starts_total Runs of services that say when they are ready, which failed "
        "before.\n"
        "# TYPE holdfast_service_failed_starts_total counter\n"
        "# HELP holdfast_service_hangs_total Runs that the watchdog of their service asked to stop.\n"
        "# TYPE holdfast_service_hangs_total counter\n"
        "# HELP holdfast_service_clean_exits_total Runs that ended without an error, unasked.\n"
        "# TYPE holdfast_service_clean_exits_total counter\n"
        "# HELP holdfast_service_running_seconds_total Running time, all runs together.\n"
        "# TYPE holdfast_service_running_seconds_total counter\n"
        "# HELP holdfast_service_attempt Consecutive failures since the last reset of the backoff.\n"
        "# TYPE holdfast_service_attempt gauge\n"
        "# HELP holdfast_service_phase 1 for the phase that a service is in.\n"
        "# TYPE holdfast_service_phase gauge\n"
        "# HELP holdfast_service_breaker 1 for the state of a service's circuit breaker.\n"
        "# TYPE holdfast_service_breaker gauge\n"
        "# HELP holdfast_service_termination 1 for the reason for which a service terminated.\n"
        "# TYPE holdfast_service_termination gauge\n"
        "# HELP holdfast_uptime_seconds Running time of a service, all runs together, at its termination.\n"
        "# TYPE holdfast_uptime_seconds histogram\n");
}

TEST_CASE("each service has its numbers and its states, metric by metric, in the order of adding") {
  const std::vector<ServiceSnapshot> services{
      {.name = "feed",
       .phase = Phase::backing_off,
       .starts = 3,
       .failures = 2,
       .clean_exits = 1,
       .attempt = 2,
       .breaker = BreakerState::closed,
       .last_error = "not here",
       .running_time = 1500ms},
      {.name = "a\\b\"c d=é",
       .phase = Phase::terminated,
       .starts = 18'446'744'073'709'551'615U,
       .breaker = BreakerState::open,
       .running_time = Duration::max(),
       .termination = Termination{.reason = Termination::Reason::circuit_open}},
  };
  const std::string text = prometheus_text("x", {}, services, UptimeHistogram{});
  std::string samples;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end + 1 - at);
    if (line.starts_with("x_service_")) samples += line.substr(10);
    at = end + 1;
  }
  const std::string feed = R"({service="feed")", odd = R"({service="a\\b\"c d=é")";
  CHECK(samples ==                         //
        "starts_total" + feed + "} 3\n" +  //
            "starts_total" + odd + "} 18446744073709551615\n" + "failures_total" + feed + "} 2\n" + "failures_total" +
            odd + "} 0\n" + "clean_exits_total" + feed + "} 1\n" + "clean_exits_total" + odd + "} 0\n" +
            "running_seconds_total" + feed + "} 1.5\n" + "running_seconds_total" + odd + "} 9223372036.854775807\n" +
            "attempt" + feed + "} 2\n" + "attempt" + odd + "} 0\n" + "phase" + feed + ",phase=\"starting\"} 0\n" +
            "phase" + feed + ",phase=\"running\"} 0\n" + "phase" + feed + ",phase=\"backing_off\"} 1\n" + "phase" +
            feed + ",phase=\"stopping\"} 0\n" + "phase" + feed + ",phase=\"terminated\"} 0\n" + "phase" + odd +
            ",phase=\"starting\"} 0\n" + "phase" + odd + ",phase=\"running\"} 0\n" + "phase" + odd +
            ",phase=\"backing_off\"} 0\n" + "phase" + odd + ",phase=\"stopping\"} 0\n" + "phase" + odd +
            ",phase=\"terminated\"} 1\n" + "breaker" + feed + ",breaker=\"off\"} 0\n" + "breaker" + feed +
            ",breaker=\"closed\"} 1\n" + "breaker" + feed + ",breaker=\"open\"} 0\n" + "breaker" + feed +
            ",breaker=\"half_open\"} 0\n" + "breaker" + odd + ",breaker=\"off\"} 0\n" + "breaker" + odd +
            ",breaker=\"closed\"} 0\n" + "breaker" + odd + ",breaker=\"open\"} 1\n" + "breaker" + odd +
            ",breaker=\"half_open\"} 0\n" + "termination" + odd + ",reason=\"circuit_open\"} 1\n");
  CHECK(text.find("not here") == std::string::npos);  // an error has no bounds, and is no label
}

TEST_CASE("hangs are counted for services that have a watchdog") {
  const std::vector<ServiceSnapshot> services{{.name = "a"}, {.name = "b", .watchdog = 10s, .hangs = 2}};
  const std::string text = prometheus_text("x", {}, services, UptimeHistogram{});
  CHECK(text.find("x_service_hangs_total{service=\"b\"} 2\n") != std::string::npos);
  CHECK(text.find("x_service_hangs_total{service=\"a\"}") == std::string::npos);
}

TEST_CASE("failed starts are counted for services that say when they are ready") {
  const std::vector<ServiceSnapshot> services{{.name = "a"},
                                              {.name = "b", .ready = Ready::notified, .failed_starts = 2}};
  const std::string text = prometheus_text("x", {}, services, UptimeHistogram{});
  CHECK(text.find("x_service_failed_starts_total{service=\"b\"} 2\n") != std::string::npos);
  CHECK(text.find("x_service_failed_starts_total{service=\"a\"}") == std::string::npos);
}

TEST_CASE("the state of a breaker is off, closed or open, and closed again after a restart by command") {
  Simulation sim{{.seed = {1}, .supervisor = {.backoff = {.base = 0ns, .max = 0ns, .breaker = std::nullopt}}}};
  const BackoffPolicy trips{.base = 0ns, .max = 0ns, .breaker = BreakerPolicy{.max_failures = 3, .window = 1h}};
  REQUIRE(sim.add({.name = "without"}));
  REQUIRE(sim.add({.name = "with", .policy = {.backoff = trips}}));
  REQUIRE(sim.add({.name = "broken", .policy = {.backoff = trips}}, {.runs_for = Fixed{1s}, .then = Then::fail}));
  REQUIRE(sim.add({.name = "fatal", .policy = {.backoff = trips}}, {.runs_for = Fixed{1s}, .then = Then::fatal}));
  const auto breaker = [&](const char* name) { return sim.supervisor().snapshot(name)->breaker; };
  sim.run_for(2s);
  CHECK(breaker("broken") == BreakerState::closed);
  sim.run_for(2s);
  CHECK(breaker("without") == BreakerState::off);
  CHECK(breaker("with") == BreakerState::closed);
  CHECK(breaker("broken") == BreakerState::open);
  CHECK(breaker("fatal") == BreakerState::closed);  // it terminated for another reason
  REQUIRE(sim.supervisor().restart("broken"));
  sim.run_for(0s);
  CHECK(breaker("broken") == BreakerState::closed);
}

TEST_CASE("a namespace is a letter or underscore, then letters, figures and underscores") {
  for (const char* const good : {"a", "_", "A9_z", "holdfast"}) CHECK(is_prometheus_namespace(good));
  for (const char* const bad : {"", "9a", "a-b", "a:b", "a b", "é", "a\n"}) CHECK(!is_prometheus_namespace(bad));
}

TEST_CASE("a service's uptime is observed once, at its termination, over all its runs") {
  Uptimes uptimes;
  Simulation sim{{.seed = {1}, .supervisor = {.shutdown_timeout = 30s, .backoff = {.breaker = std::nullopt}}},
                 {&uptimes}};
  REQUIRE(sim.add({.name = "two runs"}, {.fails_first = {.runs = 1, .after = 1500ms}}));
  REQUIRE(sim.add({.name = "abandoned"}, {.on_stop = Ignores{}}));
  REQUIRE(sim.add({.name = "never", .policy = {.restart = RestartPolicy::never}},
                  {.runs_for = Fixed{10s}, .then = Then::end}));
  sim.run_until(TimePoint{} + 1h);
  const Duration first_wait =
      sim.supervisor().snapshot("two runs")->age - sim.supervisor().snapshot("two runs")->running_time;
  sim.supervisor().request_shutdown();
  sim.run_for(1min);
  const std::string text = prometheus_text("x", sim.supervisor().counters(), {}, uptimes.histogram);
  CHECK(text.find(buckets("never", "0111111111", "10")) != std::string::npos);  // a bound is included
  CHECK(text.find(buckets("abandoned", "0000011111", "3630")) != std::string::npos);
  std::string sum = std::to_string((Duration{1h} - first_wait).count());
  sum.insert(sum.size() - 9, ".");
  CHECK(text.find("x_uptime_seconds_sum{service=\"two runs\"} " + sum) != std::string::npos);
}

TEST_CASE("an uptime has the runs that were abandoned on the way to a restart, until their abandonment") {
  UptimeHistogram histogram;
  const auto tell = [&](Duration at, const Event::What& what) {
    Event event;
    event.at = TimePoint{} + at;
    event.service = {0, 1};
    event.name = "feed";
    event.what = what;
    histogram.on_event(event);
  };
  const ServicePolicy policy{.backoff = BackoffPolicy{}};
  tell(0s, event::Added{&policy, {0}});
  tell(0s, event::Started{});
  tell(10s, event::Stopping{StopCause::restart});
  tell(40s, event::Abandoned{30s});  // it ran for 40 s
  tell(40s, event::Started{});
  tell(50s, event::EndedLate{Outcome::clean, 50s, ""});
  tell(55s, event::Stopping{StopCause::restart});
  tell(58s, event::Abandoned{3s});  // 18 s
  tell(58s, event::Started{});
  tell(60s, event::Ended{Outcome::clean, 2s, ""});
  tell(60s, event::Terminated{{.reason = Termination::Reason::completed}, ""});
  CHECK(prometheus_text("x", {}, {}, histogram).find(buckets("feed", "0011111111", "60")) != std::string::npos);
}

TEST_CASE("a service that is terminated before its first run has an uptime of zero, and a name can be forgotten") {
  Uptimes uptimes;
  Simulation sim{{.seed = {1}}, {&uptimes}};
  REQUIRE(sim.add({.name = "a\\b\"c"}));
  sim.supervisor().request_shutdown();
  sim.run_for(0s);
  const auto text = [&] { return prometheus_text("x", sim.supervisor().counters(), {}, uptimes.histogram); };
  CHECK(text().find(buckets("a\\\\b\\\"c", "1111111111", "0")) != std::string::npos);
  uptimes.histogram.forget("nobody");
  uptimes.histogram.forget("a\\b\"c");
  CHECK(text().find("service=") == std::string::npos);
}

}  // namespace holdfast::prometheus_test
