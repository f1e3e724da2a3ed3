#include <holdfast/asio/awaitable_service.hpp>

#include <holdfast/asio/detail/awaitable_run.hpp>
#include <holdfast/asio/detail/run_carrier.hpp>

namespace holdfast {

AwaitableService::AwaitableService(ExecutorScheduler& scheduler, std::string name, Factory factory)
    : scheduler_(scheduler),
      name_(std::make_shared<const std::string>(std::move(name))),
      factory_(std::move(factory)) {}

AwaitableService::~AwaitableService() {
  while (alive_) alive_->disown();
}

void AwaitableService::start(Run run) { scheduler_.carriers()->begin(*this, run, factory_(), scheduler_.executor()); }

void AwaitableService::stop(Run run) {
  for (auto* one = alive_; one; one = one->next_) {
    if (one->run().number() == run.number()) return one->request_stop();
  }
}

void AwaitableService::forget(const detail::AwaitableRun& run) noexcept {
  auto** link = &alive_;
  while (*link != &run) link = &(*link)->next_;
  *link = run.next_;
}

}  // namespace holdfast
