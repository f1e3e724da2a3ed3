#include <holdfast_sim/asio/simulated_context.hpp>

#include <stdexcept>
#include <string>

#include <boost/asio/detail/concurrency_hint.hpp>
#include <boost/asio/detail/scheduler.hpp>

namespace holdfast::sim {

namespace {

namespace net = boost::asio;

constexpr const char* kRefusal =
    "a timer, socket, descriptor or signal_set of Asio was made in a simulation, where only virtual time passes: sleep "
    "with Context::sleep_for or async_sleep, and replace the network by a channel";
constexpr const char* kResolverRefusal =
    "a resolver of Asio was made in a simulation, where there is no network: give the service its addresses";

// Everything in Asio that waits for the real world asks its context for a reactor through this, in its constructor.
net::detail::scheduler_task* refuse(net::execution_context&) { throw RealWorldRefused{kRefusal}; }

// Puts the scheduler of Asio that timers and sockets look for here first, without the thread that it would otherwise
// start. The hint keeps resolvers from starting a thread of theirs.
net::detail::scheduler& put_first(net::execution_context& context) {
  auto made = std::make_unique<net::detail::scheduler>(context, BOOST_ASIO_CONCURRENCY_HINT_UNSAFE, false, &refuse);
  net::add_service<net::detail::scheduler>(context, made.get());
  return *made.release();  // the context owns it now
}

}  // namespace

SimulatedContext::SimulatedContext(Scheduler& scheduler) : scheduler_(scheduler), asios_(put_first(*this)) {}

// What is destroyed may post: so shut down first, and drain until nothing is left.
SimulatedContext::~SimulatedContext() {
  shutdown();
  while (first_) pop();
  scheduler_.cancel(*this);
  destroy();
}

void SimulatedContext::push(std::unique_ptr<Handler> handler) {
  Handler* const latest = handler.get();
  (last_ ? last_->next : first_) = std::move(handler);
  last_ = latest;
  if (!queued()) scheduler_.defer(*this);
}

std::unique_ptr<SimulatedContext::Handler> SimulatedContext::pop() noexcept {
  auto handler = std::move(first_);
  first_ = std::move(handler->next);
  if (!first_) last_ = nullptr;
  return handler;
}

// One handler a task, so that what it defers comes before the handlers posted after it was.
void SimulatedContext::run() {
  before_handler();
  const auto handler = pop();
  if (first_) scheduler_.defer(*this);
  handler->call();
  after_handler();
}

// Nothing but a resolver posts to the scheduler of Asio.
void SimulatedContext::after_handler() {
  if (first_) return;
  asios_.restart();
  boost::system::error_code ignored;
  if (asios_.poll(ignored) > 0) throw RealWorldRefused{kResolverRefusal};
}

void SimulatedContext::before_handler() {
  const TimePoint now = scheduler_.now();
  if (now != instant_) {
    instant_ = now;
    handlers_ = 0;
  }
  if (++handlers_ > handlers_max_) {
    throw std::runtime_error{"more than " + std::to_string(handlers_max_) + " handlers ran at " + to_string(now) +
                             " without letting time pass: some service waits in a loop for what is already there"};
  }
}

}  // namespace holdfast::sim
