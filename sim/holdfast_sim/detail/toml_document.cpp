#include <holdfast_sim/detail/toml_document.hpp>

#include <algorithm>

#include <holdfast_sim/detail/message_text.hpp>

namespace {

// toml++ 3.3 asserts what it should report: "x = [1,}" and "[[,". Undefined behaviour or an end of the program are no
// answers to a typing error, so its assertions throw this.
struct ParserGaveUp {};
[[noreturn]] void give_up() { throw ParserGaveUp{}; }

}  // namespace

#undef NDEBUG
#define TOML_ASSERT(condition) ((condition) ? static_cast<void>(0) : give_up())
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace holdfast::sim::detail {

namespace {

// toml++ counts columns in code points; everybody else's are bytes.
class Columns {
 public:
  explicit Columns(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      if ((static_cast<unsigned char>(text[at]) & 0xc0) != 0x80) code_points_.push_back(at);
      if (text[at] != '\n') continue;
      starts_.push_back(at + 1);
      first_code_points_.push_back(code_points_.size());
    }
    code_points_.push_back(text.size());
  }

  // Of the byte at an offset into the text.
  [[nodiscard]] Position position(std::size_t offset) const noexcept {
    const auto line =
        static_cast<std::size_t>(std::upper_bound(starts_.begin(), starts_.end(), offset) - starts_.begin());
    return {static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(offset - starts_[line - 1] + 1)};
  }

  [[nodiscard]] Position position(const toml::source_position& at) const noexcept {
    if (at.line == 0 || at.line > starts_.size() || at.column == 0) return {at.line, at.column};
    const std::size_t index = first_code_points_[at.line - 1] + at.column - 1;
    const std::size_t byte = code_points_[std::min(index, code_points_.size() - 1)];
    return {at.line, static_cast<std::uint32_t>(byte - starts_[at.line - 1] + 1)};
  }

 private:
  // Offsets into the text.
  std::vector<std::size_t> starts_{0};  // of the lines
  std::vector<std::size_t> code_points_;
  std::vector<std::size_t> first_code_points_{0};  // of the lines: index into code_points_
};

TomlValue converted(const toml::node& node, const Columns& columns);

void convert(const toml::array& array, const Columns& columns, TomlValue& value) {
  value.kind = TomlValue::Kind::array;
  value.items.reserve(array.size());
  for (const auto& item : array) value.items.push_back(converted(item, columns));
}

void convert(const toml::table& table, const Columns& columns, TomlValue& value) {
  value.kind = TomlValue::Kind::table;
  value.entries.reserve(table.size());
  for (const auto& [key, item] : table) {
    value.entries.push_back({std::string{key.str()}, columns.position(key.source().begin), converted(item, columns)});
  }
  std::sort(value.entries.begin(), value.entries.end(),
            [](const TomlEntry& a, const TomlEntry& b) { return a.at < b.at; });
}

TomlValue converted(const toml::node& node, const Columns& columns) {
  TomlValue value;
  value.at = columns.position(node.source().begin);
  if (const auto* const table = node.as_table()) {
    convert(*table, columns, value);
  } else if (const auto* const array = node.as_array()) {
    convert(*array, columns, value);
  } else if (const auto* const text = node.as_string()) {
    value.kind = TomlValue::Kind::text;
    value.text = text->get();
  } else if (const auto* const integer = node.as_integer()) {
    value.kind = TomlValue::Kind::integer;
    value.integer = integer->get();
  } else if (const auto* const number = node.as_floating_point()) {
    value.kind = TomlValue::Kind::number;
    value.number = number->get();
  } else if (const auto* const boolean = node.as_boolean()) {
    value.kind = TomlValue::Kind::boolean;
    value.boolean = boolean->get();
  } else {
    value.kind = TomlValue::Kind::time;
  }
  return value;
}

// Where a key has more than kTomlNestingMax parts ("a.b.c"); line 0: nowhere. toml++ limits how deep values are nested,
// but not this, and recurses once for each part. Dots are counted outside of strings and comments, anew after every
// character that cannot be in a key.
class DeepKeys {
 public:
  explicit DeepKeys(std::string_view text) : text_(text) {}

  Position find() {
    while (at_ < text_.size() && parts_ <= kTomlNestingMax) step();
    return parts_ > kTomlNestingMax ? Position{line_, column()} : Position{};
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '"' || c == '\'') {
      skip_string(c);
      return;
    }
    if (c == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return;
    }
    if (c == '.') ++parts_;
    if (c == '=' || c == ',' || c == '[' || c == '{' || c == '\n') parts_ = 1;
    advance();
  }

  // A string of one line ends at the line's end at the latest: the parser complains about it.
  void skip_string(char quote) {
    const bool multi_line = text_.substr(at_, 3) == std::string(3, quote);
    const std::string_view closing = text_.substr(at_, multi_line ? 3 : 1);
    for (std::size_t i = 0; i < closing.size(); ++i) advance();
    while (at_ < text_.size() && text_.substr(at_, closing.size()) != closing) {
      if (!multi_line && text_[at_] == '\n') return;
      if (quote == '"' && text_[at_] == '\\') advance();
      advance();
    }
    for (std::size_t i = 0; i < closing.size(); ++i) advance();
  }

  void advance() {
    if (at_ >= text_.size()) return;
    if (text_[at_] == '\n') {
      ++line_;
      line_start_ = at_ + 1;
    }
    ++at_;
  }

  [[nodiscard]] std::uint32_t column() const { return static_cast<std::uint32_t>(at_ - line_start_ + 1); }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t parts_ = 1;
  std::uint32_t line_ = 1;
  std::size_t line_start_ = 0;
};

bool parser_gives_up(std::string_view text) {
  try {
    static_cast<void>(toml::parse(text));
    return false;
  } catch (const ParserGaveUp&) {
    return true;
  }
}

// The offset of the character at which the parser gives up: the last one of the shortest beginning at whose end it
// does. REQUIRES: it does at the end of the text.
std::size_t where_parser_gives_up(std::string_view text) {
  std::size_t fine = 0;
  std::size_t bad = text.size();
  while (fine + 1 < bad) {
    const std::size_t middle = fine + (bad - fine) / 2;
    (parser_gives_up(text.substr(0, middle)) ? bad : fine) = middle;
  }
  return bad - 1;
}

TomlValue parsed_or_complained(std::string_view text, const Columns& columns, Complaints& complaints) {
  try {
    const auto parsed = toml::parse(text);
    if (parsed) return converted(parsed.table(), columns);
    const auto& error = parsed.error();
    complaints.add(columns.position(error.source().begin), "",
                   "is not valid TOML: " + std::string{error.description()});
  } catch (const ParserGaveUp&) {
    const auto at = where_parser_gives_up(text);
    complaints.add(columns.position(at), "",
                   "is not valid TOML: " + in_quotes(text.substr(at, 1)) + " is out of place here");
  }
  return {};
}

}  // namespace

const TomlValue* TomlValue::find(std::string_view key) const noexcept {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [key](const TomlEntry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

namespace {

// The innermost value on the way along `path` that is there; `whole` tells whether it is the path's end.
const TomlValue* walk(const TomlValue& root, std::string_view path, bool& whole) noexcept {
  const TomlValue* value = &root;
  whole = false;
  while (!path.empty()) {
    const TomlValue* next = nullptr;
    if (path.front() == '[') {
      std::size_t index = 0;
      for (const char digit : path.substr(1, path.find(']') - 1))
        index = index * 10 + static_cast<std::size_t>(digit - '0');
      if (index < value->items.size()) next = &value->items[index];
      path.remove_prefix(path.find(']') + 1);
    } else {
      const auto end = std::min(path.find_first_of(".["), path.size());
      next = value->find(path.substr(0, end));
      path.remove_prefix(end);
    }
    if (next == nullptr) return value;
    if (path.substr(0, 1) == ".") path.remove_prefix(1);
    value = next;
  }
  whole = true;
  return value;
}

}  // namespace

const TomlValue* TomlValue::at_path(std::string_view path) const noexcept {
  bool whole = false;
  const auto* const value = walk(*this, path, whole);
  return whole ? value : nullptr;
}

Position TomlValue::position_of(std::string_view path) const noexcept {
  bool whole = false;
  const auto* const value = walk(*this, path, whole);
  return value == this ? Position{} : value->at;
}

bool TomlValue::sound() const noexcept {
  return !refused && std::all_of(items.begin(), items.end(), [](const TomlValue& item) { return item.sound(); }) &&
         std::all_of(entries.begin(), entries.end(), [](const TomlEntry& entry) { return entry.value.sound(); });
}

TomlValue parse_toml(std::string_view text, const std::string& file) {
  Complaints complaints{file};
  if (const auto at = DeepKeys{text}.find(); at.line > 0) {
    complaints.add(at, "",
                   "a key of more than " + std::to_string(kTomlNestingMax) + " parts; allowed are up to " +
                       std::to_string(kTomlNestingMax));
    complaints.throw_if_any();
  }
  auto document = parsed_or_complained(text, Columns{text}, complaints);
  complaints.throw_if_any();
  return document;
}

}  // namespace holdfast::sim::detail
