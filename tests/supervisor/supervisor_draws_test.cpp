// The draws of one name in several lives, and beside others.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "support.hpp"

namespace holdfast::test::supervisor_draws_test {

TEST_CASE("a service added again under its old name at a later time draws anew") {
  Fleet fleet;
  fleet.add("a").end_cleanly();
  fleet.settle();
  const DrawKey first = fleet->draw_key(fleet.snapshot("a").id);
  REQUIRE(fleet->remove("a"));
  fleet.pass(1ns);
  fleet.add("a");
  const DrawKey second = fleet->draw_key(fleet.snapshot("a").id);
  CHECK(first.name == second.name);
  CHECK(second.added_at == TimePoint{1});
  CHECK_FALSE(draw(first, Purpose::backoff_jitter, 1) == draw(second, Purpose::backoff_jitter, 1));
}

TEST_CASE("lives of one name within one instant draw from keys of their own, however they follow each other") {
  enum class How { removed_while_alive, removed_when_terminated, removed_when_terminated_and_added_at_once, in_place };
  for (const How how : {How::removed_while_alive, How::removed_when_terminated,
                        How::removed_when_terminated_and_added_at_once, How::in_place}) {
    CAPTURE(static_cast<int>(how));
    Fleet fleet;
    std::set<std::uint64_t> draws;
    Script* a = &fleet.add("a");
    for (std::size_t life = 1; life <= 4; ++life) {
      CAPTURE(life);
      draws.insert(draw(fleet->draw_key(fleet.snapshot("a").id), Purpose::backoff_jitter, 1).high);
      CHECK(draws.size() == life);
      if (how == How::removed_while_alive) REQUIRE(fleet->remove("a"));
      fleet.settle();
      a->end_cleanly();
      fleet.settle();
      if (how == How::in_place) {
        REQUIRE(fleet->restart("a"));
      } else {
        if (how != How::removed_while_alive) REQUIRE(fleet->remove("a"));
        if (how == How::removed_when_terminated) fleet.settle();
        a = &fleet.script();
        REQUIRE(fleet->add({.name = "a"}, *a));
      }
      fleet.settle();
    }
  }
}

// A real clock may move between any two looks at it. add() looked twice: for the time of adding, which is part of the
// key of the draws, and for whether the name had been removed in that same instant, which was then denied.
TEST_CASE("a service added again in the instant of its removal draws anew, whenever the clock moves on") {
  class TickingClock final : public Scheduler {
   public:
    explicit TickingClock(int looks) : looks_(looks) {}
    [[nodiscard]] TimePoint now() const noexcept override { return TimePoint{--looks_ < 0 ? 1 : 0}; }
    void arm(Timer&, TimePoint) override { FAIL("nothing waits here"); }
    bool disarm(Timer&) noexcept override { return false; }
    void defer(Task& task) override { tasks_.push(task); }
    bool cancel(Task& task) noexcept override { return tasks_.cancel(task); }
    void run_tasks() {
      while (!tasks_.empty()) tasks_.run_oldest();
    }

   private:
    mutable int looks_;  // until it moves
    TaskQueue tasks_;
  };
  for (int looks = 0; looks < 30; ++looks) {
    CAPTURE(looks);
    TickingClock clock{looks};
    Recorder recorder;
    Script a;
    Supervisor supervisor{clock, config_of(kAtOnce), kSeed, recorder};
    std::set<std::uint64_t> draws;
    for (int added = 0; added < 3; ++added) {
      const auto id = supervisor.add({.name = "a"}, a);
      REQUIRE(id);
      draws.insert(draw(supervisor.draw_key(id.value()), Purpose::backoff_jitter, 1).high);
      REQUIRE(supervisor.remove("a"));
      clock.run_tasks();
    }
    CHECK(draws.size() == 3);
  }
}

TEST_CASE("what others do does not change a service's draws") {
  const auto delays_of_a = [](bool with_others) {
    Fleet fleet{config_of({.base = 1s, .max = 60s, .breaker = std::nullopt})};
    if (with_others) fleet.add("before");
    auto& a = fleet.add("a");
    Script* const other = with_others ? &fleet.add("other") : nullptr;
    std::vector<Duration> delays;
    for (int i = 0; i < 10; ++i) {
      if (other && other->runs.size() == static_cast<std::size_t>(i) + 1) other->fail();
      fleet.settle();
      a.fail();
      fleet.settle();
      delays.push_back(fleet.recorder.backoffs.back().delay);
      fleet.pass(60s);
    }
    return delays;
  };
  CHECK(delays_of_a(false) == delays_of_a(true));
}

}  // namespace holdfast::test::supervisor_draws_test
