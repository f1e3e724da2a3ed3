#include <holdfast/asio/detail/probe_attempt.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <holdfast/asio/detail/probe_command.hpp>

namespace holdfast::detail {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kStatusLineMax = 4096;  // bytes

// "HTTP/1.1 204 No Content" has a good status.
std::string trouble_with_status(std::string_view line) {
  constexpr std::size_t kStatusAt = 9;
  unsigned status = 0;
  const bool is_http = line.starts_with("HTTP/1.") && line.size() >= kStatusAt + 3 && line[kStatusAt - 1] == ' ';
  if (is_http) std::from_chars(line.data() + kStatusAt, line.data() + kStatusAt + 3, status);
  if (status < 100 || status > 599) return "the answer is no HTTP/1";
  constexpr unsigned kGood = 200;
  constexpr unsigned kBad = 400;
  return status >= kGood && status < kBad ? "" : "status " + std::to_string(status);
}

// A connection, and a request over it if there is one.
class NetAttempt final : public ProbeAttempt, public std::enable_shared_from_this<NetAttempt> {
 public:
  NetAttempt(const asio::any_io_executor& executor, const std::string& address, std::uint16_t port, std::string request,
             Duration timeout, ProbePlaces::Place place)
      : socket_(executor),
        deadline_(executor),
        to_(asio::ip::make_address(address), port),
        request_(std::move(request)),
        timeout_(timeout),
        place_(std::move(place)) {}

  void begin(Done done) override {
    done_ = std::move(done);
    boost::system::error_code error;
    socket_.open(to_.protocol(), error);
    if (error) {  // there is no descriptor
      asio::post(socket_.get_executor(), [self = shared_from_this(), says = error.message()] {
        self->finish({false, says});
      });
      return;
    }
    deadline_.expires_after(timeout_);
    deadline_.async_wait([self = shared_from_this()](boost::system::error_code failed) {
      if (!failed) self->finish({.trouble = "no answer within " + to_string(self->timeout_)});
    });
    socket_.async_connect(
        to_, [self = shared_from_this()](boost::system::error_code failed) { self->on_connected(failed); });
  }

  void cancel() noexcept override {
    done_ = nullptr;
    close();
  }
  [[nodiscard]] bool is_over() const noexcept override { return !place_; }

 private:
  void on_connected(boost::system::error_code error) {
    if (!done_) return;
    if (!error && is_connected_to_itself()) error = asio::error::connection_refused;
    if (error) return finish({.trouble = error.message()});
    if (request_.empty()) return finish({});
    asio::async_write(socket_, asio::buffer(request_),
                      [self = shared_from_this()](boost::system::error_code failed, std::size_t) {
                        failed ? self->finish({.trouble = failed.message()}) : self->read();
                      });
  }

  // The kernel may give a connection the very port that it is for, if that is one of its own range and nobody listens.
  [[nodiscard]] bool is_connected_to_itself() const {
    boost::system::error_code error;
    const auto here = socket_.local_endpoint(error);
    return !error && here == to_;
  }

  void read() {
    if (!done_) return;
    const auto room = asio::buffer(answer_.data() + size_, answer_.size() - size_);
    socket_.async_read_some(room, [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
      self->on_read(error, size);
    });
  }

  void on_read(boost::system::error_code error, std::size_t size) {
    if (!done_) return;
    size_ += size;
    const std::string_view answer{answer_.data(), size_};
    const auto end = answer.find('\n');
    if (end != std::string_view::npos || size_ == answer_.size()) {
      return finish({.trouble = trouble_with_status(answer.substr(0, end))});
    }
    if (error == asio::error::eof) return finish({.trouble = "it closed the connection without an answer"});
    error ? finish({.trouble = error.message()}) : read();
  }

  void finish(const ProbeResult& result) {
    close();
    if (done_) std::exchange(done_, nullptr)(result);
  }

  void close() noexcept {
    boost::system::error_code ignored;
    static_cast<void>(socket_.close(ignored));
    try {
      deadline_.cancel();
    } catch (const std::exception&) {
    }
    place_.reset();
  }

  tcp::socket socket_;
  asio::steady_timer deadline_;
  const tcp::endpoint to_;
  const std::string request_;
  const Duration timeout_;
  std::optional<ProbePlaces::Place> place_;
  Done done_;
  std::array<char, kStatusLineMax> answer_{};
  std::size_t size_ = 0;
};

std::string bracketed(const std::string& address) {
  return address.find(':') == std::string::npos ? address : '[' + address + ']';
}

std::string request_of(const HttpProbe& probe) {
  const std::string host =
      probe.host.empty() ? bracketed(probe.address) + ':' + std::to_string(probe.port) : probe.host;
  return "GET " + probe.target + " HTTP/1.1\r\nHost: " + host +
         "\r\nUser-Agent: holdfast\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

}  // namespace

std::shared_ptr<ProbeAttempt> make_attempt(const asio::any_io_executor& executor, const Probe& probe, Duration timeout,
                                           const Probed& probed, ProbePlaces::Place place) {
  if (const auto* const to = std::get_if<TcpProbe>(&probe)) {
    return std::make_shared<NetAttempt>(executor, to->address, to->port, "", timeout, std::move(place));
  }
  if (const auto* const to = std::get_if<HttpProbe>(&probe)) {
    return std::make_shared<NetAttempt>(executor, to->address, to->port, request_of(*to), timeout, std::move(place));
  }
  return std::make_shared<ProbeCommand>(executor, std::get<ExecProbe>(probe).command, timeout, probed,
                                        std::move(place));
}

}  // namespace holdfast::detail

namespace holdfast {

std::string to_string(const Probe& probe) {
  if (const auto* const to = std::get_if<TcpProbe>(&probe)) {
    return "tcp " + detail::bracketed(to->address) + ':' + std::to_string(to->port);
  }
  if (const auto* const to = std::get_if<HttpProbe>(&probe)) {
    return "http " + detail::bracketed(to->address) + ':' + std::to_string(to->port) + to->target;
  }
  const auto& command = std::get<ExecProbe>(probe).command;
  return "exec " + (command.empty() ? std::string{} : command.front());
}

}  // namespace holdfast
