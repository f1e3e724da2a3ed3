// Files of supervisord as its own reader (Python's RawConfigParser) takes them: sections of keys, each with its line.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/up/import_writing.hpp>

namespace holdfast::up {

struct IniKey {
  std::string name;   // in small letters
  std::string value;  // without comments; lines that continue it are lines of it
  ForeignPlace at;
};

struct IniSection {
  std::string name;
  ForeignPlace at;
  std::vector<IniKey> keys;  // of several with one name the last one, which counts

  [[nodiscard]] const IniKey* find(std::string_view key) const noexcept;
};

// Adds the sections of a text; one whose name is there already gets more keys. What is wrong is added to `faults`.
void parse_ini(std::string_view text, const std::string& file, std::vector<IniSection>& sections,
               std::vector<file::Complaint>& faults);

}  // namespace holdfast::up
