#include "child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace holdfast::tools {

namespace {

constexpr int kNotStarted = 127;

[[noreturn]] void fail(const std::string& program, int error) {
  throw ChildTrouble{fmt::format("{}: {}", program, std::strerror(error))};
}

// Descriptors that a program is given as its standard streams, and one on which it says why it was not started.
[[noreturn]] void become(const std::vector<std::string>& words, int in, int out, int error, int trouble) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(error, STDERR_FILENO);
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_DFL);
  ::execvp(arguments.front(), arguments.data());
  const int why = errno;
  [[maybe_unused]] const auto written = ::write(trouble, &why, sizeof why);
  ::_exit(kNotStarted);
}

struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw ChildTrouble{std::strerror(errno)};
  }
  ~Pipe() {
    close(0);
    close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close(std::size_t end) {
    if (ends[end] != -1) ::close(ends[end]);
    ends[end] = -1;
  }
  std::array<int, 2> ends{-1, -1};
};

// Closes at the start of the program.
void check_started(const std::string& program, Pipe& trouble, pid_t pid) {
  trouble.close(1);
  int why = 0;
  ssize_t size = 0;
  while ((size = ::read(trouble.ends[0], &why, sizeof why)) < 0 && errno == EINTR) {
  }
  if (size != sizeof why) return;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  fail(program, why);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Short: what a pipe holds.
void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

ChildOutput run_child(const std::vector<std::string>& words, const std::string& input) {
  Pipe in;
  Pipe out;
  Pipe trouble;
  const pid_t pid = ::fork();
  if (pid == -1) fail(words.front(), errno);
  if (pid == 0) become(words, in.ends[0], out.ends[1], out.ends[1], trouble.ends[1]);
  in.close(0);
  out.close(1);
  check_started(words.front(), trouble, pid);
  write_all(in.ends[1], input);
  in.close(1);
  ChildOutput done;
  std::array<char, 4096> some{};
  for (;;) {
    const auto size = ::read(out.ends[0], some.data(), some.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    done.output.append(some.data(), static_cast<std::size_t>(size));
  }
  done.status = wait_for(pid);
  return done;
}

Child::Child(const std::vector<std::string>& words) {
  Pipe trouble;
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == -1) fail(words.front(), errno);
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(kNotStarted);
    become(words, nothing, STDERR_FILENO, STDERR_FILENO, trouble.ends[1]);
  }
  ::close(nothing);
  check_started(words.front(), trouble, pid_);
}

Child::~Child() {
  if (over_) return;
  send(SIGTERM);
  wait_for(pid_);
}

bool Child::runs() {
  if (!over_) over_ = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
  return !over_;
}

void Child::send(int signal) {
  if (!over_) ::kill(pid_, signal);
}

std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return quoted + "'";
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += (line.empty() ? "" : " ") + shell_word(word);
  return line;
}

}  // namespace holdfast::tools
