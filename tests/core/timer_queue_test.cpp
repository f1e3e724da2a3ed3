// The order of timers and tasks, against a plain list that is searched from end to end.

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include <holdfast/detail/timer_lane.hpp>
#include <holdfast/timer_queue.hpp>
#include <holdfast_sim/stage/virtual_scheduler.hpp>

namespace holdfast::timer_queue_test {

namespace {

using namespace std::chrono_literals;

struct Bell final : Timer {
  explicit Bell(std::function<void()> rung = [] {}) : ring(std::move(rung)) {}
  void fired() override { ring(); }
  std::function<void()> ring;
};

struct Chore final : Task {
  explicit Chore(std::function<void()> done = [] {}) : work(std::move(done)) {}
  void run() override { work(); }
  std::function<void()> work;
};

// Whether `act` ends the process by an assertion. In a process of its own, with its message thrown away.
bool is_asserted_against(const std::function<void()>& act) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);
    act();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

// Numbered bells on a queue, and beside them a list of (time, order of arming, number).
class Bells {
 public:
  static constexpr std::size_t kCount = 24;

  Bells() {
    for (std::size_t i = 0; i < kCount; ++i) bells_.emplace_back([this, i] { rang(i); });
  }
  ~Bells() { queue_.clear(); }

  void arm(std::size_t which, std::int64_t at) {
    if (bells_[which].armed()) return;
    queue_.arm(bells_[which], TimePoint{at});
    list_.emplace_back(at, armings_++, which);
  }
  bool disarm(std::size_t which) {
    const auto listed =
        std::find_if(list_.begin(), list_.end(), [&](const auto& entry) { return std::get<2>(entry) == which; });
    const bool expected = listed != list_.end();
    if (expected) list_.erase(listed);
    return queue_.disarm(bells_[which]) == expected;
  }
  // Fires the earliest; it must be the list's. Inside, one bell may be disarmed and one armed.
  bool fire(std::size_t disarm_inside, std::size_t arm_inside, std::int64_t at) {
    if (queue_.empty()) return list_.empty();
    const auto least = std::min_element(list_.begin(), list_.end());
    const auto [expected_at, order, expected] = *least;
    if (queue_.earliest() != TimePoint{expected_at}) return false;
    list_.erase(least);
    inside_ = [=, this] { return disarm(disarm_inside) && (arm(arm_inside, at), true); };
    rung_.clear();
    queue_.fire_earliest();
    return inside_went_well_ && rung_ == std::vector{expected};
  }
  [[nodiscard]] bool agrees() const {
    if (queue_.size() != list_.size() || queue_.empty() != list_.empty()) return false;
    for (std::size_t i = 0; i < kCount; ++i) {
      const bool listed =
          std::any_of(list_.begin(), list_.end(), [&](const auto& entry) { return std::get<2>(entry) == i; });
      if (bells_[i].armed() != listed) return false;
    }
    return true;
  }
  void clear() {
    queue_.clear();
    list_.clear();
  }

 private:
  void rang(std::size_t which) {
    rung_.push_back(which);
    inside_went_well_ = !bells_[which].armed() && inside_();
  }

  TimerQueue queue_;
  std::deque<Bell> bells_;
  std::vector<std::tuple<std::int64_t, std::uint64_t, std::size_t>> list_;
  std::uint64_t armings_ = 0;
  std::vector<std::size_t> rung_;
  std::function<bool()> inside_;
  bool inside_went_well_ = true;
};

}  // namespace

TEST_CASE("timers fire in the order of their times, those of one time in the order of arming") {
  TimerQueue queue;
  std::vector<int> rung;
  std::deque<Bell> bells;
  const std::vector<std::int64_t> times{5, 3, 5, 1, 3, 5, 1, 1, 9, 3};
  for (int i = 0; i < 10; ++i) {
    bells.emplace_back([&rung, i] { rung.push_back(i); });
    queue.arm(bells.back(), TimePoint{times[static_cast<std::size_t>(i)]});
  }
  while (!queue.empty()) queue.fire_earliest();
  CHECK(rung == std::vector{3, 6, 7, 1, 4, 9, 0, 2, 5, 8});
}

// 7! orders of arming with one time each, in full; with all orders every shape of the heap's first levels occurs.
TEST_CASE("whatever the order of arming, timers fire in the order of their times") {
  std::vector<std::int64_t> times{1, 2, 3, 4, 5, 6, 7};
  do {
    TimerQueue queue;
    std::vector<std::int64_t> rung;
    std::deque<Bell> bells;
    for (const auto at : times) {
      bells.emplace_back([&rung, at] { rung.push_back(at); });
      queue.arm(bells.back(), TimePoint{at});
    }
    while (!queue.empty()) queue.fire_earliest();
    if (!std::is_sorted(rung.begin(), rung.end()) || rung.size() != times.size()) FAIL("out of order");
  } while (std::next_permutation(times.begin(), times.end()));
  SUCCEED();
}

TEST_CASE("a timer that was disarmed and armed again counts as armed last") {
  TimerQueue queue;
  std::vector<char> rung;
  Bell a{[&] { rung.push_back('a'); }};
  Bell b{[&] { rung.push_back('b'); }};
  queue.arm(a, TimePoint{1});
  queue.arm(b, TimePoint{1});
  CHECK(queue.disarm(a));
  CHECK_FALSE(queue.disarm(a));
  queue.arm(a, TimePoint{1});
  while (!queue.empty()) queue.fire_earliest();
  CHECK(rung == std::vector{'b', 'a'});
  CHECK_FALSE(queue.disarm(a));  // it has fired
}

TEST_CASE("a timer may arm itself again from within its handler, and disarm another of the same time") {
  TimerQueue queue;
  std::vector<int> rung;
  Bell victim{[&] { rung.push_back(0); }};
  Bell again;
  again.ring = [&] {
    rung.push_back(1);
    if (rung.size() < 3) queue.arm(again, TimePoint{7});
    (void)queue.disarm(victim);
  };
  queue.arm(again, TimePoint{7});
  queue.arm(victim, TimePoint{7});
  while (!queue.empty()) queue.fire_earliest();
  CHECK(rung == std::vector{1, 1, 1});
}

TEST_CASE("timers at both ends of time keep their places") {
  TimerQueue queue;
  std::vector<int> rung;
  Bell last{[&] { rung.push_back(2); }};
  Bell first{[&] { rung.push_back(1); }};
  queue.arm(last, TimePoint::max());
  queue.arm(first, TimePoint::min());
  CHECK(queue.earliest() == TimePoint::min());
  queue.fire_earliest();
  CHECK(queue.earliest() == TimePoint::max());
  queue.fire_earliest();
  CHECK(rung == std::vector{1, 2});
}

TEST_CASE("the timer queue does what a sorted list does, also from inside handlers") {
  rc::prop("for any sequence of arming, disarming, firing and clearing", [] {
    Bells bells;
    const auto steps = *rc::gen::scale(
        4.0, rc::gen::container<std::vector<std::tuple<int, std::size_t, std::size_t, int>>>(
                 rc::gen::tuple(rc::gen::inRange(0, 40), rc::gen::inRange<std::size_t>(0, Bells::kCount),
                                rc::gen::inRange<std::size_t>(0, Bells::kCount), rc::gen::inRange(0, 8))));
    for (const auto& [what, one, other, at] : steps) {
      if (what < 20) {
        bells.arm(one, at);
      } else if (what < 28) {
        RC_ASSERT(bells.disarm(one));
      } else if (what < 39) {
        RC_ASSERT(bells.fire(one, other, at));
      } else {
        bells.clear();
      }
      RC_ASSERT(bells.agrees());
    }
  });
}

// Far more is disarmed than fires, so that whatever the queue puts off when it disarms has to be done in the end, also
// while a handler is at work.
TEST_CASE("the timer queue does what a sorted list does through many times more disarmings than it has timers") {
  for (const std::int64_t latest : {std::int64_t{3}, std::int64_t{1'000'000}}) {
    Bells bells;
    std::uint64_t state = 1;
    const auto next = [&state](std::uint64_t below) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      return (state >> 33) % below;
    };
    for (int step = 0; step < 30'000; ++step) {
      CAPTURE(latest, step);
      const auto one = static_cast<std::size_t>(next(Bells::kCount));
      const auto other = static_cast<std::size_t>(next(Bells::kCount));
      const auto at = static_cast<std::int64_t>(next(static_cast<std::uint64_t>(latest)));
      const auto what = next(100);
      bool right = true;
      if (what < 48) {
        bells.arm(one, at);
      } else if (what < 90) {
        right = bells.disarm(one);
      } else {
        right = bells.fire(one, other, at);
      }
      if (!right || !bells.agrees()) FAIL("not what the list does");
    }
  }
  SUCCEED();
}

TEST_CASE("the timer queue keeps the order of thousands of timers, armed and disarmed at random") {
  TimerQueue queue;
  std::deque<Bell> bells;
  std::vector<std::pair<std::int64_t, std::size_t>> rung;
  std::vector<std::pair<std::int64_t, std::size_t>> expected;
  std::uint64_t state = 1;
  const auto next = [&state](std::uint64_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33) % below;
  };
  for (std::size_t i = 0; i < 5000; ++i) {
    const auto at = static_cast<std::int64_t>(next(300));
    bells.emplace_back([&rung, at, i] { rung.emplace_back(at, i); });
    queue.arm(bells.back(), TimePoint{at});
    expected.emplace_back(at, i);
  }
  for (std::size_t i = 0; i < 5000; ++i) {
    if (next(3) != 0) continue;
    REQUIRE(queue.disarm(bells[i]));
    std::erase_if(expected, [i](const auto& entry) { return entry.second == i; });
  }
  std::sort(expected.begin(), expected.end());
  while (!queue.empty()) queue.fire_earliest();
  CHECK(rung == expected);
}

// Bursts of more timers than the queue keeps sorted, at horizons from a nanosecond to hours; often before what the
// queue has already looked at, as in real time, where it is asked for its earliest timer long before that is due.
TEST_CASE("the timer queue does what a sorted set does with bursts of timers at every horizon, early and late") {
  TimerQueue queue;
  std::deque<Bell> bells;
  std::set<std::tuple<std::int64_t, std::uint64_t, std::size_t>> armed;
  std::vector<std::size_t> rung;
  std::uint64_t armings = 0;
  std::uint64_t state = 7;
  const auto next = [&state](std::uint64_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 20) % below;
  };
  constexpr std::size_t kBells = 400;
  std::vector<std::tuple<std::int64_t, std::uint64_t, std::size_t>> places(kBells);
  for (std::size_t i = 0; i < kBells; ++i) bells.emplace_back([&rung, i] { rung.push_back(i); });
  const auto arm = [&](std::size_t which, std::int64_t at) {
    if (bells[which].armed()) return;
    queue.arm(bells[which], TimePoint{at});
    places[which] = {at, armings++, which};
    armed.insert(places[which]);
  };
  std::int64_t now = 0;
  for (int step = 0; step < 50'000; ++step) {
    CAPTURE(step);
    const auto what = next(100);
    if (what < 1) {  // a burst, from now on or from a moment before the earliest
      const auto horizon = std::uint64_t{1} << next(44);
      const auto earliest = armed.empty() ? now : std::get<0>(*armed.begin());
      const auto from = next(2) == 0 ? now : std::max(now, earliest - static_cast<std::int64_t>(2 * horizon));
      for (auto left = next(150); left > 0; --left) {
        arm(next(kBells), from + static_cast<std::int64_t>(next(horizon)));
      }
    } else if (what < 20) {
      const std::size_t which = next(kBells);
      REQUIRE(queue.disarm(bells[which]) == (armed.erase(places[which]) > 0));
    } else if (armed.empty()) {
      REQUIRE(queue.empty());
    } else if (what < 30) {
      REQUIRE(queue.earliest() == TimePoint{std::get<0>(*armed.begin())});
    } else {
      const auto [at, order, which] = *armed.begin();
      armed.erase(armed.begin());
      now = at;
      rung.clear();
      queue.fire_earliest();
      REQUIRE(rung == std::vector{which});
    }
    REQUIRE(queue.size() == armed.size());
  }
  queue.clear();
}

// Fleets arm most of their timers for one of few delays: runs of one length, heartbeats, watchdogs that are put off
// again and again. More of them than a lane takes, and fewer; delays that share instants, and others that fall in
// between.
TEST_CASE("the timer queue does what a sorted set does when most timers are armed for one of few delays") {
  const auto bells_count = GENERATE(std::size_t{3}, std::size_t{40}, std::size_t{5000});
  const auto delays = GENERATE(std::vector<std::int64_t>{1000}, std::vector<std::int64_t>{1000, 30},
                               std::vector<std::int64_t>{2, 1, 3}, std::vector<std::int64_t>{0, 1'000'000'000, 7});
  const auto jittered = GENERATE(0, 2, 50);  // percent
  const auto disarmed = GENERATE(0, 5, 60);  // percent
  CAPTURE(bells_count, delays, jittered, disarmed);
  TimerQueue queue;
  std::deque<Bell> bells;
  std::set<std::tuple<std::int64_t, std::uint64_t, std::size_t>> armed;
  std::vector<std::tuple<std::int64_t, std::uint64_t, std::size_t>> places(bells_count);
  std::uint64_t armings = 0;
  std::uint64_t state = 3;
  const auto next = [&state](std::uint64_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 20) % below;
  };
  std::int64_t now = 0;
  const auto arm = [&](std::size_t which) {
    const bool is_jittered = next(100) < static_cast<std::uint64_t>(jittered);
    const auto delay = is_jittered ? static_cast<std::int64_t>(next(2001)) : delays[next(delays.size())];
    queue.arm(bells[which], TimePoint{now + delay});
    places[which] = {now + delay, armings++, which};
    armed.insert(places[which]);
  };
  std::optional<std::size_t> rung;
  for (std::size_t i = 0; i < bells_count; ++i) bells.emplace_back([&rung, i] { rung = i; });
  for (std::size_t i = 0; i < bells_count; ++i) arm(i);
  bool right = true;
  for (std::size_t step = 0; right && step < 2000 + bells_count; ++step) {
    if (next(100) < static_cast<std::uint64_t>(disarmed)) {
      const std::size_t which = next(bells_count);
      right = queue.disarm(bells[which]) == (armed.erase(places[which]) > 0);
      if (next(4) > 0) arm(which);
    }
    if (armed.empty()) break;
    const auto [at, order, which] = *armed.begin();
    armed.erase(armed.begin());
    now = at;
    right = right && !queue.empty() && queue.earliest() == TimePoint{at};
    if (!right) break;
    queue.fire_earliest();
    right = rung == which && queue.size() == armed.size();
    if (right && next(100) > 0) arm(which);
  }
  for (const auto& [at, order, which] : armed) {
    right = right && !queue.empty();
    if (!right) break;
    queue.fire_earliest();
    right = rung == which;
  }
  CHECK((right && queue.empty()));
  queue.clear();
}

// What a lane takes decides only about speed, so that no order would show it.
TEST_CASE("a lane learns a delay that comes again, and gives it up for shorter ones when others cross it too often") {
  detail::TimerLane lane;
  const auto accepts = [&](std::uint64_t delay) { return lane.accepts(delay, TimePoint{1'000'000}); };
  for (const std::uint64_t delay : {50U, 7U, 30U, 8U}) lane.learn(delay);
  CHECK_FALSE(accepts(30));
  lane.learn(30);  // between the two there was one other
  CHECK(accepts(30));
  CHECK_FALSE(accepts(50));

  lane.append({TimePoint{10}, nullptr});
  lane.append({TimePoint{20}, nullptr});
  lane.learn(7);
  lane.learn(7);
  CHECK(accepts(30));  // it is not empty
  CHECK_FALSE(lane.accepts(30, TimePoint{19}));
  CHECK_FALSE(lane.spans(TimePoint{9}));
  CHECK(lane.spans(TimePoint{20}));
  CHECK(lane.must_leave_for(TimePoint{20}));
  CHECK_FALSE(lane.must_leave_for(TimePoint{15}));
  int crossed = 2;
  while (!lane.must_leave_for(TimePoint{15})) REQUIRE(++crossed < 1000);
  CHECK_FALSE(accepts(30));

  while (!lane.empty()) lane.drop_front();
  for (int i = 0; i < 3; ++i) lane.learn(30);
  CHECK_FALSE(accepts(30));
  for (int i = 0; i < 3; ++i) lane.learn(29);
  CHECK(accepts(29));
}

TEST_CASE("a lane has an end") {
  detail::TimerLane lane;
  lane.learn(5);
  lane.learn(5);
  for (std::size_t i = 0; i < detail::TimerLane::kSizeMax; ++i) {
    REQUIRE(lane.accepts(5, TimePoint{1}));
    lane.append({TimePoint{1}, nullptr});
  }
  CHECK_FALSE(lane.accepts(5, TimePoint{1}));
}

TEST_CASE("a timer that is due later than asked for stays, and the clock as it was") {
  TimerQueue queue;
  TimePoint clock{1};
  TimePoint seen{0};
  Bell bell{[&] { seen = clock; }};
  CHECK_FALSE(queue.fire_earliest_by(TimePoint::max(), clock));
  queue.arm(bell, TimePoint{5});
  CHECK_FALSE(queue.fire_earliest_by(TimePoint{4}, clock));
  CHECK(clock == TimePoint{1});
  CHECK(bell.armed());
  CHECK(queue.fire_earliest_by(TimePoint{5}, clock));
  CHECK(seen == TimePoint{5});
  CHECK_FALSE(bell.armed());
}

// What is looked at before it is due has been spread over fine buckets already when many earlier timers are armed.
TEST_CASE("a burst before what the queue has looked at comes first, and all keep their order") {
  TimerQueue queue;
  std::deque<Bell> bells;
  std::vector<std::int64_t> rung;
  const auto arm = [&](std::int64_t at) {
    bells.emplace_back([&rung, at] { rung.push_back(at); });
    queue.arm(bells.back(), TimePoint{at});
  };
  for (std::int64_t i = 0; i < 300; ++i) arm(1'000'000'000 + 1000 * (i % 100));
  CHECK(queue.earliest() == TimePoint{1'000'000'000});
  for (std::int64_t i = 0; i < 100; ++i) arm(500'000'000 + 1000 * (i % 50));
  CHECK(queue.earliest() == TimePoint{500'000'000});
  for (std::int64_t i = 0; i < 100; ++i) arm(499'000'000 + i % 10);
  while (!queue.empty()) queue.fire_earliest();
  CHECK(rung.size() == 500);
  CHECK(std::is_sorted(rung.begin(), rung.end()));
}

TEST_CASE("timers that are all put off keep their order, are armed for the later times, and can be disarmed") {
  TimerQueue queue;
  std::vector<std::size_t> fired;
  std::deque<Bell> bells;
  for (std::size_t i = 0; i < 500; ++i) bells.emplace_back([&fired, i] { fired.push_back(i); });
  // Of many times, some equal, near and far, and many of one delay.
  const auto time_of = [](std::size_t i) {
    return TimePoint{static_cast<std::int64_t>(i % 2 ? 700 : i * i % 97 * 1000)};
  };
  for (std::size_t i = 0; i < bells.size(); ++i) queue.arm(bells[i], time_of(i));
  for (std::size_t i = 0; i < bells.size(); i += 5) REQUIRE(queue.disarm(bells[i]));
  std::vector<std::size_t> expected;
  for (std::size_t i = 0; i < bells.size(); ++i) {
    if (i % 5 != 0) expected.push_back(i);
  }
  std::stable_sort(expected.begin(), expected.end(),
                   [&](std::size_t a, std::size_t b) { return time_of(a) < time_of(b); });
  queue.postpone_all(3s);
  CHECK(queue.size() == expected.size());
  CHECK(queue.earliest() == time_of(expected.front()) + 3s);
  const std::size_t gone = expected[expected.size() / 2];
  REQUIRE(queue.disarm(bells[gone]));
  expected.erase(std::find(expected.begin(), expected.end(), gone));
  for (TimePoint clock; !queue.empty();) {
    const TimePoint due = queue.earliest();
    REQUIRE(queue.fire_earliest_by(due, clock));
    REQUIRE(due == time_of(fired.back()) + 3s);
  }
  CHECK(fired == expected);
  queue.postpone_all(1s);  // of none
  CHECK(queue.empty());
}

TEST_CASE("a cleared queue has forgotten its timers, and they can be armed again") {
  TimerQueue queue;
  Bell bell{[] { FAIL("it was forgotten"); }};
  queue.arm(bell, TimePoint{1});
  queue.clear();
  CHECK(queue.empty());
  CHECK_FALSE(bell.armed());
  queue.arm(bell, TimePoint{2});
  CHECK(queue.size() == 1);
  CHECK(queue.disarm(bell));
}

TEST_CASE("tasks run first in, first out, and those that they defer run after them") {
  TaskQueue queue;
  std::vector<int> done;
  Chore third{[&] { done.push_back(3); }};
  Chore second{[&] { done.push_back(2); }};
  Chore first{[&] {
    done.push_back(1);
    queue.push(third);
  }};
  queue.push(first);
  queue.push(second);
  CHECK(first.queued());
  while (!queue.empty()) queue.run_oldest();
  CHECK(done == std::vector{1, 2, 3});
  CHECK_FALSE(first.queued());
}

TEST_CASE("a task may defer itself again") {
  TaskQueue queue;
  int runs = 0;
  Chore chore;
  chore.work = [&] {
    if (++runs < 3) queue.push(chore);
  };
  queue.push(chore);
  while (!queue.empty()) queue.run_oldest();
  CHECK(runs == 3);
}

// Four tasks, every subset cancelled in every order of a few, then more pushed: in full.
TEST_CASE("cancelling takes out exactly the task that it is given, wherever it stands") {
  for (std::size_t subset = 0; subset < 16; ++subset) {
    for (const bool backwards : {false, true}) {
      CAPTURE(subset, backwards);
      TaskQueue queue;
      std::vector<std::size_t> done;
      std::vector<std::size_t> expected;
      std::deque<Chore> chores;
      for (std::size_t i = 0; i < 5; ++i) chores.emplace_back([&done, i] { done.push_back(i); });
      for (std::size_t i = 0; i < 4; ++i) queue.push(chores[i]);
      for (std::size_t k = 0; k < 4; ++k) {
        const std::size_t i = backwards ? 3 - k : k;
        if ((subset >> i & 1) == 0) continue;
        CHECK(queue.cancel(chores[i]));
        CHECK_FALSE(queue.cancel(chores[i]));
        CHECK_FALSE(chores[i].queued());
      }
      for (std::size_t i = 0; i < 4; ++i) {
        if ((subset >> i & 1) == 0) expected.push_back(i);
      }
      queue.push(chores[4]);  // the end is still known
      expected.push_back(4);
      while (!queue.empty()) queue.run_oldest();
      CHECK(done == expected);
    }
  }
}

TEST_CASE("cleared tasks are forgotten and can be deferred again") {
  TaskQueue queue;
  int runs = 0;
  Chore chore{[&] { ++runs; }};
  queue.push(chore);
  queue.clear();
  CHECK(queue.empty());
  CHECK_FALSE(chore.queued());
  queue.push(chore);
  queue.run_oldest();
  CHECK(runs == 1);
}

// Row 9: in the spirit of it, every broken precondition ends the process in every build type.
TEST_CASE("what must not be done is asserted against in every build type") {
  CHECK_FALSE(is_asserted_against([] {}));
  CHECK(is_asserted_against([] {
    TimerQueue queue;
    Bell bell;
    queue.arm(bell, TimePoint{1});
    queue.arm(bell, TimePoint{2});
  }));
  CHECK(is_asserted_against([] {
    TaskQueue queue;
    Chore chore;
    queue.push(chore);
    queue.push(chore);
  }));
  CHECK(is_asserted_against([] {
    TimerQueue queue;
    {
      Bell bell;
      queue.arm(bell, TimePoint{1});
    }
  }));
  CHECK(is_asserted_against([] {
    TaskQueue queue;
    {
      Chore chore;
      queue.push(chore);
    }
  }));
  CHECK(is_asserted_against([] {
    sim::VirtualScheduler scheduler;
    Bell bell;
    scheduler.arm(bell, TimePoint{1});
    scheduler.advance_to(TimePoint{2});
  }));
}

TEST_CASE("the virtual scheduler runs deferred tasks before any timer, and its clock stands still meanwhile") {
  sim::VirtualScheduler scheduler;
  std::vector<std::string> done;
  const auto note = [&](const char* what) { done.push_back(to_string(scheduler.now()) + ' ' + what); };
  Chore deferred{[&] { note("deferred"); }};
  Bell second{[&] { note("second"); }};
  Bell first{[&] {
    note("first");
    scheduler.defer(deferred);
    scheduler.arm(second, TimePoint{-5});  // in the past: now
  }};
  scheduler.arm(first, TimePoint{3});
  CHECK_FALSE(scheduler.fire_next(TimePoint{2}));
  CHECK(scheduler.now() == TimePoint{0});
  CHECK(scheduler.fire_next(TimePoint{3}));
  CHECK(scheduler.fire_next(TimePoint{3}));
  CHECK(done == std::vector<std::string>{"3ns first", "3ns deferred", "3ns second"});
  CHECK(scheduler.idle());
  CHECK(scheduler.timers_fired() == 2);
}

}  // namespace holdfast::timer_queue_test
