// The supervisor of bench/peers: keeps COUNT processes running until SIGTERM, and restarts each as soon as it ends.
//
//     process_fleet COUNT COMMAND...
//     process_fleet --bare STARTS COMMAND...
//
// --bare is the floor: one process after the other, by vfork and waitpid and nothing else.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/asio/runtime.hpp>

using namespace std::chrono_literals;

namespace {

// What vfork() shares must not change here.
[[gnu::noinline]] bool start_and_wait(char** command) {
  const pid_t child = ::vfork();
  if (child == 0) {
    ::execv(command[0], command);
    ::_exit(127);
  }
  return child > 0 && ::waitpid(child, nullptr, 0) == child;
}

int bare(int starts, char** command) {
  for (int i = 0; i < starts; ++i) {
    if (!start_and_wait(command)) return 1;
  }
  return 0;
}

int supervise(int count, const std::vector<std::string>& command) {
  holdfast::Runtime runtime{{.supervisor = {.backoff = {.base = 0s, .max = 0s, .breaker = std::nullopt}}}};
  for (int i = 0; i < count; ++i) {
    const auto added = runtime.add({.name = "child-" + std::to_string(i),
                                    .policy = {.restart = holdfast::RestartPolicy::always, .stop_grace = 5s}},
                                   holdfast::Process{.command = command});
    if (!added) {
      std::cerr << added.refusal().message << '\n';
      return 2;
    }
  }
  return runtime.run_until_shutdown().suggested_exit_status();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 4 && argv[1] == std::string_view{"--bare"}) return bare(std::atoi(argv[2]), argv + 3);
  if (argc >= 3) return supervise(std::atoi(argv[1]), {argv + 2, argv + argc});
  std::cerr << "usage: process_fleet COUNT COMMAND...\n       process_fleet --bare STARTS COMMAND...\n";
  return 2;
}
