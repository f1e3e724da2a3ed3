// Who waits for services to terminate.
//
// Thread-safety: none; all on the scheduler's executor.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/error.hpp>
#include <holdfast/asio/detail/waiting_room.hpp>
#include <holdfast/event.hpp>
#include <holdfast/lifecycle.hpp>

#pragma GCC visibility push(default)

namespace holdfast {
class Supervisor;
}

namespace holdfast::detail {

// The end of one life of a service, and the handlers that wait for it.
struct Departure {
  WaitingRoom waiting{nullptr};
  Termination why;  // once it has terminated
};

// Those of one supervisor's services that somebody waits for.
class Departures {
 public:
  explicit Departures(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Departures(const Departures&) = delete;
  Departures& operator=(const Departures&) = delete;

  void open(const Supervisor& supervisor) noexcept { supervisor_ = &supervisor; }
  // Give it every event.
  void on_event(const Event& event) noexcept;
  // The supervisor is gone: every wait ends with operation_aborted.
  void close() noexcept;

  struct Found {
    boost::system::error_code error;
    std::optional<Termination> why;        // it has terminated
    std::shared_ptr<Departure> departure;  // it has not: wait here
  };
  [[nodiscard]] Found find(std::string_view name);

  [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept { return executor_; }

 private:
  const boost::asio::any_io_executor executor_;
  const Supervisor* supervisor_ = nullptr;
  std::map<std::uint32_t, std::shared_ptr<Departure>> by_slot_;  // of services that have not terminated
};

}  // namespace holdfast::detail

#pragma GCC visibility pop
