#include <holdfast_sim/stage/virtual_scheduler.hpp>

#include <cstddef>
#include <utility>

#include <holdfast/detail/assert.hpp>

namespace holdfast::sim {

VirtualScheduler::~VirtualScheduler() {
  timers_.clear();
  tasks_.clear();
}

// Fisher and Yates' shuffle. What a handler arms for the same instant comes after all of them: so the supervisor puts
// itself behind what is in time.
bool VirtualScheduler::fire_next_shuffled(TimePoint limit, Seed seed) {
  if (!has_timer_by(limit)) return false;
  const TimePoint at = timers_.earliest();
  if (at != shuffled_at_) {
    due_.clear();
    while (!timers_.empty() && timers_.earliest() == at) due_.push_back(&timers_.take_earliest());
    const DrawKey key{.seed = seed, .name = name_hash("order")};
    for (std::size_t left = due_.size(); left > 1; --left) {
      std::swap(due_[left - 1], due_[uniform_up_to(draw(key, Purpose::tie, ties_++), left - 1)]);
    }
    for (Timer* const timer : due_) timers_.arm(*timer, at);
    shuffled_at_ = at;
  }
  return fire_next(limit);
}

void VirtualScheduler::advance_to(TimePoint at) {
  HOLDFAST_ASSERT(at >= now_, "virtual time would go backwards");
  HOLDFAST_ASSERT(timers_.empty() || timers_.earliest() >= at, "virtual time would jump over a timer");
  now_ = at;
}

}  // namespace holdfast::sim
