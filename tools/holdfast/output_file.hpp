// A file that is written from its beginning, or standard output, and that knows why it could not be written.
#pragma once

#include <filesystem>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::tools {

class OutputFile final : private std::streambuf {
 public:
  // Creates or empties the file; "-" is standard output. ok() says whether that was possible.
  explicit OutputFile(const std::filesystem::path& path);
  ~OutputFile() override;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  std::ostream& stream() noexcept { return stream_; }

  // Writes what is still in memory. False if that, or anything before, failed.
  bool close();

  [[nodiscard]] bool ok() const noexcept { return error_ == 0; }
  // The reader of the pipe has gone away, which is no error. Nothing more is written.
  [[nodiscard]] bool reader_gone() const noexcept;
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
  bool is_standard_output_ = false;
  int error_ = 0;  // errno of what went wrong first
};

// Writes a file that must not exist yet. False: it could not be written; that was said.
bool write_new_file(const std::string& file, std::string_view text);

// Whether both paths lead to one file that exists.
bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b);
// The same of files that need not exist yet.
bool would_be_one_file(const std::filesystem::path& a, const std::filesystem::path& b);

// Each complains and returns the exit status. `what`: "trace", "scenario".
int complain_unwritable(std::string_view what, const OutputFile& file);
int complain_overwrites(std::string_view what, const std::filesystem::path& input);

}  // namespace holdfast::tools
