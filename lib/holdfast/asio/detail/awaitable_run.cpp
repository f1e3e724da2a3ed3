#include <holdfast/asio/detail/awaitable_run.hpp>

#include <chrono>
#include <exception>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

namespace holdfast::detail {

namespace asio = boost::asio;

namespace {

constexpr Duration kInterruptAgainAfter = std::chrono::seconds{1};
constexpr std::uint32_t kInterruptionsMax = 11;  // the first and ten more

auto wait_in(const std::shared_ptr<WaitingRoom>& room, std::optional<TimePoint> at,
             const asio::any_io_executor& executor) {
  return asio::async_initiate<const asio::deferred_t&, void(boost::system::error_code)>(Enter{}, asio::deferred, room,
                                                                                        at, executor);
}

// What Asio's operations and channels throw when they are cancelled.
bool was_cancelled(const boost::system::error_code& error) {
  return error == asio::error::operation_aborted || error == asio::experimental::error::channel_cancelled;
}

// The exception being handled, as an end. `||` and `&&` throw all at once: the first one counts.
Exit exit_of_current_exception(bool stop_requested) {
  try {
    throw;
  } catch (const asio::multiple_exceptions& several) {
    if (!several.first_exception()) return Exit::from_current_exception();
    try {
      std::rethrow_exception(several.first_exception());
    } catch (...) {
      return exit_of_current_exception(stop_requested);
    }
  } catch (const FatalError& error) {
    return Exit::fatal(error.what());
  } catch (const boost::system::system_error& error) {
    return stop_requested && was_cancelled(error.code()) ? Exit::clean() : Exit::from_current_exception();
  } catch (...) {
    return Exit::from_current_exception();
  }
}

}  // namespace

AwaitableRun::AwaitableRun(ExecutorScheduler& scheduler, std::shared_ptr<const std::string> name, Run run,
                           std::unique_ptr<Body> body, Ended ended)
    : sleepers_(scheduler.sleepers()),
      wait_to_stop_(std::make_shared<WaitingRoom>(nullptr)),
      executor_(scheduler.executor()),
      name_(std::move(name)),
      run_(run),
      body_(std::move(body)),
      ended_(std::move(ended)) {}

AwaitableRun::~AwaitableRun() { notice(); }

// Posted in both worlds, so that a run begins after its start has been told, in either. The frame of live() holds this
// object, and so does the completion handler, which is the last to go.
void AwaitableRun::begin() {
  asio::post(executor_, [self = shared_from_this()] {
    auto finished = [self](const std::exception_ptr&) {};  // live() lets no exception out
    asio::co_spawn(self->executor_, self->live(),
                   asio::bind_cancellation_slot(self->interruption_.slot(), std::move(finished)));
  });
}

asio::awaitable<void> AwaitableRun::live() {
  const auto self = shared_from_this();
  co_await asio::this_coro::throw_if_cancelled(false);
  Exit exit = Exit::clean();
  try {
    if (!stop_source_.stop_requested()) exit = co_await body_->run(context_);
  } catch (...) {
    exit = exit_of_current_exception(stop_source_.stop_requested());
  }
  body_.reset();
  end(std::move(exit));
}

void AwaitableRun::end(Exit exit) {
  over_ = true;
  notice();
  if (ended_) std::exchange(ended_, nullptr)(*this, std::move(exit));
}

void AwaitableRun::request_stop() {
  if (over_ || !stop_source_.request_stop()) return;
  interrupt();
  if (!wait_to_stop_->empty()) noticed_stop_ = true;
  wait_to_stop_->complete_all({});
}

void AwaitableRun::interrupt() {
  if (++interruptions_ < kInterruptionsMax && !sleepers_->closed()) {
    auto& scheduler = *sleepers_->scheduler();
    scheduler.arm(*this, scheduler.now() + kInterruptAgainAfter);
  }
  interruption_.emit(asio::cancellation_type::terminal);
}

void AwaitableRun::fired() {
  if (!over_ && !noticed_stop_) interrupt();
}

void AwaitableRun::notice() noexcept {
  noticed_stop_ = true;
  if (auto* const scheduler = sleepers_->scheduler()) scheduler->disarm(*this);
}

// Once, and without a timer: a program may be destroying all of it in a thread that never ran it.
void AwaitableRun::disown() {
  ended_ = nullptr;
  interruptions_ = kInterruptionsMax;
  request_stop();
  notice();
  wait_to_stop_->close();
}

asio::awaitable<void> AwaitableRun::sleep_until(TimePoint at) {
  const auto state = co_await asio::this_coro::cancellation_state;  // not cancelled if the run has switched that off
  if (stop_source_.stop_requested() && !noticed_stop_ && state.cancelled() != asio::cancellation_type::none) {
    notice();
    throw boost::system::system_error{asio::error::operation_aborted};
  }
  try {
    co_await wait_in(sleepers_, at, executor_);
  } catch (const boost::system::system_error&) {
    if (stop_source_.stop_requested()) notice();
    throw;
  }
}

asio::awaitable<void> AwaitableRun::stopped() {
  if (!stop_source_.stop_requested()) {
    try {
      co_await wait_in(wait_to_stop_, std::nullopt, executor_);
    } catch (const boost::system::system_error&) {
      if (!stop_source_.stop_requested()) throw;
    }
  }
  notice();
}

}  // namespace holdfast::detail
