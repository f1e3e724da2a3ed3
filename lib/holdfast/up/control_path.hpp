// Where the control socket of a fleet stands, and who has it.
//
// The socket is `control` of the file, or NAME.sock in the first of these folders that is ours:
// $XDG_RUNTIME_DIR/holdfast, /run/holdfast (of root), /tmp/holdfast-UID. Beside it stands NAME.sock.lock, which the
// running `up` holds locked and which has its process number. The kernel gives the lock up when that process ends,
// however it ends, so a socket whose lock is free is a leftover.
//
// Thread-safety: none.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/asio/detail/descriptor.hpp>
#include <holdfast/file/fleet.hpp>

namespace holdfast::up {

// A fleet's name, which may have any letters, as the name of a file: "a/b" is "a%2fb".
std::string as_file_name(std::string_view name);

// Without making anything.
std::filesystem::path control_path(const file::FleetFile& fleet, const std::filesystem::path& file);

// "process 4711" of the `up` that has this socket, or empty: nobody has it.
std::string holder_of(const std::filesystem::path& socket);

// The sockets in the folders that are ours, for commands that name no file.
std::vector<std::filesystem::path> known_sockets();

// Held until it is destroyed, which removes the socket.
class ControlLock {
 public:
  // Makes the folder, too. Throws std::runtime_error: the reason, or which process holds it.
  explicit ControlLock(std::filesystem::path socket);
  ~ControlLock();
  ControlLock(const ControlLock&) = delete;
  ControlLock& operator=(const ControlLock&) = delete;

  [[nodiscard]] const std::filesystem::path& socket() const noexcept { return socket_; }

 private:
  std::filesystem::path socket_;
  holdfast::detail::Descriptor lock_;
};

}  // namespace holdfast::up
