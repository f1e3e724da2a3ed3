// The wording that all messages about bad input share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sim::detail {

// In double quotes, control characters and quotes escaped, bytes that are no UTF-8 as \xNN, and cut with "…" where it
// is long.
std::string in_quotes(std::string_view text);

// The same without the quotes, and longer: a path, or what another library says about the input.
std::string printable(std::string_view text);

// "a, b, c"; with more than so many, the first ones and how many follow.
std::string listed(const std::vector<std::string_view>& words, std::size_t at_most = 20);

// The shortest decimal text that gives the same number back: "0.5", "42.0", "nan".
std::string decimal(double number);

// The position of the first byte that is not part of valid UTF-8, or npos.
std::size_t invalid_utf8(std::string_view text) noexcept;

// The candidate that is spelt most like `word`, or empty if none is near: few letters inserted, left out, replaced or
// swapped with their neighbour. Of several the first.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

// "did you mean "feed"? There are: …", or "there are: …" if nothing is near. REQUIRES: `rest` begins with a letter.
std::string did_you_mean(std::string_view near, std::string rest);

}  // namespace holdfast::sim::detail
