#include <holdfast_sim/detail/message_text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

namespace holdfast::sim::detail {

namespace {

constexpr std::size_t kQuotedMax = 80;      // bytes of a text that is quoted
constexpr std::size_t kPrintableMax = 500;  // bytes of a text that others wrote
constexpr std::size_t kComparedMax = 128;   // bytes of a word that is looked for; longer ones have no nearest

void append_hexadecimal(std::string& text, std::string_view prefix, std::size_t digits, unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  text += prefix;
  text.append(digits - 2, '0');
  text += kDigits[byte >> 4];
  text += kDigits[byte & 0xf];
}

void append_escaped(std::string& text, char c, bool quoted) {
  const auto byte = static_cast<unsigned char>(c);
  if (quoted && (c == '"' || c == '\\')) {
    text += '\\';
    text += c;
  } else if (c == '\n') {
    text += "\\n";
  } else if (c == '\t') {
    text += "\\t";
  } else if (byte < 0x20 || byte == 0x7f) {
    append_hexadecimal(text, "\\u", 4, byte);
  } else {
    text += c;
  }
}

// The length of the valid UTF-8 sequence that `text` begins with, or 0. Overlong forms, surrogates and what is above
// U+10FFFF are not valid (The Unicode Standard, table 3-7).
std::size_t sequence_length(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t from, std::size_t to) {
    if (text.size() < to) return false;
    return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(from), text.begin() + static_cast<std::ptrdiff_t>(to),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; });
  };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1, 2) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    if (!continues(1, 3)) return 0;
    const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = lead == 0xed && byte(1) > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if (!continues(1, 4)) return 0;
    const bool overlong = lead == 0xf0 && byte(1) < 0x90;
    const bool too_high = lead == 0xf4 && byte(1) > 0x8f;
    return overlong || too_high ? 0 : 4;
  }
  return 0;
}

// The first bytes of a text, as many as are allowed or a few more, so that no letter is cut; they are taken off it.
std::string escaped(std::string_view& text, std::size_t at_most, bool quoted) {
  std::string result;
  for (std::size_t taken = 0; !text.empty() && taken < at_most;) {
    const std::size_t length = sequence_length(text);
    if (length == 0) {
      append_hexadecimal(result, "\\x", 2, static_cast<unsigned char>(text.front()));
    } else if (length == 1) {
      append_escaped(result, text.front(), quoted);
    } else {
      result += text.substr(0, length);
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

std::string printable(std::string_view text) {
  const auto shown = escaped(text, kPrintableMax, false);
  return shown + (text.empty() ? "" : "…");
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
    const std::size_t length = sequence_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
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

std::string did_you_mean(std::string_view near, std::string rest) {
  if (near.empty()) return rest;
  rest.front() = static_cast<char>(rest.front() - 'a' + 'A');
  return "did you mean " + in_quotes(near) + "? " + rest;
}

}  // namespace holdfast::sim::detail
