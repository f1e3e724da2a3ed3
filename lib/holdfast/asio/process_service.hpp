// A service that is a process of the operating system (Linux).
//
//     runtime.add({.name = "database", .stop_grace = 10s},
//                 Process{.command = {"postgres", "-D", "/srv/data"}, .environment = {{"PGPORT", "5433"}}});
//
// Each run is a process of its own, in a process group of its own. Nothing stands between: no shell splits or expands
// the arguments.
//
// ## Its end
//
// Exit status 0 is a clean exit, everything else a failure with a text that says what happened:
//
//     exit status 3
//     killed by signal 11 (Segmentation fault), core dumped
//     cannot execute 'postgres': No such file or directory
//
// What it wrote to stdout and stderr follows, as far as it is kept: `exit status 3; its output: …`. The end of the run
// is that of the process itself; whatever of its group is left then is killed, so that the next run finds nothing of
// the last one alive. Children that have left the group (setsid) live on, and find their output closed.
//
// ## Stopping
//
// A stop is a SIGTERM to the whole group (and a SIGCONT, so that a halted one can obey), a kill a SIGKILL to it. A
// process that ends by that SIGTERM has obeyed: a clean end. It is killed when its `stop_grace` has passed; without one
// it is waited for until the drain's deadline, and abandoned then. When the service is destroyed, as with its runtime,
// a process that is still alive is killed and reaped: that takes as long as the kernel takes, and is given up after 10
// s.
//
// When the supervisor itself dies, however it dies, the kernel kills the process (PR_SET_PDEATHSIG), not its children.
// It does so as well when the *thread* ends that started the process: a thread that runs the io_context ends after the
// services have. The kernel forgets this for programs that gain privileges (set-user-ID, capabilities).
//
// ## What the process gets
//
// - stdin from /dev/null; stdout and stderr together into a pipe that is always read, or the supervisor's own.
// - No other descriptor of the supervisor, whatever its flags. Default signal actions, no blocked signal.
// - The supervisor's user, limits, umask and terminal.
//
// No SIGCHLD is handled and no other child is waited for. A program that reaps all its children itself (waitpid(-1), or
// SIGCHLD ignored) takes the exit status away: then the run fails and says so.
//
// Thread-safety: none; all on the executor. Starting forks, in the thread that calls.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/service.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

namespace detail {
class ChildProcess;
}

// What is run, and with what.
struct Process {
  // The program and its arguments. A program without a slash is searched for in the PATH of the process's environment
  // (/bin:/usr/bin if there is none), at each start; with one it is a path, relative to `folder`.
  std::vector<std::string> command;
  // Names and values, which come on top of what is inherited.
  std::vector<std::pair<std::string, std::string>> environment{};
  bool inherit_environment = true;     // false: only `environment`
  std::string folder{};                // to run in; empty: the supervisor's
  bool capture_output = true;          // false: stdout and stderr are the supervisor's own
  std::size_t output_kept_max = 4096;  // bytes of captured output, the last; 0 to kOutputKeptMax
  friend bool operator==(const Process&, const Process&) = default;
};
inline constexpr std::size_t kOutputKeptMax = std::size_t{1} << 20;

// Everything that is wrong, in the order of the fields.
std::vector<Problem> problems(const Process&);

class ProcessService final : public Service {
 public:
  // Throws ConfigError, which lists everything that is wrong. REQUIRES: the executor is one of an io_context.
  ProcessService(boost::asio::any_io_executor executor, Process process);
  ~ProcessService();
  ProcessService(const ProcessService&) = delete;
  ProcessService& operator=(const ProcessService&) = delete;

  void start(Run run) override;
  void stop(Run run) override;
  [[nodiscard]] bool can_be_killed() const noexcept override { return true; }
  void kill(Run run) override;

 private:
  const boost::asio::any_io_executor executor_;
  const Process process_;
  std::shared_ptr<detail::ChildProcess> child_;  // of the present run; null between runs
};

}  // namespace holdfast

#pragma GCC visibility pop
