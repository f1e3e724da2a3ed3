// The one port between the supervisor and the world: time, timers and deferred work.
//
// A clock and timers from two interfaces could disagree, so they are one interface. The supervisor and everything it
// supervises run on it, in a simulation (virtual time) as in production (a real-time adapter).
//
// Promises of every implementation:
// - now() does not go backwards, and does not move while a handler runs in virtual time.
// - A timer fires once, at or after its time, never inside arm(). Timers of equal times fire in the order of arming.
// - Work that was ready before a timer's time runs before the timer, however late the scheduler runs both.
// - A deferred task runs after the current handler and before any timer, in the order of deferring.
// - Nothing is allocated for a timer or a task; both are nodes inside their owner.
//
// Thread-safety: none. A scheduler and everything that uses it belong to one thread (in production: one executor).
#pragma once

#include <cstdint>

#include <holdfast/detail/assert.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {
class NumberedTimers;
class TimerLoop;
}  // namespace holdfast::detail

#pragma GCC visibility push(default)

namespace holdfast {

// A timer is a base class of the thing that waits. It must be disarmed before it is destroyed.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  [[nodiscard]] bool armed() const noexcept { return armed_; }

 protected:
  ~Timer() { HOLDFAST_ASSERT(!armed(), "a timer was destroyed while it was armed"); }

  // The latest time it was armed for, or kept.
  [[nodiscard]] TimePoint armed_for() const noexcept { return at_; }
  // A time of the owner's takes its place. REQUIRES: it is not armed.
  void keep(TimePoint at) noexcept {
    HOLDFAST_ASSERT(!armed_, "an armed timer was given a time to keep");
    at_ = at;
  }

 private:
  friend class TimerQueue;
  friend class detail::NumberedTimers;
  friend class detail::TimerLoop;

  // Called once for each arming that was not undone. The timer is no longer armed and may be armed again.
  virtual void fired() = 0;

  // A prefetch hint: the timer fires after a few others, so its owner can fetch memory. Not called for every firing.
  virtual void comes_soon() const noexcept {}

  TimePoint at_;
  bool armed_ : 1 = false;
  bool is_deadline_ : 1 = false;  // for schedulers that treat deadlines apart
};

// Work to be done after the current handler. A task that is still queued must not be destroyed.
class Task {
 public:
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  [[nodiscard]] bool queued() const noexcept { return queued_; }

 protected:
  ~Task() { HOLDFAST_ASSERT(!queued_, "a task was destroyed while it was queued"); }

 private:
  friend class TaskQueue;

  virtual void run() = 0;

  Task* next_ = nullptr;
  bool queued_ = false;
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  [[nodiscard]] virtual TimePoint now() const noexcept = 0;

  // Throws std::bad_alloc if there is no memory for one more; then it is not armed.
  // REQUIRES: `timer` is not armed. A time in the past means now.
  virtual void arm(Timer& timer, TimePoint at) = 0;

  // The same for a deadline: the time by which something must have ended or arrived. A scheduler that could not run for
  // a while postpones every armed deadline by as much, so that no service misses one because the scheduler is late.
  // armed_for() then returns the later time. Virtual time is never late.
  virtual void arm_deadline(Timer& timer, TimePoint at) { arm(timer, at); }

  // False if it was not armed (it has fired, or never was).
  virtual bool disarm(Timer& timer) noexcept = 0;

  // Throws std::bad_alloc without memory for it; then it is not queued. REQUIRES: `task` is not queued.
  virtual void defer(Task& task) = 0;

  // Forgets a task that was deferred and has not run. False if it was not queued.
  virtual bool cancel(Task& task) noexcept = 0;
};

}  // namespace holdfast

#pragma GCC visibility pop
