// Compares a TOML file with the format, key by key.
#pragma once

#include <holdfast/file/complaints.hpp>
#include <holdfast/file/keys.hpp>
#include <holdfast/file/toml_document.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// Reports unknown, missing and lonely keys, wrong types and values out of range, and marks them as refused. Whatever is
// not refused has the form that the format asks for.
void check_format(TomlValue& document, const Table& rules, Complaints& complaints);

// Whether the value may stand behind the key, whatever stands beside it.
bool fits(TomlValue value, const Key& key);
// Whether what an advice says to write ("write { for = \"5min\" }") may. Other advice is good.
bool is_good_advice(std::string_view advice, const Key& key);

// "key", or "\"a key\"" if it cannot stand bare.
std::string key_text(std::string_view key);

}  // namespace holdfast::file

#pragma GCC visibility pop
