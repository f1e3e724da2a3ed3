// Finds a text in what comes piece by piece.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::detail {

class TextFinder {
 public:
  // REQUIRES: the text is not empty.
  explicit TextFinder(std::string text) : text_(std::move(text)) {}

  // Whether the text has been there by now. It may lie across two pieces. Keeps less than the length of the text.
  bool take(std::string_view piece) {
    if (is_found_) return true;
    const std::size_t across = text_.size() - 1;
    std::string seam = end_;
    seam += piece.substr(0, across);
    is_found_ = seam.find(text_) != std::string::npos || piece.find(text_) != std::string_view::npos;
    if (piece.size() >= across) {
      end_ = piece.substr(piece.size() - across);
    } else {
      end_ += piece;
      end_.erase(0, end_.size() - std::min(end_.size(), across));
    }
    return is_found_;
  }

 private:
  const std::string text_;
  std::string end_;  // of what has come
  bool is_found_ = false;
};

}  // namespace holdfast::detail
