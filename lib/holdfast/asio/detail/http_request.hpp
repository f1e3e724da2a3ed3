// Reading a request of HTTP: where its head ends, what it asks for, and what to answer if it cannot be read.
//
// It knows nothing of sockets, so that a test of a request takes a line.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::detail {

// A complete head, or one that can no longer become valid.
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
  // The host names that are served; "*": any. Addresses and localhost always are.
  std::vector<std::string> hosts;
};

// `received`: the bytes that have been read. No head ends in the first `seen` of them. nullopt: the head is not
// complete. Sets `size` to the length of the head; the next request follows it.
std::optional<Request> read_request(std::string_view received, std::size_t& seen, std::size_t& size,
                                    const RequestRules& rules);

}  // namespace holdfast::detail
