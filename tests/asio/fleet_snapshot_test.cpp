// The state of all services as JSON, and what counts as ready.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include <boost/json.hpp>
#include <holdfast/asio/detail/endpoint_pages.hpp>
#include <holdfast/asio/fleet_snapshot.hpp>

#include "support.hpp"

namespace holdfast::test::fleet_snapshot_test {
namespace {

using Reason = Termination::Reason;

ServiceSnapshot terminated(Reason reason) {
  return {.name = "feed", .phase = Phase::terminated, .termination = Termination{.reason = reason}};
}

detail::Page readiness(const FleetSnapshot& fleet) {
  const UptimeHistogram uptimes;
  const bool recording_failed = false;
  const detail::MetricsSource source{"x", uptimes, recording_failed};
  const auto maker = make_page(detail::FleetPage::readiness, source);
  for (const ServiceSnapshot& service : fleet.services) maker->add(service, fleet.at);
  return maker->finish(fleet);
}
std::string text_of(const detail::Page& page) {
  std::string text;
  for (const std::string& piece : page.pieces) text += piece;
  return text;
}

TEST_CASE("the JSON of a fleet, to the byte") {
  const FleetSnapshot fleet{
      .at = TimePoint{} + 5s,
      .counters = {.spawned = 1,
                   .starts = 2,
                   .restarts = 3,
                   .failures = 4,
                   .clean_exits = 5,
                   .circuit_breaker_trips = 6,
                   .terminated = 7,
                   .killed_runs = 10,
                   .abandoned_runs = 8,
                   .active_services = 9,
                   .open_breakers = 11,
                   .failed_starts = 12,
                   .hangs = 13,
                   .limited_restarts = 14,
                   .waiting_services = 15},
      .services = {{.name = "feed \"EU\"",
                    .restart = RestartPolicy::always,
                    .phase = Phase::backing_off,
                    .run = {7},
                    .starts = 3,
                    .failures = 2,
                    .clean_exits = 1,
                    .ready = Ready::notified,
                    .failed_starts = 6,
                    .attempt = 4,
                    .failures_in_window = 5,
                    .breaker = BreakerState::closed,
                    .pid = 4711,
                    .last_error = "line 1\nline 2",
                    .running_time = 1s,
                    .age = 2s,
                    .time_in_phase = 3ns,
                    .next_start = TimePoint{} + 6s,
                    .waits_for = WaitsFor::restart_limit},
                   {.name = "engine",
                    .phase = Phase::terminated,
                    .breaker = BreakerState::open,
                    .last_error = "\xff",
                    .termination = Termination{.reason = Reason::circuit_open, .failures = 5, .max_failures = 5}}}};
  CHECK(
      to_json(fleet) ==
      R"({"at_ns":5000000000,"shutting_down":false,"ready":false,)"
      R"("counters":{"spawned":1,"starts":2,"restarts":3,"failures":4,"clean_exits":5,"circuit_breaker_trips":6,)"
      R"("terminated":7,"killed_runs":10,"abandoned_runs":8,"active_services":9,"open_breakers":11,"failed_starts":12,"hangs":13,)"
      R"("limited_restarts":14,"waiting_services":15},"services":[)"
      R"({"name":"feed \"EU\"","restart":"always","phase":"backing_off","run":7,"starts":3,"failures":2,"clean_exits":1,)"
      R"("failed_starts":6,"hangs":0,"attempt":4,"failures_in_window":5,"breaker":"closed","pid":4711,"last_error":"line 1\nline 2","running_time_ns":1000000000,)"
      R"("age_ns":2000000000,"time_in_phase_ns":3,"next_start_in_ns":1000000000,"waits_for":"restart_limit","dependency":null,"group":null,"ready":"notified","start_timeout_in_ns":null,"watchdog_in_ns":null,"progress":null,"grace_ends_in_ns":null,)"
      R"("killed":false,"termination":null,)"
      R"("termination_text":null},)"
      R"({"name":"engine","restart":"on_failure","phase":"terminated","run":0,"starts":0,"failures":0,"clean_exits":0,)"
      R"("failed_starts":0,"hangs":0,"attempt":0,"failures_in_window":0,"breaker":"open","pid":null,"last_error":")"
      "\xef\xbf\xbd"
      R"(","running_time_ns":0,"age_ns":0,"time_in_phase_ns":0,"next_start_in_ns":null,"waits_for":null,"dependency":null,"group":null,"ready":"at_once","start_timeout_in_ns":null,"watchdog_in_ns":null,"progress":null,"grace_ends_in_ns":null,)"
      R"("killed":false,"termination":"circuit_open",)"
      R"-("termination_text":"circuit breaker open (5/5 failures)"}]})-"
      "\n");
}

TEST_CASE("the JSON of any fleet is well-formed, whatever bytes names and errors are made of") {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  for (std::size_t services = 0; services < 3; ++services) {
    const FleetSnapshot fleet{.services =
                                  std::vector<ServiceSnapshot>(services, {.name = bytes, .last_error = bytes + bytes})};
    const auto read = boost::json::parse(to_json(fleet));
    CHECK(read.at("services").as_array().size() == services);
  }
}

TEST_CASE("of a service that is being stopped the JSON says how long its grace lasts, and that it was killed") {
  const FleetSnapshot fleet{.at = TimePoint{} + 5s,
                            .services = {{.phase = Phase::stopping, .grace_until = TimePoint{} + 7s, .killed = true}}};
  CHECK(to_json(fleet).find("\"grace_ends_in_ns\":2000000000,\"killed\":true,") != std::string::npos);
}

TEST_CASE("of a service under a watchdog the JSON says how long it may be silent, and how far it has got") {
  const FleetSnapshot fleet{
      .at = TimePoint{} + 5s,
      .services = {
          {.phase = Phase::running, .watchdog = 10s, .hangs = 2, .watchdog_until = TimePoint{} + 9s, .progress = 17}}};
  CHECK(to_json(fleet).find("\"hangs\":2,") != std::string::npos);
  CHECK(to_json(fleet).find("\"watchdog_in_ns\":4000000000,\"progress\":17,") != std::string::npos);
}

TEST_CASE("of a service that is not ready the JSON says how long it still has") {
  const FleetSnapshot fleet{
      .at = TimePoint{} + 5s,
      .services = {{.phase = Phase::starting, .ready = Ready::notified, .ready_by = TimePoint{} + 8s}}};
  CHECK(to_json(fleet).find("\"ready\":\"notified\",\"start_timeout_in_ns\":3000000000,") != std::string::npos);
  CHECK_FALSE(is_ready(fleet));
}

TEST_CASE("a start that is overdue is due in no time") {
  const FleetSnapshot fleet{.at = TimePoint{} + 5s,
                            .services = {{.phase = Phase::backing_off, .next_start = TimePoint{} + 4s}}};
  CHECK(to_json(fleet).find("\"next_start_in_ns\":0,") != std::string::npos);
}

TEST_CASE("the JSON is made in pieces, and is the same text") {
  FleetSnapshot fleet{.at = TimePoint{} + 5s};
  const std::string error(1000, 'x');
  for (int i = 0; i < 300; ++i) fleet.services.push_back({.name = "feed-" + std::to_string(i), .last_error = error});
  FleetJson json;
  for (const ServiceSnapshot& service : fleet.services) json.add(service, fleet.at);
  const auto pieces = json.take(fleet);
  CHECK(pieces.size() > 5);
  std::string text;
  for (const std::string& piece : pieces) {
    CHECK(piece.size() < (std::size_t{1} << 16) + 4096);
    text += piece;
  }
  CHECK(text == to_json(fleet));
  CHECK(boost::json::parse(text).at("services").as_array().size() == 300);
}

TEST_CASE("running, completed and cancelled services are as they should be, and no others") {
  for (const Phase phase : {Phase::starting, Phase::running, Phase::backing_off, Phase::stopping}) {
    CHECK(is_as_it_should_be({.phase = phase}) == (phase == Phase::running));
  }
  for (const Reason reason :
       {Reason::completed, Reason::cancelled, Reason::circuit_open, Reason::failed, Reason::abandoned}) {
    const bool well = reason == Reason::completed || reason == Reason::cancelled;
    CHECK(is_as_it_should_be(terminated(reason)) == well);
    CHECK(is_ready({.services = {{.phase = Phase::running}, terminated(reason)}}) == well);
  }
  ServiceSnapshot stopped = terminated(Termination::Reason::cancelled);
  stopped.group_is_lost = true;
  CHECK_FALSE(is_ready({.services = {stopped}}));
  CHECK(is_ready({}));
  CHECK(!is_ready({.shutting_down = true}));
}

TEST_CASE("the first twenty services that are not ready are listed with their reasons") {
  CHECK(text_of(readiness({.services = {{.name = "a", .phase = Phase::running}, terminated(Reason::abandoned)}})) ==
        "not ready\nfeed: terminated, abandoned\n");
  std::vector<ServiceSnapshot> many(21, {.name = "b", .phase = Phase::starting});
  const detail::Page page = readiness({.shutting_down = true, .services = many});
  std::string listed = "not ready: shutting down\n";
  for (int i = 0; i < 20; ++i) listed += "b: starting\n";
  CHECK(text_of(page) == listed + "and 1 more\n");
  CHECK(page.status == 503);
  many.pop_back();
  CHECK(text_of(readiness({.shutting_down = true, .services = many})) == listed);
}

}  // namespace
}  // namespace holdfast::test::fleet_snapshot_test
