#include <holdfast/asio/detail/prober.hpp>

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include <boost/asio/post.hpp>

namespace holdfast::detail {

namespace asio = boost::asio;

Prober::Prober(const asio::any_io_executor& executor, Probe probe, Duration every, Duration timeout, Probed probed,
               Said said)
    : executor_(executor),
      probe_(std::move(probe)),
      every_(every),
      timeout_(timeout),
      probed_(std::move(probed)),
      said_(std::move(said)),
      places_(ProbePlaces::of(executor)),
      timer_(executor) {}

void Prober::begin(Duration first) {
  due_ = Clock::now() + first;
  await();
}

void Prober::stop() noexcept {
  said_ = nullptr;
  try {
    timer_.cancel();
  } catch (const std::exception&) {
  }
  if (latest_) latest_->cancel();
}

void Prober::await() {
  timer_.expires_at(due_);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error && self->said_) self->on_due();
  });
}

// The timer goes on while a probe waits for its place, and says each time that there was none: that is nobody's fault.
void Prober::on_due() {
  if (is_under_way_) return;  // its end comes back here
  due_ = std::max(due_ + every_, Clock::now());
  if (waits_for_place_) {
    await();
    return say({.was_made = false});
  }
  if (latest_ && !latest_->is_over()) {
    await();
    return say({.trouble = "the command of the last probe was killed and does not end"});
  }
  auto place = places_.take(weak_from_this(), [weak = weak_from_this(), executor = executor_](ProbePlaces::Place free) {
    asio::post(executor, [weak, place = std::move(free)]() mutable {
      const auto self = weak.lock();
      if (!self || !self->said_) return;
      self->waits_for_place_ = false;
      if (!self->is_under_way_) self->attempt(std::move(place));
    });
  });
  waits_for_place_ = !place;
  if (place) {
    attempt(std::move(*place));
  } else {
    await();
  }
}

void Prober::attempt(ProbePlaces::Place place) {
  is_under_way_ = true;
  timer_.cancel();
  try {
    latest_ = make_attempt(executor_, probe_, timeout_, probed_, std::move(place));
    latest_->begin([self = shared_from_this()](const ProbeResult& result) { self->on_result(result); });
  } catch (const std::bad_alloc&) {
    on_result({false, "there was no memory for it"});
  }
}

void Prober::on_result(const ProbeResult& result) {
  is_under_way_ = false;
  if (latest_ && latest_->is_over()) latest_ = nullptr;  // it takes memory
  if (!said_) return;
  due_ = std::max(due_, Clock::now());
  await();
  say(result);
}

// What is said may end this object's use, and `said_` with it.
void Prober::say(const ProbeResult& result) {
  const auto said = said_;
  said(result);
}

}  // namespace holdfast::detail
