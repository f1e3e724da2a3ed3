// The endpoint over real sockets: what it answers, to whom it does not, and that neither slow nor hostile clients harm
// the services.
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <holdfast/asio/runtime.hpp>

#include "support.hpp"

namespace holdfast::test::endpoint_test {
namespace {

namespace net = boost::asio;
using net::ip::tcp;

constexpr std::chrono::seconds kPatience{60};  // turns a hang into a failure
constexpr auto kWithError = net::as_tuple(net::use_awaitable);

net::awaitable<void> waits(Context& ctx) { co_await ctx.stopped(); }

struct Reply {
  int status = 0;  // 0: none
  std::string head;
  std::string body;
  [[nodiscard]] bool has(std::string_view field) const { return head.find(field) != std::string::npos; }
};

Reply parse(const std::string& text) {
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos) return {.body = text};
  return {.status = std::stoi(text.substr(9, 3)), .head = text.substr(0, end + 2), .body = text.substr(end + 4)};
}

std::size_t count(const std::string& text, std::string_view word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + word.size())) ++found;
  return found;
}

std::size_t open_descriptors() {
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

  [[nodiscard]] bool run_until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    io_.restart();
    while (!done()) {
      if (io_.run_one_until(limit) == 0 && !done()) return false;
    }
    return true;
  }

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

const std::string kGet = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

// ---------------------------------------------------------------------------------------------------------------------
// What it answers
// ---------------------------------------------------------------------------------------------------------------------

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

// ---------------------------------------------------------------------------------------------------------------------
// The fleet in it
// ---------------------------------------------------------------------------------------------------------------------

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

// ---------------------------------------------------------------------------------------------------------------------
// Slow and hostile clients
// ---------------------------------------------------------------------------------------------------------------------

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

// ---------------------------------------------------------------------------------------------------------------------
// Its end
// ---------------------------------------------------------------------------------------------------------------------

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

// ---------------------------------------------------------------------------------------------------------------------
// What is refused
// ---------------------------------------------------------------------------------------------------------------------

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

// ---------------------------------------------------------------------------------------------------------------------
// Threads
// ---------------------------------------------------------------------------------------------------------------------

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
