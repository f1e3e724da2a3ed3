#include <holdfast/asio/executor_scheduler.hpp>

#include <holdfast/asio/detail/run_carrier.hpp>
#include <holdfast/asio/detail/waiting_room.hpp>

namespace holdfast {

ExecutorScheduler::ExecutorScheduler()
    : sleepers_(std::make_shared<detail::WaitingRoom>(this)),
      carriers_(std::make_shared<detail::RunCarriers>(sleepers_)) {}

ExecutorScheduler::~ExecutorScheduler() {
  HOLDFAST_ASSERT(sleepers_->closed(), "a scheduler's destructor did not close its waiting room");
}

void ExecutorScheduler::close_sleepers() noexcept { sleepers_->close(); }

}  // namespace holdfast
