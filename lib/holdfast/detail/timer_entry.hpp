// A timer in the queue, and the time it was armed for.
#pragma once

#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

class Timer;

namespace detail {

struct TimerEntry {
  TimePoint at;
  Timer* timer = nullptr;  // may be gone if it was disarmed
  friend bool operator==(const TimerEntry&, const TimerEntry&) = default;
};

}  // namespace detail

}  // namespace holdfast

#pragma GCC visibility pop
