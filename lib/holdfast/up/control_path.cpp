#include <holdfast/up/control_path.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include <holdfast/up/services.hpp>

namespace holdfast::up {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSocketEnding = ".sock";
constexpr std::string_view kLockEnding = ".lock";

std::string reason() { return std::generic_category().message(errno); }

// The first is used for new sockets.
fs::path folder_of_sockets() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime == '/') return fs::path{runtime} / "holdfast";
  if (::geteuid() == 0) return "/run/holdfast";
  return "/tmp/holdfast-" + std::to_string(::geteuid());
}

// Ours, and nobody else may write into it. A folder that was made by somebody else beforehand (in /tmp) is refused.
void make_private(const fs::path& folder) {
  std::error_code ignored;
  fs::create_directories(folder.parent_path(), ignored);
  if (::mkdir(folder.c_str(), 0700) == 0) return;
  struct stat state {};
  if (errno != EEXIST || ::lstat(folder.c_str(), &state) != 0) {
    throw std::runtime_error{"cannot make the folder " + folder.string() + " for the control socket: " + reason() +
                             "; write control = \"…\" in [supervisor]"};
  }
  const bool ours = S_ISDIR(state.st_mode) && state.st_uid == ::geteuid() && (state.st_mode & 0022U) == 0;
  if (!ours) {
    throw std::runtime_error{
        folder.string() +
        " is not a folder of this user that nobody else may write; write control = \"…\" in [supervisor]"};
  }
}

std::string holder(int lock) {
  std::array<char, 32> text{};
  const auto size = ::pread(lock, text.data(), text.size() - 1, 0);
  std::string number{text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  while (!number.empty() && number.back() == '\n') number.pop_back();
  return number.empty() ? "another process" : "process " + number;
}

}  // namespace

std::string as_file_name(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || (c == '.' && !text.empty());
    constexpr std::string_view kDigits = "0123456789abcdef";
    if (plain) {
      text += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      ((text += '%') += kDigits[byte >> 4U]) += kDigits[byte & 0xfU];
    }
  }
  return text;
}

fs::path control_path(const file::FleetFile& fleet, const fs::path& file) {
  if (!fleet.production.control.empty()) return beside(file, fleet.production.control);
  return folder_of_sockets() / (as_file_name(fleet.name) + std::string{kSocketEnding});
}

std::string holder_of(const fs::path& socket) {
  const holdfast::detail::Descriptor lock{
      ::open((socket.string() + std::string{kLockEnding}).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!lock.is_open() || ::flock(lock.number(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return "";
  return holder(lock.number());
}

std::vector<fs::path> known_sockets() {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator{folder_of_sockets(), error}) {
    if (entry.path().extension() == kSocketEnding && entry.is_socket(error)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

ControlLock::ControlLock(fs::path socket) : socket_(std::move(socket)) {
  constexpr std::size_t kPathMax = sizeof(sockaddr_un::sun_path) - 1;
  if (socket_.native().size() > kPathMax) {
    throw std::runtime_error{"the control socket " + socket_.string() + " has a path of " +
                             std::to_string(socket_.native().size()) + " bytes; allowed are up to " +
                             std::to_string(kPathMax) + ": write control = \"…\" in [supervisor]"};
  }
  if (socket_.parent_path() == folder_of_sockets()) make_private(socket_.parent_path());
  const std::string lock = socket_.string() + std::string{kLockEnding};
  lock_ = holdfast::detail::Descriptor{::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!lock_.is_open()) throw std::runtime_error{"cannot open " + lock + ": " + reason()};
  if (::flock(lock_.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw std::runtime_error{"cannot lock " + lock + ": " + reason()};
    throw std::runtime_error{"this fleet is up already: " + holder(lock_.number()) + " has " + socket_.string() +
                             "; \"holdfast status\" shows it, \"holdfast down\" ends it"};
  }
  const std::string number = std::to_string(::getpid()) + '\n';
  const bool written = ::ftruncate(lock_.number(), 0) == 0 &&
                       ::pwrite(lock_.number(), number.data(), number.size(), 0) == static_cast<ssize_t>(number.size());
  if (!written) throw std::runtime_error{"cannot write " + lock + ": " + reason()};
  struct stat state {};
  if (::lstat(socket_.c_str(), &state) == 0 && !S_ISSOCK(state.st_mode)) {
    throw std::runtime_error{"the control socket " + socket_.string() + " is a file of another kind; remove it"};
  }
  ::unlink(socket_.c_str());  // of an `up` that was killed
}

// The lock file stays: without it two processes could lock two files of its name.
ControlLock::~ControlLock() { ::unlink(socket_.c_str()); }

}  // namespace holdfast::up
