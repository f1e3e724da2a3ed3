// Small pieces of the texts that programs read: metrics, logs, JSON. A header only: what uses it is in several
// libraries, and it is none of what they export.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <holdfast/time.hpp>

namespace holdfast::detail {

// The length of the character that `text` begins with, or 0 if it is not well-formed UTF-8 (Unicode 15, table 3-7).
inline std::size_t utf8_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i, unsigned from = 0x80, unsigned to = 0xbf) {
    return byte(i) >= from && byte(i) <= to;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned from = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned to = first == 0xed ? 0x9f : 0xbf;
    return follows(1, from, to) && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned from = first == 0xf0 ? 0x90 : 0x80;
    const unsigned to = first == 0xf4 ? 0x8f : 0xbf;
    return follows(1, from, to) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

// C0, DEL, and C1 (U+0080 to U+009F), which terminals obey as well.
inline bool is_control(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  return byte(0) < 0x20 || byte(0) == 0x7f || (byte(0) == 0xc2 && byte(1) < 0xa0);
}

// `\n`, or `\u001b`.
inline void append_escape(std::string& to, unsigned char code) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (code) {
    case '\n': to += "\\n"; return;
    case '\r': to += "\\r"; return;
    case '\t': to += "\\t"; return;
    default: ((to += "\\u00") += kDigits[code >> 4]) += kDigits[code & 0xf];
  }
}

// In double quotes, as JSON and logfmt have it: quotes, backslashes and control characters are escaped, and a byte that
// is not UTF-8 becomes U+FFFD. So whatever an error says, it is one line and one value.
inline std::string quoted(std::string_view text) {
  std::string to = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_character(text);
    const std::string_view character = text.substr(0, length);
    if (length == 0) {
      to += "\ufffd";
    } else if (is_control(character)) {
      append_escape(to, static_cast<unsigned char>(character.back()));
    } else {
      if (character == "\"" || character == "\\") to += '\\';
      to += character;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return to += '"';
}

// "1.5": a length of time in seconds, exact, without closing zeros.
inline std::string in_seconds(Duration duration) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const auto count = static_cast<std::uint64_t>(duration.count());
  const std::uint64_t size = duration < Duration::zero() ? ~count + 1 : count;
  std::string text = (duration < Duration::zero() ? "-" : "") + std::to_string(size / kSecond);
  if (const std::uint64_t rest = size % kSecond; rest != 0) {
    std::string digits = std::to_string(kSecond + rest);  // "1" and nine digits
    digits[0] = '.';
    digits.erase(digits.find_last_not_of('0') + 1);
    text += digits;
  }
  return text;
}

}  // namespace holdfast::detail
