#include <holdfast/up/control_server.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <utility>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

namespace holdfast::up {

namespace {

namespace net = boost::asio;
using LocalSocket = net::local::stream_protocol;
using boost::system::error_code;

bool is_friend(int descriptor) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return false;
  return who.uid == 0 || who.uid == ::geteuid();
}

// The other end was closed, not only its half that writes.
bool has_hung_up(int descriptor) {
  pollfd state{descriptor, 0, 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLERR)) != 0;
}

// One client, from its connection to its end.
class Client final : public Conversation, public std::enable_shared_from_this<Client> {
 public:
  Client(LocalSocket::socket socket, std::shared_ptr<const ControlServer::Act> act, std::function<void(Client*)> over)
      : socket_(std::move(socket)), patience_(socket_.get_executor()), act_(std::move(act)), over_(std::move(over)) {}

  void begin() {
    if (!is_friend(socket_.native_handle())) return end();
    await_request();
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
    patience_.cancel();
    on_all_sent_ = nullptr;
    const auto gone = std::exchange(gone_, nullptr);
    if (gone && is_asking_) gone();
  }

  void say(std::string line, std::function<void()> sent) override {
    if (!socket_.is_open()) return;
    on_all_sent_ = std::move(sent);
    (unsent_ += line) += '\n';
    if (sent_.empty()) send();
  }

  void answer(std::string line) override {
    is_asking_ = false;
    gone_ = nullptr;
    say(std::move(line), nullptr);
  }

  void on_gone(std::function<void()> gone) override {
    if (!socket_.is_open()) return gone();
    gone_ = std::move(gone);
    watch();
  }

 private:
  void end() {
    close();
    if (over_) std::exchange(over_, nullptr)(this);
  }

  void be_patient() {
    patience_.expires_after(kClientPatience);
    patience_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->end();
    });
  }

  void await_request() {
    be_patient();
    net::async_read_until(socket_, net::dynamic_buffer(read_, kRequestMax), '\n',
                          [self = shared_from_this()](error_code error, std::size_t size) {
                            self->patience_.cancel();
                            self->on_request(error, size);
                          });
  }

  void on_request(error_code error, std::size_t size) {
    if (error == net::error::not_found) {
      is_last_ = true;
      return answer(refusal_text("a request has up to " + std::to_string(kRequestMax) + " bytes"));
    }
    if (error || !socket_.is_open()) return end();
    const auto request = parse_request(std::string_view{read_}.substr(0, size - 1));
    read_.erase(0, size);
    is_asking_ = true;
    if (!request.problem.empty()) return answer(refusal_text("the request " + request.problem));
    (*act_)(request, shared_from_this());
  }

  void send() {
    sent_.swap(unsent_);
    be_patient();
    net::async_write(socket_, net::buffer(sent_), [self = shared_from_this()](error_code error, std::size_t) {
      self->patience_.cancel();
      self->on_sent(error);
    });
  }

  void on_sent(error_code error) {
    sent_.clear();
    if (error || !socket_.is_open()) return end();
    if (!unsent_.empty()) return send();
    if (const auto sent = std::exchange(on_all_sent_, nullptr)) return sent();
    if (is_asking_) return;
    is_last_ ? end() : await_request();
  }

  // While nothing is read, this alone tells that the client has gone away.
  void watch() {
    if (is_watching_) return;
    is_watching_ = true;
    socket_.async_wait(LocalSocket::socket::wait_read, [self = shared_from_this()](error_code error) {
      self->is_watching_ = false;
      if (!error && self->is_asking_ && has_hung_up(self->socket_.native_handle())) self->end();
    });
  }

  LocalSocket::socket socket_;
  net::steady_timer patience_;
  const std::shared_ptr<const ControlServer::Act> act_;
  std::function<void(Client*)> over_;
  std::function<void()> gone_;
  std::function<void()> on_all_sent_;
  std::string read_;
  std::string unsent_;
  std::string sent_;  // and on its way
  bool is_asking_ = false;
  bool is_watching_ = false;
  bool is_last_ = false;
};

LocalSocket::acceptor listening(const net::any_io_executor& executor, const std::filesystem::path& path) {
  LocalSocket::acceptor acceptor{executor};
  acceptor.open();
  // The kernel gives the file of the socket this mode, so that it never has another one.
  ::fchmod(acceptor.native_handle(), 0600);
  acceptor.bind(LocalSocket::endpoint{path.string()});
  acceptor.listen();
  return acceptor;
}

}  // namespace

class ControlServer::Clients : public std::enable_shared_from_this<Clients> {
 public:
  Clients(const net::any_io_executor& executor, const std::filesystem::path& path, Act act)
      : act_(std::make_shared<const Act>(std::move(act))), acceptor_(listening(executor, path)), pause_(executor) {}

  void accept() {
    if (accepting_ || clients_.size() >= kClientsMax || !acceptor_.is_open()) return;
    accepting_ = true;
    acceptor_.async_accept([self = shared_from_this()](error_code error, LocalSocket::socket socket) {
      self->accepting_ = false;
      if (!self->acceptor_.is_open()) return;
      error ? self->accept_later() : self->welcome(std::move(socket));
    });
  }

  void close() {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    for (const auto& client : std::exchange(clients_, {})) client->close();
  }

 private:
  void welcome(LocalSocket::socket socket) {
    const auto client = std::make_shared<Client>(std::move(socket), act_, [self = weak_from_this()](Client* over) {
      if (const auto clients = self.lock()) clients->forget(over);
    });
    clients_.insert(client);
    client->begin();
    accept();
  }

  void forget(Client* over) {
    std::erase_if(clients_, [over](const auto& client) { return client.get() == over; });
    accept();
  }

  // No descriptor is left, for example.
  void accept_later() {
    pause_.expires_after(std::chrono::seconds{1});
    pause_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->accept();
    });
  }

  const std::shared_ptr<const Act> act_;
  LocalSocket::acceptor acceptor_;
  net::steady_timer pause_;
  std::set<std::shared_ptr<Client>> clients_;
  bool accepting_ = false;
};

ControlServer::ControlServer(const net::any_io_executor& executor, const std::filesystem::path& socket, Act act)
    : clients_(std::make_shared<Clients>(executor, socket, std::move(act))) {
  clients_->accept();
}

ControlServer::~ControlServer() { clients_->close(); }

}  // namespace holdfast::up
