// The last lines that a service has written, for those who ask for them later.
//
// At least the last kKeptMax bytes are kept, and at most twice as many. A service that is silent keeps nothing.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <holdfast/up/log_text.hpp>

namespace holdfast::up {

inline constexpr std::size_t kKeptMax = std::size_t{16} * 1024;  // bytes

class KeptLines {
 public:
  struct Head {
    std::int64_t milliseconds;  // since 1970
    std::uint64_t number;       // in the order of all services
    std::uint32_t size;
    LogStream stream;
    bool goes_on;
  };

  void add(Head head, std::string_view line) {
    head.size = static_cast<std::uint32_t>(line.size());
    const auto needed = sizeof head + line.size();
    if (bytes_.size() + needed > 2 * kKeptMax) forget_all_but(kKeptMax);
    if (bytes_.size() + needed > bytes_.capacity()) {
      bytes_.reserve(std::max(bytes_.size() + needed, std::min(2 * bytes_.capacity(), 2 * kKeptMax)));
    }
    bytes_.append(reinterpret_cast<const char*>(&head), sizeof head).append(line);
  }

  // Calls visit(head, line) for each, the oldest first.
  template <class Visit>
  void visit(const Visit& visit) const {
    for (std::size_t at = 0; at < bytes_.size();) {
      const auto head = head_at(at);
      visit(head, std::string_view{bytes_}.substr(at + sizeof head, head.size));
      at += sizeof head + head.size;
    }
  }

 private:
  [[nodiscard]] Head head_at(std::size_t at) const noexcept {
    Head head{};
    std::memcpy(&head, bytes_.data() + at, sizeof head);
    return head;
  }

  void forget_all_but(std::size_t bytes) {
    std::size_t at = 0;
    while (bytes_.size() - at > bytes) at += sizeof(Head) + head_at(at).size;
    bytes_.erase(0, at);
  }

  std::string bytes_;
};

}  // namespace holdfast::up
