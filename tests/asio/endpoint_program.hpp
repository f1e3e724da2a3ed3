// A program with an endpoint, and its clients, in one thread.
#pragma once

#include <catch2/catch.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <holdfast/asio/runtime.hpp>

#include "run_io.hpp"
#include "support.hpp"

namespace holdfast::test::endpoint_test {

namespace net = boost::asio;
using net::ip::tcp;

inline constexpr auto kWithError = net::as_tuple(net::use_awaitable);

inline net::awaitable<void> waits(Context& ctx) { co_await ctx.stopped(); }

struct Reply {
  int status = 0;  // 0: none
  std::string head;
  std::string body;
  [[nodiscard]] bool has(std::string_view field) const { return head.find(field) != std::string::npos; }
};

inline Reply parse(const std::string& text) {
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos) return {.body = text};
  return {.status = std::stoi(text.substr(9, 3)), .head = text.substr(0, end + 2), .body = text.substr(end + 4)};
}

inline std::size_t count(const std::string& text, std::string_view word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + word.size())) ++found;
  return found;
}

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// A program with an endpoint, and its clients, in one thread.
class Program {
 public:
  explicit Program(Endpoint endpoint = {}, SupervisorConfig supervisor = config_of(kAtOnce)) {
    endpoint.port = 0;
    // Most tests ask for what has just changed.
    if (endpoint.page_age_max == Endpoint{}.page_age_max) endpoint.page_age_max = Duration::zero();
    runtime_.emplace(io_, RuntimeConfig{.supervisor = supervisor, .seed = kSeed, .endpoint = endpoint});
    address_ = tcp::endpoint{net::ip::address_v4::loopback(), runtime_->endpoint_port()};
  }

  Runtime& operator*() { return *runtime_; }
  Runtime* operator->() { return &*runtime_; }
  void destroy() { runtime_.reset(); }
  net::io_context& io() { return io_; }
  [[nodiscard]] tcp::endpoint address() const { return address_; }

  [[nodiscard]] bool run_until(const std::function<bool()>& done) { return test::run_until(io_, done); }

  tcp::socket connect() {
    tcp::socket socket{io_};
    socket.connect(address_);  // the system accepts it, whatever the endpoint does
    return socket;
  }

  // Everything that is said to this client until the connection ends.
  std::string rest_of(tcp::socket& socket) {
    std::string text;
    bool done = false;
    net::co_spawn(
        io_,
        [&]() -> net::awaitable<void> {
          co_await net::async_read(socket, net::dynamic_buffer(text), kWithError);
          done = true;
        },
        net::detached);
    REQUIRE(run_until([&] { return done; }));
    return text;
  }

  enum class Then : bool { listen, hang_up };
  std::string say(const std::string& sent, Then then = Then::listen) {
    tcp::socket socket = connect();
    bool written = false;
    net::co_spawn(
        io_,
        [&]() -> net::awaitable<void> {
          co_await net::async_write(socket, net::buffer(sent), kWithError);
          boost::system::error_code ignored;
          if (then == Then::hang_up) socket.shutdown(tcp::socket::shutdown_send, ignored);
          written = true;
        },
        net::detached);
    std::string text = rest_of(socket);
    REQUIRE(run_until([&] { return written; }));
    return text;
  }
  Reply ask(const std::string& sent) { return parse(say(sent)); }
  Reply get(const std::string& path, const std::string& method = "GET", const std::string& fields = "") {
    return ask(method + ' ' + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "Connection: close\r\n\r\n");
  }

 private:
  net::io_context io_{1};
  std::optional<Runtime> runtime_;
  tcp::endpoint address_;
};

inline const std::string kGet = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

}  // namespace holdfast::test::endpoint_test
