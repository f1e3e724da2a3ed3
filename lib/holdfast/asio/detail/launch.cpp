#include <holdfast/asio/detail/launch.hpp>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <vector>

namespace holdfast::detail {

namespace {

[[noreturn]] void fail(const std::string& what, int error) {
  throw std::runtime_error{"cannot " + what + ": " + std::generic_category().message(error)};
}

// ---------------------------------------------------------------------------------------------------------------------
// Before the fork: everything that needs memory
// ---------------------------------------------------------------------------------------------------------------------

bool has_name(std::string_view entry, std::string_view name) {
  return entry.size() > name.size() && entry.substr(0, name.size()) == name && entry[name.size()] == '=';
}

// "NAME=value", what is inherited first, of one name the last.
std::vector<std::string> environment_of(const Process& process) {
  std::vector<std::string> entries;
  for (char** inherited = environ; process.inherit_environment && inherited && *inherited; ++inherited) {
    entries.emplace_back(*inherited);
  }
  for (const auto& [name, value] : process.environment) {
    std::erase_if(entries, [&name = name](const std::string& entry) { return has_name(entry, name); });
    entries.emplace_back(name).append(1, '=').append(value);
  }
  return entries;
}

// The paths to try, in order.
std::vector<std::string> candidates(const std::string& program, const std::vector<std::string>& environment) {
  if (program.find('/') != std::string::npos) return {program};
  std::string_view path = "/bin:/usr/bin";
  for (const auto& entry : environment) {
    if (has_name(entry, "PATH")) path = std::string_view{entry}.substr(5);
  }
  std::vector<std::string> found;
  for (;;) {
    const std::size_t end = std::min(path.find(':'), path.size());
    const std::string_view folder = path.substr(0, end);
    found.push_back((folder.empty() ? std::string{"."} : std::string{folder}) + '/' + program);
    if (end == path.size()) return found;
    path.remove_prefix(end + 1);
  }
}

// As execve() wants it. The texts stay where they are.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Not one of stdin, stdout and stderr, which the child replaces.
Descriptor above_stdio(Descriptor descriptor) {
  if (descriptor.number() > STDERR_FILENO) return descriptor;
  Descriptor moved{::fcntl(descriptor.number(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
  if (!moved.is_open()) fail("copy a descriptor", errno);
  return moved;
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

// Its end for reading does not block.
Pipe make_pipe() {
  std::array<int, 2> numbers{};
  if (::pipe2(numbers.data(), O_CLOEXEC) != 0) fail("make a pipe", errno);
  Descriptor read{numbers[0]};
  Descriptor write{numbers[1]};
  Pipe pipe{above_stdio(std::move(read)), above_stdio(std::move(write))};
  if (::fcntl(pipe.read.number(), F_SETFL, O_NONBLOCK) != 0) fail("set up a pipe", errno);
  return pipe;
}

unsigned descriptors_max() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<unsigned>(std::min<rlim_t>(limit.rlim_cur, 1U << 20));
}

// ---------------------------------------------------------------------------------------------------------------------
// In the child: only what POSIX allows after a fork in a process with threads
// ---------------------------------------------------------------------------------------------------------------------

enum class Stage : int { set_up, enter_folder, execute };

struct Trouble {
  Stage stage;
  int error;
};

// What the child needs, made before it is forked.
struct Plan {
  const char* folder;  // null: stay
  const std::vector<char*>& candidates;
  char* const* arguments;
  char* const* environment;
  int output;  // negative: the supervisor's
  int trouble;
  pid_t supervisor;
  unsigned descriptors_max;
};

[[noreturn]] void give_up(const Plan& plan, Stage stage) {
  const Trouble trouble{stage, errno};
  [[maybe_unused]] const auto written = ::write(plan.trouble, &trouble, sizeof trouble);
  ::_exit(127);
}

// Whoever forked this may be gone before the kernel has heard of the wish.
void die_with_the_supervisor(const Plan& plan) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(plan, Stage::set_up);
  if (::getppid() != plan.supervisor) ::_exit(127);
}

void use_default_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);  // not all can be
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void use_stdio(const Plan& plan) {
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing < 0) give_up(plan, Stage::set_up);
  if (nothing != STDIN_FILENO && ::dup2(nothing, STDIN_FILENO) < 0) give_up(plan, Stage::set_up);
  if (plan.output < 0) return;
  if (::dup2(plan.output, STDOUT_FILENO) < 0 || ::dup2(plan.output, STDERR_FILENO) < 0) give_up(plan, Stage::set_up);
}

// With the program they are closed; until then the way to tell of trouble is open.
void close_the_rest_at_exec(const Plan& plan) {
#ifdef CLOSE_RANGE_CLOEXEC
  if (::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
#endif
  for (unsigned number = STDERR_FILENO + 1; number < plan.descriptors_max; ++number) {  // a kernel before 5.11
    ::fcntl(static_cast<int>(number), F_SETFD, FD_CLOEXEC);
  }
}

// What tells most about why the program could not be executed: that it is there, but may not be, if that is so.
void execute(const Plan& plan) {
  int told = ENOENT;
  for (const char* const* candidate = plan.candidates.data(); *candidate; ++candidate) {
    ::execve(*candidate, plan.arguments, plan.environment);
    if (errno == ENOENT || errno == ENOTDIR) continue;
    told = errno;
    if (errno != EACCES) break;
  }
  errno = told;
}

[[noreturn]] void become(const Plan& plan) {
  die_with_the_supervisor(plan);
  ::setpgid(0, 0);
  use_default_signals();
  use_stdio(plan);
  if (plan.folder && ::chdir(plan.folder) != 0) give_up(plan, Stage::enter_folder);
  close_the_rest_at_exec(plan);
  execute(plan);
  give_up(plan, Stage::execute);
}

// ---------------------------------------------------------------------------------------------------------------------
// The fork
// ---------------------------------------------------------------------------------------------------------------------

// No handler of the supervisor's must run in the child.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

pid_t fork_into(const Plan& plan) {
  const SignalsBlocked blocked;
  const pid_t child = ::fork();
  if (child == 0) become(plan);
  if (child < 0) fail("fork", errno);
  ::setpgid(child, child);  // both do it: whoever comes first
  return child;
}

Descriptor watch(pid_t child) {
  Descriptor process{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};  // close-on-exec of itself
  if (process.is_open()) return process;
  const int error = errno;
  if (error != ESRCH) ::kill(child, SIGKILL);  // ESRCH: somebody else has reaped it
  ::waitpid(child, nullptr, 0);
  fail("watch the process", error);
}

}  // namespace

Launched launch(const Process& process) {
  const auto environment = environment_of(process);
  const auto paths = candidates(process.command.front(), environment);
  const auto candidate_pointers = pointers_to(paths);
  const auto argument_pointers = pointers_to(process.command);
  const auto environment_pointers = pointers_to(environment);
  Pipe output;
  if (process.capture_output) output = make_pipe();
  Pipe trouble = make_pipe();
  const pid_t child = fork_into({.folder = process.folder.empty() ? nullptr : process.folder.c_str(),
                                 .candidates = candidate_pointers,
                                 .arguments = argument_pointers.data(),
                                 .environment = environment_pointers.data(),
                                 .output = output.write.number(),
                                 .trouble = trouble.write.number(),
                                 .supervisor = ::getpid(),
                                 .descriptors_max = descriptors_max()});
  return {child, watch(child), std::move(output.read), std::move(trouble.read)};
}

std::string trouble_of(const Launched& launched, const Process& process) {
  Trouble trouble{};
  if (::read(launched.trouble.number(), &trouble, sizeof trouble) != sizeof trouble) return {};
  const std::string why = ": " + std::generic_category().message(trouble.error);
  switch (trouble.stage) {
    case Stage::set_up: break;
    case Stage::enter_folder: return "cannot enter folder '" + process.folder + '\'' + why;
    case Stage::execute: return "cannot execute '" + process.command.front() + '\'' + why;
  }
  return "cannot set up the process" + why;
}

}  // namespace holdfast::detail
