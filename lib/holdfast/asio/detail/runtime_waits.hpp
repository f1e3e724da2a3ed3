// What Runtime's asynchronous operations do, for any completion token.
#pragma once

#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <holdfast/asio/detail/waiting_room.hpp>
#include <holdfast/asio/fleet_snapshot.hpp>
#include <holdfast/snapshot.hpp>

namespace holdfast::detail {

// Keeps the executor of a handler at work until the handler is called.
template <class Handler>
auto tracked_executor(const Handler& handler, const boost::asio::any_io_executor& otherwise) {
  return boost::asio::prefer(boost::asio::get_associated_executor(handler, otherwise),
                             boost::asio::execution::outstanding_work.tracked);
}

// A copy; without memory for the names, at least the counts.
inline ShutdownResult result_or_less(const ShutdownResult& whole) {
  try {
    return whole;
  } catch (const std::bad_alloc&) {
    ShutdownResult less;
    less.outcome = whole.outcome;
    less.took = whole.took;
    less.unnamed = whole.abandoned.size() + whole.failed.size() + whole.unnamed;
    less.counters = whole.counters;
    return less;
  }
}

// The end of a shutdown, and the handlers that wait for it. Used on the executor only.
struct Ending {
  explicit Ending(boost::asio::any_io_executor of) : executor(std::move(of)) {}

  const boost::asio::any_io_executor executor;
  WaitingRoom waiting{nullptr};
  std::optional<ShutdownResult> result;
};

struct AwaitShutdown {
  template <class Handler>
  void operator()(Handler&& handler, std::shared_ptr<Ending> ending) const {
    const auto executor = boost::asio::get_associated_executor(handler, ending->executor);
    const auto slot = boost::asio::get_associated_cancellation_slot(handler);
    auto with_result = [ending, handler = std::decay_t<Handler>(std::forward<Handler>(handler))](
                           boost::system::error_code error) mutable {
      std::move(handler)(error, error ? ShutdownResult{} : result_or_less(*ending->result));
    };
    auto bound =
        boost::asio::bind_cancellation_slot(slot, boost::asio::bind_executor(executor, std::move(with_result)));
    auto work = tracked_executor(bound, ending->executor);
    boost::asio::post(ending->executor, [ending, bound = std::move(bound), work = std::move(work)]() mutable {
      if (!ending->result && !ending->waiting.closed()) {
        return enter(ending->waiting, std::nullopt, std::move(bound), ending->executor);
      }
      boost::system::error_code error;
      if (!ending->result) error = boost::asio::error::operation_aborted;
      boost::asio::dispatch(work, [bound = std::move(bound), error]() mutable { std::move(bound)(error); });
    });
  }
};

class SnapshotSource {
 public:
  // Calls `give` on the executor, later or at once; with null if there will be no result.
  virtual void take_snapshot(std::function<void(std::shared_ptr<const FleetSnapshot>)> give) = 0;

 protected:
  ~SnapshotSource() = default;
};

struct TakeSnapshot {
  template <class Handler>
  void operator()(Handler&& handler, const boost::asio::any_io_executor& executor,
                  std::weak_ptr<SnapshotSource> source) const {
    auto work = tracked_executor(handler, executor);
    using Kept = std::decay_t<Handler>;
    auto kept = std::make_shared<Kept>(std::forward<Handler>(handler));
    auto give = [kept = std::move(kept), work = std::move(work)](std::shared_ptr<const FleetSnapshot> snapshot) {
      boost::system::error_code error;
      if (!snapshot) error = boost::asio::error::operation_aborted;
      boost::asio::dispatch(work, [handler = std::move(*kept), error, snapshot = std::move(snapshot)]() mutable {
        std::move(handler)(error, std::move(snapshot));
      });
    };
    boost::asio::post(executor, [source = std::move(source), give = std::move(give)]() mutable {
      if (const auto alive = source.lock()) return alive->take_snapshot(std::move(give));
      give(nullptr);
    });
  }
};

}  // namespace holdfast::detail
