// The order of deferred tasks.
#include <catch2/catch.hpp>

#include <deque>
#include <vector>

#include <holdfast/timer_queue.hpp>

#include "timer_bells.hpp"

namespace holdfast::timer_queue_test {

namespace {

using namespace std::chrono_literals;

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

}  // namespace

}  // namespace holdfast::timer_queue_test
