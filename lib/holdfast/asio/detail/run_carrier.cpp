#include <holdfast/asio/detail/run_carrier.hpp>

#include <exception>
#include <new>
#include <string>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <holdfast/detail/exception_text.hpp>

namespace holdfast::detail {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kIdleAnyway = 16;  // carriers that may be idle however few are busy

// Whether this is an error that Asio's operations and channels throw when they are cancelled.
bool was_cancelled(const boost::system::error_code& error) {
  return error == asio::error::operation_aborted || error == asio::experimental::error::channel_cancelled;
}

// The text of an error without the three hundred characters in which Asio says where in its headers it was thrown.
std::string without_place(const std::exception& exception) {
  std::string text = exception.what();
  if (const auto* const error = dynamic_cast<const boost::system::system_error*>(&exception)) {
    const std::string with_place = error->code().what();
    if (const auto at = text.find(with_place); at != std::string::npos) {
      text.replace(at, with_place.size(), error->code().message());
    }
  }
  return text;
}

Error error_of(const std::exception& exception) {
  try {
    return Error{chain_of(exception, without_place)};
  } catch (const std::bad_alloc&) {
    return Error::from_current_exception();
  }
}

// The exception being handled, as the end of a run. `||` and `&&` throw several at once: the first one counts.
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
    return Exit::fatal(error_of(error));
  } catch (const boost::system::system_error& error) {
    return stop_requested && was_cancelled(error.code()) ? Exit::clean() : Exit::threw(error_of(error));
  } catch (const std::exception& exception) {
    return Exit::threw(error_of(exception));
  } catch (...) {
    return Exit::from_current_exception();
  }
}

}  // namespace

void RunCarriers::begin(AwaitableService& service, Run run, std::unique_ptr<Body> body,
                        const asio::any_io_executor& executor) {
  RunCarrier& carrier = idle_or_new(executor);
  carrier.run_.emplace(carrier, service, run, std::move(body));
  ++busy_;
  if (carrier.waiting_) std::exchange(carrier.waiting_, nullptr)->leave({});
}

// A new coroutine begins inline where the executor allows it; then it waits for its run already. Otherwise it begins
// posted, and finds it.
RunCarrier& RunCarriers::idle_or_new(const asio::any_io_executor& executor) {
  if (!idle_.empty()) {
    RunCarrier& carrier = *idle_.back();
    idle_.pop_back();
    return carrier;
  }
  auto made = std::make_unique<RunCarrier>(shared_from_this(), executor);
  RunCarrier& carrier = *made;
  auto finished = [owner = std::move(made)](const std::exception_ptr&) {};  // carry() lets no exception out
  asio::co_spawn(executor, carrier.carry(),
                 asio::bind_cancellation_slot(carrier.interruption_.slot(), std::move(finished)));
  return carrier;
}

std::size_t RunCarriers::idle_max() const noexcept { return busy_ == 0 ? 0 : busy_ + kIdleAnyway; }

bool RunCarriers::keep(RunCarrier& carrier) {
  one_less_busy();
  if (idle_.size() >= idle_max() || sleepers_->closed()) return false;
  idle_.push_back(&carrier);
  return true;
}

// A closed room has already destroyed the idle ones.
void RunCarriers::one_less_busy() noexcept {
  --busy_;
  if (sleepers_->closed()) return;
  for (; idle_.size() > idle_max(); idle_.pop_back()) {
    Waiting& waiting = *idle_.back()->waiting_;
    sleepers_->leave(waiting);
    waiting.destroy();
  }
}

RunCarrier::~RunCarrier() {
  if (run_) all_->one_less_busy();
}

// The operation of being idle. Nothing interrupts it.
auto RunCarrier::next_run() {
  const auto wait = [](auto&& handler, RunCarrier* carrier) {
    auto recycled = carrier->sleepers().recycled(std::forward<decltype(handler)>(handler));
    auto& waiting = WaitingHandler<decltype(recycled)>::make(std::move(recycled), carrier->executor_);
    carrier->sleepers().enter(waiting, std::nullopt);
    carrier->waiting_ = &waiting;
  };
  return asio::async_initiate<const asio::deferred_t&, void(boost::system::error_code)>(wait, asio::deferred, this);
}

// Resets what the run did to the cancellation state of the coroutine at once: it may have asked that a cancelled
// coroutine throws wherever it waits, and this one goes on to wait for its next run.
asio::awaitable<void> RunCarrier::carry() {
  co_await asio::this_coro::throw_if_cancelled(false);
  do {
    if (!run_) co_await next_run();
    Exit exit = Exit::clean();
    try {
      if (!run_->stop_requested()) {
        Begun begun = run_->begin();
        if (auto* const with_exit = std::get_if<asio::awaitable<Exit>>(&begun)) {
          exit = co_await std::move(*with_exit);
        } else {
          co_await std::get<asio::awaitable<void>>(std::move(begun));
        }
      }
    } catch (...) {
      exit = exit_of_current_exception(run_->stop_requested());
    }
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::this_coro::reset_cancellation_state();
    run_->end(std::move(exit));
    run_.reset();
  } while (all_->keep(*this));
}

}  // namespace holdfast::detail
