// The scheduler port on a clock that runs by itself: which timers are due, in which order, and when to wake up next.
//
// Everything of the real-time scheduler that decides, without Asio and without a clock, so that it can be tested with
// made-up ones. The outside gives it the time and one alarm (Wakeups); it gives back turns: all that is due.
//
// Thread-safety: none.
#pragma once

#include <optional>

#include <holdfast/scheduler.hpp>
#include <holdfast/time.hpp>
#include <holdfast/timer_queue.hpp>

namespace holdfast::detail {

// What the loop needs from outside.
class Wakeups {
 public:
  // The clock. It may stand still or go backwards; the loop's time does not.
  [[nodiscard]] virtual TimePoint read_clock() const noexcept = 0;
  // Call woke() at `at` or later. Replaces the earlier wish.
  virtual void wake_at(TimePoint at) = 0;
  // Takes that wish back.
  virtual void wake_never() noexcept = 0;
  // Call turn() after the present handler.
  virtual void wake_soon() = 0;

 protected:
  ~Wakeups() = default;
};

class TimerLoop {
 public:
  explicit TimerLoop(Wakeups& wakeups) noexcept : wakeups_(wakeups) {}
  // Forgets timers and tasks. REQUIRES: not called from within a turn.
  ~TimerLoop();
  TimerLoop(const TimerLoop&) = delete;
  TimerLoop& operator=(const TimerLoop&) = delete;

  // As in Scheduler.
  [[nodiscard]] TimePoint now() const noexcept;
  void arm(Timer& timer, TimePoint at);
  bool disarm(Timer& timer) noexcept;
  void defer(Task& task);
  bool cancel(Task& task) noexcept { return tasks_.cancel(task); }

  // Runs the deferred tasks, then fires every timer that was due when it began, in the order of their times, with the
  // tasks they defer run between them. Timers that fall due meanwhile wait for the next turn, so that other work of
  // the thread gets its turn too.
  // If a handler throws, the rest of the turn comes in the next one, and the exception goes to the caller.
  void turn();

  // The time that wake_at() asked for has come.
  void woke() {
    wake_at_.reset();
    turn();
  }

 private:
  class Turn;

  void run_tasks() {
    while (!tasks_.empty()) tasks_.run_oldest();
  }
  void ask_for_wakeup();

  Wakeups& wakeups_;
  TimerQueue timers_;
  TaskQueue tasks_;
  mutable TimePoint latest_;          // that now() has said
  TimePoint next_turn_;               // later than whatever the latest turn fired
  std::optional<TimePoint> wake_at_;  // what was asked for
  bool wake_soon_ = false;            // asked for, and the turn has not come
  bool turning_ = false;
};

}  // namespace holdfast::detail
