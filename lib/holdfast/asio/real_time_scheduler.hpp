// The scheduler of production: steady time, on a Boost.Asio executor.
//
//     boost::asio::io_context io;
//     RealTimeScheduler scheduler{io.get_executor()};
//     Supervisor supervisor{scheduler, {}, seed, sink};   // (Runtime does all of this)
//     io.run();
//
// One system timer for all timers together, armed for the earliest; none while nothing is armed, so that io.run()
// returns when there is nothing more to wait for.
//
// What time is: whole nanoseconds of std::chrono::steady_clock since the construction.
// - A late wake-up (a busy thread, a loaded machine) fires everything that is due by then, in the order of the times
//   for which it was armed, and among equal times in the order of arming; deferred tasks run between. now() is the real
//   time, so whoever arms again counts from there, and lateness does not add up to a burst.
// - While the machine is suspended steady time stands still: what was due in an hour is due in an hour after it wakes.
// - Setting the wall clock, leap seconds and time zones have no effect.
// - Should the steady clock ever go backwards, now() stands still until it has caught up.
// - Timers fire at or after their time, never before.
//
// Thread-safety: the scheduler and all that stands on it live on one strand, which it makes: executor(). The
// io_context may be run by any number of threads. now(), arm(), disarm(), defer() and cancel() are to be called on the
// strand; while nobody runs the io_context also from the thread that ran it last, and before anybody has, from any one
// thread. Arming and deferring from elsewhere is refused by assertion. It is destroyed on the strand, but not from
// within a handler of its own, or while nobody runs the io_context.
#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/asio/executor_scheduler.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

class RealTimeScheduler final : public ExecutorScheduler {
 public:
  // `executor`: of an io_context, or of anything that steady_timer works on. Its context outlives the scheduler.
  explicit RealTimeScheduler(const boost::asio::any_io_executor& executor);
  ~RealTimeScheduler() override;

  [[nodiscard]] TimePoint now() const noexcept override;
  void arm(Timer& timer, TimePoint at) override;
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
