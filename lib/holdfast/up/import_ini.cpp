#include <holdfast/up/import_ini.hpp>

#include <algorithm>

#include <holdfast/file/letters.hpp>
#include <holdfast/file/message_text.hpp>

namespace holdfast::up {

namespace {

bool begins_comment(char c) { return c == ';' || c == '#'; }

// A comment begins a line, or stands behind a blank.
std::string_view without_comment(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (begins_comment(line[i]) && (i == 0 || file::is_blank(line[i - 1]))) return line.substr(0, i);
  }
  return line;
}

std::size_t indent_of(std::string_view line) { return std::min(line.find_first_not_of(" \t"), line.size()); }

class Reader {
 public:
  Reader(const std::string& file, std::vector<IniSection>& sections, std::vector<file::Complaint>& faults)
      : file_(file), sections_(sections), faults_(faults) {}

  void read(std::string_view whole) {
    const auto line = without_comment(whole);
    const auto text = file::trimmed(line);
    if (text.empty()) return;
    const auto indent = indent_of(line);
    if (has_section_ && has_key_ && indent > indent_) {
      key().value += '\n';
      key().value += text;
      return;
    }
    indent_ = indent;
    text.front() == '[' ? begin_section(text) : begin_key(text);
  }

  void next_line() { ++line_; }

 private:
  IniKey& key() { return sections_[section_].keys[key_]; }

  void complain(std::string says) { faults_.push_back({file_, line_, 0, "", std::move(says)}); }

  void begin_section(std::string_view text) {
    const auto end = text.find(']');
    has_key_ = false;
    if (end == std::string_view::npos || end == 1) {
      complain("is " + file::in_quotes(text) + "; a section is [program:web]");
      return;
    }
    const auto name = text.substr(1, end - 1);
    const auto known =
        std::find_if(sections_.begin(), sections_.end(), [&](const IniSection& one) { return one.name == name; });
    section_ = static_cast<std::size_t>(known - sections_.begin());
    if (known == sections_.end()) sections_.push_back({std::string{name}, {file_, line_}, {}});
    has_section_ = true;
  }

  void begin_key(std::string_view text) {
    const auto delimiter = text.find_first_of("=:");
    if (!has_section_) {
      complain("is " + file::in_quotes(text) +
               " before any section; a file of supervisord begins with a line like "
               "[supervisord] or [program:web]");
      return;
    }
    if (delimiter == std::string_view::npos || delimiter == 0) {
      has_key_ = false;
      complain("is " + file::in_quotes(text) + "; allowed is key=value. A value goes on in lines that are indented");
      return;
    }
    auto name = file::lower_case(file::trimmed(text.substr(0, delimiter)));
    auto& keys = sections_[section_].keys;
    const auto same = std::find_if(keys.begin(), keys.end(), [&](const IniKey& one) { return one.name == name; });
    key_ = static_cast<std::size_t>(same - keys.begin());
    if (same == keys.end()) keys.emplace_back();
    keys[key_] = {std::move(name), std::string{file::trimmed(text.substr(delimiter + 1))}, {file_, line_}};
    has_key_ = true;
  }

  const std::string& file_;
  std::vector<IniSection>& sections_;
  std::vector<file::Complaint>& faults_;
  std::uint32_t line_ = 1;
  std::size_t indent_ = 0;
  std::size_t section_ = 0;
  std::size_t key_ = 0;
  bool has_section_ = false;
  bool has_key_ = false;
};

}  // namespace

const IniKey* IniSection::find(std::string_view key) const noexcept {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const IniKey& one) { return one.name == key; });
  return found == keys.end() ? nullptr : &*found;
}

void parse_ini(std::string_view text, const std::string& file, std::vector<IniSection>& sections,
               std::vector<file::Complaint>& faults) {
  Reader reader{file, sections, faults};
  for (; !text.empty(); reader.next_line()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    reader.read(line);
  }
}

}  // namespace holdfast::up
