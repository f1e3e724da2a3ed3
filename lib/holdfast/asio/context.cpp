#include <holdfast/asio/context.hpp>

#include <holdfast/asio/detail/awaitable_run.hpp>
#include <holdfast/asio/detail/run_carrier.hpp>

namespace holdfast {

std::string_view Context::service() const noexcept { return run_.service(); }

RunNumber Context::run() const noexcept { return run_.run_.number(); }

const boost::asio::any_io_executor& Context::executor() const noexcept { return run_.carrier_.executor(); }

TimePoint Context::now() const noexcept { return run_.carrier_.sleepers().now(); }

void Context::ready() const noexcept { run_.run_.ready(); }

void Context::heartbeat() const noexcept { run_.run_.heartbeat(); }

void Context::progress(std::uint64_t reached) const noexcept { run_.run_.progress(reached); }

boost::asio::awaitable<void> Context::sleep_for(Duration duration) { return run_.sleep_until(now() + duration); }

boost::asio::awaitable<void> Context::sleep_until(TimePoint at) { return run_.sleep_until(at); }

bool Context::stop_requested() const noexcept {
  const bool requested = run_.stop_requested();
  if (requested) run_.notice();
  return requested;
}

std::stop_token Context::stop_token() const noexcept { return run_.stop_token(); }

boost::asio::awaitable<void> Context::stopped() { return run_.stopped(); }

bool Context::shutdown_requested() const noexcept { return run_.shutdown_requested(); }

boost::asio::awaitable<void> Context::shutdown() { return run_.shutdown(); }

}  // namespace holdfast
