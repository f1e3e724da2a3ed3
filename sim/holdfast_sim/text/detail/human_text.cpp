#include <holdfast_sim/text/detail/human_text.hpp>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <holdfast/detail/text.hpp>

namespace holdfast::sim::detail {

namespace {

constexpr std::uint64_t kMicrosecond = 1'000;
constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMinute = 60 * kSecond;
constexpr std::uint64_t kHour = 60 * kMinute;
constexpr std::uint64_t kDay = 24 * kHour;
constexpr std::uint64_t kYear = 365 * kDay;

constexpr std::uint64_t rounded(std::uint64_t value, std::uint64_t unit) { return (value + unit / 2) / unit; }

// Three digits in the first unit of which that is less than the next one.
std::string below_a_minute(std::uint64_t ns) {
  if (ns == 0) return "0s";
  struct Unit {
    std::uint64_t ns;
    std::uint64_t next;  // as so many of this one
    std::string_view name;
  };
  constexpr std::array<Unit, 4> kUnits{
      {{1, 1000, "ns"}, {kMicrosecond, 1000, "us"}, {kMillisecond, 1000, "ms"}, {kSecond, 60, "s"}}};
  for (const auto& unit : kUnits) {
    const int decimals = unit.ns == 1 || ns >= 100 * unit.ns ? 0 : ns >= 10 * unit.ns ? 1 : 2;
    const std::uint64_t scale = decimals == 0 ? 1 : decimals == 1 ? 10 : 100;
    const std::uint64_t scaled = (ns * scale + unit.ns / 2) / unit.ns;
    if (scaled >= unit.next * scale) continue;
    std::string digits = fmt::format("{}", scaled / scale);
    if (scaled % scale > 0) digits += fmt::format(".{:0{}}", scaled % scale, decimals);
    if (scaled % scale > 0 && digits.back() == '0') digits.pop_back();
    return digits + std::string{unit.name};
  }
  return "1min";
}

// "12min30s" of a length already rounded to whole `small`s; a zero part is left out.
std::string two_units(std::uint64_t ns, std::uint64_t big, std::string_view big_name, std::uint64_t small,
                      std::string_view small_name) {
  std::string text = fmt::format("{}{}", ns / big, big_name);
  if (ns % big >= small) text += fmt::format("{}{}", ns % big / small, small_name);
  return text;
}

std::uint64_t magnitude(Duration length) {
  return static_cast<std::uint64_t>(std::max(length.count(), Duration::rep{0}));
}

}  // namespace

std::string human(Duration length) {
  const std::uint64_t ns = magnitude(length);
  if (ns < kMinute) return below_a_minute(ns);
  if (const auto s = rounded(ns, kSecond) * kSecond; s < kHour) return two_units(s, kMinute, "min", kSecond, "s");
  if (const auto m = rounded(ns, kMinute) * kMinute; m < kDay) return two_units(m, kHour, "h", kMinute, "min");
  if (const auto h = rounded(ns, kHour) * kHour; h < kYear) return two_units(h, kDay, "d", kHour, "h");
  return two_units(rounded(ns, kDay) * kDay, kYear, "y", kDay, "d");
}

std::string human(ServiceTime length) {
  constexpr ServiceTime kMax = INT64_MAX;
  if (length <= kMax) return human(Duration{static_cast<std::int64_t>(length)});
  return human(static_cast<std::uint64_t>(length / kYear)) + "y";
}

std::string moment(TimePoint at) {
  constexpr auto kWithoutLess = static_cast<std::int64_t>(kSecond);
  constexpr auto kLeast = static_cast<std::int64_t>(kMillisecond);
  if (at.nanoseconds >= kWithoutLess && at != TimePoint::max()) at.nanoseconds -= at.nanoseconds % kLeast;
  return holdfast::to_string(at);
}

std::string human(TimePoint at) {
  const std::uint64_t ns = magnitude(at - TimePoint{});
  if (ns < kMinute) return below_a_minute(ns);
  const std::uint64_t s = rounded(ns, kSecond) * kSecond;
  std::string text;
  if (s >= kDay) text += fmt::format("{}d", s / kDay);
  if (s % kDay >= kHour || (s >= kDay && s % kDay > 0)) text += fmt::format("{}h", s % kDay / kHour);
  if (s % kHour >= kMinute || (s >= kHour && s % kHour > 0)) text += fmt::format("{}min", s % kHour / kMinute);
  if (s % kMinute >= kSecond && s < kDay) text += fmt::format("{}s", s % kMinute / kSecond);
  return text;
}

std::string human(std::uint64_t count) {
  std::string digits = fmt::format("{}", count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ' ');
  return digits;
}

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", human(count), what, count == 1 ? "" : "s");
}

std::string percent(std::uint32_t ppm) {
  std::string text = fmt::format("{}.{:04}", ppm / 10'000, ppm % 10'000);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text + " %";
}

namespace {

struct CodePoints {
  char32_t first, last;
};
// Unicode 15: East_Asian_Width W and F, as ranges that take in what is not assigned.
constexpr auto kWide = std::to_array<CodePoints>(
    {{0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},   {0x23f0, 0x23f0},
     {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267f, 0x267f},
     {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},
     {0x26ce, 0x26ce},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
     {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},
     {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
     {0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},
     {0x2e80, 0x303e},   {0x3041, 0x3098},   {0x309b, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},
     {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},
     {0xffe0, 0xffe6},   {0x16fe0, 0x18d08}, {0x1aff0, 0x1b2fb}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf},
     {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c},
     {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4},
     {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e},
     {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f},
     {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d7}, {0x1f6dc, 0x1f6df}, {0x1f6eb, 0x1f6ec},
     {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7f0}, {0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff},
     {0x1fa70, 0x1faff}, {0x20000, 0x3fffd}});
// The marks on letters that names have most often, and the selectors of emoji.
constexpr auto kMarks = std::to_array<CodePoints>({{0x300, 0x36f},
                                                   {0x483, 0x489},
                                                   {0x591, 0x5bd},
                                                   {0x610, 0x61a},
                                                   {0x64b, 0x65f},
                                                   {0xe31, 0xe31},
                                                   {0xe34, 0xe3a},
                                                   {0xe47, 0xe4e},
                                                   {0x1ab0, 0x1aff},
                                                   {0x1dc0, 0x1dff},
                                                   {0x20d0, 0x20ff},
                                                   {0x3099, 0x309a},
                                                   {0xfe00, 0xfe0f},
                                                   {0xfe20, 0xfe2f}});

template <std::size_t kSize>
bool is_in(const std::array<CodePoints, kSize>& ranges, char32_t code) noexcept {
  const auto* const range = std::lower_bound(ranges.begin(), ranges.end(), code,
                                             [](const CodePoints& each, char32_t of) { return each.last < of; });
  return range != ranges.end() && code >= range->first;
}

// Of one character.
std::size_t columns_of_character(std::string_view character) noexcept {
  if (character.size() < 2) return 1;
  const auto code = holdfast::detail::code_point(character);
  return is_in(kWide, code) ? 2 : is_in(kMarks, code) ? 0 : 1;
}

}  // namespace

std::size_t columns(std::string_view text) noexcept {
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t length = holdfast::detail::utf8_character(text);
    used += columns_of_character(text.substr(0, length));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return used;
}

namespace {

bool is_figure(char c) { return c >= '0' && c <= '9'; }

// Whether a word goes on with the one behind it: "22" with "995", "50" with "%".
bool is_torn(std::string_view word, std::string_view next) {
  if (word.empty() || !is_figure(word.back())) return false;
  constexpr std::size_t kGroup = 3;
  const auto end = std::find_if_not(next.begin(), next.end(), is_figure);
  const auto figures = static_cast<std::size_t>(end - next.begin());
  const auto before = std::find_if_not(word.rbegin(), word.rend(), is_figure);
  const auto leading = static_cast<std::size_t>(before - word.rbegin());
  const bool is_decimal = before != word.rend() && *before == '.';
  const bool goes_on = end != next.end() && *end >= 'a' && *end <= 'z';  // "100ms"
  if (figures == kGroup && !goes_on && leading <= kGroup && !is_decimal) return true;
  constexpr std::array<std::string_view, 9> kUnitNames{"%", "ns", "us", "ms", "s", "min", "h", "d", "times"};
  const auto name = next.substr(0, next.find_first_of(".,;:)"));
  return std::find(kUnitNames.begin(), kUnitNames.end(), name) != kUnitNames.end();
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, length);
    if (length > 0 && !words.empty() && is_torn(words.back(), word)) {
      words.back() += ' ' + std::string{word};
    } else if (length > 0) {
      words.emplace_back(word);
    }
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return words;
}

std::string wrapped(const std::vector<std::string>& words, std::size_t indent, std::size_t width) {
  std::string text;
  std::size_t used = width;
  for (const auto& word : words) {
    const std::size_t length = columns(word);
    if (text.empty() || used + 1 + length > width) {
      used = text.empty() ? std::min(indent, std::size_t{2}) : indent;
      text += (text.empty() ? "" : "\n") + std::string(used, ' ');
    } else {
      text += ' ';
      ++used;
    }
    text += word;
    used += length;
  }
  return text.empty() ? text : text + '\n';
}

namespace {

// Without escape sequences for colours.
std::size_t shown_columns(std::string_view text) {
  std::size_t used = 0;
  while (!text.empty()) {
    if (text.starts_with("\x1b[")) {
      text.remove_prefix(std::min(text.find('m') + 1, text.size()));
      continue;
    }
    const std::size_t length = holdfast::detail::utf8_character(text);
    used += columns_of_character(text.substr(0, length));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return used;
}

}  // namespace

std::string folded(std::string_view line, std::size_t width) {
  if (shown_columns(line) <= width) return std::string{line} + '\n';
  constexpr std::size_t kFurther = 4;
  const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
  std::string text;
  std::size_t used = 0;
  for (const auto& word : words_of(line)) {
    const std::size_t length = shown_columns(word);
    if (text.empty()) {
      text = std::string(indent, ' ');
      used = indent;
    } else if (used + 1 + length > width) {
      text += '\n' + std::string(indent + kFurther, ' ');
      used = indent + kFurther;
    } else {
      text += ' ';
      ++used;
    }
    text += word;
    used += length;
  }
  return text + '\n';
}

TextTable::TextTable(std::vector<std::string> headings) {
  for (std::size_t i = 0; i < headings.size(); ++i) {
    const bool marked = !headings[i].empty() && headings[i].front() == '<';
    left_.push_back(i == 0 || marked);
    if (marked) headings[i].erase(0, 1);
  }
  rows_.push_back(std::move(headings));
}

void TextTable::add(std::vector<std::string> cells) {
  cells.resize(left_.size());
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> TextTable::widths() const {
  std::vector<std::size_t> widest(left_.size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widest[i] = std::max(widest[i], columns(row[i]));
  }
  return widest;
}

bool TextTable::headed() const {
  const auto& headings = rows_.front();
  return std::any_of(headings.begin(), headings.end(), [](const auto& cell) { return !cell.empty(); });
}

std::string TextTable::row(std::size_t index, const std::vector<std::size_t>& widest) const {
  std::string line;
  for (std::size_t i = 0; i < left_.size(); ++i) {
    const auto& cell = rows_[index][i];
    const std::string padding(widest[i] - columns(cell), ' ');
    line += (i > 0 ? "  " : "") + (left_[i] ? cell + padding : padding + cell);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string TextTable::paragraph(std::size_t index, std::size_t indent, std::size_t width) const {
  const auto& headings = rows_.front();
  const auto& cells = rows_[index];
  const bool with_headings = headed();
  std::vector<std::string> pieces;  // each stays in one line if it fits
  for (std::size_t i = with_headings ? 1 : 0; i < cells.size(); ++i) {
    if (cells[i].empty()) continue;
    pieces.push_back(headings[i].empty() ? cells[i] : headings[i] + ' ' + cells[i]);
    if (with_headings) pieces.back() += ',';
  }
  if (with_headings && !pieces.empty()) pieces.back().pop_back();
  std::vector<std::string> words;
  for (const auto& piece : pieces) {
    const auto parts = indent + 2 + columns(piece) > width ? words_of(piece) : std::vector{piece};
    words.insert(words.end(), parts.begin(), parts.end());
  }
  const auto rest = wrapped(words, indent + 2, width);
  return with_headings ? folded(std::string(indent, ' ') + cells.front(), width) + rest : rest;
}

std::size_t TextTable::whole_width(std::size_t indent) const {
  const auto widest = widths();
  std::size_t whole = indent + 2 * (widest.size() - 1);
  for (const auto one : widest) whole += one;
  return whole;
}

bool TextTable::fits(std::size_t indent, std::size_t width) const {
  const std::size_t whole = whole_width(indent);
  return whole <= width;
}

std::vector<std::string> TextTable::pieces(std::size_t indent, std::size_t width) const {
  std::vector<std::string> all;
  all.reserve(rows_.size());
  if (!fits(indent, width)) {
    for (std::size_t r = 1; r < rows_.size(); ++r) all.push_back(paragraph(r, indent, width));
    return all;
  }
  const auto widest = widths();
  for (std::size_t r = headed() ? 0 : 1; r < rows_.size(); ++r) {
    const auto line = row(r, widest);
    all.push_back((line.empty() ? "" : std::string(indent, ' ') + line) + '\n');
  }
  return all;
}

std::string TextTable::text(std::size_t indent, std::size_t width) const {
  std::string text;
  const bool heads_paragraphs = !fits(indent, width) && headed() && !rows_.front().front().empty();
  if (heads_paragraphs) text = std::string(indent, ' ') + rows_.front().front() + '\n';
  for (const auto& piece : pieces(indent, width)) text += piece;
  return text;
}

}  // namespace holdfast::sim::detail
