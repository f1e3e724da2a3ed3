#include <holdfast/asio/detail/http_server.hpp>

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
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

// Programs that a service starts must not inherit the socket: they would keep the port after this program has ended.
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

bool is_on_loopback(const tcp::socket& socket) {
  boost::system::error_code error;
  const asio::ip::address address = socket.local_endpoint(error).address();
  if (error || address.is_v4()) return !error && address.is_loopback();
  const auto v6 = address.to_v6();
  return v6.is_loopback() || (v6.is_v4_mapped() && make_address_v4(asio::ip::v4_mapped, v6).is_loopback());
}

}  // namespace

HttpServer::HttpServer(const asio::any_io_executor& executor, Endpoint config, std::shared_ptr<FleetReader> reader,
                       const UptimeHistogram& uptimes, const bool& recording_failed)
    : config_(std::move(config)),
      on_loopback_{config_.request_bytes_max, config_.hosts},
      elsewhere_{config_.request_bytes_max, {"*"}},
      reader_(std::move(reader)),
      metrics_{config_.metrics_namespace, uptimes, recording_failed},
      acceptor_(listen_at(executor, config_)),
      retry_(executor),
      port_(acceptor_.local_endpoint().port()) {
  connections_.reserve(config_.connections_max);
}

// The completion handler keeps this object alive from now on; the coroutine itself does so only once it has begun.
void HttpServer::begin() {
  auto ended = [self = shared_from_this()](const std::exception_ptr& exception) {
    if (exception && self->acceptor_.is_open()) self->begin_later();
  };
  asio::co_spawn(acceptor_.get_executor(), accept_all(), std::move(ended));
}

// There is no memory to wait for a client.
void HttpServer::begin_later() noexcept try {
  retry_.expires_after(kRetryAfter);
  retry_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error && self->acceptor_.is_open()) self->begin();
  });
} catch (const std::exception&) {  // nor for this
}

void HttpServer::close() noexcept {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  for (const auto& connection : connections_) connection->close();
  connections_.clear();
  reader_->keep_nothing();
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

// The server drops a client for which there is no memory.
void HttpServer::welcome(tcp::socket socket) try {
  if (connections_.size() == config_.connections_max) {
    connections_.front()->close();
    connections_.erase(connections_.begin());
  }
  const RequestRules& rules = is_on_loopback(socket) ? on_loopback_ : elsewhere_;
  const auto connection = std::make_shared<HttpConnection>(std::move(socket), *this, rules, config_.timeout);
  connections_.push_back(connection);
  try {
    connection->begin();
  } catch (const std::bad_alloc&) {
    if (const auto found = find(*connection); found != connections_.end()) connections_.erase(found);
  }
} catch (const std::bad_alloc&) {
}

std::vector<std::shared_ptr<HttpConnection>>::iterator HttpServer::find(const HttpConnection& connection) noexcept {
  return std::find_if(connections_.begin(), connections_.end(),
                      [&](const auto& one) { return one.get() == &connection; });
}

asio::awaitable<std::shared_ptr<const Page>> HttpServer::page(std::string path, bool accepts_gzip) {
  const auto self = shared_from_this();
  const auto fleet_page = fleet_page_at(path);
  if (!fleet_page) co_return std::make_shared<const Page>(other_page_at(path));
  const bool compressed = accepts_gzip && *fleet_page != FleetPage::readiness;
  co_return co_await reader_->page(*fleet_page, compressed, metrics_, config_.page_age_max);
}

void HttpServer::moved_on(HttpConnection& connection) noexcept {
  const auto found = find(connection);
  std::rotate(found, found + 1, connections_.end());
}

void HttpServer::ended(HttpConnection& connection) noexcept { connections_.erase(find(connection)); }

}  // namespace holdfast::detail
