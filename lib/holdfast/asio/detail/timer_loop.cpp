#include <holdfast/asio/detail/timer_loop.hpp>

#include <algorithm>

#include <holdfast/detail/assert.hpp>

namespace holdfast::detail {

TimerLoop::~TimerLoop() {
  HOLDFAST_ASSERT(!turning_, "a scheduler was destroyed from within one of its own handlers");
  timers_.clear();
  tasks_.clear();
}

TimePoint TimerLoop::now() const noexcept {
  latest_ = std::max(latest_, wakeups_.read_clock());
  return latest_;
}

// A time that the clock has passed meanwhile keeps its place among the others, however slow the caller was; one that a
// turn has passed comes in the next turn.
void TimerLoop::arm(Timer& timer, TimePoint at) {
  timers_.arm(timer, std::max(at, next_turn_));
  ask_for_wakeup();
}

bool TimerLoop::disarm(Timer& timer) noexcept {
  if (!timers_.disarm(timer)) return false;
  // A wake-up for an earlier timer than there is does no harm. One for no timer would keep a program from ending.
  if (!turning_ && timers_.empty() && wake_at_) {
    wake_at_.reset();
    wakeups_.wake_never();
  }
  return true;
}

void TimerLoop::defer(Task& task) {
  tasks_.push(task);
  ask_for_wakeup();
}

// Marks the loop as busy, and leaves it ready for the next turn however this one ends.
class TimerLoop::Turn {
 public:
  explicit Turn(TimerLoop& loop) noexcept : loop_(loop) { loop_.turning_ = true; }
  ~Turn() {
    loop_.turning_ = false;
    loop_.ask_for_wakeup();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  TimerLoop& loop_;
};

void TimerLoop::turn() {
  HOLDFAST_ASSERT(!turning_, "a scheduler was run from within one of its own handlers");
  wake_soon_ = false;
  const Turn busy{*this};
  run_tasks();
  const TimePoint due = now();
  next_turn_ = due + Duration{1};
  while (!timers_.empty() && timers_.earliest() <= due) {
    timers_.fire_earliest();
    run_tasks();
  }
}

void TimerLoop::ask_for_wakeup() {
  if (turning_ || wake_soon_) return;  // asked for at the end of the turn
  if (!tasks_.empty()) {
    wake_soon_ = true;
    wakeups_.wake_soon();
  } else if (timers_.empty()) {
    if (!wake_at_) return;
    wake_at_.reset();
    wakeups_.wake_never();
  } else if (!wake_at_ || timers_.earliest() < *wake_at_) {
    wake_at_ = timers_.earliest();
    wakeups_.wake_at(*wake_at_);
  }
}

}  // namespace holdfast::detail
