// The scheduler port on a clock that runs by itself: which timers are due, in which order, and when to wake up next.
//
// This holds every decision of the real-time scheduler, without Asio and without a clock, so that tests can replace
// both. Its owner provides the time and one alarm (Wakeups); a turn of the loop fires all that is due.
//
// ## Timers and what arrives
//
// A timer that is due at D fires only after everything that was ready by D has had its turn, however late the loop is.
// The alarm stands in one queue with the descriptors, so whatever was ready before it rang comes before it. A turn
// therefore fires what was due when its alarm rang, and not what has become due since. Deferred tasks ask for a turn
// without an alarm, and such a turn fires no timer.
//
// What arrived may need several steps to take effect: a message that is read in pieces, an end that a coroutine passes
// on. A loop that is late by kLate or more therefore lets all other work go round first, up to kRoundsMax times, but
// for no longer than it is late and no longer than kRoundsTimeMax. So a descriptor that is always ready cannot hold up
// timers. Before a deadline it does so also when it is not late, for kLate at most: a process that ended just before
// its grace was over is not killed.
//
// ## Deadlines
//
// A loop that could not run for a while (no processor, a stopped program, a suspended machine, a handler that blocks)
// gives every deadline as much time more. It notices such a stall by an alarm that it handles kStallMin or more after
// it rang, or by a turn that takes as long; while deadlines are armed the alarm rings at least every kPulse, so at most
// that much of a stall goes unnoticed. Of stalls that follow each other within kStallsApart, only the longest counts:
// otherwise a handler that blocks again and again would put every deadline off for ever. So a stall that begins soon
// after another one gives only the time by which it is the longer one.
//
// Thread-safety: none.
#pragma once

#include <chrono>
#include <optional>

#include <holdfast/scheduler.hpp>
#include <holdfast/time.hpp>
#include <holdfast/timer_queue.hpp>

namespace holdfast::detail {

// What the loop needs from its owner.
class Wakeups {
 public:
  // The clock. It may stand still or go backwards; the loop's time does not.
  [[nodiscard]] virtual TimePoint read_clock() const noexcept = 0;
  // Ring at `at`, at once if that has passed, and call woke() after everything that was ready when it rang. Replaces
  // the earlier request.
  virtual void wake_at(TimePoint at) = 0;
  // Cancels that request.
  virtual void wake_never() noexcept = 0;
  // Call turn() after the present handler.
  virtual void wake_soon() = 0;
  // Call went_round() after everything that is queued now, and what is ready, has had a turn. No alarm is asked for
  // until then.
  virtual void go_round() = 0;

 protected:
  ~Wakeups() = default;
};

class TimerLoop {
 public:
  static constexpr Duration kLate = std::chrono::milliseconds{5};
  static constexpr int kRoundsMax = 32;
  static constexpr Duration kRoundsTimeMax = std::chrono::milliseconds{250};
  static constexpr Duration kStallMin = std::chrono::milliseconds{10};
  static constexpr Duration kStallsApart = std::chrono::seconds{1};
  static constexpr Duration kPulse = std::chrono::milliseconds{250};

  explicit TimerLoop(Wakeups& wakeups) noexcept : wakeups_(wakeups) {}
  // Forgets timers and tasks. REQUIRES: not called from within a turn.
  ~TimerLoop();
  TimerLoop(const TimerLoop&) = delete;
  TimerLoop& operator=(const TimerLoop&) = delete;

  // The same as in Scheduler.
  [[nodiscard]] TimePoint now() const noexcept;
  void arm(Timer& timer, TimePoint at) { arm(timers_, timer, at, false); }
  // At equal times a deadline fires after other timers.
  void arm_deadline(Timer& timer, TimePoint at) { arm(deadlines_, timer, at, true); }
  bool disarm(Timer& timer) noexcept;
  void defer(Task& task);
  bool cancel(Task& task) noexcept { return tasks_.cancel(task); }

  // Runs the deferred tasks, those included that they defer.
  void turn();

  // The alarm has rung. Runs the deferred tasks, then fires every timer that was due when it rang, in the order of
  // their times, with the tasks they defer run between them. Timers that fall due meanwhile wait for the next alarm, so
  // that other work of the thread gets its turn too. A loop that is late goes round first. If a handler throws, the
  // caller gets the exception, and the rest of the turn comes in the next one.
  void woke();
  void went_round();

 private:
  template <class Work>
  void in_turn(const Work& work);
  void arm(TimerQueue& queue, Timer& timer, TimePoint at, bool is_deadline);
  [[nodiscard]] bool has_timers() const noexcept { return !timers_.empty() || !deadlines_.empty(); }
  [[nodiscard]] TimePoint earliest();
  void run_tasks() {
    while (!tasks_.empty()) tasks_.run_oldest();
  }
  void go_round();
  void fire_due();
  bool fire_earliest_due();
  void make_up_for_stall(TimePoint rang, TimePoint now);
  void ask_for_wakeup();
  void ask_for_alarm(TimePoint at);
  void forget_alarm() noexcept;

  Wakeups& wakeups_;
  TimerQueue timers_;
  TimerQueue deadlines_;
  TaskQueue tasks_;
  mutable TimePoint latest_;                // that now() has said
  TimePoint next_turn_;                     // later than whatever the latest turn fired
  std::optional<TimePoint> wake_at_;        // what was asked for
  std::optional<TimePoint> rings_;          // when the alarm rings or has rung: the earliest time at which it can have
  std::optional<TimePoint> awaited_since_;  // the same of alarms that somebody has waited for without a break
  TimePoint due_;                           // what was ready by then has had its turn
  std::optional<TimePoint> stalled_until_;  // the end of the latest stall that deadlines were put off for
  Duration stalled_for_{0};                 // how long that one lasted
  TimePoint rounds_end_;
  int rounds_left_ = 0;     // not 0: the loop goes round, and fires what is due after it
  bool wake_soon_ = false;  // asked for, and the turn has not come
  bool turning_ = false;
};

}  // namespace holdfast::detail
