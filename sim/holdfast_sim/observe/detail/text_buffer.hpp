// Text that is put together piece by piece and written out in one go: a std::string without its price for each piece.
//
// Thread-safety: none.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

namespace holdfast::sim::detail {

class TextBuffer {
 public:
  TextBuffer() = default;
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;

  [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), size()}; }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(next_ - text_.data()); }
  void clear() noexcept { next_ = text_.data(); }

  void put(char c) {
    *room(1) = c;
    took(1);
  }
  void put(std::string_view piece) {
    if (piece.empty()) return;
    std::memcpy(room(piece.size()), piece.data(), piece.size());
    took(piece.size());
  }
  template <class Number>
  void put_number(Number number) {
    constexpr std::size_t kDigitsMax = 20;  // of 64 bits, with a sign
    char* const at = room(kDigitsMax);
    took(static_cast<std::size_t>(std::to_chars(at, at + kDigitsMax, number).ptr - at));
  }
  // What stands at `from` once more.
  void repeat(std::size_t from, std::size_t characters) {
    char* const at = room(characters);
    std::memcpy(at, text_.data() + from, characters);
    took(characters);
  }
  void replace(std::size_t at, char by) noexcept { text_[at] = by; }

  // Where the next `wanted` characters go; took() says how many did.
  [[nodiscard]] char* room(std::size_t wanted) {
    if (static_cast<std::size_t>(end_ - next_) < wanted) [[unlikely]]
      grow(wanted);
    return next_;
  }
  void took(std::size_t characters) noexcept { next_ += characters; }

 private:
  [[gnu::noinline, gnu::cold]] void grow(std::size_t wanted) {
    const std::size_t used = size();
    text_.resize(2 * (text_.size() + wanted));
    next_ = text_.data() + used;
    end_ = text_.data() + text_.size();
  }

  std::vector<char> text_;
  char* next_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace holdfast::sim::detail
