// The description of a file format as tables of Markdown, for the reference.
#pragma once

#include <string>

#include <holdfast/file/keys.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// For each table that is not small a heading "# NAME", and its keys as rows of: key, type, default, meaning.
std::string key_reference(const Table& file);

}  // namespace holdfast::file

#pragma GCC visibility pop
