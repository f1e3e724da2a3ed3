// One client of the endpoint: requests come, pages go, until either side has had enough.
//
// Each step (waiting for a request, giving the answer, parting) has a deadline; past it the connection is closed. The
// deadlines are timers of Asio and not of the scheduler: what stands in the supervisor's queue is the supervisor's
// alone.
//
// Thread-safety: none; all on the executor of the socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <holdfast/asio/detail/endpoint_pages.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  // What it needs from its server.
  class Host {
   public:
    [[nodiscard]] virtual Page page(std::string_view path) = 0;
    // It begins another step: of all connections it has now been in its step for the shortest time.
    virtual void moved_on(HttpConnection&) noexcept = 0;
    virtual void ended(HttpConnection&) noexcept = 0;

   protected:
    ~Host() = default;
  };

  HttpConnection(boost::asio::ip::tcp::socket socket, Host& host, std::size_t request_bytes_max, Duration timeout);

  void begin();
  // Ends it now. Nothing of it reaches the host any more.
  void close() noexcept;

 private:
  enum class Next : std::uint8_t { another_request, part, end };

  boost::asio::awaitable<void> converse();
  boost::asio::awaitable<Next> answer_one();
  boost::asio::awaitable<bool> write(Page page, unsigned version, bool header_only, bool keep_alive);
  // Closes in a way that lets the client read what it was told although it may still be sending.
  boost::asio::awaitable<void> part();
  void begin_step();

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer deadline_;
  Host* host_;  // null once it is closed
  const std::size_t request_bytes_max_;
  const Duration timeout_;
  boost::beast::flat_buffer buffer_;  // what has been read of the next requests
};

}  // namespace holdfast::detail
