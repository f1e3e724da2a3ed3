#include <holdfast/asio/detail/timer_loop.hpp>

#include <algorithm>
#include <new>
#include <utility>

#include <holdfast/detail/assert.hpp>

namespace holdfast::detail {

TimerLoop::~TimerLoop() {
  HOLDFAST_ASSERT(!turning_, "a scheduler was destroyed from within one of its own handlers");
  timers_.clear();
  deadlines_.clear();
  tasks_.clear();
}

TimePoint TimerLoop::now() const noexcept {
  latest_ = std::max(latest_, wakeups_.read_clock());
  return latest_;
}

// A time that the clock has already passed keeps its place among the others, however slow the caller was. A time that
// the present turn has passed comes in the next turn.
void TimerLoop::arm(TimerQueue& queue, Timer& timer, TimePoint at, bool is_deadline) {
  queue.arm(timer, std::max(at, next_turn_));
  timer.is_deadline_ = is_deadline;
  try {
    ask_for_wakeup();
  } catch (...) {  // no memory: the caller gets the exception, and the timer is not armed
    queue.disarm(timer);
    throw;
  }
}

bool TimerLoop::disarm(Timer& timer) noexcept {
  if (!(timer.is_deadline_ ? deadlines_ : timers_).disarm(timer)) return false;
  // A wake-up that is too early does no harm. One without any timer would keep a program from ending.
  if (!turning_ && !has_timers() && wake_at_) forget_alarm();
  return true;
}

// An alarm that may have rung keeps its early place in the queue. But from now on nobody waits for it, so that it says
// nothing of a stall any more.
void TimerLoop::forget_alarm() noexcept {
  wake_at_.reset();
  awaited_since_.reset();
  if (rings_ && now() < *rings_) rings_.reset();
  wakeups_.wake_never();
}

void TimerLoop::defer(Task& task) {
  tasks_.push(task);
  try {
    ask_for_wakeup();
  } catch (...) {
    tasks_.cancel(task);
    throw;
  }
}

// Leaves the loop ready for the next turn, however this one ends. A handler that blocks counts as a stall. If there is
// no memory for the next wake-up, the caller gets the exception, and the next timer or task asks for the wake-up again.
template <class Work>
void TimerLoop::in_turn(const Work& work) {
  HOLDFAST_ASSERT(!turning_, "a scheduler was run from within one of its own handlers");
  const TimePoint began = now();
  turning_ = true;
  const auto end = [&] {
    turning_ = false;
    make_up_for_stall(began, now());
    ask_for_wakeup();
  };
  try {
    work();
  } catch (...) {
    end();
    throw;
  }
  end();
}

void TimerLoop::turn() {
  wake_soon_ = false;
  in_turn([this] { run_tasks(); });
}

void TimerLoop::woke() {
  wake_at_.reset();
  const TimePoint at = now();
  due_ = std::min(std::exchange(rings_, std::nullopt).value_or(TimePoint::min()), at);
  make_up_for_stall(std::exchange(awaited_since_, std::nullopt).value_or(at), at);
  if (!has_timers() || earliest() > due_) return fire_due();
  Duration rounds_time = at - earliest();
  if (!deadlines_.empty() && deadlines_.earliest() <= due_) {
    rounds_time = std::max(rounds_time, kLate);
  } else if (rounds_time < kLate) {
    return fire_due();
  }
  rounds_left_ = kRoundsMax;
  rounds_end_ = at + std::min(rounds_time, kRoundsTimeMax);
  go_round();
}

void TimerLoop::went_round() {
  if (--rounds_left_ > 0 && now() < rounds_end_) return go_round();
  rounds_left_ = 0;
  fire_due();
}

// Without memory for another round this was the last one.
void TimerLoop::go_round() {
  try {
    wakeups_.go_round();
  } catch (...) {
    rounds_left_ = 0;
    return fire_due();
  }
  in_turn([this] { run_tasks(); });
}

void TimerLoop::fire_due() {
  in_turn([this] {
    run_tasks();
    next_turn_ = now() + Duration{1};
    while (fire_earliest_due()) run_tasks();
  });
}

// A deadline fires after other timers of the same time: a run that ends in its last instant is in time.
bool TimerLoop::fire_earliest_due() {
  if (!has_timers() || earliest() > due_) return false;
  const bool is_deadline = timers_.empty() || (!deadlines_.empty() && deadlines_.earliest() < timers_.earliest());
  (is_deadline ? deadlines_ : timers_).fire_earliest();
  return true;
}

TimePoint TimerLoop::earliest() {
  if (timers_.empty()) return deadlines_.earliest();
  return deadlines_.empty() ? timers_.earliest() : std::min(timers_.earliest(), deadlines_.earliest());
}

void TimerLoop::make_up_for_stall(TimePoint rang, TimePoint now) {
  const Duration lasted = now - rang;
  if (deadlines_.empty() || lasted < kStallMin) return;
  const bool soon_after_another = stalled_until_ && rang - *stalled_until_ < kStallsApart;
  const Duration given = soon_after_another ? stalled_for_ : Duration{0};
  if (lasted <= given) return;
  try {
    deadlines_.postpone_all(lasted - given);
    stalled_until_ = now;
    stalled_for_ = lasted;
  } catch (const std::bad_alloc&) {  // then they come at their times
  }
}

void TimerLoop::ask_for_wakeup() {
  if (turning_) return;  // asked for at the end of the turn
  if (!tasks_.empty() && !wake_soon_) {
    wakeups_.wake_soon();
    wake_soon_ = true;
  }
  if (rounds_left_ != 0) return;
  if (has_timers()) {
    ask_for_alarm(deadlines_.empty() ? earliest() : std::min(earliest(), now() + kPulse));
  } else if (wake_at_) {
    forget_alarm();
  }
}

// An alarm that has rung keeps its place among ready descriptors even if it is set anew. So it proves only that what
// was ready by the earlier time has had its turn.
void TimerLoop::ask_for_alarm(TimePoint at) {
  if (wake_at_ && *wake_at_ <= at) return;
  const TimePoint rings = std::max(at, now());
  wakeups_.wake_at(at);
  wake_at_ = at;
  rings_ = rings_ ? std::min(*rings_, rings) : rings;
  awaited_since_ = awaited_since_ ? std::min(*awaited_since_, rings) : rings;
}

}  // namespace holdfast::detail
