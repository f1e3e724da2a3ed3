// The scheduler of the simulated world: time is a number that jumps to the next timer.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <vector>

#include <holdfast/random.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/time.hpp>
#include <holdfast/timer_queue.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

class VirtualScheduler final : public Scheduler {
 public:
  ~VirtualScheduler() override;

  [[nodiscard]] TimePoint now() const noexcept override { return now_; }
  void arm(Timer& timer, TimePoint at) override { timers_.arm(timer, at < now_ ? now_ : at); }
  bool disarm(Timer& timer) noexcept override { return timers_.disarm(timer); }
  void defer(Task& task) override { tasks_.push(task); }
  bool cancel(Task& task) noexcept override { return tasks_.cancel(task); }

  // Runs the deferred tasks, those included that they defer.
  void run_tasks() {
    while (!tasks_.empty()) tasks_.run_oldest();
  }

  [[nodiscard]] bool has_timer_by(TimePoint limit) noexcept { return !timers_.empty() && timers_.earliest() <= limit; }

  // Jumps to the earliest timer, fires it and runs the tasks it deferred. False if no timer is due by `limit`, which
  // is included; the clock then stays.
  bool fire_next(TimePoint limit) {
    if (!timers_.fire_earliest_by(limit, now_)) return false;
    ++timers_fired_;
    run_tasks();
    return true;
  }

  // The same, with the timers that are due when an instant begins in an order that is drawn of the seed. Those that are
  // armed in the instant for it come after them.
  [[gnu::cold]] bool fire_next_shuffled(TimePoint limit, Seed seed);

  // Lets time pass to `at`. REQUIRES: no timer is due before `at`, which is not in the past.
  void advance_to(TimePoint at);

  [[nodiscard]] bool idle() const noexcept { return timers_.empty() && tasks_.empty(); }
  [[nodiscard]] std::uint64_t timers_fired() const noexcept { return timers_fired_; }

 private:
  TimerQueue timers_;
  TaskQueue tasks_;
  TimePoint now_;
  std::uint64_t timers_fired_ = 0;
  // Used by fire_next_shuffled() alone.
  TimePoint shuffled_at_ = TimePoint::min();
  std::uint64_t ties_ = 0;  // drawn so far
  std::vector<Timer*> due_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
