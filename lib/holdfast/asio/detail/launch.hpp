// Starts a process. This prepares everything that its program needs; before_exec.hpp does what happens between its
// creation and execve().
//
// A start does not wait for execve(), so a process that hangs before it (its folder is on a dead file server) holds up
// nothing. Its data stay in memory until it has executed its program or has ended; the kernel reports both by clearing
// a number.
//
// Thread-safety: safe anywhere; the process dies with the thread that launched it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <holdfast/asio/detail/before_exec.hpp>
#include <holdfast/asio/detail/descriptor.hpp>
#include <holdfast/asio/detail/identity.hpp>
#include <holdfast/asio/process_service.hpp>

namespace holdfast::detail {

class LaunchPlan;

// Among the variables of a process: how long it may be silent, in microseconds.
inline constexpr const char* kWatchdogLength = "WATCHDOG_USEC";

// A process that was created. The descriptors are close-on-exec, and reading them does not block.
struct Launched {
  pid_t id = 0;        // of the process, and soon of its group and session
  Descriptor process;  // pidfd: readable once the process has ended
  Descriptor output;   // what it writes to stdout and stderr; closed if that is not captured
  Descriptor ready;    // what it writes to the descriptor on which it says that it is ready; closed if there is none
  std::shared_ptr<LaunchPlan> plan;
};

// Throws std::runtime_error, which says what is missing, if it creates no process. Whether the program could be
// executed is known only at the end of the process.
Launched launch(const Process& process, const Identity& identity, Memory memory = kMemory);

// Why the program of a process that has ended was never executed: "cannot execute 'foo': No such file or directory".
struct NotExecuted {
  std::string text;
  int status = 0;  // as in a shell, if the program itself could not be executed; else 0
};
std::optional<NotExecuted> trouble_of(const Launched& ended, const Process& process);

// Frees the data of the start of a process that has ended. trouble_of() does so as well.
void settle(const Launched& ended) noexcept;

// Frees the data of all starts whose processes have executed their programs by now. Returns how many have not.
std::size_t sweep_launch_plans() noexcept;

}  // namespace holdfast::detail
