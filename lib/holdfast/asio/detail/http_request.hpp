// Reading a request of HTTP: where its head ends, what it asks for, and what to answer if it cannot be read.
//
// It says nothing about sockets, so that every kind of request can be tested in a line.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::detail {

// A head that is whole, or cannot become one.
struct Request {
  bool is_head = false;  // HEAD: the answer has no body
  bool keep_alive = false;
  unsigned version = 11;  // 10 or 11, for the answer
  bool accepts_gzip = false;
  std::string path;      // without a query, percent-encoded letters and figures decoded
  unsigned refused = 0;  // the status to answer with; 0: none
  std::string reason;    // in that case, a line
};

struct RequestRules {
  std::size_t head_bytes_max;
  // By which names it may be asked for; "*": by any. Addresses and localhost always.
  std::vector<std::string> hosts;
};

// `received`: what has been read. Of the first `seen` bytes it is known that no head ends there. nullopt: more is to
// come. Sets `size` to the length of the head, which is what the next request comes behind.
std::optional<Request> read_request(std::string_view received, std::size_t& seen, std::size_t& size,
                                    const RequestRules& rules);

}  // namespace holdfast::detail
