// The order of timers, and what must not be done to a queue.
#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <vector>

#include <holdfast/timer_queue.hpp>
#include <holdfast_sim/stage/virtual_scheduler.hpp>

#include "timer_bells.hpp"

namespace holdfast::timer_queue_test {

namespace {

using namespace std::chrono_literals;

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

TEST_CASE("a timer that is taken out is not armed, and may be armed again") {
  TimerQueue queue;
  std::vector<int> rung;
  std::deque<Bell> bells;
  for (int i = 0; i < 3; ++i) {
    bells.emplace_back([&rung, i] { rung.push_back(i); });
    queue.arm(bells.back(), TimePoint{i < 2 ? 1 : 2});
  }
  Timer& first = queue.take_earliest();
  CHECK(&first == &bells[0]);
  CHECK_FALSE(first.armed());
  CHECK(queue.size() == 2);
  queue.arm(first, TimePoint{1});
  while (!queue.empty()) queue.fire_earliest();
  CHECK(rung == std::vector{1, 0, 2});
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

}  // namespace

}  // namespace holdfast::timer_queue_test
