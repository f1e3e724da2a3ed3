// The socket of the sd_notify protocol: a process is given its address in NOTIFY_SOCKET and sends datagrams of lines
// like "READY=1". Each process has a socket of its own, in the abstract namespace, under a number that the kernel gives
// out. Everybody on the machine could send to it, so the kernel says with each datagram who has sent it.
//
// Protocol: sd_notify(3) of systemd 252.
//
// Thread-safety: none for one socket; the function is pure.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <holdfast/asio/detail/descriptor.hpp>

namespace holdfast::detail {

class NotifySocket {
 public:
  // Throws std::system_error if there is no descriptor for it.
  NotifySocket();

  // The value of NOTIFY_SOCKET.
  [[nodiscard]] const std::string& address() const noexcept { return address_; }
  // Close-on-exec; reading it does not block.
  [[nodiscard]] int number() const noexcept { return socket_.number(); }

  struct Message {
    pid_t sender = 0;  // 0: the kernel did not say
    std::string text;  // of at most kNotifyTextMax bytes
    bool is_cut = false;
  };
  // The oldest that has come. nullopt: there is none. Descriptors that came with it are closed: whoever sent one to see
  // that the message was read (BARRIER=1) waits for that.
  [[nodiscard]] std::optional<Message> receive() const;

 private:
  Descriptor socket_;
  std::string address_;
};
inline constexpr std::size_t kNotifyTextMax = 4096;

// What a message says; unknown lines are passed over.
struct Notification {
  bool ready = false;                        // READY=1
  bool heartbeat = false;                    // WATCHDOG=1
  std::optional<std::uint64_t> progress{};   // X_PROGRESS=
  std::optional<std::string_view> status{};  // STATUS=
  std::optional<std::string_view> main{};    // MAINPID=
};
// The views are into `text`. Of a key that comes twice the last counts.
Notification notification_from(std::string_view text) noexcept;

}  // namespace holdfast::detail
