// Starts a process: what stands between fork() and execve().
//
// Thread-safety: safe anywhere; the process dies with the thread that launched it.
#pragma once

#include <sys/types.h>

#include <string>

#include <holdfast/asio/detail/descriptor.hpp>
#include <holdfast/asio/process_service.hpp>

namespace holdfast::detail {

// A process that was forked. All descriptors are close-on-exec, and reading them does not block.
struct Launched {
  pid_t id = 0;        // of the process, and of its group
  Descriptor process;  // pidfd: readable once the process has ended
  Descriptor output;   // what it writes to stdout and stderr; closed if that is not captured
  Descriptor trouble;  // why the program could not be executed, if it could not
};

// Throws std::runtime_error, which says what is missing. That a program cannot be executed is known at the end of the
// process only: nothing here waits for another process.
Launched launch(const Process& process);

// Why the program of a process that has ended was never executed: "cannot execute 'foo': No such file or directory".
// Empty: it was.
std::string trouble_of(const Launched& launched, const Process& process);

}  // namespace holdfast::detail
