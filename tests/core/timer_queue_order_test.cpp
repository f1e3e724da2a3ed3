// The order of thousands of timers that are armed and disarmed at random, compared with a sorted list or set.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include <holdfast/timer_queue.hpp>

#include "timer_bells.hpp"

namespace holdfast::timer_queue_test {

namespace {

using namespace std::chrono_literals;

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

}  // namespace

}  // namespace holdfast::timer_queue_test
