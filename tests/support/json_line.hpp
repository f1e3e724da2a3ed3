#pragma once

// Lines of JSON, built from their keys and values.

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::test {

// What stands behind a key: a number, or a text in quotes. The text is written as it stands in the line, escapes and
// all.
class JsonValue {
 public:
  template <std::integral Number>
  JsonValue(Number number) : text_(std::to_string(number)) {}
  JsonValue(const char* text) : text_('"' + std::string{text} + '"') {}

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

using JsonFields = std::vector<std::pair<std::string_view, JsonValue>>;

inline JsonFields operator+(JsonFields fields, const JsonFields& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

inline std::string json_line(const JsonFields& fields) {
  std::string line;
  for (const auto& [key, value] : fields) {
    line += (line.empty() ? "{\"" : ",\"") + std::string{key} + "\":" + value.text();
  }
  return line + '}';
}

}  // namespace holdfast::test
