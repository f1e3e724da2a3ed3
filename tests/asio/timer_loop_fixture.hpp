// A loop of timers on a clock that is set by hand, with a memory of what it asked for.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <holdfast/asio/detail/timer_loop.hpp>

namespace holdfast::timer_loop_test {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

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

}  // namespace holdfast::timer_loop_test
