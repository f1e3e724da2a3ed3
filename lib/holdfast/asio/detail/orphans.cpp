#include <holdfast/asio/detail/orphans.hpp>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <new>
#include <ratio>
#include <string>
#include <system_error>
#include <utility>

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

struct Stat {
  std::string name;
  char state = 'X';  // as ps has it; X: it is gone
  pid_t group = 0;
  pid_t session = 0;
  std::chrono::nanoseconds began{0};  // on CLOCK_BOOTTIME
};

// From its line in /proc: "4711 (sh) Z 1 4700 4700 ...". A name may contain any character.
Stat stat_of(pid_t id) {
  constexpr int kBetweenSessionAndBegin = 15;
  Stat stat;
  const std::string path = "/proc/" + std::to_string(id) + "/stat";
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  std::array<char, 1024> text{};
  if (!file.is_open() || ::read(file.number(), text.data(), text.size() - 1) <= 0) return stat;
  const char* const name = std::strchr(text.data(), '(');
  const char* const name_end = std::strrchr(text.data(), ')');
  if (!name || !name_end || std::strlen(name_end) < 4) return stat;
  stat.name.assign(name + 1, name_end);
  stat.state = name_end[2];
  char* rest = const_cast<char*>(name_end + 3);
  const auto next = [&] { return std::strtoll(rest, &rest, 10); };
  next();  // its parent
  stat.group = static_cast<pid_t>(next());
  stat.session = static_cast<pid_t>(next());
  for (int i = 0; i < kBetweenSessionAndBegin; ++i) next();
  stat.began = std::chrono::nanoseconds{next() * (std::nano::den / ::sysconf(_SC_CLK_TCK))};
  return stat;
}

bool is_of_launched(const Stat& stat) { return is_launched_group(stat.group) || is_launched_group(stat.session); }

bool inherits() noexcept {
  int is_subreaper = 0;
  return ::getpid() == 1 || (::prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper) == 0 && is_subreaper != 0);
}

std::chrono::nanoseconds since_boot() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
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
  if (is_of_launched(stat_of(id))) return true;
  if (program_waits_) return false;
  const auto seen = std::find_if(unclear_.begin(), unclear_.end(), [&](const auto& one) { return one.first == id; });
  const auto since = seen == unclear_.end() ? now : seen->second;
  if (now - since >= kUnclearMax) return true;
  still_unclear_.emplace_back(id, since);
  return false;
}

// The kernel counts the begin of a process in ticks, rounded down.
std::optional<Inherited> inherited_since(std::chrono::steady_clock::time_point since) noexcept try {
  if (!inherits()) return std::nullopt;
  const auto tick = std::chrono::nanoseconds{std::nano::den / ::sysconf(_SC_CLK_TCK)};
  const auto earliest = since_boot() - (std::chrono::steady_clock::now() - since) - tick;
  for (const pid_t id : children()) {
    if (is_launched(id)) continue;
    auto stat = stat_of(id);
    if (stat.state == 'X' || stat.state == 'Z' || stat.began < earliest || is_of_launched(stat)) continue;
    return Inherited{id, std::move(stat.name)};
  }
  return std::nullopt;
} catch (const std::bad_alloc&) {
  return std::nullopt;
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

OrphanWatch::OrphanWatch(const boost::asio::any_io_executor& executor, bool program_waits_for_children,
                         bool takes_sigchld)
    : timer_(executor), reaper_(program_waits_for_children) {
  if (!takes_sigchld) return;
  signal_.emplace(executor, SIGCHLD);
  struct sigaction action {};
  ::sigaction(SIGCHLD, nullptr, &action);
  action.sa_flags |= SA_RESTART | SA_NOCLDSTOP;
  ::sigaction(SIGCHLD, &action, nullptr);
  sigset_t sigchld;
  ::sigemptyset(&sigchld);
  ::sigaddset(&sigchld, SIGCHLD);
  ::pthread_sigmask(SIG_UNBLOCK, &sigchld, nullptr);
}

void OrphanWatch::begin() {
  if (signal_) await_signal();
  look_in(std::chrono::seconds{1});
}

// By then most children have been reaped by those who wait for them.
void OrphanWatch::await_signal() {
  signal_->async_wait([weak = weak_from_this()](boost::system::error_code error, int) {
    const auto self = weak.lock();
    if (error || !self || self->is_over_) return;
    if (!self->is_to_look_) self->look_in(std::chrono::seconds{1});
    self->await_signal();
  });
}

void OrphanWatch::end() noexcept {
  if (is_over_) return;
  is_over_ = true;
  timer_.cancel();
  signal_.reset();
  while (!look()) continue;
}

void OrphanWatch::look_in(OrphanReaper::Clock::duration pause) {
  timer_.expires_after(pause);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->is_over_) return;
    using namespace std::chrono_literals;
    self->is_to_look_ = false;
    if (!self->look()) return self->look_in(5ms);
    if (!self->signal_ || self->reaper_.awaits_some()) self->look_in(1s);
  });
  is_to_look_ = true;  // without memory for the wait the next signal asks for it again
}

// Without memory for it the next look does it.
bool OrphanWatch::look() noexcept try {
  return reaper_.look(OrphanReaper::Clock::now());
} catch (const std::bad_alloc&) {
  return true;
}

}  // namespace holdfast::detail
