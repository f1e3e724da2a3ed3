// Neither slow nor hostile clients of the endpoint harm the services, or keep other clients from being answered.
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "endpoint_program.hpp"

namespace holdfast::test::endpoint_test {

namespace {

TEST_CASE(
    "a silent client, one that sends a byte at a time, and one that says nothing after its answer are left in time") {
  Program program{{.timeout = 20ms}};
  tcp::socket silent = program.connect();
  CHECK(program.rest_of(silent).empty());

  tcp::socket dripping = program.connect();
  bool ended = false;
  net::co_spawn(
      program.io(),
      [&]() -> net::awaitable<void> {
        boost::system::error_code error;
        for (std::size_t i = 0; !error; ++i) {
          const std::string_view drop{i == 0 ? "GET /healthz HTTP/1.1\r\nX: " : "x"};
          std::tie(error, std::ignore) = co_await net::async_write(dripping, net::buffer(drop), kWithError);
          co_await net::post(program.io(), net::use_awaitable);
        }
        ended = true;
      },
      net::detached);
  CHECK(program.run_until([&] { return ended; }));

  CHECK(parse(program.say(kGet)).body == "alive\n");  // it waits for another request, and then ends
}

TEST_CASE("a client that asks on and on and reads nothing is left in time") {
  Program program{{.timeout = 20ms}};
  tcp::socket deaf = program.connect();
  std::string many;
  for (int i = 0; i < 1000; ++i) many += kGet;
  boost::system::error_code error;
  std::size_t asked = 0;
  bool ended = false;
  net::co_spawn(
      program.io(),
      [&]() -> net::awaitable<void> {
        while (!error) {
          std::tie(error, std::ignore) = co_await net::async_write(deaf, net::buffer(many), kWithError);
          ++asked;
        }
        ended = true;
      },
      net::detached);
  CHECK(program.run_until([&] { return ended; }));
  CHECK(asked > 1);
  CHECK(program.get("/healthz").status == 200);
}

TEST_CASE("one more client than there are places takes the place of the one that has been in its step for longest") {
  Program program{{.connections_max = 2}};
  tcp::socket first = program.connect(), second = program.connect();
  CHECK(program.run_until([&] { return true; }));
  program.io().poll();
  net::write(first, net::buffer(kGet));  // the first one is at work, so the second has waited longer
  std::string answer(1, ' ');
  bool answered = false;
  net::async_read(first, net::buffer(answer), [&](boost::system::error_code, std::size_t) { answered = true; });
  REQUIRE(program.run_until([&] { return answered; }));
  tcp::socket third = program.connect();
  CHECK(program.rest_of(second).empty());
  net::write(first, net::buffer(kGet));
  net::write(third, net::buffer(kGet));
  first.shutdown(tcp::socket::shutdown_send);
  third.shutdown(tcp::socket::shutdown_send);
  CHECK(count(program.rest_of(first), "alive\n") == 2);
  CHECK(count(program.rest_of(third), "alive\n") == 1);
}

TEST_CASE(
    "hundreds of clients of every bad kind keep nobody from being answered, and no service from being restarted") {
  Program program{{.connections_max = 8}};
  std::uint64_t runs = 0;
  REQUIRE(program->add({.name = "restless"}, [&](Context& ctx) -> net::awaitable<void> {
    ++runs;
    co_await ctx.sleep_for(1us);
    throw std::runtime_error{"again"};
  }));
  std::vector<tcp::socket> clients;
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 300; ++i) {
    auto& client = clients.emplace_back(program.connect());
    const std::string said = i % 4 == 0 ? "" : i % 4 == 1 ? kGet.substr(0, 9) : i % 4 == 2 ? "\r\n\r\n" : kGet;
    net::write(client, net::buffer(said));
    for (int step = 0; step < 10; ++step) program.io().poll_one();  // poll() would not end: somebody is always restless
  }
  CHECK(open_descriptors() <= before + 300 + 8 + 1);  // one may just have been accepted
  const std::uint64_t runs_before = runs;
  CHECK(program.get("/metrics").status == 200);
  CHECK(program.run_until([&] { return runs >= runs_before + 100; }));
}

TEST_CASE("thousands of connections that come and go leave nothing behind") {
  Program program;
  program.io().poll();
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 3000; ++i) {
    tcp::socket client = program.connect();
    if (i % 2) client.set_option(net::socket_base::linger{true, 0});  // it ends with a reset
    if (i % 16 == 0) program.io().poll();
  }
  CHECK(program.get("/healthz").status == 200);
  CHECK(program.run_until([&] {
    program.io().poll();
    return open_descriptors() == before;
  }));
}

TEST_CASE("a program that a service starts inherits neither the port nor a client") {
  const auto inherited = [] {
    std::size_t found = 0;
    for (int one = 0; one < 1024; ++one) {
      const int flags = ::fcntl(one, F_GETFD);
      if (flags >= 0 && (flags & FD_CLOEXEC) == 0) ++found;
    }
    return found;
  };
  const std::size_t before = inherited();
  Program program;
  const tcp::socket client = program.connect();  // which is inherited: it is the test's
  CHECK(program.get("/healthz").status == 200);  // by then it has been accepted
  CHECK(inherited() == before + 1);
}

TEST_CASE("when the descriptors are used up clients wait, the thread is not kept busy, and then they are answered") {
  Program program;
  program.io().poll();
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(program.connect());
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit small{.rlim_cur = 256, .rlim_max = before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &small) == 0);
  std::vector<int> used_up;
  for (int one = 0; (one = ::open("/dev/null", O_RDONLY)) >= 0;) used_up.push_back(one);
  for (auto& client : clients) net::write(client, net::buffer(kGet));
  std::size_t steps = 0;  // an accept that is tried again at once would never come to an end
  while (steps < 1000 && program.io().poll_one() > 0) ++steps;
  CHECK(steps < 1000);
  for (const int one : used_up) ::close(one);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  for (auto& client : clients) {
    client.shutdown(tcp::socket::shutdown_send);
    CHECK(parse(program.rest_of(client)).status == 200);
  }
}

}  // namespace

}  // namespace holdfast::test::endpoint_test
