// Reads a whole file that a user named, if it is one and is not too large.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace holdfast::sim::detail {

struct SmallFile {
  std::string text;
  std::string problem;  // what is wrong: "does not exist"; empty: nothing
};

// "is 9 bytes large; allowed are up to 8 bytes"
std::string too_large(std::uintmax_t size, std::size_t size_max);

SmallFile read_small_file(const std::filesystem::path& file, std::size_t size_max);

}  // namespace holdfast::sim::detail
