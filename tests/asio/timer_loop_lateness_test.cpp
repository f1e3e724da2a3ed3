// The real-time scheduler's loop when it is late: what arrived before a timer's time comes first.
#include <catch2/catch.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <holdfast/asio/detail/timer_loop.hpp>

#include "timer_loop_fixture.hpp"

namespace holdfast::timer_loop_test {

namespace {

TEST_CASE_METHOD(Fixture, "an alarm fires what was due when it rang, and what fell due since waits for the next") {
  Bell before{loop, says("before")}, since{loop, says("since")};
  loop.arm(before, after(10ms));
  loop.arm(since, after(12ms));
  outside.clock = after(13ms);
  ring();  // what was ready between 10 and 12 ms may be behind it
  CHECK(fired == Words{"before"});
  REQUIRE(outside.wanted == after(12ms));
  CHECK(!outside.round);
  ring();
  CHECK(fired == Words{"before", "since"});
}

TEST_CASE_METHOD(Fixture, "an alarm that has rung and is set anew speaks for its first time, for it keeps its place") {
  Bell early{loop, says("early")}, late{loop, says("late")};
  SECTION("set to an earlier time, after that and its own have passed") {
    loop.arm(late, after(10ms));
    outside.clock = after(12ms);
    loop.arm(early, after(11ms - 2ms));
    ring();
    CHECK(fired == Words{"early", "late"});
  }
  SECTION("taken back after it has rung, and set to a later time") {
    loop.arm(early, after(10ms));
    outside.clock = after(11ms);
    loop.disarm(early);
    loop.arm(late, after(12ms));
    outside.clock = after(13ms);
    ring();
    CHECK(fired.empty());
    ring();
    CHECK(fired == Words{"late"});
  }
  SECTION("taken back before it has rung") {
    loop.arm(early, after(10ms));
    outside.clock = after(9ms);
    loop.disarm(early);
    loop.arm(late, after(12ms));
    outside.clock = after(13ms);
    ring();
    CHECK(fired == Words{"late"});
  }
}

TEST_CASE_METHOD(Fixture,
                 "a loop that is late lets everybody else go round, a bounded number of times, before a timer") {
  Bell due{loop, says("due")};
  loop.arm(due, after(1s));
  SECTION("late by less, it goes round not once") {
    outside.clock = after(1s + detail::TimerLoop::kLate - 1ns);
    ring();
    CHECK(!outside.round);
    CHECK(fired == Words{"due"});
  }
  SECTION("before a deadline it goes round also when it is in time, as long as being late would cost") {
    Bell deadline{loop, says("deadline")};
    loop.arm_deadline(deadline, after(1s));
    pass_to(1s - 1ns);
    outside.clock = after(1s);
    ring();
    REQUIRE(std::exchange(outside.round, false));
    CHECK(fired.empty());
    outside.clock = after(1s + detail::TimerLoop::kLate - 1ns);
    loop.went_round();
    REQUIRE(std::exchange(outside.round, false));
    loop.disarm(deadline);  // what it waited for has arrived
    outside.clock = after(1s + detail::TimerLoop::kLate);
    loop.went_round();
    CHECK_FALSE(outside.round);
    CHECK(fired == Words{"due"});
  }
  SECTION("a deadline that is not due yet makes no rounds") {
    Bell deadline{loop, says("deadline")};
    loop.arm_deadline(deadline, after(1s + 1ns));
    pass_to(1s - 1ns);
    outside.clock = after(1s);
    ring();
    CHECK(!outside.round);
    CHECK(fired == Words{"due"});
  }
  SECTION("as many rounds as there may be, with the tasks that are deferred in them") {
    outside.clock = after(1s + detail::TimerLoop::kLate);
    ring();
    Job job{says("job")};
    int rounds = 0;
    for (; std::exchange(outside.round, false); ++rounds) {
      if (rounds == 3) loop.defer(job);
      loop.went_round();
    }
    CHECK(rounds == detail::TimerLoop::kRoundsMax);
    CHECK(fired == Words{"job", "due"});
  }
  SECTION("as long as it was late, when the rounds take long") {
    outside.clock = after(1s + 5ms);
    ring();
    outside.clock = after(1s + 10ms - 1ns);
    REQUIRE(std::exchange(outside.round, false));
    loop.went_round();
    outside.clock = after(1s + 10ms);
    REQUIRE(std::exchange(outside.round, false));
    loop.went_round();
    CHECK(!outside.round);
    CHECK(fired == Words{"due"});
  }
  SECTION("as long as there is time, when it was very late") {
    outside.clock = after(1h);
    ring();
    outside.clock = after(1h + detail::TimerLoop::kRoundsTimeMax);
    REQUIRE(std::exchange(outside.round, false));
    loop.went_round();
    CHECK(fired == Words{"due"});
  }
  SECTION("the loop asks for no alarm meanwhile, and a timer that is armed then fires in its turn") {
    outside.clock = after(2s);
    ring();
    Bell past{loop, says("past")}, next{loop, says("next")};
    loop.arm(past, after(1500ms));
    loop.arm(next, after(3s));
    CHECK(!outside.wanted);
    finish_rounds();
    CHECK(fired == Words{"due"});
    CHECK(outside.wanted == after(1500ms));
    ring();
    finish_rounds();
    CHECK(fired == Words{"due", "past"});
    CHECK(outside.wanted == after(3s));
  }
  SECTION("a timer that is disarmed in a round does not fire") {
    outside.clock = after(2s);
    ring();
    loop.disarm(due);
    finish_rounds();
    CHECK(fired.empty());
    CHECK(!outside.wanted);
  }
  SECTION("without memory for a round the timer fires all the same") {
    outside.clock = after(2s);
    outside.no_memory = true;
    ring();
    CHECK(fired == Words{"due"});
  }
  SECTION("without memory for a later round, likewise, and the next timer is waited for") {
    Bell next{loop, says("next")};
    loop.arm(next, after(3s));
    outside.clock = after(2s);
    ring();
    REQUIRE(std::exchange(outside.round, false));
    outside.no_memory = true;
    loop.went_round();
    CHECK(fired == Words{"due"});
    CHECK(outside.wanted == after(3s));
  }
  SECTION("a task that throws in a round ends nothing but its turn") {
    outside.clock = after(2s);
    Job thrower{[] { throw std::runtime_error{"boom"}; }};
    loop.defer(thrower);
    CHECK_THROWS_WITH(ring(), "boom");
    finish_rounds();
    CHECK(fired == Words{"due"});
  }
}

}  // namespace

}  // namespace holdfast::timer_loop_test
