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
    if (dice.one_in(2)) setup.wake_jitter = dice.length(4);
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

// Mostly after those that are there, so that it is not refused.
void be_after(Step& step, Dice& dice, const Model& model) {
  for (unsigned name = 0; name < kNames.size(); ++name) {
    if (!dice.one_in(2)) continue;
    const bool is_there = model.find(kNames[name]) != nullptr;
    if (is_there && dice.one_in(2))
      step.after |= 1U << name;
    else if (is_there || dice.one_in(8))
      (dice.one_in(8) ? step.after : step.if_present) |= 1U << name;
  }
  if ((step.after | step.if_present) != 0) step.on_dependency = dice.up_to(3);
}

Step step_of(Dice& dice, Verb verb, const Model& model) {
  Step step{.verb = verb};
  if (names_a_service(verb)) step.name = any_name(dice, model, verb != Verb::add);
  if (verb == Verb::reconfigure) {
    // Mostly with what cannot change as it is.
    const auto* const life = dice.one_in(8) ? nullptr : model.find(kNames[step.name]);
    if (life) step = life->added_by;
    step.verb = verb;
    step.restart = dice.up_to(2);
    step.number = dice.up_to(2);
    step.has_rules = dice.one_in(3);
    step.forgotten = dice.one_in(4);
    step.where = Where::outside;
    step.inside_of = 0;
    step.joined = step.then_throws = false;
    return step;
  }
  if (verb == Verb::add) step.restart = dice.up_to(2);
  if (verb == Verb::add) step.number = dice.up_to(2);
  if (verb == Verb::add) step.notified = dice.one_in(3);
  if (verb == Verb::add && dice.one_in(2)) step.watched = 1 + dice.up_to(1);
  if (verb == Verb::progress) step.number = dice.up_to(5);
  if (verb == Verb::pass) step.number = dice.up_to(6);
  if (names_a_run(verb)) step.number = dice.up_to(static_cast<unsigned>(model.runs.size()));
  if (verb == Verb::add) step.has_rules = dice.one_in(3);
  if (verb == Verb::add) step.forgotten = dice.one_in(4);
  if (verb == Verb::add && dice.one_in(2)) be_after(step, dice, model);
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
                                         {1, reconfigure},
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
                                         {4, reconfigure},
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
  with(&Step::forgotten, false);
  with(&Step::status, 0U);
  with(&Step::after, 0U);
  with(&Step::if_present, 0U);
  with(&Step::on_dependency, 0U);
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
      kind == "removed" || kind == "forgotten" || kind == "killed" || kind == "abandoned" || kind == "ready_late") {
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
                                      "backing_off dependency",
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
                                      "forgotten",
                                      "kill_threw thrown",
                                      "killed",
                                      "ready_late",
                                      "reconfigured always",
                                      "reconfigured never",
                                      "reconfigured on_failure",
                                      "removed",
                                      "running",
                                      "shutdown_requested all_terminated",
                                      "shutdown_requested requested",
                                      "started",
                                      "stop_threw thrown",
                                      "stopping dependency",
                                      "stopping dependency_stop",
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
                                      "waiting dependency",
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

TEST_CASE("a probe whose breaker is closed by hand is looked at for its watchdog alone") {
  CHECK(
      replay("shutdown_timeout 0ns; watchdog 4ns; policy base 3ns max 8ns cooldown 3ns clean_restart_delay 1ns; policy "
             "base 3ns max 8ns cooldown 6ns clean_restart_delay 2ns breaker 1 in 8ns half_open 1ns max 6ns up 5ns; add "
             "c on_failure policy 1 watched_closely; pass 4ns; pass 4ns; progress c 0; reset c; pass 1ns; ")
          .empty());
}

TEST_CASE("of one time the drain's deadline comes before the watchdog of a service that others are after") {
  CHECK(
      replay("shutdown_timeout 0ns; start_timeout 1ns; watchdog 1ns; policy base 1ns max 3ns cooldown 6ns "
             "clean_restart_delay 2ns; in_stop d shutdown; add a on_failure policy 0 watched; add d on_failure policy "
             "0 notified after_a; pass 1ns; ")
          .empty());
}

TEST_CASE("a service that is added again, stopped and added again in one instant waits once") {
  CHECK(
      replay("policy base 2ns max 2ns cooldown 6ns clean_restart_delay 0ns; policy base 3ns max 5ns cooldown 3ns "
             "clean_restart_delay 1ns breaker 1 in 10ns; add a on_failure policy 0 notified; add d on_failure policy 1 "
             "after_a; restart d; end d threw; restart d & stop d & restart d; ")
          .empty());
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
        "\"ad a never policy 0\" has \"ad\"; allowed here: add stop restart reset reconfigure remove "
        "pass end end_old throw shutdown end_drain ready beat progress ready_old beat_old progress_old");
  CHECK(refusal("stop a; stop e").find("has \"e\"; allowed here: a b c d") != std::string::npos);
  CHECK(refusal("pass 3").find("allowed here: a whole number of at most 18 digits with ns") != std::string::npos);
  CHECK(refusal("stop").find("ends where one of them should follow") != std::string::npos);
  CHECK(refusal("stop a b").find("has \"b\"; allowed here: the end of the step") != std::string::npos);
  CHECK(refusal("stop a; remove b") == "read");
}

}  // namespace holdfast::test
