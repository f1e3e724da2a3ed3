// Scenarios made up by RapidCheck.
//
// A runnable one is small and runs in no time; its lengths of time are few and small, so that much falls into one
// instant. Any one uses every key of the format with every value that the reader accepts, and is not meant to be run.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <holdfast/file/policy_keys.hpp>
#include <holdfast/file/program.hpp>
#include <holdfast/file/size_text.hpp>
#include <holdfast/file/table_of.hpp>
#include <holdfast_sim/format/detail/scenario_keys.hpp>
#include <holdfast_sim/scenario/recorded_trace.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

namespace holdfast::test {

using namespace holdfast::sim;
using namespace std::chrono_literals;

template <class T>
std::optional<T> perhaps(const rc::Gen<T>& gen) {
  return *rc::gen::arbitrary<bool>() ? std::optional<T>{*gen} : std::nullopt;
}

// Draws a kind of chaos key by key, as it describes itself. `Values` draws what a key holds, by its type.
template <class Kind, class Values>
class DrawnKeys {
 public:
  DrawnKeys(Kind& kind, Values& values) : kind_(kind), values_(values) {}

  template <class Member>
  void key(std::string_view, Member Kind::*member, const typename file::TableOf<Kind>::About& = {}) {
    values_.draw(kind_.*member);
  }
  template <class Member>
  void all_of(Member Kind::*member) {
    values_.draw(kind_.*member);
  }
  template <class As, class Member>
  void key_as(std::string_view, Member Kind::*member, const typename file::TableOf<Kind>::About& = {}) {
    values_.draw(kind_.*member);
  }
  template <class Member>
  void without_key(Member Kind::*) {}
  void choice(file::Table::Choice, const std::vector<std::string_view>&) {}  // kind() sees to it

 private:
  Kind& kind_;
  Values& values_;
};

// What the values of both sorts of scenario have in common. `Values` adds draw() for lengths and targets, and for kinds
// that are more than their keys.
template <class Values>
class ChaosValues {
 public:
  template <class T>
  void draw(std::optional<T>& value) {
    if (*rc::gen::arbitrary<bool>()) self().draw(value.emplace());
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void draw(Enum& value) {
    value = *rc::gen::elementOf(std::vector<Enum>(file::kEnumerators<Enum>.begin(), file::kEnumerators<Enum>.end()));
  }
  void draw(Ratio& value) { value = {*rc::gen::inRange<std::uint64_t>(1, Ratio::from(1).two_to_minus_32 + 1)}; }

  void draw(std::uint32_t& value) { value = *rc::gen::element<std::uint32_t>(1, 2, 5); }
  void draw(PolicyChange& value) {
    self().draw(value.restart);
    self().draw(value.backoff);
    self().draw(value.stop_grace);
    if (*rc::gen::arbitrary<bool>()) value.exit_rules = ExitRules{{3}, {0}, {78}};
    self().draw(value.ends_fleet);
    value.forget_when_done = *rc::gen::inRange(0, 4) == 0;
  }

  template <class Kind>
  Kind kind() {
    Kind drawn;
    DrawnKeys<Kind, Values> keys{drawn, self()};
    if constexpr (requires { self().draw(drawn); }) {
      self().draw(drawn);
    } else if constexpr (requires { Kind::describe(keys); }) {
      Kind::describe(keys);
    }
    if constexpr (requires { drawn.mode == OutageMode::gone; }) {  // only what fails does so after a while
      if (drawn.mode == OutageMode::gone) drawn.fails_after = Kind{}.fails_after;
      if (drawn.mode == OutageMode::gone) drawn.failing_starts = Kind{}.failing_starts;
    }
    if constexpr (requires { drawn.to_start; }) {
      if (drawn.to_start) drawn.to_start = std::max(*drawn.to_start, drawn.from_start);
    }
    if constexpr (requires { drawn.change; }) {  // it changes something
      if (drawn.change == PolicyChange{}) drawn.change.restart = RestartPolicy::always;
    }
    if constexpr (requires { drawn.ready_grows; }) {  // it says at least one of them
      if (!drawn.ready_grows && !drawn.stop_takes) self().draw(drawn.ready_after.emplace());
    }
    return drawn;
  }

  // The kind of this place in the list of kinds.
  template <std::size_t Index = 0>
  Chaos kind_at(std::size_t place) {
    if constexpr (Index + 1 < std::variant_size_v<Chaos>) {
      if (place != Index) return kind_at<Index + 1>(place);
    }
    return kind<std::variant_alternative_t<Index, Chaos>>();
  }

 private:
  Values& self() { return static_cast<Values&>(*this); }
};

// ---------------------------------------------------------------------------------------------------------------------
// Runnable scenarios
// ---------------------------------------------------------------------------------------------------------------------

namespace runnable {

inline rc::Gen<Duration> length() { return rc::gen::element<Duration>(0ns, 1ns, 2ns, 1s, 2s, 3s, 5s); }
inline rc::Gen<Duration> positive_length() { return rc::gen::element<Duration>(1ns, 2ns, 1s, 2s, 3s, 5s); }

inline rc::Gen<Distribution> distribution() {
  return rc::gen::oneOf(rc::gen::map(length(), [](Duration value) { return Distribution{Fixed{value}}; }),
                        rc::gen::map(length(),
                                     [](Duration max) {
                                       return Distribution{Uniform{0ns, max}};
                                     }),
                        rc::gen::map(positive_length(), [](Duration mean) { return Distribution{Exponential{mean}}; }),
                        rc::gen::map(positive_length(),
                                     [](Duration scale) {
                                       return Distribution{Weibull{Ratio::from(0.7), scale}};
                                     }),
                        rc::gen::map(positive_length(), [](Duration median) {
                          return Distribution{LogNormal{median, Ratio::from(1)}};
                        }));
}

inline rc::Gen<Behaviour> behaviour() {
  return rc::gen::exec([] {
    Behaviour drawn;
    if (*rc::gen::inRange(0, 4) > 0) drawn.runs_for = *distribution();
    drawn.then =
        *rc::gen::element(Then::end, Then::fail, Then::fail, Then::fatal, Then::throw_, Then::hang, Then::done);
    if (drawn.runs_for) drawn.exit_status = perhaps(rc::gen::element<std::uint8_t>(0, 3, 78));
    if (*rc::gen::inRange(0, 4) == 0) {
      drawn.then = Ends{{{Then::end, Ratio::from(0.25)},
                         {Then::fail, Ratio::from(0.625)},
                         {drawn.then.always() == Then::hang ? Then::hang : Then::fatal, Ratio::from(0.125)}}};
    }
    if (!drawn.runs_for) drawn.then = Behaviour{}.then;  // as a file has it
    if (const auto runs = *rc::gen::inRange<std::uint64_t>(0, 3); runs > 0) drawn.fails_first = {runs, *length()};
    switch (*rc::gen::inRange(0, 3)) {
      case 0: drawn.on_stop = Ignores{}; break;
      case 1: drawn.on_stop = Takes{*distribution()}; break;
      default: break;
    }
    switch (*rc::gen::inRange(0, 5)) {
      case 0: drawn.on_kill = Ignores{}; break;
      case 1: drawn.on_kill = Takes{*distribution()}; break;
      case 2: drawn.on_kill = Obeys{}; break;
      default: break;
    }
    return drawn;
  });
}

inline rc::Gen<Growth> growth() {
  return rc::gen::exec([]() -> Growth {
    switch (*rc::gen::inRange(0, 8)) {
      case 0: return ExponentialGrowth{Thousandths{*rc::gen::inRange<std::uint32_t>(kFactorMin.count, 4000)}};
      case 1: return LinearGrowth{*length()};
      case 2: return SteppedGrowth{*rc::gen::inRange<std::uint32_t>(1, 9)};
      case 3: return FixedDelay{};
      default: return {};
    }
  });
}

inline rc::Gen<Jitter> jitter() {
  return rc::gen::exec([]() -> Jitter {
    const Thousandths share{*rc::gen::inRange<std::uint32_t>(kJitterShareMin.count, kJitterShareMax.count + 1)};
    switch (*rc::gen::inRange(0, 8)) {
      case 0: return NoJitter{};
      case 1: return EqualJitter{};
      case 2: return ProportionalJitter{share};
      case 3: return AdditiveJitter{share};
      default: return {};
    }
  });
}

inline rc::Gen<BackoffPolicy> policy() {
  return rc::gen::exec([] {
    BackoffPolicy drawn{
        .base = *length(), .max = *length(), .cooldown = *length(), .clean_restart_delay = *positive_length()};
    drawn.max = std::max(drawn.base, std::max(drawn.max, Duration{2}));  // some wait, or an instant would never end
    drawn.base = std::max(drawn.base, Duration{1});
    drawn.growth = *growth();
    drawn.jitter = *jitter();
    if (*rc::gen::arbitrary<bool>()) {
      drawn.breaker =
          BreakerPolicy{.max_failures = *rc::gen::inRange<std::uint32_t>(1, 5), .window = *positive_length()};
      if (*rc::gen::arbitrary<bool>()) {
        const Duration open_for = *positive_length();
        drawn.breaker->half_open = HalfOpenPolicy{open_for, open_for + *length(), *positive_length()};
      }
    } else {
      drawn.breaker.reset();
    }
    return drawn;
  });
}

inline Target target(const std::vector<std::string>& names) {
  Target drawn;
  if (*rc::gen::arbitrary<bool>()) drawn.of = {*rc::gen::elementOf(names)};
  if (*rc::gen::arbitrary<bool>()) drawn.share = Target::kWhole / 2;
  if (drawn.share != Target::kWhole && *rc::gen::arbitrary<bool>()) drawn.cohort = "cohort";
  if (*rc::gen::inRange(0, 4) == 0) drawn.spread = *distribution();
  return drawn;
}

// Seldom enough to come to an end.
inline ChaosEntry again(ChaosEntry drawn) {
  if (*rc::gen::arbitrary<bool>() || std::holds_alternative<Recorded>(drawn.what) ||
      std::holds_alternative<Shutdown>(drawn.what))
    return drawn;
  drawn.every = *rc::gen::element<Distribution>(Fixed{1s}, Fixed{3s}, Uniform{1s, 2s}, Exponential{5s});
  if (*rc::gen::arbitrary<bool>()) drawn.until = drawn.at + *length();
  return drawn;
}

inline HungHeartbeats hung_heartbeats() { return *rc::gen::element(HungHeartbeats::stop, HungHeartbeats::go_on); }

class Values : public ChaosValues<Values> {
 public:
  explicit Values(const std::vector<std::string>& names) : names_(names) {}

  using ChaosValues::draw;
  void draw(Target& value) { value = target(names_); }
  void draw(Duration& value) { value = *length(); }
  void draw(DrawnLength& value) {
    value = *rc::gen::arbitrary<bool>() ? DrawnLength{*length()} : DrawnLength{*distribution()};
  }
  // In turn is left out: whose turn it is depends on the others.
  void draw(Repairs& value) { value = *rc::gen::element(Repairs::together, Repairs::each); }
  void draw(Recorded& value) {
    value.of = "s";
    draw(value.mode);
    draw(value.fails_after);
    draw(value.failing_starts);
    value.compress = *rc::gen::element(Ratio::from(1), Ratio::from(2.5));
    const Ratio severity = value.mode == OutageMode::gone ? Ratio::from(1) : Ratio::from(0.5);
    value.trace.causes = {"disk", "power"};
    for (const auto& name : names_) value.trace.entities.push_back(name.substr(2));
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
      const Duration from = *length();
      value.trace.failures.push_back(
          {.entity = *rc::gen::inRange<std::uint32_t>(0, static_cast<std::uint32_t>(names_.size())),
           .cause = *rc::gen::inRange<std::uint32_t>(0, 2),
           .from = from,
           .until = from + *length(),
           .severity = *rc::gen::element(Ratio::from(1), severity)});
    }
    std::stable_sort(value.trace.failures.begin(), value.trace.failures.end(),
                     [](const Failure& a, const Failure& b) { return a.from < b.from; });
  }
  void draw(Capacity&) {}
  void draw(Contagion&) {}
  // Left out: when a batch comes depends on the one before.
  void draw(std::optional<Rolling>&) {}
  void draw(std::optional<BackoffPolicy>& value) { value = perhaps(policy()); }
  void draw(std::vector<std::string>& value) { value = {*rc::gen::elementOf(names_)}; }
  // Left out: it ties services to others.
  void draw(std::optional<EndsFleet>&) {}

 private:
  const std::vector<std::string>& names_;
};

// There is no resource of which there could be less, and a contagion ties services to others: a storm instead.
inline ChaosEntry chaos(const std::vector<std::string>& names) {
  Values values{names};
  ChaosEntry drawn{.at = *length(),
                   .what = values.kind_at(*rc::gen::inRange<std::size_t>(0, std::variant_size_v<Chaos>))};
  if (std::holds_alternative<Capacity>(drawn.what) || std::holds_alternative<Contagion>(drawn.what)) {
    drawn.what = values.kind<Storm>();
  }
  return drawn;
}

}  // namespace runnable

// A watchdog that a heartbeat every so often satisfies, or one that it does not.
inline void be_watched(FleetGroup& group) {
  group.policy.watchdog = *rc::gen::element<Duration>(100ms, 500ms, 1s, 3s);
  group.policy.watchdog_needs = *rc::gen::element(SignOfLife::heartbeat, SignOfLife::progress);
  group.behaviour.heartbeat_every = perhaps(rc::gen::element<Duration>(100ms, 300ms, 1s));
  group.behaviour.hang_heartbeats = runnable::hung_heartbeats();
}

// Every service is a group of its own, s-0, s-1, …, so that one can be taken out.
inline rc::Gen<Scenario> runnable_scenario() {
  using namespace runnable;
  return rc::gen::exec([] {
    Scenario drawn;
    drawn.name = "generated";
    drawn.seed = {*rc::gen::arbitrary<std::uint64_t>()};
    drawn.duration = 10s;
    drawn.budget.events = 5000;
    drawn.supervisor = {.shutdown_timeout = *length(), .backoff = *policy(), .stop_grace = perhaps(length())};
    std::vector<std::string> names;
    for (int i = 0, size = *rc::gen::inRange(2, 6); i < size; ++i) {
      names.push_back("s-" + std::to_string(i));
      drawn.fleet.push_back({.name = names.back(),
                             .policy = {.restart = *rc::gen::element(RestartPolicy::always, RestartPolicy::on_failure,
                                                                     RestartPolicy::never),
                                        .backoff = perhaps(policy()),
                                        .stop_grace = perhaps(length())},
                             .behaviour = *behaviour()});
      if (*rc::gen::inRange(0, 3) == 0) be_watched(drawn.fleet.back());
      if (*rc::gen::inRange(0, 3) == 0) drawn.fleet.back().policy.exit_rules = {{3}, {0}, {78}};
      if (*rc::gen::inRange(0, 6) == 0) drawn.fleet.back().joins = Joins::later;
      if (*rc::gen::inRange(0, 3) > 0) continue;
      FleetGroup& slow = drawn.fleet.back();
      slow.policy.ready = Ready::notified;
      slow.policy.start_timeout = perhaps(positive_length());
      slow.behaviour.ready_after = perhaps(distribution());
    }
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) drawn.chaos.push_back(again(chaos(names)));
    if (*rc::gen::inRange(0, 3) == 0) drawn.heal_at = *length();
    return drawn;
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Any scenario
// ---------------------------------------------------------------------------------------------------------------------

namespace any {

inline rc::Gen<Duration> length(Duration min = 0ns, Duration max = kDurationMax) {
  return rc::gen::map(
      rc::gen::oneOf(rc::gen::element<std::int64_t>(0, 1, 999, 1'000, 1'001, 999'999'999, 60'000'000'000,
                                                    kDurationMax.count() - 1, kDurationMax.count()),
                     rc::gen::inRange<std::int64_t>(0, kDurationMax.count())),
      [=](std::int64_t count) { return std::clamp(Duration{count}, min, max); });
}
inline rc::Gen<Duration> positive_length() { return length(1ns); }

inline rc::Gen<Ratio> ratio(Ratio min, Ratio max) {
  return rc::gen::map(rc::gen::inRange<std::uint64_t>(min.two_to_minus_32, max.two_to_minus_32 + 1),
                      [](std::uint64_t parts) { return Ratio{parts}; });
}

// From min to 2^63-1, often one of the ends.
inline rc::Gen<std::uint64_t> count(std::uint64_t min = 0) {
  constexpr std::uint64_t kMax = INT64_MAX;
  return rc::gen::oneOf(rc::gen::element(min, min + 1, kMax - 1, kMax), rc::gen::inRange<std::uint64_t>(min, 10'000));
}

// Text that is awkward in TOML, in CSV or in UTF-8, but for commas and control characters.
inline std::string awkward() {
  std::string drawn;
  for (int pieces = *rc::gen::inRange(0, 4); pieces > 0; --pieces) {
    drawn += *rc::gen::element<std::string>("a", "feed", " ", "\"", "\"\"\"", "'", "\\", "\\n", "\\u0041", "#", "=",
                                            "]", "-7", ".", "{", "é", "日本", "\U0001F600", "\u00a0", "\ufffd",
                                            "\xc2\xa1", std::string(60, 'n'));
  }
  return drawn;
}

// No name has a blank at an end.
inline std::string without_blank_ends(std::string text) {
  for (const std::string_view blank : {" ", "\u00a0", " ", "\u00a0", " ", "\u00a0"}) {
    while (text.starts_with(blank)) text.erase(0, blank.size());
    while (text.ends_with(blank)) text.erase(text.size() - blank.size());
  }
  return text;
}

// No two of different numbers are equal, nor is one of them a service of another.
inline std::string name(std::size_t number) {
  return without_blank_ends(awkward() + '#' + std::to_string(number) + '.' + awkward());
}

inline rc::Gen<Distribution> distribution() {
  return rc::gen::exec([]() -> Distribution {
    switch (*rc::gen::inRange(0, 5)) {
      case 0: return Uniform{0ns, *length()};
      case 1: return Exponential{*positive_length()};
      case 2: return Weibull{*ratio(kShapeMin, kShapeMax), *positive_length()};
      case 3: return LogNormal{*positive_length(), *ratio(Ratio{}, kSigmaMax)};
      default: return Fixed{*length()};
    }
  });
}

inline Growth growth() {
  switch (*rc::gen::inRange(0, 5)) {
    case 0: return ExponentialGrowth{{*rc::gen::inRange(kFactorMin.count, kFactorMax.count + 1)}};
    case 1: return LinearGrowth{*length()};
    case 2: return SteppedGrowth{*rc::gen::inRange<std::uint32_t>(1, kStepsMax + 1)};
    case 3: return FixedDelay{};
    default: return {};
  }
}

inline Jitter jitter() {
  const Thousandths share{*rc::gen::inRange(kJitterShareMin.count, kJitterShareMax.count + 1)};
  switch (*rc::gen::inRange(0, 5)) {
    case 0: return NoJitter{};
    case 1: return EqualJitter{};
    case 2: return ProportionalJitter{share};
    case 3: return AdditiveJitter{share};
    default: return {};
  }
}

inline rc::Gen<BackoffPolicy> policy() {
  return rc::gen::exec([] {
    BackoffPolicy drawn{.max = *length(), .cooldown = *length(), .clean_restart_delay = *length()};
    drawn.base = *length(0ns, drawn.max);
    drawn.growth = growth();
    drawn.jitter = jitter();
    drawn.breaker.reset();
    if (*rc::gen::arbitrary<bool>()) {
      drawn.breaker = BreakerPolicy{.max_failures = *rc::gen::inRange<std::uint32_t>(1, kMaxFailuresMax + 1),
                                    .window = *positive_length()};
      if (*rc::gen::arbitrary<bool>()) {
        const Duration open_for_max = *positive_length();
        drawn.breaker->half_open = HalfOpenPolicy{*length(1ns, open_for_max), open_for_max, *positive_length()};
      }
      drawn.breaker->counts = *rc::gen::element(BreakerCounts::failures, BreakerCounts::ends);
    }
    return drawn;
  });
}

// Of ways that are different and in the order of the format.
inline Ends ends() {
  std::vector<Ends::Part> parts;
  for (const Then then : file::kEnumerators<Then>) {
    if (*rc::gen::arbitrary<bool>() || (then == Then::hang && parts.empty()))
      parts.push_back({then, {*rc::gen::inRange<std::uint64_t>(1, Ratio::from(100).two_to_minus_32 + 1)}});
  }
  return Ends{std::move(parts)};
}

inline Behaviour behaviour() {
  Behaviour drawn{.runs_for = perhaps(distribution())};
  if (drawn.runs_for)
    drawn.then = *rc::gen::elementOf(std::vector(file::kEnumerators<Then>.begin(), file::kEnumerators<Then>.end()));
  if (drawn.runs_for && *rc::gen::inRange(0, 3) == 0) drawn.then = ends();
  if (drawn.runs_for) drawn.exit_status = perhaps(rc::gen::arbitrary<std::uint8_t>());
  if (drawn.runs_for && *rc::gen::arbitrary<bool>()) {
    drawn.recovers_after = *distribution();
    drawn.fails_after = *length();
  }
  if (*rc::gen::arbitrary<bool>()) drawn.fails_first = {.runs = *count(1), .after = *length()};
  switch (*rc::gen::inRange(0, 3)) {
    case 0: drawn.on_stop = Ignores{}; break;
    case 1: drawn.on_stop = Takes{*distribution()}; break;
    default: break;
  }
  switch (*rc::gen::inRange(0, 4)) {
    case 0: drawn.on_kill = Ignores{}; break;
    case 1: drawn.on_kill = Takes{*distribution()}; break;
    case 2: drawn.on_kill = Obeys{}; break;
    default: break;
  }
  return drawn;
}

inline Resource resource(const std::string& name) {
  return {.name = name,
          .slots = *rc::gen::element<std::uint32_t>(1, 2, 2'000'000),
          .takes = *distribution(),
          .queue = perhaps(rc::gen::element<std::uint32_t>(0, 1, 2'000'000)),
          .next = *rc::gen::element(ServedNext::oldest, ServedNext::newest),
          .stale = *rc::gen::element(Stale::served, Stale::dropped)};
}

inline Need need(const std::vector<Resource>& resources) {
  return {.resource = (*rc::gen::elementOf(resources)).name,
          .holds = *rc::gen::element(Holds::start, Holds::run),
          .gives_up_after = perhaps(length())};
}

// With signs of life of any kind.
inline FleetGroup is_watched(FleetGroup group) {
  group.policy.watchdog = *positive_length();
  group.policy.watchdog_needs = *rc::gen::element(SignOfLife::heartbeat, SignOfLife::progress);
  group.behaviour.heartbeat_every = perhaps(positive_length());
  group.behaviour.hang_heartbeats = *rc::gen::element(HungHeartbeats::stop, HungHeartbeats::go_on);
  return group;
}

// With what its runs do to be ready.
inline FleetGroup says_when_ready(FleetGroup group) {
  group.policy.ready = Ready::notified;
  group.policy.start_timeout = perhaps(positive_length());
  group.behaviour.ready_after = perhaps(distribution());
  return group;
}

inline FleetGroup group(std::size_t number) {
  FleetGroup drawn{
      .name = name(number),
      .count = perhaps(rc::gen::element<std::uint32_t>(1, 2, 10, 11, 100'000)),
      .policy = {.restart = *rc::gen::element(RestartPolicy::always, RestartPolicy::on_failure, RestartPolicy::never),
                 .backoff = perhaps(policy()),
                 .stop_grace = perhaps(length())},
      .behaviour = behaviour()};
  if (*rc::gen::inRange(0, 3) == 0) drawn = is_watched(std::move(drawn));
  if (*rc::gen::inRange(0, 3) == 0) drawn.policy.exit_rules = {{1, 255}, {0, 128}, {64}};
  if (*rc::gen::inRange(0, 4) == 0) drawn.joins = Joins::later;
  return *rc::gen::inRange(0, 3) == 0 ? says_when_ready(std::move(drawn)) : drawn;
}

// Some of the groups, and of some others a service.
inline std::vector<std::string> some_of(const std::vector<FleetGroup>& fleet, bool groups) {
  std::vector<std::string> drawn;
  for (const auto& group : fleet) {
    switch (*rc::gen::inRange(0, 3)) {
      case 0: drawn.push_back(group.service_name(*rc::gen::inRange<std::uint32_t>(0, group.size()))); break;
      case 1:
        if (groups) drawn.push_back(group.name);
        break;
      default: break;
    }
  }
  return drawn;
}

inline Target target(const std::vector<FleetGroup>& fleet) {
  Target drawn{.of = some_of(fleet, true), .share = *rc::gen::inRange<std::uint64_t>(1, Target::kWhole + 1)};
  if (*rc::gen::arbitrary<bool>()) drawn.cohort = name(*rc::gen::inRange<std::size_t>(0, 3));
  drawn.spread = perhaps(distribution());
  return drawn;
}

// The text of a recorded trace of these entities, with rows in any order.
inline std::string recorded_rows(const std::vector<std::string>& entities) {
  std::string text{kRecordedHeader};
  text += '\n';
  const std::string causes[] = {"", awkward(), ", " + awkward()};
  for (int rows = *rc::gen::inRange(0, 12); rows > 0; --rows) {
    const Duration from = *rc::gen::element<Duration>(0ns, 1s, 2s, 1h);
    text += *rc::gen::elementOf(entities) + ',' + to_string(from) + ',' +
            to_string(std::max(from, *rc::gen::element<Duration>(1s, 2s, kDurationMax))) + ',' +
            causes[*rc::gen::inRange(0, 3)] + '\n';
  }
  return text;
}

// Of a group with a count, or of services of its own. `number`: of its file.
inline Recorded recorded(const std::vector<FleetGroup>& fleet, std::size_t number) {
  Recorded drawn{.file = awkward() + "\t" + std::to_string(number) + ".csv"};
  std::vector<std::string> entities{without_blank_ends("e-" + awkward()), "f", "é\"\\"};
  for (const auto& group : fleet) {
    if (!group.count || *rc::gen::arbitrary<bool>()) continue;
    drawn.of = group.name;
    entities = {"0", std::to_string(*group.count - 1)};
  }
  drawn.trace = parse_recorded_trace(recorded_rows(entities), drawn.file);
  return drawn;
}

// In a scenario that has an end.
inline ChaosEntry again(ChaosEntry drawn, const Scenario& scenario) {
  if (!scenario.duration || *rc::gen::arbitrary<bool>() || std::holds_alternative<Recorded>(drawn.what) ||
      std::holds_alternative<Shutdown>(drawn.what))
    return drawn;
  drawn.every = *rc::gen::suchThat(distribution(), [](const Distribution& every) {
    const auto* const uniform = std::get_if<Uniform>(&every);
    return every != Distribution{Fixed{0ns}} && (uniform == nullptr || uniform->max > 0ns);
  });
  drawn.until = perhaps(length(drawn.at, *scenario.duration));
  return drawn;
}

class Values : public ChaosValues<Values> {
 public:
  Values(const Scenario& scenario, std::size_t number) : scenario_(scenario), number_(number) {}

  using ChaosValues::draw;
  void draw(Target& value) { value = target(scenario_.fleet); }
  void draw(Duration& value) { value = *length(); }
  void draw(DrawnLength& value) { value = *distribution(); }
  void draw(Recorded& value) {
    value = recorded(scenario_.fleet, number_);
    draw(value.mode);
    draw(value.fails_after);
    draw(value.failing_starts);
    value.compress = *rc::gen::element(Ratio::from(1), Ratio::from(2.5), Recorded::kCompressMax);
  }
  void draw(Capacity& value) {
    value.of = (*rc::gen::elementOf(scenario_.resources)).name;
    value.slots = *rc::gen::element<std::uint32_t>(0, 1, UINT32_MAX);
    draw(value.length);
  }
  void draw(Contagion& value) {
    draw(value.target);
    value.others = some_of(scenario_.fleet, true);
    draw(value.length);
    draw(value.chance);
    value.hits = *rc::gen::element<std::uint32_t>(1, 2, Infection::kHitsMax);
    draw(value.after);
  }
  void draw(OperatorCommand& value) {
    draw(value.target);
    draw(value.what);
    draw_batches(value.target, value.batches);
  }
  void draw(Reconfigure& value) {
    draw(value.target);
    draw(value.change);
    draw_batches(value.target, value.batches);
    if (value.change == PolicyChange{}) value.change.ends_fleet = EndsFleet::always;
  }
  void draw(std::optional<BackoffPolicy>& value) { value = perhaps(policy()); }
  void draw(std::vector<std::string>& value) { value = some_of(scenario_.fleet, true); }
  void draw_batches(const Target& of, std::optional<Rolling>& batches) {
    if (of.spread || *rc::gen::arbitrary<bool>()) return;
    batches = Rolling{*rc::gen::element<std::uint32_t>(1, 2, UINT32_MAX), *positive_length()};
  }

 private:
  const Scenario& scenario_;
  std::size_t number_;
};

inline ChaosEntry chaos(const Scenario& scenario, std::size_t number) {
  Values values{scenario, number};
  ChaosEntry drawn{.at = *length(0ns, scenario.duration.value_or(kDurationMax)), .what = Shutdown{}};
  const auto place = *rc::gen::inRange<std::size_t>(0, std::variant_size_v<Chaos>);
  const bool is_capacity = place == Chaos{Capacity{}}.index();
  if (!is_capacity || !scenario.resources.empty()) drawn.what = values.kind_at(place);
  if (reaches_services(drawn.what) && *rc::gen::arbitrary<bool>()) drawn.required = Required{};
  return drawn;
}

inline rc::Gen<CountRange> range() {
  return rc::gen::exec([] {
    const auto a = *count();
    const auto b = *count();
    switch (*rc::gen::inRange(0, 4)) {
      case 0: return CountRange{a, a};
      case 1: return CountRange{a, UINT64_MAX};
      case 2: return CountRange{0, a};
      default: return CountRange{std::min(a, b), std::max(a, b)};
    }
  });
}

inline ExpectedCounts counts() {
  ExpectedCounts drawn;
  for (const auto& count : kExpectedCounts) drawn.*count.member = perhaps(range());
  return drawn;
}

inline ExpectedFigures figures() {
  const auto long_or_short = length(0ns, kDurationMax);
  ExpectedFigures drawn{.down_at_once_max = perhaps(count()),
                        .restarts_a_second_max = perhaps(count()),
                        .storm_max = perhaps(count()),
                        .recovery_median_max = perhaps(long_or_short),
                        .recovery_p90_max = perhaps(long_or_short),
                        .recovery_p99_max = perhaps(long_or_short),
                        .recovery_max = perhaps(long_or_short),
                        .drain_max = perhaps(long_or_short)};
  if (*rc::gen::arbitrary<bool>()) drawn.availability_min = *rc::gen::inRange<std::uint64_t>(1, Target::kWhole + 1);
  return drawn;
}

inline Condition condition(const Scenario& scenario) {
  Condition drawn;
  const auto names = some_of(scenario.fleet, true);
  if (!names.empty()) drawn.of = names.front();
  bool in_window = false;
  for (std::size_t i = 0; i < kConditionCounts.size(); ++i) {
    drawn.counts.*kConditionCounts[i].member = perhaps(range());
    in_window = in_window || (i >= kConditionStates && drawn.counts.*kConditionCounts[i].member);
  }
  if (in_window) drawn.window = *length(1ns, kDurationMax);
  if (drawn.counts == ConditionCounts{}) drawn.counts.running = *range();
  return drawn;
}

inline ExpectedProperty property(const Scenario& scenario, std::size_t number) {
  ExpectedProperty drawn{.name = "p" + std::to_string(number)};
  const auto some = [] { return *rc::gen::arbitrary<bool>(); };
  const auto end = scenario.duration.value_or(kDurationMax);
  switch (*rc::gen::inRange(0, 4)) {
    case 0: drawn.what = Always{condition(scenario)}; break;
    case 1: drawn.what = Never{condition(scenario)}; break;
    case 2: drawn.what = Sometimes{condition(scenario)}; break;
    default:
      drawn.what = Eventually{condition(scenario)};
      if (some()) {
        drawn.whenever = condition(scenario);
        drawn.within = perhaps(length(0ns, kDurationMax));
      }
  }
  if (!drawn.whenever && some()) drawn.whenever = condition(scenario);
  if (some()) drawn.before = condition(scenario);
  if (some()) drawn.from = *length(0ns, end);
  if (some()) drawn.until = *length(drawn.from, end);
  if (some()) drawn.in_drain = InDrain{};
  return drawn;
}

inline Expectations expectations(const Scenario& scenario) {
  const auto by = length(0ns, scenario.duration.value_or(kDurationMax));
  Expectations drawn{.fleet = counts(),
                     .figures = figures(),
                     .all_running_by = perhaps(by),
                     .all_terminated_by = perhaps(by),
                     .drained_by = perhaps(by)};
  for (const auto& name : some_of(scenario.fleet, true)) drawn.groups.push_back({name, counts()});
  for (auto& group : drawn.groups) {
    const auto is_it = [&](const FleetGroup& one) { return one.name == group.name; };
    if (std::any_of(scenario.fleet.begin(), scenario.fleet.end(), is_it) && *rc::gen::arbitrary<bool>())
      group.availability_min = *rc::gen::inRange<std::uint64_t>(1, Target::kWhole + 1);
  }
  if (scenario.heal_at)
    drawn.after_heal_within = perhaps(length(0ns, scenario.duration.value_or(kDurationMax) - *scenario.heal_at));
  if (*rc::gen::arbitrary<bool>()) drawn.abandoned_services = some_of(scenario.fleet, false);
  const auto properties = *rc::gen::inRange<std::size_t>(0, 3);
  for (std::size_t i = 0; i < properties; ++i) drawn.properties.push_back(property(scenario, i));
  return drawn;
}

inline std::string program_text() {
  return *rc::gen::element<std::string>("a", "${NAME}", "-$${x}/é\"\\ ${INDEX}", "/b c");
}
inline std::vector<std::string> program_texts() { return {program_text(), program_text()}; }
inline file::SizeLimit size_limit() { return {perhaps(rc::gen::inRange<std::uint64_t>(0, file::kSizeMax))}; }
inline file::CountLimit count_limit() { return {perhaps(rc::gen::inRange<std::uint64_t>(0, 1'000'000))}; }

// With every key, each at random.
inline file::Program program(std::size_t number) {
  const auto some = [] { return *rc::gen::arbitrary<bool>(); };
  file::Program drawn{.command = program_texts()};
  if (some()) drawn.environment = {{"A", program_text()}, {"é b", ""}};
  if (some()) drawn.environment_files = program_texts();
  if (some()) drawn.folder = program_text();
  if (some()) drawn.user = "nobody";
  if (some()) drawn.group = "7";
  if (some()) drawn.umask = file::FileModeMask{*rc::gen::inRange(0U, 01000U)};
  if (some())
    drawn.limits = {count_limit(), count_limit(), size_limit(), size_limit(), size_limit(), size_limit(), size_limit()};
  if (some()) drawn.stop_signal = {*rc::gen::element(15, 2, 3)};
  if (some()) drawn.stop_to = file::StopsFirst::process;
  if (some()) {
    drawn.log = {file::LogTo::file,
                 std::to_string(number) + "${NAME}",
                 {*rc::gen::inRange<std::uint64_t>(0, file::kSizeMax)},
                 *rc::gen::inRange<std::uint32_t>(0, file::kLogFilesMax + 1)};
  }
  return drawn;
}

inline file::ReadyWhen ready_when() {
  file::ReadyWhen drawn{.every = *length(kProbeTimeMin, kProbeTimeMax),
                        .timeout = *length(kProbeTimeMin, kProbeTimeMax)};
  switch (*rc::gen::inRange(0, 5)) {
    case 0:
      drawn.by = file::AskedPort{*rc::gen::element<std::string>("1", "65535", "[::1]:1${INDEX}", "127.0.0.1:007")};
      break;
    case 1:
      drawn.by = file::AskedPage{*rc::gen::element<std::string>("http://localhost", "http://127.0.0.1:8${INDEX}/a?b")};
      break;
    case 2: drawn.by = file::AskingCommand{program_texts()}; break;
    case 3: drawn = {.by = file::OutputText{program_text()}}; break;
    default:
      drawn = {.by = file::OwnDescriptor{*rc::gen::inRange<std::uint32_t>(3, file::kOwnDescriptorMax + 1)}};
      break;
  }
  return drawn;
}

inline file::HealthWhen health_when() {
  file::HealthWhen drawn{.every = *length(kProbeTimeMin, kProbeTimeMax),
                         .timeout = *length(kProbeTimeMin, kProbeTimeMax),
                         .failures = *rc::gen::inRange<std::uint32_t>(1, kProbeFailuresMax + 1)};
  switch (*rc::gen::inRange(0, 3)) {
    case 0: drawn.by = file::AskedPort{"80${INDEX}"}; break;
    case 1: drawn.by = file::AskedPage{"http://[::1]/${INDEX}"}; break;
    default: drawn.by = file::AskingCommand{program_texts()}; break;
  }
  return drawn;
}

// A command around a program; without a time of its own it is written as its words alone.
inline std::optional<file::Errand> errand() {
  if (*rc::gen::arbitrary<bool>()) return std::nullopt;
  file::Errand drawn{.words = program_texts()};
  if (*rc::gen::arbitrary<bool>()) drawn.timeout = *positive_length();
  return drawn;
}

// With the policy that they make.
inline void add_probes(FleetGroup& group) {
  if (*rc::gen::arbitrary<bool>()) {
    group.program.ready = ready_when();
    group.policy.ready = Ready::notified;
  }
  if (*rc::gen::arbitrary<bool>()) {
    group.program.health = health_when();
    group.policy.watchdog = watchdog_of(group.program.health->times());
    group.policy.watchdog_needs = SignOfLife::health;
    group.behaviour.heartbeat_every.reset();
  }
}

// After some of the groups before it, of which each has few services.
inline Order order(const std::vector<FleetGroup>& fleet, std::size_t group) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < group; ++i) {
    if (fleet[i].size() <= 100 && *rc::gen::arbitrary<bool>()) names.push_back(fleet[i].name);
  }
  if (names.empty()) return {};
  Order order{.on_dependency =
                  *rc::gen::element(OnDependency::keep, OnDependency::wait, OnDependency::restart, OnDependency::stop),
              .wake_jitter = *length()};
  (*rc::gen::arbitrary<bool>() ? order.after : order.after_if_present) = NameList{std::move(names)};
  return order;
}

// Whoever is after one that joins later joins later as well. REQUIRES: each is after groups before it.
inline void join_after_others(std::vector<FleetGroup>& fleet) {
  for (auto& group : fleet) {
    for (const auto& name : group.policy.order.after.names()) {
      const auto is_it = [&](const FleetGroup& one) { return one.name == name; };
      if (std::find_if(fleet.begin(), fleet.end(), is_it)->joins == Joins::later) group.joins = Joins::later;
    }
  }
}

// Some services are in them.
inline void add_groups(Scenario& scenario) {
  for (const auto* const path : {"/a", "/a/b", "/c d"}) {
    GroupConfig group{.path = path,
                      .policy = {.strategy = *rc::gen::element(Strategy::one_for_one, Strategy::one_for_all,
                                                               Strategy::rest_for_one)}};
    if (*rc::gen::arbitrary<bool>()) {
      group.policy.intensity = {*rc::gen::inRange<std::uint32_t>(0, kMaxRestartsMax + 1), *positive_length()};
    }
    scenario.groups.push_back(std::move(group));
  }
  for (auto& group : scenario.fleet) {
    if (*rc::gen::arbitrary<bool>()) group.policy.group = *rc::gen::element<std::string>("/a", "/a/b", "/c d");
    if (*rc::gen::inRange(0, 8) == 0) group.policy.ends_fleet = EndsFleet::when_lost;
    if (*rc::gen::inRange(0, 8) == 0) group.policy.forget_when_done = true;
  }
}

// What a file with a command in it says, it says in full: otherwise it would mean something else than here.
inline void add_programs(Scenario& scenario) {
  for (std::size_t i = 0; i < scenario.fleet.size(); ++i) {
    auto& group = scenario.fleet[i];
    if (*rc::gen::arbitrary<bool>()) continue;
    group.program = program(i);
    if (group.size() < 100) add_probes(group);  // or the numbers make no port
    group.program.before_start = errand();
    group.program.after_stop = errand();
    if (!group.behaviour.on_kill) group.behaviour.on_kill = Ignores{};
    if (!scenario.supervisor.stop_grace) scenario.supervisor.stop_grace = *length();
  }
  if (*rc::gen::arbitrary<bool>()) scenario.production = {"c.sock", "[::1]:80", file::RecordingFolder{"rec", 3}};
}

}  // namespace any

inline rc::Gen<Scenario> any_scenario() {
  using namespace any;
  return rc::gen::exec([] {
    Scenario drawn{.name = name(0), .seed = {*count()}, .duration = perhaps(positive_length())};
    if (*rc::gen::arbitrary<bool>()) {
      drawn.supervisor = {*length(), *policy(), *rc::gen::element(WhenAllTerminated::wait, WhenAllTerminated::return_),
                          perhaps(length())};
      if (*rc::gen::arbitrary<bool>()) {
        drawn.supervisor.restart_limit =
            RestartLimit{*positive_length(), *rc::gen::inRange<std::uint32_t>(1, kRestartBurstMax + 1)};
      }
      if (*rc::gen::arbitrary<bool>()) {
        drawn.supervisor.starting_max = *rc::gen::inRange<std::uint32_t>(1, kStartingMaxMax + 1);
      }
    }
    for (std::size_t i = 0, size = *rc::gen::inRange<std::size_t>(0, 3); i < size; ++i) {
      drawn.resources.push_back(resource(name(i)));
    }
    for (std::size_t i = 0, size = *rc::gen::inRange<std::size_t>(1, 6); i < size; ++i) {
      drawn.fleet.push_back(group(i));
      if (!drawn.resources.empty())
        drawn.fleet.back().behaviour.needs = perhaps(rc::gen::exec([&] { return need(drawn.resources); }));
    }
    if (*rc::gen::arbitrary<bool>()) add_groups(drawn);
    for (std::size_t i = 1; i < drawn.fleet.size(); ++i) {
      if (*rc::gen::arbitrary<bool>()) drawn.fleet[i].policy.order = order(drawn.fleet, i);
    }
    join_after_others(drawn.fleet);
    for (std::size_t i = 0, size = *rc::gen::inRange<std::size_t>(0, 6); i < size; ++i) {
      drawn.chaos.push_back(again(chaos(drawn, i), drawn));
    }
    if (*rc::gen::arbitrary<bool>()) drawn.heal_at = *length(0ns, drawn.duration.value_or(kDurationMax));
    if (*rc::gen::arbitrary<bool>()) drawn.expect = expectations(drawn);
    if (*rc::gen::arbitrary<bool>()) drawn.budget = {*count(1), *positive_length()};
    if (*rc::gen::inRange(0, 3) == 0) add_programs(drawn);
    return drawn;
  });
}

}  // namespace holdfast::test
