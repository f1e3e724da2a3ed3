// The last part of a process's output, and how long the output was in all.
//
// It takes twice the memory of what it keeps, whatever is appended.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::detail {

class OutputTail {
 public:
  // Keeps the last `kept_max` bytes.
  explicit OutputTail(std::size_t kept_max) : kept_max_(kept_max) {}

  void append(std::string_view written);

  // The length of everything that was appended.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  // The kept bytes, as text that can be shown: without line breaks at its end, and with a question mark for every byte
  // that is neither well-formed UTF-8 nor a tabulator, a line break or printable.
  [[nodiscard]] std::string text() const;

  // "; its output: …", "; the last 4096 of 70000 bytes of its output: …", or nothing if there was none.
  [[nodiscard]] std::string suffix() const;

 private:
  [[nodiscard]] std::string_view kept() const noexcept;

  const std::size_t kept_max_;
  std::uint64_t size_ = 0;
  std::string bytes_;  // the latest, up to twice as many as are kept
};

}  // namespace holdfast::detail
