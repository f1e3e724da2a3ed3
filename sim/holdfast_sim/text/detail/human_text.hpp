// Numbers and texts as a person reads them in a terminal. Rounded: what has to be exact is in the JSON report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/time.hpp>
#include <holdfast_sim/text/detail/service_time.hpp>
#include <holdfast_sim/text/file.hpp>
#include <holdfast_sim/text/wording.hpp>

namespace holdfast::sim::detail {

// Three digits below a minute, two units above: "820ns", "51.1s", "12min30s", "3d4h", "3y132d". A year is 365 days.
std::string human(Duration length);
std::string human(ServiceTime length);

// A moment since virtual time zero, to the second above a minute: "51.1s", "1h0min5s", "687d17h5min".
std::string human(TimePoint at);

// The same for what follows close on each other: to the millisecond, and exact within the first second.
std::string moment(TimePoint at);

// "1 234 567".
std::string human(std::uint64_t count);

// "1 service", "1 000 services".
std::string counted(std::uint64_t count, std::string_view what);

// Millionths as percent, no digit lost: "99.9312 %", "100 %".
std::string percent(std::uint32_t ppm);

// How many columns of a terminal a UTF-8 text takes: two for a wide letter (Chinese, Japanese, Korean, emoji), none for
// a mark on the letter before, one for each other code point. Bytes that are no UTF-8 take one each.
std::size_t columns(std::string_view text) noexcept;

// What stays in one line: a number with blanks between its digits ("22 995") or before its unit ("50 %") is one word.
std::vector<std::string> words_of(std::string_view text);

// Words in lines of at most `width` columns, but for longer words. Each line but the first, which begins after two
// spaces, begins after `indent`. Ends with a line feed unless there are no words.
std::string wrapped(const std::vector<std::string>& words, std::size_t indent, std::size_t width);

// The line in as many lines as `width` demands: it breaks at blanks, and what follows begins four columns further in
// than the line does. Escape sequences for colours take no columns. A word that is longer than a line stands alone, and
// whole.
std::string folded(std::string_view line, std::size_t width);

// Rows of cells in columns that are as wide as their widest cell, two spaces apart. The first column is left-aligned,
// as are those whose heading begins with "<", which is not printed; all others are right-aligned.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> headings);

  void add(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const noexcept { return rows_.size() == 1; }
  // Whether text() is a table.
  [[nodiscard]] bool fits(std::size_t indent, std::size_t width) const;
  // Every line begins with `indent` spaces. Without headings if all of them are empty. Where the table is wider than
  // `width`, each row is a paragraph instead: its first cell, then "heading cell" for all others that have one.
  [[nodiscard]] std::string text(std::size_t indent, std::size_t width) const;
  // The same in pieces: the headings, if it is a table, and each row, each with its line feeds.
  [[nodiscard]] std::vector<std::string> pieces(std::size_t indent, std::size_t width) const;
  // How wide the table is.
  [[nodiscard]] std::size_t whole_width(std::size_t indent) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;
  [[nodiscard]] bool headed() const;
  [[nodiscard]] std::string row(std::size_t index, const std::vector<std::size_t>& widest) const;
  [[nodiscard]] std::string paragraph(std::size_t index, std::size_t indent, std::size_t width) const;

  std::vector<std::vector<std::string>> rows_;  // the headings first
  std::vector<bool> left_;
};

}  // namespace holdfast::sim::detail
