// The processes of a group, also after the end of its leader.
//
// Thread-safety: safe anywhere.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

namespace holdfast::detail {

// Sends a signal to the process; 0, or an errno.
int signal_process(int pidfd, int signal) noexcept;

// Sends a signal to every member of the group with the number of this process; 0, or an errno. ESRCH: it has none.
//
// The process may have been reaped. Its number belongs to the group as long as the group has a member; a caller that
// got ESRCH must not call again. From Linux 6.9 on the pidfd names the group, so that no other one can be hit. Older
// kernels could hit another group if they had given out all their numbers since the caller last found a member.
int signal_group(int pidfd, pid_t group, int signal) noexcept;

// Whether the group has a member, alive or a zombie. Members that this program has inherited (as process 1, or as a
// subreaper) and that have ended are reaped. REQUIRES: the process itself was reaped.
bool has_member(int pidfd, pid_t group) noexcept;

struct GroupMember {
  pid_t group;
  pid_t id;
  pid_t parent;
  bool is_runnable;  // it runs, or waits for a processor
};

// A slow look at the processes of the system, which distinguishes live members from zombies. Each call does one slice,
// so that it holds up its caller only briefly. All callers share it. Without a free descriptor the pass waits.
struct LookAtGroup {
  // When the last pass over everything began. It may have missed what has happened since.
  std::chrono::steady_clock::time_point began;
  std::vector<GroupMember> alive;  // in that pass
  bool is_blind = false;           // the latest slice could not be looked at: there is no descriptor
};
LookAtGroup look_at(pid_t group);

// Whether this signal would end the process: it is neither caught, ignored nor blocked. For signals whose default
// action is to end it.
bool would_end(pid_t id, int signal);

// Sends a signal to a process that was a member of the group a moment ago, if it still is.
void signal_member(const GroupMember& member, int signal) noexcept;

}  // namespace holdfast::detail
