// A TOML file as a tree of our own: every key and value with its place, tables in the order of the file.
//
// Nothing else includes toml++, which is slow to compile and counts columns in code points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/complaints.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

struct TomlEntry;

struct TomlValue {
  enum class Kind : std::uint8_t { text, integer, number, boolean, time, array, table };
  Kind kind = Kind::table;
  Position at;

  std::string text;
  std::int64_t integer = 0;
  double number = 0;
  bool boolean = false;
  std::vector<TomlValue> items;    // of an array
  std::vector<TomlEntry> entries;  // of a table, in the order of the file

  // Something in it is wrong. A refused value is not read any further.
  bool refused = false;

  // The value of a table's key, or null.
  [[nodiscard]] const TomlValue* find(std::string_view key) const noexcept;
  // The value at a path like "fleet[2].backoff.base", or null. REQUIRES: the path is of bare keys.
  [[nodiscard]] const TomlValue* at_path(std::string_view path) const noexcept;
  // Where that value stands, or else the innermost table on the way to it that is there.
  [[nodiscard]] Position position_of(std::string_view path) const noexcept;
  // Neither it nor anything in it is refused.
  [[nodiscard]] bool sound() const noexcept;
};

struct TomlEntry {
  std::string key;
  Position at;
  TomlValue value;
};

// How deep keys may be nested. The format needs far less. Without a limit a small file could crash the program.
inline constexpr std::size_t kTomlNestingMax = 64;

// The file's table. Throws BadInput if it is no valid TOML 1.0.
TomlValue parse_toml(std::string_view text, const std::string& file);

}  // namespace holdfast::file

#pragma GCC visibility pop
