// The wording that all messages about bad input share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#pragma GCC visibility push(default)

namespace holdfast::file {

// Makes a foreign text (a path, an error) fit for a line of a message: control characters, invisible characters and
// bytes that are not UTF-8 are escaped, and a long text is cut with "…".
std::string printable(std::string_view text);

// The same in double quotes, with quotes escaped, and cut earlier.
std::string in_quotes(std::string_view text);

// "a, b, c"; with more than so many, the first ones and how many follow.
std::string listed(const std::vector<std::string_view>& words, std::size_t at_most = 20);

// The shortest decimal text that gives the same number back: "0.5", "42.0", "nan".
std::string decimal(double number);

// The position of the first byte that is not part of valid UTF-8, or npos.
std::size_t invalid_utf8(std::string_view text) noexcept;

// The candidate that is spelt most like `word`, or an empty text if none is near. It counts letters that were inserted,
// left out, replaced or swapped with their neighbour. Of several candidates the first one wins.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

// "did you mean "feed"? There are: …", or "there are: …" if nothing is near. REQUIRES: `rest` begins with a letter.
std::string did_you_mean(std::string_view near, std::string rest);

}  // namespace holdfast::file

#pragma GCC visibility pop
