#include <holdfast/asio/detail/orphans.hpp>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <new>
#include <string>
#include <system_error>

#include <holdfast/asio/detail/descriptor.hpp>

namespace holdfast::detail {

namespace {

// The number of a child that has ended and is not reaped, 0 if there is none. Does not reap it.
pid_t ended_child(idtype_t kind, pid_t id) noexcept {
  siginfo_t info{};
  return ::waitid(kind, static_cast<id_t>(id), &info, WEXITED | WNOHANG | WNOWAIT) == 0 ? info.si_pid : 0;
}

// The children of all threads. Empty if the kernel does not list them (CONFIG_PROC_CHILDREN).
std::vector<pid_t> children() {
  std::vector<pid_t> found;
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator{"/proc/self/task", gone}) {
    std::ifstream list{thread.path() / "children"};
    for (pid_t id = 0; list >> id;) found.push_back(id);
  }
  return found;
}

// The group and the session of a process, from its line in /proc: "4711 (sh) Z 1 4700 4700 …". A name may contain any
// character.
bool is_of_launched(pid_t id) {
  const std::string path = "/proc/" + std::to_string(id) + "/stat";
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  std::array<char, 1024> text{};
  if (!file.is_open() || ::read(file.number(), text.data(), text.size() - 1) <= 0) return false;
  const char* const name_end = std::strrchr(text.data(), ')');
  if (!name_end || std::strlen(name_end) < 4) return false;
  char* rest = const_cast<char*>(name_end + 3);
  const auto next = [&] { return static_cast<pid_t>(std::strtol(rest, &rest, 10)); };
  next();  // its parent
  const pid_t group = next();
  return is_launched_group(group) || is_launched_group(next());
}

struct Subreapers {
  std::mutex mutex;
  int count = 0;
  int former = 0;
};
Subreapers& subreapers() {
  static Subreapers all;
  return all;
}

}  // namespace

// Most looks are one system call.
bool OrphanReaper::look(Clock::time_point now) {
  KeepsLaunchedGroups::forget_empty();
  const pid_t first = ended_child(P_ALL, 0);
  std::vector<pid_t> all;
  if (first != 0) all = children();
  if (first != 0 && all.empty()) all.push_back(first);
  still_unclear_.clear();
  std::size_t reaped = 0;
  for (const pid_t id : all) {
    if (reaped == kReapedMax) return false;
    if (ended_child(P_PID, id) == id && may_be_reaped(id, now) && reap_unless_launched(id)) ++reaped;
  }
  unclear_.swap(still_unclear_);
  return true;
}

bool OrphanReaper::may_be_reaped(pid_t id, Clock::time_point now) {
  if (is_launched(id)) return false;
  if (is_of_launched(id)) return true;
  if (program_waits_) return false;
  const auto seen = std::find_if(unclear_.begin(), unclear_.end(), [&](const auto& one) { return one.first == id; });
  const auto since = seen == unclear_.end() ? now : seen->second;
  if (now - since >= kUnclearMax) return true;
  still_unclear_.emplace_back(id, since);
  return false;
}

Subreaper::Subreaper() noexcept {
  auto& all = subreapers();
  const std::lock_guard lock{all.mutex};
  if (all.count++ > 0) return;
  ::prctl(PR_GET_CHILD_SUBREAPER, &all.former);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

Subreaper::~Subreaper() {
  auto& all = subreapers();
  const std::lock_guard lock{all.mutex};
  if (--all.count == 0) ::prctl(PR_SET_CHILD_SUBREAPER, all.former);
}

void OrphanWatch::begin() { look_in(std::chrono::seconds{1}); }

void OrphanWatch::end() noexcept {
  if (is_over_) return;
  is_over_ = true;
  timer_.cancel();
  while (!look()) continue;
}

void OrphanWatch::look_in(OrphanReaper::Clock::duration pause) {
  timer_.expires_after(pause);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->is_over_) return;
    using namespace std::chrono_literals;
    self->look_in(self->look() ? OrphanReaper::Clock::duration{1s} : 5ms);
  });
}

// Without memory for it the next look does it.
bool OrphanWatch::look() noexcept try {
  return reaper_.look(OrphanReaper::Clock::now());
} catch (const std::bad_alloc&) {
  return true;
}

}  // namespace holdfast::detail
