// The supervisor's own port to virtual time, in a rehearsal in which the supervisor may be late: it can stand still,
// and its timers can be late. Services and chaos use the virtual scheduler itself, and are never late.
//
// As long as nobody is late it does what the virtual scheduler does, in the same order. Where it stands still it is as
// RealTimeScheduler is in a program that cannot run: when it wakes, what was deferred comes first, then the timers that
// are overdue, and every deadline is later by as much. Of stalls within a second of each other only the longest counts.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include <holdfast/detail/numbered_timers.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/timer_queue.hpp>
#include <holdfast_sim/stage/virtual_scheduler.hpp>

namespace holdfast::sim {

class LateScheduler final : public Scheduler {
 public:
  // How late a timer is that is due now. Called once for each arming.
  using Lateness = std::function<Duration(const Timer&)>;

  // The scheduler outlives it.
  explicit LateScheduler(VirtualScheduler& scheduler) : scheduler_(scheduler), turn_(*this), wake_(*this) {}
  ~LateScheduler() override;

  [[nodiscard]] TimePoint now() const noexcept override { return scheduler_.now(); }
  void arm(Timer& timer, TimePoint at) override { arm_for(timer, at, false); }
  void arm_deadline(Timer& timer, TimePoint at) override { arm_for(timer, at, true); }
  bool disarm(Timer& timer) noexcept override;
  void defer(Task& task) override;
  bool cancel(Task& task) noexcept override;

  // Nothing of the supervisor runs before `until`. False: it stands still as long as that already.
  bool stand_still(TimePoint until);
  [[nodiscard]] bool stands_still() const noexcept { return wake_.armed(); }
  // REQUIRES: stands_still().
  [[nodiscard]] TimePoint wakes_at() const noexcept { return wakes_at_; }

  void set_lateness(Lateness lateness) { lateness_ = std::move(lateness); }

 private:
  // Armed in virtual time for a timer of the supervisor.
  class Alarm final : public Timer {
   public:
    Alarm(LateScheduler& scheduler, std::uint64_t number, bool is_deadline)
        : scheduler_(scheduler),
          timer_number_(number),
          is_deadline_(is_deadline),
          postponed_before_(scheduler.postponed_) {}

   private:
    friend class LateScheduler;
    void fired() override { scheduler_.rang(*this); }

    LateScheduler& scheduler_;
    std::uint64_t timer_number_;  // of the timer
    bool is_deadline_;
    bool is_late_ = false;       // it has been due, and is late on purpose
    Duration postponed_before_;  // what deadlines had been postponed by when it was armed
    const Timer* timer_ = nullptr;
  };
  class Turn final : public Task {
   public:
    explicit Turn(LateScheduler& scheduler) : scheduler_(scheduler) {}

   private:
    void run() override { scheduler_.run_tasks(); }
    LateScheduler& scheduler_;
  };
  class Wake final : public Timer {
   public:
    explicit Wake(LateScheduler& scheduler) : scheduler_(scheduler) {}

   private:
    void fired() override { scheduler_.wake(); }
    LateScheduler& scheduler_;
  };

  void arm_for(Timer& timer, TimePoint at, bool is_deadline);
  void rang(Alarm& alarm);
  void run_tasks();
  void wake();

  VirtualScheduler& scheduler_;
  Lateness lateness_;
  holdfast::detail::NumberedTimers timers_;
  std::map<std::uint64_t, Alarm> alarms_;  // by the number of the timer
  std::vector<std::uint64_t> held_;        // of timers that became due while it stood still, in their order
  TaskQueue tasks_;                        // that were deferred while it stood still
  Turn turn_;
  Wake wake_;
  TimePoint stands_since_;
  TimePoint wakes_at_;
  TimePoint woke_at_ = TimePoint::min();  // after the latest stall that deadlines were postponed for
  Duration stood_for_{0};                 // how long that one lasted
  Duration postponed_{0};                 // what every deadline was postponed by, since the beginning
};

}  // namespace holdfast::sim
