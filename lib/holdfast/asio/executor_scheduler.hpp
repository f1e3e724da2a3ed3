// A scheduler with an executor: the world of awaitable services, in real time and in a simulation.
//
// The executor runs the services between two waits, one at a time, in the thread in which the scheduler's timers fire.
// Do not run blocking work on it.
//
// Thread-safety: see the scheduler; its executor may be posted to from any thread unless the scheduler says otherwise.
#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/asio/detail/compiled_asio.hpp>
#include <holdfast/scheduler.hpp>

namespace holdfast::detail {
class RunCarriers;
class Waiting;
class WaitingRoom;
}  // namespace holdfast::detail

#pragma GCC visibility push(default)

namespace holdfast {

class ExecutorScheduler : public Scheduler {
 public:
  ~ExecutorScheduler() override;

  [[nodiscard]] virtual const boost::asio::any_io_executor& executor() const noexcept = 0;

  // Not for users: the room in which sleepers of this scheduler wait. It outlives the scheduler if a run does.
  [[nodiscard]] const std::shared_ptr<detail::WaitingRoom>& sleepers() const noexcept { return sleepers_; }
  // Not for users: the coroutines that carry the runs of awaitable services.
  [[nodiscard]] const std::shared_ptr<detail::RunCarriers>& carriers() const noexcept { return carriers_; }

 protected:
  ExecutorScheduler();

  // An implementation calls it in its destructor, while timers can still be disarmed: destroys all sleeping handlers
  // without calling them.
  void close_sleepers() noexcept;

 private:
  friend class detail::Waiting;

  // Called before and after a sleeper that continues within the timer that wakes it.
  virtual void before_sleeper() {}
  virtual void after_sleeper() {}

  std::shared_ptr<detail::WaitingRoom> sleepers_;
  std::shared_ptr<detail::RunCarriers> carriers_;
};

}  // namespace holdfast

#pragma GCC visibility pop
