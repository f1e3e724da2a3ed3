#include <holdfast/asio/detail/process_group.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <holdfast/asio/detail/descriptor.hpp>

namespace holdfast::detail {

namespace {

using Clock = std::chrono::steady_clock;

// Thrown when there is no descriptor or no memory to look at a process: whether it is alive is unknown.
struct NotSeen {};

// A process that is gone has nothing to show, which is no error.
void check_that_it_has_gone() {
  if (errno != ENOENT && errno != ESRCH) throw NotSeen{};
}

// A live process, from its line in /proc: "4711 (sh) S 1 4700 …". A name may contain any character. Throws NotSeen.
std::optional<GroupMember> living_in(const std::string& path) {
  std::array<char, 1024> text{};
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open() || ::read(file.number(), text.data(), text.size() - 1) < 0) {
    check_that_it_has_gone();
    return std::nullopt;
  }
  const char* at = std::strrchr(text.data(), ')');
  if (!at || std::strlen(at) < 4 || at[2] == 'Z' || at[2] == 'X') return std::nullopt;
  const bool is_runnable = at[2] == 'R';
  char* rest = const_cast<char*>(at + 3);
  const auto next = [&] { return static_cast<pid_t>(std::strtol(rest, &rest, 10)); };
  const auto id = static_cast<pid_t>(std::strtol(text.data(), nullptr, 10));
  const pid_t parent = next();
  return GroupMember{.group = next(), .id = id, .parent = parent, .is_runnable = is_runnable};
}

// Of this thread.
Clock::duration processor_time() noexcept {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

bool has_lower_group(const GroupMember& a, const GroupMember& b) { return a.group < b.group; }

// Goes through /proc for ever, a slice at a time.
class Observer {
 public:
  LookAtGroup look_at(pid_t group) {
    const std::lock_guard lock{mutex_};
    if (const auto began = Clock::now(); began >= next_) {
      const auto used = processor_time();
      const std::size_t found = found_.size();
      try {
        look_at_a_slice();
        is_blind_ = false;
      } catch (const NotSeen&) {  // the slice comes again
        found_.resize(found, {});
        is_blind_ = true;
      }
      // All callers together take a sixth of a processor. What the thread waited for one does not count: where much is
      // to be done, a look would take seconds.
      constexpr int kRest = 6;
      next_ = began + kRest * (processor_time() - used);
    }
    const auto [first, last] =
        std::equal_range(living_.begin(), living_.end(), GroupMember{group, 0, 0, false}, has_lower_group);
    return {began_, {first, last}, is_blind_};
  }

 private:
  // No descriptor is open between two slices: a position in /proc stays valid.
  void look_at_a_slice() {
    constexpr int kSlice = 200;  // processes, a few microseconds each
    if (position_ == 0) begins_ = Clock::now();
    const std::unique_ptr<DIR, int (*)(DIR*)> folder{::opendir("/proc"), ::closedir};
    if (!folder) throw NotSeen{};
    if (position_ != 0) ::seekdir(folder.get(), position_);
    for (int left = kSlice; left > 0;) {
      const dirent* const entry = ::readdir(folder.get());
      if (!entry) return end_the_pass();
      const std::string name = entry->d_name;
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      if (const auto living = living_in("/proc/" + name + "/stat")) found_.push_back(*living);
      --left;
    }
    position_ = ::telldir(folder.get());
  }
  void end_the_pass() {
    std::sort(found_.begin(), found_.end(), has_lower_group);
    living_ = std::exchange(found_, {});
    began_ = begins_;
    position_ = 0;
  }

  std::mutex mutex_;
  long position_ = 0;                // in /proc; 0: at its beginning
  std::vector<GroupMember> found_;   // in this pass
  std::vector<GroupMember> living_;  // in the last one, by group
  Clock::time_point begins_;         // this pass
  Clock::time_point began_;          // the last one
  Clock::time_point next_;
  bool is_blind_ = false;
};

}  // namespace

int signal_process(int pidfd, int signal) noexcept {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0 ? 0 : errno;
}

int signal_group(int pidfd, pid_t group, int signal) noexcept {
  constexpr unsigned kProcessGroup = 1U << 2;  // PIDFD_SIGNAL_PROCESS_GROUP
  if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, kProcessGroup) == 0) return 0;
  if (errno != EINVAL) return errno;
  return ::kill(-group, signal) == 0 ? 0 : errno;
}

bool has_member(int pidfd, pid_t group) noexcept {
  siginfo_t info{};
  while (::waitid(P_PGID, static_cast<id_t>(group), &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0) info = {};
  return signal_group(pidfd, group, 0) != ESRCH;
}

LookAtGroup look_at(pid_t group) {
  static Observer observer;
  return observer.look_at(group);
}

bool would_end(pid_t id, int signal) {
  const std::uint64_t bit = std::uint64_t{1} << (signal - 1);
  std::ifstream status{"/proc/" + std::to_string(id) + "/status"};
  if (!status.is_open()) return false;  // it is gone, or no descriptor is left: the next look shows which
  for (std::string name, rest; status >> name && std::getline(status, rest);) {
    if (name != "SigBlk:" && name != "SigIgn:" && name != "SigCgt:") continue;
    if (std::strtoull(rest.c_str(), nullptr, 16) & bit) return false;
  }
  return true;
}

void signal_member(const GroupMember& member, int signal) noexcept {
  const Descriptor process{static_cast<int>(::syscall(SYS_pidfd_open, member.id, 0))};
  if (process.is_open() && ::getpgid(member.id) == member.group) signal_process(process.number(), signal);
}

}  // namespace holdfast::detail
