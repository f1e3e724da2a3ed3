// What the endpoint answers over real sockets, and which requests and configurations it refuses.
#include <catch2/catch.hpp>

#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <holdfast/asio/runtime.hpp>

#include "endpoint_program.hpp"

namespace holdfast::test::endpoint_test {

namespace {

TEST_CASE("without being asked for there is no endpoint") {
  const Runtime runtime;
  CHECK(runtime.endpoint_port() == 0);
}

TEST_CASE("each path has its page, with its type, and no other path has one") {
  Program program;
  REQUIRE(program->add({.name = "feed"}, waits));
  const Reply metrics = program.get("/metrics");
  CHECK(metrics.status == 200);
  CHECK(metrics.has("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  CHECK(metrics.body.find("holdfast_service_phase{service=\"feed\",phase=\"running\"} 1\n") != std::string::npos);
  CHECK(metrics.has("Content-Length: " + std::to_string(metrics.body.size()) + "\r\n"));
  CHECK(metrics.has("X-Content-Type-Options: nosniff\r\n"));
  CHECK(metrics.has("Cache-Control: no-store\r\n"));
  const Reply services = program.get("/services");
  CHECK(services.status == 200);
  CHECK(services.has("Content-Type: application/json\r\n"));
  CHECK(services.body.find(R"("services":[{"name":"feed",)") != std::string::npos);
  CHECK(program.get("/healthz").body == "alive\n");
  CHECK(program.get("/readyz").body == "ready\n");
  for (const char* const path : {"/", "/metric", "/metrics/", "/METRICS", "//metrics", "/services/feed", "*"}) {
    CAPTURE(path);
    CHECK(program.get(path).status == 404);
  }
}

TEST_CASE("a target may be a whole address, and says what is wrong with it otherwise") {
  Program program;
  CHECK(program.get("http://localhost:9464/healthz").body == "alive\n");
  CHECK(program.get("http://127.0.0.1/healthz?x").body == "alive\n");
  CHECK(program.get("/%68ealthz").body == "alive\n");
  CHECK(program.ask("GET /healthz HTTP/1.0\n\n").body ==
        "a line of the request ends with a line feed alone; HTTP demands carriage return and line feed\n");
}

TEST_CASE("a request on the loopback by a name that is not this machine's is refused, unless the name is configured") {
  const std::string by_name = "GET /services HTTP/1.1\r\nHost: Gateway.Example:9464\r\nConnection: close\r\n\r\n";
  Program program;
  const Reply refused = program.ask(by_name);
  CHECK(refused.status == 421);
  CHECK(refused.body.find("\"gateway.example\"") != std::string::npos);
  CHECK(refused.body.find("services\":") == std::string::npos);
  Program with_name{{.hosts = {"gateway.example"}}};
  CHECK(with_name.ask(by_name).status == 200);
  Program with_any{{.hosts = {"*"}}};
  CHECK(with_any.ask(by_name).status == 200);
}

TEST_CASE("metrics and services are compressed for clients that accept it, and nothing else is") {
  Program program;
  for (const char* const path : {"/metrics", "/services"}) {
    CAPTURE(path);
    const Reply plain = program.get(path);
    const Reply small = program.get(path, "GET", "Accept-Encoding: gzip\r\n");
    CHECK(!plain.has("Content-Encoding"));
    CHECK(plain.has("Vary: Accept-Encoding\r\n"));
    CHECK(small.has("Content-Encoding: gzip\r\n"));
    CHECK(small.body.starts_with("\x1f\x8b"));
    CHECK(small.has("Content-Length: " + std::to_string(small.body.size()) + "\r\n"));
    CHECK(program.get(path, "HEAD", "Accept-Encoding: gzip\r\n").has("Content-Encoding: gzip\r\n"));
  }
  CHECK(program.get("/healthz", "GET", "Accept-Encoding: gzip\r\n").body == "alive\n");
  CHECK(program.get("/readyz", "GET", "Accept-Encoding: gzip\r\n").body == "ready\n");
}

TEST_CASE("a page is shared by all clients as long as it is young enough, pipelined too, and readiness is not") {
  Program program{{.page_age_max = 1min}};
  REQUIRE(program->add({.name = "feed"}, waits));
  CHECK(program.run_until([&] { return program->supervisor().snapshot("feed")->phase == Phase::running; }));
  const std::string before = program.get("/metrics").body;
  REQUIRE(program->add({.name = "late"}, waits));
  CHECK(program.run_until([&] { return program->supervisor().snapshot("late")->phase == Phase::running; }));
  CHECK(program.get("/metrics").body == before);
  std::string many;
  for (int i = 0; i < 50; ++i) many += "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string got = program.say(many, Program::Then::hang_up);
  CHECK(count(got, before) == 50);
  CHECK(program.get("/services").body.find("\"late\"") != std::string::npos);  // a page of its own
  REQUIRE(program->supervisor().stop("late"));
  program->request_shutdown();
  CHECK(program.run_until([&] { return program->supervisor().is_shutting_down(); }));
}

TEST_CASE("a request that arrives in time is answered although the program gets to it late, and so is a slow answer") {
  Program program{{.timeout = 50ms}};
  tcp::socket client = program.connect();
  CHECK(program.run_until([&] { return true; }));
  program.io().poll();  // it waits for the request
  net::write(client, net::buffer(kGet));
  const auto until = std::chrono::steady_clock::now() + 100ms;
  while (std::chrono::steady_clock::now() < until) {
  }
  client.shutdown(tcp::socket::shutdown_send);
  CHECK(parse(program.rest_of(client)).body == "alive\n");
}

TEST_CASE("a slow request that is followed by a slow answer has the whole time for each") {
  Program program{{.timeout = 200ms}, config_of(kAtOnce)};
  for (int i = 0; i < 3000; ++i) REQUIRE(program->add({.name = "feed-" + std::to_string(i)}, waits));
  CHECK(program.run_until([&] { return program->supervisor().snapshot("feed-2999")->phase == Phase::running; }));
  tcp::socket client = program.connect();
  client.set_option(net::socket_base::receive_buffer_size{4096});
  std::string got;
  bool done = false;
  net::co_spawn(
      program.io(),
      [&]() -> net::awaitable<void> {
        net::steady_timer pause{program.io()};
        const std::string request = "GET /services HTTP/1.0\r\n\r\n";
        co_await net::async_write(client, net::buffer(request.substr(0, 5)), kWithError);
        pause.expires_after(150ms);  // of 200 for the request
        co_await pause.async_wait(kWithError);
        co_await net::async_write(client, net::buffer(request.substr(5)), kWithError);
        pause.expires_after(150ms);  // of 200 for the answer
        co_await pause.async_wait(kWithError);
        co_await net::async_read(client, net::dynamic_buffer(got), kWithError);
        done = true;
      },
      net::detached);
  CHECK(program.run_until([&] { return done; }));
  CHECK(parse(got).status == 200);
  CHECK(got.ends_with("]}\n"));
}

TEST_CASE("a query is ignored, and HEAD has the head of the page alone") {
  Program program;
  CHECK(program.get("/healthz?verbose=1&x").body == "alive\n");
  for (const char* const path : {"/metrics", "/healthz", "/readyz", "/services", "/nowhere"}) {
    CAPTURE(path);
    const Reply whole = program.get(path);
    const Reply head = program.get(path, "HEAD");
    CHECK(head.status == whole.status);
    CHECK(head.body.empty());
    CHECK(head.has("Content-Length: "));
    CHECK(head.has("Content-Type: "));
  }
}

TEST_CASE("the namespace of the metrics is the configured one") {
  Program program{{.metrics_namespace = "gateway"}};
  const std::string text = program.get("/metrics").body;
  CHECK(text.find("gateway_restarts_total 0\n") != std::string::npos);
  CHECK(text.find("holdfast") == std::string::npos);
}

TEST_CASE("requests on one connection, pipelined too, are answered in their order") {
  Program program;
  std::string sent;
  for (int i = 0; i < 300; ++i) sent += i % 2 ? "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" : kGet;
  sent += "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" + kGet;  // the last one comes too late
  const std::string got = program.say(sent);
  CHECK(count(got, "HTTP/1.1 200 OK\r\n") == 151);
  CHECK(count(got, "HTTP/1.1 404 Not Found\r\n") == 150);
  std::string order;
  for (auto at = got.find("HTTP/1.1 "); at != std::string::npos; at = got.find("HTTP/1.1 ", at + 1))
    order += got[at + 9];
  CHECK(order.substr(0, 6) == "242424");
  CHECK(got.ends_with("ready\n"));
}

TEST_CASE("HTTP/1.0 is spoken as well: without a host, and the connection ends with the answer unless it is to stay") {
  Program program;
  const std::string once = program.say("GET /healthz HTTP/1.0\r\n\r\n" + kGet);
  CHECK(count(once, "HTTP/1.0 200 OK\r\n") == 1);
  CHECK(count(once, "Connection: ") == 0);
  const std::string twice =
      program.say("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /healthz HTTP/1.0\r\n\r\n");
  CHECK(count(twice, "HTTP/1.0 200 OK\r\n") == 2);
  CHECK(count(twice, "Connection: ") == 1);
  CHECK(parse(twice).has("Connection: keep-alive\r\n"));
}

TEST_CASE("a client that has said everything and closes its half still gets the answers") {
  Program program;
  const std::string got = program.say(kGet + kGet, Program::Then::hang_up);
  CHECK(count(got, "alive\n") == 2);
}

TEST_CASE("every mistake in a request has its status, ends the connection, and harms no other client") {
  struct Row {
    std::string sent;
    int status;
  };
  const std::string long_text(8192, 'x');
  const std::vector<Row> rows{
      {"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 405},
      {"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\n\r\nabc", 405},
      {"DELETE /services HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
      {"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
      {"CONNECT here:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
      {"BREW /coffee HTTP/1.1\r\nHost: localhost\r\n\r\n", 501},
      {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 413},
      {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413},
      {"GET /metrics HTTP/1.1\r\n\r\n", 400},
      {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: there\r\n\r\n", 400},
      {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400},
      {"GET /metrics HTTP/1.1\r\nHost localhost\r\n\r\n", 400},
      {"GET /met rics HTTP/1.1\r\nHost: localhost\r\n\r\n", 505},
      {"GET /metrics HTTP/1.2\r\nHost: localhost\r\n\r\n", 505},
      {"GET /metrics HTTP/2.0\r\nHost: localhost\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"GET /metrics\r\n\r\n", 400},
      {"GET /metrics HTTP/1.1\nHost: localhost\n\n", 400},
      {"GET /metrics HTTP/1.1\r\nHost: localhost\n\r\n", 400},
      {"GET /metrics HTTP/1.0\n\n", 400},
      {"\n\n", 400},
      {"GET /metrics HTTP/1.1\r\nHost: rebound.example\r\n\r\n", 421},
      {"GET /metrics HTTP/1.1\r\nHost: local host\r\n\r\n", 400},
      {"GET http://rebound.example/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 421},
      {"GET http:///metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"GET /met%zzrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"\r\n\r\n\r\n", 400},
      {std::string("\0\0\0\0\r\n\r\n", 8), 400},
      {"\x16\x03\x01\x02\x01\x01\xfc\x03\x03 TLS begins like this\r\n\r\n", 400},
      {std::string(8000, '\xff') + "\r\n\r\n", 400},
      {"GET /" + long_text + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431},
      {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + long_text + "\r\n\r\n", 431},
      {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + long_text + long_text + long_text, 431},
  };
  Program program;
  for (const Row& row : rows) {
    CAPTURE(row.sent.substr(0, 80));
    const std::string got = program.say(row.sent + kGet);
    CHECK(parse(got).status == row.status);
    CHECK(count(got, "Content-Length: ") == 1);
    CHECK(parse(got).has("Connection: close\r\n"));
    CHECK(parse(got).has("Allow: GET, HEAD\r\n") == (row.status == 405));
    CHECK(program.get("/healthz").status == 200);
  }
}

TEST_CASE("a client that hangs up in the middle of its request gets no answer, wherever the middle is") {
  Program program;
  for (std::size_t size = 0; size < kGet.size(); ++size) {
    CAPTURE(size);
    const std::string got = program.say(kGet.substr(0, size), Program::Then::hang_up);
    CHECK(got.empty());
  }
  CHECK(program.get("/healthz").status == 200);
}

TEST_CASE("a request as long as is allowed is answered, one of a byte more is not") {
  Program program{{.request_bytes_max = 256}};
  const auto request = [](std::size_t size) {
    const std::string begin = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: ", end = "\r\n\r\n";
    return begin + std::string(size - begin.size() - end.size(), 'x') + end;
  };
  CHECK(program.ask(request(256)).status == 200);
  CHECK(program.ask(request(257)).status == 431);
}

TEST_CASE("a port that is taken is reported with its address") {
  Program program;
  const std::string at = "127.0.0.1:" + std::to_string(program->endpoint_port());
  net::io_context io;
  CHECK_THROWS_WITH(
      (Runtime{io, {.endpoint = Endpoint{.port = program->endpoint_port()}}}),
      Catch::StartsWith("the endpoint cannot listen on " + at + "; it needs an address of this machine") &&
          Catch::Contains("Address already in use"));
  CHECK_THROWS_WITH((Runtime{io, {.endpoint = Endpoint{.address = "192.0.2.1", .port = 0}}}),
                    Catch::Contains("192.0.2.1:0"));
  io.run();  // returns: nothing was left
}

TEST_CASE("the port is free again once the shutdown is over") {
  Program program;
  const std::uint16_t port = program->endpoint_port();
  CHECK(program.get("/healthz").status == 200);
  program->request_shutdown();
  program.io().run();
  const Runtime next{{.endpoint = Endpoint{.port = port}}};
  CHECK(next.endpoint_port() == port);
}

TEST_CASE("every mistake in an endpoint's configuration is reported at once") {
  const Endpoint wrong{.address = "localhost",
                       .metrics_namespace = "my-app",
                       .connections_max = 0,
                       .request_bytes_max = 255,
                       .timeout = Duration{999'999}};
  CHECK(
      describe_errors(problems(wrong)) ==
      "endpoint.address is \"localhost\"; allowed is an IPv4 or IPv6 address in figures like \"127.0.0.1\", \"::1\" or "
      "\"0.0.0.0\"\n"
      "endpoint.metrics_namespace is \"my-app\"; allowed is a letter or underscore, then letters, figures and "
      "underscores\n"
      "endpoint.connections_max is 0; allowed is 1 to 1000\n"
      "endpoint.request_bytes_max is 255; allowed is 256 to 1048576\n"
      "endpoint.timeout is 999us999ns; allowed is 1ms to 1h");
  CHECK_THROWS_AS(Runtime({.endpoint = wrong}), ConfigError);
  CHECK(problems(Endpoint{}).empty());
  CHECK(problems(Endpoint{.address = "::1", .connections_max = 1, .request_bytes_max = 256, .timeout = 1ms}).empty());
  CHECK(problems(Endpoint{.address = "0.0.0.0", .connections_max = 1000, .request_bytes_max = 1'048'576, .timeout = 1h})
            .empty());
}

}  // namespace

}  // namespace holdfast::test::endpoint_test
