// Small pieces of the texts that programs read: metrics, logs, JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <holdfast/time.hpp>

namespace holdfast::detail {

// The length of the character that `text` begins with, or 0 if it is not well-formed UTF-8 (Unicode 15, table 3-7).
std::size_t utf8_character(std::string_view text) noexcept;

// In double quotes, as JSON and logfmt have it: quotes, backslashes and control characters are escaped, and a byte that
// is not UTF-8 becomes U+FFFD. So whatever an error says, it is one line and one value.
std::string quoted(std::string_view text);

// "1.5": a length of time in seconds, exact, without closing zeros.
std::string in_seconds(Duration duration);

}  // namespace holdfast::detail
