// Reads a whole file that a user named, unless it is not a file or is too large.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#pragma GCC visibility push(default)

namespace holdfast::file {

struct SmallFile {
  std::string text;
  std::string problem;  // what is wrong: "does not exist"; empty: nothing
};

// "is 9 bytes large; allowed are up to 8 bytes"
std::string too_large(std::uintmax_t size, std::size_t size_max);

SmallFile read_small_file(const std::filesystem::path& file, std::size_t size_max);

}  // namespace holdfast::file

#pragma GCC visibility pop
