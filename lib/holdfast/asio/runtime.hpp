// A supervisor in a program: scheduler, supervisor, services and signals, from start to exit status.
//
//     int main() {
//       holdfast::Runtime runtime;
//       runtime.add({.name = "feed"}, feed);   // awaitable<void> feed(holdfast::Context&)
//       return runtime.run_until_shutdown().suggested_exit_status();
//     }
//
// With an io_context of your own, any number of runtimes on it, and any number of threads:
//
//     boost::asio::io_context io;
//     Runtime feeds{io, {.supervisor = {.shutdown_timeout = 10s}}}, orders{io};
//     …
//     feeds.handle_signals();
//     io.run();      // returns when both have drained, if nothing else of yours is left
//
// A runtime keeps its io_context running until its shutdown is over, and not longer: then no timer, signal or
// descriptor of it is left. Runs that were abandoned may still wait for something of their own.
//
// Signals: SIGINT or SIGTERM shuts down, a second one ends the drain at once; the result says who was abandoned.
// After the drain they have their former effect again.
//
// Thread-safety: what says "any thread" is safe in any thread. The rest is for executor(), which is a strand; before
// the io_context is run, or while nobody runs it, also for one thread. From elsewhere:
// `post(runtime.executor(), [&] { runtime.supervisor().restart("feed"); })`. Using it wrongly is refused by assertion
// where that is cheap to see. A runtime may be destroyed at any time, in any state, on its executor or while nobody
// runs the io_context; but not from within an event sink, or from within start(), stop() or kill() of a service. Runs
// that are alive are asked to stop, and nobody is told of their end.
#pragma once

#include <concepts>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <holdfast/asio/awaitable_service.hpp>
#include <holdfast/asio/detail/runtime_waits.hpp>
#include <holdfast/asio/endpoint.hpp>
#include <holdfast/asio/executor_scheduler.hpp>
#include <holdfast/asio/fleet_snapshot.hpp>
#include <holdfast/asio/process_service.hpp>
#include <holdfast/supervisor.hpp>

namespace boost::asio {
class io_context;
}

#pragma GCC visibility push(default)

namespace holdfast {

struct RuntimeConfig {
  SupervisorConfig supervisor;
  std::optional<Seed> seed;            // of the jitter; nullopt: drawn from the system, see Runtime::seed()
  std::vector<EventSink*> sinks{};     // see every event, in this order; they outlive the runtime
  std::optional<Endpoint> endpoint{};  // /metrics, /healthz, /readyz, /services: endpoint.hpp
  // Where the run is written down for `holdfast replay` (recorder.hpp); it outlives the runtime.
  std::ostream* recording = nullptr;
};

class Runtime {
 public:
  // With an io_context of its own. Throws ConfigError, and boost::system::system_error when the system is out of
  // descriptors or the endpoint's port is taken.
  explicit Runtime(RuntimeConfig config = {});
  // On a given io_context, which outlives it.
  explicit Runtime(boost::asio::io_context& io, RuntimeConfig config = {});
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Adds a service written as a coroutine: see awaitable_service.hpp for what may be given, Supervisor::add for what
  // is refused.
  template <class F>
  requires detail::RunsAwaitable<F> || detail::MakesInstances<F> Result<ServiceId> add(ServiceConfig config,
                                                                                       F function) {
    return add_made_by(std::move(config), detail::factory_of(std::move(function)));
  }
  // Adds a service written as callbacks (service.hpp). It outlives the runtime or its `removed` event.
  Result<ServiceId> add(ServiceConfig config, Service& service);
  // The same, owned by the runtime until it has been removed.
  Result<ServiceId> add(ServiceConfig config, std::shared_ptr<Service> service);
  // Adds a process of the operating system (process_service.hpp). Refused as well: a process that cannot be right.
  Result<ServiceId> add(ServiceConfig config, Process process);

  // Commands, counters, snapshots.
  [[nodiscard]] Supervisor& supervisor() noexcept;
  [[nodiscard]] ExecutorScheduler& scheduler() noexcept;
  // Any thread. A strand; runs, timers and events all happen on it.
  [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept;
  // Any thread. With the same seed and the same ends at the same times, the same delays.
  [[nodiscard]] Seed seed() const noexcept;
  // Any thread. Where the endpoint listens; 0 without one.
  [[nodiscard]] std::uint16_t endpoint_port() const noexcept;

  // Any thread, and any signal handler: nothing but an atomic operation and a write() to a descriptor.
  void request_shutdown() noexcept;
  // The same, and ends the drain at once: what has not stopped by then is abandoned.
  void end_drain() noexcept;

  // SIGINT and SIGTERM from now on.
  void handle_signals();

  enum class Signals : std::uint8_t { handled, left_alone };
  // Runs the io_context in this thread until the shutdown is over: until a signal, request_shutdown(), or, with
  // `when_all_terminated = return`, until every service has terminated; then for the drain.
  // REQUIRES: the io_context is the runtime's own. Called once.
  ShutdownResult run_until_shutdown(Signals signals = Signals::handled);

  // Any thread. Completes with void(error_code, ShutdownResult) when the shutdown is over, at once if it is. Any
  // number may wait. operation_aborted: cancelled (on executor()), or the runtime was destroyed.
  template <boost::asio::completion_token_for<void(boost::system::error_code, ShutdownResult)> Token>
  auto async_wait_shutdown(Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, ShutdownResult)>(detail::AwaitShutdown{},
                                                                                               token, ending_);
  }

  // Any thread. Completes with void(error_code, std::shared_ptr<const FleetSnapshot>): a copy made on the executor when
  // it is asked for; nothing is copied otherwise. operation_aborted: the runtime was destroyed. From a plain thread,
  // while another one runs the io_context: `runtime.async_snapshot(boost::asio::use_future).get()`.
  template <
      boost::asio::completion_token_for<void(boost::system::error_code, std::shared_ptr<const FleetSnapshot>)> Token>
  auto async_snapshot(Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::shared_ptr<const FleetSnapshot>)>(
        detail::TakeSnapshot{}, token, executor(), std::weak_ptr<detail::SnapshotSource>{snapshots_});
  }

 private:
  struct State;

  Runtime(std::unique_ptr<boost::asio::io_context> own, boost::asio::io_context* io, RuntimeConfig config);
  Result<ServiceId> add_made_by(ServiceConfig config, AwaitableService::Factory factory);

  std::unique_ptr<boost::asio::io_context> own_io_;
  std::shared_ptr<State> state_;  // shared with handlers on their way
  std::shared_ptr<detail::SnapshotSource> snapshots_;
  std::shared_ptr<detail::Ending> ending_;
};

}  // namespace holdfast

#pragma GCC visibility pop
