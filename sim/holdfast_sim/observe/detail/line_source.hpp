// The lines of a file of NDJSON, none longer than kRecordedLineMax, so that a file of another kind does not use up the
// memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <string>

#include <holdfast/recorder.hpp>
#include <holdfast_sim/observe/detail/object_reader.hpp>

namespace holdfast::sim::detail {

class LineSource {
 public:
  explicit LineSource(std::istream& in) : in_(in) {}

  // False if there is none. Throws BadLine for one that is too long, of which number() is the number then.
  bool next() {
    in_.getline(room_.data(), static_cast<std::streamsize>(room_.size()));
    const auto taken = static_cast<std::size_t>(in_.gcount());
    if (taken == 0) return false;
    ++number_;
    if (in_.fail()) {
      throw BadLine{"", "is longer than " + std::to_string(kRecordedLineMax) + " bytes, which no line of it is"};
    }
    has_end_ = !in_.eof();
    text_.assign(room_, 0, taken - (has_end_ ? 1 : 0));
    return true;
  }

  // The latest line.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] bool has_end() const noexcept { return has_end_; }
  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }

 private:
  std::istream& in_;
  std::string room_ = std::string(kRecordedLineMax + 1, '\0');  // for the end of the text, which getline writes
  std::string text_;
  bool has_end_ = false;  // a line without one was cut off
  std::uint32_t number_ = 0;
};

}  // namespace holdfast::sim::detail
