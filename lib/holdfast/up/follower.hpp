// Lines on their way to a client that follows them, from whatever thread has them.
//
// The client reads as fast as it likes. What it has not read yet is kept up to kFollowedMax bytes. Lines that come then
// are dropped, and in their place a line `{"lost":12}` says how many. A client that reads nothing at all is closed
// after kClientPatience (control_server.hpp).
//
// Thread-safety: push() and finish() in any thread, the rest on the executor.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/up/control_server.hpp>

namespace holdfast::up {

inline constexpr std::size_t kFollowedMax = std::size_t{256} * 1024;  // bytes

class Follower : public std::enable_shared_from_this<Follower> {
 public:
  Follower(boost::asio::any_io_executor executor, std::shared_ptr<Conversation> client);

  // Call it once, after the first line of the answer has been sent to the client.
  void begin();

  // A line without its line feed.
  void push(std::string_view line);
  // No more will come: the answer ends.
  void finish();
  // The client has gone away: nothing more needs to be pushed.
  [[nodiscard]] bool is_gone() const noexcept { return is_gone_; }

 private:
  void wake();
  void pump();

  void leave();

  std::shared_ptr<Conversation> client_;
  std::atomic<bool> is_gone_ = false;

  std::mutex mutex_;                                      // of what follows
  std::optional<boost::asio::any_io_executor> executor_;  // nullopt: the client has gone away
  std::string pending_;
  std::uint64_t lost_ = 0;
  bool is_awake_ = false;
  bool is_finished_ = false;
};

}  // namespace holdfast::up
