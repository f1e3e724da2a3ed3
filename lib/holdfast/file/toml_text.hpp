// A tree of TOML values as the text of a file, laid out as people write scenarios.
#pragma once

#include <string>

#include <holdfast/file/toml_document.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// The inverse of parse_toml, except for positions. Tables of the file and arrays of tables have headers of their own;
// anything deeper is written on its key's line. REQUIRES: keys are bare, texts are UTF-8, no value is a time.
std::string toml_text(const TomlValue& document);

// One value as it stands behind its key. REQUIRES: as above.
std::string value_text(const TomlValue& value);

}  // namespace holdfast::file

#pragma GCC visibility pop
