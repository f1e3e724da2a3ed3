// Compresses text, a piece at a time, in the format that HTTP calls gzip (RFC 1952).
//
// Thread-safety: none.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::detail {

class Gzip {
 public:
  // Throws std::bad_alloc.
  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  void add(std::string_view text);
  // Everything that was added, compressed, in pieces. Nothing may be added after it.
  [[nodiscard]] std::vector<std::string> take();

 private:
  struct Stream;
  void run(int flush);

  std::unique_ptr<Stream> stream_;
  std::vector<std::string> pieces_;
};

}  // namespace holdfast::detail
