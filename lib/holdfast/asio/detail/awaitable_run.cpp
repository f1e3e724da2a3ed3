#include <holdfast/asio/detail/awaitable_run.hpp>

#include <chrono>
#include <new>
#include <optional>
#include <utility>

#include <boost/asio/deferred.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <holdfast/asio/awaitable_service.hpp>
#include <holdfast/asio/detail/run_carrier.hpp>

namespace holdfast::detail {

namespace asio = boost::asio;

namespace {

constexpr Duration kInterruptAgainAfter = std::chrono::seconds{1};
constexpr std::uint32_t kInterruptionsMax = 11;  // the first and ten more

struct EnterRoom {
  template <class Handler>
  void operator()(Handler&& handler, WaitingRoom* room, std::optional<TimePoint> at,
                  const asio::any_io_executor* executor, const Waiting::Touches& touches) const {
    if (!room->closed()) enter(*room, at, room->recycled(std::forward<Handler>(handler)), *executor, touches);
  }
};

// Await it at once: it refers to the run.
auto wait_in(WaitingRoom& room, std::optional<TimePoint> at, const asio::any_io_executor& executor,
             const Waiting::Touches& touches) {
  return asio::async_initiate<const asio::deferred_t&, void(boost::system::error_code)>(EnterRoom{}, asio::deferred,
                                                                                        &room, at, &executor, touches);
}

}  // namespace

AwaitableRun::AwaitableRun(RunCarrier& carrier, AwaitableService& service, Run run, std::unique_ptr<Body> body)
    : carrier_(carrier),
      service_(&service),
      next_(std::exchange(service.alive_, this)),
      name_(service.name_),
      run_(run),
      body_(std::move(body)) {}

AwaitableRun::~AwaitableRun() {
  notice();
  leave_service();
}

void AwaitableRun::end(Exit exit) {
  body_.reset();
  notice();
  if (leave_service()) run_.end(std::move(exit));
}

std::string_view AwaitableRun::service() const noexcept { return *(service_ ? service_->name_ : name_); }

bool AwaitableRun::leave_service() noexcept {
  if (!service_) return false;
  std::exchange(service_, nullptr)->forget(*this);
  return true;
}

// A run that has not begun needs no interruption: it is never called.
void AwaitableRun::request_stop() {
  if (stop_requested_) return;
  stop_requested_ = true;
  stop_source_.request_stop();
  if (begun_) interrupt();
  if (!wait_to_stop_.empty()) noticed_stop_ = true;
  wait_to_stop_.complete_all({});
}

void AwaitableRun::interrupt() {
  auto* const scheduler = carrier_.sleepers().scheduler();
  if (++interruptions_ < kInterruptionsMax && scheduler) scheduler->arm(*this, scheduler->now() + kInterruptAgainAfter);
  carrier_.interrupt();
}

void AwaitableRun::fired() {
  if (!noticed_stop_) interrupt();
}

void AwaitableRun::notice() noexcept {
  noticed_stop_ = true;
  if (auto* const scheduler = carrier_.sleepers().scheduler()) scheduler->disarm(*this);
}

// It interrupts once, without a timer, since the program may be destroying everything in a thread that never ran it.
void AwaitableRun::disown() {
  name_ = service_->name_;
  leave_service();
  interruptions_ = kInterruptionsMax;
  request_stop();
  notice();
  wait_to_stop_.close();
}

std::stop_token AwaitableRun::stop_token() {
  if (!stop_source_.stop_possible()) {
    stop_source_ = std::stop_source{};
    if (stop_requested_) stop_source_.request_stop();
  }
  return stop_source_.get_token();
}

asio::awaitable<void> AwaitableRun::sleep_until(TimePoint at) {
  const auto state = co_await asio::this_coro::cancellation_state;  // not cancelled if the run has switched that off
  if (stop_requested_ && !noticed_stop_ && state.cancelled() != asio::cancellation_type::none) {
    notice();
    throw boost::system::system_error{asio::error::operation_aborted};
  }
  try {
    co_await wait_in(carrier_.sleepers(), at, carrier_.executor(), {run_, this, &at});
  } catch (const boost::system::system_error&) {
    if (stop_requested_) notice();
    throw;
  }
}

asio::awaitable<void> AwaitableRun::stopped() {
  if (!stop_requested_) {
    try {
      co_await wait_in(wait_to_stop_, std::nullopt, carrier_.executor(), {});
    } catch (const boost::system::system_error&) {
      if (!stop_requested_) throw;
    }
  }
  notice();
}

asio::awaitable<void> AwaitableRun::shutdown() {
  struct Waiter final : ShutdownWaiter {
    WaitingRoom room{nullptr};
    // Without memory for its completion the wait is unwound, which ends the run.
    void shutdown_requested() noexcept override {
      try {
        room.complete_all({});
      } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch)
      }
    }
  } waiter;
  if (shutdown_requested() || !run_.await_shutdown(waiter)) co_return;
  co_await wait_in(waiter.room, std::nullopt, carrier_.executor(), {});
}

}  // namespace holdfast::detail
