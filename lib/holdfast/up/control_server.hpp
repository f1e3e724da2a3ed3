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

// What a client hears to its request: any number of lines, the last of which ends the answer. After that the client may
// ask again. What is said to a client that has gone away is lost.
class Conversation {
 public:
  // Sends a line, without its line feed, after which more follow.
  // `sent`, if given, is called when the client has been sent everything.
  virtual void say(std::string line, std::function<void()> sent) = 0;
  // Sends the last line. Called once.
  virtual void answer(std::string line) = 0;
  // Called once if the client goes away before its answer has ended.
  virtual void on_gone(std::function<void()> gone) = 0;

 protected:
  ~Conversation() = default;
};

class ControlServer {
 public:
  using Act = std::function<void(const Request&, const std::shared_ptr<Conversation>&)>;

  // Listens on a new socket of mode 0600. Throws boost::system::system_error. REQUIRES: nothing has that path.
  ControlServer(const boost::asio::any_io_executor& executor, const std::filesystem::path& socket, Act act);
  // Every client that waits for an answer has gone away then.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  class Clients;
  std::shared_ptr<Clients> clients_;
};

}  // namespace holdfast::up
