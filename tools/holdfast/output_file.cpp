#include "output_file.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <holdfast_sim/text/wording.hpp>

#include "command_line.hpp"
#include "exit_status.hpp"
#include "terminal.hpp"

namespace holdfast::tools {

namespace {

bool complain_about(const std::string& file, int error) {
  const auto why = error == EEXIST ? std::string{"exists already, and is left as it is; name another file"}
                                   : fmt::format("cannot be written: {}", std::strerror(error));
  complain(fmt::format("holdfast: {}: {}\n", sim::printable(file), why));
  return false;
}

// 0, or the errno of what went wrong.
int write_whole(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

bool write_new_file(const std::string& file, std::string_view text) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor == -1) return complain_about(file, errno);
  int error = write_whole(descriptor, text);
  if (::close(descriptor) != 0 && error == 0 && errno != EINTR) error = errno;
  return error == 0 || complain_about(file, error);
}

OutputFile::OutputFile(const std::filesystem::path& path) : path_(path), buffer_(1 << 16), stream_(this) {
  setp(buffer_.data(), buffer_.data() + buffer_.size());
  is_standard_output_ = is_standard_stream(path.native());
  descriptor_ =
      is_standard_output_ ? STDOUT_FILENO : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ == -1) error_ = errno;
}

OutputFile::~OutputFile() { close(); }

bool OutputFile::close() {
  if (descriptor_ == -1) return ok();
  write_buffer();
  // Some file systems report only now that there is no room.
  if (!is_standard_output_ && ::close(descriptor_) != 0 && ok() && errno != EINTR) error_ = errno;
  descriptor_ = -1;
  return ok();
}

bool OutputFile::reader_gone() const noexcept { return error_ == EPIPE; }

std::string OutputFile::problem() const {
  return (is_standard_output_ ? "to standard output" : sim::printable(path_.string())) + ": " + std::strerror(error_);
}

OutputFile::int_type OutputFile::overflow(int_type c) {
  if (!write_buffer()) return traits_type::eof();
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  *pptr() = traits_type::to_char_type(c);
  pbump(1);
  return c;
}

int OutputFile::sync() { return write_buffer() ? 0 : -1; }

bool OutputFile::write_buffer() {
  const char* from = pbase();
  while (ok() && from != pptr()) {
    const auto written = ::write(descriptor_, from, static_cast<std::size_t>(pptr() - from));
    if (written > 0) {
      from += written;
    } else if (written == -1 && errno != EINTR) {
      error_ = errno;
    }
  }
  setp(buffer_.data(), buffer_.data() + buffer_.size());
  return ok();
}

bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code neither_exists;
  return std::filesystem::equivalent(a, b, neither_exists);
}

bool would_be_one_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto place = [](const std::filesystem::path& path) {
    std::error_code unknown;
    return std::filesystem::weakly_canonical(path, unknown);
  };
  return is_same_file(a, b) || place(a) == place(b);
}

int complain_unwritable(std::string_view what, const OutputFile& file) {
  complain(fmt::format("holdfast: cannot write the {} {}\n", what, file.problem()));
  return bad_input;
}

int complain_overwrites(std::string_view what, const std::filesystem::path& input) {
  complain(
      fmt::format("holdfast: the {} would overwrite {}, which is being read\n", what, sim::printable(input.string())));
  return bad_input;
}

}  // namespace holdfast::tools
