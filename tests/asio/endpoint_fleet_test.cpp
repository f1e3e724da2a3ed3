// The endpoint and its fleet: what it says about the services, a runtime that ends with clients in it, and threads.
#include <catch2/catch.hpp>

#include <unistd.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <holdfast/asio/runtime.hpp>

#include "endpoint_program.hpp"

namespace holdfast::test::endpoint_test {

namespace {

TEST_CASE("/readyz lists the services that are not as they should be") {
  Program program{{}, config_of({.base = 1h, .max = 1h, .breaker = std::nullopt})};
  CHECK(program.get("/readyz").status == 200);
  REQUIRE(program->add({.name = "feed"}, waits));
  REQUIRE(program->add({.name = "job"}, [](Context&) -> net::awaitable<void> { co_return; }));
  CHECK(program.get("/readyz").status == 200);
  REQUIRE(program->add({.name = "broken"}, [](Context&) -> net::awaitable<void> {
    throw std::runtime_error{"boom"};
    co_return;
  }));
  CHECK(program.run_until([&] { return program->supervisor().snapshot("broken")->phase == Phase::backing_off; }));
  const Reply not_ready = program.get("/readyz");
  CHECK(not_ready.status == 503);
  CHECK(not_ready.body == "not ready\nbroken: backing_off\n");
  CHECK(program.get("/healthz").status == 200);
}

TEST_CASE("during the drain it is alive and not ready; after it the connections end and the port is closed") {
  Program program{{}, config_of(kAtOnce, 24h)};
  bool may_stop = false;
  REQUIRE(program->add({.name = "slow"}, [&](Context& ctx) -> net::awaitable<void> {
    co_await ctx.stopped();
    while (!may_stop) co_await ctx.sleep_for(1us);
  }));
  tcp::socket idle = program.connect();
  CHECK(program.get("/readyz").status == 200);
  program->request_shutdown();
  CHECK(program.run_until([&] { return program->supervisor().is_shutting_down(); }));
  CHECK(program.run_until([&] { return program->supervisor().snapshot("slow")->phase == Phase::stopping; }));
  CHECK(program.get("/readyz").body == "not ready: shutting down\nslow: stopping\n");
  CHECK(program.get("/healthz").status == 200);
  may_stop = true;
  program.io().restart();
  program.io().run();  // returns, with a client still there
  CHECK(program->supervisor().shutdown_result());
  CHECK(program.rest_of(idle).empty());
  tcp::socket late{program.io()};
  boost::system::error_code refused;
  late.connect(program.address(), refused);
  CHECK(refused == net::error::connection_refused);
}

TEST_CASE("uptimes are those of the services present: kept over a restart in place, gone with a removal") {
  Program program;
  const auto observed = [&] { return count(program.get("/metrics").body, "_uptime_seconds_count{service=\"job\"}"); };
  const auto ends_again = [&](std::uint64_t times) {
    return program.run_until([&] { return program->supervisor().counters().terminated == times; });
  };
  REQUIRE(program->add({.name = "job"}, [](Context&) -> net::awaitable<void> { co_return; }));
  REQUIRE(ends_again(1));
  CHECK(observed() == 1);
  REQUIRE(program->supervisor().restart("job"));
  REQUIRE(ends_again(2));
  CHECK(program.get("/metrics").body.find("_uptime_seconds_count{service=\"job\"} 2\n") != std::string::npos);
  REQUIRE(program->supervisor().remove("job"));
  CHECK(observed() == 0);
  CHECK(program.get("/metrics").body.find("job") == std::string::npos);
}

TEST_CASE("a runtime is destroyed with clients in every state, and nothing keeps its io_context alive") {
  Program program;
  std::vector<tcp::socket> clients;
  const auto connect = [&](const std::string& said) {
    net::write(clients.emplace_back(program.connect()), net::buffer(said));
  };
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const int polls = GENERATE(0, 1, 2, 3, 5, 8, 20, 1000);
  CAPTURE(polls);
  connect("");
  connect(kGet.substr(0, 20));
  connect(kGet);
  connect("\r\n\r\n");
  clients.emplace_back(program.connect()).non_blocking(true);
  boost::system::error_code ignored;
  clients.back().write_some(net::buffer(many), ignored);
  for (int i = 0; i < polls; ++i) program.io().poll_one();
  const bool by_drain = GENERATE(false, true);
  if (by_drain) {
    program->request_shutdown();
    program.io().run();  // returns
    CHECK(program->supervisor().shutdown_result());
  }
  program.destroy();
  program.io().restart();
  program.io().run();  // returns
  CHECK(program.io().stopped());
}

TEST_CASE("a runtime with an io_context of its own is destroyed with clients in it") {
  net::io_context io;
  tcp::socket client{io};
  {
    Runtime runtime{{.endpoint = Endpoint{.port = 0}}};
    client.connect({net::ip::address_v4::loopback(), runtime.endpoint_port()});
    net::write(client, net::buffer(kGet));
    REQUIRE(runtime.add({.name = "operator"}, [&](Context& ctx) -> net::awaitable<void> {
      char one = 0;
      net::read(client, net::buffer(&one, 0));
      co_await ctx.sleep_for(1ms);
      runtime.request_shutdown();
    }));
    CHECK(runtime.run_until_shutdown(Runtime::Signals::left_alone).outcome == DrainOutcome::drained);
  }
  std::string got;
  boost::system::error_code error;
  net::read(client, net::dynamic_buffer(got), error);
  CHECK(error);
}

TEST_CASE("on an io_context run by several threads, clients in threads of their own are answered while services fail") {
  net::io_context io;
  Runtime runtime{io, {.supervisor = config_of(kAtOnce), .seed = kSeed, .endpoint = Endpoint{.port = 0}}};
  for (int i = 0; i < 4; ++i) {
    REQUIRE(runtime.add({.name = "feed-" + std::to_string(i)}, [](Context& ctx) -> net::awaitable<void> {
      co_await ctx.sleep_for(10us);
      throw std::runtime_error{"again"};
    }));
  }
  std::atomic<int> answered = 0, clients = 4;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&io] { io.run(); });
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const char* const paths[] = {"/metrics", "/services", "/readyz", "/healthz"};
      for (int round = 0; round < 50; ++round) {
        net::io_context own;
        tcp::socket client{own};
        client.connect({net::ip::address_v4::loopback(), runtime.endpoint_port()});
        net::write(client, net::buffer("GET " + std::string{paths[i]} + " HTTP/1.0\r\n\r\n"));
        std::string got;
        boost::system::error_code end;
        net::read(client, net::dynamic_buffer(got), end);
        if (got.starts_with("HTTP/1.0 200") || got.starts_with("HTTP/1.0 503")) ++answered;
      }
      if (--clients == 0) runtime.request_shutdown();
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(answered == 200);
  CHECK(runtime.supervisor().shutdown_result());
}

}  // namespace

}  // namespace holdfast::test::endpoint_test
