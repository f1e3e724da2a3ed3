// What a translation is made of, and how it is written: groups with their lines, and notes on what was left out.
//
// Thread-safety: values and pure functions, safe anywhere.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/file/bad_input.hpp>
#include <holdfast/file/toml_document.hpp>
#include <holdfast/file/values.hpp>
#include <holdfast/policy.hpp>

namespace holdfast::up {

// Where something stands in the foreign file.
struct ForeignPlace {
  std::string file{};
  std::uint32_t line = 0;
};

struct ImportedGroup {
  std::string name{};
  ForeignPlace at{};
  std::string called{};  // in the foreign file: "[program:web]"
  std::optional<std::uint32_t> count{};
  bool is_comment = false;                                   // it stands there for people alone
  int level = 0;                                             // those of a lower level come first
  bool may_be_over = false;                                  // so that nobody waits for it
  std::vector<std::pair<std::string, std::string>> lines{};  // keys and values, as TOML has them
  std::vector<file::Complaint> notes{};

  void put(std::string key, const file::TomlValue& value);
  void put_raw(std::string key, std::string value) { lines.emplace_back(std::move(key), std::move(value)); }
};

struct ImportedFleet {
  std::string name{};
  std::vector<std::string> remarks{};    // of the file as a whole
  std::vector<file::Complaint> notes{};  // the same, each with its line
  std::vector<ImportedGroup> groups{};
};

// The file. Names that two groups would share are changed first, with a note.
std::string text_of(ImportedFleet& fleet);

// A value that has placeholders for the number of a service in its group. In `text` they stand as kIndexMark.
inline constexpr char kIndexMark = '\x01';
// The text as our files have it, with ${INDEX} for the marks. nullopt: `$` stands before one, which cannot be said.
std::optional<std::string> with_placeholders(std::string_view text);

// What is wrong with a text of a foreign file: bytes that are no UTF-8, control characters. Empty: nothing.
std::vector<file::Complaint> faults_of_text(std::string_view text, const std::string& file);

// Words as a POSIX shell splits them, without expanding anything. nullopt: a quote is not closed, or a backslash ends
// it.
std::optional<std::vector<std::string>> shell_words(std::string_view text);

// A name that a group may have.
std::string as_group_name(std::string_view name);

// How often a service may fail in a row, as `max_failures` less the first start.
inline constexpr std::uint64_t kImportedRetriesMax = kMaxFailuresMax - 1;

// Why a key is not here. The reason stands behind "left out: ".
struct Reason {
  std::string_view key;
  std::string_view why;
};
// Empty: the key is not among them.
template <std::size_t kCount>
std::string_view reason_of(const std::array<Reason, kCount>& reasons, std::string_view key) {
  const auto found = std::find_if(reasons.begin(), reasons.end(), [&](const Reason& one) { return one.key == key; });
  return found == reasons.end() ? std::string_view{} : found->why;
}

// A whole number in decimal digits. nullopt: the text is none, or beyond the limits.
std::optional<std::uint64_t> number_of(std::string_view text, std::uint64_t min, std::uint64_t max);

inline file::TomlValue toml_text_of(std::string_view text) { return file::toml(text); }
file::TomlValue toml_words(const std::vector<std::string>& words);

}  // namespace holdfast::up
