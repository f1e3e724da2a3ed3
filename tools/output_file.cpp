#include "output_file.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace holdfast::tools {

OutputFile::OutputFile(const std::filesystem::path& path) : path_(path), buffer_(1 << 16), stream_(this) {
  setp(buffer_.data(), buffer_.data() + buffer_.size());
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ == -1) error_ = errno;
}

OutputFile::~OutputFile() { close(); }

bool OutputFile::close() {
  if (descriptor_ == -1) return ok();
  write_buffer();
  // Some file systems tell only now that there is no room.
  if (::close(descriptor_) != 0 && ok() && errno != EINTR) error_ = errno;
  descriptor_ = -1;
  return ok();
}

std::string OutputFile::problem() const { return path_.string() + ": " + std::strerror(error_); }

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

}  // namespace holdfast::tools
