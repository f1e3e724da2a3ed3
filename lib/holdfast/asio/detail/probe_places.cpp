#include <holdfast/asio/detail/probe_places.hpp>

#include <exception>

#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <holdfast/asio/probe.hpp>

namespace holdfast::detail {

boost::asio::execution_context::id ProbePlaces::id;

ProbePlaces& ProbePlaces::of(const boost::asio::any_io_executor& executor) {
  return boost::asio::use_service<ProbePlaces>(boost::asio::query(executor, boost::asio::execution::context));
}

std::optional<ProbePlaces::Place> ProbePlaces::take(const std::weak_ptr<void>& who,
                                                    std::function<void(Place)> when_free) {
  const std::lock_guard lock{mutex_};
  if (taken_ < kProbesAtOnce) {
    ++taken_;
    return Place{*this};
  }
  waiting_.push_back({who, std::move(when_free)});
  return std::nullopt;
}

void ProbePlaces::shutdown() noexcept {
  const std::lock_guard lock{mutex_};
  waiting_.clear();
}

// The place goes to the first that is still there.
void ProbePlaces::give_back() noexcept {
  for (;;) {
    Waiting next;
    std::shared_ptr<void> alive;
    {
      const std::lock_guard lock{mutex_};
      while (!waiting_.empty() && !alive) {
        next = std::move(waiting_.front());
        waiting_.pop_front();
        alive = next.who.lock();
      }
      if (!alive) {
        --taken_;
        return;
      }
    }
    Place place{*this};
    try {
      next.when_free(std::move(place));
      return;
    } catch (const std::exception&) {  // no memory: what is left of the place has been given back
      return;
    }
  }
}

}  // namespace holdfast::detail
