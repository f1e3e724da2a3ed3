#include <holdfast_sim/checks/detail/property_checks.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include <holdfast/detail/enumerators.hpp>

namespace holdfast::sim::detail {

using holdfast::to_string;

static_assert(kConditionCounts.size() == holdfast::detail::enumerators_of<Counted>(),
              "a count for each row of the format");
static_assert(static_cast<std::size_t>(Counted::starts) == kConditionStates, "states before happenings");

namespace {

const Condition& condition_of(const PropertyKind& kind) {
  return std::visit([](const auto& of) -> const Condition& { return of.what; }, kind);
}

struct KindName {
  std::string operator()(const Always&) const { return "always"; }
  std::string operator()(const Never&) const { return "never"; }
  std::string operator()(const Eventually&) const { return "eventually"; }
  std::string operator()(const Sometimes&) const { return "sometimes"; }
};

// The first count of the condition that is not as it says; nullopt: all are.
template <class CountOf>
std::optional<std::size_t> first_wrong(const Condition& condition, const CountOf& count_of) {
  for (std::size_t i = 0; i < kConditionCounts.size(); ++i) {
    const auto& range = condition.counts.*kConditionCounts[i].member;
    if (range && !range->has(count_of(i))) return i;
  }
  return std::nullopt;
}

}  // namespace

std::string in_words(const CountRange& range) {
  if (range.min == range.max) return std::to_string(range.min);
  if (range.max == UINT64_MAX) return fmt::format("at least {}", range.min);
  if (range.min == 0) return fmt::format("at most {}", range.max);
  return fmt::format("{} to {}", range.min, range.max);
}

std::string in_words(const Condition& condition) {
  std::string text;
  for (const auto& count : kConditionCounts) {
    const auto& range = condition.counts.*count.member;
    if (range) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count.name, in_words(*range));
  }
  if (condition.window) text += " within " + to_string(*condition.window);
  return condition.of ? *condition.of + ": " + text : text;
}

std::string in_words(const ExpectedProperty& property) {
  std::string text;
  if (property.whenever) text += "whenever " + in_words(*property.whenever) + ", ";
  text += std::visit(KindName{}, property.what) + ' ' + in_words(condition_of(property.what));
  if (property.within) text += " within " + to_string(*property.within);
  if (property.before) text += ", before " + in_words(*property.before);
  if (property.from > Duration::zero()) text += ", from " + to_string(property.from);
  if (property.until) text += ", until " + to_string(*property.until);
  return text;
}

// ---------------------------------------------------------------------------------------------------------------------
// What is counted
// ---------------------------------------------------------------------------------------------------------------------

PropertyChecks::PropertyChecks(std::vector<ExpectedProperty> expected, NameServices name_services)
    : expected_(std::move(expected)), name_services_(std::move(name_services)) {
  for (const auto& one : expected_) {
    Property property{.expected = &one, .what = watch(condition_of(one.what))};
    if (one.whenever) property.whenever = watch(*one.whenever);
    if (one.before) property.before = watch(*one.before);
    properties_.push_back(std::move(property));
  }
}

std::uint32_t PropertyChecks::watch(const Condition& condition) {
  watched_.push_back({.condition = &condition, .scope = scope_of(condition.of)});
  return static_cast<std::uint32_t>(watched_.size() - 1);
}

std::uint32_t PropertyChecks::scope_of(const std::optional<std::string>& name) {
  const auto next = static_cast<std::uint32_t>(scopes_.size());
  const std::uint32_t scope = name ? scope_by_name_.try_emplace(*name, next).first->second : fleet_.value_or(next);
  if (!name) fleet_ = scope;
  if (scope == next) scopes_.emplace_back();
  return scope;
}

CountedFor PropertyChecks::counted_for(std::string_view name, std::string_view group) const {
  const auto named = [this](std::string_view of) {
    const auto found = scope_by_name_.find(of);
    return found == scope_by_name_.end() ? CountedFor::kNobody : found->second;
  };
  const bool has_group = !group.empty() && group != name;
  return {{fleet_.value_or(CountedFor::kNobody), named(name), has_group ? named(group) : CountedFor::kNobody}};
}

void PropertyChecks::moved(const CountedFor& service, CountedStates before, CountedStates after) {
  if (before == after) return;
  for (const std::uint32_t scope : service.scopes) {
    if (scope == CountedFor::kNobody) continue;
    for (std::size_t i = 0; i < kConditionStates; ++i) {
      scopes_[scope].states[i] += (after >> i) & 1U;
      scopes_[scope].states[i] -= (before >> i) & 1U;
    }
  }
}

void PropertyChecks::happened(const CountedFor& service, Counted what, TimePoint at) {
  const auto index = static_cast<std::size_t>(what) - kConditionStates;
  for (Watched& watched : watched_) {
    const bool counts = std::find(service.scopes.begin(), service.scopes.end(), watched.scope) != service.scopes.end();
    if (!counts || !watched.condition->window) continue;
    Lately& lately = watched.lately[index];
    if (lately.times.empty() || lately.times.back().at != at) lately.times.push_back({at, 0});
    ++lately.times.back().count;
    ++lately.count;
  }
}

std::uint64_t PropertyChecks::count(const Watched& watched, std::size_t what) const {
  return what < kConditionStates ? scopes_[watched.scope].states[what] : watched.lately[what - kConditionStates].count;
}

bool PropertyChecks::holds(std::uint32_t condition) const {
  const Watched& watched = watched_[condition];
  return !first_wrong(*watched.condition, [&](std::size_t what) { return count(watched, what); });
}

// When something leaves a window; `until` if nothing does before.
TimePoint PropertyChecks::next_change(TimePoint until) const {
  for (const Watched& watched : watched_) {
    for (const Lately& lately : watched.lately) {
      if (!lately.times.empty()) until = std::min(until, lately.times.front().at + *watched.condition->window);
    }
  }
  return until;
}

// What happened a whole window ago does not count any more.
void PropertyChecks::forget(TimePoint at) {
  for (Watched& watched : watched_) {
    for (Lately& lately : watched.lately) {
      while (!lately.times.empty() && lately.times.front().at + *watched.condition->window <= at) {
        lately.count -= lately.times.front().count;
        lately.times.pop_front();
      }
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The course of the run
// ---------------------------------------------------------------------------------------------------------------------

void PropertyChecks::hold(TimePoint at, TimePoint until) {
  while (at < until) {
    forget(at);
    const TimePoint end = next_change(until);
    for (Property& property : properties_) judge(property, at, end);
    at = end;
  }
}

void PropertyChecks::drain(TimePoint at) {
  if (std::exchange(drains_, true)) return;
  for (Property& property : properties_) {
    if (!property.expected->in_drain) close(property, at);
  }
}

std::vector<ExpectationResult> PropertyChecks::finish(TimePoint at) {
  std::vector<ExpectationResult> results;
  for (Property& property : properties_) {
    close(property, at);
    results.push_back(std::move(*property.result));
  }
  return results;
}

// All conditions are as they are now from `at` until `until`, which is not included.
void PropertyChecks::judge(Property& property, TimePoint at, TimePoint until) {
  if (property.result) return;
  const ExpectedProperty& expected = *property.expected;
  if (expected.until) {
    const TimePoint last = TimePoint{} + *expected.until;
    if (at > last) return close(property, last);
    until = std::min(until, last + Duration{1});
  }
  at = std::max(at, TimePoint{} + expected.from);
  if (at >= until) return;
  property.has_begun = true;
  if (property.before && holds(*property.before)) return close(property, at);
  if (std::holds_alternative<Eventually>(expected.what) && property.whenever) {
    return judge_following(property, at, until);
  }
  const bool is_meant = !property.whenever || holds(*property.whenever);
  property.times += is_meant && !std::exchange(property.was_whenever, is_meant);
  property.was_whenever = is_meant;
  if (!is_meant) return;
  const bool held = holds(property.what);
  if (std::holds_alternative<Always>(expected.what)) {
    if (!held) break_at(property, at, "not always");
  } else if (std::holds_alternative<Never>(expected.what)) {
    if (held) break_at(property, at, "it happened");
  } else if (held) {
    decide(property, true, {}, at, "at " + to_string(at));
  }
}

TimePoint PropertyChecks::deadline(const Property& property) const {
  const auto& within = property.expected->within;
  return within ? *property.waits_since + *within : TimePoint::max();
}

// One wait at a time is enough: what follows the first `whenever` follows all that began since, and the first is the
// first to be too late.
void PropertyChecks::judge_following(Property& property, TimePoint at, TimePoint until) {
  const bool is_whenever = holds(*property.whenever);
  if (is_whenever && !property.was_whenever) {
    ++property.times;
    if (!property.waits_since) property.waits_since = at;
  }
  property.was_whenever = is_whenever;
  if (!property.waits_since) return;
  if (holds(property.what)) {
    property.slowest = std::max(property.slowest, at - *property.waits_since);
    property.kept = property.times;
    property.waits_since.reset();
  } else if (until > deadline(property)) {
    break_at(property, deadline(property), "too late");
  }
}

// Its time is over at `at`.
void PropertyChecks::close(Property& property, TimePoint at) {
  if (property.result) return;
  const ExpectedProperty& expected = *property.expected;
  const bool is_always = std::holds_alternative<Always>(expected.what) || std::holds_alternative<Never>(expected.what);
  if (!property.has_begun) {
    return decide(property, false, "not reached", at,
                  fmt::format("the end at {}, before its time began", to_string(at)));
  }
  const std::string until = "until " + to_string(at);
  if (!property.whenever) {
    const bool is_never = !std::holds_alternative<Always>(expected.what);
    return decide(property, is_always, "it never happened", at, (is_never ? "never " : "always ") + until);
  }
  const std::string times = fmt::format("{} {}", property.times, property.times == 1 ? "time" : "times");
  if (is_always) return decide(property, true, {}, at, fmt::format("{}, {}", times, until));
  if (!std::holds_alternative<Eventually>(expected.what)) {
    return decide(property, false, "it never happened", at, fmt::format("never, {}", times));
  }
  const bool is_open = property.waits_since && at <= deadline(property);
  if (property.waits_since && !(is_open && expected.within)) return break_at(property, at, "it never happened");
  std::string found =
      property.kept == 0 ? times : fmt::format("{}, after {} at most", times, to_string(property.slowest));
  if (is_open) found += fmt::format("; the latest was too near the end at {} to tell", to_string(at));
  decide(property, true, {}, at, std::move(found));
}

void PropertyChecks::decide(Property& property, bool held, std::string_view cause, TimePoint at, std::string found) {
  const bool is_sometimes = std::holds_alternative<Sometimes>(property.expected->what);
  ExpectationResult result{.what = "property." + property.expected->name,
                           .expected = in_words(*property.expected),
                           .found = std::move(found),
                           .held = held || is_sometimes,
                           .cause = held || is_sometimes ? std::string_view{} : cause,
                           .at = at};
  if (is_sometimes) result.seen = held;
  property.result = std::move(result);
}

// "db: running 1, failures 0"
std::string PropertyChecks::seen(std::uint32_t condition) const {
  const Watched& watched = watched_[condition];
  std::string text;
  for (std::size_t i = 0; i < kConditionCounts.size(); ++i) {
    if (!(watched.condition->counts.*kConditionCounts[i].member)) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", kConditionCounts[i].name, count(watched, i));
  }
  return watched.condition->of ? *watched.condition->of + ": " + text : text;
}

// Names the services that decide it: those that are in the state where they are too many, and else those that are not.
void PropertyChecks::break_at(Property& property, TimePoint at, std::string_view cause) {
  std::string found = seen(property.what) + " at " + to_string(at);
  if (property.whenever && property.waits_since) found += ", since " + to_string(*property.waits_since);
  decide(property, false, cause, at, std::move(found));
  const Watched& watched = watched_[property.what];
  const auto count_of = [&](std::size_t what) { return count(watched, what); };
  const auto wrong = first_wrong(*watched.condition, count_of);
  for (std::size_t i = 0; i < kConditionStates; ++i) {
    const auto& range = watched.condition->counts.*kConditionCounts[i].member;
    if (!range || (wrong && *wrong != i)) continue;
    const bool in_it = wrong ? count_of(i) > range->max : range->min > 0;
    return name_services_(*property.result, watched.scope, static_cast<Counted>(i), in_it);
  }
}

}  // namespace holdfast::sim::detail
