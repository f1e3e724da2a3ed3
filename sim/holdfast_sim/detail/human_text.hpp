// Numbers and texts as a person reads them in a terminal. Rounded: what has to be exact is in the JSON report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/time.hpp>
#include <holdfast_sim/fleet_timeline.hpp>

namespace holdfast::sim::detail {

// Three digits below a minute, two units above: "820ns", "51.1s", "12min30s", "3d4h", "3y132d". A year is 365 days.
std::string human(Duration length);
std::string human(ServiceTime length);

// A moment since virtual time zero, to the second above a minute: "51.1s", "1h0min5s", "687d17h5min".
std::string human(TimePoint at);

// "1 234 567".
std::string human(std::uint64_t count);

// "1 service", "1 000 services".
std::string counted(std::uint64_t count, std::string_view what);

// Millionths as percent, no digit lost: "99.9312 %", "100 %".
std::string percent(std::uint32_t ppm);

// How many columns of a terminal a UTF-8 text takes, one for each code point.
std::size_t columns(std::string_view text) noexcept;

// As much of the text as fits, the end replaced by "…" if need be. Control characters become "?".
std::string fit(std::string_view text, std::size_t width);

std::vector<std::string> words_of(std::string_view text);

// Words in lines of at most `width` columns, but for longer words. Each line but the first, which begins after two
// spaces, begins after `indent`. Ends with a line feed unless there are no words.
std::string wrapped(const std::vector<std::string>& words, std::size_t indent, std::size_t width);

// Rows of cells in columns that are as wide as their widest cell, two spaces apart. The first column is left-aligned,
// as are those whose heading begins with "<", which is not printed; all others are right-aligned.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> headings);

  void add(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const noexcept { return rows_.size() == 1; }
  // Every line begins with `indent` spaces. Without headings if all of them are empty.
  [[nodiscard]] std::string text(std::size_t indent) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;

  std::vector<std::vector<std::string>> rows_;  // the headings first
  std::vector<bool> left_;
};

}  // namespace holdfast::sim::detail
