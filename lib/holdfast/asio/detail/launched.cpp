#include <holdfast/asio/detail/launched.hpp>

#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <map>
#include <mutex>
#include <utility>

namespace holdfast::detail {

namespace {

// For each process number, how many launched processes have it and are not forgotten. For a moment there may be two:
// one that was reaped, and the next one to get its number. Zero: it is kept as the number of a group.
using LaunchedById = std::map<pid_t, int>;

struct LaunchedChildren {
  std::mutex mutex;
  LaunchedById by_id;
  int keepers = 0;
};

LaunchedChildren& launched_children() {
  static LaunchedChildren all;
  return all;
}

bool has_member(pid_t group) noexcept { return ::kill(-group, 0) == 0 || errno != ESRCH; }

}  // namespace

pid_t note_launched(const std::function<pid_t()>& create) {
  LaunchedById fresh;
  fresh.emplace(0, 1);
  auto note = fresh.extract(0);
  auto& all = launched_children();
  const std::lock_guard lock{all.mutex};  // nothing can ask between the birth of the child and its entry
  const pid_t id = create();
  note.key() = id;
  if (const auto noted = all.by_id.insert(std::move(note)); !noted.inserted) ++noted.position->second;
  return id;
}

bool is_launched(pid_t id) {
  auto& all = launched_children();
  const std::lock_guard lock{all.mutex};
  const auto found = all.by_id.find(id);
  return found != all.by_id.end() && found->second > 0;
}

// The lock keeps a new process from getting its number meanwhile.
bool reap_unless_launched(pid_t id) noexcept {
  auto& all = launched_children();
  const std::lock_guard lock{all.mutex};
  const auto found = all.by_id.find(id);
  if (found != all.by_id.end() && found->second > 0) return false;
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(id), &info, WEXITED | WNOHANG) == 0 && info.si_pid == id;
}

void forget_launched(pid_t id) noexcept {
  auto& all = launched_children();
  const std::lock_guard lock{all.mutex};
  const auto found = all.by_id.find(id);
  if (found == all.by_id.end() || found->second == 0) return;
  if (--found->second == 0 && all.keepers == 0) all.by_id.erase(found);
}

bool is_launched_group(pid_t group) {
  auto& all = launched_children();
  const std::lock_guard lock{all.mutex};
  return all.by_id.contains(group);
}

KeepsLaunchedGroups::KeepsLaunchedGroups() noexcept {
  auto& all = launched_children();
  const std::lock_guard lock{all.mutex};
  ++all.keepers;
}

KeepsLaunchedGroups::~KeepsLaunchedGroups() {
  auto& all = launched_children();
  const std::lock_guard lock{all.mutex};
  if (--all.keepers == 0) std::erase_if(all.by_id, [](const auto& one) { return one.second == 0; });
}

void KeepsLaunchedGroups::forget_empty() noexcept {
  auto& all = launched_children();
  const std::lock_guard lock{all.mutex};
  std::erase_if(all.by_id, [](const auto& one) { return one.second == 0 && !has_member(one.first); });
}

}  // namespace holdfast::detail
