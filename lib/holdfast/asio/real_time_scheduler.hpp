// The scheduler of production: steady time, on a Boost.Asio executor.
//
//     boost::asio::io_context io;
//     RealTimeScheduler scheduler{io.get_executor()};
//     Supervisor supervisor{scheduler, {}, seed, sink};   // (Runtime does all of this)
//     io.run();
//
// One system timer (a timerfd) serves all timers. It is set for the earliest one, and is off while none is armed. So
// io.run() returns when there is nothing more to wait for.
//
// ## Time
//
// Time is the number of whole nanoseconds of std::chrono::steady_clock since the construction.
// - A timer fires at or after its time, never before.
// - The thread may wake up late (it was busy, or the program was stopped). Then everything that was due fires in the
//   order of the times for which it was armed. At equal times the order of arming decides, and deadlines come last.
//   Deferred tasks run in between. now() is the real time, so a timer that is armed again counts from there, and
//   lateness does not add up to a burst.
// - While the machine is suspended, steady time stands still: what was due in an hour is due an hour after it wakes.
// - Changes of the wall clock, leap seconds and time zones have no effect.
// - Should the steady clock ever go backwards, now() stands still until the clock has caught up.
//
// ## A late timer and what arrived before it
//
// What arrived before a timer's time is handled before the timer. So `co_await (socket.async_read_some(…) ||
// ctx.sleep_for(2s))` yields what arrived within 2 s, even in a program that could not run for an hour.
// - Every descriptor that was ready at the timer's time has its turn first, however many there are.
// - If the scheduler is late by 5 ms or more, what those turns have set off gets up to 32 further rounds, as for a
//   message that is read in pieces. The rounds take at most 250 ms, and at most as long as the scheduler was late. A
//   descriptor that is always ready can delay a timer by that much. Before a deadline there are such rounds in any
//   case, for 5 ms at most if the scheduler is in time.
// - With several threads in one io_context, another thread may hold a ready descriptor that it has not passed on yet.
//   If it has not done so when the rounds are over, it comes after the timer.
//
// A deadline (arm_deadline) is moved by the time for which the scheduler could not run, 250 ms at most: each stall of
// 10 ms or more counts that is noticed while the deadline is armed. Of stalls that follow each other within a second
// only the longest counts. So a handler that blocks again and again makes a deadline come at most twice as late.
//
// It holds one descriptor. The constructor throws boost::system::system_error when there is none left.
//
// Thread-safety: the scheduler and everything that uses it live on one strand, executor(), which the scheduler makes.
// Any number of threads may run the io_context. Call now(), arm(), disarm(), defer() and cancel() on the strand. While
// no thread runs the io_context, the thread that ran it last may call them, too; before the first run, any one thread
// may. An assertion refuses arm() and defer() from elsewhere. Destroy the scheduler on the strand, but not from within
// one of its own handlers, or while no thread runs the io_context.
#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/asio/executor_scheduler.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

class RealTimeScheduler final : public ExecutorScheduler {
 public:
  // `executor`: of an io_context, or of anything that posix::stream_descriptor works on. Its context outlives the
  // scheduler.
  explicit RealTimeScheduler(const boost::asio::any_io_executor& executor);
  ~RealTimeScheduler() override;

  [[nodiscard]] TimePoint now() const noexcept override;
  void arm(Timer& timer, TimePoint at) override;
  void arm_deadline(Timer& timer, TimePoint at) override;
  bool disarm(Timer& timer) noexcept override;
  void defer(Task& task) override;
  bool cancel(Task& task) noexcept override;

  // The strand.
  [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept override;
  [[nodiscard]] bool running_in_this_thread() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with handlers that may still be on their way
};

}  // namespace holdfast

#pragma GCC visibility pop
