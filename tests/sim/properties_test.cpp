// What a scenario expects of the course of a run: each kind by hand, and all of them against a plain model that looks
// at every instant.

#include <catch2/catch.hpp>

#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <holdfast_sim/checks/detail/property_checks.hpp>

namespace holdfast::sim::properties_test {
namespace {

using namespace std::chrono_literals;
using detail::bit_of;
using detail::Counted;

constexpr CountRange at_least(std::uint64_t min) { return {min, UINT64_MAX}; }
constexpr CountRange at_most(std::uint64_t max) { return {0, max}; }
constexpr CountRange exactly(std::uint64_t count) { return {count, count}; }

Condition running(CountRange range) { return {.counts = {.running = range}}; }
Condition running_of(const std::string& of, CountRange range) { return {.of = of, .counts = {.running = range}}; }

// A run of one property, told by hand. Services have the names a, b, c, … of the group "all".
class Course {
 public:
  explicit Course(ExpectedProperty property)
      : checks_({std::move(property)}, [this](auto& result, std::uint32_t, Counted state, bool in_it) {
          for (const auto& [name, states] : services_) {
            if (((states & bit_of(state)) != 0) == in_it) result.services.push_back(name);
          }
        }) {}

  Course& at(Duration time) {
    checks_.hold(now_, TimePoint{} + time);
    now_ = TimePoint{} + time;
    return *this;
  }
  Course& is(const std::string& name, Counted state) {
    const auto found =
        std::find_if(services_.begin(), services_.end(), [&](const auto& one) { return one.first == name; });
    auto& service = found == services_.end() ? services_.emplace_back(name, 0) : *found;
    const auto states = bit_of(state);
    checks_.moved(checks_.counted_for(name, "all"), std::exchange(service.second, states), states);
    return *this;
  }
  Course& runs(const std::string& name) { return is(name, Counted::running); }
  Course& waits(const std::string& name) { return is(name, Counted::backing_off); }
  Course& restarted(const std::string& name) {
    checks_.happened(checks_.counted_for(name, "all"), Counted::restarts, now_);
    return *this;
  }
  Course& drain() {
    checks_.drain(now_);
    return *this;
  }
  ExpectationResult result() {
    checks_.hold(now_, now_ + 1ns);
    return checks_.finish(now_).front();
  }
  std::string finish() {
    const auto found = result();
    return (found.held ? "held: " : "not held: ") + found.found;
  }

 private:
  std::vector<std::pair<std::string, detail::CountedStates>> services_;
  detail::PropertyChecks checks_;
  TimePoint now_;
};

// Two services that run but for 5 s, when b is down.
Course one_is_down_for_5s(const ExpectedProperty& property) {
  Course course{property};
  course.runs("a").runs("b").at(10s).waits("b").at(15s).runs("b").at(20s);
  return course;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Each kind by hand
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("always: at every instant, and the first that is not decides") {
  CHECK(one_is_down_for_5s({.name = "p", .what = Always{running(at_least(1))}}).finish() == "held: always until 20s");
  const auto missed = one_is_down_for_5s({.name = "p", .what = Always{running(at_least(2))}}).result();
  CHECK_FALSE(missed.held);
  CHECK(missed.what == "property.p");
  CHECK(missed.expected == "always running at least 2");
  CHECK(missed.found == "running 1 at 10s");
  CHECK(missed.cause == "not always");
  CHECK(missed.at == TimePoint{} + 10s);
  CHECK(missed.services == std::vector<std::string>{"b"});
  CHECK_FALSE(missed.seen);
}

TEST_CASE("never: at no instant, and who did it is named") {
  CHECK(one_is_down_for_5s({.what = Never{running(exactly(0))}}).finish() == "held: never until 20s");
  const Condition two_wait{.counts = {.backing_off = at_least(1)}};
  const auto missed = one_is_down_for_5s({.what = Never{two_wait}}).result();
  CHECK(missed.found == "backing_off 1 at 10s");
  CHECK(missed.cause == "it happened");
  CHECK(missed.services == std::vector<std::string>{"b"});
}

TEST_CASE("what is over within the instant in which it began has not been") {
  Course course{{.what = Always{running(at_least(2))}}};
  course.runs("a").runs("b").at(10s).waits("b").runs("b").at(20s);
  CHECK(course.finish() == "held: always until 20s");
}

TEST_CASE("eventually: at some instant, the last one included") {
  CHECK(one_is_down_for_5s({.what = Eventually{running(exactly(1))}}).finish() == "held: at 10s");
  const auto missed = one_is_down_for_5s({.what = Eventually{running(exactly(0))}}).result();
  CHECK(missed.found == "never until 20s");
  CHECK(missed.cause == "it never happened");
  Course late{{.what = Eventually{running(exactly(1))}}};
  late.at(7s).runs("a");
  CHECK(late.finish() == "held: at 7s");
}

TEST_CASE("sometimes: a run holds either way and says whether it happened") {
  const auto seen = one_is_down_for_5s({.what = Sometimes{running(exactly(1))}}).result();
  CHECK(seen.held);
  CHECK(seen.seen == true);
  CHECK(seen.found == "at 10s");
  const auto unseen = one_is_down_for_5s({.what = Sometimes{running(exactly(0))}}).result();
  CHECK(unseen.held);
  CHECK(unseen.seen == false);
  CHECK(unseen.found == "never until 20s");
}

TEST_CASE("from and until limit the instants, both included") {
  const auto missed_between = [](Duration from, Duration until) {
    return one_is_down_for_5s({.what = Always{running(at_least(2))}, .from = from, .until = until}).finish();
  };
  CHECK(missed_between(0s, 10s - 1ns) == "held: always until 9s999ms999us999ns");
  CHECK(missed_between(0s, 10s) == "not held: running 1 at 10s");
  CHECK(missed_between(12s, 13s) == "not held: running 1 at 12s");
  CHECK(missed_between(15s, 20s) == "held: always until 20s");
  CHECK(missed_between(15s - 1ns, 20s) == "not held: running 1 at 14s999ms999us999ns");
  CHECK(missed_between(30s, 40s) == "not held: the end at 20s, before its time began");
}

TEST_CASE("before: until the other holds for the first time") {
  const auto first = [](const std::string& one, const std::string& other) {
    Course course{{.what = Never{running_of(one, at_least(1))}, .before = running_of(other, at_least(1))}};
    course.at(1s).runs("a").at(2s).runs("b").at(9s);
    return course.finish();
  };
  CHECK(first("b", "a") == "held: never until 1s");
  CHECK(first("a", "b") == "not held: a: running 1 at 1s");
  CHECK(first("a", "a") == "held: never until 1s");  // in one instant neither is before the other
  CHECK(first("a", "c") == "not held: a: running 1 at 1s");
}

TEST_CASE("whenever with always: only while it holds") {
  const ExpectedProperty one_alone{.what = Always{running_of("a", exactly(1))}, .whenever = running(exactly(1))};
  CHECK(one_is_down_for_5s(one_alone).finish() == "held: 1 time, until 20s");
  const ExpectedProperty other{.what = Never{running_of("a", exactly(1))}, .whenever = running(exactly(1))};
  CHECK(one_is_down_for_5s(other).finish() == "not held: a: running 1 at 10s");
  const ExpectedProperty no_time{.what = Always{running(exactly(7))}, .whenever = running(exactly(3))};
  CHECK(one_is_down_for_5s(no_time).finish() == "held: 0 times, until 20s");
}

TEST_CASE("whenever with eventually: each time, within the length, the deadline included") {
  const auto mended_within = [](std::optional<Duration> within) {
    return one_is_down_for_5s(
               {.what = Eventually{running(exactly(2))}, .whenever = running(at_most(1)), .within = within})
        .result();
  };
  CHECK(mended_within(5s).held);
  CHECK(mended_within(5s).found == "1 time, after 5s at most");
  CHECK(mended_within(std::nullopt).found == "1 time, after 5s at most");
  const auto late = mended_within(5s - 1ns);
  CHECK_FALSE(late.held);
  CHECK(late.cause == "too late");
  CHECK(late.found == "running 1 at 14s999ms999us999ns, since 10s");
  CHECK(late.services == std::vector<std::string>{"b"});
}

TEST_CASE("what begins too near the end is no failure, unless it has all the time") {
  const auto down_at_the_end = [](std::optional<Duration> within) {
    Course course{{.what = Eventually{running(exactly(1))}, .whenever = running(exactly(0)), .within = within}};
    course.runs("a").at(10s).waits("a").at(14s);
    return course.finish();
  };
  CHECK(down_at_the_end(5s) == "held: 1 time; the latest was too near the end at 14s to tell");
  CHECK(down_at_the_end(4s) == "not held: running 0 at 14s, since 10s");
  CHECK(down_at_the_end(std::nullopt) == "not held: running 0 at 14s, since 10s");
}

TEST_CASE("a shutdown ends it just before, unless it goes on in the drain") {
  const auto run = [](std::optional<InDrain> in_drain) {
    Course course{{.what = Always{running(exactly(1))}, .in_drain = in_drain}};
    course.runs("a").at(10s).is("a", Counted::stopping).drain().at(14s);
    return course.finish();
  };
  CHECK(run(std::nullopt) == "held: always until 10s");
  CHECK(run(InDrain{}) == "not held: running 0 at 10s");
}

TEST_CASE("what has happened counts for the length of the window and not a moment longer") {
  const auto course = [](PropertyKind what, Duration from = 0s) {
    Course restarts{{.what = std::move(what), .from = from}};
    restarts.runs("a").at(10s).restarted("a").at(12s).restarted("a").restarted("a").at(30s);
    return restarts.finish();
  };
  const auto in_3s = [](CountRange range) { return Condition{.counts = {.restarts = range}, .window = 3s}; };
  CHECK(course(Always{in_3s(at_most(3))}) == "held: always until 30s");
  CHECK(course(Always{in_3s(at_most(2))}) == "not held: restarts 3 at 12s");
  CHECK(course(Eventually{in_3s(exactly(2))}) == "held: at 13s");  // the first has left it
  CHECK(course(Eventually{in_3s(exactly(0))}, 11s) == "held: at 15s");
  CHECK(course(Always{in_3s(at_least(1))}, 10s) == "not held: restarts 0 at 15s");
}

TEST_CASE("a condition in words names whose and what") {
  const Condition whole{
      .of = "db", .counts = {.running = CountRange{1, 2}, .lost = exactly(0), .failures = at_most(5)}, .window = 10s};
  CHECK(detail::in_words(whole) == "db: running 1 to 2, lost 0, failures at most 5 within 10s");
  const auto words = Course{{.what = Eventually{running_of("db", at_least(1))},
                             .whenever = running_of("db", exactly(0)),
                             .within = 5s,
                             .before = running_of("web", exactly(0)),
                             .from = 1min,
                             .until = 1h}}
                         .result()
                         .expected;
  CHECK(words ==
        "whenever db: running 0, eventually db: running at least 1 within 5s, before web: running 0, from 1min, until "
        "1h");
}

// ---------------------------------------------------------------------------------------------------------------------
// Against a plain model
// ---------------------------------------------------------------------------------------------------------------------

namespace {

constexpr int kSeconds = 12;
constexpr int kServices = 3;

// A history in whole seconds: who runs in each, and how many restarts there are in it.
struct Second {
  std::array<bool, kServices> runs{};
  std::array<int, kServices> restarts{};
};
struct Story {
  std::vector<Second> seconds;
  std::optional<int> drain;
};

std::string name_of(int service) { return std::string(1, static_cast<char>('a' + service)); }

// All instants, one by one.
class Model {
 public:
  Model(const Story& story, const ExpectedProperty& property) : story_(story), property_(property) {}

  // Whether it holds, and where it was decided if it does not.
  std::pair<bool, int> verdict() const {
    const int from = static_cast<int>(property_.from / 1s);
    int last = property_.until ? std::min<int>(kSeconds - 1, static_cast<int>(*property_.until / 1s)) : kSeconds - 1;
    if (story_.drain && !property_.in_drain && *story_.drain <= last) last = *story_.drain - 1;
    if (from > last) return {std::holds_alternative<Sometimes>(property_.what), -1};
    for (int t = from; property_.before && t <= last; ++t) {
      if (holds(*property_.before, t)) last = t - 1;
    }
    return judge(from, last);
  }

 private:
  std::pair<bool, int> judge(int from, int last) const {
    const auto meant = [&](int t) { return !property_.whenever || holds(*property_.whenever, t); };
    if (const auto* const always = std::get_if<Always>(&property_.what)) {
      for (int t = from; t <= last; ++t) {
        if (meant(t) && !holds(always->what, t)) return {false, t};
      }
      return {true, -1};
    }
    if (const auto* const never = std::get_if<Never>(&property_.what)) {
      for (int t = from; t <= last; ++t) {
        if (meant(t) && holds(never->what, t)) return {false, t};
      }
      return {true, -1};
    }
    if (std::holds_alternative<Sometimes>(property_.what)) return {true, -1};
    const auto& what = std::get<Eventually>(property_.what).what;
    if (!property_.whenever) {
      for (int t = from; t <= last; ++t) {
        if (holds(what, t)) return {true, -1};
      }
      return {false, -1};
    }
    return follows(what, from, last);
  }

  std::pair<bool, int> follows(const Condition& what, int from, int last) const {
    std::optional<int> missed;
    for (int t = from; t <= last; ++t) {
      const bool begins = holds(*property_.whenever, t) && (t == from || !holds(*property_.whenever, t - 1));
      if (!begins) continue;
      const int deadline = property_.within ? t + static_cast<int>(*property_.within / 1s) : 1000;
      bool followed = false;
      for (int after = t; after <= std::min(last, deadline); ++after) followed = followed || holds(what, after);
      if (followed) continue;
      if (!property_.within || deadline <= last) missed = std::min(missed.value_or(1000), deadline);
    }
    return {!missed, missed.value_or(-1)};
  }

  bool holds(const Condition& condition, int t) const {
    const auto concerns = [&](int service) {
      return !condition.of || *condition.of == "all" || *condition.of == name_of(service);
    };
    std::uint64_t runs = 0;
    std::uint64_t restarts = 0;
    for (int service = 0; service < kServices; ++service) {
      if (!concerns(service)) continue;
      runs += story_.seconds[static_cast<std::size_t>(t)].runs[static_cast<std::size_t>(service)];
      const int window = condition.window ? static_cast<int>(*condition.window / 1s) : 0;
      for (int s = std::max(0, t - window + 1); s <= t; ++s) {
        restarts += static_cast<std::uint64_t>(
            story_.seconds[static_cast<std::size_t>(s)].restarts[static_cast<std::size_t>(service)]);
      }
    }
    const auto& counts = condition.counts;
    return (!counts.running || counts.running->has(runs)) && (!counts.restarts || counts.restarts->has(restarts));
  }

  const Story& story_;
  const ExpectedProperty& property_;
};

int below(int end) { return *rc::gen::inRange(0, end); }

CountRange any_range() {
  const auto min = static_cast<std::uint64_t>(below(4));
  return {min, below(2) == 0 ? UINT64_MAX : min + static_cast<std::uint64_t>(below(3))};
}

Condition any_condition() {
  Condition condition;
  constexpr std::array kNames{"all", "a", "b", "c"};
  if (below(3) > 0) condition.of = kNames[static_cast<std::size_t>(below(4))];
  const int kind = below(3);
  if (kind != 1) condition.counts.running = any_range();
  if (kind > 0) {
    condition.counts.restarts = any_range();
    condition.window = std::chrono::seconds{1 + below(4)};
  }
  return condition;
}

ExpectedProperty any_property() {
  ExpectedProperty property;
  switch (below(4)) {
    case 0: property.what = Always{any_condition()}; break;
    case 1: property.what = Never{any_condition()}; break;
    case 2: property.what = Sometimes{any_condition()}; break;
    default: property.what = Eventually{any_condition()};
  }
  if (below(2) == 0) property.whenever = any_condition();
  const bool may_follow = property.whenever && std::holds_alternative<Eventually>(property.what);
  if (may_follow && below(3) > 0) property.within = std::chrono::seconds{below(5)};
  if (below(3) == 0) property.before = any_condition();
  if (below(3) == 0) property.from = std::chrono::seconds{below(kSeconds + 2)};
  if (below(3) == 0) property.until = property.from + std::chrono::seconds{below(kSeconds)};
  if (below(2) == 0) property.in_drain = InDrain{};
  return property;
}

Story any_story() {
  Story story;
  std::array<bool, kServices> runs{};
  for (int t = 0; t < kSeconds; ++t) {
    Second second;
    for (std::size_t service = 0; service < kServices; ++service) {
      if (below(3) == 0) runs[service] = !runs[service];
      if (below(4) == 0) second.restarts[service] = 1 + below(2);
    }
    second.runs = runs;
    story.seconds.push_back(second);
  }
  if (below(3) == 0) story.drain = below(kSeconds);
  return story;
}

ExpectationResult found(const Story& story, const ExpectedProperty& property) {
  Course course{property};
  for (int t = 0; t < kSeconds; ++t) {
    course.at(std::chrono::seconds{t});
    if (story.drain == t) course.drain();
    const auto& second = story.seconds[static_cast<std::size_t>(t)];
    for (int service = 0; service < kServices; ++service) {
      const auto i = static_cast<std::size_t>(service);
      course.is(name_of(service), second.runs[i] ? Counted::running : Counted::backing_off);
      for (int n = 0; n < second.restarts[i]; ++n) course.restarted(name_of(service));
    }
  }
  return course.result();
}

}  // namespace

TEST_CASE("every property is as a model says that looks at every instant") {
  CHECK(rc::check([] {
    const auto story = any_story();
    const auto property = any_property();
    const auto [held, at] = Model{story, property}.verdict();
    const auto result = found(story, property);
    RC_LOG() << result.expected << "; found " << result.found << '\n';
    RC_ASSERT(result.held == held);
    if (at >= 0 && at < 1000) RC_ASSERT(result.at == TimePoint{} + std::chrono::seconds{at});
  }));
}

}  // namespace holdfast::sim::properties_test
