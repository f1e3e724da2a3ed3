// What can be done to a fleet, one step after another, as values and as text: the language that drives the supervisor
// and its model, in which the property test reports a failure, and in which a regression test keeps it.
//
//     shutdown_timeout 3ns; when_all_terminated wait; policy base 1ns max 4ns cooldown 2ns clean_restart_delay 1ns
//     breaker 2 in 5ns; policy base 0ns …; add a on_failure policy 1; in_start a end failed; pass 3ns; stop a & restart
//     a
//
// The settings come first: the first policy is the supervisor's own ("policy 0"), the others are for services. After a
// step that ends with ';' the supervisor acts; '&' joins the next step to it, within one handler. `in_start NAME`,
// `in_stop NAME` and `in_kill NAME` say what the service does by itself inside its next start, stop or kill, once.
// A breaker may end with `half_open 2ns max 8ns up 3ns`: its open times, and how long a probe has to stay up. Behind
// that, `counts_ends` makes it count clean exits as well. `end a failed status 2` carries an exit status, and a service
// that is added with `rules` has kExitRules for it; one with `forgotten` is removed once it has
// terminated.
// `stop_grace 2ns` among the settings gives every stop a grace; services named a and c can be killed, b and d cannot.
// A service that is added with `notified` is ready when `ready NAME` says so; `start_timeout 3ns` among the settings is
// how long it may take. `ready_old N` says so for the N-th run that was begun in the whole fleet.
// `restart_limit 2ns burst 3` and `starting_max 1` among the settings limit the restarts of the fleet.
// A service that is added with `watched` has the `watchdog 3ns` of the settings, one with `watched_closely` one that
// needs progress; `beat NAME` and `beat_old N` are heartbeats, `progress NAME 5` and `progress_old N` (always 1) report
// it. `end_old N` ends the N-th run that was begun in the whole fleet, whether it is alive, has ended, or belongs to a
// service that is gone. `reconfigure a` has the same words behind it as `add a`. `then_throw` is an exception after the
// step, where a service does it.
//
// All errors are std::invalid_argument, with the step and what is allowed.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/policy.hpp>
#include <holdfast/service.hpp>

namespace holdfast::test {

enum class Verb {
  add,
  stop,
  restart,
  reset,
  reconfigure,
  remove,
  pass,
  end,
  end_old,
  throws,
  shutdown,
  end_drain,
  ready,
  beat,
  progress,
  ready_old,
  beat_old,
  progress_old
};
inline constexpr std::array<std::string_view, 18> kVerbs{
    "add",   "stop",     "restart",   "reset", "reconfigure", "remove",   "pass",      "end",      "end_old",
    "throw", "shutdown", "end_drain", "ready", "beat",        "progress", "ready_old", "beat_old", "progress_old"};
constexpr bool names_a_service(Verb verb) {
  return verb <= Verb::remove || verb == Verb::end || (verb >= Verb::ready && verb <= Verb::progress);
}
constexpr bool has_policy(Verb verb) { return verb == Verb::add || verb == Verb::reconfigure; }
constexpr bool names_a_run(Verb verb) { return verb == Verb::end_old || verb >= Verb::ready_old; }

enum class Where { outside, in_start, in_stop, in_kill };
inline constexpr std::array<std::string_view, 4> kWheres{"", "in_start", "in_stop", "in_kill"};

inline constexpr std::array<std::string_view, 4> kNames{"a", "b", "c", "d"};
constexpr bool can_be_killed(unsigned name) { return name % 2 == 0; }
constexpr bool runs_side_by_side(unsigned name) { return name >= 2; }
inline constexpr std::array<std::string_view, 5> kOutcomes{"clean", "failed", "threw", "fatal", "done"};
inline constexpr std::array<std::string_view, 3> kWatched{"", "watched", "watched_closely"};
inline constexpr std::array<std::string_view, 4> kOnDependencies{"keep", "wait", "restart", "stop"};
inline constexpr std::array<std::string_view, 3> kRestarts{"always", "on_failure", "never"};

struct Step {
  Verb verb = Verb::pass;
  unsigned name = 0;       // of kNames
  unsigned restart = 1;    // of kRestarts; add, reconfigure
  unsigned outcome = 0;    // of kOutcomes; end, end_old
  unsigned status = 0;     // that an end carries; 0: none
  bool has_rules = false;  // add: kExitRules are its own
  bool forgotten = false;  // add, reconfigure: it is removed once it has terminated
  unsigned number = 0;    // of a policy (add, reconfigure), of nanoseconds (pass), of a run (end_old, …), of progress
  bool notified = false;  // add: it says when it is ready
  unsigned watched = 0;   // of kWatched; add
  unsigned after = 0;     // add: of kNames, a bit each
  unsigned if_present = 0;     // likewise
  unsigned on_dependency = 0;  // of kOnDependencies; add
  bool then_throws = false;
  Where where = Where::outside;
  unsigned inside_of = 0;  // of kNames
  bool joined = false;     // to the step that follows
  friend bool operator==(const Step&, const Step&) = default;
};

inline constexpr ExitRules kExitRules{.clean = {1}, .failure = {2}, .fatal = {3}};

struct Setup {
  SupervisorConfig config;
  std::vector<BackoffPolicy> policies;    // the first is the supervisor's own
  std::optional<Duration> start_timeout;  // of services that say when they are ready
  std::optional<Duration> watchdog;       // of services that are watched
  Duration wake_jitter{0};                // of services that are after others

  // What a service is added with: none of its own, or one.
  [[nodiscard]] std::optional<BackoffPolicy> policy(unsigned number) const {
    return number == 0 || number >= policies.size() ? std::nullopt : std::optional{policies[number]};
  }
};

inline std::vector<std::string> names_in(unsigned bits) {
  std::vector<std::string> names;
  for (unsigned name = 0; name < kNames.size(); ++name) {
    if ((bits >> name & 1U) != 0) names.emplace_back(kNames[name]);
  }
  return names;
}

// What a service is added or reconfigured with.
inline ServicePolicy policy_of(const Setup& setup, const Step& step) {
  ServicePolicy policy{.restart = static_cast<RestartPolicy>(step.restart), .backoff = setup.policy(step.number)};
  if (step.notified) {
    policy.ready = Ready::notified;
    policy.start_timeout = setup.start_timeout;
  }
  if (step.watched != 0) policy.watchdog = setup.watchdog.value_or(Duration{1});
  if (step.watched == 2) policy.watchdog_needs = SignOfLife::progress;
  if (step.has_rules) policy.exit_rules = kExitRules;
  policy.forget_when_done = step.forgotten;
  if (step.after != 0) policy.order.after = NameList{names_in(step.after)};
  if (step.if_present != 0) policy.order.after_if_present = NameList{names_in(step.if_present)};
  if (policy.order.is_after_any()) policy.order.wake_jitter = setup.wake_jitter;
  policy.order.on_dependency = static_cast<OnDependency>(step.on_dependency);
  return policy;
}

struct Sequence {
  Setup setup;
  std::vector<Step> steps;
};

// ---------------------------------------------------------------------------------------------------------------------
// To text
// ---------------------------------------------------------------------------------------------------------------------

inline std::string text_of(const Step& step) {
  std::string text;
  const auto say = [&text](std::string_view word) { (text += text.empty() ? "" : " ") += word; };
  if (step.where != Where::outside) {
    say(kWheres[static_cast<std::size_t>(step.where)]);
    say(kNames[step.inside_of]);
  }
  say(kVerbs[static_cast<std::size_t>(step.verb)]);
  if (names_a_service(step.verb)) say(kNames[step.name]);
  if (has_policy(step.verb)) say(kRestarts[step.restart]);
  if (has_policy(step.verb)) say("policy " + std::to_string(step.number));
  if (has_policy(step.verb) && step.notified) say("notified");
  if (has_policy(step.verb) && step.watched != 0) say(kWatched[step.watched]);
  if (step.verb == Verb::progress) say(std::to_string(step.number));
  if (step.verb == Verb::pass) say(std::to_string(step.number) + "ns");
  if (names_a_run(step.verb)) say(std::to_string(step.number));
  if (has_policy(step.verb) && step.has_rules) say("rules");
  if (has_policy(step.verb) && step.forgotten) say("forgotten");
  if (has_policy(step.verb)) {
    for (const auto& name : names_in(step.after)) say("after_" + name);
    for (const auto& name : names_in(step.if_present)) say("if_present_" + name);
    if (step.on_dependency != 0) say(kOnDependencies[step.on_dependency]);
  }
  if (step.verb == Verb::end || step.verb == Verb::end_old) {
    say(kOutcomes[step.outcome]);
    if (step.status != 0) say("status " + std::to_string(step.status));
  }
  if (step.then_throws) say("then_throw");
  return text;
}

// "grows by 1500", "grows in 3", "spreads around 500": the numbers are thousandths, nanoseconds and steps.
inline std::string laws_of(const BackoffPolicy& policy) {
  std::string text;
  if (const auto* const exponential = std::get_if<ExponentialGrowth>(&policy.growth)) {
    if (*exponential != ExponentialGrowth{}) text += " grows by " + std::to_string(exponential->factor.count);
  } else if (const auto* const linear = std::get_if<LinearGrowth>(&policy.growth)) {
    text += " grows each " + std::to_string(linear->step.count()) + "ns";
  } else if (const auto* const stepped = std::get_if<SteppedGrowth>(&policy.growth)) {
    text += " grows in " + std::to_string(stepped->steps);
  } else {
    text += " grows never";
  }
  if (std::holds_alternative<NoJitter>(policy.jitter)) text += " spreads never";
  if (std::holds_alternative<EqualJitter>(policy.jitter)) text += " spreads half";
  if (const auto* const proportional = std::get_if<ProportionalJitter>(&policy.jitter)) {
    text += " spreads around " + std::to_string(proportional->share.count);
  } else if (const auto* const additive = std::get_if<AdditiveJitter>(&policy.jitter)) {
    text += " spreads above " + std::to_string(additive->share.count);
  }
  return text;
}

inline std::string text_of(const BackoffPolicy& policy) {
  const auto length = [](Duration duration) { return ' ' + std::to_string(duration.count()) + "ns"; };
  std::string text = "policy base" + length(policy.base) + " max" + length(policy.max) + " cooldown" +
                     length(policy.cooldown) + " clean_restart_delay" + length(policy.clean_restart_delay) +
                     laws_of(policy);
  if (policy.breaker) {
    text += " breaker " + std::to_string(policy.breaker->max_failures) + " in" + length(policy.breaker->window);
    if (const auto& half_open = policy.breaker->half_open) {
      text += " half_open" + length(half_open->open_for) + " max" + length(half_open->open_for_max) + " up" +
              length(half_open->probe_success_after);
    }
    if (policy.breaker->counts == BreakerCounts::ends) text += " counts_ends";
  }
  return text;
}

inline std::string text_of(const Setup& setup) {
  std::string text = "shutdown_timeout " + std::to_string(setup.config.shutdown_timeout.count()) +
                     "ns; when_all_terminated " + std::string{to_string(setup.config.when_all_terminated)};
  if (setup.config.stop_grace) text += "; stop_grace " + std::to_string(setup.config.stop_grace->count()) + "ns";
  if (setup.start_timeout) text += "; start_timeout " + std::to_string(setup.start_timeout->count()) + "ns";
  if (setup.wake_jitter.count() > 0) text += "; wake_jitter " + std::to_string(setup.wake_jitter.count()) + "ns";
  if (setup.watchdog) text += "; watchdog " + std::to_string(setup.watchdog->count()) + "ns";
  if (const auto& limit = setup.config.restart_limit) {
    text += "; restart_limit " + std::to_string(limit->every.count()) + "ns burst " + std::to_string(limit->burst);
  }
  if (setup.config.starting_max) text += "; starting_max " + std::to_string(*setup.config.starting_max);
  for (const auto& policy : setup.policies) text += "; " + text_of(policy);
  return text + "; ";
}

inline std::string text_of(const std::vector<Step>& steps) {
  std::string text;
  for (const auto& step : steps) text += text_of(step) + (step.joined ? " & " : "; ");
  return text;
}

inline std::string text_of(const Sequence& sequence) { return text_of(sequence.setup) + text_of(sequence.steps); }

// ---------------------------------------------------------------------------------------------------------------------
// From text
// ---------------------------------------------------------------------------------------------------------------------

// The words of one step, taken one after another.
class Words {
 public:
  explicit Words(const std::string& text) : text_(text), in_(text) {}

  [[nodiscard]] bool more() { return (in_ >> std::ws) && in_.peek() != std::istringstream::traits_type::eof(); }
  std::string next(const std::string& what) {
    std::string word;
    if (!(in_ >> word)) refuse("ends where " + what + " should follow");
    return word;
  }
  void expect(std::string_view word) {
    if (const auto found = next(std::string{word}); found != word) refuse(found, {std::string{word}});
  }
  // Perhaps the next word: it is taken only if it is this one.
  bool take(std::string_view word) {
    const auto before = in_.tellg();
    std::string found;
    if (more() && in_ >> found && found == word) return true;
    in_.clear();
    in_.seekg(before);
    return false;
  }
  template <std::size_t N>
  unsigned one_of(const std::array<std::string_view, N>& allowed) {
    const auto found = next("one of them");
    for (unsigned i = 0; i < N; ++i) {
      if (allowed[i] == found && !found.empty()) return i;
    }
    refuse(found, {allowed.begin(), allowed.end()});
  }
  std::uint32_t number() { return static_cast<std::uint32_t>(whole("", 9)); }
  Duration length() { return Duration{whole("ns", 18)}; }
  void done() {
    if (more()) refuse(next(""), {"the end of the step"});
  }

 private:
  std::int64_t whole(std::string_view unit, std::size_t digits_max) {
    const auto found = next("a number");
    const auto digits = std::min(found.find_first_not_of("0123456789"), found.size());
    if (digits == 0 || digits > digits_max || found.substr(digits) != unit) {
      refuse(found, {"a whole number of at most " + std::to_string(digits_max) + " digits" +
                     (unit.empty() ? "" : " with " + std::string{unit})});
    }
    return std::stoll(found);
  }
  [[noreturn]] void refuse(const std::string& says) const { throw std::invalid_argument("\"" + text_ + "\" " + says); }
  [[noreturn]] void refuse(const std::string& found, const std::vector<std::string>& allowed) const {
    std::string says = "has \"" + found + "\"; allowed here:";
    for (const auto& word : allowed) says += word.empty() ? "" : ' ' + word;
    refuse(says);
  }

  std::string text_;
  std::istringstream in_;
};

inline HalfOpenPolicy half_open_from(Words& words) {
  HalfOpenPolicy policy{.open_for = words.length()};
  words.expect("max");
  policy.open_for_max = words.length();
  words.expect("up");
  policy.probe_success_after = words.length();
  return policy;
}

inline Growth growth_from(Words& words) {
  switch (words.one_of(std::array<std::string_view, 4>{"by", "each", "in", "never"})) {
    case 0: return ExponentialGrowth{Thousandths{words.number()}};
    case 1: return LinearGrowth{words.length()};
    case 2: return SteppedGrowth{words.number()};
    default: return FixedDelay{};
  }
}

inline Jitter jitter_from(Words& words) {
  switch (words.one_of(std::array<std::string_view, 4>{"never", "half", "around", "above"})) {
    case 0: return NoJitter{};
    case 1: return EqualJitter{};
    case 2: return ProportionalJitter{Thousandths{words.number()}};
    default: return AdditiveJitter{Thousandths{words.number()}};
  }
}

inline BackoffPolicy policy_from(Words& words) {
  BackoffPolicy policy{.breaker = std::nullopt};
  words.expect("base");
  policy.base = words.length();
  words.expect("max");
  policy.max = words.length();
  words.expect("cooldown");
  policy.cooldown = words.length();
  words.expect("clean_restart_delay");
  policy.clean_restart_delay = words.length();
  if (words.take("grows")) policy.growth = growth_from(words);
  if (words.take("spreads")) policy.jitter = jitter_from(words);
  if (words.take("breaker")) {
    policy.breaker = BreakerPolicy{.max_failures = words.number()};
    words.expect("in");
    policy.breaker->window = words.length();
    if (words.take("half_open")) policy.breaker->half_open = half_open_from(words);
    if (words.take("counts_ends")) policy.breaker->counts = BreakerCounts::ends;
  }
  return policy;
}

inline Step step_from(Words& words) {
  Step step;
  for (const Where where : {Where::in_start, Where::in_stop, Where::in_kill}) {
    if (!words.take(kWheres[static_cast<std::size_t>(where)])) continue;
    step.where = where;
    step.inside_of = words.one_of(kNames);
  }
  step.verb = static_cast<Verb>(words.one_of(kVerbs));
  if (names_a_service(step.verb)) step.name = words.one_of(kNames);
  if (has_policy(step.verb)) {
    step.restart = words.one_of(kRestarts);
    words.expect("policy");
  }
  if (step.verb == Verb::pass) step.number = static_cast<unsigned>(words.length().count());
  if (has_policy(step.verb) || step.verb == Verb::progress || names_a_run(step.verb)) step.number = words.number();
  if (has_policy(step.verb)) {
    step.notified = words.take("notified");
    for (unsigned i = 1; i < kWatched.size(); ++i) step.watched = words.take(kWatched[i]) ? i : step.watched;
  }
  if (has_policy(step.verb)) {
    step.has_rules = words.take("rules");
    step.forgotten = words.take("forgotten");
    for (unsigned i = 0; i < kNames.size(); ++i) {
      if (words.take("after_" + std::string{kNames[i]})) step.after |= 1U << i;
    }
    for (unsigned i = 0; i < kNames.size(); ++i) {
      if (words.take("if_present_" + std::string{kNames[i]})) step.if_present |= 1U << i;
    }
    for (unsigned i = 1; i < kOnDependencies.size(); ++i) {
      if (words.take(kOnDependencies[i])) step.on_dependency = i;
    }
  }
  if (step.verb == Verb::end || step.verb == Verb::end_old) {
    step.outcome = words.one_of(kOutcomes);
    if (words.take("status")) step.status = words.number();
  }
  step.then_throws = words.take("then_throw");
  return step;
}

// One statement: a setting or a step.
inline void read_into(Sequence& sequence, const std::string& text, bool joined) {
  Words words{text};
  if (!words.more()) return;
  if (words.take("shutdown_timeout")) {
    sequence.setup.config.shutdown_timeout = words.length();
  } else if (words.take("stop_grace")) {
    sequence.setup.config.stop_grace = words.length();
  } else if (words.take("start_timeout")) {
    sequence.setup.start_timeout = words.length();
  } else if (words.take("watchdog")) {
    sequence.setup.watchdog = words.length();
  } else if (words.take("wake_jitter")) {
    sequence.setup.wake_jitter = words.length();
  } else if (words.take("restart_limit")) {
    RestartLimit& limit = sequence.setup.config.restart_limit.emplace();
    limit.every = words.length();
    words.expect("burst");
    limit.burst = words.number();
  } else if (words.take("starting_max")) {
    sequence.setup.config.starting_max = words.number();
  } else if (words.take("when_all_terminated")) {
    sequence.setup.config.when_all_terminated = words.one_of(std::array<std::string_view, 2>{"wait", "return"}) == 0
                                                    ? WhenAllTerminated::wait
                                                    : WhenAllTerminated::return_;
  } else if (words.take("policy")) {
    sequence.setup.policies.push_back(policy_from(words));
  } else {
    sequence.steps.push_back(step_from(words));
    sequence.steps.back().joined = joined;
  }
  words.done();
}

inline Sequence sequence_from(const std::string& text) {
  Sequence sequence;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find_first_of(";&", from), text.size());
    read_into(sequence, text.substr(from, end - from), end < text.size() && text[end] == '&');
    from = end + 1;
  }
  if (sequence.setup.policies.empty()) sequence.setup.policies.push_back(BackoffPolicy{});
  sequence.setup.config.backoff = sequence.setup.policies.front();
  return sequence;
}

}  // namespace holdfast::test
