// What an end means: semantics 6.6, sentence by sentence.

#include "support.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include <holdfast/detail/restart.hpp>

namespace holdfast::test::supervisor_exit_rules_test {

namespace {

constexpr ExitRules kRules{.clean = {3, 143}, .failure = {0, 9}, .fatal = {78, 255}};

// The ends that were reported since the last call: "1 ended failed status 9: exit status 9".
class Ends final : public EventSink {
 public:
  Lines take() { return std::exchange(lines_, {}); }

 private:
  void on_event(const Event& event) override {
    if (const auto* const ended = std::get_if<event::Ended>(&event.what)) note(event, *ended);
    if (const auto* const late = std::get_if<event::EndedLate>(&event.what)) note(event, *late);
  }
  template <class End>
  void note(const Event& event, const End& end) {
    std::string line = std::to_string(event.run.value) + ' ' + std::string{End::kKind} + ' ';
    line += to_string(end.outcome);
    if (end.exit_status) line += " status " + std::to_string(*end.exit_status);
    lines_.push_back(line + (end.error.empty() ? "" : ": " + std::string{end.error}));
  }

  Lines lines_;
};

// A service a with rules.
struct Ruled {
  explicit Ruled(RestartPolicy restart = RestartPolicy::on_failure, const ExitRules& rules = kRules,
                 std::optional<Duration> stop_grace = std::nullopt) {
    supervisor.emplace(scheduler, config_of(kAtOnce), kSeed, ends);
    ServicePolicy policy{.restart = restart, .stop_grace = stop_grace};
    policy.exit_rules = rules;
    REQUIRE(supervisor->add({.name = "a", .policy = policy}, script));
    settle();
  }
  void settle() { scheduler.run_tasks(); }
  // What the supervisor reports of such an end of the present run, and what the service comes to.
  std::string after(Exit exit) {
    script.end(std::move(exit));
    settle();
    const auto snapshot = supervisor->snapshot("a").value();
    const auto lines = ends.take();
    return (lines.empty() ? "" : lines.back()) + ", " +
           (snapshot.termination ? to_string(*snapshot.termination, snapshot.last_error)
                                 : std::string{to_string(snapshot.phase)});
  }

  Ends ends;
  sim::VirtualScheduler scheduler;
  Script script;
  std::optional<Supervisor> supervisor;
};

std::string after(RestartPolicy restart, Exit exit) { return Ruled{restart}.after(std::move(exit)); }

BackoffPolicy counting_ends(std::uint32_t max_failures) {
  BackoffPolicy policy = at_once_with_breaker(max_failures);
  policy.clean_restart_delay = 1s;
  policy.breaker->counts = BreakerCounts::ends;
  return policy;
}

}  // namespace

TEST_CASE("an exit status that a rule names means what the rule says, whatever the run says of its end") {
  using enum RestartPolicy;
  CHECK(after(on_failure, Exit::failed("boom").with_status(3)) == "1 ended clean status 3, completed");
  CHECK(after(always, Exit::fatal("boom").with_status(143)) == "1 ended clean status 143, backing_off");
  CHECK(after(on_failure, Exit::clean().with_status(0)) == "1 ended failed status 0: exit status 0, backing_off");
  CHECK(after(on_failure, Exit::fatal("boom").with_status(9)) == "1 ended failed status 9: boom, backing_off");
  CHECK(after(always, Exit::failed("boom").with_status(78)) == "1 ended fatal status 78: boom, failed: boom");
  CHECK(after(always, Exit::clean().with_status(255)) ==
        "1 ended fatal status 255: exit status 255, failed: exit status 255");
}

TEST_CASE("an exit status without a rule changes nothing, nor does a rule change an end without a status") {
  using enum RestartPolicy;
  CHECK(after(on_failure, Exit::clean().with_status(4)) == "1 ended clean status 4, completed");
  CHECK(after(on_failure, Exit::failed("boom").with_status(4)) == "1 ended failed status 4: boom, backing_off");
  CHECK(after(on_failure, Exit::clean()) == "1 ended clean, completed");
  CHECK(after(on_failure, Exit::failed("boom")) == "1 ended failed: boom, backing_off");
  CHECK(Ruled{on_failure, {}}.after(Exit::failed("boom").with_status(3)) ==
        "1 ended failed status 3: boom, backing_off");
}

TEST_CASE("what a status means, for every kind of end and every kind of rule") {
  const auto meaning = [](Outcome said, std::uint8_t status) { return detail::meaning(kRules, said, status); };
  for (const auto said : {Outcome::clean, Outcome::failed, Outcome::threw, Outcome::fatal, Outcome::done}) {
    CAPTURE(to_string(said));
    const bool is_done = said == Outcome::done;
    CHECK(meaning(said, 3) == (is_done ? Outcome::done : Outcome::clean));
    CHECK(meaning(said, 78) == (is_done ? Outcome::done : Outcome::fatal));
    CHECK(meaning(said, 9) == (is_done || said == Outcome::threw ? said : Outcome::failed));
    CHECK(meaning(said, 4) == said);
  }
}

TEST_CASE("a run that is done completes its service under any policy, whatever its status means") {
  for (const auto restart : {RestartPolicy::always, RestartPolicy::on_failure, RestartPolicy::never}) {
    CHECK(after(restart, Exit::done()) == "1 ended done, completed");
    CHECK(after(restart, Exit::done().with_status(78)) == "1 ended done status 78, completed");
  }
  Fleet fleet;
  auto& a = fleet.add("a", RestartPolicy::always);
  a.end(Exit::done());
  fleet.settle();
  CHECK(fleet->counters().clean_exits == 1);
  CHECK(fleet->counters().failures == 0);
  fleet.pass(1h);
  CHECK(a.runs.size() == 1);
}

TEST_CASE("a probe that is done closes the breaker and completes its service") {
  BackoffPolicy policy = at_once_with_breaker(1);
  policy.breaker->half_open = HalfOpenPolicy{.open_for = 1s, .open_for_max = 1s};
  Fleet fleet{config_of(policy)};
  auto& a = fleet.add("a", RestartPolicy::always);
  a.fail();
  fleet.pass(1s);
  REQUIRE(a.runs.size() == 2);
  CHECK(fleet->counters().open_breakers == 1);
  a.end(Exit::done());
  fleet.settle();
  CHECK(fleet->counters().open_breakers == 0);
  CHECK(fleet.termination("a") == "completed");
}

TEST_CASE("after a stop, too, rules decide which end is an error, and nothing else") {
  const auto errors_after = [](Exit exit) {
    Ruled ruled;
    ruled.supervisor->request_shutdown();
    ruled.settle();
    const auto came_to = ruled.after(std::move(exit));
    return came_to + ", " + std::to_string(ruled.supervisor->shutdown_result().value().errors.size());
  };
  CHECK(errors_after(Exit::failed("boom").with_status(3)) == "1 ended clean status 3, cancelled, 0");
  CHECK(errors_after(Exit::clean().with_status(9)) == "1 ended failed status 9: exit status 9, cancelled, 1");
  CHECK(errors_after(Exit::clean().with_status(78)) == "1 ended fatal status 78: exit status 78, cancelled, 1");
  CHECK(errors_after(Exit::done()) == "1 ended done, cancelled, 0");
}

TEST_CASE("a restart that was asked for comes, even if the run says that it is done") {
  Fleet fleet;
  auto& a = fleet.add("a");
  REQUIRE(fleet->restart("a"));
  fleet.settle();
  a.end(Exit::done());
  fleet.settle();
  CHECK(a.runs.size() == 2);
  CHECK(fleet.phase("a") == "running");
}

TEST_CASE("a run that missed a deadline has failed, whatever its status means and if it is done") {
  for (const bool is_done : {true, false}) {
    Fleet fleet;
    auto& a = fleet.script();
    ServicePolicy policy{.ready = Ready::notified, .start_timeout = 1s};
    policy.exit_rules = kRules;
    REQUIRE(fleet->add({.name = "a", .policy = policy}, a));
    fleet.pass(1s);
    REQUIRE(fleet.phase("a") == "stopping");
    a.end(is_done ? Exit::done() : Exit::failed("boom").with_status(3));
    fleet.settle();
    CHECK(fleet.phase("a") == "backing_off");
    CHECK(fleet.snapshot("a").last_error == "not ready within 1s");
  }
}

TEST_CASE("the end of an abandoned run has the meaning of its status") {
  Ruled ruled{RestartPolicy::on_failure, kRules, 1s};
  REQUIRE(ruled.supervisor->stop("a"));
  let_pass(ruled.scheduler, 1s);
  CHECK(ruled.after(Exit::failed("boom").with_status(3)) == "1 ended_late clean status 3, abandoned after 1s");

  Ruled side_by_side;
  side_by_side.script.side_by_side = true;
  REQUIRE(side_by_side.supervisor->restart("a"));
  let_pass(side_by_side.scheduler, 30s);
  REQUIRE(side_by_side.script.runs.size() == 2);
  side_by_side.script.runs.front().end(Exit::clean().with_status(9));
  side_by_side.settle();
  CHECK(side_by_side.ends.take() == Lines{"1 ended_late failed status 9: exit status 9"});
}

TEST_CASE("a status means one thing") {
  ServicePolicy policy;
  policy.exit_rules = {.clean = {3, 4}, .failure = {4, 5}, .fatal = {5, 3}};
  CHECK(describe_errors(problems(policy)) ==
        "exit_rules.failure has 4, which is in exit_rules.clean as well; allowed is one of the two\n"
        "exit_rules.fatal has 3, which is in exit_rules.clean as well; allowed is one of the two\n"
        "exit_rules.fatal has 5, which is in exit_rules.failure as well; allowed is one of the two");
  policy.exit_rules = kRules;
  CHECK(problems(policy).empty());
}

TEST_CASE("a set of exit statuses has one text") {
  CHECK(to_string(ExitStatuses{}).empty());
  CHECK(to_string(ExitStatuses{255, 3, 64, 0}) == "0 3 64 255");
  CHECK(exit_statuses_of("0 3 64 255") == ExitStatuses{0, 3, 64, 255});
  for (const auto* const wrong : {"", " ", "3 ", " 3", "3  4", "4 3", "3 3", "03", "256", "-1", "3,4", "x", "3x"}) {
    CAPTURE(wrong);
    CHECK(exit_statuses_of(wrong) == std::nullopt);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// A breaker that counts ends
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a service that ends cleanly at once does not restart for ever if its breaker counts ends") {
  Fleet fleet{config_of(counting_ends(3))};
  auto& a = fleet.add("a", RestartPolicy::always);
  for (int run = 1; run <= 2; ++run) {
    a.end_cleanly();
    fleet.settle();
    CHECK(fleet.phase("a") == "backing_off");
    fleet.pass(1s);
  }
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet.termination("a") == "circuit breaker open (3/3 failures)");
  CHECK(fleet->counters().clean_exits == 3);
  CHECK(fleet->counters().failures == 0);
  CHECK(fleet->counters().circuit_breaker_trips == 1);
  CHECK(fleet.snapshot("a").last_error.empty());

  Fleet without{config_of(at_once_with_breaker(3))};
  auto& b = without.add("b", RestartPolicy::always);
  for (int run = 1; run <= 10; ++run) {
    b.end_cleanly();
    without.pass(1s);
  }
  CHECK(b.runs.size() == 11);
}

TEST_CASE("a breaker that counts ends counts failures and clean exits together, in its window") {
  BackoffPolicy policy = counting_ends(3);
  policy.breaker->window = 10s;
  Fleet fleet{config_of(policy)};
  auto& a = fleet.add("a", RestartPolicy::always);
  a.fail();
  fleet.pass(1s);
  a.end_cleanly();
  fleet.pass(10s);  // the failure has left the window
  a.fail();
  fleet.settle();
  CHECK(fleet.phase("a") == "backing_off");
  fleet.pass_nothing();
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet.termination("a") == "circuit breaker open (3/3 failures)");
}

TEST_CASE("an end that completes its service is not counted") {
  Fleet fleet{config_of(counting_ends(1))};
  fleet.add("a").end_cleanly();
  fleet.add("b", RestartPolicy::always).end(Exit::done());
  fleet.settle();
  CHECK(fleet.termination("a") == "completed");
  CHECK(fleet.termination("b") == "completed");
}

TEST_CASE("the probe of a breaker that counts ends has to stay up") {
  BackoffPolicy policy = counting_ends(1);
  policy.breaker->half_open = HalfOpenPolicy{.open_for = 1s, .open_for_max = 4s, .probe_success_after = 5s};
  Fleet fleet{config_of(policy)};
  auto& a = fleet.add("a", RestartPolicy::always);
  a.end_cleanly();
  fleet.pass(1s);
  REQUIRE(a.runs.size() == 2);
  a.end_cleanly();
  fleet.settle();
  CHECK(fleet.snapshot("a").attempt == 2);
  CHECK(fleet->counters().circuit_breaker_trips == 2);
  CHECK(fleet->counters().open_breakers == 1);
  fleet.pass(2s);
  REQUIRE(a.runs.size() == 3);
  fleet.pass(5s);
  CHECK(fleet->counters().open_breakers == 0);
}

TEST_CASE("a policy under which clean ends are repeated for ever without a wait is warned of") {
  const auto warnings = [](RestartPolicy restart, Duration delay, BreakerCounts counts, bool limited) {
    SupervisorConfig config;
    config.backoff.clean_restart_delay = delay;
    config.backoff.breaker->counts = counts;
    if (limited) config.restart_limit.emplace();
    std::vector<Problem> found;
    warn_of_endless_clean_ends(found, in_force({.restart = restart}, config), config);
    return found.size();
  };
  using enum RestartPolicy;
  CHECK(warnings(always, 0s, BreakerCounts::failures, false) == 1);
  CHECK(warnings(always, 1ns, BreakerCounts::failures, false) == 0);
  CHECK(warnings(always, 0s, BreakerCounts::ends, false) == 0);
  CHECK(warnings(always, 0s, BreakerCounts::failures, true) == 0);
  CHECK(warnings(on_failure, 0s, BreakerCounts::failures, false) == 0);
  CHECK(warnings(never, 0s, BreakerCounts::failures, false) == 0);

  Fleet fleet;
  BackoffPolicy policy = kAtOnce;
  policy.clean_restart_delay = 0s;
  fleet.add("a", always, policy);
  CHECK(fleet.take().at(1) == "0s a warned backoff.clean_restart_delay");
}

}  // namespace holdfast::test::supervisor_exit_rules_test
