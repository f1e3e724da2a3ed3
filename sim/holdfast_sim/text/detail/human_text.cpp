#include <holdfast_sim/text/detail/human_text.hpp>

#include <algorithm>
#include <array>

#include <fmt/format.h>

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
  constexpr std::int64_t kSecond = 1'000'000'000;
  constexpr std::int64_t kMillisecond = 1'000'000;
  if (at.nanoseconds >= kSecond && at != TimePoint::max()) at.nanoseconds -= at.nanoseconds % kMillisecond;
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

std::size_t columns(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find(' '), text.size());
    if (length > 0) words.emplace_back(text.substr(0, length));
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
    if ((text.front() & 0xc0) != 0x80) ++used;
    text.remove_prefix(1);
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

bool TextTable::fits(std::size_t indent, std::size_t width) const {
  const auto widest = widths();
  std::size_t whole = indent + 2 * (widest.size() - 1);
  for (const auto one : widest) whole += one;
  return whole <= width;
}

std::string TextTable::text(std::size_t indent, std::size_t width) const {
  std::string text;
  if (!fits(indent, width)) {
    if (headed() && !rows_.front().front().empty()) text = std::string(indent, ' ') + rows_.front().front() + '\n';
    for (std::size_t r = 1; r < rows_.size(); ++r) text += paragraph(r, indent, width);
    return text;
  }
  const auto widest = widths();
  for (std::size_t r = headed() ? 0 : 1; r < rows_.size(); ++r) {
    const auto line = row(r, widest);
    text += (line.empty() ? "" : std::string(indent, ' ') + line) + '\n';
  }
  return text;
}

}  // namespace holdfast::sim::detail
