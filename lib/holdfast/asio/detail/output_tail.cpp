#include <holdfast/asio/detail/output_tail.hpp>

#include <algorithm>

namespace holdfast::detail {

namespace {

constexpr bool continues(unsigned char byte) noexcept { return (byte & 0xc0) == 0x80; }

// The length of the character at the beginning of `text` (Unicode 15, table 3-7); 0: not well-formed.
std::size_t length_of_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : '\0'); };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4 || !continues(byte(1))) return 0;
  if (first < 0xe0) return 2;
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;  // overlong, surrogate
  if (!continues(byte(2))) return 0;
  if (first < 0xf0) return 3;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;  // overlong, too large
  return continues(byte(3)) ? 4 : 0;
}

constexpr bool can_be_shown(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || c == '\n' || c == '\t';
}

}  // namespace

void OutputTail::append(std::string_view written) {
  size_ += written.size();
  bytes_ += written.substr(written.size() - std::min(written.size(), kept_max_));
  if (bytes_.size() > 2 * kept_max_) bytes_.erase(0, bytes_.size() - kept_max_);
}

std::string_view OutputTail::kept() const noexcept {
  std::string_view last{bytes_};
  last.remove_prefix(last.size() - std::min(last.size(), kept_max_));
  return last;
}

std::string OutputTail::text() const {
  std::string_view rest = kept();
  if (size_ > rest.size()) {  // it may begin in the middle of a character
    for (int i = 0; i < 3 && !rest.empty() && continues(static_cast<unsigned char>(rest.front())); ++i) {
      rest.remove_prefix(1);
    }
  }
  while (rest.ends_with('\n') || rest.ends_with('\r')) rest.remove_suffix(1);
  std::string shown;
  shown.reserve(rest.size());
  while (!rest.empty()) {
    const std::size_t length = length_of_character(rest);
    if (length > 1 || (length == 1 && can_be_shown(rest.front()))) {
      shown += rest.substr(0, length);
    } else {
      shown += '?';
    }
    rest.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return shown;
}

std::string OutputTail::suffix() const {
  if (size_ == 0) return {};
  const std::size_t shown = kept().size();
  if (shown == size_) return "; its output: " + text();
  return "; the last " + std::to_string(shown) + " of " + std::to_string(size_) + " bytes of its output: " + text();
}

}  // namespace holdfast::detail
