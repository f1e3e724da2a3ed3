// What every scheduler promises about timers and tasks, written once and run in both worlds.
#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "conformance.hpp"

namespace holdfast::test::conformance_test {

namespace {

namespace net = boost::asio;
using Words = std::vector<std::string>;

TEST_CASE("timers of equal times fire in the order of arming, earlier ones before them") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  Words fired;
  const TimePoint at = scheduler.now() + 2ms;
  Bell a{scheduler, [&] { fired.push_back("a"); }};
  Bell b{scheduler, [&] { fired.push_back("b"); }};
  Bell c{scheduler, [&] { fired.push_back("c"); }};
  Bell early{scheduler, [&] { fired.push_back("early"); }};
  Bell late{scheduler, [&] { fired.push_back("late"); }};
  late.arm(at + 1ns);
  c.arm(at);
  a.arm(at);
  b.arm(at);
  early.arm(at - 1ns);
  REQUIRE(world->run_until([&] { return fired.size() == 5; }));
  CHECK(fired == Words{"early", "c", "a", "b", "late"});
}

TEST_CASE("a timer that another one disarms at the same instant does not fire") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  Words fired;
  const TimePoint at = scheduler.now() + 2ms;
  Bell victim{scheduler, [&] { fired.push_back("victim"); }};
  Bell killer{scheduler, [&] {
                fired.push_back("killer");
                CHECK(victim.disarm());
                CHECK(!victim.disarm());
              }};
  Bell witness{scheduler, [&] { fired.push_back("witness"); }};
  killer.arm(at);
  victim.arm(at);
  witness.arm(at);
  REQUIRE(world->run_until([&] { return fired.size() == 2; }));
  world->run_ready();
  CHECK(fired == Words{"killer", "witness"});
}

TEST_CASE("a timer armed in the past fires soon, never inside arm, and not before those that were due already") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  Words fired;
  Bell past{scheduler, [&] { fired.push_back("past"); }};
  Bell due{scheduler, [&] { fired.push_back("due"); }};
  Bell first{scheduler, [&] {
               past.arm(TimePoint::min());
               fired.push_back("first");
             }};
  const TimePoint at = scheduler.now() + 2ms;
  first.arm(at);
  due.arm(at);
  REQUIRE(world->run_until([&] { return fired.size() == 3; }));
  CHECK(fired == Words{"first", "due", "past"});
}

TEST_CASE("a timer may arm itself again") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  int times = 0;
  std::optional<Bell> bell;
  bell.emplace(scheduler, [&] {
    if (++times < 5) bell->arm(scheduler.now() + 100us);
  });
  bell->arm(scheduler.now());
  REQUIRE(world->run_until([&] { return times == 5; }));
  CHECK(!bell->armed());
}

TEST_CASE("deferred tasks run after the handler that deferred them, in order, and before the next timer") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  Words ran;
  Job third{scheduler, [&] { ran.push_back("third"); }};
  Job second{scheduler, [&] { ran.push_back("second"); }};
  Job cancelled{scheduler, [&] { ran.push_back("cancelled"); }};
  Job first{scheduler, [&] {
              ran.push_back("first");
              third.defer();
            }};
  Bell bell{scheduler, [&] {
              first.defer();
              cancelled.defer();
              second.defer();
              CHECK(cancelled.cancel());
              CHECK(!cancelled.cancel());
              ran.push_back("bell");
            }};
  Bell next{scheduler, [&] { ran.push_back("next"); }};
  const TimePoint at = scheduler.now() + 2ms;
  bell.arm(at);
  next.arm(at);
  REQUIRE(world->run_until([&] { return ran.size() == 5; }));
  CHECK(ran == Words{"bell", "first", "second", "third", "next"});
}

TEST_CASE("ten thousand timers fire in the order of their times and arming, but for those that were disarmed") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  constexpr std::size_t kTimers = 10'000;
  const TimePoint begin = scheduler.now();
  std::deque<Bell> bells;
  std::vector<std::pair<std::uint64_t, std::size_t>> expected;  // time in microseconds, place in the order of arming
  std::vector<std::size_t> fired;
  std::uint64_t dice = 42;
  for (std::size_t i = 0; i < kTimers; ++i) {
    dice = dice * 6364136223846793005 + 1442695040888963407;
    const std::uint64_t microseconds = (dice >> 33) % 500;  // many equal
    auto& bell = bells.emplace_back(scheduler, [&fired, i] { fired.push_back(i); });
    bell.arm(begin + std::chrono::microseconds{microseconds});
    if (i % 3 != 0) expected.emplace_back(microseconds, i);
  }
  for (std::size_t i = 0; i < kTimers; i += 3) REQUIRE(bells[i].disarm());
  REQUIRE(world->run_until([&] { return fired.size() == expected.size(); }));
  std::stable_sort(expected.begin(), expected.end());
  std::vector<std::size_t> order;
  for (const auto& [time, place] : expected) order.push_back(place);
  CHECK(fired == order);
}

TEST_CASE("what arrived before a timer's time comes before the timer, however late the thread gets to both") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  Words order;
  const TimePoint at = scheduler.now() + 2ms;
  Bell bell{scheduler, [&] { order.push_back("timer"); }};
  bell.arm(at);
  Job job{scheduler, [&] { order.push_back("task"); }};
  net::post(scheduler.executor(), [&] {
    job.defer();  // asks for a turn, and in that the timer is overdue
    net::post(scheduler.executor(), [&] { order.push_back("arrived"); });
    be_late_for(*world, at + 1ms);
  });
  REQUIRE(world->run_until([&] { return order.size() == 3; }));
  CHECK(order == Words{"task", "arrived", "timer"});
}

TEST_CASE("a deadline fires at its time, after a timer of that time that was armed before it, and can be disarmed") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  class Deadline final : public Timer {
   public:
    explicit Deadline(std::function<void()> act) : act_(std::move(act)) {}

   private:
    void fired() override { act_(); }
    std::function<void()> act_;
  };
  Words fired;
  const TimePoint at = scheduler.now() + 2ms;
  Bell bell{scheduler, [&] { fired.push_back("timer"); }};
  Deadline deadline{[&] {
    CHECK(scheduler.now() >= at);
    fired.push_back("deadline");
  }};
  Deadline never{[&] { fired.push_back("never"); }};
  bell.arm(at);
  scheduler.arm_deadline(deadline, at);
  scheduler.arm_deadline(never, at);
  CHECK(scheduler.disarm(never));
  CHECK(!scheduler.disarm(never));
  REQUIRE(world->run_until([&] { return fired.size() == 2; }));
  CHECK(fired == Words{"timer", "deadline"});
}

}  // namespace

}  // namespace holdfast::test::conformance_test
