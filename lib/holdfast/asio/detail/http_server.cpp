#include <holdfast/asio/detail/http_server.hpp>

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/system/system_error.hpp>

namespace holdfast::detail {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kRetryAfter = std::chrono::milliseconds{100};

std::string text_of(const tcp::endpoint& at) {
  const std::string address = at.address().to_string();
  return (at.address().is_v6() ? '[' + address + ']' : address) + ':' + std::to_string(at.port());
}

// Programs that a service starts inherit no socket: with this one they would keep the port when this program has gone.
template <class Socket>
Socket not_for_children(Socket socket) {
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  return socket;
}

tcp::acceptor listen_at(const asio::any_io_executor& executor, const Endpoint& config) {
  const tcp::endpoint at{asio::ip::make_address(config.address), config.port};
  try {
    return not_for_children(
        tcp::acceptor{executor, at});  // takes over an address whose former owner's connections still linger
  } catch (const boost::system::system_error& error) {
    throw boost::system::system_error{error.code(),
                                      "the endpoint cannot listen on " + text_of(at) +
                                          "; it needs an address of this machine and a port that no other "
                                          "program has (0: a free one)"};
  }
}

}  // namespace

HttpServer::HttpServer(const asio::any_io_executor& executor, Endpoint config, const FleetSource& source)
    : config_(std::move(config)),
      source_(source),
      acceptor_(listen_at(executor, config_)),
      retry_(executor),
      port_(acceptor_.local_endpoint().port()) {
  connections_.reserve(config_.connections_max);
}

// What is called in the end holds this object from now on; the coroutine itself does so only once it has begun.
void HttpServer::begin() {
  auto ended = [self = shared_from_this()](const std::exception_ptr&) {};
  asio::co_spawn(acceptor_.get_executor(), accept_all(), std::move(ended));
}

void HttpServer::close() noexcept {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  for (const auto& connection : connections_) connection->close();
  connections_.clear();
}

asio::awaitable<void> HttpServer::accept_all() {
  const auto self = shared_from_this();
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::deferred));
    if (!acceptor_.is_open()) break;
    if (!error) {
      welcome(not_for_children(std::move(socket)));
    } else {  // no descriptors or memory left: the client waits, and trying again at once would be a busy loop
      retry_.expires_after(kRetryAfter);
      co_await retry_.async_wait(asio::as_tuple(asio::deferred));
    }
  }
}

void HttpServer::welcome(tcp::socket socket) {
  if (connections_.size() == config_.connections_max) {
    connections_.front()->close();
    connections_.erase(connections_.begin());
  }
  connections_.push_back(
      std::make_shared<HttpConnection>(std::move(socket), *this, config_.request_bytes_max, config_.timeout));
  connections_.back()->begin();
}

std::vector<std::shared_ptr<HttpConnection>>::iterator HttpServer::find(const HttpConnection& connection) noexcept {
  return std::find_if(connections_.begin(), connections_.end(),
                      [&](const auto& one) { return one.get() == &connection; });
}

Page HttpServer::page(std::string_view path) { return page_at(path, config_.metrics_namespace, source_); }

void HttpServer::moved_on(HttpConnection& connection) noexcept {
  const auto found = find(connection);
  std::rotate(found, found + 1, connections_.end());
}

void HttpServer::ended(HttpConnection& connection) noexcept { connections_.erase(find(connection)); }

}  // namespace holdfast::detail
