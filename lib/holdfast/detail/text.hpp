// Small pieces of the texts that programs read: metrics, logs, JSON. It is a header only, because several libraries use
// it and none exports it.
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

// The number of a character. REQUIRES: `character` is one well-formed character.
inline char32_t code_point(std::string_view character) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(character[i])); };
  constexpr char32_t kLeadBits[] = {0x7f, 0x7f, 0x1f, 0x0f, 0x07};
  char32_t code = byte(0) & kLeadBits[character.size()];
  for (std::size_t i = 1; i < character.size(); ++i) code = (code << 6) | (byte(i) & 0x3f);
  return code;
}

// Whether a character shows nothing, breaks the line, or changes how its neighbours are shown, so that a text is not
// what it looks like: C0, DEL and C1 controls (terminals obey all of them), the separators of lines and paragraphs,
// controls of the writing direction, joiners, fillers, invisible operators and tags (Unicode 15: Cc, Zl, Zp, and what
// is Cf or a filler by Default_Ignorable_Code_Point, but for the variation selectors that emoji carry). Every text that
// leaves for a log, a terminal or a JSON file has these escaped, and no name has one.
inline bool is_invisible(std::string_view character) noexcept {
  if (character.size() == 1) return character[0] < 0x20 || character[0] == 0x7f;  // most are of these
  struct Range {
    char32_t first, last;
  };
  constexpr Range kInvisible[] = {
      {0x80, 0x9f},     {0xad, 0xad},     {0x34f, 0x34f},     {0x61c, 0x61c},     {0x115f, 0x1160},   {0x17b4, 0x17b5},
      {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},   {0x3164, 0x3164},   {0xfeff, 0xfeff},
      {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
  };
  const char32_t code = code_point(character);
  for (const Range& range : kInvisible) {
    if (code <= range.last) return code >= range.first;
  }
  return false;
}

// As in JSON: `\n`, `\u001b`, and a pair of surrogates above U+FFFF.
inline void append_escape(std::string& to, char32_t code) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto unit = [&to, kDigits](char32_t value) {
    to += "\\u";
    for (const unsigned shift : {12U, 8U, 4U, 0U}) to += kDigits[(value >> shift) & 0xf];
  };
  switch (code) {
    case '\n': to += "\\n"; return;
    case '\r': to += "\\r"; return;
    case '\t': to += "\\t"; return;
    default: break;
  }
  if (code <= 0xffff) return unit(code);
  unit(0xd800 + ((code - 0x10000) >> 10));
  unit(0xdc00 + ((code - 0x10000) & 0x3ff));
}

// In double quotes, as in JSON and logfmt: quotes, backslashes and invisible characters are escaped, and a byte that is
// not UTF-8 becomes U+FFFD. Any text of an error is therefore one line and one value.
inline std::string quoted(std::string_view text) {
  std::string to = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_character(text);
    const std::string_view character = text.substr(0, length);
    if (length == 0) {
      to += "\ufffd";
    } else if (is_invisible(character)) {
      append_escape(to, code_point(character));
    } else {
      if (character == "\"" || character == "\\") to += '\\';
      to += character;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return to += '"';
}

// A JSON text of another writer, which escapes what JSON demands: with invisible characters escaped as well.
inline std::string without_invisible(std::string_view json) {
  std::string to;
  to.reserve(json.size());
  while (!json.empty()) {
    const std::size_t length = utf8_character(json);
    const std::string_view character = json.substr(0, length == 0 ? 1 : length);
    if (length > 1 ? is_invisible(character) : character == "\x7f") {
      append_escape(to, code_point(character));
    } else {
      to += character;
    }
    json.remove_prefix(character.size());
  }
  return to;
}

// The offset of the first invisible character in a text, or npos. What is not UTF-8 is passed over.
inline std::size_t find_invisible(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_character(text.substr(at));
    if (length > 0 && is_invisible(text.substr(at, length))) return at;
    at += length == 0 ? 1 : length;
  }
  return std::string_view::npos;
}

// Whether a character is seen as nothing but a gap (Unicode 15: Zs).
inline bool is_blank(std::string_view character) noexcept {
  const char32_t code = code_point(character);
  return code == 0x20 || code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x202f ||
         code == 0x205f || code == 0x3000;
}

// "begins with a blank", or "ends with" one; empty: it does neither.
inline std::string_view blank_at_an_end(std::string_view text) noexcept {
  const std::size_t first = utf8_character(text);
  if (first > 0 && is_blank(text.substr(0, first))) return "begins with a blank";
  for (std::size_t length = 1; length <= 3 && length <= text.size(); ++length) {
    const std::string_view last = text.substr(text.size() - length);
    if (utf8_character(last) == length) return is_blank(last) ? "ends with a blank" : std::string_view{};
  }
  return {};
}

// "U+202E".
inline std::string code_point_text(char32_t code) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (; code > 0 || text.size() < 4; code >>= 4) text.insert(text.begin(), kDigits[code & 0xf]);
  return "U+" + text;
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
