// Completion handlers that wait: for a time, or for something to happen.
//
// The common part of async_sleep, Context::stopped and Runtime::async_wait_shutdown. A handler waits in a room until it
// is completed, is cancelled through its cancellation slot, or the room closes. A handler that is completed or
// cancelled is moved out, its memory is freed, and it is called on its associated executor (the room's if it has none).
//
// A handler that is cancelled is posted, never called inline. A room that closes destroys its handlers without calling
// them, as an io_context does: the stack of a waiting coroutine is unwound. A closed room destroys handlers that come
// later, so a coroutine that outlives its scheduler ends at its next sleep.
//
// Thread-safety: none; all on the scheduler's executor.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <holdfast/asio/detail/block_pool.hpp>
#include <holdfast/asio/executor_scheduler.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/service.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

class WaitingRoom;

// One handler that waits. Its timer is armed if it waits for a time.
class Waiting : public Timer {
 public:
  enum class Call : bool { posted, in_turn };

  // Calls the handler and frees this. It calls inline only if `call` is `in_turn`, which the scheduler says when it
  // runs a timer, and if the handler's executor is the scheduler's or allows it.
  virtual void complete(Call call, boost::system::error_code error) = 0;
  // Frees this and destroys the handler without calling it.
  virtual void destroy() noexcept = 0;

  // The addresses that the handler will touch, where they are known, to be prefetched. Nothing is read there.
  struct Touches {
    Run run;
    const void* state = nullptr;
    const void* frame = nullptr;
  };
  void will_touch(const Touches& these) noexcept { touches_ = these; }

  // Leaves the room and completes, posted.
  void leave(boost::system::error_code error);

 protected:
  ~Waiting() = default;
  void forget_canceller() noexcept;
  // Whether the executor is the scheduler's own, so that a handler on it may be called within the scheduler's turn.
  [[nodiscard]] bool is_schedulers(const boost::asio::any_io_executor& executor) const noexcept;
  template <class Other>
  [[nodiscard]] bool is_schedulers(const Other&) const noexcept {
    return false;
  }

 private:
  friend class WaitingRoom;
  friend class Canceller;
  void fired() final;
  void comes_soon() const noexcept final;

  WaitingRoom* room_ = nullptr;
  Waiting* before_ = nullptr;
  Waiting* after_ = nullptr;
  class Canceller* canceller_ = nullptr;
  Touches touches_;
};

// Stands in the cancellation slot of a handler. Slot and operation may die in either order.
class Canceller {
 public:
  explicit Canceller(Waiting& waiting) noexcept : waiting_(&waiting) { waiting.canceller_ = this; }
  ~Canceller() {
    if (waiting_) waiting_->canceller_ = nullptr;
  }
  Canceller(const Canceller&) = delete;
  Canceller& operator=(const Canceller&) = delete;

  void operator()(boost::asio::cancellation_type_t type) {
    if (waiting_ && type != boost::asio::cancellation_type::none)
      waiting_->leave(boost::asio::error::operation_aborted);
  }

 private:
  friend class Waiting;
  Waiting* waiting_;
};

class WaitingRoom {
 public:
  // Null: a room for what does not wait for a time.
  explicit WaitingRoom(ExecutorScheduler* scheduler) noexcept : scheduler_(scheduler) {}
  ~WaitingRoom() { close(); }
  WaitingRoom(const WaitingRoom&) = delete;
  WaitingRoom& operator=(const WaitingRoom&) = delete;

  // `at`: completed when this time has come. REQUIRES: the room is open.
  void enter(Waiting& waiting, std::optional<TimePoint> at);
  void leave(Waiting& waiting) noexcept;

  // Completes the longest waiter, posted. REQUIRES: something waits.
  void complete_first(boost::system::error_code error) { first_->leave(error); }
  // Completes all present waiters, posted. One whose executor has no memory to take the call is lost, and no other one;
  // then it throws std::bad_alloc at the end.
  void complete_all(boost::system::error_code error);
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept { return closed_; }
  [[nodiscard]] bool empty() const noexcept { return !first_; }

  // The scheduler's time; once the room is closed, the time of its closing.
  [[nodiscard]] TimePoint now() const noexcept { return scheduler_ ? scheduler_->now() : closed_at_; }

  // The memory of waiters; the next one reuses a block.
  template <class Handler>
  auto recycled(Handler&& handler) {
    return boost::asio::bind_allocator(PoolAllocator<std::byte>{memory_}, std::forward<Handler>(handler));
  }

  // Null once the room is closed.
  [[nodiscard]] ExecutorScheduler* scheduler() const noexcept { return scheduler_; }

 private:
  BlockPool memory_;
  ExecutorScheduler* scheduler_;
  Waiting* first_ = nullptr;
  Waiting* last_ = nullptr;
  TimePoint closed_at_;
  bool closed_ = false;
};

template <class Handler>
class WaitingHandler final : public Waiting {
 public:
  static WaitingHandler& make(Handler&& handler, const boost::asio::any_io_executor& executor) {
    Allocator allocator{boost::asio::get_associated_allocator(handler)};
    WaitingHandler* const memory = Traits::allocate(allocator, 1);
    try {
      return *std::construct_at(memory, std::move(handler), executor);
    } catch (...) {
      Traits::deallocate(allocator, memory, 1);
      throw;
    }
  }

  WaitingHandler(Handler&& handler, const boost::asio::any_io_executor& executor)
      : handler_(std::move(handler)),
        executor_(boost::asio::prefer(boost::asio::get_associated_executor(handler_, executor),
                                      boost::asio::execution::outstanding_work.tracked)) {}

  void complete(Call call, boost::system::error_code error) override {
    forget_canceller();
    const bool is_inline = call == Call::in_turn && is_schedulers(executor_);
    const Allocator allocator{boost::asio::get_associated_allocator(handler_)};
    const auto executor = std::move(executor_);
    auto bound = [handler = std::move(handler_), error]() mutable { std::move(handler)(error); };
    free(allocator);  // before the call: the handler may need memory of this size
    if (is_inline) {
      std::move(bound)();
    } else if (call == Call::in_turn) {
      boost::asio::dispatch(executor, std::move(bound));
    } else {
      boost::asio::post(executor, std::move(bound));
    }
  }

  void destroy() noexcept override {
    forget_canceller();
    const Allocator allocator{boost::asio::get_associated_allocator(handler_)};
    [[maybe_unused]] const auto handler = std::move(handler_);  // destroyed when this is gone
    free(allocator);
  }

 private:
  using Allocator = typename std::allocator_traits<boost::asio::associated_allocator_t<Handler>>::template rebind_alloc<
      WaitingHandler>;
  using Traits = std::allocator_traits<Allocator>;

  void free(Allocator allocator) noexcept {
    std::destroy_at(this);
    Traits::deallocate(allocator, this, 1);
  }

  Handler handler_;
  std::decay_t<decltype(boost::asio::prefer(
      std::declval<boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>>(),
      boost::asio::execution::outstanding_work.tracked))>
      executor_;
};

// Puts a handler into a room. REQUIRES: the room is open.
template <class Handler>
void enter(WaitingRoom& room, std::optional<TimePoint> at, Handler&& handler,
           const boost::asio::any_io_executor& executor, const Waiting::Touches& touches = {}) {
  using Kept = std::decay_t<Handler>;
  auto slot = boost::asio::get_associated_cancellation_slot(handler);
  auto& waiting = WaitingHandler<Kept>::make(Kept(std::forward<Handler>(handler)), executor);
  waiting.will_touch(touches);
  try {
    room.enter(waiting, at);
  } catch (...) {
    waiting.destroy();
    throw;
  }
  if (slot.is_connected()) slot.template emplace<Canceller>(waiting);
}

// Begins an operation that waits in a room, which may be closed: then the handler is destroyed.
struct Enter {
  template <class Handler>
  void operator()(Handler&& handler, const std::shared_ptr<WaitingRoom>& room, std::optional<TimePoint> at,
                  const boost::asio::any_io_executor& executor) const {
    if (!room->closed()) enter(*room, at, std::forward<Handler>(handler), executor);
  }
};

}  // namespace holdfast::detail
