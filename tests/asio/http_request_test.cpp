// Requests of HTTP, one a line: which are read, what they ask for, and what is said to those that are refused.
#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/asio/detail/http_request.hpp>

namespace holdfast::http_request_test {
namespace {

using detail::Request;
using detail::RequestRules;

Request read(const std::string& text, const RequestRules& rules = {8192, {}}) {
  std::size_t seen = 0, size = 0;
  const auto request = detail::read_request(text, seen, size, rules);
  REQUIRE(request);
  return *request;
}

Request get(const std::string& target, const std::string& host = "localhost", const RequestRules& rules = {8192, {}}) {
  return read("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n", rules);
}

TEST_CASE("every form of a target has its path, and anything else is refused") {
  struct Row {
    const char* target;
    const char* path;  // null: refused with 400
  };
  const Row rows[] = {
      {"/metrics", "/metrics"},
      {"/metrics?x=1", "/metrics"},
      {"/metrics?http://x/", "/metrics"},
      {"/metrics#top", "/metrics"},
      {"http://localhost#top", "/"},
      {"http://localhost/metrics", "/metrics"},
      {"http://localhost:9464/metrics?x", "/metrics"},
      {"HTTP://LocalHost/metrics", "/metrics"},
      {"https://127.0.0.1/metrics", "/metrics"},
      {"http://[::1]:9464/metrics", "/metrics"},
      {"http://localhost", "/"},
      {"http://localhost?x", "/"},
      {"http:///metrics", nullptr},
      {"http://me@localhost/metrics", nullptr},
      {"/%6Detrics", "/metrics"},
      {"/%6detrics%7e", "/metrics~"},
      {"/%2Fmetrics", "/%2Fmetrics"},  // not the same as //metrics, and neither has a page
      {"/metrics%00", "/metrics%00"},
      {"/metrics%", nullptr},
      {"/metrics%4", nullptr},
      {"/metrics%zz", nullptr},
      {"*", "*"},
      {"metrics", "metrics"},
      {"localhost:9464", "localhost:9464"},
      {"ftp://localhost/metrics", "ftp://localhost/metrics"},
      {"/METRICS", "/METRICS"},
      {"/", "/"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    const Request request = get(row.target);
    CHECK(request.refused == (row.path ? 0U : 400U));
    if (row.path) CHECK(request.path == row.path);
  }
}

TEST_CASE("a name that is no address is refused unless it is localhost or one of the configured names") {
  const RequestRules rules{8192, {"Metrics.Example.", "feed_1", "Feed-2", "ABCXYZ"}};
  struct Row {
    const char* host;
    unsigned refused;
  };
  const Row rows[] = {
      {"localhost", 0},
      {"LOCALHOST", 0},
      {"localhost.", 0},
      {"localhost:9464", 0},
      {"localhost:", 0},
      {"feeds.localhost", 0},
      {"127.0.0.1", 0},
      {"127.0.0.1:9464", 0},
      {"10.1.2.3:80", 0},
      {"[::1]", 0},
      {"[::1]:9464", 0},
      {"[2001:DB8::1]:9464", 0},
      {"", 0},
      {"metrics.example", 0},
      {"metrics.EXAMPLE:9464", 0},
      {"metrics.example.", 0},
      {"abcxyz", 0},
      {"aBcXyZ", 0},
      {"feed_1", 0},
      {"feed-2", 0},
      {"localhost:65535", 0},
      {"rebound.example", 421},
      {"rebound.example:9464", 421},
      {"notlocalhost", 421},
      {"localhost.example", 421},
      {"x.metrics.example", 421},
      {"127.0.0.1.example", 421},
      {"127.1", 421},       // an address to some, and no standard one
      {"2130706433", 421},  // the same
      {"127.0.0.1:9464:1", 400},
      {"localhost:x", 400},
      {"localhost:123456", 400},
      {":9464", 400},
      {"[::1", 400},
      {"[localhost]", 400},
      {"[::1]x", 400},
      {"::1", 400},
      {"local host", 400},
      {"local/host", 400},
      {"me@localhost", 400},
      {"localhost,127.0.0.1", 400},
  };
  for (const Row& row : rows) {
    CAPTURE(row.host);
    CHECK(get("/metrics", row.host, rules).refused == row.refused);
  }
  CHECK(get("/metrics", "rebound.example", {8192, {"*"}}).refused == 0);
  CHECK(get("/metrics", "re bound", {8192, {"*"}}).refused == 400);
  CHECK(get("/metrics", "rebound.example").reason ==
        "nothing is served here by the name \"rebound.example\"; ask by address or as localhost, or put the name into "
        "the "
        "endpoint's hosts");
}

TEST_CASE("the host in a target counts, and not the one in the field") {
  CHECK(get("http://rebound.example/metrics", "localhost").refused == 421);
  CHECK(get("http://localhost/metrics", "rebound.example").refused == 0);
}

TEST_CASE("HTTP/1.1 demands one Host, HTTP/1.0 none, and neither takes two") {
  CHECK(read("GET / HTTP/1.0\r\n\r\n").refused == 0);
  CHECK(read("GET / HTTP/1.1\r\n\r\n").refused == 400);
  CHECK(read("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n").refused == 400);
  CHECK(read("GET / HTTP/1.0\r\nHost: localhost\r\nHost: localhost\r\n\r\n").refused == 400);
  CHECK(read("GET / HTTP/1.0\r\nHost: rebound.example\r\n\r\n").refused == 421);
}

TEST_CASE("a line feed alone is refused as that, wherever it stands, and at once") {
  const std::string says =
      "a line of the request ends with a line feed alone; HTTP demands carriage return and line feed";
  for (const char* const text : {"GET / HTTP/1.1\nHost: localhost\n\n", "GET / HTTP/1.1\n", "GET /\n",
                                 "GET / HTTP/1.1\r\nHost: localhost\n", "GET / HTTP/1.1\r\nHost: localhost\r\n\n"}) {
    CAPTURE(text);
    const Request request = read(text);
    CHECK(request.refused == 400);
    CHECK(request.reason == says);
  }
}

TEST_CASE("of a path what needs no encoding is decoded, in either case of its figures, and nothing else") {
  const std::string unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  for (int code = 0; code < 256; ++code) {
    for (const char* const figures : {"0123456789abcdef", "0123456789ABCDEF"}) {
      const std::string encoded{'%', figures[code / 16], figures[code % 16]};
      const bool is_decoded = code != 0 && unreserved.find(static_cast<char>(code)) != std::string::npos;
      CHECK(get("/" + encoded).path == "/" + (is_decoded ? std::string{static_cast<char>(code)} : encoded));
    }
  }
}

TEST_CASE("a request begins with a letter, a figure, or a mark of a method, and with nothing else") {
  const std::string token = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";
  for (int code = 0; code < 256; ++code) {
    CAPTURE(code);
    const char first = static_cast<char>(code);
    std::size_t seen = 0, size = 0;
    const auto request = detail::read_request({&first, 1}, seen, size, {8192, {}});
    const bool waits = code == '\r' || (code != 0 && token.find(first) != std::string::npos);
    CHECK(!request == waits);
    if (request) CHECK(request->refused == 400);
  }
}

TEST_CASE("what cannot become a request is refused with its first byte") {
  for (const char* const text : {"\x16\x03\x01", " GET / HTTP/1.1", "\xff", "{"}) {
    CAPTURE(text);
    CHECK(read(text).refused == 400);
  }
}

TEST_CASE("an empty line before a request is no part of it, and empty lines alone are no request") {
  CHECK(read("\r\nGET / HTTP/1.0\r\n\r\n").refused == 0);
  CHECK(read("\r\n\r\n").refused == 400);
}

TEST_CASE("a request is read in pieces as it is as a whole, and what follows it is left") {
  const std::string one = "\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string text = one + "GET /next HTTP/1.1\r\n";
  std::size_t seen = 0, size = 0;
  for (std::size_t length = 0; length < one.size(); ++length) {
    CAPTURE(length);
    REQUIRE(!detail::read_request(std::string_view{text}.substr(0, length), seen, size, {8192, {}}));
  }
  const auto request = detail::read_request(text, seen, size, {8192, {}});
  REQUIRE(request);
  CHECK(request->path == "/healthz");
  CHECK(size == one.size());
}

TEST_CASE("a head of the length that is allowed is read, and one of a byte more refused as soon as it is there") {
  const std::string begin = "GET / HTTP/1.1\r\nHost: localhost\r\nX: ", end = "\r\n\r\n";
  const auto of_size = [&](std::size_t size) {
    return begin + std::string(size - begin.size() - end.size(), 'x') + end;
  };
  CHECK(read(of_size(256), {256, {}}).refused == 0);
  CHECK(read(of_size(257), {256, {}}).refused == 431);
  CHECK(read(of_size(400).substr(0, 257), {256, {}}).refused == 431);
  // A line feed alone in the last byte that is allowed, and behind it.
  CHECK(read(std::string(255, 'x') + '\n', {256, {}}).refused == 400);
  CHECK(read(std::string(256, 'x') + '\n', {256, {}}).refused == 431);
  std::size_t seen = 0, size = 0;
  CHECK(!detail::read_request(of_size(400).substr(0, 256), seen, size, {256, {}}));
}

TEST_CASE("a client that accepts gzip gets it, however it says so") {
  struct Row {
    const char* fields;
    bool accepts;
  };
  const Row rows[] = {
      {"", false},
      {"Accept-Encoding: gzip\r\n", true},
      {"accept-encoding: GZip\r\n", true},
      {"Accept-Encoding: deflate, gzip;q=0.5, br\r\n", true},
      {"Accept-Encoding: deflate\r\nAccept-Encoding: gzip\r\n", true},
      {"Accept-Encoding: x-gzip\r\n", true},
      {"Accept-Encoding: gzip ; q=1.0\r\n", true},
      {"Accept-Encoding: gzip;q=0.01\r\n", true},
      {"Accept-Encoding: gzip;q=0, gzip\r\n", true},  // the last one counts
      {"Accept-Encoding: gzip, br, gzip;q=0\r\n", false},
      {"Accept-Encoding: identity\r\n", false},
      {"Accept-Encoding: *\r\n", false},
      {"Accept-Encoding: gzip;q=0\r\n", false},
      {"Accept-Encoding: gzip; q=0.000\r\n", false},
      {"Accept-Encoding: notgzip\r\n", false},
      {"Accept-Encoding:\r\n", false},
      {"Accept-Encoding: ,,\r\n", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fields);
    CHECK(read(std::string{"GET / HTTP/1.1\r\nHost: localhost\r\n"} + row.fields + "\r\n").accepts_gzip == row.accepts);
  }
}

TEST_CASE("a connection is kept as the version and the options in its list say") {
  const auto keeps = [](const std::string& version, const std::string& fields) {
    return read("GET / HTTP/" + version + "\r\nHost: localhost\r\n" + fields + "\r\n").keep_alive;
  };
  CHECK(keeps("1.1", ""));
  CHECK(!keeps("1.0", ""));
  CHECK(!keeps("1.1", "Connection: close\r\n"));
  CHECK(!keeps("1.1", "Connection: Upgrade, Close\r\n"));
  CHECK(!keeps("1.1", "Connection: keep-alive, close\r\n"));
  CHECK(keeps("1.0", "Connection: keep-alive\r\n"));
  CHECK(keeps("1.0", "Connection: TE, Keep-Alive\r\n"));
  CHECK(!keeps("1.0", "Connection: upgrade\r\n"));
  CHECK(!read("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").keep_alive);  // after a refusal
}

}  // namespace
}  // namespace holdfast::http_request_test
