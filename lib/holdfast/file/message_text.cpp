#include <holdfast/file/message_text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include <holdfast/detail/text.hpp>

namespace holdfast::file {

namespace {

constexpr std::size_t kQuotedMax = 80;      // bytes of a text that is quoted
constexpr std::size_t kPrintableMax = 500;  // bytes of a text that others wrote
constexpr std::size_t kComparedMax = 128;   // bytes of a word that is looked for; longer ones have no nearest

// A character that is well-formed.
void append_escaped(std::string& text, std::string_view character, bool quoted) {
  if (holdfast::detail::is_invisible(character)) {
    holdfast::detail::append_escape(text, holdfast::detail::code_point(character));
  } else {
    if (quoted && (character == "\"" || character == "\\")) text += '\\';
    text += character;
  }
}

// A byte that is not UTF-8: `\xff`.
void append_byte(std::string& text, unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  ((text += "\\x") += kDigits[byte >> 4]) += kDigits[byte & 0xf];
}

// The first bytes of a text, as many as are allowed or a few more, so that no letter is cut; they are taken off it.
std::string escaped(std::string_view& text, std::size_t at_most, bool quoted) {
  std::string result;
  for (std::size_t taken = 0; !text.empty() && taken < at_most;) {
    const std::size_t length = holdfast::detail::utf8_character(text);
    if (length == 0) {
      append_byte(result, static_cast<unsigned char>(text.front()));
    } else {
      append_escaped(result, text.substr(0, length), quoted);
    }
    const std::size_t bytes = std::max<std::size_t>(length, 1);
    text.remove_prefix(bytes);
    taken += bytes;
  }
  return result;
}

// Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, kComparedMax + 1>, 3> rows{};  // only the last three are needed
  std::iota(rows[0].begin(), rows[0].end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& last = rows[(i + 2) % 3];
    const auto& before_last = rows[(i + 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

}  // namespace

std::string in_quotes(std::string_view text) {
  const auto shown = escaped(text, kQuotedMax, true);
  return '"' + shown + (text.empty() ? "\"" : "…\"");
}

std::string listed(const std::vector<std::string_view>& words, std::size_t at_most) {
  std::string text;
  for (std::size_t i = 0; i < words.size() && i < at_most; ++i) {
    if (i > 0) text += ", ";
    text += words[i];
  }
  if (words.size() > at_most) text += " and " + std::to_string(words.size() - at_most) + " more";
  return text;
}

std::string decimal(double number) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  const std::string_view text{buffer.data(), static_cast<std::size_t>(end - buffer.data())};
  const bool whole = text.find_first_not_of("-0123456789") == std::string_view::npos;
  return std::string{text} + (whole ? ".0" : "");
}

std::size_t invalid_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = holdfast::detail::utf8_character(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

std::string did_you_mean(std::string_view near, std::string rest) {
  if (near.empty()) return rest;
  rest.front() = static_cast<char>(rest.front() - 'a' + 'A');
  return "did you mean " + in_quotes(near) + "? " + rest;
}

std::string printable(std::string_view text) {
  const auto shown = escaped(text, kPrintableMax, false);
  return shown + (text.empty() ? "" : "…");
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  if (word.size() > kComparedMax) return best;
  for (const auto candidate : candidates) {
    if (candidate.size() >= word.size() + best_distance || word.size() >= candidate.size() + best_distance) continue;
    if (candidate.size() > kComparedMax) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace holdfast::file
