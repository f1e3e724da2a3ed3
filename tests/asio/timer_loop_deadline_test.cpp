// Deadlines on the real-time scheduler's loop: a loop that could not run gives each as much time more.
#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <holdfast/asio/detail/timer_loop.hpp>

#include "timer_loop_fixture.hpp"

namespace holdfast::timer_loop_test {

namespace {

TEST_CASE_METHOD(Fixture, "a deadline fires at its time, after other timers of that time, and can be disarmed") {
  Bell deadline{loop, says("deadline")}, ends{loop, says("ends")}, later{loop, says("later")};
  loop.arm_deadline(deadline, after(10ms));
  loop.arm(ends, after(10ms));
  loop.arm(later, after(11ms));
  SECTION("in order") {
    wake(11ms);
    CHECK(fired == Words{"ends", "deadline", "later"});
  }
  SECTION("disarmed") {
    CHECK(loop.disarm(deadline));
    CHECK(!loop.disarm(deadline));
    wake(11ms);
    CHECK(fired == Words{"ends", "later"});
    CHECK(!outside.wanted);
  }
  SECTION("armed again as what it was not") {
    CHECK(loop.disarm(deadline));
    loop.arm(deadline, after(10ms));
    wake(11ms);
    CHECK(fired == Words{"ends", "deadline", "later"});
  }
}

TEST_CASE_METHOD(Fixture,
                 "a loop that could not run for a while gives every deadline as much time more, and no timer") {
  using detail::TimerLoop;
  Bell deadline{loop, says("deadline")}, other{loop, says("other")}, timer{loop, says("timer")};
  SECTION("the alarm rings often enough to notice it") {
    loop.arm_deadline(deadline, after(2s));
    CHECK(outside.wanted == after(TimerLoop::kPulse));
    wake(TimerLoop::kPulse);
    CHECK(outside.wanted == after(2 * TimerLoop::kPulse));
    pass_to(1750ms);
    CHECK(outside.wanted == after(2s));
    wake(2s);
    CHECK(fired == Words{"deadline"});
    CHECK(!outside.wanted);
  }
  SECTION("stopped for 3 s") {
    loop.arm_deadline(deadline, after(2s));
    loop.arm_deadline(other, after(2500ms));
    loop.arm(timer, after(2s));
    pass_to(250ms);
    wake(500ms + 3s);
    CHECK(fired == Words{"timer"});
    pass_to(5s - 1ns);
    CHECK(fired == Words{"timer"});
    pass_to(5s);
    CHECK(fired == Words{"timer", "deadline"});
    pass_to(5500ms);
    CHECK(fired == Words{"timer", "deadline", "other"});
  }
  SECTION("stopped for 3 s in the middle of a handler, or blocked by it") {
    Bell blocks{loop, [&] { outside.clock = outside.clock + 3s; }};
    loop.arm_deadline(deadline, after(2s));
    loop.arm(blocks, after(1s));
    pass_to(1s);
    pass_to(5s - 1ns);
    CHECK(fired.empty());
    pass_to(5s);
    CHECK(fired == Words{"deadline"});
  }
  SECTION("one armed after the stall has no part in it") {
    loop.arm_deadline(deadline, after(10s));
    wake(250ms + 3s);
    loop.arm_deadline(other, after(4s));
    pass_to(4s);
    CHECK(fired == Words{"other"});
    pass_to(13s - 1ns);
    CHECK(fired == Words{"other"});
    pass_to(13s);
    CHECK(fired == Words{"other", "deadline"});
  }
  // A drain whose deadline was 2 s away took 3.9 s, because an earlier grace had ended 1.9 s before it began.
  SECTION("a while without any timer is no stall, however the last one went") {
    const auto how =
        GENERATE(as<std::string>{}, "fired", "disarmed by another", "disarmed by a task", "disarmed by itself, late");
    CAPTURE(how);
    Bell ends{loop, [&] { loop.disarm(other); }};
    Job job{[&] { loop.disarm(other); }};
    loop.arm_deadline(other, after(how == "fired" ? 1s : 2s));
    if (how == "disarmed by another") loop.arm(ends, after(1s));
    pass_to(1s);
    if (how == "disarmed by a task") {  // the next alarm is asked for, and has not rung
      loop.defer(job);
      loop.turn();
    }
    if (how == "disarmed by itself, late") {
      outside.clock = after(1250ms + TimerLoop::kStallMin);  // the alarm has rung, and its handler has not come yet
      loop.disarm(other);
    }
    outside.clock = after(4s);
    fired.clear();
    loop.arm_deadline(deadline, after(6s));
    pass_to(6s - 1ns);
    CHECK(fired.empty());
    pass_to(6s);
    CHECK(fired == Words{"deadline"});
  }
  SECTION("an alarm that is set anew while somebody waits for it still shows the stall") {
    loop.arm_deadline(deadline, after(2s));
    outside.clock = after(250ms + 3s);  // a handler in the queue before the alarm's
    loop.arm(timer, after(100ms));      // which has passed
    wake(250ms + 3s);
    pass_to(5s - 1ns);
    CHECK(fired == Words{"timer"});
    pass_to(5s);
    CHECK(fired == Words{"timer", "deadline"});
  }
  SECTION("late by less than counts") {
    loop.arm_deadline(deadline, after(300ms));
    wake(250ms + TimerLoop::kStallMin - 1ns);
    pass_to(300ms);
    CHECK(fired == Words{"deadline"});
  }
  SECTION("late by as much as counts") {
    loop.arm_deadline(deadline, after(300ms));
    wake(250ms + TimerLoop::kStallMin);
    pass_to(300ms + TimerLoop::kStallMin - 1ns);
    CHECK(fired.empty());
    pass_to(300ms + TimerLoop::kStallMin);
    CHECK(fired == Words{"deadline"});
  }
  // A machine with much to do stalled for 20 ms, and was then stopped for 3 s: everybody was killed.
  SECTION("a long stall soon after a short one gives as much as both together would, had they been one") {
    loop.arm_deadline(deadline, after(2s));
    wake(250ms + 20ms);
    wake(500ms + 20ms + 3s);
    CHECK(fired.empty());
    pass_to(5s - 1ns);
    CHECK(fired.empty());
    pass_to(5s);
    CHECK(fired == Words{"deadline"});
  }
  SECTION("a short stall soon after a long one gives nothing") {
    loop.arm_deadline(deadline, after(2s));
    wake(250ms + 3s);
    wake(3500ms + 20ms);
    pass_to(5s);
    CHECK(fired == Words{"deadline"});
  }
  SECTION("a second stall too soon after the first one gives nothing, so that a deadline comes in the end") {
    loop.arm_deadline(deadline, after(2s));
    Duration at = 250ms;
    int stalls = 0;
    for (; fired.empty() && stalls < 20; ++stalls) wake(at += 500ms);  // each alarm is handled so late
    CHECK(fired == Words{"deadline"});
    CHECK(at <= 2 * 2s + 500ms);
  }
}

}  // namespace

}  // namespace holdfast::timer_loop_test
