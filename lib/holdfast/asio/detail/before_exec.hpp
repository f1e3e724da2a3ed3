// What a new process does between its creation and execve().
//
// It may run in the memory of the supervisor (CLONE_VM), at the same time as the supervisor's own threads and with the
// thread pointer of the one that created it. Therefore nothing here touches what belongs to a thread: no errno, so no
// wrapper of the C library that sets it; no memory is allocated, no lock taken, no sanitizer or profiler called. System
// calls are made directly, and everything they need was prepared before.
//
// Thread-safety: create_process() anywhere.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstddef>

namespace holdfast::detail {

// Which memory a new process uses until it executes its program.
enum class Memory : unsigned char {
  shared,  // the supervisor's own: as fast for a parent of any size
  copied   // a copy, as with fork(): the time grows with the parent's size
};
// `shared` needs a system call without the C library; this code has it for these machines.
#if (defined(__x86_64__) && defined(__LP64__)) || (defined(__aarch64__) && defined(__LP64__))
inline constexpr Memory kMemory = Memory::shared;
#else
inline constexpr Memory kMemory = Memory::copied;
#endif

// The step at which the process failed, if it failed.
enum class Stage : int { none, set_up, enter_folder, open_input, open_output, limit, groups, group, user, execute };
struct Trouble {
  Stage stage = Stage::none;
  int error = 0;   // errno
  int detail = 0;  // of `limit`: the resource
};
// Exit statuses of a process that could not execute its program, as in a shell.
inline constexpr int kNotFoundStatus = 127;
inline constexpr int kNotExecutableStatus = 126;

struct ResourceLimit {
  int resource;
  struct {
    unsigned long long soft, hard;
  } value;  // as prlimit64 takes it
};

// Everything it needs. What it points to stays until the process has left this memory.
struct Orders {
  const char* const* candidates;  // paths of the program, to be tried in order; ends with null
  char* const* arguments;
  char* const* environment;
  const char* folder;       // null: stay
  const char* input;        // what stdin is read from
  const char* output_file;  // what stdout and stderr are appended to, or null
  int output;               // a descriptor above stderr for both of them; negative: as they are
  int error_output;         // another one for stderr; negative: the same
  int ready;                // a descriptor above stderr that it gets as ready_number; negative: none
  int ready_number;         // above stderr
  int file_mode_mask;       // negative: as it is
  const ResourceLimit* limits;
  std::size_t limit_count;
  const gid_t* groups;  // null: as they are
  std::size_t group_count;
  bool changes_group, changes_user;
  gid_t group;
  uid_t user;
  pid_t supervisor;
  unsigned descriptors_max;
  Trouble* trouble;  // in memory that both can write, whatever `memory` is
  int* in_use;       // not 0, until the process has left this memory; with `shared` only
};

struct Created {
  pid_t id;     // negative: there is none
  int process;  // pidfd, close-on-exec
  int error;    // errno if there is none
};

// Creates the process. Every signal is blocked until it has its default action. `stack_end` is used with `shared`.
Created create_process(Memory memory, void* stack_end, const Orders& orders) noexcept;

}  // namespace holdfast::detail
