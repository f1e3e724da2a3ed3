// The children that the runtimes of this program have launched. Only their services may reap them.
//
// Thread-safety: safe anywhere.
#pragma once

#include <sys/types.h>

#include <functional>

namespace holdfast::detail {

// Calls `create`, which creates a child and returns its number. The child is registered before any caller can ask for
// it, however soon it ends. Throws what `create` throws, and std::bad_alloc before the child is created.
pid_t note_launched(const std::function<pid_t()>& create);

// Whether it was launched here and is not forgotten: its exit status belongs to its service.
bool is_launched(pid_t id);

// Reaps a child of another origin that has ended. False: it was launched here, or there is nothing to reap.
bool reap_unless_launched(pid_t id) noexcept;

// Call it when the process has been reaped.
void forget_launched(pid_t id) noexcept;

// Whether a process that was launched here was the leader of this group. For a process that is forgotten this is known
// only while a KeepsLaunchedGroups exists.
bool is_launched_group(pid_t group);

// As long as one of these is alive, groups are known until they have no member.
class KeepsLaunchedGroups {
 public:
  KeepsLaunchedGroups() noexcept;
  ~KeepsLaunchedGroups();
  KeepsLaunchedGroups(const KeepsLaunchedGroups&) = delete;
  KeepsLaunchedGroups& operator=(const KeepsLaunchedGroups&) = delete;

  static void forget_empty() noexcept;
};

}  // namespace holdfast::detail
