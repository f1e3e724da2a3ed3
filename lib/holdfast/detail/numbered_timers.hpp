// Armed timers by the number of their arming: the first that anybody arms is number 1, the next one number 2.
//
// A supervisor that is given the same inputs arms its timers in the same order, so the number says which timer it was,
// in a recording and in its replay alike. The order of firing is the caller's.
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
  // Its number. REQUIRES: `timer` is not armed.
  std::uint64_t arm(Timer& timer, TimePoint at) {
    HOLDFAST_ASSERT(!timer.armed(), "a timer was armed twice");
    timer.at_ = at;
    timer.armed_ = true;
    timers_.emplace(++latest_, &timer);
    numbers_.emplace(&timer, latest_);
    return latest_;
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
