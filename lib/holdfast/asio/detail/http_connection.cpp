#include <holdfast/asio/detail/http_connection.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/status.hpp>

namespace holdfast::detail {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr auto kWithError = asio::as_tuple(asio::deferred);

constexpr std::size_t kReadAtOnce = 4096;

// How much is read and thrown away of a client that the endpoint is leaving.
constexpr std::size_t kIgnoredBytesMax = std::size_t{1} << 18;

// A deadline that is later than this lets ready work have more turns first.
constexpr auto kLate = std::chrono::milliseconds{5};
constexpr int kRoundsWhenLate = 32;

std::string head_of(const Page& page, const Request& request) {
  const auto reason = http::obsolete_reason(http::int_to_status(page.status));
  std::string head = request.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  (head += std::to_string(page.status)) += ' ';
  head.append(reason.data(), reason.size());
  const auto field = [&head](std::string_view name, std::string_view value) {
    ((((head += "\r\n") += name) += ": ") += value);
  };
  field("Content-Type", page.content_type);
  field("Cache-Control", "no-store");
  field("X-Content-Type-Options", "nosniff");  // errors of services are no pages for a browser
  field("Vary", "Accept-Encoding");
  if (!page.content_encoding.empty()) field("Content-Encoding", page.content_encoding);
  if (page.status == 405) field("Allow", "GET, HEAD");
  field("Content-Length", std::to_string(page.size()));
  if (!request.keep_alive && request.version == 11) field("Connection", "close");
  if (request.keep_alive && request.version == 10) field("Connection", "keep-alive");
  return head += "\r\n\r\n";
}

// What is still to be written: a head, then the pieces of a page.
class Unwritten {
 public:
  Unwritten(std::string_view head, const Page* page) : head_(head), page_(page) {}

  [[nodiscard]] bool empty() {
    while (page_ && piece_ < page_->pieces.size() && offset_ == page_->pieces[piece_].size()) {
      ++piece_;
      offset_ = 0;
    }
    return head_.empty() && (!page_ || piece_ == page_->pieces.size());
  }

  // The next buffers, of at most this many bytes together.
  [[nodiscard]] std::vector<asio::const_buffer> next(std::size_t most) const {
    std::vector<asio::const_buffer> buffers;
    const auto add = [&](std::string_view text) {
      const std::size_t size = std::min(text.size(), most);
      if (size > 0) buffers.emplace_back(text.data(), size);
      most -= size;
    };
    add(head_);
    std::size_t offset = offset_;
    for (std::size_t i = piece_; page_ && most > 0 && i < page_->pieces.size(); ++i, offset = 0) {
      add(std::string_view{page_->pieces[i]}.substr(offset));
    }
    return buffers;
  }

  void written(std::size_t bytes) {
    const std::size_t of_head = std::min(bytes, head_.size());
    head_.remove_prefix(of_head);
    bytes -= of_head;
    while (bytes > 0) {
      const std::size_t taken = std::min(bytes, page_->pieces[piece_].size() - offset_);
      offset_ += taken;
      bytes -= taken;
      if (offset_ < page_->pieces[piece_].size()) return;
      ++piece_;
      offset_ = 0;
    }
  }

 private:
  std::string_view head_;
  const Page* page_;  // null: there is the head alone
  std::size_t piece_ = 0;
  std::size_t offset_ = 0;  // into the piece
};

}  // namespace

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, Host& host, const RequestRules& rules, Duration timeout)
    : socket_(std::move(socket)), deadline_(socket_.get_executor()), host_(&host), rules_(rules), timeout_(timeout) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
}

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

// A late deadline lets what has arrived have its turn first.
void HttpConnection::begin_step() {
  host_->moved_on(*this);
  deadline_.expires_after(timeout_);
  deadline_.async_wait([self = weak_from_this()](boost::system::error_code error) {
    const auto connection = self.lock();
    if (!connection || error) return;
    const auto over = connection->deadline_.expiry();
    const bool is_late = std::chrono::steady_clock::now() - over >= kLate;
    connection->leave_if_still_at(over, is_late ? kRoundsWhenLate : 0);
  });
}

void HttpConnection::leave_if_still_at(std::chrono::steady_clock::time_point over, int rounds) {
  if (deadline_.expiry() != over || over > std::chrono::steady_clock::now()) return;  // another step
  if (rounds == 0) {
    boost::system::error_code ignored;
    socket_.close(ignored);  // its pending operation fails, and so it ends
    return;
  }
  asio::post(socket_.get_executor(), [self = weak_from_this(), over, rounds] {
    if (const auto connection = self.lock()) connection->leave_if_still_at(over, rounds - 1);
  });
}

asio::awaitable<void> HttpConnection::converse() {
  const auto self = shared_from_this();
  Next next = host_ ? Next::another_request : Next::end;  // it may have been closed before it began
  while (next == Next::another_request) next = co_await answer_one();
  if (next == Next::part) co_await part();
}

asio::awaitable<HttpConnection::Next> HttpConnection::answer_one() {
  begin_step();
  const auto request = co_await read();
  if (!request || !host_) co_return Next::end;
  begin_step();
  std::shared_ptr<const Page> page;
  if (request->refused != 0) {
    page = std::make_shared<const Page>(page_of(request->refused, request->reason + '\n'));
  } else {
    page = co_await host_->page(request->path, request->accepts_gzip);
  }
  if (!page || !host_) co_return Next::end;
  begin_step();
  if (!co_await write(*page, *request)) co_return Next::end;
  co_return request->keep_alive ? Next::another_request : Next::part;
}

asio::awaitable<std::optional<Request>> HttpConnection::read() {
  for (std::size_t seen = 0;;) {
    std::size_t size = 0;
    if (auto request = read_request(received_, seen, size, rules_)) {
      received_.erase(0, size);
      co_return request;
    }
    const std::size_t before = received_.size();
    received_.resize(before + kReadAtOnce);
    const auto [error, got] =
        co_await socket_.async_read_some(asio::buffer(&received_[before], kReadAtOnce), kWithError);
    received_.resize(before + got);
    if (error || !host_) co_return std::nullopt;
  }
}

asio::awaitable<bool> HttpConnection::write(const Page& page, const Request& request) {
  const std::string head = head_of(page, request);
  Unwritten rest{head, request.is_head ? nullptr : &page};
  while (!rest.empty()) {
    co_await host_->turns().async_turn(asio::deferred);
    if (!host_) co_return false;
    boost::system::error_code error;
    rest.written(socket_.write_some(rest.next(kWrittenATurn), error));
    if (error == asio::error::would_block || error == asio::error::try_again) {
      std::tie(error) = co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, kWithError);
    }
    if (error || !host_) co_return false;
  }
  co_return true;
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
