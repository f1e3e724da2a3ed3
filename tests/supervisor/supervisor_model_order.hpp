// Who is after whom in the model (supervisor_model.hpp): plain lists of names, looked through from one end to the
// other.
//
// Services that were added one after another and are after the same others stand together, because one change of those
// concerns them one after another, before it concerns anybody else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::test {

class ModelOrder {
 public:
  struct Line {
    std::uint64_t number = 0;
    std::vector<std::string> needs;    // in the order of the policy
    std::vector<std::size_t> members;  // lives, in the order of adding
    std::uint64_t falls = 0;           // how often one of its needs has become unready
    std::int64_t changed_at = 0;
    bool fell = false;  // since it was looked at
  };

  // The lives that stand in it, and their needs.
  [[nodiscard]] Line* line(std::uint64_t number) {
    const auto found =
        std::find_if(lines_.begin(), lines_.end(), [number](const Line& line) { return line.number == number; });
    return found == lines_.end() ? nullptr : &*found;
  }
  [[nodiscard]] const Line* line(std::uint64_t number) const { return const_cast<ModelOrder*>(this)->line(number); }
  [[nodiscard]] const std::deque<Line>& lines() const { return lines_; }

  // The number of the line in which it stands now.
  std::uint64_t join(std::size_t life, const std::vector<std::string>& needs) {
    Line* const latest = line(latest_);
    if (latest && latest->needs == needs) {
      latest->members.push_back(life);
      return latest_;
    }
    latest_ = ++numbers_;
    lines_.push_back({.number = latest_, .needs = needs, .members = {life}});
    return latest_;
  }

  void leave(std::size_t life, std::uint64_t number) {
    Line* const left = line(number);
    std::erase(left->members, life);
    drop_if_empty(number);
  }

  // One that is called so has become ready or unready. True: a line has changed, and none had before.
  bool changes(const std::string& name, bool ready, std::int64_t now) {
    const bool none_had = changed_.empty();
    for (auto& line : lines_) {
      if (std::find(line.needs.begin(), line.needs.end(), name) == line.needs.end()) continue;
      line.changed_at = now;
      line.fell |= !ready;
      line.falls += ready ? 0 : 1;
      if (!has_changed(line.number)) changed_.push_back(line.number);
    }
    return none_had && !changed_.empty();
  }

  // The line that changed first, and whether a need of it fell.
  std::optional<std::pair<std::uint64_t, bool>> take_change() {
    while (!changed_.empty()) {
      const std::uint64_t number = changed_.front();
      changed_.pop_front();
      if (drop_if_empty(number)) continue;
      return std::pair{number, std::exchange(line(number)->fell, false)};
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] bool has_changed(std::uint64_t number) const {
    return std::find(changed_.begin(), changed_.end(), number) != changed_.end();
  }
  bool drop_if_empty(std::uint64_t number) {
    if (!line(number)->members.empty() || has_changed(number)) return false;
    std::erase_if(lines_, [number](const Line& line) { return line.number == number; });
    return true;
  }

  std::deque<Line> lines_;  // in the order in which they began
  std::deque<std::uint64_t> changed_;
  std::uint64_t numbers_ = 0;
  std::uint64_t latest_ = 0;
};

}  // namespace holdfast::test
