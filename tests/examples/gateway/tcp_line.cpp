#include "tcp_line.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace gateway {

namespace net = boost::asio;

namespace {

constexpr std::size_t kLineMax = 1024;  // bytes; a longer one ends it

class TcpLine final : public Line {
 public:
  explicit TcpLine(net::ip::tcp::socket socket) : socket_(std::move(socket)) {}

  awaitable<std::optional<std::string>> next() override {
    boost::system::error_code error;
    const std::size_t size = co_await net::async_read_until(socket_, net::dynamic_buffer(received_, kLineMax), '\n',
                                                            net::redirect_error(net::use_awaitable, error));
    if (error == net::error::operation_aborted) throw boost::system::system_error{error};
    if (error) co_return std::nullopt;
    std::string line = received_.substr(0, size - 1);
    received_.erase(0, size);
    co_return line;
  }

 private:
  net::ip::tcp::socket socket_;
  std::string received_;
};

}  // namespace

Venue tcp_venue(std::string name, net::ip::tcp::endpoint endpoint) {
  return {std::move(name), [endpoint](holdfast::Context& ctx) -> awaitable<std::unique_ptr<Line>> {
            net::ip::tcp::socket socket{ctx.executor()};
            co_await socket.async_connect(endpoint, net::use_awaitable);
            co_return std::make_unique<TcpLine>(std::move(socket));
          }};
}

}  // namespace gateway
