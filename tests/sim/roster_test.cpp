// Which service belongs to which group: one table, and every part that has to know is asked about every row of it.
#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <holdfast_sim/checks/detail/configuration_check.hpp>
#include <holdfast_sim/checks/expectations.hpp>
#include <holdfast_sim/report/report.hpp>
#include <holdfast_sim/scenario/roster.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::roster_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;

namespace {

const std::string kOwn = "(its own)";

// Each group has a policy of its own, so that a service that is taken for another group's is noticed.
std::vector<FleetGroup> fleet() {
  return {{.name = "feed", .count = 2, .policy = {.restart = RestartPolicy::always}},
          {.name = "solo", .policy = {.restart = RestartPolicy::never}},
          {.name = "a", .count = 12, .policy = {.backoff = BackoffPolicy{.base = 5s}}},
          {.name = "a-b", .policy = {.stop_grace = 3s}},
          {.name = "a-b-c", .count = 1, .policy = {.stop_grace = 4s}}};
}

struct Row {
  std::string service;
  std::string group;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all{
      {"feed-0", "feed"}, {"feed-1", "feed"}, {"feed-2", kOwn},  {"feed-77", kOwn},         {"feed-01", kOwn},
      {"feed-00", kOwn},  {"feed-x", kOwn},   {"feed-1x", kOwn}, {"feed-", kOwn},           {"feed--1", kOwn},
      {"feed-+1", kOwn},  {"feed-1-0", kOwn}, {"Feed-1", kOwn},  {"feed-4294967297", kOwn}, {"feed1", kOwn},
      {"-1", kOwn},       {"solo", "solo"},   {"solo-0", kOwn},  {"solo-", kOwn},           {"a-11", "a"},
      {"a-12", kOwn},     {"a-b", "a-b"},     {"a-b-0", kOwn},   {"a-b-c-0", "a-b-c"},      {"a-b-c-1", kOwn},
      {"a-b-c-00", kOwn},
  };
  return all;
}

// The fleet, and a recorded trace that names this service.
Scenario scenario_with(const std::string& service) {
  Scenario scenario{.name = "test", .duration = 10s, .fleet = fleet()};
  Recorded recorded{.file = "x.csv"};
  recorded.trace.entities = {service};
  recorded.trace.causes = {"power"};
  recorded.trace.failures = {{0, 0, 1s, 2s}};
  scenario.chaos.push_back({.what = recorded});
  for (const auto& group : scenario.fleet) {
    ExpectedCounts counts;
    counts.spawned = CountRange{group.size(), group.size()};
    scenario.expect.groups.push_back({group.name, counts});
  }
  return scenario;
}

struct Judged {
  ReportData report;
  std::vector<ExpectationResult> expectations;
  ExpectationResult configuration;
  std::vector<std::string> added;  // in their order
};

Judged judged(const Scenario& scenario) {
  Report report{scenario};
  ExpectationChecks expectations{scenario};
  ConfigurationCheck configuration{scenario};
  Simulation simulation{scenario, {&report, &expectations, &configuration}};
  Judged result;
  for (const auto& service : simulation.supervisor().snapshots()) result.added.emplace_back(service.name);
  simulation.run_to_end();
  expectations.finish(simulation.end());
  result.expectations = expectations.results();
  result.configuration = configuration.finish(simulation.end());
  result.report = report.finish(simulation.end());
  return result;
}

std::uint64_t services_in(const ReportData& report, const std::string& group) {
  const auto found =
      std::find_if(report.groups.begin(), report.groups.end(), [&](const auto& one) { return one.name == group; });
  return found == report.groups.end() ? 0 : found->services;
}

}  // namespace

TEST_CASE("a service belongs to one group or to none, whichever part is asked") {
  const std::size_t all = 2 + 1 + 12 + 1 + 1;
  for (const auto& [service, group] : rows()) {
    INFO(service);
    const Scenario scenario = scenario_with(service);
    const bool own = group == kOwn;

    const Roster roster = roster_of(scenario);
    const auto found = roster.group_of(service);
    REQUIRE(found);
    CHECK(roster.groups()[*found].name == (own ? service : group));
    CHECK((*found >= scenario.fleet.size()) == own);
    CHECK(roster.services() == all + (own ? 1 : 0));

    const Judged run = judged(scenario);
    CHECK(run.added.size() == roster.services());
    CHECK(std::count(run.added.begin(), run.added.end(), service) == 1);
    for (const auto& each : scenario.fleet) CHECK(services_in(run.report, each.name) == each.size());
    CHECK(services_in(run.report, "recorded") == (own ? 1 : 0));
    for (const auto& each : run.expectations)
      CHECK(to_string(each) == each.what + ": expected " + each.expected + ", found " + each.expected);
    CHECK(run.configuration.found == "as in the scenario");
  }
}

TEST_CASE("strangers whose names look like a group's are services of their own, with the defaults") {
  Scenario scenario{.name = "test", .duration = 1h};
  scenario.fleet.push_back({.name = "feed", .count = 2, .policy = {.restart = RestartPolicy::always}});
  Recorded recorded{.file = "x.csv"};
  recorded.trace.entities = {"feed-77", "feed-1", "feed-x", "feed-01"};
  scenario.chaos.push_back({.what = recorded});
  const Judged run = judged(scenario);
  CHECK(run.added == std::vector<std::string>{"feed-0", "feed-1", "feed-77", "feed-x", "feed-01"});
  CHECK(services_in(run.report, "feed") == 2);
  CHECK(services_in(run.report, "recorded") == 3);
  CHECK(run.configuration.held);
}

TEST_CASE("without a scenario services are grouped by their names, and only by numbers as a group has them") {
  Report report{Scenario{}, Report::Groups::by_name};
  const ServicePolicy policy{.backoff = BackoffPolicy{}};
  std::uint32_t slot = 0;
  for (const char* const name : {"feed-0", "feed-17", "feed-01", "feed-x", "feed", "-1"}) {
    Event event{.service = {slot++, 1}, .name = name};
    event.what = event::Added{&policy, {}};
    report.on_event(event);
  }
  const ReportData data = report.finish({});
  CHECK(services_in(data, "feed") == 3);  // "feed" itself as well
  for (const char* const name : {"feed-01", "feed-x", "-1"}) CHECK(services_in(data, name) == 1);
}

}  // namespace holdfast::roster_test
