// Cuts what a program writes into lines. A line that is longer than kLinePieceMax comes in pieces, cut between
// characters of UTF-8; all but the last say that the line goes on.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include <holdfast/up/log_text.hpp>

namespace holdfast::up {

class LineCutter {
 public:
  // Calls line(text, goes_on) for each line that has ended, and for pieces of one that has become too long.
  template <class Line>
  void take(std::string_view bytes, const Line& line) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      const bool ended = end != std::string_view::npos;
      auto part = bytes.substr(0, ended ? end : bytes.size());
      bytes.remove_prefix(part.size() + (ended ? 1 : 0));
      if (!rest_.empty() || !ended) {
        rest_.append(part);
        part = rest_;
      }
      part = cut_pieces(part, line);
      if (ended) {
        if (part.ends_with('\r')) part.remove_suffix(1);
        line(part, false);
        forget();
      } else {
        rest_.erase(0, rest_.size() - part.size());
      }
    }
  }

  // A line without an end, when nothing more will come.
  template <class Line>
  void finish(const Line& line) {
    if (rest_.empty()) return;
    line(std::string_view{rest_}, false);
    forget();
  }

 private:
  // Returns what is left: at most kLinePieceMax bytes.
  template <class Line>
  static std::string_view cut_pieces(std::string_view text, const Line& line) {
    while (text.size() > kLinePieceMax) {
      std::size_t length = kLinePieceMax;
      // Back to the beginning of a character, if one is near.
      for (std::size_t back = 0; back < 4; ++back) {
        if ((static_cast<unsigned char>(text[kLinePieceMax - back]) & 0xc0U) != 0x80U) {
          length = kLinePieceMax - back;
          break;
        }
      }
      line(text.substr(0, length), true);
      text.remove_prefix(length);
    }
    return text;
  }

  // A service that is silent keeps no memory.
  void forget() {
    constexpr std::size_t kKept = 256;
    if (rest_.capacity() > kKept) std::string{}.swap(rest_);
    rest_.clear();
  }

  std::string rest_;  // of a line that has not ended
};

}  // namespace holdfast::up
