#include <holdfast/asio/detail/http_connection.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace holdfast::detail {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

using Parser = http::request_parser<http::empty_body>;
using Response = http::response<http::string_body>;

constexpr auto kWithError = asio::as_tuple(asio::deferred);

// What is read and thrown away of a client that is being left.
constexpr std::size_t kIgnoredBytesMax = std::size_t{1} << 18;

Page too_long() { return {.status = 431, .body = "the header of the request is too long\n"}; }

// What to say to a request that could not be read; nothing to a client that has gone.
std::optional<Page> page_for(const boost::system::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return too_long();
  if (error == http::error::bad_version)
    return Page{.status = 505, .body = "only HTTP/1.0 and HTTP/1.1 are spoken here\n"};
  const bool gone = error == http::error::end_of_stream || error == http::error::partial_message;
  if (gone || error.category() != make_error_code(http::error::bad_method).category()) return std::nullopt;
  return Page{.status = 400, .body = "this is no HTTP request: " + error.message() + '\n'};
}

// What is wrong with a request that could be read.
std::optional<Page> refusal_of(const Parser& parser) {
  const auto& request = parser.get();
  if (request.method() == http::verb::unknown) return Page{.status = 501, .body = "the method is not known\n"};
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    return Page{.status = 405, .body = "only GET and HEAD are allowed\n"};
  }
  if (request.version() == 11 && request.count(http::field::host) != 1) {
    return Page{.status = 400, .body = "HTTP/1.1 demands one Host field\n"};
  }
  if (!parser.is_done()) return Page{.status = 413, .body = "a request has no body here\n"};
  return std::nullopt;
}

std::string_view path_of(boost::beast::string_view target) {
  const std::string_view text{target.data(), target.size()};
  return text.substr(0, text.find('?'));
}

Response response_of(Page page, unsigned version, bool keep_alive) {
  Response response{http::int_to_status(page.status), version};
  response.set(http::field::content_type, {page.content_type.data(), page.content_type.size()});
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");  // errors of services are no pages for a browser
  if (page.status == 405) response.set(http::field::allow, "GET, HEAD");
  response.body() = std::move(page.body);
  response.keep_alive(keep_alive);
  response.prepare_payload();
  return response;
}

}  // namespace

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, Host& host, std::size_t request_bytes_max,
                               Duration timeout)
    : socket_(std::move(socket)),
      deadline_(socket_.get_executor()),
      host_(&host),
      request_bytes_max_(request_bytes_max),
      timeout_(timeout),
      buffer_(request_bytes_max) {}

void HttpConnection::begin() {
  auto ended = [self = shared_from_this()](const std::exception_ptr&) {  // it ran out of memory, or all is well
    if (Host* const host = self->host_) host->ended(*self);
    self->close();
  };
  asio::co_spawn(socket_.get_executor(), converse(), std::move(ended));
}

void HttpConnection::close() noexcept {
  host_ = nullptr;
  boost::system::error_code ignored;
  socket_.close(ignored);
  deadline_.cancel();
}

void HttpConnection::begin_step() {
  host_->moved_on(*this);
  deadline_.expires_after(timeout_);
  deadline_.async_wait([self = weak_from_this()](boost::system::error_code) {
    const auto connection = self.lock();
    if (!connection || connection->deadline_.expiry() > std::chrono::steady_clock::now()) return;  // another step
    boost::system::error_code ignored;
    connection->socket_.close(ignored);  // what it waits for fails, and so it ends
  });
}

asio::awaitable<void> HttpConnection::converse() {
  const auto self = shared_from_this();
  Next next = host_ ? Next::another_request : Next::end;  // it may have been closed before it began
  while (next == Next::another_request) next = co_await answer_one();
  if (next == Next::part) co_await part();
}

asio::awaitable<HttpConnection::Next> HttpConnection::answer_one() {
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(request_bytes_max_));
  parser.body_limit(boost::none);  // none is read: see refusal_of
  begin_step();
  const auto [error, size] = co_await http::async_read_header(socket_, buffer_, parser, kWithError);
  if (!host_) co_return Next::end;
  auto page = error ? page_for(error) : size > request_bytes_max_ ? too_long() : refusal_of(parser);
  const bool was_refused = page.has_value();
  if (error && !page) co_return Next::end;
  const auto& request = parser.get();
  if (!page) page = host_->page(path_of(request.target()));
  const bool keep_alive = !was_refused && request.keep_alive();
  const bool is_head = !error && request.method() == http::verb::head;
  begin_step();
  if (!co_await write(std::move(*page), error ? 11 : request.version(), is_head, keep_alive)) co_return Next::end;
  co_return keep_alive ? Next::another_request : Next::part;
}

asio::awaitable<bool> HttpConnection::write(Page page, unsigned version, bool header_only, bool keep_alive) {
  Response response = response_of(std::move(page), version, keep_alive);
  http::response_serializer<http::string_body> serializer{response};
  if (header_only) {
    const auto [error, size] = co_await http::async_write_header(socket_, serializer, kWithError);
    co_return !error && host_;
  }
  const auto [error, size] = co_await http::async_write(socket_, serializer, kWithError);
  co_return !error && host_;
}

asio::awaitable<void> HttpConnection::part() {
  begin_step();
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  std::array<char, 4096> nobody_reads{};
  for (std::size_t left = kIgnoredBytesMax; left > 0;) {
    const auto [error, size] = co_await socket_.async_read_some(asio::buffer(nobody_reads), kWithError);
    if (error || !host_) co_return;
    left -= std::min(left, size);
  }
}

}  // namespace holdfast::detail
