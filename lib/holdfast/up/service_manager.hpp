// The service manager that has started this program, where there is one: systemd with Type=notify, or what speaks like
// it.
//
// It learns that the fleet is up, that it goes down, and, if it wants to, that the supervisor's loop is still turning.
// What it has put into the environment for this program is for nobody else: a service that found NOTIFY_SOCKET there
// would speak for the whole fleet, and one that found LISTEN_FDS would take descriptors for its own that it has not.
//
// Thread-safety: none.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <holdfast/event.hpp>

namespace holdfast::up {

class ServiceManager final : public EventSink {
 public:
  // Takes the variables out of this program's environment. To be made while there is one thread.
  ServiceManager();

  void is_up() const;
  // Says that the fleet goes down when it does.
  void on_event(const Event& event) override;

  void give_sign_of_life() const;
  // How often; nullopt: nobody wants to know.
  [[nodiscard]] std::optional<std::chrono::microseconds> pulse() const noexcept { return pulse_; }

 private:
  void say(std::string_view text) const;

  std::string socket_;  // empty: there is no service manager
  std::optional<std::chrono::microseconds> pulse_;
};

// Signs of life, as long as this exists and the executor runs what it is given.
class Pulse {
 public:
  Pulse(const boost::asio::any_io_executor& executor, const ServiceManager& manager);

 private:
  void beat();

  const ServiceManager& manager_;
  boost::asio::steady_timer timer_;
};

}  // namespace holdfast::up
