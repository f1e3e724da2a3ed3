// One run of an awaitable service: what the coroutine and the service share.
//
// It belongs to the coroutine that carries it (run_carrier.hpp), so an abandoned run keeps what it uses. Service and
// run point to each other, and the one that is destroyed first clears the other's pointer. Without a service the end of
// the run is not reported.
//
// Thread-safety: none; all on the scheduler's executor.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <holdfast/asio/context.hpp>
#include <holdfast/asio/detail/body.hpp>
#include <holdfast/asio/detail/waiting_room.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/service.hpp>

namespace holdfast {
class AwaitableService;
}

namespace holdfast::detail {

class RunCarrier;

class AwaitableRun final : private Timer {
 public:
  AwaitableRun(RunCarrier& carrier, AwaitableService& service, Run run, std::unique_ptr<Body> body);
  ~AwaitableRun();

  // Calls the user's code.
  Begun begin() {
    begun_ = true;
    return body_->run(context_);
  }
  // Called when the coroutine is destroyed: destroys the instance, then reports the end of the run.
  void end(Exit exit);

  void request_stop();
  [[nodiscard]] bool stop_requested() const noexcept { return stop_requested_; }
  // Called when the service is destroyed: asks the run to stop; its end is no longer reported.
  void disown();

  [[nodiscard]] const Run& run() const noexcept { return run_; }

 private:
  friend class holdfast::AwaitableService;
  friend class holdfast::Context;

  bool leave_service() noexcept;
  void interrupt();
  void fired() override;
  void notice() noexcept;
  [[nodiscard]] std::stop_token stop_token();
  [[nodiscard]] std::string_view service() const noexcept;

  boost::asio::awaitable<void> sleep_until(TimePoint at);
  boost::asio::awaitable<void> stopped();
  // Once its service is gone, so may be the supervisor: it is as if that had been asked.
  [[nodiscard]] bool shutdown_requested() const noexcept { return !service_ || run_.shutdown_requested(); }
  boost::asio::awaitable<void> shutdown();

  RunCarrier& carrier_;
  AwaitableService* service_;                // null once it is gone, or knows of the end
  AwaitableRun* next_;                       // of the same service
  std::shared_ptr<const std::string> name_;  // that the service has left behind
  const Run run_;
  std::unique_ptr<Body> body_;
  Context context_{*this};
  WaitingRoom wait_to_stop_{nullptr};
  std::stop_source stop_source_{std::nostopstate};  // made when the user asks for a token
  std::uint32_t interruptions_ = 0;
  bool begun_ = false;
  bool stop_requested_ = false;
  bool noticed_stop_ = false;
};

}  // namespace holdfast::detail
