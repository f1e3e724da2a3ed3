#include <holdfast/up/log_file.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace holdfast::up {

LogFile::LogFile(std::string path, std::uint64_t bytes_max, std::uint32_t keep)
    : path_(std::move(path)), bytes_max_(bytes_max), keep_(keep) {
  std::error_code ignored;  // opening the file says what is wrong
  std::filesystem::create_directories(std::filesystem::path{path_}.parent_path(), ignored);
  if (open()) return;
  const std::string reason = std::generic_category().message(errno);
  throw std::runtime_error{"cannot write the log " + path_ + ": " + reason};
}

LogFile::~LogFile() {
  if (!path_.empty() && descriptor_ >= 0) ::close(descriptor_);
}

bool LogFile::open() {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (descriptor_ < 0) return false;
  struct stat state {};
  size_ = ::fstat(descriptor_, &state) == 0 ? static_cast<std::uint64_t>(state.st_size) : 0;
  return true;
}

void LogFile::flush() {
  if (pending_.empty()) return;
  if (path_.empty()) {
    write(pending_);
  } else {
    for (std::string_view lines = pending_; !lines.empty();) {
      if (size_ > 0 && fitting(lines) == 0) rotate();
      const auto part = lines.substr(0, std::max(fitting(lines), std::min(lines.find('\n') + 1, lines.size())));
      write(part);
      lines.remove_prefix(part.size());
    }
  }
  constexpr std::size_t kKept = std::size_t{4} * 1024;
  path_.empty() || pending_.capacity() <= kKept ? pending_.clear() : std::string{}.swap(pending_);
}

std::size_t LogFile::fitting(std::string_view lines) const noexcept {
  if (size_ >= bytes_max_) return 0;
  const auto room = bytes_max_ - size_;
  if (lines.size() <= room) return lines.size();
  const auto end = lines.rfind('\n', static_cast<std::size_t>(room) - 1);
  return end == std::string_view::npos ? 0 : end + 1;
}

// The oldest file is overwritten by the one before it.
void LogFile::rotate() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  const auto numbered = [this](std::uint32_t number) { return path_ + '.' + std::to_string(number); };
  for (auto number = keep_; number > 1; --number) std::rename(numbered(number - 1).c_str(), numbered(number).c_str());
  keep_ > 0 ? static_cast<void>(std::rename(path_.c_str(), numbered(1).c_str()))
            : static_cast<void>(::unlink(path_.c_str()));
  size_ = 0;
  open();
}

void LogFile::write(std::string_view lines) {
  if (descriptor_ < 0 && (path_.empty() || !open())) return lose(lines, errno);
  if (torn_ && write_some("\n") != 1) return lose(lines, errno);
  torn_ = false;
  const auto written = write_some(lines);
  size_ += written;
  if (written == lines.size()) return;
  const int error = errno;
  torn_ = written > 0 && lines[written - 1] != '\n';
  lose(lines.substr(written), error);
}

// All of it, unless there is an error; then errno has it.
std::size_t LogFile::write_some(std::string_view text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const auto count = ::write(descriptor_, text.data() + written, text.size() - written);
    if (count > 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {  // whoever shares the descriptor may have made it so
      pollfd ready{descriptor_, POLLOUT, 0};
      ::poll(&ready, 1, 1000);
    } else if (errno != EINTR) {
      break;
    }
  }
  return written;
}

void LogFile::lose(std::string_view lines, int error) noexcept {
  lost_.count += static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
  lost_.error = error;
}

LostLines LogFile::take_lost() noexcept { return std::exchange(lost_, {}); }

}  // namespace holdfast::up
