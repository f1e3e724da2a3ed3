// What Runtime's asynchronous operations do, for any completion token.
#pragma once

#include <memory>
#include <new>
#include <optional>
#include <string>
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
#include <holdfast/asio/detail/departures.hpp>
#include <holdfast/asio/detail/waiting_room.hpp>
#include <holdfast/asio/fleet_snapshot.hpp>
#include <holdfast/lifecycle.hpp>
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

// The service is looked up on the executor, where its supervisor is.
struct AwaitDeparture {
  template <class Handler>
  void operator()(Handler&& handler, std::shared_ptr<Departures> departures, std::string name) const {
    auto work = tracked_executor(handler, departures->executor());
    boost::asio::post(departures->executor(),
                      [departures, name = std::move(name), work = std::move(work),
                       handler = std::decay_t<Handler>(std::forward<Handler>(handler))]() mutable {
                        const auto found = look_up(*departures, name);
                        if (found.departure) return wait(found.departure, std::move(handler), departures->executor());
                        boost::asio::dispatch(work, [handler = std::move(handler), found]() mutable {
                          std::move(handler)(found.error, found.why.value_or(Termination{}));
                        });
                      });
  }

 private:
  static Departures::Found look_up(Departures& departures, const std::string& name) {
    try {
      return departures.find(name);
    } catch (const std::bad_alloc&) {
      return {.error = boost::asio::error::no_memory, .why = {}, .departure = {}};
    }
  }

  template <class Handler>
  static void wait(const std::shared_ptr<Departure>& departure, Handler handler,
                   const boost::asio::any_io_executor& otherwise) {
    const auto executor = boost::asio::get_associated_executor(handler, otherwise);
    const auto slot = boost::asio::get_associated_cancellation_slot(handler);
    auto with_reason = [departure, handler = std::move(handler)](boost::system::error_code error) mutable {
      std::move(handler)(error, error ? Termination{} : departure->why);
    };
    enter(departure->waiting, std::nullopt,
          boost::asio::bind_cancellation_slot(slot, boost::asio::bind_executor(executor, std::move(with_reason))),
          otherwise);
  }
};

// Somebody who asked for a snapshot. It is made where a lack of memory can be thrown at them; from then on only a call
// on another executor needs memory.
class SnapshotRequest {
 public:
  virtual ~SnapshotRequest() = default;
  // Calls the handler, once; null: there is no snapshot. It is called within this if its executor is the one that this
  // is called on. Throws std::bad_alloc, and can be called again, if the handler's executor has no memory to take it.
  virtual void answer(const boost::asio::any_io_executor& here, std::shared_ptr<const FleetSnapshot> snapshot) = 0;
  [[nodiscard]] virtual bool is_answered() const noexcept = 0;

  // For the source, while the request waits to be answered again.
  std::shared_ptr<SnapshotRequest> next;
  std::shared_ptr<const FleetSnapshot> kept;
};

class SnapshotSource {
 public:
  // Answers on the executor, later or at once.
  virtual void take_snapshot(std::shared_ptr<SnapshotRequest> request) = 0;
  // Whether its runtime exists: then so do the executors of those who ask.
  [[nodiscard]] virtual bool gives_snapshots() const noexcept = 0;

 protected:
  ~SnapshotSource() = default;
};

template <class Handler>
class SnapshotRequestOf final : public SnapshotRequest,
                                public std::enable_shared_from_this<SnapshotRequestOf<Handler>> {
 public:
  SnapshotRequestOf(Handler&& handler, const boost::asio::any_io_executor& executor,
                    std::weak_ptr<SnapshotSource> source)
      : work_(tracked_executor(handler, executor)), source_(std::move(source)) {
    handler_.emplace(std::move(handler));
  }
  SnapshotRequestOf(const SnapshotRequestOf&) = delete;
  SnapshotRequestOf& operator=(const SnapshotRequestOf&) = delete;
  // Asio has lost what would have answered it: it had no memory to queue that.
  ~SnapshotRequestOf() override {
    const auto source = source_.lock();
    if (!handler_ || !source || !source->gives_snapshots()) return;
    try {
      boost::asio::dispatch(work_, [handler = std::move(*handler_)]() mutable {
        std::move(handler)(boost::system::error_code{boost::asio::error::operation_aborted},
                           std::shared_ptr<const FleetSnapshot>{});
      });
    } catch (...) {  // again no memory, or the handler threw: nobody is there to catch it
    }
  }

  void answer(const boost::asio::any_io_executor& here, std::shared_ptr<const FleetSnapshot> snapshot) override {
    if (is_on(work_, here)) return call(std::move(snapshot));
    boost::asio::dispatch(work_, [self = this->shared_from_this(), snapshot = std::move(snapshot)]() mutable {
      self->call(std::move(snapshot));
    });
  }
  [[nodiscard]] bool is_answered() const noexcept override { return !handler_; }
  // Whoever asked has got an exception instead.
  void withdraw() noexcept { handler_.reset(); }

 private:
  static bool is_on(const boost::asio::any_io_executor& executor, const boost::asio::any_io_executor& here) noexcept {
    return executor == here;
  }
  template <class Other>
  static bool is_on(const Other&, const boost::asio::any_io_executor&) noexcept {
    return false;
  }
  void call(std::shared_ptr<const FleetSnapshot> snapshot) {
    boost::system::error_code error;
    if (!snapshot) error = boost::asio::error::operation_aborted;
    auto handler = std::move(*handler_);
    handler_.reset();
    std::move(handler)(error, std::move(snapshot));
  }

  std::optional<Handler> handler_;  // until it is called
  std::decay_t<decltype(tracked_executor(std::declval<const Handler&>(),
                                         std::declval<const boost::asio::any_io_executor&>()))>
      work_;
  const std::weak_ptr<SnapshotSource> source_;
};

struct TakeSnapshot {
  template <class Handler>
  void operator()(Handler&& handler, const boost::asio::any_io_executor& executor,
                  std::weak_ptr<SnapshotSource> source) const {
    using Asked = SnapshotRequestOf<std::decay_t<Handler>>;
    const auto request =
        std::make_shared<Asked>(std::decay_t<Handler>(std::forward<Handler>(handler)), executor, source);
    try {
      boost::asio::post(executor, [executor, source, request] {
        if (const auto alive = source.lock()) return alive->take_snapshot(request);
        request->answer(executor, nullptr);
      });
    } catch (...) {
      request->withdraw();
      throw;
    }
  }
};

}  // namespace holdfast::detail
