// The description of a file format as tables of Markdown, for the reference.
#pragma once

#include <string>

#include <holdfast/file/keys.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// For each table that is not small a heading "# NAME", and its keys as rows of: key, type, default, meaning.
std::string key_reference(const Table& file);

// A heading "# presets", and the presets as rows of: name, what it stands for, its policy as keys of a backoff, what
// its peer does otherwise, by how much a restart of the peer may be later, where the law was read.
std::string preset_reference();

}  // namespace holdfast::file

#pragma GCC visibility pop
