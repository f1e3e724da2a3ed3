#include <holdfast/up/control_client.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace holdfast::up {

namespace {

std::string why_not() {
  if (errno == ENOENT || errno == ECONNREFUSED) return "no \"holdfast up\" runs there";
  return std::generic_category().message(errno);
}

}  // namespace

ControlClient::ControlClient(const std::filesystem::path& socket)
    : socket_(socket), descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto& path = socket.native();
  if (path.size() >= sizeof address.sun_path)
    throw std::runtime_error{socket.string() + ": the path is too long for a socket"};
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(descriptor_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error{socket.string() + ": " + why_not()};
  }
}

std::string ControlClient::ask(const std::string& request) {
  const std::string line = request + '\n';
  for (std::size_t sent = 0; sent < line.size();) {
    const auto count = ::send(descriptor_.number(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    sent += static_cast<std::size_t>(count);
  }
  return next();
}

std::string ControlClient::next() {
  while (!has_line()) {
    if (!read_more()) throw std::runtime_error{socket_.string() + ": \"holdfast up\" ended before it had answered"};
  }
  const auto end = read_.find('\n', taken_);
  auto line = read_.substr(taken_, end - taken_);
  taken_ = end + 1;
  return line;
}

std::optional<std::string> ControlClient::next_for(int output) {
  while (!has_line()) {
    std::array<pollfd, 2> watched{pollfd{descriptor_.number(), POLLIN, 0}, pollfd{output, 0, 0}};
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return std::nullopt;
    if (watched[1].revents != 0 || (watched[0].revents != 0 && !read_more())) return std::nullopt;
  }
  return next();
}

// False: the other end has gone away.
bool ControlClient::read_more() {
  read_.erase(0, taken_);
  taken_ = 0;
  std::array<char, 65536> piece{};
  for (;;) {
    const auto count = ::recv(descriptor_.number(), piece.data(), piece.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    read_.append(piece.data(), static_cast<std::size_t>(count));
    return true;
  }
}

void ControlClient::wait_for_end() {
  std::array<char, 256> piece{};
  for (;;) {
    const auto count = ::recv(descriptor_.number(), piece.data(), piece.size(), 0);
    if (count == 0 || (count < 0 && errno != EINTR)) return;
  }
}

}  // namespace holdfast::up
