// The real-time scheduler's loop on a made-up clock: late wake-ups, clocks that stand still or step, and when it asks
// to be woken.
#include <catch2/catch.hpp>

#include <chrono>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <holdfast/asio/detail/timer_loop.hpp>

#include "timer_loop_fixture.hpp"

namespace holdfast::timer_loop_test {

namespace {

TEST_CASE_METHOD(Fixture, "one wake-up is asked for, that of the earliest timer, and a later one changes nothing") {
  Bell a{loop, says("a")}, b{loop, says("b")}, c{loop, says("c")};
  loop.arm(b, after(20ms));
  CHECK(outside.wanted == after(20ms));
  loop.arm(c, after(30ms));
  CHECK(outside.wishes == 1);
  loop.arm(a, after(10ms));
  CHECK(outside.wanted == after(10ms));
  wake(10ms);
  CHECK(fired == Words{"a"});
  CHECK(outside.wanted == after(20ms));
}

TEST_CASE_METHOD(Fixture, "nothing is asked for while nothing is armed, so that a program can end") {
  Bell a{loop, says("a")}, b{loop, says("b")};
  loop.arm(a, after(10ms));
  loop.arm(b, after(20ms));
  CHECK(loop.disarm(a));
  CHECK(outside.wanted);  // too early for what is left, which does no harm
  CHECK(loop.disarm(b));
  CHECK(!outside.wanted);
  CHECK(!loop.disarm(b));

  loop.arm(a, after(10ms));
  wake(10ms);
  CHECK(fired == Words{"a"});
  CHECK(!outside.wanted);
}

TEST_CASE_METHOD(Fixture, "the last timer is disarmed from within a handler, and no wake-up is left") {
  Bell b{loop, says("b")};
  Bell a{loop, [&] { loop.disarm(b); }};
  loop.arm(a, after(10ms));
  loop.arm(b, after(20ms));
  wake(10ms);
  CHECK(!outside.wanted);
}

TEST_CASE_METHOD(Fixture, "a wake-up that comes too early fires nothing and asks again") {
  Bell a{loop, says("a")};
  loop.arm(a, after(10ms));
  wake(9ms);
  CHECK(fired.empty());
  CHECK(outside.wanted == after(10ms));
}

TEST_CASE_METHOD(Fixture, "a late wake-up fires all that is due, by time and order of arming, with tasks between") {
  Job job{says("job")};
  Bell c{loop, says("c")}, b{loop, says("b")};
  Bell a{loop, [&] {
           fired.push_back("a");
           loop.defer(job);
         }};
  loop.arm(c, after(30ms));
  loop.arm(a, after(10ms));
  loop.arm(b, after(10ms));
  wake(1h);
  CHECK(fired == Words{"a", "job", "b", "c"});
}

TEST_CASE_METHOD(Fixture, "lateness does not add up: a period that was slept through is not made up for") {
  std::optional<Bell> ticking;
  ticking.emplace(loop, [&] {
    fired.push_back(to_string(loop.now()));
    loop.arm(*ticking, loop.now() + 10ms);
  });
  loop.arm(*ticking, after(10ms));
  wake(10ms);
  wake(1h);
  CHECK(fired == Words{"10ms", "1h"});
  CHECK(outside.wanted == after(1h + 10ms));
}

TEST_CASE_METHOD(Fixture, "what is armed in the past comes after what was due already, in a turn of its own") {
  Bell late{loop, says("late")}, due{loop, says("due")};
  Bell first{loop, [&] { loop.arm(late, TimePoint::min()); }};
  loop.arm(first, after(10ms));
  loop.arm(due, after(20ms));
  wake(30ms);
  CHECK(fired == Words{"due"});
  CHECK(outside.wanted == after(30ms + 1ns));
  wake(31ms);
  CHECK(fired == Words{"due", "late"});
}

TEST_CASE_METHOD(Fixture,
                 "timers armed by a slow caller, when their times have passed, fire in the order of their times") {
  Bell later{loop, says("later")}, earlier{loop, says("earlier")};
  outside.clock = after(1s);
  loop.arm(later, after(20ms));
  loop.arm(earlier, after(10ms));
  wake(1s);
  CHECK(fired == Words{"earlier", "later"});
}

TEST_CASE_METHOD(Fixture, "what falls due during a turn waits for the next, so that others get their turn") {
  Bell next{loop, says("next")};
  Bell slow{loop, [&] {
              fired.push_back("slow");
              outside.clock = after(1s);
            }};
  loop.arm(slow, after(10ms));
  loop.arm(next, after(20ms));
  wake(10ms);
  CHECK(fired == Words{"slow"});
  CHECK(outside.wanted == after(20ms));
}

TEST_CASE_METHOD(Fixture, "a clock that goes backwards stands still until it has caught up") {
  Bell a{loop, says("a")};
  outside.clock = after(1h);
  CHECK(loop.now() == after(1h));
  outside.clock = after(1s);
  CHECK(loop.now() == after(1h));
  loop.arm(a, after(2s));
  CHECK(outside.wanted == after(2s));
  wake(1s);
  CHECK(fired == Words{"a"});
  outside.clock = after(2h);
  CHECK(loop.now() == after(2h));
}

TEST_CASE_METHOD(Fixture, "a suspended machine delays what was armed by as long as its clock stood still") {
  Bell a{loop, says("a")};
  loop.arm(a, after(1h));
  wake(30min);  // woken by chance, after a night in which the steady clock stood still
  CHECK(fired.empty());
  CHECK(outside.wanted == after(1h));
}

TEST_CASE_METHOD(Fixture,
                 "deferring asks for a turn once, and a turn runs the tasks and no timer, however late it is") {
  Job one{says("one")}, two{says("two")};
  Bell due{loop, says("due")};
  loop.arm(due, after(1s));
  loop.defer(one);
  CHECK(outside.soon);
  outside.soon = false;
  loop.defer(two);
  CHECK(!outside.soon);
  outside.clock = after(2s);
  loop.turn();
  CHECK(fired == Words{"one", "two"});
  CHECK(outside.wanted == after(1s));
  wake(2s);
  CHECK(fired == Words{"one", "two", "due"});
}

TEST_CASE_METHOD(Fixture,
                 "an alarm runs the deferred tasks before the timers, for what arrived may have deferred them") {
  Job job{says("job")};
  Bell due{loop, says("due")};
  loop.arm(due, after(1s));
  loop.defer(job);
  wake(1s);
  CHECK(fired == Words{"job", "due"});
}

// tools/soak found a supervisor that heard no signal any more, as its loop counted as on its way.
TEST_CASE_METHOD(Fixture, "without memory for a wake-up a timer is not armed and a task not queued") {
  Bell timer{loop, says("timer")}, deadline{loop, says("deadline")};
  Job task{says("task")};
  outside.no_memory_to_wake = true;
  CHECK_THROWS_AS(loop.arm(timer, after(1ms)), std::bad_alloc);
  CHECK_THROWS_AS(loop.arm_deadline(deadline, after(1ms)), std::bad_alloc);
  CHECK_THROWS_AS(loop.defer(task), std::bad_alloc);
  CHECK(!timer.armed());
  CHECK(!deadline.armed());
  CHECK(!task.queued());
  outside.no_memory_to_wake = false;
  loop.arm(timer, after(1ms));
  loop.arm_deadline(deadline, after(1ms));
  loop.defer(task);
  wake(1ms);
  CHECK(fired == Words{"task", "timer", "deadline"});
}

TEST_CASE_METHOD(Fixture, "a handler that throws leaves the rest for the next turn") {
  Bell thrower{loop, [] { throw std::runtime_error{"boom"}; }};
  Bell after_it{loop, says("after it")};
  loop.arm(thrower, after(10ms));
  loop.arm(after_it, after(10ms));
  outside.clock = after(10ms);
  CHECK_THROWS_WITH(loop.woke(), "boom");
  CHECK(fired.empty());
  CHECK(outside.wanted == after(10ms));
  wake(10ms);
  CHECK(fired == Words{"after it"});
}

TEST_CASE_METHOD(Fixture, "times at the end of the range are never") {
  Bell never{loop, says("never")};
  loop.arm(never, TimePoint::max());
  CHECK(outside.wanted == TimePoint::max());
  wake(kDurationMax);
  CHECK(fired.empty());
}

}  // namespace

}  // namespace holdfast::timer_loop_test
