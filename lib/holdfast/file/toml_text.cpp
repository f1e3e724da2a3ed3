#include <holdfast/file/toml_text.hpp>

#include <algorithm>

#include <holdfast/file/message_text.hpp>

namespace holdfast::file {

namespace {

using Kind = TomlValue::Kind;

std::string basic_string(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (quoted += '\\') += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      ((quoted += "\\u00") += kDigits[byte >> 4]) += kDigits[byte & 0xf];
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

// Names that users choose may have any letters.
std::string written_key(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return bare ? std::string{key} : basic_string(key);
}

std::string in_line(const TomlValue& value);

std::string array_in_line(const TomlValue& array) {
  std::string text;
  for (const auto& item : array.items) text += (text.empty() ? "" : ", ") + in_line(item);
  return '[' + text + ']';
}

std::string table_in_line(const TomlValue& table) {
  std::string text;
  for (const auto& [key, at, value] : table.entries) {
    text += (text.empty() ? " " : ", ") + written_key(key) + " = " + in_line(value);
  }
  return text.empty() ? "{}" : '{' + text + " }";
}

std::string in_line(const TomlValue& value) {
  switch (value.kind) {
    case Kind::text: return basic_string(value.text);
    case Kind::integer: return std::to_string(value.integer);
    case Kind::number: return decimal(value.number);
    case Kind::boolean: return value.boolean ? "true" : "false";
    case Kind::time: break;  // nothing in a scenario is one
    case Kind::array: return array_in_line(value);
    case Kind::table: return table_in_line(value);
  }
  return "";
}

bool has_headers(const TomlValue& value) {
  return value.kind == Kind::array && !value.items.empty() &&
         std::all_of(value.items.begin(), value.items.end(),
                     [](const TomlValue& item) { return item.kind == Kind::table; });
}

class Layout {
 public:
  // The keys of a table, those with a header of their own last, because in TOML a header's table ends with the next
  // one.
  void table(const TomlValue& table, const std::string& path) {
    for (const auto& [key, at, value] : table.entries) {
      if (!stands_apart(value, path)) text_.append(key).append(" = ").append(in_line(value)) += '\n';
    }
    for (const auto& [key, at, value] : table.entries) {
      if (!stands_apart(value, path)) continue;
      std::string inner = path;
      if (!inner.empty()) inner += '.';
      with_header(value, inner.append(key));
    }
  }

  std::string take() { return std::move(text_); }

 private:
  static bool stands_apart(const TomlValue& value, const std::string& path) {
    return has_headers(value) || (path.empty() && value.kind == Kind::table);
  }

  void with_header(const TomlValue& value, const std::string& path) {
    if (value.kind == Kind::table) {
      text_ += "\n[" + path + "]\n";
      table(value, path);
    }
    for (const auto& item : value.items) {
      text_ += "\n[[" + path + "]]\n";
      table(item, path);
    }
  }

  std::string text_;
};

}  // namespace

std::string value_text(const TomlValue& value) { return in_line(value); }

std::string toml_text(const TomlValue& document) {
  Layout layout;
  layout.table(document, "");
  return layout.take();
}

}  // namespace holdfast::file
