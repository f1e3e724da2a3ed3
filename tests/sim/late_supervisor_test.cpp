// A supervisor that stands still for a while, or whose timers are late: what it does when it wakes, what is in time all
// the same, and that checks and report know of it.

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <holdfast/random.hpp>
#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/scenario/distribution.hpp>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

using Kind = ChaosEvent::Kind;

// "25s started", of the service s or s-0, without what repeats another line; and what chaos did: "10s ended_unseen".
Lines story_of(const Scenario& scenario, std::string_view service = "s") {
  EventLog log;
  Checks checks;
  Simulation sim{scenario, {&log, &checks}};
  REQUIRE(sim.run_to_end());
  checks.finish(sim.end());
  for (const auto& violation : checks.violations()) UNSCOPED_INFO(to_string(violation.at) << ' ' << violation.says);
  CHECK(checks.held());
  Lines lines;
  const auto& chaos = log.chaos();
  auto next = chaos.begin();
  const auto tell_chaos = [&](TimePoint until) {
    for (; next != chaos.end() && next->at < until; ++next) {
      if (next->name == service) lines.push_back(to_string(next->at) + ' ' + std::string{to_string(next->kind)});
    }
  };
  for (const auto& event : log.of(service)) {
    tell_chaos(event.at);
    const std::string at = to_string(event.at) + ' ';
    if (std::holds_alternative<event::Started>(event.what)) lines.push_back(at + "started");
    if (const auto* const ended = std::get_if<event::Ended>(&event.what))
      lines.push_back(at + "ended " + std::string{to_string(ended->outcome)});
    if (const auto* const stopping = std::get_if<event::Stopping>(&event.what))
      lines.push_back(at + "stopping " + std::string{to_string(stopping->cause)});
    if (const auto* const over = std::get_if<event::Terminated>(&event.what))
      lines.push_back(at + std::string{to_string(over->why.reason)});
  }
  tell_chaos(TimePoint::max());
  return lines;
}

ChaosEntry stall(Duration at, Duration length) { return {.at = at, .what = Stall{length}}; }

// A run that is asked to stop at 10s, takes so long, and has a grace of 8s.
Scenario stopped_at_10s(Duration takes, std::vector<ChaosEntry> stalls) {
  stalls.push_back({.at = 10s, .what = OperatorCommand{.what = Command::stop}});
  Scenario scenario = scenario_of({.on_stop = Takes{Fixed{takes}}}, std::move(stalls), 100s);
  scenario.supervisor.stop_grace = 8s;
  return scenario;
}

}  // namespace

TEST_CASE("what ends while the supervisor stands still is noticed when it wakes, and starts again then") {
  const auto scenario = scenario_of({.runs_for = Fixed{10s}}, {stall(5s, 20s)}, 36s);
  CHECK(story_of(scenario) == Lines{"0s started", "5s stalled", "10s ended_unseen", "25s ended failed", "25s started",
                                    "35s ended failed", "35s started"});
  CHECK(story_of(scenario_of({.runs_for = Fixed{10s}}, {stall(40s, 20s)}, 21s)) ==
        Lines{"0s started", "10s ended failed", "10s started", "20s ended failed", "20s started"});
}

TEST_CASE("a service is down from the end that nobody has noticed, and recovers from then on") {
  const auto result = rehearse(scenario_of({.runs_for = Fixed{10s}}, {stall(5s, 20s)}, 30s));
  CHECK(result.all_held());
  const Availability all = result.report.groups.front().availability;
  CHECK(Duration{static_cast<std::int64_t>(all.up)} == 15s);  // 0s to 10s, 25s to 30s
  CHECK(Duration{static_cast<std::int64_t>(all.ideal)} == 30s);
  CHECK(result.report.after_failures.max == 15s);
}

TEST_CASE("a delay that passes while the supervisor stands still is over when it wakes, and any other in time") {
  auto scenario = scenario_of({.runs_for = Fixed{10s}}, {stall(12s, 10s)}, 38s);
  scenario.supervisor.backoff = waits(5s);
  CHECK(story_of(scenario) ==
        Lines{"0s started", "10s ended failed", "12s stalled", "22s started", "32s ended failed", "37s started"});
  scenario.chaos = {stall(12s, 3s)};
  CHECK(story_of(scenario).at(3) == "15s started");
  scenario.chaos = {stall(15s, 3s)};  // before it, because it was written first
  CHECK(story_of(scenario).at(3) == "18s started");
}

TEST_CASE("a host that boots while its supervisor stands still has its services started when that goes on") {
  // The supervisor knows neither that the run is ready nor that it is silent when the host boots.
  for (const auto& [at, off] : {std::pair<Duration, Duration>{2s, 1s}, {2s, 0s}, {500ms, 3s}}) {
    auto scenario =
        scenario_of({.ready_after = Fixed{4s}},
                    {stall(1s, 5s), {.at = at, .what = Outage{.length = off, .mode = OutageMode::gone}}}, 1min);
    scenario.fleet.front().policy.ready = Ready::notified;
    const Lines lines = story_of(scenario);
    CHECK(lines.size() == 6);
    CHECK(lines.at(3) == "6s stopping restart");
    CHECK(lines.at(4) == "6s ended clean");
    CHECK(lines.at(5) == "6s started");
    CHECK(rehearse(scenario).report.fleet.availability.up == static_cast<ServiceTime>(Duration{50s}.count()));
  }
}

TEST_CASE("a deadline is later by as much as the supervisor stands still") {
  CHECK(story_of(stopped_at_10s(5s, {stall(12s, 18s)})) == Lines{"0s started", "10s stopping stop", "12s stalled",
                                                                 "15s ended_unseen", "30s ended clean",
                                                                 "30s cancelled"});
  CHECK(story_of(stopped_at_10s(12s, {stall(12s, 18s)})).back() == "30s cancelled");  // at 22s, after 18s
  CHECK(story_of(stopped_at_10s(26s, {stall(12s, 18s)})).back() == "36s cancelled");  // in its last instant
  CHECK(story_of(stopped_at_10s(27s, {stall(12s, 18s)})).back() == "36s abandoned");
  CHECK(story_of(stopped_at_10s(12s, {stall(50s, 18s)})).at(2) == "18s abandoned");
}

TEST_CASE("of stalls within a second of each other only the longest counts") {
  const auto abandoned = [](std::vector<ChaosEntry> stalls) {
    return story_of(stopped_at_10s(50s, std::move(stalls))).back();
  };
  CHECK(abandoned({stall(12s, 2s), stall(14900ms, 1s)}) == "20s abandoned");
  CHECK(abandoned({stall(12s, 2s), stall(14900ms, 3s)}) == "21s abandoned");
  CHECK(abandoned({stall(12s, 2s), stall(15s, 1s)}) == "21s abandoned");
  CHECK(abandoned({stall(12s, 2s), stall(13s, 4s)}) == "23s abandoned");  // one of five seconds
  CHECK(abandoned({stall(12s, 4s), stall(13s, 1s)}) == "22s abandoned");
}

TEST_CASE("a run that says in time that it is ready is not given up, whenever the supervisor hears of it") {
  auto scenario = scenario_of({.ready_after = Fixed{5s}}, {stall(2s, 18s)}, 40s);
  scenario.fleet[0].policy.ready = Ready::notified;
  scenario.fleet[0].policy.start_timeout = 6s;
  CHECK(story_of(scenario) == Lines{"0s started", "2s stalled"});
  scenario.fleet[0].behaviour.ready_after = Fixed{25s};
  CHECK(story_of(scenario).at(2) == "24s stopping start_timeout");
}

TEST_CASE("a watchdog gives a run as much time more as the supervisor stood still") {
  auto scenario = scenario_of({}, {{.at = 3s, .what = HangWindow{}}, stall(4s, 5s)}, 20s);
  scenario.fleet[0].policy.watchdog = 10s;
  CHECK(story_of(scenario).back() == "15s stopping watchdog");  // its latest sign of life was that it began
  scenario.chaos.pop_back();
  CHECK(story_of(scenario).back() == "10s stopping watchdog");
}

TEST_CASE("commands and a shutdown reach the supervisor when it wakes") {
  auto scenario = scenario_of({.on_stop = Ignores{}}, {stall(10s, 10s), {.at = 12s, .what = Shutdown{}}}, 2min);
  scenario.supervisor.shutdown_timeout = 30s;
  CHECK(story_of(scenario) == Lines{"0s started", "10s stalled", "20s stopping shutdown", "50s abandoned"});
  scenario.chaos.push_back(stall(40s, 3s));
  CHECK(story_of(scenario).back() == "53s abandoned");
  CHECK(story_of(scenario_of({}, {stall(10s, 10s), {.at = 12s, .what = OperatorCommand{}}}, 21s)) ==
        Lines{"0s started", "10s stalled", "20s stopping restart", "20s ended clean", "20s started"});
}

TEST_CASE("a rolling restart goes on when the supervisor has woken") {
  auto scenario = scenario_of({}, {stall(10s, 10s)}, 1min);
  scenario.fleet[0].count = 2;
  scenario.chaos.push_back(
      {.at = 12s, .what = OperatorCommand{.what = Command::restart, .batches = Rolling{.size = 1, .gap = 3s}}});
  CHECK(story_of(scenario, "s-0").back() == "20s started");
  CHECK(story_of(scenario, "s-1").back() == "23s started");
}

TEST_CASE("restarts that a limit holds back wait for the supervisor as well") {
  auto scenario = scenario_of({.runs_for = Fixed{10s}}, {stall(11s, 4s)}, 19s);
  scenario.fleet[0].count = 3;
  scenario.supervisor.restart_limit = RestartLimit{.every = 2s, .burst = 1};
  CHECK(rehearse(scenario).all_held());
  CHECK(story_of(scenario, "s-0").at(2) == "10s started");
  CHECK(story_of(scenario, "s-1").back() == "15s started");  // the token of 12s
  CHECK(story_of(scenario, "s-2").back() == "17s started");
}

TEST_CASE("a timer that is late fires so much later") {
  auto scenario = scenario_of({.runs_for = Fixed{10s}}, {{.at = 0s, .what = LateTimers{.by = 3s, .length = 20s}}}, 34s);
  scenario.supervisor.backoff = waits(5s);
  CHECK(story_of(scenario) ==
        Lines{"0s started", "10s ended failed", "15s late", "18s started", "28s ended failed", "33s started"});
  auto stopped = stopped_at_10s(12s, {{.at = 0s, .what = LateTimers{.by = 5s}}});
  CHECK(story_of(stopped).back() == "22s cancelled");  // its grace was over at 18s, and looked at at 23s
  stopped.chaos[0].what = LateTimers{.by = 3s};
  CHECK(story_of(stopped).back() == "21s abandoned");
}

TEST_CASE("each timer is late by a draw of its own, and a second entry or service changes none of them") {
  const Exponential law{4s};
  auto scenario = scenario_of({.runs_for = Fixed{10s}}, {{.at = 0s, .what = LateTimers{.by = law}}}, 200s);
  scenario.fleet[0].count = 2;
  scenario.supervisor.backoff = waits(5s);
  const auto of_first = story_of(scenario, "s-0");
  TimePoint at;
  Lines right{"0s started"};
  for (;;) {
    const TimePoint failed = at + 10s;
    const TimePoint due = failed + 5s;
    const DrawKey key{scenario.seed, name_hash("s-0"), {}, 0};
    at = due + sample(law, draw(key, Purpose::target_delay,
                                (std::uint64_t{1} << 63) | static_cast<std::uint64_t>(due.nanoseconds)));
    if (failed > TimePoint{} + 200s) break;
    right.push_back(to_string(failed) + " ended failed");
    if (due > TimePoint{} + 200s) break;
    right.push_back(to_string(due) + " late");
    if (at > TimePoint{} + 200s) break;
    right.push_back(to_string(at) + " started");
  }
  CHECK(of_first == right);
  CHECK(of_first.size() > 20);
  scenario.fleet[0].count = 5;
  scenario.chaos.push_back({.at = 180s, .what = Storm{{.of = {"s-3"}}}});
  CHECK(story_of(scenario, "s-0") == right);
}

TEST_CASE("the queue of a limit is late, with all who wait in it") {
  // All fail at 10 s and are due at 11 s, with one token; the next are of 13 s and 15 s, and the timer for them is
  // late.
  auto scenario = scenario_of({.runs_for = Fixed{10s}}, {{.at = 12s, .what = LateTimers{.by = 3s, .length = 8s}}}, 20s);
  scenario.fleet[0].count = 4;
  scenario.supervisor.backoff = waits(1s);
  scenario.supervisor.restart_limit = RestartLimit{.every = 2s, .burst = 1};
  CHECK(rehearse(scenario).all_held());
  CHECK(story_of(scenario, "s-0").at(2) == "11s started");
  CHECK(story_of(scenario, "s-1") == Lines{"0s started", "10s ended failed", "13s late", "16s started"});
  CHECK(story_of(scenario, "s-2").at(2) == "18s late");  // the token after that of 16 s
  scenario.supervisor.restart_limit->burst = 2;
  // Two started at 11 s. The third is due at 13 s and late to 16 s, when there is a token for the fourth as well: one
  // of 15 s.
  CHECK(story_of(scenario, "s-2") == Lines{"0s started", "10s ended failed", "13s late", "16s started"});
  CHECK(story_of(scenario, "s-3") == Lines{"0s started", "10s ended failed", "16s started"});
  CHECK(rehearse(scenario).all_held());
}

TEST_CASE("who is stopped while the queue of a limit is late starts no more, and the next one does") {
  auto scenario = scenario_of({.runs_for = Fixed{10s}}, {{.at = 12s, .what = LateTimers{.by = 3s, .length = 8s}}}, 20s);
  scenario.fleet[0].count = 3;
  scenario.supervisor.backoff = waits(1s);
  scenario.supervisor.restart_limit = RestartLimit{.every = 2s, .burst = 1};
  scenario.chaos.push_back({.at = 14s, .what = OperatorCommand{{.of = {"s-1"}}, Command::stop}});
  CHECK(story_of(scenario, "s-1").back() == "14s cancelled");
  CHECK(story_of(scenario, "s-2").at(2) == "16s started");
  CHECK(rehearse(scenario).all_held());
}

TEST_CASE("the deadline of a drain is late, and what ends meanwhile is in time") {
  auto scenario = scenario_of({.on_stop = Takes{Fixed{12s}}}, {{.at = 9s, .what = Shutdown{}}}, 1min);
  scenario.supervisor = {.shutdown_timeout = 10s, .stop_grace = 1h};
  CHECK(story_of(scenario).back() == "19s abandoned");
  scenario.chaos.push_back({.at = 15s, .what = LateTimers{.by = 2s}});  // over at 21 s, when the run ends
  CHECK(story_of(scenario) ==
        Lines{"0s started", "9s stopping shutdown", "19s drain_late", "21s ended clean", "21s cancelled"});
  CHECK(rehearse(scenario).all_held());
  scenario.chaos[1].what = LateTimers{.by = 1s};
  CHECK(story_of(scenario) == Lines{"0s started", "9s stopping shutdown", "19s drain_late", "20s abandoned"});
  CHECK(rehearse(scenario).all_held());
  scenario.chaos.push_back(stall(16s, 5s));  // so much later, and late then
  CHECK(story_of(scenario).back() == "21s cancelled");
  scenario.chaos.back() = stall(17s, 1s);
  scenario.fleet[0].behaviour.on_stop = Ignores{};
  CHECK(story_of(scenario) ==
        Lines{"0s started", "9s stopping shutdown", "17s stalled", "20s drain_late", "21s abandoned"});
  CHECK(rehearse(scenario).all_held());
}

TEST_CASE("a drain whose deadline comes while the supervisor stands still is over when that goes on") {
  // The second stall follows the first one within a second and is no longer, so it gives nobody more time.
  auto scenario = scenario_of({.on_stop = Ignores{}},
                              {stall(9s, 1s), {.at = 10500ms, .what = Shutdown{}}, stall(10900ms, 1s)}, 1min);
  scenario.supervisor = {.shutdown_timeout = 500ms, .stop_grace = 1h};
  CHECK(story_of(scenario) ==
        Lines{"0s started", "9s stalled", "10s500ms stopping shutdown", "10s900ms stalled", "11s900ms abandoned"});
  CHECK(rehearse(scenario).all_held());
}

TEST_CASE("the deadline of a drain is late for those who have not terminated") {
  auto scenario = scenario_of({.on_stop = Takes{Fixed{12s}}}, {{.at = 9s, .what = Shutdown{}}}, 1min);
  scenario.fleet.push_back({.name = "quick"});
  scenario.supervisor = {.shutdown_timeout = 10s, .stop_grace = 1h};
  scenario.chaos.push_back({.at = 15s, .what = LateTimers{.by = 1s}});
  CHECK(story_of(scenario).at(2) == "19s drain_late");
  CHECK(story_of(scenario, "quick") == Lines{"0s started", "9s stopping shutdown", "9s ended clean", "9s cancelled"});
}

TEST_CASE("who is added while the supervisor stands still is there when it goes on, also if that takes longer") {
  auto scenario =
      scenario_of({}, {stall(10s, 10s), {.at = 12s, .what = Joining{}}, stall(15s, 20s), stall(25s, 20s)}, 1min);
  scenario.fleet.push_back({.name = "web", .joins = Joins::later});
  CHECK(story_of(scenario, "web") == Lines{"45s started"});
}

TEST_CASE("the checks notice a drain that is over before its late deadline, or long after it") {
  const auto held_after = [](Duration abandoned) {
    Checks checks;
    auto scenario = scenario_of({.on_stop = Ignores{}}, {{.at = 9s, .what = Shutdown{}}}, 1min);
    scenario.supervisor = {.shutdown_timeout = 10s + abandoned, .stop_grace = 1h};
    EventLog log;
    Simulation sim{scenario, {&log}};
    sim.run_to_end();
    const auto late_at = TimePoint{} + 19s;
    bool told = false;
    for (auto event : log.events()) {
      if (!told && event.at >= late_at) {
        told = true;
        checks.on_chaos({.at = late_at,
                         .service = log.events().front().service,
                         .name = "s",
                         .kind = Kind::drain_late,
                         .until = late_at + 2s});
      }
      if (auto* const asked = std::get_if<event::ShutdownRequested>(&event.what)) asked->timeout = 10s;
      checks.on_event(event);
    }
    checks.finish(sim.end());
    return checks.held();
  };
  CHECK(held_after(2s));
  CHECK_FALSE(held_after(1s));
  CHECK_FALSE(held_after(3s));
}

TEST_CASE("a supervisor that may be late and is not does what any other does") {
  Scenario scenario = scenario_of({.runs_for = Exponential{10s}, .on_stop = Takes{Exponential{2s}}}, {}, 1h);
  scenario.supervisor = {.backoff = {.breaker = std::nullopt}, .stop_grace = 3s};
  scenario.supervisor.restart_limit = RestartLimit{.every = 500ms, .burst = 3};
  scenario.fleet[0].count = 50;
  scenario.fleet[0].policy.watchdog = 5s;
  scenario.chaos = {{.at = 10s,
                     .what = HangWindow{.target = {.share = Target::kWhole / 2}, .length = Exponential{9s}},
                     .every = Exponential{1min}},
                    {.at = 50s, .what = OperatorCommand{.what = Command::restart}, .every = Exponential{3min}}};
  const std::string digest = rehearse(scenario).digest;
  scenario.chaos.push_back(stall(2h, 10s));
  scenario.chaos.push_back({.at = 2h, .what = LateTimers{.by = 10s}});
  CHECK(rehearse(scenario).digest == digest);
  scenario.chaos[3].at = 30min;
  CHECK(rehearse(scenario).digest != digest);
}

TEST_CASE("every rule holds, however late the supervisor is") {
  Scenario scenario = scenario_of({.runs_for = Exponential{40s}, .then = Then::fail}, {}, 20min);
  scenario.supervisor = {.shutdown_timeout = 20s, .stop_grace = 3s, .starting_max = 30};
  scenario.supervisor.backoff.breaker = BreakerPolicy{.max_failures = 3, .half_open = HalfOpenPolicy{.open_for = 5s}};
  scenario.supervisor.restart_limit = RestartLimit{.every = 200ms, .burst = 5};
  const Behaviour slow{.runs_for = Weibull{},
                       .on_stop = Takes{Exponential{2s}},
                       .on_kill = Takes{Exponential{1s}},
                       .ready_after = Exponential{3s}};
  scenario.fleet = {{.name = "a", .count = 20, .behaviour = scenario.fleet[0].behaviour},
                    {.name = "b", .count = 20, .behaviour = slow},
                    {.name = "c", .count = 20, .behaviour = slow}};
  scenario.fleet[0].policy.watchdog = 4s;
  scenario.fleet[1].policy = {.ready = Ready::notified, .start_timeout = 5s, .watchdog = 6s};
  scenario.fleet[1].behaviour.runs_for = Exponential{1min};
  scenario.fleet[2].policy = {.restart = RestartPolicy::always, .ready = Ready::notified, .start_timeout = 8s};
  scenario.fleet[2].behaviour.runs_for = Exponential{30s};
  scenario.fleet[2].policy.order.after = NameList{{"b"}};
  scenario.fleet[2].policy.order.on_dependency = OnDependency::wait;
  const Target half{.share = Target::kWhole / 2};
  scenario.chaos = {
      {.at = 10s, .what = Stall{Exponential{5s}}, .every = Exponential{20s}},
      {.at = 15s, .what = Stall{Exponential{300ms}}, .every = Exponential{3s}},
      {.at = 2min, .what = LateTimers{.by = Exponential{2s}, .length = Exponential{1min}}, .every = Exponential{2min}},
      {.at = 5s, .what = HangWindow{.target = half, .length = Exponential{9s}}, .every = Exponential{1min}},
      {.at = 7s, .what = Outage{.target = half, .length = Exponential{9s}}, .every = Exponential{1min}},
      {.at = 9s, .what = OperatorCommand{.target = half, .what = Command::restart}, .every = Exponential{2min}},
      {.at = 11s, .what = OperatorCommand{.target = half, .what = Command::reset}, .every = Exponential{2min}},
      {.at = 18min, .what = Shutdown{}}};
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    scenario.order = seed % 2 == 0 ? InstantOrder::random : InstantOrder::fifo;
    const auto result = rehearse(scenario, {.seed = Seed{seed}});
    INFO("seed " << seed);
    for (const auto& violation : result.violations) {
      UNSCOPED_INFO(violation.service << ' ' << to_string(violation.at) << ' ' << violation.says);
    }
    for (const auto& one : result.expectations) {
      if (!one.held) UNSCOPED_INFO(one.what << ": " << one.found);
    }
    CHECK(result.all_held());
  }
}

}  // namespace holdfast::simulation_test
