#include <holdfast/asio/awaitable_service.hpp>

#include <holdfast/asio/detail/awaitable_run.hpp>

namespace holdfast {

AwaitableService::AwaitableService(ExecutorScheduler& scheduler, std::string name, Factory factory)
    : scheduler_(scheduler),
      name_(std::make_shared<const std::string>(std::move(name))),
      factory_(std::move(factory)) {}

AwaitableService::~AwaitableService() {
  for (const auto& run : alive_) run->disown();
}

void AwaitableService::start(Run run) {
  auto started = std::make_shared<detail::AwaitableRun>(
      scheduler_, name_, run, factory_(), [this](detail::AwaitableRun& ended, Exit exit) {
        std::erase_if(alive_, [&](const auto& one) { return one.get() == &ended; });
        ended.run().end(std::move(exit));
      });
  alive_.push_back(started);
  started->begin();
}

void AwaitableService::stop(Run run) {
  for (const auto& one : alive_) {
    if (one->run().number() == run.number()) return one->request_stop();
  }
}

}  // namespace holdfast
