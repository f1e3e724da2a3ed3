#include <holdfast/asio/detail/waiting_room.hpp>

#include <exception>
#include <new>

#include <holdfast/detail/fetch.hpp>

namespace holdfast::detail {

void Waiting::fired() {
  auto& scheduler = *room_->scheduler();
  scheduler.before_sleeper();  // if it throws, this waiter stays until the room is destroyed
  room_->leave(*this);
  complete(Call::in_turn, {});
  scheduler.after_sleeper();
}

// The first line of this has come already.
void Waiting::comes_soon() const noexcept {
  fetch(reinterpret_cast<const char*>(this) + kCacheLine, 2 * kCacheLine);
  if (!touches_.state) return;
  fetch(touches_.state, 3 * kCacheLine);
  fetch(touches_.frame, 3 * kCacheLine);
  touches_.run.ends_soon();
}

bool Waiting::is_schedulers(const boost::asio::any_io_executor& executor) const noexcept {
  return executor == room_->scheduler()->executor();
}

void Waiting::leave(boost::system::error_code error) {
  room_->leave(*this);
  complete(Call::posted, error);
}

void Waiting::forget_canceller() noexcept {
  if (canceller_) canceller_->waiting_ = nullptr;
  canceller_ = nullptr;
}

void WaitingRoom::enter(Waiting& waiting, std::optional<TimePoint> at) {
  HOLDFAST_ASSERT(!closed_, "a closed waiting room was entered");
  if (at) scheduler_->arm(waiting, *at);
  waiting.room_ = this;
  waiting.before_ = last_;
  (last_ ? last_->after_ : first_) = &waiting;
  last_ = &waiting;
}

void WaitingRoom::leave(Waiting& waiting) noexcept {
  if (scheduler_) scheduler_->disarm(waiting);
  (waiting.before_ ? waiting.before_->after_ : first_) = waiting.after_;
  (waiting.after_ ? waiting.after_->before_ : last_) = waiting.before_;
  waiting.before_ = waiting.after_ = nullptr;
}

void WaitingRoom::complete_all(boost::system::error_code error) {
  std::exception_ptr no_memory;
  for (Waiting* const last = last_; first_;) {
    Waiting& waiting = *first_;
    leave(waiting);
    const bool was_last = &waiting == last;
    try {
      waiting.complete(Waiting::Call::posted, error);
    } catch (const std::bad_alloc&) {
      no_memory = std::current_exception();
    }
    if (was_last) break;
  }
  if (no_memory) std::rethrow_exception(no_memory);
}

void WaitingRoom::close() noexcept {
  if (closed_) return;
  closed_at_ = now();
  closed_ = true;
  while (first_) {
    Waiting& waiting = *first_;
    leave(waiting);
    waiting.destroy();
  }
  scheduler_ = nullptr;
}

}  // namespace holdfast::detail
