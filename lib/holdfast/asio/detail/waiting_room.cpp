#include <holdfast/asio/detail/waiting_room.hpp>

namespace holdfast::detail {

void Waiting::fired() {
  room_->leave(*this);
  complete(Call::dispatched, {});
}

void Waiting::abort() {
  room_->leave(*this);
  complete(Call::posted, boost::asio::error::operation_aborted);
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
  for (Waiting* const last = last_; first_;) {
    Waiting& waiting = *first_;
    leave(waiting);
    const bool was_last = &waiting == last;
    waiting.complete(Waiting::Call::posted, error);
    if (was_last) return;
  }
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
