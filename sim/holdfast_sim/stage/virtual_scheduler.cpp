#include <holdfast_sim/stage/virtual_scheduler.hpp>

#include <holdfast/detail/assert.hpp>

namespace holdfast::sim {

VirtualScheduler::~VirtualScheduler() {
  timers_.clear();
  tasks_.clear();
}

void VirtualScheduler::advance_to(TimePoint at) {
  HOLDFAST_ASSERT(at >= now_, "virtual time would go backwards");
  HOLDFAST_ASSERT(timers_.empty() || timers_.earliest() >= at, "virtual time would jump over a timer");
  now_ = at;
}

}  // namespace holdfast::sim
