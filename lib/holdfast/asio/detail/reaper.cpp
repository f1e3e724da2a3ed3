#include <holdfast/asio/detail/reaper.hpp>

#include <poll.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

namespace holdfast::detail {

namespace {

using Clock = std::chrono::steady_clock;

int milliseconds_until(Clock::time_point until) {
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count());
}

// Waits for one of these processes, or until the deadline.
void wait_for_one(pollfd* waits, std::size_t count, Clock::time_point until) {
  for (int left = milliseconds_until(until); left > 0; left = milliseconds_until(until)) {
    if (::poll(waits, count, left) >= 0 || errno != EINTR) return;
  }
}

}  // namespace

boost::asio::execution_context::id Reaper::id;

Reaper& Reaper::of(const boost::asio::any_io_executor& executor) {
  return boost::asio::use_service<Reaper>(boost::asio::query(executor, boost::asio::execution::context));
}

void Reaper::enter(Disowned& child) noexcept {
  const std::lock_guard lock{mutex_};
  if (child.is_listed_) return;
  child.is_listed_ = true;
  child.previous_disowned_ = nullptr;
  child.next_disowned_ = first_;
  if (first_) first_->previous_disowned_ = &child;
  first_ = &child;
}

void Reaper::leave(Disowned& child) noexcept {
  const std::lock_guard lock{mutex_};
  if (!child.is_listed_) return;
  child.is_listed_ = false;
  if (child.next_disowned_) child.next_disowned_->previous_disowned_ = child.previous_disowned_;
  (child.previous_disowned_ ? child.previous_disowned_->next_disowned_ : first_) = child.next_disowned_;
}

void Reaper::finish(const boost::asio::any_io_executor& executor) noexcept { finish_all(&executor); }

void Reaper::shutdown() noexcept { finish_all(nullptr); }

// Waits in portions, so that it needs no memory: all of them were killed before the first wait.
void Reaper::finish_all(const boost::asio::any_io_executor* executor) noexcept {
  constexpr std::chrono::seconds kMax{2};
  constexpr std::size_t kPortion = 64;
  const auto until = Clock::now() + kMax;
  for (;;) {
    std::array<Disowned*, kPortion> children{};
    std::array<std::shared_ptr<void>, kPortion> kept;
    std::array<pollfd, kPortion> waits{};
    std::size_t count = 0;
    {
      const std::lock_guard lock{mutex_};
      for (Disowned* child = first_; child && count < kPortion; child = child->next_disowned_) {
        if (executor && child->executor() != *executor) continue;
        kept[count] = child->keep();
        if (!kept[count]) continue;  // it is being destroyed
        children[count] = child;
        waits[count++] = {child->pidfd(), POLLIN, 0};
      }
    }
    if (count == 0) return;
    bool has_one_left = false;
    for (std::size_t i = 0; i < count; ++i) {
      children[i]->reap_if_ended();
      if (children[i]->may_end_soon() && Clock::now() < until) {
        has_one_left = true;
      } else {
        waits[i].fd = -1;
        children[i]->close();  // which leaves the list
      }
    }
    if (has_one_left) wait_for_one(waits.data(), count, until);
  }
}

}  // namespace holdfast::detail
