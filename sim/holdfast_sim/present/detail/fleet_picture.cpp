#include <holdfast_sim/present/detail/fleet_picture.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <holdfast_sim/text/detail/human_text.hpp>

namespace holdfast::sim {

namespace {

constexpr std::array<std::string_view, 9> kBlocks{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

struct Look {
  std::string_view name;
  std::string_view area;
  int colour;  // of the foreground, as in ANSI escape sequences; 10 more for the background
};
// By Standing, from the bottom of the picture to its top.
constexpr std::array<Look, kStandings> kLooks{
    {{"running", "█", 32}, {"restarting", "░", 33}, {"stopping", "▒", 34}, {"lost", "×", 31}, {"done", "·", 90}}};

std::uint64_t nearest(double number) {              // REQUIRES: number >= 0
  return static_cast<std::uint64_t>(number + 0.5);  // NOLINT(bugprone-incorrect-roundings): libm has no place here
}

// What one column of the picture covers.
struct Column {
  std::array<double, kStandings> average{};  // services
  std::uint32_t most_down = 0;
};

// Overlapping parts of buckets are taken to be like the whole.
std::vector<Column> columns_of(const FleetHistory& history, std::size_t count) {
  std::vector<Column> columns(count);
  const auto length = static_cast<double>(history.length.count());
  const auto width = static_cast<double>(history.bucket_width.count());
  const double column_width = length / static_cast<double>(count);
  for (std::size_t b = 0; b < history.buckets.size(); ++b) {
    const auto& bucket = history.buckets[b];
    const double from = static_cast<double>(b) * width;
    const double to = std::min(from + width, length);
    const auto first = std::min(static_cast<std::size_t>(from / column_width), count - 1);
    for (std::size_t c = first; c < count && static_cast<double>(c) * column_width < to; ++c) {
      const double begins = static_cast<double>(c) * column_width;
      const double overlap = std::min(to, begins + column_width) - std::max(from, begins);
      if (overlap <= 0) continue;
      for (std::size_t i = 0; i < kStandings; ++i) {
        columns[c].average[i] += static_cast<double>(bucket.time[i]) / (to - from) * overlap / column_width;
      }
      columns[c].most_down = std::max(columns[c].most_down, bucket.most_down);
    }
  }
  return columns;
}

// A line whose neighbouring cells of one colour share their escape sequences.
class Line {
 public:
  explicit Line(bool colours) : colours_(colours) {}

  // Colour 0: none.
  void add(std::string_view cell, int foreground, int background = 0) {
    if (colours_ && (foreground != foreground_ || background != background_)) {
      end_colour();
      if (background > 0) {
        text_ += fmt::format("\x1b[{};{}m", foreground, background);
      } else if (foreground > 0) {
        text_ += fmt::format("\x1b[{}m", foreground);
      }
      foreground_ = foreground;
      background_ = background;
    }
    text_ += cell;
  }

  std::string text() {
    end_colour();
    text_.erase(text_.find_last_not_of(' ') + 1);
    return text_;
  }

 private:
  void end_colour() {
    if (foreground_ > 0) text_ += "\x1b[0m";
    foreground_ = background_ = 0;
  }

  bool colours_;
  int foreground_ = 0;
  int background_ = 0;
  std::string text_;
};

class Picture {
 public:
  Picture(const FleetHistory& history, std::size_t width, bool colours)
      : history_(history),
        columns_(columns_of(history, std::max(width, kPictureWidthMin) - kMargin)),
        colours_(colours) {
    for (const auto& column : columns_) {
      double total = 0;
      for (const double services : column.average) total += services;
      services_ = std::max(services_, total);
      most_down_ = std::max(most_down_, column.most_down);
    }
    const bool steady = std::all_of(columns_.begin(), columns_.end(),
                                    [this](const Column& column) { return column.average[0] >= 0.9 * services_; });
    if (steady && most_down_ > 0) {
      area_rows_ = 4;
      down_rows_ = 5;
    }
  }

  std::string text() const {
    std::string text;
    for (std::size_t row = area_rows_; row-- > 0;) text += area_label(row) + area_row(row) + '\n';
    text += axis();
    for (std::size_t row = down_rows_; row-- > 0;) text += down_label(row) + down_row(row) + '\n';
    return text + legend();
  }

 private:
  static constexpr std::size_t kMargin = 13;  // "  2 000 000 ┤"

  static std::string margin(std::string_view text, std::string_view edge) {
    return fmt::format("{:>11} {}", text, edge);
  }

  std::string area_label(std::size_t row) const {
    if (row == area_rows_ - 1) return margin(services(services_), "┤");
    return row == area_rows_ / 2 - 1 ? margin(services(services_ / 2), "┤") : margin("", "│");
  }

  static std::string services(double number) {
    const bool is_half = nearest(number * 10) % 10 == 5;
    return is_half ? fmt::format("{:.1f}", number) : detail::human(nearest(number));
  }

  std::string area_row(std::size_t row) const {
    Line line{colours_};
    for (const auto& column : columns_) add_cell(line, column, 8 * row);
    return line.text();
  }

  // The cell from `bottom` to `bottom` + 8, in eighths of a row from the bottom of the picture.
  void add_cell(Line& line, const Column& column, std::size_t bottom) const {
    const auto tops = stacked(column);
    const std::size_t running = tops[0];
    if (running >= bottom + 8) return line.add(kLooks[0].area, kLooks[0].colour);
    std::size_t above = 0;
    while (above < kStandings && tops[above] <= std::max(bottom + 4, running)) ++above;
    if (running > bottom) {
      const int background = above < kStandings ? kLooks[above].colour + 10 : 0;
      return line.add(kBlocks[running - bottom], kLooks[0].colour, background);
    }
    if (above == kStandings) return line.add(" ", 0);
    line.add(kLooks[above].area, kLooks[above].colour);
  }

  std::array<std::size_t, kStandings> stacked(const Column& column) const {
    std::array<std::size_t, kStandings> tops{};
    double sum = 0;
    for (std::size_t i = 0; i < kStandings; ++i) {
      sum += column.average[i];
      tops[i] = services_ > 0 ? nearest(sum / services_ * static_cast<double>(8 * area_rows_)) : 0;
    }
    return tops;
  }

  std::string axis() const {
    const double column_width = static_cast<double>(history_.length.count()) / static_cast<double>(columns_.size());
    const std::int64_t step = tick_step();
    std::string line;
    std::string labels(kMargin - 1, ' ');
    std::int64_t next_tick = 0;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const bool tick = static_cast<double>(next_tick) < static_cast<double>(c + 1) * column_width;
      line += tick ? "┬" : "─";
      if (!tick) continue;
      const std::string text = detail::human(Duration{next_tick});
      if (const std::size_t at = kMargin + c; at + text.size() <= kMargin + columns_.size()) {
        labels.resize(at, ' ');
        labels += text;
      }
      next_tick += step;
    }
    return margin("0", "└") + line + '\n' + labels + '\n';
  }

  // A round length of time of which 4 to 8 or so fit.
  std::int64_t tick_step() const {
    constexpr std::int64_t kSecond = 1'000'000'000;
    constexpr std::int64_t kHour = 3600 * kSecond;
    constexpr std::int64_t kDay = 24 * kHour;
    constexpr std::int64_t kYear = 365 * kDay;
    constexpr std::array<std::int64_t, 27> kSteps{
        kSecond,       2 * kSecond,   5 * kSecond,   10 * kSecond,  15 * kSecond,   30 * kSecond, 60 * kSecond,
        120 * kSecond, 300 * kSecond, 600 * kSecond, 900 * kSecond, 1800 * kSecond, kHour,        2 * kHour,
        3 * kHour,     6 * kHour,     12 * kHour,    kDay,          2 * kDay,       5 * kDay,     10 * kDay,
        20 * kDay,     50 * kDay,     100 * kDay,    kYear,         2 * kYear,      5 * kYear};
    const std::int64_t wanted = std::max(history_.length.count() / 8, Duration::rep{1});
    if (wanted <= kSecond) {
      std::int64_t step = 1;
      for (int i = 0; step < wanted; ++i) step = i % 3 == 1 ? step / 2 * 5 : step * 2;  // 1, 2, 5, 10, …
      return step;
    }
    for (const auto step : kSteps) {
      if (step >= wanted) return step;
    }
    return (wanted + kYear * 10 - 1) / (kYear * 10) * (kYear * 10);
  }

  std::string down_label(std::size_t row) const {
    if (row == 0) return margin("down, worst", "│");
    return row == down_rows_ - 1 ? margin(detail::human(std::uint64_t{most_down_}), "┤") : margin("", "│");
  }

  std::string down_row(std::size_t row) const {
    const std::uint64_t steps = 8 * down_rows_;
    Line line{colours_};
    for (const auto& column : columns_) {
      const std::uint64_t top = most_down_ == 0 ? 0 : (column.most_down * steps + most_down_ - 1) / most_down_;
      const std::uint64_t level = std::min<std::uint64_t>(top - std::min<std::uint64_t>(top, 8 * row), 8);
      line.add(kBlocks[level], level == 0 ? 0 : kLooks[1].colour);
    }
    return line.text();
  }

  // What the signs mean, in as many lines as they need.
  std::string legend() const {
    struct Item {
      std::string_view sign;
      std::string says;
      int colour;
    };
    std::vector<Item> items;
    for (std::size_t i = 0; i < kStandings; ++i) {
      const bool seen = std::any_of(columns_.begin(), columns_.end(), [i](const auto& c) { return c.average[i] > 0; });
      if (seen) items.push_back({kLooks[i].area, std::string{kLooks[i].name}, kLooks[i].colour});
    }
    items.push_back({"▁▂▃",
                     fmt::format("restarting or lost at once, at most {}", detail::human(std::uint64_t{most_down_})),
                     kLooks[1].colour});
    const std::size_t width = kMargin + columns_.size();
    auto& worst = items.back();
    if (detail::columns(worst.sign) + 1 + detail::columns(worst.says) > width) {
      worst.says = fmt::format("down at once, at most {}", detail::human(std::uint64_t{most_down_}));
    }
    std::string text;
    Line line{colours_};
    std::size_t used = 0;
    for (const auto& item : items) {
      const std::size_t length = detail::columns(item.sign) + 1 + detail::columns(item.says);
      const bool fits = used > 0 && used + 3 + length <= width;
      if (!fits) {
        if (used > 0) text += line.text() + '\n';
        line = Line{colours_};
        used = std::min(kMargin, width - std::min(width, length));
        line.add(std::string(used, ' '), 0);
      } else {
        line.add("   ", 0);
        used += 3;
      }
      line.add(item.sign, item.colour);
      line.add(' ' + item.says, 0);
      used += length;
    }
    return text + line.text() + '\n';
  }

  const FleetHistory& history_;
  std::vector<Column> columns_;
  bool colours_;
  std::size_t area_rows_ = 8;
  std::size_t down_rows_ = 1;
  double services_ = 0;
  std::uint32_t most_down_ = 0;
};

}  // namespace

std::string fleet_picture(const FleetHistory& history, std::size_t width, bool colours) {
  if (history.length <= Duration::zero()) return "  no virtual time passed\n";
  return Picture{history, width, colours}.text();
}

}  // namespace holdfast::sim
