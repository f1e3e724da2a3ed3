// Small helpers for reading text that a person wrote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#pragma GCC visibility push(default)

namespace holdfast::file {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

// ASCII letters alone.
inline std::string lower_case(std::string_view text) {
  std::string lower{text};
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Without the blanks at both ends.
inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// The number that the text begins with, taken off it; "1_000" is a thousand. nullopt: none, or one of too many digits.
inline std::optional<std::uint64_t> take_number(std::string_view& text) {
  constexpr std::size_t kDigitsMax = 18;
  std::uint64_t number = 0;
  std::size_t digits = 0;
  for (; !text.empty() && (is_digit(text.front()) || (digits > 0 && text.front() == '_')); text.remove_prefix(1)) {
    if (text.front() == '_') continue;
    if (++digits > kDigitsMax) return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(text.front() - '0');
  }
  return digits > 0 ? std::optional{number} : std::nullopt;
}

}  // namespace holdfast::file

#pragma GCC visibility pop
