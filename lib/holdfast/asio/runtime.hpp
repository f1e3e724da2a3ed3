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
// ## Signals
//
// SIGTERM, SIGINT or SIGHUP shuts down. A signal that comes a second or more after the begin of the shutdown, whatever
// its cause, ends the drain at once; the result names the abandoned services. Processes that are killed by that, or by
// the drain's deadline, get the kill_wait to die (SupervisorConfig; 1 s by default). An earlier signal is part of the
// same stop, which often is delivered twice (to a wrapper that passes it on, and to the group), and changes nothing.
// Events report the signals: `shutdown_requested` and `drained` have one as their cause, and a signal that changes
// nothing leads to a `warned` event.
//
// - SIGHUP is handled only if it still has its default action. If it is ignored (`nohup`), or the program handles it,
//   the runtime leaves it alone. SIGTERM and SIGINT are handled in any case, even if they were ignored.
// - handle_signals() and run_until_shutdown() unblock the signals in the calling thread, since a program may inherit a
//   mask that blocks them. Signals are sent to the program as a whole: one live thread that does not block them is
//   enough. A pending one comes at once.
// - All runtimes and signal_sets of the program share them. A handler of another kind that was set before is inactive
//   until the drain is over; one that is set later takes the signal away from the runtime.
// - System calls of other threads that they interrupt go on (SA_RESTART).
// - After the drain they have their former effect again. If a signal began or ended the drain, that happens a second
//   later, so that the second signal of that stop does not end the program while it cleans up.
//
// Exceptions: an exception of an event sink reaches neither the supervisor nor the other sinks, which all see the
// event. The io_context's run(), or run_until_shutdown(), throws it as SinkError after that step; of several within one
// step it throws the first, with the number of the others. A program that catches it calls the same function again and
// goes on: only the sink has lost something. A program that does not catch it ends with that message. Other exceptions
// out of run(), such as std::bad_alloc, may be caught likewise: signals, request_shutdown() and end_drain() go on
// working.
//
// ## Without memory
//
// If an allocation of the supervisor, of a service or of a sink fails, nothing is lost. A command throws std::bad_alloc
// and has done nothing. A run that cannot begin has failed, and is started again after its delay. Ends of runs,
// signals, timers and the shutdown are handled as soon as there is memory. The endpoint drops clients for which there
// is none. A program whose large allocations fail, as under a limit (RLIMIT_AS, a full heap), therefore goes on, and
// drains when it is asked to.
//
// Asio itself promises less. It allocates at most a few hundred bytes, often from memory that the thread has kept, when
// it queues a handler on a strand or copies an executor. It does so in functions that must not throw, or loses what it
// was about to queue. If not even that much memory is left, the program ends (std::terminate), or it never learns of a
// timer, the end of a process or a socket. The kernel kills the remaining processes when the program ends. Linux seldom
// refuses memory at all: when the machine or a control group has none left it kills a process.
//
// Thread-safety: functions that say "any thread" are safe in any thread. Call the others on executor(), which is a
// strand, or, while no thread runs the io_context, in one thread. From elsewhere: `post(runtime.executor(), [&] {
// runtime.supervisor().restart("feed"); })`. Assertions refuse wrong use where that is cheap to detect. Destroy a
// runtime at any time, in any state, on its executor or while no thread runs the io_context; but not from within an
// event sink, or from within start(), stop() or kill() of a service. It asks live runs to stop, and does not report
// their end.
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

// Processes whose parents have ended. They become children of process 1 of their PID namespace (a container), or of a
// subreaper, and stay zombies after their end until that process reaps them.
enum class Orphans : std::uint8_t {
  reaped_by_process_1,  // reaped if this program is process 1; elsewhere there are none
  adopted,              // by this program wherever it is (PR_SET_CHILD_SUBREAPER), and reaped
  left_alone
};

struct RuntimeConfig {
  SupervisorConfig supervisor{};
  std::optional<Seed> seed{};          // of the jitter; nullopt: drawn from the system, see Runtime::seed()
  std::vector<EventSink*> sinks{};     // see every event, in this order; they outlive the runtime
  std::optional<Endpoint> endpoint{};  // /metrics, /healthz, /readyz, /services: endpoint.hpp
  // The stream of the recording for `holdfast replay` (recorder.hpp); it outlives the runtime. If it can no longer be
  // written (a full disk, an exception), the runtime reports that once, as a `recording_failed` event and in the
  // metrics, and goes on without a recording.
  std::ostream* recording = nullptr;
  Orphans orphans = Orphans::reaped_by_process_1;
  // Whether the program waits for children that it has started itself (fork, popen, other libraries). Then only such
  // orphans are reaped as a session or group of a Process left behind. Otherwise any child that is not a Process and
  // has been dead for 2 s is reaped: system(), and any code that waits without pause, has taken its child by then.
  bool waits_for_children = false;
  // Whether the program leaves SIGCHLD to the runtime. Then it looks for ended orphans only after a child has ended;
  // without the signal it looks every second. Where it reaps no orphans it leaves the signal alone.
  bool takes_sigchld = false;
};

class Runtime {
 public:
  // With an io_context of its own. Throws ConfigError, and boost::system::system_error if no descriptor is left or the
  // endpoint's port is taken.
  explicit Runtime(RuntimeConfig config = {});
  // On a given io_context, which outlives it.
  explicit Runtime(boost::asio::io_context& io, RuntimeConfig config = {});
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Adds a service written as a coroutine: see awaitable_service.hpp for what may be given, Supervisor::add for what
  // is refused.
  template <detail::OfferedAsAwaitableService F>
  Result<ServiceId> add(ServiceConfig config, F function) {
    detail::check_service<F>();
    return add_made_by(std::move(config), detail::factory_of(std::move(function)));
  }
  // Adds a service written as callbacks (service.hpp). It outlives the runtime or its `removed` event.
  Result<ServiceId> add(ServiceConfig config, Service& service);
  // The same, owned by the runtime until it has been removed.
  Result<ServiceId> add(ServiceConfig config, std::shared_ptr<Service> service);
  // Adds a process of the operating system (process_service.hpp). Also refuses a process with mistakes.
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
  // The same, and ends the drain at once: services that have not stopped by then are abandoned.
  void end_drain() noexcept;

  // From now on. Called again in another thread, it unblocks them there as well.
  void handle_signals();

  enum class Signals : std::uint8_t { handled, left_alone };
  // Runs the io_context in this thread until the shutdown is over: until a signal, request_shutdown(), or, with
  // `when_all_terminated = return`, until every service has terminated; then for the drain.
  // REQUIRES: the io_context is the runtime's own. Called once, and again only if it threw.
  ShutdownResult run_until_shutdown(Signals signals = Signals::handled);

  // Any thread. Completes with void(error_code, ShutdownResult) when the shutdown is over, at once if it is. Any
  // number may wait. operation_aborted: cancelled (on executor()), or the runtime was destroyed.
  template <boost::asio::completion_token_for<void(boost::system::error_code, ShutdownResult)> Token>
  auto async_wait_shutdown(Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, ShutdownResult)>(detail::AwaitShutdown{},
                                                                                               token, ending_);
  }

  // Any thread. Completes with void(error_code, Termination) when the service of this name has terminated, whatever
  // ended it, and however often it is started again before that; at once if it has. What is waited for is the service
  // that has the name when the executor gets to this, and that until a restart by hand after its end. Any number may
  // wait, also services. With an error the Termination says nothing: not_found (no service has this name; perhaps it
  // was removed), operation_aborted (cancelled (on executor()), or the runtime was destroyed), no_memory.
  template <boost::asio::completion_token_for<void(boost::system::error_code, Termination)> Token>
  auto async_wait(std::string name, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, Termination)>(
        detail::AwaitDeparture{}, token, departures_, std::move(name));
  }

  // Any thread. Completes with void(error_code, std::shared_ptr<const FleetSnapshot>): a copy made on the executor when
  // it is asked for; nothing is copied otherwise. operation_aborted: the runtime was destroyed, or there is no memory
  // for it. From a plain thread, while another one runs the io_context:
  // `runtime.async_snapshot(boost::asio::use_future).get()`. The runtime copies 1024 services at a time, about 0.3 ms,
  // so that other work on the executor waits no longer than that; fleet_snapshot.hpp says what that means for a larger
  // fleet. A service takes about 300 bytes in it. Destroying it costs as much as making it: drop the last reference to
  // a large one outside the executor.
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
  std::shared_ptr<detail::Departures> departures_;
};

}  // namespace holdfast

#pragma GCC visibility pop
