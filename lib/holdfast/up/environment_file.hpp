// Files of variables: a line is `NAME=value`. Empty lines and lines that begin with # or ; say nothing, `export` before
// a name is passed over, and a value that stands in quotes, single or double, is what is between them. Nothing is
// expanded.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::up {

struct EnvironmentFile {
  std::vector<std::pair<std::string, std::string>> variables{};
  std::string problem{};  // what is wrong, with the line; empty: nothing
};

EnvironmentFile read_environment_file(const std::filesystem::path& path, bool may_be_missing);

// The same of a text; `name` is what messages call the file.
EnvironmentFile parse_environment(std::string_view text, const std::string& name);

}  // namespace holdfast::up
