// The supervisor beside its model (supervisor_model.hpp) through every short sequence of steps: no chance can miss
// them.

#include "supervisor_model_driver.hpp"

namespace holdfast::test {

namespace {

// Four steps after the first, three in builds that take ten times as long.
constexpr int kStepsInFull = HOLDFAST_SLOW_BUILD ? 3 : 4;

std::size_t how_many(std::size_t steps) {
  std::size_t count = 1;
  for (int i = 0; i < kStepsInFull; ++i) count *= steps;
  return count;
}

}  // namespace

// One service, whose delays are 0 or 1 ns.
TEST_CASE("every short sequence of steps in the life of one service agrees with the model") {
  const auto all =
      sequence_from(
          "add a on_failure policy 0; stop a; restart a; remove a; pass 1ns; end a clean; end a failed; end a fatal;"
          "end a failed & end a clean & in_start a end a failed; in_stop a end a failed; shutdown; end_drain; stop a &"
          "restart a &")
          .steps;
  for (unsigned restart = 0; restart < kRestarts.size(); ++restart) {
    Sequence sequence;
    sequence.setup.policies = {
        {.base = 1ns, .max = 1ns, .cooldown = 2ns, .clean_restart_delay = 1ns, .breaker = BreakerPolicy{2, 1ns}}};
    sequence.setup.config = config_of(sequence.setup.policies.front(), 1ns);
    if (restart == 2) sequence.setup.config.when_all_terminated = WhenAllTerminated::return_;
    const std::size_t count = how_many(all.size());
    for (std::size_t number = 0; number < count; ++number) {
      sequence.steps = {{.verb = Verb::add, .restart = restart}};
      for (std::size_t rest = number, i = 0; i < kStepsInFull; ++i, rest /= all.size()) {
        sequence.steps.push_back(all[rest % all.size()]);
      }
      if (const auto found = replay(sequence); !found.empty()) FAIL(found);
    }
  }
  SUCCEED();
}

// The same of a service whose breaker has opened: a probe is due within 2 ns, and has to stay up for 2 ns.
TEST_CASE("every short sequence of steps after a breaker has opened agrees with the model") {
  const auto all =
      sequence_from(
          "stop a; restart a; reset a; remove a; pass 1ns; pass 2ns; end a clean; end a failed; end a fatal;"
          "in_start a end a failed; in_start a end a clean; shutdown; reset a & remove a & end a failed & restart a &")
          .steps;
  for (unsigned restart = 0; restart < 2; ++restart) {
    Sequence sequence;
    sequence.setup.policies = {{.base = 1ns,
                                .max = 1ns,
                                .cooldown = 1ns,
                                .clean_restart_delay = 1ns,
                                .breaker = BreakerPolicy{1, 5ns, HalfOpenPolicy{2ns, 3ns, 2ns}}}};
    sequence.setup.config = config_of(sequence.setup.policies.front(), 1ns);
    const std::size_t count = how_many(all.size());
    for (std::size_t number = 0; number < count; ++number) {
      sequence.steps = {{.verb = Verb::add, .restart = restart}, {.verb = Verb::end, .outcome = 1}};
      for (std::size_t rest = number, i = 0; i < kStepsInFull; ++i, rest /= all.size()) {
        sequence.steps.push_back(all[rest % all.size()]);
      }
      if (const auto found = replay(sequence); !found.empty()) FAIL(found);
    }
  }
  SUCCEED();
}

// The same of a service that is given another policy: with the same backoff, with a breaker that opens later, and with
// none.
TEST_CASE("every short sequence of steps with other policies agrees with the model") {
  const auto all = sequence_from(
                       "stop a; restart a; reset a; pass 1ns; pass 2ns; end a clean; end a failed; shutdown;"
                       "reconfigure a always policy 0; reconfigure a never policy 1; reconfigure a on_failure policy 2;"
                       "reconfigure a on_failure policy 1 & end a failed; in_start a reconfigure a never policy 0;"
                       "end a failed & reconfigure a on_failure policy 2;")
                       .steps;
  for (const unsigned max_failures : {1U, 2U}) {
    Sequence sequence;
    const BackoffPolicy open{.base = 1ns,
                             .max = 1ns,
                             .cooldown = 2ns,
                             .clean_restart_delay = 1ns,
                             .breaker = BreakerPolicy{max_failures, 5ns, HalfOpenPolicy{2ns, 3ns, 2ns}}};
    BackoffPolicy later = open;
    later.breaker = BreakerPolicy{3, 5ns};
    sequence.setup.policies = {open, later, kAtOnce};
    sequence.setup.config = config_of(open, 1ns);
    const std::size_t count = how_many(all.size());
    for (std::size_t number = 0; number < count; ++number) {
      sequence.steps = {{.verb = Verb::add}, {.verb = Verb::end, .outcome = 1}};
      for (std::size_t rest = number, i = 0; i < kStepsInFull; ++i, rest /= all.size()) {
        sequence.steps.push_back(all[rest % all.size()]);
      }
      if (const auto found = replay(sequence); !found.empty()) FAIL(found);
    }
  }
  SUCCEED();
}

// The same of services that are removed once they have terminated, one of which is after the other.
TEST_CASE("every short sequence of steps with services that are forgotten agrees with the model") {
  const auto all = sequence_from(
                       "stop a; restart a; remove a; pass 1ns; end a clean; end a failed; stop b; end b failed;"
                       "add a on_failure policy 0 forgotten; shutdown; stop a & restart a; end a clean & remove a;"
                       "stop a & add a always policy 0;")
                       .steps;
  for (const unsigned what : {0U, 3U}) {
    Sequence sequence;
    sequence.setup.policies = {{.base = 1ns, .max = 1ns, .cooldown = 2ns, .breaker = BreakerPolicy{2, 1ns}}};
    sequence.setup.config = config_of(sequence.setup.policies.front(), 3ns);
    if (what == 0) sequence.setup.config.when_all_terminated = WhenAllTerminated::return_;
    const std::size_t count = how_many(all.size());
    for (std::size_t number = 0; number < count; ++number) {
      sequence.steps = {{.verb = Verb::add, .name = 0, .forgotten = true},
                        {.verb = Verb::add, .name = 1, .forgotten = true, .after = 1U, .on_dependency = what}};
      for (std::size_t rest = number, i = 0; i < kStepsInFull; ++i, rest /= all.size()) {
        sequence.steps.push_back(all[rest % all.size()]);
      }
      if (const auto found = replay(sequence); !found.empty()) FAIL(found);
    }
  }
  SUCCEED();
}

// The same of a service that stops under a grace, killable and not.
TEST_CASE("every short sequence of steps after a stop that has a grace agrees with the model") {
  const auto all =
      sequence_from(
          "stop a; restart a; remove a; pass 1ns; pass 2ns; end a failed; in_stop a end a clean; in_kill a end a "
          "failed;"
          "in_kill a throw; shutdown; end_drain; stop a & restart a & end_old 0 failed; add a on_failure policy 0;")
          .steps;
  for (unsigned name = 0; name < 2; ++name) {
    for (const Duration grace : {0ns, 2ns}) {
      Sequence sequence;
      sequence.setup.policies = {kAtOnce};
      sequence.setup.config = config_of(kAtOnce, 3ns);
      sequence.setup.config.stop_grace = grace;
      const std::size_t count = how_many(all.size());
      for (std::size_t number = 0; number < count; ++number) {
        sequence.steps = {{.verb = Verb::add, .name = name}};
        for (std::size_t rest = number, i = 0; i < kStepsInFull; ++i, rest /= all.size()) {
          sequence.steps.push_back(all[rest % all.size()]);
          sequence.steps.back().name = sequence.steps.back().inside_of = name;
        }
        if (const auto found = replay(sequence); !found.empty()) FAIL(found);
      }
    }
  }
  SUCCEED();
}

// The same of a service that says when it is ready, and has 2 ns for that: one that can be killed, and one whose
// abandoned runs do not hold the next one up.
TEST_CASE("every short sequence of steps in a start that is to be ready in time agrees with the model") {
  const auto all = sequence_from(
                       "stop a; restart a; reset a; remove a; pass 1ns; pass 2ns; ready a; end a clean; end a failed;"
                       "in_start a ready a; in_stop a ready a; ready_old 0; shutdown; ready a & end a failed & ready a "
                       "& restart a &")
                       .steps;
  for (const unsigned name : {0U, 3U}) {
    for (const Duration grace : {0ns, 2ns}) {
      Sequence sequence;
      sequence.setup.policies = {{.base = 1ns,
                                  .max = 1ns,
                                  .cooldown = 2ns,
                                  .clean_restart_delay = 1ns,
                                  .breaker = BreakerPolicy{2, 4ns, HalfOpenPolicy{2ns, 3ns, 1ns}}}};
      sequence.setup.config = config_of(sequence.setup.policies.front(), 3ns);
      sequence.setup.config.stop_grace = grace;
      sequence.setup.start_timeout = 2ns;
      const std::size_t count = how_many(all.size());
      for (std::size_t number = 0; number < count; ++number) {
        sequence.steps = {{.verb = Verb::add, .name = name, .notified = true}};
        for (std::size_t rest = number, i = 0; i < kStepsInFull; ++i, rest /= all.size()) {
          sequence.steps.push_back(all[rest % all.size()]);
          sequence.steps.back().name = sequence.steps.back().inside_of = name;
        }
        if (const auto found = replay(sequence); !found.empty()) FAIL(found);
      }
    }
  }
  SUCCEED();
}

// The same of a service that has to give a sign of life every 2 ns, as a probe and as any other run: one that needs
// heartbeats and can be killed, and one that needs progress and whose abandoned runs do not hold the next one up.
TEST_CASE("every short sequence of steps under a watchdog agrees with the model") {
  const auto all = sequence_from(
                       "stop a; restart a; reset a; remove a; pass 1ns; pass 2ns; beat a; progress a 1; progress a 2;"
                       "end a failed; in_start a beat a; beat_old 0; progress_old 0; shutdown;")
                       .steps;
  for (const unsigned name : {0U, 3U}) {
    for (const bool probes : {false, true}) {
      Sequence sequence;
      sequence.setup.policies = {{.base = 1ns,
                                  .max = 1ns,
                                  .cooldown = 3ns,
                                  .clean_restart_delay = 1ns,
                                  .breaker = BreakerPolicy{probes ? 1U : 2U, 9ns, HalfOpenPolicy{1ns, 2ns, 3ns}}}};
      sequence.setup.config = config_of(sequence.setup.policies.front(), 3ns);
      sequence.setup.config.stop_grace = 1ns;
      sequence.setup.watchdog = 2ns;
      const std::size_t count = how_many(all.size());
      for (std::size_t number = 0; number < count; ++number) {
        sequence.steps = {{.verb = Verb::add, .name = name, .watched = name == 0 ? 1U : 2U}};
        if (probes) {
          sequence.steps.push_back({.verb = Verb::end, .name = name, .outcome = 1});
          sequence.steps.push_back({.verb = Verb::pass, .number = 1});
        }
        for (std::size_t rest = number, i = 0; i < kStepsInFull; ++i, rest /= all.size()) {
          sequence.steps.push_back(all[rest % all.size()]);
          sequence.steps.back().name = sequence.steps.back().inside_of = name;
        }
        if (const auto found = replay(sequence); !found.empty()) FAIL(found);
      }
    }
  }
  SUCCEED();
}

// The same of two services, one of which is after the other: each way to follow it, with runs that last and runs that
// are not ready at once.
TEST_CASE("every short sequence of steps of a service and one that it is after agrees with the model") {
  const auto all = sequence_from(
                       "stop a; restart a; restart b; remove a; pass 1ns; ready a; end a failed; end b failed;"
                       "add a on_failure policy 0; shutdown; end_drain; end a failed & restart b &")
                       .steps;
  for (unsigned what = 0; what < kOnDependencies.size(); ++what) {
    for (const bool notified : {false, true}) {
      Sequence sequence;
      sequence.setup.policies = {{.base = 1ns, .max = 1ns, .cooldown = 2ns, .breaker = BreakerPolicy{2, 1ns}}};
      sequence.setup.policies.front().jitter = NoJitter{};
      sequence.setup.config = config_of(sequence.setup.policies.front(), 3ns);
      sequence.setup.wake_jitter = what == 2 ? 0ns : 1ns;
      const std::size_t count = how_many(all.size());
      for (std::size_t number = 0; number < count; ++number) {
        sequence.steps = {{.verb = Verb::add, .name = 0, .notified = notified},
                          {.verb = Verb::add, .name = 1, .after = 1U, .on_dependency = what}};
        for (std::size_t rest = number, i = 0; i < kStepsInFull; ++i, rest /= all.size()) {
          sequence.steps.push_back(all[rest % all.size()]);
        }
        if (const auto found = replay(sequence); !found.empty()) FAIL(found);
      }
    }
  }
  SUCCEED();
}

}  // namespace holdfast::test
