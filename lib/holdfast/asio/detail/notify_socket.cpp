#include <holdfast/asio/detail/notify_socket.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <system_error>

namespace holdfast::detail {

namespace {

constexpr std::size_t kDescriptorsMax = 253;  // that one message can carry

[[noreturn]] void fail() {
  throw std::system_error{errno, std::generic_category(), "cannot open a socket for NOTIFY_SOCKET"};
}

sockaddr* generic(sockaddr_un& address) noexcept { return reinterpret_cast<sockaddr*>(&address); }

// An abstract address begins with a zero byte, which is written as '@'.
std::string text_of(const sockaddr_un& address, socklen_t size) {
  std::string text{address.sun_path, size - offsetof(sockaddr_un, sun_path)};
  if (!text.empty()) text.front() = '@';
  return text;
}

// nullopt: it is no number, or none of 64 bits.
std::optional<std::uint64_t> number_in(std::string_view digits) noexcept {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_number = error == std::errc{} && end == digits.data() + digits.size();
  return is_number ? std::optional{number} : std::nullopt;
}

// The sender; what else there is is closed.
pid_t take_sender(msghdr& message) noexcept {
  pid_t sender = 0;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type == SCM_CREDENTIALS) {
      ucred who{};
      std::memcpy(&who, CMSG_DATA(part), sizeof who);
      sender = who.pid;
    } else if (part->cmsg_type == SCM_RIGHTS) {
      const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int number = -1;
        std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
        Descriptor{number}.close();
      }
    }
  }
  return sender;
}

}  // namespace

// Bound to no name, it gets one that nobody else has.
NotifySocket::NotifySocket() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  if (!socket_.is_open()) fail();
  const int on = 1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socklen_t size = sizeof address.sun_family;
  if (::setsockopt(number(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) fail();
  if (::bind(number(), generic(address), size) != 0) fail();
  size = sizeof address;
  if (::getsockname(number(), generic(address), &size) != 0) fail();
  address_ = text_of(address, size);
}

std::optional<NotifySocket::Message> NotifySocket::receive() const {
  std::array<char, kNotifyTextMax> text;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(kDescriptorsMax * sizeof(int))> more;
  iovec piece{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = more.data();
  message.msg_controllen = more.size();
  const ssize_t size = ::recvmsg(number(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) return std::nullopt;
  const pid_t sender = take_sender(message);
  return Message{sender, std::string{text.data(), static_cast<std::size_t>(size)},
                 (message.msg_flags & MSG_TRUNC) != 0};
}

Notification notification_from(std::string_view text) noexcept {
  Notification found;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
    const auto value_of = [line](std::string_view key) {
      return line.starts_with(key) ? std::optional{line.substr(key.size())} : std::nullopt;
    };
    if (line == "READY=1") found.ready = true;
    if (line == "WATCHDOG=1") found.heartbeat = true;
    if (const auto progress = value_of("X_PROGRESS=")) found.progress = number_in(*progress);
    if (const auto status = value_of("STATUS=")) found.status = status;
    if (const auto main = value_of("MAINPID=")) found.main = main;
  }
  return found;
}

}  // namespace holdfast::detail
