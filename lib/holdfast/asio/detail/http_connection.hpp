// One client of the endpoint: it reads requests and writes pages until either side closes.
//
// Each step (waiting for a request, giving the answer, parting) has a deadline; past it the connection is closed. The
// deadlines are timers of Asio and not of the scheduler, whose queue belongs to the supervisor alone. A request that
// has arrived by its deadline gets its answer, however late the program gets to it.
//
// A page is shared with other clients and never copied. It is written in pieces, each in its turn (turns.hpp), so that
// neither large pages nor many clients hold up other work on the executor.
//
// Thread-safety: none; all on the executor of the socket.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <holdfast/asio/detail/endpoint_pages.hpp>
#include <holdfast/asio/detail/http_request.hpp>
#include <holdfast/asio/detail/turns.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  static constexpr std::size_t kWrittenATurn = std::size_t{1} << 16;  // bytes

  // What it needs from its server.
  class Host {
   public:
    // Null: the server is closed.
    [[nodiscard]] virtual boost::asio::awaitable<std::shared_ptr<const Page>> page(std::string path,
                                                                                   bool accepts_gzip) = 0;
    [[nodiscard]] virtual Turns& turns() = 0;
    // The connection begins another step: of all connections it has now been in its step for the shortest time.
    virtual void moved_on(HttpConnection&) noexcept = 0;
    virtual void ended(HttpConnection&) noexcept = 0;

   protected:
    ~Host() = default;
  };

  // The rules outlive it.
  HttpConnection(boost::asio::ip::tcp::socket socket, Host& host, const RequestRules& rules, Duration timeout);

  void begin();
  // Ends it now. It no longer calls the host.
  void close() noexcept;

 private:
  enum class Next : std::uint8_t { another_request, part, end };

  boost::asio::awaitable<void> converse();
  boost::asio::awaitable<Next> answer_one();
  // nullopt: the client has gone.
  boost::asio::awaitable<std::optional<Request>> read();
  boost::asio::awaitable<bool> write(const Page& page, const Request& request);
  // Closes in a way that lets the client read the answer although it may still be sending.
  boost::asio::awaitable<void> part();
  void begin_step();
  void leave_if_still_at(std::chrono::steady_clock::time_point over, int rounds);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer deadline_;
  Host* host_;  // null once it is closed
  const RequestRules& rules_;
  const Duration timeout_;
  std::string received_;  // and not answered yet
};

}  // namespace holdfast::detail
