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

// A storm of twenty services runs under one scenario and is compared with another one.
TEST_CASE("a fleet that starts again faster or later than its limits let it is reported") {
  const auto limited = [](std::optional<RestartLimit> limit, std::optional<std::uint32_t> starting_max) {
    Scenario storm{.name = "storm", .duration = 1min};
    storm.supervisor.backoff = {.base = 1s, .max = 1s, .breaker = std::nullopt};
    storm.supervisor.restart_limit = limit;
    storm.supervisor.starting_max = starting_max;
    storm.fleet.push_back(
        {.name = "web", .count = 20, .policy = {.ready = Ready::notified}, .behaviour = {.ready_after = Fixed{300ms}}});
    storm.chaos.push_back({.at = 5s, .what = Storm{}});
    storm.chaos.push_back({.at = 20s, .what = Storm{}});
    return storm;
  };
  const Scenario none = limited(std::nullopt, std::nullopt);
  const Scenario slow = limited(RestartLimit{.every = 500ms, .burst = 3}, std::nullopt);
  const Scenario fast = limited(RestartLimit{.every = 100ms, .burst = 3}, std::nullopt);
  const Scenario few = limited(std::nullopt, 2);
  const Scenario both = limited(RestartLimit{.every = 200ms, .burst = 5}, 2);
  for (const Scenario* const own : {&none, &slow, &fast, &few, &both}) CHECK(result_of(*own, *own).held);
  const auto found = [](const Scenario& said, const Scenario& ran) {
    const ExpectationResult result = result_of(said, ran);
    CHECK_FALSE(result.held);
    return result.found;
  };
  CHECK(found(slow, none).starts_with("a restart at "));
  CHECK(found(slow, none).find(", though restart_limit allows the next at ") != std::string::npos);
  CHECK(found(slow, fast).find(", though restart_limit allows the next at ") != std::string::npos);
  CHECK(found(fast, slow).find(" after waiting, though its limit allowed it at ") != std::string::npos);
  CHECK(found(few, none).find(", though 2 runs are starting, and starting_max is 2") != std::string::npos);
  CHECK(found(limited(std::nullopt, 4), few).find(", though its limit allows a restart") != std::string::npos);
}

TEST_CASE("a policy that no entry gives is reported, and so is one of another time, service or entry") {
  const auto with = [](ChaosEntry entry) {
    Scenario changed = scenario();
    changed.chaos.insert(changed.chaos.begin(), std::move(entry));
    return changed;
  };
  const auto reconfigured = [&](Duration at, std::string of, PolicyChange change) {
    return with({.at = at, .what = Reconfigure{.target = {.of = {std::move(of)}}, .change = std::move(change)}});
  };
  const Scenario said = reconfigured(2s, "many", {.stop_grace = 1s});
  CHECK(result_of(said, said).held);
  CHECK(result_of(reconfigured(1s, "many-7", {.stop_grace = 1s}), reconfigured(2s, "many-7", {.stop_grace = 1s})).held);
  const auto other = result_of(said, reconfigured(2s, "many", {.stop_grace = 2s}));
  CHECK(other.found == "a policy that no entry of the chaos gives: another stop grace: 2s");
  CHECK(other.at == TimePoint{} + 2s);
  CHECK(other.services.front() == "many-0");
  CHECK_FALSE(result_of(said, reconfigured(1s, "many", {.stop_grace = 1s})).held);
  CHECK_FALSE(result_of(reconfigured(2s, "many-3", {.stop_grace = 1s}), said).held);
  CHECK_FALSE(result_of(scenario(), said).held);
  // What an earlier entry has changed stays.
  Scenario twice = said;
  twice.chaos.insert(twice.chaos.begin() + 1,
                     {.at = 3s, .what = Reconfigure{.change = {.restart = RestartPolicy::never}}});
  CHECK(result_of(twice, twice).held);
  Scenario undone = twice;
  std::get<Reconfigure>(undone.chaos[1].what).change.stop_grace = 30s;
  CHECK_FALSE(result_of(twice, undone).held);
}

TEST_CASE("a service of a group that joins later is there when an entry adds it") {
  Scenario later = scenario();
  later.fleet[0].joins = Joins::later;
  CHECK(result_of(later, later).held);
  CHECK(result_of(later, scenario()).found == "added, though its group joins later and no entry of the chaos adds it");
  const auto joins = [&](Duration at, std::string of) {
    Scenario joined = later;
    joined.chaos.push_back({.at = at, .what = Joining{.of = {std::move(of)}}});
    return joined;
  };
  CHECK(result_of(joins(2s, "many"), joins(2s, "many")).held);
  CHECK_FALSE(result_of(joins(3s, "many"), joins(2s, "many")).held);
  CHECK_FALSE(result_of(joins(2s, "many-3"), joins(2s, "many")).held);
}

}  // namespace holdfast::configuration_check_test
