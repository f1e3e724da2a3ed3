// The program of the README: tests/examples/feed_test.py runs it.
#include <cstdlib>
#include <iostream>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <holdfast/asio/runtime.hpp>

using boost::asio::awaitable, boost::asio::use_awaitable, boost::asio::ip::tcp;
using namespace std::chrono_literals;

// To return is a clean exit. An exception is a failure: the feed is started again after a growing, jittered delay.
awaitable<void> feed(holdfast::Context& ctx, tcp::endpoint exchange) {
  tcp::socket socket{ctx.executor()};
  co_await socket.async_connect(exchange, use_awaitable);
  for (char quotes[1024];;) {  // a stop interrupts whatever a service waits for
    const auto size = co_await socket.async_read_some(boost::asio::buffer(quotes), use_awaitable);
    std::cout.write(quotes, static_cast<std::streamsize>(size)).flush();
  }
}

awaitable<void> status(holdfast::Context& ctx) {
  for (;;) {
    std::cout << "alive" << std::endl;
    co_await ctx.sleep_for(1s);
  }
}

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: feed PORT\n";
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(arguments[1]));
  const tcp::endpoint exchange{boost::asio::ip::address_v4::loopback(), port};

  // Ten failures within ten minutes open the breaker: then a single run is tried, within 10 s at first and within a
  // minute later on. A try that lasts for 10 s closes the breaker, so that nothing is ever given up on.
  const holdfast::BreakerPolicy breaker{.half_open = holdfast::HalfOpenPolicy{.open_for = 10s, .open_for_max = 1min}};
  holdfast::Runtime runtime{{.supervisor = {.backoff = {.max = 5s, .breaker = breaker}}}};
  runtime.add({.name = "feed"}, [=](holdfast::Context& ctx) { return feed(ctx, exchange); }).value();
  runtime.add({.name = "status"}, status).value();
  return runtime.run_until_shutdown().suggested_exit_status();  // SIGTERM or SIGINT; a later one ends the drain
}
