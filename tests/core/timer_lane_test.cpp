// What a queue of timers does for speed: lanes for delays that come again, timers that are put off, and bursts before
// what it has already looked at. None of that may change the order.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

#include <holdfast/detail/timer_lane.hpp>
#include <holdfast/timer_queue.hpp>

#include "timer_bells.hpp"

namespace holdfast::timer_queue_test {

namespace {

using namespace std::chrono_literals;

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

}  // namespace

}  // namespace holdfast::timer_queue_test
