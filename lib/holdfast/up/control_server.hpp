// The control socket: who connects, what a line may be, how an answer goes back. What a request does is its owner's.
//
// Bounds: kClientsMax connections at a time, further ones wait; kRequestMax bytes a line; a client that says nothing
// for kClientPatience is closed, unless it waits for an answer. The kernel says who connects: this user or root.
//
// Thread-safety: none; everything happens on the executor.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/up/request.hpp>

namespace holdfast::up {

inline constexpr std::size_t kClientsMax = 32;
inline constexpr std::size_t kRequestMax = std::size_t{64} * 1024;
inline constexpr std::chrono::seconds kClientPatience{30};

class ControlServer {
 public:
  // Sends one line, without its line feed; called once. After that the client may ask again.
  using Answer = std::function<void(std::string)>;
  using Act = std::function<void(const Request&, Answer)>;

  // Listens on a new socket of mode 0600. Throws boost::system::system_error. REQUIRES: nothing has that path.
  ControlServer(const boost::asio::any_io_executor& executor, const std::filesystem::path& socket, Act act);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  class Clients;
  std::shared_ptr<Clients> clients_;
};

}  // namespace holdfast::up
