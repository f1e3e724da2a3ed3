// A service that is a process of the operating system (Linux).
//
//     runtime.add({.name = "database", .policy = {.stop_grace = 10s}},
//                 Process{.command = {"postgres", "-D", "/srv/data"}, .environment = {{"PGPORT", "5433"}}});
//
// Each run is a process of its own, in a process group of its own. No shell splits or expands the arguments.
//
// ## How a run ends
//
// Exit status 0 is a clean exit. Everything else is a failure, with a text that says what happened:
//
//     exit status 3
//     killed by signal 11 (Segmentation fault), core dumped
//     cannot execute 'postgres': No such file or directory
//
// The end of the captured output follows: `exit status 3; its output: …`. As in a shell, an end by signal n has the
// exit status 128 + n, a program that is not found 127, and one that may not be executed 126. What a status means
// otherwise is in the policy: `.exit_rules = {.clean = {3}, .fatal = {127}}` makes 3 a clean exit and "not found"
// final.
//
// A run ends when its process ends. The rest of its process group is killed at once, and a warning reports it, so the
// next run never meets a leftover of the last one. Children that have left the group (setsid) live on; their end of the
// output pipe is closed.
//
// A program that puts itself into the background, as nginx does by default, cannot be supervised. A warning says so if
// a process ends cleanly within a second while others of its group are alive or have its output open. A program that
// inherits orphans (process 1, or Orphans::adopted in runtime.hpp) is also warned of one that it has inherited since.
//
// An end by SIGTERM, SIGINT, SIGHUP or `stop_signal` may be part of a stop that the supervisor has not seen yet, as
// when a whole control group is signalled. It is therefore reported 250 ms later. If the supervisor has asked the
// process to stop by then, it was the same stop, and the end is a clean one. So it is if a shutdown has begun by then
// that asks this process later, because others stop before it or because there are many; the rest of its group has time
// as after any stop.
//
// ## Stopping
//
// A stop sends `stop_signal` to the whole group, then SIGCONT, so that a halted process can obey. With `stop_to =
// StopTo::process` the process alone gets the signal, and the rest of the group gets it once the process has ended. The
// run lasts until the whole group has ended: in `sh -c './worker | cat'` the worker has its time too.
//
// A process has obeyed, which is a clean end, if it ends with exit status 0, by `stop_signal`, by another signal of a
// stop (SIGTERM, SIGINT, SIGHUP: the whole control group may have got it), or with the exit status that a shell gives
// for one of them (143, 130, 129), whatever the policy says of that status. When `stop_grace` has passed, the process
// and what is left of its group are killed with SIGKILL. That is reported and counted.
//
// Each member of the group gets the signal once, because a second one may cut short what the first one began. There is
// one exception. A shell that is just starting a command may take the signal in the command's place. The command gets
// the signal again if its parent has ended and the signal would end it.
//
// A process may have changed its user, so that the supervisor may not signal it. That is reported as `stop_threw` or
// `kill_threw`. Such a process is abandoned: neither the next start nor a removal waits for it, and it may run beside
// the next run. When services are destroyed, as with their runtime, all processes that are still alive are killed
// first. Then the runtime waits for their end, 2 s at most.
//
// When the supervisor dies, for whatever reason, the kernel kills the process (PR_SET_PDEATHSIG), but not its children.
// The kernel does the same when the *thread* ends that started the process, so a thread that runs the io_context must
// outlive the services. The kernel forgets this order for programs that gain privileges (set-user-ID, capabilities).
//
// ## When it is ready
//
// Under `ready = notified` (policy.hpp) the process says when it is ready, in the protocol of systemd's sd_notify(3),
// which many programs speak: the variable NOTIFY_SOCKET has the address of a socket, and READY=1 makes the service
// `running`. Messages count from the process and from whoever is in its process group, whatever they do with their
// user; others are refused, with a warning. So a script may call `systemd-notify --ready`. A sender that has ended by
// the time its message is read is not known any more: it should wait for the answer, as systemd-notify does.
//
// Under a `watchdog` it gets NOTIFY_SOCKET, too, and WATCHDOG_USEC, the length of the watchdog in microseconds.
// WATCHDOG=1 is a heartbeat (programs send one in half of that time), and X_PROGRESS=17 reports progress. A message is
// a sign of life when it is read, which is soon after it was sent.
//
// `ready_by` names something else that says so: a descriptor, a line of output, a probe from outside. And `health` asks
// a running process how it is, instead of waiting for its signs of life. probe.hpp has both.
//
// STATUS= is kept, and the last one is shown when the run fails: `exit status 1; its status: loading 3 of 9`. MAINPID=
// of another process is refused with a warning: that process would be supervised by nobody. Other lines are passed
// over.
//
// ## What the process gets
//
// - a session and a process group of its own, without a terminal, so that no terminal can stop it;
// - stdin from `input`; stdout and stderr together in a pipe that is always read, in a file or in a descriptor;
// - no other descriptor of the supervisor, whatever its flags; default signal actions and no blocked signal;
// - the supervisor's user, groups, limits and umask, where the fields below give no others.
//
// These are set in this order: umask, folder, input and output, limits, groups, group, user. So the supervisor's rights
// decide about the folder and the files: a program can write to a log that it could not open itself. HOME and other
// variables stay the supervisor's unless `environment` changes them.
//
// ## What it asks of the supervisor
//
// It does not handle SIGCHLD. It reaps its processes, and children inherited from them, but no others. The kernel must
// keep exit statuses for that: if SIGCHLD is ignored, as a parent may pass it on, each start gives it its default
// action, and it removes SA_NOCLDWAIT from a handler. If another part of the program reaps all children (waitpid(-1)),
// it takes the exit status away; the run then fails and says so.
//
// A live process takes two descriptors of the supervisor, or one if its output is not captured; one more to say when it
// is ready or to give signs of life. Where epoll has no watch left, the process is looked at every 20 ms instead. A
// start takes some 50 µs, however large the supervisor is: the new process uses the supervisor's memory until it
// executes its program, and the start does not wait for that. With another user or group the memory is copied instead,
// as fork() does, which takes a millisecond for every 10 MB on some kernels.
//
// Thread-safety: none; call everything on the executor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/asio/probe.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/service.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

namespace detail {
class ChildProcess;
struct Identity;
}  // namespace detail

enum class StopTo : std::uint8_t {
  group,
  process  // itself; for programs that stop their children in their own way, like prefork servers
};

// A resource limit of setrlimit(2).
struct ProcessLimit {
  int resource = 0;        // RLIMIT_NOFILE, …
  std::uint64_t soft = 0;  // kNoLimit: none
  std::uint64_t hard = 0;
  friend bool operator==(const ProcessLimit&, const ProcessLimit&) = default;
};
inline constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

// The program to run, and its environment.
struct Process {
  // The program and its arguments. A program without a slash is searched for in the PATH of the process's environment
  // (/bin:/usr/bin if there is none), at each start; with one it is a path, relative to `folder`.
  std::vector<std::string> command;
  // Names and values, added to what is inherited.
  std::vector<std::pair<std::string, std::string>> environment{};
  bool inherit_environment = true;     // false: only `environment`
  std::string folder{};                // to run in; empty: the supervisor's
  bool capture_output = true;          // false: stdout and stderr are the supervisor's own
  std::size_t output_kept_max = 4096;  // bytes of captured output, the last; 0 to kOutputKeptMax
  std::string input = "/dev/null";     // path of what stdin is read from, relative to `folder`
  // Where the output goes instead of being captured: a file to append to, created if it is missing (mode 0666 without
  // the umask), relative to `folder`; or a descriptor of the supervisor that stays open. At most one of them.
  std::string output_file{};
  int output_descriptor = -1;
  int error_descriptor = -1;       // of stderr alone, beside output_descriptor, which then has stdout alone
  int stop_signal = 15;            // SIGTERM; 1 to 64, not SIGKILL, SIGSTOP or SIGCONT
  StopTo stop_to = StopTo::group;  // whom the stop_signal is sent to first
  // Names or numbers, looked up once, when the service is constructed; empty: the supervisor's. With a user the process
  // gets the user's groups; with a group alone it has only that one.
  std::string user{};
  std::string group{};
  std::optional<unsigned> umask{};      // 0 to 0777
  std::vector<ProcessLimit> limits{};   // others are the supervisor's
  ReadyBy ready_by{};                   // no effect unless the policy has ready = notified
  std::optional<HealthProbe> health{};  // no effect unless the policy has a watchdog; the process gives no signs itself
  friend bool operator==(const Process&, const Process&) = default;
};
inline constexpr std::size_t kOutputKeptMax = std::size_t{1} << 20;

// Reads output that a ProcessService does not capture, for ReadyLine: calls `found`, on any thread, once a process that
// is started after this call has written a line with the text, for as long as the returned object is kept.
using FindLine = std::function<std::shared_ptr<void>(const std::string& text, std::function<void()> found)>;

// How a process has ended.
struct ProcessEnd {
  int status = 0;           // exit status
  int signal = 0;           // that ended it; 0: none did
  bool has_dumped = false;  // its core
};
// Has the end of a run. The supervisor learns of it, and the run is over, when `report` is called: once, with an exit,
// now or later. What the run is asked until then (stop, kill) is no more the service's business.
using HoldEnd = std::function<void(const Run& run, const ProcessEnd& end, Exit exit, std::function<void(Exit)> report)>;

// Every mistake, in the order of the fields. Looks `user` and `group` up.
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
  // Sends a signal of the operating system to the process of this run, to it alone. It is no stop: what it does to the
  // run is up to the process. False: the run is over, or was never there. Throws std::system_error if the supervisor
  // may not signal the process.
  bool signal(RunNumber run, int number) const;
  // What runs from the next start on. A run that is alive keeps what it was started with. Throws ConfigError.
  void use(Process process);
  // Of runs that start from now on.
  void find_lines_with(FindLine find_line) { find_line_ = std::move(find_line); }
  // Of runs that end from now on; empty: the supervisor learns of them at once.
  void hold_ends_with(HoldEnd hold_end) { hold_end_ = std::move(hold_end); }
  // What its probes say of this run, for people; empty: all is well, or nothing is known of it.
  [[nodiscard]] std::string trouble_of(RunNumber run) const;
  // A process that may not be killed does not hold up a restart.
  [[nodiscard]] bool runs_side_by_side() const noexcept override { return true; }

 private:
  [[nodiscard]] std::shared_ptr<detail::ChildProcess> child_of(const Run& run) const noexcept;

  const boost::asio::any_io_executor executor_;
  std::shared_ptr<const Process> process_;
  std::shared_ptr<const detail::Identity> identity_;
  FindLine find_line_;
  HoldEnd hold_end_;
  // Of the present run, and of abandoned ones that could not be killed.
  std::vector<std::shared_ptr<detail::ChildProcess>> children_;
};

}  // namespace holdfast

#pragma GCC visibility pop
