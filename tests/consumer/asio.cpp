// A program on Boost.Asio: a service that waits for a socket and is served the third time, on an io_context of the
// program's own. It is compiled without holdfast's flags, and what Asio keeps for each thread has to be there once.
#include <iostream>
#include <stdexcept>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <holdfast/asio/async_sleep.hpp>
#include <holdfast/asio/runtime.hpp>

namespace {

namespace net = boost::asio;
using net::use_awaitable;
using namespace std::chrono_literals;

std::string heard;
bool ran_inside = false;

net::awaitable<void> feed(holdfast::Context& ctx) {
  if (ctx.run().value < 3) throw std::runtime_error{"not yet"};
  net::local::stream_protocol::socket here{ctx.executor()}, there{ctx.executor()};
  net::local::connect_pair(here, there);
  co_await net::async_write(there, net::buffer("quote", 5), use_awaitable);
  heard.resize(5);
  co_await net::async_read(here, net::buffer(heard), use_awaitable);
  // Already on the executor, so at once: a second copy of Asio would not know it.
  bool at_once = false;
  net::dispatch(ctx.executor(), [&at_once] { at_once = true; });
  ran_inside = at_once;
  co_await ctx.sleep_for(1ms);
}

net::awaitable<void> broken(holdfast::Context&) {
  throw holdfast::FatalError{"no licence"};
  co_return;
}

}  // namespace

int main() {
  net::io_context io;
  holdfast::Runtime runtime{
      io, {.supervisor = {.backoff = {.base = 1ms}, .when_all_terminated = holdfast::WhenAllTerminated::return_}}};
  if (!runtime.add({.name = "feed"}, feed) || !runtime.add({.name = "broken"}, broken)) return 1;
  runtime.handle_signals();
  std::string failed;
  runtime.async_wait_shutdown([&](boost::system::error_code, const holdfast::ShutdownResult& result) {
    for (const auto& name : result.failed) failed += name;
  });
  io.run();
  std::cout << heard << ", failed: " << failed << '\n';
  return heard == "quote" && ran_inside && failed == "broken" && runtime.supervisor().counters().restarts == 2 ? 0 : 1;
}
