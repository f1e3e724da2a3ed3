// Processes where something is missing: descriptors, watches, exit statuses, rights, memory, time before exec.

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <holdfast/asio/detail/launch.hpp>
#include <holdfast/asio/detail/launched.hpp>
#include <holdfast/asio/detail/process_group.hpp>

#include "process_stage.hpp"

namespace {
bool epoll_is_out_of_watches = false;
}

// In the place of the C library's.
extern "C" int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
  if (epoll_is_out_of_watches && operation == EPOLL_CTL_ADD) {
    errno = ENOSPC;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_epoll_ctl, epoll, operation, descriptor, event));
}

namespace holdfast::test {

namespace {

class OutOfWatches {
 public:
  OutOfWatches() { epoll_is_out_of_watches = true; }
  ~OutOfWatches() { epoll_is_out_of_watches = false; }
  OutOfWatches(const OutOfWatches&) = delete;
  OutOfWatches& operator=(const OutOfWatches&) = delete;
};

// Leaves so many descriptors to the program.
class FewDescriptors {
 public:
  explicit FewDescriptors(unsigned left) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);  // the lowest that is free
    ::close(next);
    // Descriptors above it may be open: the hole is what counts.
    for (int free = 0, number = 0;; ++number) {
      if (::fcntl(number, F_GETFD) != -1) continue;
      if (free++ < static_cast<int>(left)) continue;
      rlimit limit = before_;
      limit.rlim_cur = static_cast<rlim_t>(number);
      ::setrlimit(RLIMIT_NOFILE, &limit);
      return;
    }
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

class SignalAction {
 public:
  SignalAction(int signal, void (*handler)(int), int flags = 0) : signal_(signal) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    ::sigaction(signal, &action, &before_);
  }
  ~SignalAction() { ::sigaction(signal_, &before_, nullptr); }
  SignalAction(const SignalAction&) = delete;
  SignalAction& operator=(const SignalAction&) = delete;

 private:
  const int signal_;
  struct sigaction before_ {};
};

// A tracer of a process: another child of this program.
class Tracer {
 public:
  explicit Tracer(pid_t process) {
    std::array<int, 2> ready{};
    std::array<int, 2> enough{};
    REQUIRE(::pipe(ready.data()) == 0);
    REQUIRE(::pipe(enough.data()) == 0);
    id_ = ::fork();
    if (id_ == 0) {
      ::close(enough[1]);
      char byte = ::ptrace(PTRACE_SEIZE, process, nullptr, nullptr) == 0 ? 'y' : 'n';
      (void)!::write(ready[1], &byte, 1);
      (void)!::read(enough[0], &byte, 1);
      ::_exit(0);
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    REQUIRE(byte == 'y');
    ::close(ready[0]);
    ::close(ready[1]);
    ::close(enough[0]);
    enough_ = enough[1];
  }
  void let_go() {
    if (enough_ == -1) return;
    ::close(std::exchange(enough_, -1));
    ::waitpid(id_, nullptr, 0);
  }
  ~Tracer() { let_go(); }
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

 private:
  pid_t id_ = 0;
  int enough_ = -1;
};

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Watches and descriptors
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a process that epoll has no watch for is looked at all the same, and no end is reported before its own") {
  Stage stage;
  const Process process = stage.script("echo ready >&3; echo last words; read go; exit 3");
  {
    const OutOfWatches none;
    stage.add(process);
    stage.run_until_written("ready");
  }
  stage.run_until_terminated();
  CHECK(stage.diary.lines == Lines{"added", "started", "running", "ended failed: exit status 3; its output: last words",
                                   "terminated failed"});
}

TEST_CASE("a process without a watch obeys a stop") {
  Stage stage;
  const Process process = stage.script("echo ready >&3; exec sleep 1000");
  {
    const OutOfWatches none;
    stage.add(process);
    stage.run_until_written("ready");
  }
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended clean"));
}

TEST_CASE("a flood of a process without a watch is read as it comes, for a full pipe would stop the process") {
  Stage stage;
  const Process process = shell("head -c 1000000 /dev/zero | tr '\\0' x; exit 3");
  {
    const OutOfWatches none;
    stage.add(process);
    REQUIRE(stage.run_until([&] { return stage.diary.has_kind("running"); }));
  }
  stage.run_until_terminated();
  CHECK(stage.diary.lines.at(3).find("the last 4096 of 1000000 bytes of its output") != std::string::npos);
}

TEST_CASE("a process without a watch that ends well and leaves nobody has not gone into the background") {
  Stage stage;
  {
    const OutOfWatches none;
    stage.add(shell("echo last words"));
    REQUIRE(stage.run_until([&] { return stage.diary.has_kind("running"); }));
  }
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended clean"));
  CHECK(stage.diary.warnings.empty());
}

TEST_CASE("a process whose output is not captured is not looked at again and again") {
  Stage stage;
  Process process = shell("exec sleep 1000");
  process.output_file = "/dev/null";
  stage.add(process);
  REQUIRE(stage.run_until([&] { return stage.diary.has_kind("running"); }));
  bool over = false;
  boost::asio::steady_timer timer{stage.io, 500ms};
  timer.async_wait([&](auto) { over = true; });
  int rounds = 0;
  REQUIRE(stage.run_until([&] { return ++rounds, over; }));
  CHECK(rounds < 10);  // a look every 20 ms makes two dozen
}

TEST_CASE("a process takes two descriptors, and one if its output is not captured") {
  Stage stage;
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 5; ++i) {
    Process process = stage.script("echo ready. >&3; exec sleep 1000");
    stage.add(process, {.name = "captured" + std::to_string(i)});
    process.output_file = "/dev/null";
    stage.add(process, {.name = "not" + std::to_string(i)});
    process.output_file = "";
    process.output_descriptor = 2;
    stage.add(process, {.name = "nor" + std::to_string(i)});
  }
  REQUIRE(stage.run_until([&] {
    const std::string text = stage.pipe().text();
    return std::count(text.begin(), text.end(), '.') == 15;
  }));
  CHECK(open_descriptors() - before == 4U * 5U + 2U);  // and the pipe of the stage
}

TEST_CASE("a process for which there is no descriptor is not started, and the failure says what is missing") {
  for (const unsigned left : {0U, 1U, 2U, 3U}) {
    Stage stage;
    stage.add(shell("exit 3"));
    {
      const FewDescriptors few{left};
      stage.run_until_terminated();
    }
    const std::string text = left < 2    ? "cannot make a pipe for its output: Too many open files"
                             : left == 2 ? "cannot start a process: Too many open files"
                                         : "exit status 3";
    INFO(left);
    CHECK(std::any_of(stage.diary.lines.begin(), stage.diary.lines.end(),
                      [&](const std::string& line) { return line.find(text) != std::string::npos; }));
    CHECK(has_no_children());
  }
}

// tools/soak found processes of ended groups alive: with one descriptor left, /proc could be listed, but no process in
// it could be looked at, and such processes counted as dead.
TEST_CASE("what a process leaves behind is killed also while there is hardly a descriptor to look for it") {
  for (const unsigned left : {0U, 1U}) {
    CAPTURE(left);
    Stage stage;
    REQUIRE(::mkfifo((stage.folder.path() / "pipe.go").c_str(), 0600) == 0);
    stage.add(stage.script("echo ready >&3; (exec sleep 1000) & read go <\"$PIPE.go\"; exit 3"));
    stage.run_until_written("ready");
    const int go = ::open((stage.folder.path() / "pipe.go").c_str(), O_RDWR | O_CLOEXEC);
    {
      const FewDescriptors few{left};
      REQUIRE(::write(go, "\n", 1) == 1);
      stage.run_until_terminated();
    }
    ::close(go);
    CHECK(stage.diary.has("ended failed: exit status 3"));
    REQUIRE(!stage.diary.warnings.empty());
    CHECK(stage.diary.warnings.front() == "processes that it left behind in its process group were killed");
    CHECK(!stage.diary.has_warning("could not be killed"));
    stage.run_until_pipe_is_over();  // nobody has it open any more
  }
}

// A look may take long where much is to be done. That is no lack of a descriptor, and was reported as one.
TEST_CASE("a look at a process group knows whether it has a descriptor to look with") {
  const auto becomes = [](bool blind) {
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    while (detail::look_at(::getpgrp()).is_blind != blind) {
      if (std::chrono::steady_clock::now() > limit) return false;
    }
    return true;
  };
  CHECK(becomes(false));
  for (const unsigned left : {0U, 1U}) {  // one is enough for the folder, and not for a process in it
    const FewDescriptors few{left};
    CHECK(becomes(true));
  }
  CHECK(becomes(false));
}

// ---------------------------------------------------------------------------------------------------------------------
// Before exec
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a process that is stuck before its program is executed holds up no other one, and obeys a stop") {
  Stage stage;
  const fs::path dead = stage.folder.path() / "dead";
  REQUIRE(::mkfifo(dead.c_str(), 0600) == 0);  // to open it takes a writer
  Process process = shell("exit 0");
  process.input = dead.string();
  stage.add(process, {.name = "stuck", .policy = {.restart = RestartPolicy::never}});
  stage.add(shell("exit 3"), {.name = "other", .policy = {.restart = RestartPolicy::never}});
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended failed: exit status 3"));
  CHECK(detail::sweep_launch_plans() == (detail::kMemory == detail::Memory::shared ? 1 : 0));
  REQUIRE(stage.runtime->supervisor().stop("stuck"));
  REQUIRE(stage.run_until([&] { return stage.diary.has("ended clean"); }));
  CHECK(detail::sweep_launch_plans() == 0);
}

TEST_CASE("a process starts in a copy of the memory as well, and says what it failed at") {
  const auto trouble = [](Process process) -> std::string {
    auto launched = detail::launch(process, {}, detail::Memory::copied);
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(launched.id), &info, WEXITED) == 0);
    detail::forget_launched(launched.id);
    const auto found = detail::trouble_of(launched, process);
    return found ? found->text : "exit status " + std::to_string(info.si_status);
  };
  CHECK(trouble(shell("exit 3")) == "exit status 3");
  CHECK(trouble({.command = {"/no/such/program"}}) == "cannot execute '/no/such/program': No such file or directory");
  CHECK(trouble({.command = {"true"}, .folder = "/no/such/folder"}) ==
        "cannot enter folder '/no/such/folder': No such file or directory");
  CHECK(detail::sweep_launch_plans() == 0);
}

TEST_CASE("nothing that a process does before exec is seen by the supervisor whose memory it uses") {
  Stage stage;
  errno = 4711;
  const ::mode_t mask = ::umask(0);
  ::umask(mask);
  const fs::path folder = fs::current_path();
  Process process = shell("exit 3");
  process.umask = 0777;
  process.folder = "/";
  process.limits = {{RLIMIT_CORE, 0, 0}};
  stage.add(process, {.name = "p", .policy = {.restart = RestartPolicy::on_failure}});
  REQUIRE(stage.run_until([&] { return stage.runtime->supervisor().counters().failures >= 200; }));
  const ::mode_t mask_after = ::umask(mask);
  CHECK(mask_after == mask);
  CHECK(fs::current_path() == folder);
  sigset_t blocked;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  CHECK(::sigisemptyset(&blocked));
  stage.runtime->supervisor().request_shutdown();
  stage.run_until_terminated();
}

// ---------------------------------------------------------------------------------------------------------------------
// Exit statuses
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a supervisor that was started with SIGCHLD ignored gets the exit statuses of its processes") {
  const SignalAction ignored{SIGCHLD, SIG_IGN};
  CHECK(end_of(shell("exit 3")) == "ended failed: exit status 3");
  CHECK(end_of(shell("exit 0")) == "ended clean");
}

TEST_CASE("a supervisor that asked for no zombies gets the exit statuses of its processes") {
  const SignalAction handled{SIGCHLD, [](int) {}, SA_NOCLDWAIT | SA_RESTART};
  CHECK(end_of(shell("exit 3")) == "ended failed: exit status 3");
  struct sigaction now {};
  ::sigaction(SIGCHLD, nullptr, &now);
  CHECK(now.sa_handler != SIG_DFL);
}

TEST_CASE("a dead process that a debugger holds is waited for without a spin, and reported when it is released") {
  Stage stage;
  stage.add(stage.script("echo ready >&3; exec sleep 1000"));
  stage.run_until_written("ready");
  const auto process = static_cast<pid_t>(stage.diary.pid);
  Tracer tracer{process};
  ::kill(process, SIGKILL);
  bool over = false;
  boost::asio::steady_timer timer{stage.io, 500ms};
  timer.async_wait([&](auto) { over = true; });
  int rounds = 0;
  REQUIRE(stage.run_until([&] { return ++rounds, over; }));
  CHECK(rounds < 100);  // a spin makes thousands
  CHECK_FALSE(stage.diary.has_kind("ended"));
  tracer.let_go();
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended failed: killed by signal 9 (Killed)"));
}

// ---------------------------------------------------------------------------------------------------------------------
// Rights, and the end of everything
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a process that may not be signalled is reported and abandoned, and nothing waits for it") {
  if (::geteuid() != 0) return;  // it takes root to be refused something afterwards
  constexpr uid_t kNobody = 65534;
  Stage stage;
  constexpr int kCount = 3;
  for (int i = 0; i < kCount; ++i) {
    stage.add(stage.script("echo $$. >&3; exec sleep 1000"),
              {.name = "p" + std::to_string(i), .policy = {.restart = RestartPolicy::never, .stop_grace = 10ms}});
  }
  REQUIRE(stage.run_until([&] {
    const std::string text = stage.pipe().text();
    return std::count(text.begin(), text.end(), '.') == kCount;
  }));
  REQUIRE(::setresuid(kNobody, kNobody, 0) == 0);
  stage.runtime->supervisor().request_shutdown();
  const bool drained = stage.run_until([&] { return stage.diary.has_kind("drained"); });
  const auto began = std::chrono::steady_clock::now();
  stage.runtime.reset();
  const auto took = std::chrono::steady_clock::now() - began;
  REQUIRE(::setresuid(0, 0, 0) == 0);
  REQUIRE(drained);
  CHECK(took < 2s);  // the bound for those that can be killed
  CHECK(stage.diary.has_kind("stop_threw"));
  CHECK(stage.diary.has_kind("kill_threw"));
  CHECK(stage.diary.has("terminated abandoned"));
  CHECK_FALSE(stage.diary.has_kind("ended"));
  std::string text = stage.pipe().text();
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    const int process = std::stoi(text.substr(at));
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
  }
}

TEST_CASE("a runtime that is destroyed reaps all of its processes, however often a signal interrupts it") {
  const SignalAction handled{SIGALRM, [](int) {}};
  Stage stage;
  for (int i = 0; i < 100; ++i) stage.add(shell("exec sleep 1000"), {.name = "p" + std::to_string(i)});
  REQUIRE(stage.run_until([&] { return stage.runtime->supervisor().counters().spawned >= 100; }));
  const itimerval often{{0, 200}, {0, 200}};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  stage.runtime.reset();
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  CHECK(has_no_children());
}

TEST_CASE("a removal does not wait for its process, which is reaped when it has ended") {
  Stage stage{{.shutdown_timeout = 10ms}};
  stage.add(stage.script("echo ready >&3; exec sleep 1000"));
  stage.run_until_written("ready");
  const auto process = static_cast<pid_t>(stage.diary.pid);
  Tracer tracer{process};
  stage.runtime->supervisor().request_shutdown();
  REQUIRE(stage.run_until([&] { return stage.diary.has_kind("drained"); }));
  REQUIRE(stage.runtime->supervisor().remove("p"));
  REQUIRE(stage.run_until([&] { return stage.diary.has_kind("removed"); }));
  tracer.let_go();
  CHECK(stage.run_until(has_no_children));
}

}  // namespace holdfast::test
