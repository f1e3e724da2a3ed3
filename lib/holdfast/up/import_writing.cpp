#include <holdfast/up/import_writing.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <system_error>

#include <holdfast/file/letters.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/toml_text.hpp>
#include <holdfast/file/values.hpp>
#include <holdfast/policy.hpp>

namespace holdfast::up {

namespace {

constexpr std::size_t kWidth = 118;    // of a comment
constexpr std::size_t kNameMax = 200;  // a number comes behind it

std::string shown(const file::Complaint& note) {
  std::string text;
  if (note.line > 0) text = "line " + std::to_string(note.line) + ": ";
  if (!note.key.empty()) text += note.key.substr(note.key.rfind(' ') + 1) + ": ";
  return text + note.says;
}

// Lines of a comment, broken at blanks.
void add_comment(std::string& text, std::string_view says, std::string_view first = "# ",
                 std::string_view rest = "#   ") {
  auto begin = first;
  while (!says.empty()) {
    auto end = says.size();
    if (begin.size() + end > kWidth) {
      const auto blank = says.rfind(' ', kWidth - begin.size());
      end = blank == std::string_view::npos || blank == 0 ? std::min(says.find(' ', 1), says.size()) : blank;
    }
    text += std::string{begin} + std::string{says.substr(0, end)} + '\n';
    says.remove_prefix(end);
    while (says.starts_with(' ')) says.remove_prefix(1);
    begin = rest;
  }
}

std::vector<std::string> names_of(const ImportedGroup& group) {
  std::vector<std::string> names{group.name};
  for (std::uint32_t i = 0; i < group.count.value_or(0); ++i) names.push_back(group.name + '-' + std::to_string(i));
  return names;
}

// No group has a name of another one, or of its services.
void make_names_differ(std::vector<ImportedGroup>& groups) {
  std::set<std::string> taken;
  for (auto& group : groups) {
    const auto wanted = group.name;
    const auto is_taken = [&] {
      const auto names = names_of(group);
      return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return taken.contains(name); });
    };
    for (int n = 2; is_taken(); ++n) group.name = wanted + '_' + std::to_string(n);
    if (group.name != wanted) {
      group.notes.push_back({group.at.file, group.at.line, 0, group.called,
                             "is called " + file::in_quotes(group.name) + " here: another service has its name"});
    }
    taken.merge([&] {
      const auto names = names_of(group);
      return std::set<std::string>{names.begin(), names.end()};
    }());
  }
}

// Groups of a level are after those of the level before.
std::map<int, std::vector<std::string>> names_by_level(const std::vector<ImportedGroup>& groups) {
  std::map<int, std::vector<std::string>> levels;
  for (const auto& group : groups) {
    if (!group.is_comment && !group.may_be_over) levels[group.level].push_back(group.name);
  }
  return levels;
}

void add_group(std::string& text, const ImportedGroup& group, const std::vector<std::string>* before) {
  text += '\n';
  add_comment(text, group.called + ", line " + std::to_string(group.at.line) + " of " + file::printable(group.at.file));
  for (const auto& note : group.notes) add_comment(text, shown(note), "# - ");
  const std::string mark = group.is_comment ? "#" : "";
  const auto add = [&](std::string_view key, std::string_view value) {
    text += mark + std::string{key} + " = " + std::string{value} + '\n';
  };
  text += mark + "[[fleet]]\n";
  add("name", file::value_text(file::toml(std::string_view{group.name})));
  if (group.count) add("count", std::to_string(*group.count));
  if (before != nullptr) add("after", file::value_text(toml_words(*before)));
  for (const auto& [key, value] : group.lines) add(key, value);
}

}  // namespace

void ImportedGroup::put(std::string key, const file::TomlValue& value) {
  lines.emplace_back(std::move(key), file::value_text(value));
}

std::optional<std::uint64_t> number_of(std::string_view text, std::uint64_t min, std::uint64_t max) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end || number < min || number > max) return std::nullopt;
  return number;
}

file::TomlValue toml_words(const std::vector<std::string>& words) {
  std::vector<file::TomlValue> items;
  items.reserve(words.size());
  for (const auto& word : words) items.push_back(file::toml(std::string_view{word}));
  return file::toml(std::move(items));
}

std::string text_of(ImportedFleet& fleet) {
  make_names_differ(fleet.groups);
  std::string text;
  for (const auto& remark : fleet.remarks) add_comment(text, remark, "# ", "# ");
  for (const auto& note : fleet.notes) add_comment(text, shown(note), "# - ");
  text += "name = " + file::value_text(file::toml(std::string_view{fleet.name})) + '\n';
  const auto levels = names_by_level(fleet.groups);
  for (const auto& group : fleet.groups) {
    const auto own = levels.lower_bound(group.level);
    const bool has_some_before = !group.is_comment && own != levels.begin();
    add_group(text, group, has_some_before ? &std::prev(own)->second : nullptr);
  }
  return text;
}

std::optional<std::string> with_placeholders(std::string_view text) {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kIndexMark) {
      if (made.ends_with('$')) return std::nullopt;
      made += "${INDEX}";
    } else if (text[i] == '{' && made.ends_with('$')) {
      made += "${";  // "$${" is a "${" of the program's own
    } else {
      made += text[i];
    }
  }
  return made;
}

std::vector<file::Complaint> faults_of_text(std::string_view text, const std::string& file) {
  std::vector<file::Complaint> faults;
  std::uint32_t number = 1;
  for (; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto bad = file::invalid_utf8(line);
    if (bad != std::string_view::npos) {
      faults.push_back({file, number, static_cast<std::uint32_t>(bad + 1), "", "is not UTF-8 from here on"});
      return faults;
    }
    const auto control = std::find_if(line.begin(), line.end(), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return (byte < 0x20 && c != '\t') || byte == 0x7f;
    });
    if (control != line.end()) {
      faults.push_back({file, number, static_cast<std::uint32_t>(control - line.begin() + 1), "",
                        "has a control character here; allowed are lines of text"});
      return faults;
    }
  }
  return faults;
}

std::optional<std::vector<std::string>> shell_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool is_word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (is_word) words.push_back(std::move(word));
      word.clear();
      is_word = false;
      continue;
    }
    is_word = true;
    if (c == '\\') {
      if (++i == text.size()) return std::nullopt;
      word += text[i];
    } else if (c == '\'') {
      const auto end = text.find('\'', i + 1);
      if (end == std::string_view::npos) return std::nullopt;
      word += text.substr(i + 1, end - i - 1);
      i = end;
    } else if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        const bool escapes = text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
        if (escapes) ++i;
        word += text[i];
      }
      if (i >= text.size()) return std::nullopt;
    } else {
      word += c;
    }
  }
  if (is_word) words.push_back(std::move(word));
  return words;
}

std::string as_group_name(std::string_view name) {
  auto made = std::string{file::trimmed(name)};
  std::replace_if(
      made.begin(), made.end(), [](char c) { return c == '\t' || c == '\n' || c == '/'; }, '-');
  if (made.size() > kNameMax) made.resize(kNameMax);
  while (file::invalid_utf8(made) != std::string_view::npos) made.pop_back();
  // What is invisible, for example, cannot be seen in a list either.
  const bool works = !made.empty() && problems(ServiceConfig{made, {}}).empty();
  if (works) return made;
  std::string plain;
  for (const char c : made) plain += (c > ' ' && c < '\x7f') ? c : '-';
  return plain.empty() ? "service" : plain;
}

}  // namespace holdfast::up
