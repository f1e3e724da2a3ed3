// The other end of the control socket.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
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
  // The same. nullopt: the other end has gone away, or the reader of a descriptor, into which the caller writes.
  std::optional<std::string> next_for(int output);
  // Whether a line has come already.
  [[nodiscard]] bool has_line() const noexcept { return read_.find('\n', taken_) != std::string::npos; }
  // Returns when the other end has gone away.
  void wait_for_end();

 private:
  std::filesystem::path socket_;
  holdfast::detail::Descriptor descriptor_;
  bool read_more();

  std::string read_;
  std::size_t taken_ = 0;  // of that
};

}  // namespace holdfast::up
