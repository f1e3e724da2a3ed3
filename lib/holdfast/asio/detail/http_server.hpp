// The socket of the endpoint, and its clients: how many there may be, and which one has to go when there are more.
//
// Thread-safety: none; all on the executor. port() anywhere.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <holdfast/asio/detail/endpoint_pages.hpp>
#include <holdfast/asio/detail/fleet_reader.hpp>
#include <holdfast/asio/detail/http_connection.hpp>
#include <holdfast/asio/endpoint.hpp>

namespace holdfast::detail {

class HttpServer final : public std::enable_shared_from_this<HttpServer>, public HttpConnection::Host {
 public:
  // Listens. Throws boost::system::system_error, which names the address, if it cannot. Uptimes and recording_failed
  // live until close().
  // REQUIRES: `config` has no problems.
  HttpServer(const boost::asio::any_io_executor& executor, Endpoint config, std::shared_ptr<FleetReader> reader,
             const UptimeHistogram& uptimes, const bool& recording_failed);
  ~HttpServer() { close(); }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Begins to answer clients. Call it once.
  void begin();
  // Ends all of it now.
  void close() noexcept;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  boost::asio::awaitable<void> accept_all();
  void begin_later() noexcept;
  void welcome(boost::asio::ip::tcp::socket socket);
  std::vector<std::shared_ptr<HttpConnection>>::iterator find(const HttpConnection& connection) noexcept;

  boost::asio::awaitable<std::shared_ptr<const Page>> page(std::string path, bool accepts_gzip) override;
  [[nodiscard]] Turns& turns() override { return reader_->turns(); }
  void moved_on(HttpConnection& connection) noexcept override;
  void ended(HttpConnection& connection) noexcept override;

  const Endpoint config_;
  const RequestRules on_loopback_;
  const RequestRules elsewhere_;
  const std::shared_ptr<FleetReader> reader_;
  const MetricsSource metrics_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer retry_;
  std::uint16_t port_;
  std::vector<std::shared_ptr<HttpConnection>> connections_;  // the one that has been in its step for longest is first
};

}  // namespace holdfast::detail
