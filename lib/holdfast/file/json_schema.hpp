// The description of a file format as a JSON Schema (draft 2020-12), for editors and other people's programs.
#pragma once

#include <string>
#include <string_view>

#include <holdfast/file/keys.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// Every rule about one key or one table, but for the greatest length of time and for bytes of a name, which a schema
// cannot say: it counts characters. Rules across keys are the reader's alone. Ends with a line feed.
std::string json_schema(const Table& file, std::string_view title);

}  // namespace holdfast::file

#pragma GCC visibility pop
