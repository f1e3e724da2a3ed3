// The real-time scheduler's loop on a made-up clock: late wake-ups, clocks that stand still or step, and when it asks
// to be woken.
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <holdfast/asio/detail/timer_loop.hpp>

namespace holdfast::timer_loop_test {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

namespace {

// A clock that is set by hand, and a memory of what the loop asked for.
class Outside final : public detail::Wakeups {
 public:
  [[nodiscard]] TimePoint read_clock() const noexcept override { return clock; }
  void wake_at(TimePoint at) override {
    if (no_memory_to_wake) throw std::bad_alloc{};
    wanted = at;
    ++wishes;
  }
  void wake_never() noexcept override { wanted.reset(); }
  void wake_soon() override {
    if (no_memory_to_wake) throw std::bad_alloc{};
    soon = true;
  }
  void go_round() override {
    if (no_memory) throw std::bad_alloc{};
    round = true;
  }

  TimePoint clock;
  std::optional<TimePoint> wanted;
  int wishes = 0;
  bool soon = false;
  bool round = false;      // asked to go round
  bool no_memory = false;  // to go round with
  bool no_memory_to_wake = false;
};

class Bell final : public Timer {
 public:
  Bell(detail::TimerLoop& loop, std::function<void()> act) : loop_(loop), act_(std::move(act)) {}
  ~Bell() { loop_.disarm(*this); }

 private:
  void fired() override { act_(); }
  detail::TimerLoop& loop_;
  std::function<void()> act_;
};

class Job final : public Task {
 public:
  explicit Job(std::function<void()> act) : act_(std::move(act)) {}

 private:
  void run() override { act_(); }
  std::function<void()> act_;
};

constexpr TimePoint after(Duration time) { return TimePoint{} + time; }

struct Fixture {
  Outside outside;
  detail::TimerLoop loop{outside};
  Words fired;

  std::function<void()> says(std::string word) {
    return [this, word] { fired.push_back(word); };
  }
  // The alarm has rung, and everybody else has had their turns; again, as long as the alarm has rung again.
  void wake(Duration at) {
    outside.clock = after(at);
    do {
      ring();
      finish_rounds();
    } while (outside.wanted && *outside.wanted <= outside.clock && outside.clock == after(at));
  }
  // Every alarm on the way is handled in time.
  void pass_to(Duration at) {
    while (outside.wanted && *outside.wanted <= after(at)) {
      wake(std::max(*outside.wanted, outside.clock) - TimePoint{});
    }
    outside.clock = std::max(outside.clock, after(at));
  }
  void ring() {
    outside.wanted.reset();
    loop.woke();
  }
  void finish_rounds() {
    while (std::exchange(outside.round, false)) loop.went_round();
  }
};

}  // namespace

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
  SECTION("a second stall too soon after the first one gives nothing, so that a deadline comes in the end") {
    loop.arm_deadline(deadline, after(2s));
    Duration at = 250ms;
    int stalls = 0;
    for (; fired.empty() && stalls < 20; ++stalls) wake(at += 500ms);  // each alarm is handled so late
    CHECK(fired == Words{"deadline"});
    CHECK(at <= 2 * 2s + 500ms);
  }
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

}  // namespace holdfast::timer_loop_test
