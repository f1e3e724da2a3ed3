// The other end of the control socket.
//
// Thread-safety: none.
#pragma once

#include <filesystem>
#include <string>

#include <holdfast/asio/detail/descriptor.hpp>

namespace holdfast::up {

class ControlClient {
 public:
  // Throws std::runtime_error: nobody listens there.
  explicit ControlClient(const std::filesystem::path& socket);

  // The first line of the answer to a line, without its line feed. Throws std::runtime_error if the other end goes
  // away.
  std::string ask(const std::string& request);
  // The next line of the answer. Throws likewise.
  std::string next();
  // Returns when the other end has gone away.
  void wait_for_end();

 private:
  std::filesystem::path socket_;
  holdfast::detail::Descriptor descriptor_;
  std::string read_;
};

}  // namespace holdfast::up
