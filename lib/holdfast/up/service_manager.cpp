#include <holdfast/up/service_manager.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <variant>

#include <holdfast/asio/detail/descriptor.hpp>

namespace holdfast::up {

namespace {

constexpr std::chrono::microseconds kPulseMin{1000};

std::string taken(const char* variable) {
  const char* const value = std::getenv(variable);
  std::string text = value != nullptr ? value : "";
  ::unsetenv(variable);
  return text;
}

std::optional<std::int64_t> whole_number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc{} && read.ptr == end ? std::optional{number} : std::nullopt;
}

}  // namespace

ServiceManager::ServiceManager() : socket_(taken("NOTIFY_SOCKET")) {
  const auto length = whole_number_in(taken("WATCHDOG_USEC"));
  const auto watched = taken("WATCHDOG_PID");
  const bool is_watched = watched.empty() || whole_number_in(watched) == ::getpid();
  // Two signs in each length, as sd_watchdog_enabled(3) asks for.
  if (!socket_.empty() && is_watched && length && *length > 0)
    pulse_ = std::max(std::chrono::microseconds{*length / 2}, kPulseMin);
  for (const char* const variable : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "MAINPID", "JOURNAL_STREAM"}) {
    taken(variable);
  }
}

// Who does not listen misses it.
void ServiceManager::say(std::string_view text) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const holdfast::detail::Descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket.is_open()) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  static_cast<void>(::sendto(socket.number(), text.data(), text.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), length));
}

void ServiceManager::is_up() const { say("READY=1\nMAINPID=" + std::to_string(::getpid())); }

void ServiceManager::give_sign_of_life() const { say("WATCHDOG=1"); }

void ServiceManager::on_event(const Event& event) {
  if (std::holds_alternative<event::ShutdownRequested>(event.what)) say("STOPPING=1");
}

Pulse::Pulse(const boost::asio::any_io_executor& executor, const ServiceManager& manager)
    : manager_(manager), timer_(executor) {
  if (manager_.pulse()) beat();
}

void Pulse::beat() {
  manager_.give_sign_of_life();
  timer_.expires_after(*manager_.pulse());
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) beat();
  });
}

}  // namespace holdfast::up
