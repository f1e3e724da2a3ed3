#include <holdfast/up/begin.hpp>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

namespace holdfast::up {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kNotFound = 127;  // as in a shell
constexpr int kNotExecutable = 126;
constexpr int kBadCall = 125;
constexpr int kSignals = 128;
constexpr const char* kSocketVariable = "NOTIFY_SOCKET";
constexpr std::string_view kYes = "yes";

// The words behind kBeginWord.
enum Place : std::size_t { timeout_place, says_place, keeps_place, signal_place, size_place, first_place };

std::string in_words(char* const* words, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : " ") + std::string{words[i]};
  constexpr std::size_t kShown = 80;
  if (text.size() > kShown) text = text.substr(0, kShown) + "\xE2\x80\xA6";
  return text;
}

// One datagram. Who does not listen misses it.
void notify(const std::string& text) {
  const char* const path = std::getenv(kSocketVariable);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) return;
  const auto size = std::strlen(path);
  std::memcpy(address.sun_path, path, size);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  while (::sendto(socket, text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length) <
             0 &&
         errno == EINTR) {
  }
  ::close(socket);
}

// Says it in the service's log, and in the error of its run.
int fail(const std::string& says, int status) {
  const auto line = "holdfast: " + says + '\n';
  static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
  notify("STATUS=" + says);
  return status;
}

// Executes a program as a service's own is executed: no shell takes a file that is no program. Returns errno.
int execute(char* const* words) {
  const std::string_view program{words[0]};
  if (program.find('/') != std::string_view::npos) {
    ::execve(words[0], words, environ);
    return errno;
  }
  const char* const given = std::getenv("PATH");
  std::string_view path = given != nullptr ? given : "/bin:/usr/bin";
  int error = ENOENT;
  for (;;) {
    const auto end = std::min(path.find(':'), path.size());
    const auto folder = end == 0 ? std::string{"."} : std::string{path.substr(0, end)};
    ::execve((folder + '/' + std::string{program}).c_str(), words, environ);
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) return error;
    if (end == path.size()) return error;
    path.remove_prefix(end + 1);
  }
}

std::string not_executed(const char* program, int error) {
  return std::string{"cannot execute '"} + program + "': " + std::strerror(error);
}
int status_of(int error) { return error == ENOENT ? kNotFound : kNotExecutable; }

// The errand gets nothing of what is for the program alone.
[[noreturn]] void run_errand(char* const* words, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kBadCall);
  ::signal(SIGWINCH, SIG_DFL);
  ::unsetenv(kSocketVariable);
  ::unsetenv("WATCHDOG_USEC");
  ::close_range(STDERR_FILENO + 1, std::numeric_limits<unsigned>::max(), 0);
  const int error = execute(words);
  const auto line = "holdfast: " + not_executed(words[0], error) + '\n';
  static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
  ::_exit(status_of(error));
}

// False: the time is over.
bool ends_within(pid_t errand, milliseconds timeout) {
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, errand, 0));
  if (process < 0) return true;  // then the wait has no limit
  const auto until = Clock::now() + timeout;
  pollfd end{process, POLLIN, 0};
  int ready = 0;
  do {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    constexpr std::int64_t kLongest = std::numeric_limits<int>::max();
    ready = left <= 0 ? 0 : ::poll(&end, 1, static_cast<int>(std::min<std::int64_t>(left, kLongest)));
    if (ready == 0 && left <= kLongest) break;
  } while (ready <= 0);
  ::close(process);
  return ready > 0;
}

// 0: it has ended well. Else the exit status of this process, and the reason has been said.
int do_errand(char* const* words, std::size_t count, milliseconds timeout) {
  const auto called = "before_start (" + in_words(words, count) + ')';
  std::vector<char*> command(words, words + count);
  command.push_back(nullptr);
  const pid_t self = ::getpid();
  const pid_t errand = ::fork();
  if (errand < 0) return fail(called + ": cannot start a process: " + std::strerror(errno), kBadCall);
  if (errand == 0) run_errand(command.data(), self);
  const bool in_time = ends_within(errand, timeout);
  if (!in_time) ::kill(errand, SIGKILL);
  int status = 0;
  while (::waitpid(errand, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) {
    return fail(called + " took longer than " + holdfast::to_string(Duration{timeout}) + ", and was killed",
                kBeginTimeoutStatus);
  }
  if (WIFSIGNALED(status)) {
    return fail(called + ": killed by signal " + std::to_string(WTERMSIG(status)), kSignals + WTERMSIG(status));
  }
  const int code = WEXITSTATUS(status);
  return code == 0 ? 0 : fail(called + ": exit status " + std::to_string(code), code);
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() ? std::optional{number} : std::nullopt;
}

}  // namespace

void begin_with(Process& process, const ErrandToRun& errand, BeginSays says, bool gives_signs) {
  const auto word = [](bool is) { return std::string{is ? kYes : "no"}; };
  const bool keeps = gives_signs || says == BeginSays::nothing;  // then a socket is the program's, if there is one
  std::vector<std::string> words{"/proc/self/exe",
                                 kBeginWord,
                                 std::to_string(std::chrono::ceil<milliseconds>(errand.timeout).count()),
                                 word(says == BeginSays::ready),
                                 word(keeps),
                                 std::to_string(process.stop_signal),
                                 std::to_string(errand.command.size())};
  words.insert(words.end(), errand.command.begin(), errand.command.end());
  words.insert(words.end(), process.command.begin(), process.command.end());
  process.command = std::move(words);
}

int begin_service(int count, char** words) {
  constexpr std::size_t kBefore = 2;  // the program, and kBeginWord
  const auto size = static_cast<std::size_t>(std::max(count, 0));
  const auto at = [&](Place place) { return number_in(words[kBefore + place]).value_or(-1); };
  if (size < kBefore + first_place) return fail("\"begin-service\" is for \"holdfast up\" alone", kBadCall);
  char** const errand = words + kBefore + first_place;
  const auto errand_size = at(size_place);
  const auto left = static_cast<std::int64_t>(size - kBefore - first_place);
  if (errand_size < 1 || errand_size >= left || at(timeout_place) < 0) {
    return fail("\"begin-service\" is for \"holdfast up\" alone", kBadCall);
  }
  // A stop ends the errand and what it has started, whatever its signal means to programs that do not know it.
  if (at(signal_place) == SIGWINCH) {
    ::signal(SIGWINCH, [](int) {
      ::kill(0, SIGTERM);
      ::_exit(kSignals + SIGTERM);
    });
  }
  const int failed = do_errand(errand, static_cast<std::size_t>(errand_size), milliseconds{at(timeout_place)});
  if (failed != 0) return failed;
  char** const program = errand + errand_size;
  if (words[kBefore + says_place] == kYes) notify("READY=1");
  const bool keeps = words[kBefore + keeps_place] == kYes;
  const char* const socket = std::getenv(kSocketVariable);
  const std::string kept = socket != nullptr ? socket : "";
  if (!keeps) ::unsetenv(kSocketVariable);
  const int error = execute(program);
  if (!keeps && !kept.empty()) ::setenv(kSocketVariable, kept.c_str(), 1);
  return fail(not_executed(program[0], error), status_of(error));
}

}  // namespace holdfast::up
