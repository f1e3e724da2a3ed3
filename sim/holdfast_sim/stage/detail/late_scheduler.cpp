#include <holdfast_sim/stage/detail/late_scheduler.hpp>

#include <algorithm>
#include <chrono>

namespace holdfast::sim {

namespace {

constexpr Duration kStallsApart = std::chrono::seconds{1};

}  // namespace

LateScheduler::~LateScheduler() {
  for (auto& [number, alarm] : alarms_) scheduler_.disarm(alarm);
  scheduler_.disarm(wake_);
  scheduler_.cancel(turn_);
  tasks_.clear();
}

void LateScheduler::arm_for(Timer& timer, TimePoint at, bool is_deadline) {
  const std::uint64_t number = timers_.arm(timer, at);
  Alarm& alarm = alarms_.try_emplace(number, *this, number, is_deadline).first->second;
  alarm.timer_ = &timer;
  scheduler_.arm(alarm, at);
}

bool LateScheduler::disarm(Timer& timer) noexcept {
  const std::uint64_t number = timers_.disarm(timer);
  if (number == 0) return false;
  const auto alarm = alarms_.find(number);
  scheduler_.disarm(alarm->second);
  alarms_.erase(alarm);
  return true;
}

void LateScheduler::defer(Task& task) {
  if (stands_still()) {
    tasks_.push(task);
  } else {
    scheduler_.defer(task);
  }
}

// A task is in one of the two queues, and the supervisor has one.
bool LateScheduler::cancel(Task& task) noexcept {
  return tasks_.empty() ? scheduler_.cancel(task) : tasks_.cancel(task);
}

void LateScheduler::run_tasks() {
  while (!tasks_.empty()) tasks_.run_oldest();
}

bool LateScheduler::stand_still(TimePoint until) {
  if (until <= (stands_still() ? wakes_at_ : now())) return false;
  if (!scheduler_.disarm(wake_)) stands_since_ = now();
  wakes_at_ = until;
  scheduler_.arm(wake_, until);
  return true;
}

// What arrived comes first, because deferred tasks come before timers.
void LateScheduler::wake() {
  const Duration lasted = now() - stands_since_;
  const bool soon_after_another = woke_at_ != TimePoint::min() && stands_since_ - woke_at_ < kStallsApart;
  const Duration given = soon_after_another ? stood_for_ : Duration{0};
  if (lasted > given) {
    postponed_ += lasted - given;
    woke_at_ = now();
    stood_for_ = lasted;
  }
  if (!tasks_.empty()) scheduler_.defer(turn_);
  for (const std::uint64_t number : std::exchange(held_, {})) {
    const auto alarm = alarms_.find(number);
    if (alarm != alarms_.end()) scheduler_.arm(alarm->second, now());
  }
}

// The alarm is gone when the timer is called.
void LateScheduler::rang(Alarm& alarm) {
  const std::uint64_t number = alarm.timer_number_;
  if (stands_still()) {
    held_.push_back(number);
    return;
  }
  const Duration owed = alarm.is_deadline_ ? postponed_ - alarm.postponed_before_ : Duration{0};
  if (owed > Duration::zero()) {
    alarm.postponed_before_ = postponed_;
    const TimePoint due = timers_.due(number) + owed;
    timers_.postpone(number, due);
    if (due > now()) return scheduler_.arm(alarm, due);
  }
  if (lateness_ && !alarm.is_late_) {
    alarm.is_late_ = true;
    const Duration late = lateness_(*alarm.timer_);
    if (late > Duration::zero()) {
      if (alarm.is_deadline_) timers_.postpone(number, now() + late);
      return scheduler_.arm(alarm, now() + late);
    }
  }
  alarms_.erase(number);
  timers_.fire(number);
}

}  // namespace holdfast::sim
