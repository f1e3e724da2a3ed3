// One client of the endpoint, whose server is played by the test: each step has the whole time, and is over after it.
#include <catch2/catch.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <holdfast/asio/detail/http_connection.hpp>

#include "run_io.hpp"

namespace holdfast::http_connection_test {

namespace net = boost::asio;
using net::ip::tcp;
using namespace std::chrono_literals;
using test::kPatience;

namespace {

constexpr auto kWithError = net::as_tuple(net::use_awaitable);
constexpr Duration kTimeout = 400ms;
// Two of them are longer than the time of a step. However late this thread is, they come before a deadline that is over
// after them: both are timers of one io_context.
constexpr auto kPause = 250ms;

// A server with one client.
class Server final : public detail::HttpConnection::Host {
 public:
  explicit Server(Duration timeout = kTimeout) : timeout_(timeout) {}
  ~Server() { close(); }

  net::io_context& io() { return io_; }

  tcp::socket connect() {
    tcp::acceptor acceptor{io_, tcp::endpoint{net::ip::address_v4::loopback(), 0}};
    tcp::socket client{io_};
    client.connect(acceptor.local_endpoint());
    tcp::socket accepted = acceptor.accept();
    const int copy = ::dup(accepted.native_handle());
    connection_ = std::make_shared<detail::HttpConnection>(std::move(accepted), *this, rules_, timeout_);
    socklen_t size = sizeof(no_delay_);
    ::getsockopt(copy, IPPROTO_TCP, TCP_NODELAY, &no_delay_, &size);
    ::close(copy);
    connection_->begin();
    return client;
  }
  [[nodiscard]] bool does_not_delay() const { return no_delay_ != 0; }
  void close() noexcept {
    if (connection_) connection_->close();
  }

  [[nodiscard]] bool run_until(const std::function<bool()>& done) { return test::run_until(io_, done); }

  bool has_ended = false;
  int steps = 0;
  std::function<net::awaitable<void>()> before_page;  // empty: at once
  std::size_t page_bytes = 6;
  std::vector<std::string> pieces;  // if there are any, of the page

 private:
  net::awaitable<std::shared_ptr<const detail::Page>> page(std::string, bool) override {
    if (before_page) co_await before_page();
    detail::Page page = detail::page_of(200, std::string(page_bytes, 'x'));
    if (!pieces.empty()) page.pieces = pieces;
    co_return std::make_shared<const detail::Page>(std::move(page));
  }
  detail::Turns& turns() override { return *turns_; }
  void moved_on(detail::HttpConnection&) noexcept override { ++steps; }
  void ended(detail::HttpConnection&) noexcept override { has_ended = true; }

  const Duration timeout_;
  int no_delay_ = 0;  // of its socket
  net::io_context io_{1};
  const detail::RequestRules rules_{8192, {}};
  std::shared_ptr<detail::Turns> turns_ = std::make_shared<detail::Turns>(io_.get_executor());
  std::shared_ptr<detail::HttpConnection> connection_;
};

net::awaitable<void> wait_for(net::io_context& io, std::chrono::steady_clock::duration time) {
  net::steady_timer pause{io, time};
  co_await pause.async_wait(kWithError);
}

}  // namespace

TEST_CASE("a slow request, a slow page, a slow reader and a slow goodbye have the whole time for each") {
  Server server;
  server.page_bytes = std::size_t{8} << 20;  // more than the system takes for a client that does not read
  server.before_page = [&] { return wait_for(server.io(), kPause); };
  tcp::socket client = server.connect();
  std::string got;
  bool was_left = true;
  bool done = false;
  net::co_spawn(
      server.io(),
      [&]() -> net::awaitable<void> {
        const std::string request = "GET /services HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        co_await net::async_write(client, net::buffer(request.substr(0, 5)), kWithError);
        co_await wait_for(server.io(), kPause);
        co_await net::async_write(client, net::buffer(request.substr(5)), kWithError);
        co_await wait_for(server.io(), kPause);  // for its page
        co_await wait_for(server.io(), kPause);  // for its first bytes
        co_await net::async_read(client, net::dynamic_buffer(got), kWithError);
        co_await wait_for(server.io(), kPause);  // to close its half
        was_left = server.has_ended;
        client.close();
        done = true;
      },
      net::detached);
  CHECK(server.run_until([&] { return done; }));
  CHECK(got.size() > server.page_bytes);
  CHECK_FALSE(was_left);
  CHECK(server.steps == 4);
  CHECK(server.run_until([&] { return server.has_ended; }));
}

TEST_CASE("a client that takes too long for a step, whichever it is, is left") {
  const int silent_after = GENERATE(0, 5, 1000, 1001);
  CAPTURE(silent_after);
  Server server{20ms};
  server.page_bytes = std::size_t{8} << 20;
  tcp::socket client = server.connect();
  const std::string request = "GET /services HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  net::write(client, net::buffer(request.substr(0, static_cast<std::size_t>(silent_after))));
  std::string got;
  if (silent_after == 1001) {  // it reads everything, and never goes
    net::async_read(client, net::dynamic_buffer(got), [](boost::system::error_code, std::size_t) {});
  }
  CHECK(server.run_until([&] { return server.has_ended; }));
}

TEST_CASE("a client that goes on sending after the answer is left after 256 KiB, and has the whole answer") {
  Server server{1h};
  tcp::socket client = server.connect();
  std::string got;
  bool answered = false, refused = false;
  net::co_spawn(
      server.io(),
      [&]() -> net::awaitable<void> {
        const std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        co_await net::async_write(client, net::buffer(request), kWithError);
        co_await net::async_read(client, net::dynamic_buffer(got), kWithError);
        answered = true;
        const std::string more(65536, '.');
        for (boost::system::error_code error; !error;) {
          std::tie(error, std::ignore) = co_await net::async_write(client, net::buffer(more), kWithError);
        }
        refused = true;
      },
      net::detached);
  CHECK(server.run_until([&] { return answered; }));
  CHECK(got.ends_with("\r\n\r\nxxxxxx"));
  CHECK_FALSE(server.has_ended);  // so little is read to the end
  CHECK(server.run_until([&] { return refused && server.has_ended; }));
}

// The client's system may throw away what it has received when the server closes with bytes unread.
TEST_CASE("a client that has sent more than its request is answered, and only then left, also if it is refused") {
  const bool is_refused = GENERATE(false, true);
  Server server{1h};
  tcp::socket client = server.connect();
  std::string sent =
      std::string{is_refused ? "POST" : "GET"} + " / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  sent += std::string(100'000, '.');
  std::string got;
  bool done = false;
  net::co_spawn(
      server.io(),
      [&]() -> net::awaitable<void> {
        co_await net::async_write(client, net::buffer(sent), kWithError);
        co_await wait_for(server.io(), 10ms);  // the server's end of the conversation has come, if it comes too early
        const auto [error, size] = co_await net::async_read(client, net::dynamic_buffer(got), kWithError);
        CHECK(error == net::error::eof);
        client.close();
        done = true;
      },
      net::detached);
  CHECK(server.run_until([&] { return done && server.has_ended; }));
  CHECK(got.ends_with(is_refused ? "only GET and HEAD are allowed\n" : "\r\n\r\nxxxxxx"));
}

TEST_CASE("a page of many pieces, some of them empty, arrives as it is, however slowly it is read") {
  Server server{1h};
  std::string whole;
  for (std::size_t i = 0; i < 400; ++i) {
    std::string piece;
    for (std::size_t k = 0; k < i * 7919 % 30'000; ++k) piece += static_cast<char>('a' + (i + k) % 26);
    whole += i % 3 == 0 ? "" : piece;
    server.pieces.push_back(i % 3 == 0 ? "" : std::move(piece));
  }
  server.pieces.emplace_back("");
  server.pieces.emplace_back("");
  tcp::socket client = server.connect();
  net::write(client, net::buffer(std::string{"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"}));
  std::string got;
  bool done = false;
  net::co_spawn(
      server.io(),
      [&]() -> net::awaitable<void> {
        co_await wait_for(server.io(), 10ms);  // until nothing more fits
        co_await net::async_read(client, net::dynamic_buffer(got), kWithError);
        client.close();
        done = true;
      },
      net::detached);
  CHECK(server.run_until([&] { return done && server.has_ended; }));
  const auto head = got.find("\r\n\r\n");
  REQUIRE(head != std::string::npos);
  CHECK(got.find("Content-Length: " + std::to_string(whole.size()) + "\r\n") < head);
  const bool same = got.substr(head + 4) == whole;  // no megabytes in a message
  CHECK(same);
}

TEST_CASE("between two pieces of a page everybody else has a turn") {
  Server server{1h};
  server.pieces.assign(16, std::string(detail::HttpConnection::kWrittenATurn, 'x'));
  tcp::socket client = server.connect();
  net::write(client, net::buffer(std::string{"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"}));
  std::size_t most = 0, got = 0;
  std::vector<char> read(std::size_t{4} << 20);
  client.non_blocking(true);
  CHECK(server.run_until([&] {  // after each handler
    boost::system::error_code error;
    const std::size_t size = client.read_some(net::buffer(read), error);
    most = std::max(most, size);
    got += size;
    return got > 16 * detail::HttpConnection::kWrittenATurn;
  }));
  CHECK(most <= detail::HttpConnection::kWrittenATurn);
}

// A deadline that is late lets everything else have its turn first, and by then the client may be in another step.
TEST_CASE("a client whose request came while the program was late may go on asking") {
  Server server{50ms};
  const std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  tcp::socket client = server.connect();
  server.io().poll();                  // it waits for the request
  std::this_thread::sleep_for(100ms);  // the program is late
  CHECK(server.io().poll_one() == 1);  // it has noticed that the deadline is over
  net::write(client, net::buffer(request));
  std::string got;
  bool answered = false, again = false;
  int left = 100;  // turns, in which it could be left
  net::co_spawn(
      server.io(),
      [&]() -> net::awaitable<void> {
        co_await net::async_read_until(client, net::dynamic_buffer(got), "xxxxxx", kWithError);
        answered = true;
        while (left-- > 0) co_await net::post(server.io(), net::use_awaitable);
        co_await net::async_write(client, net::buffer(request), kWithError);
        got.clear();
        co_await net::async_read_until(client, net::dynamic_buffer(got), "xxxxxx", kWithError);
        again = true;
      },
      net::detached);
  CHECK(server.run_until([&] { return again; }));
  CHECK(answered);
  CHECK(got.ends_with("xxxxxx"));
}

TEST_CASE(
    "a connection that is closed leaves nothing to wait for, and one that answers does not wait to fill a packet") {
  Server server{1h};
  tcp::socket client = server.connect();
  server.io().poll();  // it waits for the request
  server.close();
  server.io().run_for(kPatience);
  CHECK(server.io().stopped());  // and not after an hour
  CHECK(server.does_not_delay());
}

}  // namespace holdfast::http_connection_test
