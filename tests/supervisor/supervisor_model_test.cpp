// The supervisor beside a model of it, under RapidCheck's commands: whatever is done to a fleet, in any order, both
// must tell, count and wait for the same, word for word, after every step. Times are a few nanoseconds, so that many
// things fall on one instant.
//
// A failure shows the shortest sequence found, as a line to see it again with, and as a text for the regressions below.
// The number of sequences is RapidCheck's: RC_PARAMS="max_success=1000000" is a long run.

#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <rapidcheck/state.h>

#include <cstdlib>
#include <ostream>
#include <set>
#include <sstream>

#include "supervisor_model_driver.hpp"

namespace holdfast::test {

namespace {

// ---------------------------------------------------------------------------------------------------------------------
// Generation
// ---------------------------------------------------------------------------------------------------------------------

// RapidCheck's own generators cost more than the supervisor and its model together; these use its random numbers
// directly.
class Dice {
 public:
  explicit Dice(const rc::Random& random) : random_(random) {}

  unsigned up_to(unsigned most) { return static_cast<unsigned>(random_.next() % (most + 1)); }
  bool one_in(unsigned count) { return up_to(count - 1) == 0; }
  Duration length(unsigned most) { return Duration{up_to(most)}; }
  template <class T>
  T weighted(std::initializer_list<std::pair<unsigned, T>> choices) {
    unsigned sum = 0;
    for (const auto& [weight, choice] : choices) sum += weight;
    unsigned left = up_to(sum - 1);
    const auto* chosen = choices.begin();
    for (; left >= chosen->first; ++chosen) left -= chosen->first;
    return chosen->second;
  }

 private:
  rc::Random random_;
};

// Not inlined: g++ 12 takes the bytes that an alternative does not have for uninitialised.
[[gnu::noinline]] Growth any_growth(Dice& dice) {
  if (dice.one_in(2)) return {};
  switch (dice.up_to(4)) {
    case 0: return ExponentialGrowth{Thousandths::of(1.5)};
    case 1: return ExponentialGrowth{Thousandths::of(3)};
    case 2: return LinearGrowth{dice.length(3)};
    case 3: return SteppedGrowth{1 + dice.up_to(3)};
    default: return FixedDelay{};
  }
}

[[gnu::noinline]] Jitter any_jitter(Dice& dice) {
  if (dice.one_in(2)) return {};
  switch (dice.up_to(3)) {
    case 0: return NoJitter{};
    case 1: return EqualJitter{};
    case 2: return ProportionalJitter{Thousandths::of(0.5)};
    default: return AdditiveJitter{Thousandths::of(0.25)};
  }
}

BackoffPolicy any_policy(Dice& dice) {
  BackoffPolicy policy{.base = dice.length(3), .cooldown = dice.length(8), .clean_restart_delay = dice.length(3)};
  policy.max = policy.base + dice.length(5);
  policy.growth = any_growth(dice);
  policy.jitter = any_jitter(dice);
  policy.breaker.reset();
  if (!dice.one_in(5)) policy.breaker = BreakerPolicy{1 + dice.up_to(3), Duration{1} + dice.length(10)};
  if (policy.breaker && dice.one_in(2)) {
    const Duration open_for = Duration{1} + dice.length(3);
    policy.breaker->half_open = HalfOpenPolicy{open_for, open_for + dice.length(6), Duration{1} + dice.length(4)};
  }
  if (policy.breaker && dice.one_in(3)) policy.breaker->counts = BreakerCounts::ends;
  return policy;
}

rc::Gen<Setup> any_setup() {
  return [](const rc::Random& random, int) {
    Dice dice{random};
    Setup setup;
    for (int i = 0; i < 3; ++i) setup.policies.push_back(any_policy(dice));
    setup.config.backoff = setup.policies.front();
    setup.config.shutdown_timeout = dice.length(8);
    if (dice.one_in(4)) setup.config.when_all_terminated = WhenAllTerminated::return_;
    if (dice.one_in(2)) setup.config.stop_grace = dice.length(4);
    if (!dice.one_in(4)) setup.start_timeout = Duration{1} + dice.length(4);
    if (!dice.one_in(4)) setup.watchdog = Duration{1} + dice.length(4);
    if (dice.one_in(3)) setup.config.restart_limit = RestartLimit{Duration{1} + dice.length(4), 1 + dice.up_to(2)};
    if (dice.one_in(4)) setup.config.starting_max = 1 + dice.up_to(1);
    return rc::shrinkable::just(setup);
  };
}

// Nothing is tried in vain too often: a name is mostly one that is there (or, to add, one that is not).
unsigned any_name(Dice& dice, const Model& model, bool present) {
  std::vector<unsigned> names;
  for (unsigned name = 0; name < kNames.size(); ++name) {
    if (present == (model.find(kNames[name]) != nullptr)) names.push_back(name);
  }
  if (names.empty() || dice.one_in(8)) return dice.up_to(kNames.size() - 1);
  return names[dice.up_to(static_cast<unsigned>(names.size()) - 1)];
}

unsigned any_outcome(Dice& dice) {
  using enum Outcome;
  // Failures oftener than the rest: a breaker needs several in a row.
  return static_cast<unsigned>(dice.weighted<Outcome>({{3, clean}, {5, failed}, {2, threw}, {1, fatal}, {1, done}}));
}

Step step_of(Dice& dice, Verb verb, const Model& model) {
  Step step{.verb = verb};
  if (names_a_service(verb)) step.name = any_name(dice, model, verb != Verb::add);
  if (verb == Verb::add) step.restart = dice.up_to(2);
  if (verb == Verb::add) step.number = dice.up_to(2);
  if (verb == Verb::add) step.notified = dice.one_in(3);
  if (verb == Verb::add && dice.one_in(2)) step.watched = 1 + dice.up_to(1);
  if (verb == Verb::progress) step.number = dice.up_to(5);
  if (verb == Verb::pass) step.number = dice.up_to(6);
  if (names_a_run(verb)) step.number = dice.up_to(static_cast<unsigned>(model.runs.size()));
  if (verb == Verb::add) step.has_rules = dice.one_in(3);
  if (verb == Verb::end || verb == Verb::end_old) step.outcome = any_outcome(dice);
  if ((verb == Verb::end || verb == Verb::end_old) && dice.one_in(4)) step.status = 1 + dice.up_to(3);
  return step;
}

// What a service does by itself: mostly to itself.
Step inside_step(Dice& dice, const Model& model) {
  using enum Verb;
  const Verb verb = dice.weighted<Verb>({{12, end},
                                         {3, ready},
                                         {2, beat},
                                         {1, Verb::progress},
                                         {4, throws},
                                         {2, stop},
                                         {2, restart},
                                         {1, reset},
                                         {2, Verb::remove},
                                         {2, add},
                                         {1, end_old},
                                         {1, shutdown},
                                         {1, end_drain}});
  Step step = step_of(dice, verb, model);
  step.where = dice.weighted<Where>({{3, Where::in_start}, {3, Where::in_stop}, {1, Where::in_kill}});
  step.inside_of = any_name(dice, model, true);
  if ((verb == end || verb == ready || verb == beat) && !dice.one_in(8)) step.name = step.inside_of;
  step.then_throws = verb != throws && dice.one_in(6);
  return step;
}

Step any_step(Dice& dice, const Model& model) {
  using enum Verb;
  if (dice.one_in(7)) return inside_step(dice, model);
  const Verb verb = dice.weighted<Verb>({{24, end},
                                         {8, ready},
                                         {1, ready_old},
                                         {5, beat},
                                         {5, Verb::progress},
                                         {1, beat_old},
                                         {1, progress_old},
                                         {24, pass},
                                         {14, add},
                                         {6, restart},
                                         {3, reset},
                                         {5, Verb::remove},
                                         {4, stop},
                                         {3, end_old},
                                         {1, shutdown},
                                         {1, end_drain}});
  Step step = step_of(dice, verb, model);
  step.joined = verb != pass && dice.one_in(5);
  return step;
}

// Simpler steps that might show the same.
std::vector<Step> simpler(const Step& step) {
  std::vector<Step> all;
  const auto with = [&](auto member, auto value) {
    if (step.*member == value) return;
    all.push_back(step);
    all.back().*member = value;
  };
  with(&Step::joined, false);
  with(&Step::then_throws, false);
  with(&Step::notified, false);
  with(&Step::watched, 0U);
  with(&Step::has_rules, false);
  with(&Step::status, 0U);
  with(&Step::restart, 1U);
  with(&Step::number, 0U);
  with(&Step::number, step.number / 2);
  if (step.number > 0) with(&Step::number, step.number - 1);
  return all;
}

// ---------------------------------------------------------------------------------------------------------------------
// Commands
// ---------------------------------------------------------------------------------------------------------------------

// One step as RapidCheck's command. It has no precondition: what makes no sense must be refused by both alike. The
// model that is driven beside the supervisor is the one in SideBySide; RapidCheck's own copy only guides generation.
class Command final : public rc::state::Command<Model, SideBySide> {
 public:
  explicit Command(Step step) : step_(step) {}

  void apply(Model& model) const override { model.take(step_); }
  void run(const Model&, SideBySide& both) const override {
    if (const auto found = both.take(step_); !found.empty()) RC_FAIL(found);
  }
  void show(std::ostream& out) const override { out << text_of(step_) << (step_.joined ? " &" : ";"); }

 private:
  Step step_;
};

// "1ns a ended 2 after 0s clean" -> "ended clean"; numbers and lengths are left out.
std::string kind_in(const std::string& line) {
  std::istringstream in{line};
  std::string time, who, kind, word;
  in >> time >> who >> kind;
  if (kind == "started" || kind == "running" || kind == "breaker_tripped" || kind == "breaker_closed" ||
      kind == "removed" || kind == "killed" || kind == "abandoned" || kind == "ready_late") {
    return kind;
  }
  in >> word;
  if (kind.starts_with("ended")) in >> word >> word >> word;
  return kind + ' ' + word.substr(0, word.find_first_of(":,"));
}

using AnyCommand = std::shared_ptr<const Command::CommandType>;

AnyCommand command_of(const Step& step) { return std::make_shared<Command>(step); }

// REQUIRES: the model stays until the generator has been used, as it does where RapidCheck calls this.
rc::Gen<AnyCommand> any_command(const Model& model) {
  return [&model](const rc::Random& random, int) {
    Dice dice{random};
    return rc::shrinkable::map(
        rc::shrinkable::shrinkRecur(any_step(dice, model),
                                    [](const Step& step) { return rc::seq::fromContainer(simpler(step)); }),
        command_of);
  };
}

}  // namespace

void showValue(const Setup& setup, std::ostream& out) { out << text_of(setup); }

// ---------------------------------------------------------------------------------------------------------------------
// Tests
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("whatever is done to a fleet, the supervisor does and says what the model does and says") {
  rc::prop("the supervisor and its model agree after every command", [] {
    const auto setup = std::make_shared<const Setup>(*any_setup());
    const Model fresh{setup, kSeed};
    const auto commands = *rc::gen::scale(1.5, rc::state::gen::commands(fresh, &any_command));
    SideBySide both{*setup};
    rc::state::runAll(commands, fresh, both);
  });
}

// Short sequences in full: no chance can miss them. Four steps after the first, three in builds that take ten times as
// long.
constexpr int kStepsInFull = HOLDFAST_SLOW_BUILD ? 3 : 4;

std::size_t how_many(std::size_t steps) {
  std::size_t count = 1;
  for (int i = 0; i < kStepsInFull; ++i) count *= steps;
  return count;
}

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

// The commands reach what there is: a sequence that never trips a breaker or never ends late would prove little.
TEST_CASE("the commands that are generated lead to every kind of event, every end, every cause and every reason") {
  std::set<std::string> seen;
  for (std::uint64_t number = 0; number < 2000; ++number) {
    const rc::Random random{number};
    Model model{std::make_shared<const Setup>(any_setup()(random, 0).value()), kSeed};
    Dice dice{random};
    for (int i = 0; i < 60; ++i) {
      model.take(any_step(dice, model));
      for (const auto& line : std::exchange(model.lines, {})) seen.insert(kind_in(line));
    }
  }
  CHECK(seen == std::set<std::string>{"abandoned",
                                      "added always",
                                      "added never",
                                      "added on_failure",
                                      "backing_off breaker_open",
                                      "backing_off clean_exit",
                                      "backing_off failure",
                                      "breaker_closed",
                                      "breaker_tripped",
                                      "commanded remove",
                                      "commanded reset",
                                      "commanded restart",
                                      "commanded stop",
                                      "drained cut_short",
                                      "drained deadline",
                                      "drained drained",
                                      "ended clean",
                                      "ended done",
                                      "ended failed",
                                      "ended fatal",
                                      "ended threw",
                                      "ended_late clean",
                                      "ended_late done",
                                      "ended_late failed",
                                      "ended_late fatal",
                                      "ended_late threw",
                                      "kill_threw thrown",
                                      "killed",
                                      "ready_late",
                                      "removed",
                                      "running",
                                      "shutdown_requested all_terminated",
                                      "shutdown_requested requested",
                                      "started",
                                      "stop_threw thrown",
                                      "stopping remove",
                                      "stopping restart",
                                      "stopping shutdown",
                                      "stopping start_timeout",
                                      "stopping stop",
                                      "stopping watchdog",
                                      "terminated abandoned",
                                      "terminated cancelled",
                                      "terminated circuit",
                                      "terminated completed",
                                      "terminated failed",
                                      "waiting restart_limit"});
}

// ---------------------------------------------------------------------------------------------------------------------
// Sequences as text
// ---------------------------------------------------------------------------------------------------------------------

// One that a failure printed: from the environment, or else one that shows the language.
TEST_CASE("a sequence that was printed can be pasted back") {
  const char* const given = std::getenv("HOLDFAST_SEQUENCE");
  const std::string found = replay(
      given
          ? std::string{given}
          : "shutdown_timeout 3ns; when_all_terminated wait; policy base 1ns max 4ns cooldown 2ns clean_restart_delay "
            "1ns breaker 2 in 5ns; policy base 0ns max 0ns cooldown 9ns clean_restart_delay 0ns; add a on_failure "
            "policy 1; in_start a end a failed then_throw; end a threw; pass 3ns; stop a & restart a; add b always "
            "policy 0; in_stop b throw; shutdown; end_old 1 clean; pass 5ns; end b failed; ");
  INFO(found);
  CHECK(found.empty());
}

TEST_CASE("a difference is reported with the step, what each says, and the sequence that shows it") {
  SideBySide both{sequence_from("policy base 1ns max 4ns cooldown 2ns clean_restart_delay 1ns;").setup};
  const auto steps = sequence_from("add a always policy 0; pass 2ns & end a clean;").steps;
  CHECK(both.take(steps[0]).empty());
  both.model.take(sequence_from("end a failed &").steps[0]);  // to one of them only
  const std::string found = both.take(steps[1]);
  CAPTURE(found);
  CHECK(found.starts_with("after step 2, \"pass 2ns\": events\n  the model says:\n    0s a ended 1 after 0s failed"));
  const std::string_view opens = "HOLDFAST_SEQUENCE='";
  const auto from = found.find(opens) + opens.size();
  const Sequence back = sequence_from(found.substr(from, found.find('\'', from) - from));
  CHECK(back.steps == std::vector<Step>{steps[0], steps[1]});
}

TEST_CASE("every sequence reads back from its text") {
  rc::prop("with every word of the language", [] {
    Sequence sequence{*any_setup(), {}};
    Model model{std::make_shared<const Setup>(sequence.setup), kSeed};
    Dice dice{rc::Random{*rc::gen::arbitrary<std::uint64_t>()}};
    for (int i = 0; i < 20; ++i) {
      sequence.steps.push_back(any_step(dice, model));
      model.take(sequence.steps.back());
    }
    const Sequence back = sequence_from(text_of(sequence));
    RC_ASSERT(text_of(back) == text_of(sequence));
    RC_ASSERT(back.steps == sequence.steps);
    RC_ASSERT(back.setup.config.backoff == sequence.setup.config.backoff);
    RC_ASSERT(back.setup.start_timeout == sequence.setup.start_timeout);
    RC_ASSERT(back.setup.watchdog == sequence.setup.watchdog);
  });
}

TEST_CASE("an unreadable sequence is refused with the step and what is allowed") {
  const auto refusal = [](const std::string& text) {
    try {
      sequence_from(text);
    } catch (const std::invalid_argument& error) {
      return std::string{error.what()};
    }
    return std::string{"read"};
  };
  CHECK(refusal("ad a never policy 0") ==
        "\"ad a never policy 0\" has \"ad\"; allowed here: add stop restart reset remove "
        "pass end end_old throw shutdown end_drain ready beat progress ready_old beat_old progress_old");
  CHECK(refusal("stop a; stop e").find("has \"e\"; allowed here: a b c d") != std::string::npos);
  CHECK(refusal("pass 3").find("allowed here: a whole number of at most 18 digits with ns") != std::string::npos);
  CHECK(refusal("stop").find("ends where one of them should follow") != std::string::npos);
  CHECK(refusal("stop a b").find("has \"b\"; allowed here: the end of the step") != std::string::npos);
  CHECK(refusal("stop a; remove b") == "read");
}

}  // namespace holdfast::test
