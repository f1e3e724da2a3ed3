// The check reports each way in which a supervisor's configuration could differ from its scenario.
#include <catch2/catch.hpp>

#include <string>

#include <holdfast_sim/checks/detail/configuration_check.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::configuration_check_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;

namespace {

Scenario scenario() {
  Scenario scenario{.name = "test", .duration = 10s};
  scenario.supervisor.shutdown_timeout = 3s;
  scenario.fleet.push_back({.name = "many", .count = 20, .policy = {.restart = RestartPolicy::always}});
  scenario.fleet.push_back({.name = "one",
                            .policy = {.backoff = BackoffPolicy{.base = 1s}},
                            .behaviour = {.runs_for = Fixed{1s}, .then = Then::end}});
  scenario.chaos.push_back({.at = 5s, .what = Shutdown{}});
  return scenario;
}

// The result for a run of `ran` that should have been one of `said`.
ExpectationResult result_of(const Scenario& said, const Scenario& ran) {
  ConfigurationCheck check{said};
  Simulation simulation{ran, {&check}};
  simulation.run_to_end();
  return check.finish(simulation.end());
}

}  // namespace

TEST_CASE("a run under its own scenario is as configured, also with services that a recorded trace brings along") {
  Scenario own = scenario();
  Recorded recorded;
  recorded.trace.entities = {"alpha"};
  own.chaos.push_back({.what = recorded});
  CHECK(result_of(own, own).held);
  own.supervisor.when_all_terminated = WhenAllTerminated::return_;
  CHECK(result_of(own, own).held);
  own.fleet.erase(own.fleet.begin());
  own.chaos.clear();
  CHECK(result_of(own, own).held);  // it shuts itself down
}

TEST_CASE("another restart policy, backoff, timeout or end is reported with the services that it concerns") {
  const auto found = [](auto change) {
    Scenario other = scenario();
    change(other);
    const ExpectationResult result = result_of(scenario(), other);
    CHECK_FALSE(result.held);
    return result;
  };
  const auto restart = found([](Scenario& s) { s.fleet[0].policy.restart = RestartPolicy::never; });
  CHECK(restart.found == "another restart policy: never");
  CHECK(restart.services.size() == 10);
  CHECK(restart.services.front() == "many-0");
  CHECK(restart.more_services == 10);
  CHECK(found([](Scenario& s) { s.fleet[1].policy.backoff.reset(); }).services == std::vector<std::string>{"one"});
  CHECK(found([](Scenario& s) { s.supervisor.backoff.base = 2s; }).found == "another backoff: base 2s");
  CHECK(found([](Scenario& s) { s.supervisor.backoff.breaker.reset(); }).found == "another backoff: max_failures 0");
  CHECK(found([](Scenario& s) { s.supervisor.backoff.breaker->half_open.emplace(); }).found ==
        "another backoff: open_for 30s");
  CHECK(found([](Scenario& s) { s.supervisor.backoff.growth = LinearGrowth{2s}; }).found ==
        "another backoff: growth linear");
  CHECK(found([](Scenario& s) { s.supervisor.backoff.jitter = NoJitter{}; }).found == "another backoff: jitter none");
  CHECK(found([](Scenario& s) { s.supervisor.stop_grace = 3s; }).found == "another stop grace: 3s");
  CHECK(found([](Scenario& s) { s.fleet[1].policy.stop_grace = 4s; }).services == std::vector<std::string>{"one"});
  const auto timeout = found([](Scenario& s) { s.supervisor.shutdown_timeout = 6s; });
  CHECK(timeout.found == "another shutdown timeout: 6s");
  CHECK(timeout.at == TimePoint{} + 5s);

  Scenario graced = scenario();
  graced.supervisor.stop_grace = 3s;
  Scenario killable = graced;
  killable.fleet[0].behaviour.on_kill = Obeys{};
  CHECK(result_of(graced, graced).held);
  CHECK(result_of(killable, killable).held);
  CHECK(result_of(graced, scenario()).found == "no stop grace");
  CHECK(result_of(graced, killable).found == "it can be killed");
  CHECK(result_of(killable, graced).found == "it cannot be killed");

  Scenario waits = scenario();
  waits.fleet.erase(waits.fleet.begin());
  waits.chaos.clear();
  Scenario returns = waits;
  returns.supervisor.when_all_terminated = WhenAllTerminated::return_;
  CHECK(result_of(waits, returns).found == "a shutdown when all services had terminated, though it should wait");
  CHECK(result_of(returns, waits).found == "no shutdown when all services had terminated");
}

TEST_CASE("every rehearsal is compared with its configuration") {
  const auto result = rehearse(scenario());
  REQUIRE_FALSE(result.expectations.empty());
  CHECK(result.expectations.back().what == "configuration");
}

}  // namespace holdfast::configuration_check_test
