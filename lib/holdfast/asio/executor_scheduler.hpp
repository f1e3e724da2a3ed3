// A scheduler with an executor: the world of awaitable services, in real time and in a simulation.
//
// The executor runs what the services do between two waits, one thing at a time, in the thread in which the scheduler's
// timers fire. It is never the place for work that blocks.
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

  // Not for users: where what sleeps on this scheduler waits. It outlives the scheduler where a run does.
  [[nodiscard]] const std::shared_ptr<detail::WaitingRoom>& sleepers() const noexcept { return sleepers_; }
  // Not for users: what carries the runs of awaitable services.
  [[nodiscard]] const std::shared_ptr<detail::RunCarriers>& carriers() const noexcept { return carriers_; }

 protected:
  ExecutorScheduler();

  // To be called by the destructor of the implementation, while timers can still be disarmed: destroys whatever sleeps
  // without calling it.
  void close_sleepers() noexcept;

 private:
  friend class detail::Waiting;

  // Called around a sleeper that continues inside of the timer that wakes it.
  virtual void before_sleeper() {}
  virtual void after_sleeper() {}

  std::shared_ptr<detail::WaitingRoom> sleepers_;
  std::shared_ptr<detail::RunCarriers> carriers_;
};

}  // namespace holdfast

#pragma GCC visibility pop
