// Armed timers by the number of their arming: the first that is armed is number 1, the next one number 2.
//
// A supervisor that is given the same inputs arms its timers in the same order. So a number means the same timer in a
// recording and in its replay. The caller decides the order of firing.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>

#include <holdfast/detail/assert.hpp>
#include <holdfast/scheduler.hpp>

namespace holdfast::detail {

class NumberedTimers {
 public:
  // Its number. If it throws, nothing has happened. REQUIRES: `timer` is not armed.
  std::uint64_t arm(Timer& timer, TimePoint at) {
    HOLDFAST_ASSERT(!timer.armed(), "a timer was armed twice");
    const auto numbered = numbers_.emplace(&timer, latest_ + 1).first;
    try {
      timers_.emplace(latest_ + 1, &timer);
    } catch (...) {
      numbers_.erase(numbered);
      throw;
    }
    timer.at_ = at;
    timer.armed_ = true;
    return ++latest_;
  }

  // As if it had not been armed: the next one gets its number. REQUIRES: it was armed last, and still is.
  void take_back(Timer& timer) noexcept {
    disarm(timer);
    --latest_;
  }

  // The number that it had; 0: it was not armed.
  std::uint64_t disarm(Timer& timer) noexcept {
    const auto found = numbers_.find(&timer);
    if (found == numbers_.end()) return 0;
    const std::uint64_t number = found->second;
    timers_.erase(number);
    numbers_.erase(found);
    timer.armed_ = false;
    return number;
  }

  [[nodiscard]] bool armed(std::uint64_t number) const { return timers_.contains(number); }
  // REQUIRES: armed(number).
  [[nodiscard]] TimePoint due(std::uint64_t number) const { return timers_.at(number)->at_; }

  // It is due later. REQUIRES: armed(number).
  void postpone(std::uint64_t number, TimePoint at) { timers_.at(number)->at_ = at; }

  // Calls it; it may arm and disarm any timer, itself included. REQUIRES: armed(number).
  void fire(std::uint64_t number) {
    Timer& timer = *timers_.at(number);
    disarm(timer);
    timer.fired();
  }

 private:
  std::uint64_t latest_ = 0;
  std::map<std::uint64_t, Timer*> timers_;
  std::unordered_map<const Timer*, std::uint64_t> numbers_;  // only looked up, never iterated
};

}  // namespace holdfast::detail
