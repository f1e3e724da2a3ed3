// What runs before a service's program, in the process that becomes it: `before_start`.
//
// The supervisor starts this command itself in the program's place, with everything that the program gets: user,
// folder, environment, limits, output. It starts the command of `before_start`, waits for its end, and executes the
// program. So the process has its number from the start on, a stop reaches both in one process group, and nothing waits
// in the supervisor. If the command fails, this process ends with its exit status.
//
// A run is `starting` until the command has ended. A service without a `ready` of its own says READY=1 here, through a
// NOTIFY_SOCKET that its program never sees.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <holdfast/asio/process_service.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>

namespace holdfast::up {

struct ErrandToRun {
  std::vector<std::string> command{};
  Duration timeout{};
  friend bool operator==(const ErrandToRun&, const ErrandToRun&) = default;
};

// The second word of the command line of such a process.
inline constexpr const char* kBeginWord = "begin-service";
// Its exit status when the time is over, as timeout(1) has it.
inline constexpr int kBeginTimeoutStatus = 124;

// Who says that a run is ready.
enum class BeginSays : bool { nothing, ready };

// Has `process` begin with the errand. `gives_signs`: its program has a watchdog, and so a NOTIFY_SOCKET of its own.
void begin_with(Process& process, const ErrandToRun& errand, BeginSays says, bool gives_signs);

// That process. Returns only if the program was not executed: the exit status.
int begin_service(int count, char** words);

}  // namespace holdfast::up
