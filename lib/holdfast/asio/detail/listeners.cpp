#include <holdfast/asio/detail/listeners.hpp>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <exception>

#include <boost/asio/ip/address.hpp>
#include <holdfast/asio/detail/descriptor.hpp>

namespace holdfast::detail {

namespace {

constexpr std::uint32_t kListening = 1U << 10U;  // the state LISTEN of TCP
constexpr std::size_t kAnswerMax = 32768;        // bytes at a time

struct Question {
  nlmsghdr head;
  inet_diag_req_v2 about;
};

bool ask(int socket, int family, std::uint16_t port) noexcept {
  Question question{};
  question.head.nlmsg_len = sizeof question;
  question.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  question.about.sdiag_family = static_cast<std::uint8_t>(family);
  question.about.sdiag_protocol = IPPROTO_TCP;
  question.about.idiag_states = kListening;
  question.about.id.idiag_sport = htons(port);
  return ::send(socket, &question, sizeof question, MSG_DONTWAIT) == static_cast<ssize_t>(sizeof question);
}

enum class Answer : unsigned char { goes_on, is_over, is_none };

// One datagram of the answer.
Answer read_part(const std::byte* part, std::size_t size, std::uint16_t port, std::vector<std::uint32_t>& found) {
  while (size >= sizeof(nlmsghdr)) {
    nlmsghdr head;
    std::memcpy(&head, part, sizeof head);
    if (head.nlmsg_len < sizeof head || head.nlmsg_len > size || head.nlmsg_type == NLMSG_ERROR) return Answer::is_none;
    if (head.nlmsg_type == NLMSG_DONE) return Answer::is_over;
    inet_diag_msg one;
    if (head.nlmsg_type == SOCK_DIAG_BY_FAMILY && head.nlmsg_len >= NLMSG_HDRLEN + sizeof one) {
      std::memcpy(&one, part + NLMSG_HDRLEN, sizeof one);
      if (one.id.idiag_sport == htons(port)) found.push_back(one.idiag_inode);
    }
    const std::size_t step = std::min<std::size_t>(NLMSG_ALIGN(head.nlmsg_len), size);
    part += step;
    size -= step;
  }
  return Answer::goes_on;
}

bool add_listeners(int family, std::uint16_t port, std::vector<std::uint32_t>& found) {
  const Descriptor socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)};
  if (!socket.is_open() || !ask(socket.number(), family, port)) return false;
  std::vector<std::byte> part(kAnswerMax);
  for (;;) {
    const ssize_t size = ::recv(socket.number(), part.data(), part.size(), MSG_DONTWAIT);
    if (size <= 0) return false;
    const Answer answer = read_part(part.data(), static_cast<std::size_t>(size), port, found);
    if (answer != Answer::goes_on) return answer == Answer::is_over;
  }
}

}  // namespace

// A socket of IPv6 may listen for both families.
std::optional<std::vector<std::uint32_t>> listeners_on(const std::string& address, std::uint16_t port) noexcept try {
  boost::system::error_code error;
  const auto where = boost::asio::ip::make_address(address, error);
  if (error || !where.is_loopback()) return std::nullopt;
  std::vector<std::uint32_t> found;
  if (!add_listeners(AF_INET, port, found)) return std::nullopt;
  add_listeners(AF_INET6, port, found);  // a machine may have no IPv6
  std::sort(found.begin(), found.end());
  return found;
} catch (const std::exception&) {  // no memory
  return std::nullopt;
}

bool are_all_old(const std::vector<std::uint32_t>& before, const std::vector<std::uint32_t>& now) noexcept {
  return !now.empty() && std::includes(before.begin(), before.end(), now.begin(), now.end());
}

}  // namespace holdfast::detail
