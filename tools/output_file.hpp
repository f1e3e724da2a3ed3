// A file that is written from its beginning, and that knows why it could not be.
#pragma once

#include <filesystem>
#include <ostream>
#include <streambuf>
#include <string>
#include <vector>

namespace holdfast::tools {

class OutputFile final : private std::streambuf {
 public:
  // Creates or empties the file. ok() says whether that was possible.
  explicit OutputFile(const std::filesystem::path& path);
  ~OutputFile() override;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  std::ostream& stream() noexcept { return stream_; }

  // Writes what is still in memory. False if that, or anything before, failed.
  bool close();

  [[nodiscard]] bool ok() const noexcept { return error_ == 0; }
  // "/x/trace.ndjson: No space left on device". REQUIRES: !ok().
  [[nodiscard]] std::string problem() const;

 private:
  int_type overflow(int_type c) override;
  int sync() override;
  bool write_buffer();

  std::filesystem::path path_;
  std::vector<char> buffer_;
  std::ostream stream_;
  int descriptor_ = -1;
  int error_ = 0;  // errno of what went wrong first
};

}  // namespace holdfast::tools
