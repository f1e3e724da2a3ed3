// One run of an awaitable service: what the coroutine and the service share.
//
// Owned together by the coroutine's frame and, while the run is alive, by the service; so an abandoned run keeps what
// it uses, and nothing else does. The service cuts the line to the supervisor when it is destroyed; a later end goes
// nowhere.
//
// Thread-safety: none; all on the scheduler's executor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <holdfast/asio/context.hpp>
#include <holdfast/asio/detail/body.hpp>
#include <holdfast/asio/detail/waiting_room.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/service.hpp>

namespace holdfast::detail {

class AwaitableRun final : public std::enable_shared_from_this<AwaitableRun>, private Timer {
 public:
  using Ended = std::function<void(AwaitableRun&, Exit)>;

  AwaitableRun(ExecutorScheduler& scheduler, std::shared_ptr<const std::string> name, Run run,
               std::unique_ptr<Body> body, Ended ended);
  ~AwaitableRun();

  // Posts the beginning of the coroutine.
  void begin();
  void request_stop();
  // The service is gone: the run is asked to stop, and nobody is told of its end any more.
  void disown();

  [[nodiscard]] const Run& run() const noexcept { return run_; }

 private:
  friend class holdfast::Context;

  boost::asio::awaitable<void> live();
  void end(Exit exit);
  void interrupt();
  void fired() override;
  void notice() noexcept;

  boost::asio::awaitable<void> sleep_until(TimePoint at);
  boost::asio::awaitable<void> stopped();

  const std::shared_ptr<WaitingRoom> sleepers_;  // the scheduler's; it is closed when the scheduler is gone
  const std::shared_ptr<WaitingRoom> wait_to_stop_;
  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<const std::string> name_;
  const Run run_;
  std::unique_ptr<Body> body_;
  Ended ended_;
  Context context_{*this};
  std::stop_source stop_source_;
  boost::asio::cancellation_signal interruption_;
  std::uint32_t interruptions_ = 0;
  bool noticed_stop_ = false;
  bool over_ = false;
};

}  // namespace holdfast::detail
