// A service written as a coroutine, the ordinary way to write one; the same code runs in real and in virtual time.
//
// What may be given to it (and to Runtime::add and AsioSimulation::add):
// - a function or lambda `awaitable<void>(Context&)`; each run works on a copy of its own of what it has captured;
// - a factory without arguments that returns something with `awaitable<void> run(Context&)`, or a (smart) pointer to
//   it: each run gets an instance of its own.
// Either may return an `awaitable<Exit>` as well, which says how the run ended.
// So no run shares memory with an abandoned one, unless the function captures a pointer or a reference.
//
// The run begins as posted work after start(). It reports its end after coroutine and instance are destroyed, so that
// the next run finds the port, the file or the lock free.
//
// Abandonment is safe: a run that ignores its stop goes on alone. Its end, its exceptions and its destructors do no
// harm, even after service, supervisor and scheduler are gone. A service that is destroyed asks its runs to stop.
//
// Thread-safety: none; all on the scheduler's executor.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <holdfast/asio/context.hpp>
#include <holdfast/asio/detail/body.hpp>
#include <holdfast/asio/executor_scheduler.hpp>
#include <holdfast/service.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

class AwaitableService final : public Service {
 public:
  using Factory = std::function<std::unique_ptr<detail::Body>()>;

  // The scheduler outlives the service.
  template <class F>
  requires detail::RunsAwaitable<F> || detail::MakesInstances<F> AwaitableService(ExecutorScheduler& scheduler,
                                                                                  std::string name, F function)
      : AwaitableService(scheduler, std::move(name), detail::factory_of(std::move(function))) {}
  AwaitableService(ExecutorScheduler& scheduler, std::string name, Factory factory);
  ~AwaitableService();

  void start(Run run) override;
  void stop(Run run) override;
  // So a run that ignores its stop does not hold up a restart.
  [[nodiscard]] bool runs_side_by_side() const noexcept override { return true; }

 private:
  friend class detail::AwaitableRun;

  void forget(const detail::AwaitableRun& run) noexcept;

  ExecutorScheduler& scheduler_;
  const std::shared_ptr<const std::string> name_;
  const Factory factory_;
  detail::AwaitableRun* alive_ = nullptr;  // runs that have not ended: the present one, and abandoned ones
};

}  // namespace holdfast

#pragma GCC visibility pop
