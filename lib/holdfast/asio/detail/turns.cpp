#include <holdfast/asio/detail/turns.hpp>

#include <boost/asio/post.hpp>

namespace holdfast::detail {

void Turns::ask_for_round() {
  if (is_asked_for_) return;
  boost::asio::post(executor_, [turns = weak_from_this()] {
    if (const auto self = turns.lock()) self->go_round();
  });
  is_asked_for_ = true;
}

// Posts the next waiter, and behind it the next round.
void Turns::go_round() {
  is_asked_for_ = false;
  if (waiting_.empty()) return;  // the waiters were cancelled
  waiting_.complete_first({});
  if (!waiting_.empty()) ask_for_round();
}

}  // namespace holdfast::detail
