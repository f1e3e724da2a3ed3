// What a scenario expects of itself, checked on histories written by hand.

#include <catch2/catch.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <holdfast_sim/checks/expectations.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::sim::expectations_test {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kForEver = TimePoint::max();

// Shows a history to the checks of one scenario. It holds only the events that expectations look at.
class History {
 public:
  explicit History(const Expectations& expect, std::vector<FleetGroup> fleet = {})
      : checks(Scenario{.heal_at = 6s, .fleet = std::move(fleet), .expect = expect}) {}

  History& at(Duration time) {
    now_ = TimePoint{} + time;
    return *this;
  }
  History& of(const std::string& name) {
    name_ = name;
    return *this;
  }
  History& added(const std::string& name) {
    name_ = name;
    const auto [known, is_new] = ids_.try_emplace(name, ServiceId{static_cast<std::uint32_t>(ids_.size()), 0});
    ++known->second.generation;
    return tell(event::Added{&policy_, {}});
  }
  History& up(const std::string& name) { return added(name).started(); }
  History& begun() { return tell(event::Started{}); }
  History& ready() { return tell(event::Running{}); }
  History& out_of_time() { return tell(event::Stopping{StopCause::start_timeout}); }
  History& started() { return tell(event::Started{}).tell(event::Running{}); }
  History& failed() { return tell(event::Ended{Outcome::failed, 0ns, "boom"}); }
  History& exited() { return tell(event::Ended{Outcome::clean, 0ns, {}}); }
  History& backs_off() { return tell(event::BackingOff{BackoffCause::failure, 1, 1s, 1s}); }
  History& tripped() { return tell(event::BreakerTripped{3, 3}).terminated(Termination::Reason::circuit_open); }
  History& commanded(Command command) { return tell(event::Commanded{command}); }
  History& stopping() { return tell(event::Stopping{StopCause::shutdown}); }
  History& terminated(Termination::Reason reason) { return tell(event::Terminated{{reason}, {}}); }
  History& completed() { return exited().terminated(Termination::Reason::completed); }
  History& removed() { return tell(event::Removed{}); }
  History& forgotten() { return tell(event::Removed{.forgotten = true}); }
  History& drained(DrainOutcome outcome = DrainOutcome::drained) {
    checks.on_event({.at = now_, .n = 1, .what = event::Drained{outcome}});
    return *this;
  }
  History& hit(ChaosEvent::Kind kind, TimePoint until) {
    checks.on_chaos({.at = now_, .service = ids_.at(name_), .name = name_, .kind = kind, .until = until});
    return *this;
  }
  History& killed() { return tell(event::Killed{}); }
  History& storm() { return hit(ChaosEvent::Kind::storm, now_); }

  // The only result, as text.
  std::string finish() {
    checks.finish({.at = now_});
    REQUIRE(checks.results().size() == 1);
    const auto& result = checks.results().front();
    CHECK(result.held == checks.held());
    return (result.held ? "held at " : "not held at ") + holdfast::to_string(result.at) + "; " + to_string(result);
  }

  ExpectationChecks checks;

 private:
  History& tell(const Event::What& what) {
    checks.on_event({.at = now_, .service = ids_.at(name_), .name = name_, .what = what});
    return *this;
  }

  const ServicePolicy policy_{.backoff = BackoffPolicy{}};
  TimePoint now_;
  std::string name_;
  std::map<std::string, ServiceId> ids_;
};

Expectations of_fleet(const ExpectedCounts& counts) { return {.fleet = counts}; }
Expectations of_group(const std::string& name, const ExpectedCounts& counts) { return {.groups = {{name, counts}}}; }

// ---------------------------------------------------------------------------------------------------------------------
// Counts
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a scenario that expects nothing has no results and holds") {
  History history{{}};
  history.up("a").at(1s).completed();
  CHECK(history.checks.results().empty());
  history.checks.finish({.at = TimePoint{} + 1s});
  CHECK(history.checks.results().empty());
  CHECK(history.checks.held());
}

TEST_CASE("every count is compared at the end, fleet first, then group by group") {
  const CountRange one{1, 1};
  const ExpectedCounts all{.spawned = CountRange{5, 5},
                           .starts = CountRange{7, 7},
                           .restarts = CountRange{2, 2},
                           .failures = CountRange{4, 4},
                           .failed_starts = one,
                           .clean_exits = one,
                           .circuit_breaker_trips = one,
                           .killed_runs = one,
                           .terminated = CountRange{5, 5},
                           .completed = one,
                           .cancelled = one,
                           .circuit_open = one,
                           .failed = one,
                           .abandoned = one};
  History history{{.fleet = all, .groups = {{"trips", {.starts = CountRange{3, 3}}}}}};
  history.up("completes").completed().up("stops").stopping().failed().terminated(Termination::Reason::cancelled);
  history.up("trips").failed().backs_off().started().failed().backs_off().started().failed().tripped();
  history.added("fails").begun().failed().terminated(Termination::Reason::failed);
  history.up("hangs").stopping().killed().terminated(Termination::Reason::abandoned);
  history.checks.finish({.at = TimePoint{} + 1s});
  std::vector<std::string> lines;
  for (const auto& result : history.checks.results()) lines.push_back(to_string(result));
  CHECK(lines == std::vector<std::string>{"spawned: expected 5, found 5", "starts: expected 7, found 7",
                                          "restarts: expected 2, found 2", "failures: expected 4, found 4",
                                          "failed_starts: expected 1, found 1", "clean_exits: expected 1, found 1",
                                          "circuit_breaker_trips: expected 1, found 1",
                                          "killed_runs: expected 1, found 1", "terminated: expected 5, found 5",
                                          "completed: expected 1, found 1", "cancelled: expected 1, found 1",
                                          "circuit_open: expected 1, found 1", "failed: expected 1, found 1",
                                          "abandoned: expected 1, found 1", "trips.starts: expected 3, found 3"});
  CHECK(history.checks.held());
}

// One history in which every count is 2, and one expectation after the other that is not so.
TEST_CASE("every key of expect is violated by a history with fewer or with more than it allows") {
  const auto tell = [](History& history) {
    for (const std::string n : {"1", "2"}) {
      history.up("completes" + n).completed().up("trips" + n).failed().backs_off().started().failed().tripped();
      history.up("stops" + n).stopping().exited().terminated(Termination::Reason::cancelled);
      history.added("fails" + n).begun().failed().terminated(Termination::Reason::failed);
      history.up("hangs" + n).stopping().killed().terminated(Termination::Reason::abandoned);
    }
  };
  for (const auto& count : kExpectedCounts) {
    CAPTURE(count.name);
    std::uint64_t found = 0;
    while (true) {
      Expectations exactly;
      exactly.fleet.*count.member = CountRange{found, found};
      History history{exactly};
      tell(history);
      history.finish();
      if (history.checks.held()) break;
      REQUIRE(++found < 100);
    }
    CHECK(found > 0);
    for (const auto wrong : {CountRange{0, found - 1}, CountRange{found + 1, found + 9}}) {
      Expectations expect;
      expect.fleet.*count.member = wrong;
      History history{expect};
      tell(history);
      CHECK(history.finish().find(std::string{count.name} + ": expected ") != std::string::npos);
      CHECK_FALSE(history.checks.held());
    }
  }
  const std::vector<Expectations> others{{.all_running_by = 10s},
                                         {.after_heal_within = 4s},
                                         {.all_terminated_by = 10s},
                                         {.drained_by = 10s},
                                         {.abandoned_services = std::vector<std::string>{"a"}}};
  for (const auto& expect : others) {
    History history{expect};
    history.up("a").at(5s).storm().failed().backs_off().at(11s);
    CAPTURE(history.finish());
    CHECK_FALSE(history.checks.held());
  }
  // A new key does not compile here, so that its author adds a history above.
  const auto& [fleet, figures, groups, all_running_by, after_heal_within, all_terminated_by, drained_by,
               abandoned_services, properties] = Expectations{};
  static_cast<void>(std::tie(fleet, figures, groups, all_running_by, after_heal_within, all_terminated_by, drained_by,
                             abandoned_services, properties));
  // Counts of the fleet and of groups above, figures in figure_expectations_test, properties below.
  CHECK(others.size() == 9 - 4);
}

// ---------------------------------------------------------------------------------------------------------------------
// Properties: what each count of a condition counts. properties_test has what is made of them.
// ---------------------------------------------------------------------------------------------------------------------

namespace {

// Eventually exactly one service of "s" is counted so, and held.
std::string once(std::optional<CountRange> ConditionCounts::*count, const std::function<void(History&)>& tell) {
  Condition condition{.of = "s"};
  condition.counts.*count = CountRange{1, 1};
  condition.window = 3s;
  History history{{.properties = {{.name = "p", .what = Eventually{condition}, .in_drain = InDrain{}}}},
                  {{.name = "s", .count = 3}}};
  tell(history.at(1s).up("s-0").up("s-1").up("other").at(2s).of("s-1"));
  return history.at(9s).finish().substr(0, 12);
}

}  // namespace

TEST_CASE("a condition counts the services of its group in a state, and what has happened to them lately") {
  using Counts = ConditionCounts;
  const std::string held = "held at 2s; ";
  CHECK(once(&Counts::starting, [](History& h) { h.failed().begun(); }) == held);
  CHECK(once(&Counts::running, [](History& h) { h.failed().backs_off(); }) == held);
  CHECK(once(&Counts::running, [](History& h) { h.hit(ChaosEvent::Kind::run_hang, kForEver); }) == held);
  CHECK(once(&Counts::running, [](History& h) { h.hit(ChaosEvent::Kind::waits, kForEver); }) == held);
  CHECK(once(&Counts::hung, [](History& h) { h.hit(ChaosEvent::Kind::run_hang, kForEver); }) == held);
  CHECK(once(&Counts::backing_off, [](History& h) { h.failed().backs_off(); }) == held);
  CHECK(once(&Counts::stopping, [](History& h) { h.stopping(); }) == held);
  CHECK(once(&Counts::terminated, [](History& h) { h.completed(); }) == held);
  CHECK(once(&Counts::lost, [](History& h) { h.failed().tripped(); }) == held);
  CHECK(once(&Counts::lost, [](History& h) { h.completed(); }).starts_with("not held"));
  CHECK(once(&Counts::starts, [](History& h) { h.at(4s + 1ns).of("s-0").failed().started(); }) == "held at 4s1n");
  CHECK(once(&Counts::restarts, [](History& h) { h.failed().started(); }) == held);
  CHECK(once(&Counts::failures, [](History& h) { h.failed().backs_off(); }) == held);
  // A service that is removed counts nowhere.
  CHECK(once(&Counts::running, [](History& h) { h.completed().removed(); }) == held);
  CHECK(once(&Counts::terminated, [](History& h) { h.completed().removed(); }).starts_with("not held"));
  CHECK(once(&Counts::lost, [](History& h) { h.failed().tripped().removed(); }).starts_with("not held"));
  // One that its policy has forgotten is missed if it was lost.
  CHECK(once(&Counts::lost, [](History& h) { h.failed().tripped().forgotten(); }) == held);
  CHECK(once(&Counts::lost, [](History& h) { h.failed().tripped().forgotten().up("s-1"); }).starts_with("not held"));
  CHECK(once(&Counts::terminated, [](History& h) { h.completed().forgotten(); }).starts_with("not held"));
}

TEST_CASE("a missed property names the services of its group, and ends with the request for a shutdown") {
  const Condition all{.of = "s", .counts = {.running = CountRange{2, UINT64_MAX}}};
  History history{{.properties = {{.name = "quorum", .what = Always{all}, .from = 1s}}}, {{.name = "s", .count = 3}}};
  history.at(0s).up("s-0").up("s-1").up("s-2").up("other").at(2s).of("s-2").failed().backs_off();
  history.of("other").failed().backs_off().at(3s).of("s-1").failed().backs_off().at(9s);
  CHECK(history.finish() ==
        "not held at 3s; property.quorum: expected always s: running at least 2, from 1s, found s: running 1 at 3s "
        "(s-1, s-2)");
}

namespace {

RehearsalResult rehearsed_with(std::vector<ChaosEntry> chaos) {
  return rehearse({.name = "x", .duration = 1min, .fleet = {{.name = "a"}}, .chaos = std::move(chaos)});
}

}  // namespace

TEST_CASE("an entry that is required says whether it has reached a service") {
  const Target nobody{.share = 0};
  const auto result = rehearsed_with(
      {{.at = 5s, .what = Storm{}, .required = Required{}}, {.at = 5s, .what = Storm{nobody}, .required = Required{}}});
  REQUIRE(result.expectations.size() == 3);
  CHECK(result.all_held());
  CHECK(result.expectations[0].what == "chaos[0]");
  CHECK(result.expectations[0].seen == true);
  CHECK(result.expectations[0].found == "at 5s");
  CHECK(result.expectations[1].what == "chaos[1]");
  CHECK(result.expectations[1].seen == false);
  CHECK(result.expectations[1].found == "nobody was reached");
  CHECK(result.verdict_warnings.empty());
}

TEST_CASE("an entry that has reached no service is reported") {
  const auto result = rehearsed_with({{.at = 5s, .what = Storm{}},
                                      {.at = 7s, .what = Storm{{.share = 0}}},
                                      {.at = 2min, .what = Outage{}},
                                      {.at = 8s, .what = Shutdown{}}});
  CHECK(result.verdict_warnings ==
        std::vector<std::string>{"chaos[1] (storm at 7s), chaos[2] (outage at 2min) reached no service, so nothing was "
                                 "tried by it"});
}

TEST_CASE("a range includes both its ends") {
  for (const auto& [count, held] : {std::pair{1, false}, std::pair{2, true}, std::pair{3, true}, std::pair{4, false}}) {
    CAPTURE(count);
    History history{of_fleet({.spawned = CountRange{2, 3}})};
    for (int i = 0; i < count; ++i) history.up("s" + std::to_string(i));
    history.finish();
    CHECK(history.checks.held() == held);
  }
}

TEST_CASE("too many are proved by those that count, and by the time at which the first one too many came") {
  History history{of_fleet({.terminated = CountRange{0, 1}})};
  history.up("a").up("b").up("c").at(1s).of("b").completed().at(2s).of("c").completed().at(3s).of("a").completed();
  CHECK(history.finish() == "not held at 2s; terminated: expected at most 1, found 3 (a, b, c)");
}

TEST_CASE("too few are proved by those that do not count") {
  History history{of_fleet({.circuit_open = CountRange{2, 2}})};
  history.up("a").up("b").failed().tripped().at(5s);
  CHECK(history.finish() == "not held at 5s; circuit_open: expected 2, found 1 (a)");
}

TEST_CASE("ten services are named, and how many more there are") {
  History history{of_fleet({.terminated = CountRange{0, 0}})};
  for (int i = 0; i < 13; ++i) history.up("s" + std::to_string(i)).completed();
  CHECK(history.finish() ==
        "not held at 0s; terminated: expected 0, found 13 (s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 3 more)");
}

TEST_CASE("a name means the services of a group, or one service") {
  const std::vector<FleetGroup> fleet{{.name = "feed", .count = 12}, {.name = "feed-x"}, {.name = "lonely"}};
  const auto spawned = [&](const std::string& name) {
    History history{of_group(name, {.spawned = CountRange{0, 99}}), fleet};
    for (const auto* const service : {"feed-0", "feed-11", "feed-12", "feed-011", "feed-x", "feed-", "feed", "lonely",
                                      "lonely-0", "feed-99999999999"}) {
      history.added(service);
    }
    history.finish();
    return history.checks.results().front().found;
  };
  CHECK(spawned("feed") == "2");
  CHECK(spawned("feed-0") == "1");
  CHECK(spawned("feed-x") == "1");
  CHECK(spawned("lonely") == "1");
  CHECK(spawned("unheard_of") == "0");
}

TEST_CASE("a service may count for its group and for itself") {
  History history{{.groups = {{"feed", {.starts = CountRange{2, 2}}}, {"feed-1", {.starts = CountRange{1, 1}}}}},
                  {{.name = "feed", .count = 2}}};
  history.up("feed-0").up("feed-1");
  history.checks.finish({});
  CHECK(history.checks.held());
}

TEST_CASE("a restart in place takes a termination reason back, a removal does not") {
  History revived{of_fleet({.completed = CountRange{0, 0}})};
  revived.up("a").completed().at(1s).commanded(Command::restart).removed().up("a");
  CHECK(revived.finish() == "held at 1s; completed: expected 0, found 0");
  History counted_as_terminated{of_fleet({.terminated = CountRange{1, 1}})};
  counted_as_terminated.up("a").completed().at(1s).commanded(Command::restart).removed().up("a");
  CHECK(counted_as_terminated.finish() == "held at 1s; terminated: expected 1, found 1");
  History removed{of_fleet({.completed = CountRange{1, 1}})};
  removed.up("a").completed().at(1s).commanded(Command::remove).removed().up("a");
  CHECK(removed.finish() == "held at 1s; completed: expected 1, found 1");
}

// ---------------------------------------------------------------------------------------------------------------------
// Limits of time
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("all run at once from the first instant on, if nothing disturbs them") {
  History history{{.all_running_by = 10s}};
  history.up("a").up("b").at(20s);
  CHECK(history.finish() == "held at 0s; all_running_by: expected 10s, found at 0s");
}

TEST_CASE("all run again after a storm, at the instant at which the last of them is up") {
  History history{{.all_running_by = 10s}};
  history.up("a").up("b").at(5s).of("a").storm().of("b").storm().of("a").failed().backs_off().of("b").failed();
  history.backs_off().at(6s).started().at(7s).of("a").started().at(20s);
  CHECK(history.finish() == "held at 7s; all_running_by: expected 10s, found at 7s");
}

TEST_CASE("services that were not running at the limit are named") {
  History history{{.all_running_by = 10s}};
  history.up("a").up("b").up("c").at(5s).of("a").storm().failed().backs_off().of("c").storm().failed().tripped();
  history.of("b").at(10s).failed().backs_off().at(11s).started().of("a").started().at(20s);
  CHECK(history.finish() ==
        "not held at 10s; all_running_by: expected 10s, found 3 of 3 services were not running at 10s (a, b, c)");
}

TEST_CASE("an instant in which a service is up only for a moment does not count") {
  History history{{.all_running_by = 10s}};
  history.up("a").failed().backs_off().at(1s).started().failed().backs_off().at(2s).started().failed().tripped();
  CHECK(history.finish() ==
        "not held at 2s; all_running_by: expected 10s, found 1 of 1 services were not running at 2s (a)");
}

TEST_CASE("the limit itself is early enough, a nanosecond later is not") {
  History in_time{{.all_running_by = 10s}};
  in_time.added("a").at(10s).started().at(11s);
  CHECK(in_time.finish() == "held at 10s; all_running_by: expected 10s, found at 10s");
  History late{{.all_running_by = 10s}};
  late.added("a").at(10s + 1ns).started().at(11s);
  CHECK(late.finish() ==
        "not held at 10s; all_running_by: expected 10s, found 1 of 1 services were not running at 10s (a)");
}

TEST_CASE("a disturbance lasts until its end, also when its services run meanwhile") {
  History history{{.all_running_by = 10s}};
  history.up("a").at(1s).hit(ChaosEvent::Kind::hang, TimePoint{} + 8s).at(20s);
  CHECK(history.finish() == "held at 8s; all_running_by: expected 10s, found at 8s");
  History outlasts{{.all_running_by = 10s}};
  outlasts.up("a").at(1s).hit(ChaosEvent::Kind::outage, TimePoint{} + 11s).at(20s);
  CHECK(outlasts.finish() == "not held at 10s; all_running_by: expected 10s, found a disturbance that lasts until 11s");
  History never_ends{{.all_running_by = 10s}};
  never_ends.up("a").at(10s).hit(ChaosEvent::Kind::hang, kForEver).at(20s);
  CHECK(never_ends.finish() == "not held at 10s; all_running_by: expected 10s, found a disturbance that never ends");
}

TEST_CASE("a service whose run hangs by itself does not run, until another run begins") {
  Scenario scenario{.name = "test", .duration = 1min};
  scenario.fleet.push_back({.name = "a"});
  scenario.fleet.push_back({.name = "b",
                            .policy = {.stop_grace = 1s},
                            .behaviour = {.runs_for = Fixed{10s}, .then = Then::hang, .on_kill = Obeys{}}});
  scenario.chaos.push_back({.at = 30s, .what = Storm{.target = {.of = {"a"}}}});  // from then on they have to run again
  scenario.expect.all_running_by = 50s;
  const auto judged = [&scenario](bool restarted) {
    ExpectationChecks checks{scenario};
    Simulation simulation{scenario, {&checks}};
    if (restarted) {
      simulation.run_until(TimePoint{} + 35s);
      CHECK(simulation.supervisor().restart("b"));
    }
    simulation.run_to_end();
    checks.finish(simulation.end());
    return checks.results().front();
  };
  CHECK_FALSE(judged(false).held);
  CHECK(judged(false).found == "1 of 2 services were not running at 50s");
  CHECK(judged(false).services == std::vector<std::string>{"b"});
  CHECK(judged(true).held);  // killed at 36 s, running again, and hanging again at 46 s
}

TEST_CASE("a disturbance that begins after the limit changes nothing") {
  History history{{.all_running_by = 10s}};
  history.up("a").at(10s + 1ns).hit(ChaosEvent::Kind::hang, kForEver).at(20s);
  CHECK(history.finish() == "held at 0s; all_running_by: expected 10s, found at 0s");
}

TEST_CASE("removed services need not run, terminated ones should") {
  History removed{{.all_running_by = 10s}};
  removed.up("a").up("b").at(1s).storm().completed().commanded(Command::remove).removed().at(10s);
  CHECK(removed.finish() == "held at 1s; all_running_by: expected 10s, found at 1s");
  History terminated{{.all_running_by = 10s}};
  terminated.up("a").added("b").completed().at(20s);
  CHECK(terminated.finish() ==
        "not held at 10s; all_running_by: expected 10s, found 1 of 2 services were not running at 10s (b)");
}

TEST_CASE("a lost service that its policy has forgotten should run, until one of its name is there again") {
  for (const Expectations& expect : {Expectations{.all_running_by = 10s}, Expectations{.after_heal_within = 4s}}) {
    History lost{expect};
    lost.up("a").up("b").at(1s).storm().failed().terminated(Termination::Reason::failed).forgotten().at(20s);
    CHECK(lost.finish().find("1 of 2 services were not running ") != std::string::npos);
    History done{expect};
    done.up("a").up("b").at(1s).storm().completed().forgotten().at(20s);
    CHECK(done.finish().starts_with("held at "));
    History again{expect};
    again.up("a").up("b").at(1s).failed().terminated(Termination::Reason::failed).forgotten().at(7s).up("b").at(20s);
    CHECK(again.finish().starts_with("held at 7s"));
  }
}

TEST_CASE("in a group without services no service runs") {
  History history{{.all_running_by = 10s}};
  history.at(20s);
  CHECK(history.finish() == "not held at 10s; all_running_by: expected 10s, found no service");
}

TEST_CASE("all have terminated by a limit") {
  History held{{.all_terminated_by = 10s}};
  held.up("a").up("b").at(3s).completed().of("a").at(10s).completed().at(20s);
  CHECK(held.finish() == "held at 10s; all_terminated_by: expected 10s, found at 10s");
  History late{{.all_terminated_by = 10s}};
  late.up("a").up("b").at(3s).completed().of("a").at(10s + 1ns).completed().at(20s);
  CHECK(late.finish() ==
        "not held at 10s; all_terminated_by: expected 10s, found 1 of 2 services had not terminated at 10s (a)");
  History revived{{.all_terminated_by = 10s}};
  revived.up("a").at(3s).completed().commanded(Command::restart).removed().up("a").at(11s).completed();
  CHECK(revived.finish() ==
        "not held at 10s; all_terminated_by: expected 10s, found 1 of 1 services had not terminated at 10s (a)");
}

TEST_CASE("the drain is over by a limit") {
  History held{{.drained_by = 10s}};
  held.up("a").stopping().at(10s).terminated(Termination::Reason::abandoned).drained(DrainOutcome::deadline);
  CHECK(held.finish() == "held at 10s; drained_by: expected 10s, found deadline at 10s");
  History late{{.drained_by = 10s}};
  late.up("a").stopping().at(11s).terminated(Termination::Reason::cancelled).drained();
  CHECK(late.finish() == "not held at 11s; drained_by: expected 10s, found drained at 11s");
  History never{{.drained_by = 10s}};
  never.up("a").stopping().at(12s);
  CHECK(never.finish() == "not held at 12s; drained_by: expected 10s, found no end of a drain (a)");
}

TEST_CASE("exactly the services that are named are abandoned, in any order") {
  const auto abandoned = [](const std::vector<std::string>& expected) {
    History history{{.abandoned_services = expected}};
    history.up("a").up("b").up("c").stopping().at(30s).terminated(Termination::Reason::abandoned).of("a").stopping();
    history.terminated(Termination::Reason::abandoned).of("b").completed().at(40s);
    return history.finish();
  };
  CHECK(abandoned({"c", "a"}) == "held at 30s; abandoned_services: expected a, c, found a, c");
  CHECK(abandoned({"a", "b"}) == "not held at 30s; abandoned_services: expected a, b, found a, c (b, c)");
  CHECK(abandoned({}) == "not held at 30s; abandoned_services: expected none, found a, c (a, c)");
  History nobody{{.abandoned_services = std::vector<std::string>{"a"}}};
  nobody.up("a").at(1s);
  CHECK(nobody.finish() == "not held at 1s; abandoned_services: expected a, found none (a)");
}

TEST_CASE("failed starts are the failures of runs that had not been ready, and of no run that was asked to stop") {
  const auto found = [](const std::function<void(History&)>& happen) {
    Expectations expect;
    expect.fleet.failed_starts = CountRange{1, 1};
    History history{expect};
    history.added("a").begun();
    happen(history);
    history.checks.finish({.at = TimePoint{} + 1h});
    return history.checks.results().front().found;
  };
  CHECK(found([](History& history) { history.failed(); }) == "1");
  CHECK(found([](History& history) { history.ready().failed(); }) == "0");
  CHECK(found([](History& history) { history.exited(); }) == "0");
  CHECK(found([](History& history) { history.stopping().failed(); }) == "0");
  CHECK(found([](History& history) { history.out_of_time().failed(); }) == "1");
  CHECK(found([](History& history) { history.ready().failed().begun().failed(); }) == "1");
}

TEST_CASE("results come in the order of the expectations") {
  const ExpectedCounts none{.starts = CountRange{0, 0}};
  History history{{.fleet = {.spawned = CountRange{1, 1}},
                   .groups = {{"a", {.starts = CountRange{1, 1}}}, {"d", none}, {"b", none}, {"e", none}, {"c", none}},
                   .all_running_by = 1s,
                   .all_terminated_by = 2s,
                   .drained_by = 2s,
                   .abandoned_services = std::vector<std::string>{}}};
  history.up("a").at(2s).completed().drained().at(3s);
  history.checks.finish({.at = TimePoint{} + 3s});
  std::vector<std::string> names;
  for (const auto& result : history.checks.results()) names.push_back(result.what);
  CHECK(names == std::vector<std::string>{"spawned", "a.starts", "d.starts", "b.starts", "e.starts", "c.starts",
                                          "all_running_by", "all_terminated_by", "drained_by", "abandoned_services"});
  CHECK(history.checks.held());
}

}  // namespace
}  // namespace holdfast::sim::expectations_test
