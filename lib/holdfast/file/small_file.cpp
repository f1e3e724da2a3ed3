#include <holdfast/file/small_file.hpp>

#include <fstream>
#include <string>
#include <system_error>

namespace holdfast::file {

std::string too_large(std::uintmax_t size, std::size_t size_max) {
  return "is " + std::to_string(size) + " bytes large; allowed are up to " + std::to_string(size_max) + " bytes";
}

SmallFile read_small_file(const std::filesystem::path& file, std::size_t size_max) {
  // The system would cut the path at the NUL.
  if (file.native().find('\0') != std::string::npos) return {"", "does not exist"};
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found) return {"", "does not exist"};
  if (std::filesystem::is_directory(status)) return {"", "is a folder; allowed is a file"};
  if (!std::filesystem::is_regular_file(status)) return {"", "is not a regular file"};
  const auto size = std::filesystem::file_size(file, error);
  if (error) return {"", "cannot be read: " + error.message()};
  if (size > size_max) return {"", too_large(size, size_max)};
  std::ifstream stream{file, std::ios::binary};
  std::string text(static_cast<std::size_t>(size), '\0');
  if (!stream.read(text.data(), static_cast<std::streamsize>(size))) {
    return {"", "cannot be read: is this user allowed to?"};
  }
  return {std::move(text), ""};
}

}  // namespace holdfast::file
