// An Asio execution context in virtual time.
//
// What is posted to its executor runs as a deferred task of the virtual scheduler: after the present handler, before
// any timer, first in, first out. Nothing ever runs inside of post() or dispatch(). So everything in Asio that is made
// of handlers alone works as it is: co_spawn, awaitables, `||` and `&&`, channels, strands.
//
// Everything that waits for the real world is refused at once, because virtual time does not wait for it: making a
// steady_timer, a socket, an acceptor, a descriptor or a signal_set on this executor throws RealWorldRefused, and
// using a resolver makes the loop throw it. (Otherwise Asio would start a thread of its own that fires in real time.)
// RealWorldRefused is a FatalError: a service that makes such a thing terminates with the reason as its last error.
//
// Handlers that post each other without letting time pass would run for ever. More handlers in one instant than
// limit_handlers() allows (kHandlersMax by default) make the loop throw std::runtime_error.
//
// Thread-safety: none, the executor included: a simulation is one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <holdfast/asio/context.hpp>
#include <holdfast/scheduler.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

class RealWorldRefused : public FatalError {
 public:
  using FatalError::FatalError;
};

class SimulatedContext final : public boost::asio::execution_context, private Task {
 public:
  class Executor;

  static constexpr std::uint64_t kHandlersMax = 10'000'000;

  // The scheduler outlives it.
  explicit SimulatedContext(Scheduler& scheduler);
  // Destroys what is still queued, uncalled: coroutines are unwound.
  ~SimulatedContext();

  [[nodiscard]] Executor get_executor() noexcept;

  // How many handlers may run in one instant of virtual time.
  void limit_handlers(std::uint64_t most) noexcept { handlers_max_ = most; }

  // Around a handler that is called from elsewhere, as the queued ones are.
  void before_handler();
  void after_handler();

 private:
  // A queued handler.
  class Handler {
   public:
    Handler() = default;
    Handler(const Handler&) = delete;
    Handler& operator=(const Handler&) = delete;
    virtual ~Handler() = default;
    virtual void call() = 0;
    std::unique_ptr<Handler> next;
  };
  template <class F>
  class Calls;

  void push(std::unique_ptr<Handler> handler);
  std::unique_ptr<Handler> pop() noexcept;
  void run() override;

  Scheduler& scheduler_;
  boost::asio::detail::scheduler& asios_;  // that resolvers post to; never run
  std::unique_ptr<Handler> first_;
  Handler* last_ = nullptr;
  TimePoint instant_;
  std::uint64_t handlers_ = 0;  // run in this instant
  std::uint64_t handlers_max_ = kHandlersMax;
};

template <class F>
class SimulatedContext::Calls final : public Handler {
 public:
  explicit Calls(F&& function) : function_(std::move(function)) {}
  explicit Calls(const F& function) : function_(function) {}
  void call() override { std::move(function_)(); }

 private:
  F function_;
};

class SimulatedContext::Executor {
 public:
  [[nodiscard]] SimulatedContext& query(boost::asio::execution::context_t) const noexcept { return *context_; }
  static constexpr boost::asio::execution::blocking_t query(boost::asio::execution::blocking_t) noexcept {
    return boost::asio::execution::blocking.never;
  }
  [[nodiscard]] Executor require(boost::asio::execution::blocking_t::never_t) const noexcept { return *this; }

  template <class F>
  void execute(F&& function) const {
    context_->push(std::make_unique<Calls<std::decay_t<F>>>(std::forward<F>(function)));
  }

  friend bool operator==(const Executor&, const Executor&) noexcept = default;

 private:
  friend class SimulatedContext;
  explicit Executor(SimulatedContext& context) noexcept : context_(&context) {}

  SimulatedContext* context_;
};

inline SimulatedContext::Executor SimulatedContext::get_executor() noexcept { return Executor{*this}; }

}  // namespace holdfast::sim

#pragma GCC visibility pop
