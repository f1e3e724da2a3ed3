// Text as HTML.
//
// Thread-safety: functions of their arguments alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <holdfast/file/message_text.hpp>

namespace holdfast::sim::detail {

// In an element or an attribute, with what no screen shows as printable() writes it.
inline std::string html(std::string_view text) {
  std::string safe;
  for (const char c : file::printable(text)) {
    switch (c) {
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '&': safe += "&amp;"; break;
      case '"': safe += "&quot;"; break;
      default: safe += c;
    }
  }
  return safe;
}

// `page` with `by` in every place of this name.
inline std::string replaced(std::string_view page, std::string_view place, std::string_view by) {
  std::string result{page};
  for (std::size_t at = result.find(place); at != std::string::npos; at = result.find(place, at + by.size())) {
    result.replace(at, place.size(), by);
  }
  return result;
}

}  // namespace holdfast::sim::detail
