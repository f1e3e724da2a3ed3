// Processes at the edges, where bugs that were planted on purpose had lived: each test is there for one of them.

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/asio/detail/before_exec.hpp>
#include <holdfast/asio/detail/launch.hpp>
#include <holdfast/asio/detail/launched.hpp>
#include <holdfast/asio/detail/output_tail.hpp>

#include "process_stage.hpp"

namespace holdfast::test::process_edges_test {

namespace {

// Has ended, as far as the kernel is concerned, while nobody here has looked.
void wait_for_the_end(std::uint32_t process) {
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOWAIT) == 0);
}

fs::path make_tool(const fs::path& folder, const std::string& text, fs::perms permissions = fs::perms::owner_all) {
  fs::create_directories(folder);
  std::ofstream{folder / "holdfast-tool"} << text;
  fs::permissions(folder / "holdfast-tool", permissions);
  return folder;
}

// Takes these descriptors away from the program, and gives them back.
class Closed {
 public:
  explicit Closed(std::vector<int> numbers) : numbers_(std::move(numbers)) {
    for (const int number : numbers_) kept_.push_back(::fcntl(number, F_DUPFD_CLOEXEC, 100));
    for (const int number : numbers_) ::close(number);
  }
  ~Closed() {
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      if (kept_[i] < 0) continue;
      ::dup2(kept_[i], numbers_[i]);
      ::close(kept_[i]);
    }
  }
  Closed(const Closed&) = delete;
  Closed& operator=(const Closed&) = delete;

 private:
  const std::vector<int> numbers_;
  std::vector<int> kept_;
};

std::string all_of(int descriptor) {
  std::string text;
  std::array<char, 256> piece{};
  for (;;) {
    pollfd wait{descriptor, POLLIN, 0};
    ::poll(&wait, 1, -1);
    const auto size = ::read(descriptor, piece.data(), piece.size());
    if (size <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(size));
  }
}

void reap(detail::Launched& launched) {
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(launched.id), &info, WEXITED) == 0);
  detail::forget_launched(launched.id);
  detail::settle(launched);
}

// So that it may not signal those that it has started as root. It takes root to be refused something.
class Nobody {
 public:
  static constexpr uid_t kNumber = 65534;
  Nobody() { REQUIRE(::setresuid(kNumber, kNumber, 0) == 0); }
  ~Nobody() { back(); }
  void back() { CHECK(::setresuid(0, 0, 0) == 0); }
  Nobody(const Nobody&) = delete;
  Nobody& operator=(const Nobody&) = delete;
};

std::size_t count(const std::string& text, std::string_view word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + word.size())) ++found;
  return found;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Output and ends
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("all that is in the pipe at the end is read, however much that holds") {
  Stage stage;
  const Gate gate{stage};
  stage.add(stage.script("echo ready >&3; read go < " + gate.path() +
                         "; exec python3 -c \"import fcntl, os; fcntl.fcntl(1, 1031, 1 << 20); "  // F_SETPIPE_SZ
                         "os.write(1, b'x' * 1000000); os.write(1, b'\\nlast\\n'); os._exit(1)\""));
  stage.run_until_written("ready");
  gate.open();
  wait_for_the_end(stage.diary.pid);
  stage.run_until_terminated();
  std::string end;
  for (const auto& line : stage.diary.lines) end = line.starts_with("ended") ? line : end;
  CHECK(end.find("the last 4096 of 1000006 bytes of its output: ") != std::string::npos);
  CHECK(end.ends_with("\nlast"));
}

TEST_CASE("the error reports a core that was dumped, and none that was not") {
  Stage stage;
  const std::string crash = "cd " + stage.folder.path().string() + " && ulimit -c unlimited && kill -SEGV $$";
  const pid_t other = ::fork();
  if (other == 0) {
    ::execl("/bin/sh", "sh", "-c", crash.c_str(), nullptr);
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(other, &status, 0) == other);
  if (!WIFSIGNALED(status)) return;  // no core is allowed here at all
  CHECK(stage.end_of(shell(crash)) == std::string{"ended failed: killed by signal 11 (Segmentation fault)"} +
                                          (WCOREDUMP(status) ? ", core dumped" : ""));
}

TEST_CASE("overlong, too large and cut characters of four bytes are no characters") {
  const auto shown = [](std::string_view written) {
    detail::OutputTail tail{100};
    tail.append(written);
    return tail.text();
  };
  CHECK(shown("\xf0\x90\x80\x80|\xf4\x8f\xbf\xbf|") == "\xf0\x90\x80\x80|\xf4\x8f\xbf\xbf|");  // the first and the last
  CHECK(shown("\xf0\x8f\xbf\xbf|") == "????|");
  CHECK(shown("\xf4\x90\x80\x80|") == "????|");
  CHECK(shown("\xf5\x80\x80\x80|") == "????|");
  CHECK(shown("\xf0\x9f\x98|") == "???|");
  CHECK(shown("\xc1\xbf|\xc2\x80|") == "??|\xc2\x80|");
  CHECK(shown("\xe0\x9f\xbf|\xe0\xa0\x80|\xed\x9f\xbf|") == "???|\xe0\xa0\x80|\xed\x9f\xbf|");
  CHECK(shown("a\x7f\r\n\r\n") == "a?");
}

TEST_CASE(
    "only an output that was cut begins in the middle of a character, and three bytes of it at most are left out") {
  const auto kept = [](std::size_t kept_max, std::string_view written) {
    detail::OutputTail tail{kept_max};
    tail.append(written);
    return tail.text();
  };
  CHECK(kept(4, "ab\xf0\x9f\x98\x80|") == "|");
  CHECK(kept(5, "ab\xf0\x9f\x98\x80|") == "\xf0\x9f\x98\x80|");
  CHECK(kept(5, "ab\x80\x80\x80\x80|") == "?|");
  CHECK(kept(9, "\x80\x80|") == "??|");
}

TEST_CASE("the number of a process that has ended is nobody's any more") {
  Stage stage;
  stage.add(stage.script("echo ready >&3; read go; exit 3"));
  stage.run_until_written("ready");
  const auto id = static_cast<pid_t>(stage.diary.pid);
  stage.run_until_terminated();
  CHECK_FALSE(detail::is_launched(id));
}

// ---------------------------------------------------------------------------------------------------------------------
// Stops
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE(
    "after a stop to the process alone its group gets the signal, members that catch it and halted ones included") {
  Stage stage;
  Process process = stage.script(
      "sh -c 'trap \"echo heard >&3; exit 0\" TERM; echo child >&3; kill -STOP $$; while :; do sleep 0.05; done' & "
      "trap 'exit 0' TERM; echo leader >&3; while :; do sleep 1000 & wait; done");
  process.stop_to = StopTo::process;
  stage.add(process, {.name = "p", .policy = {.restart = RestartPolicy::never, .stop_grace = 60s}});
  stage.run_until_written("leader");
  stage.run_until_written("child");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended clean"));
  stage.run_until_pipe_is_over();
  CHECK(stage.pipe().text().find("heard") != std::string::npos);
}

TEST_CASE("after a stop to the process alone a kill reaches the whole group") {
  Stage stage;
  Process process = stage.script(
      "sh -c 'trap \"\" TERM; while :; do sleep 1000; done' & trap '' TERM; echo ready >&3; while :; do wait; done");
  process.stop_to = StopTo::process;
  stage.add(process, with_grace());
  stage.run_until_written("ready");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK(stage.diary.has_kind("killed"));
  stage.run_until_pipe_is_over();
}

TEST_CASE("the rest of the group gets the stop_signal after the process, and no other") {
  Stage stage;
  Process process = stage.script(
      "sh -c 'trap \"echo lost >&3; exit 1\" TERM; trap \"echo saved >&3; exit 0\" USR1; echo ready. >&3; "
      "while :; do sleep 1000 & wait; done' & trap 'exit 0' USR1; while :; do wait; done");
  process.stop_signal = SIGUSR1;
  process.stop_to = StopTo::process;
  stage.add(process, {.name = "p", .policy = {.restart = RestartPolicy::never, .stop_grace = 60s}});
  stage.run_until_written("ready.");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  stage.run_until_pipe_is_over();
  CHECK(stage.pipe().text() == "ready.\nsaved\n");
}

TEST_CASE("a process gets the signal of a stop once") {
  Stage stage;
  // A signal of real time that is blocked waits as often as it was sent.
  Process process = stage.script(
      "exec python3 -c \"import os, signal; signal.pthread_sigmask(signal.SIG_BLOCK, [40]); os.write(3, b'ready.'); "
      "signal.sigwait([40]); more = list(iter(lambda: signal.sigtimedwait([40], 0.1), None)); "
      "os.write(3, b'got %d.' % (1 + len(more)))\"");
  process.stop_signal = 40;
  stage.add(process, {.name = "p", .policy = {.restart = RestartPolicy::never, .stop_grace = 60s}});
  stage.run_until_written("ready.");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  stage.run_until_pipe_is_over();
  CHECK(stage.pipe().text() == "ready.got 1.");
}

TEST_CASE("a stop that arrives within a few turns after any end comes before it: nothing has failed") {
  Stage stage;
  const Gate gate{stage};
  stage.add(stage.script("echo ready >&3; read go < " + gate.path() + "; exit 3"),
            {.name = "p", .policy = {.restart = RestartPolicy::always}});
  stage.run_until_written("ready");
  gate.open();
  const auto id = static_cast<pid_t>(stage.diary.pid);
  REQUIRE(stage.run_until([&] { return ::kill(id, 0) == -1; }));  // it has been reaped
  for (int turns = 0; turns < 3; ++turns) stage.io.run_one();
  CHECK_FALSE(stage.diary.has_kind("ended"));
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK(stage.diary.lines == Lines{"added", "started", "running", "commanded", "stopping",
                                   "ended failed: exit status 3", "terminated cancelled"});
  CHECK(stage.runtime->supervisor().counters().failures == 0);
}

TEST_CASE("who handles the signal of a stop, and whose parent is gone, gets it once") {
  Stage stage;
  const Gate gate{stage};
  stage.add(stage.script("sh -c 'trap \"echo told >&3\" TERM; echo ready. >&3; "
                         "while [ ! -e \"$PIPE.enough\" ]; do sleep 0.01; done; read go < " +
                         gate.path() + "' & trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"),
            {.name = "p", .policy = {.restart = RestartPolicy::never, .stop_grace = 60s}});
  stage.run_until_written("ready.");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_written("told");
  int looks = 0;  // at the group, 50 ms apart at most
  REQUIRE(stage.run_until([&] { return ++looks > 15; }));
  const std::ofstream enough{stage.folder.path() / "pipe.enough"};
  gate.open();
  stage.run_until_terminated();
  stage.run_until_pipe_is_over();
  CHECK(count(stage.pipe().text(), "told") == 1);
}

TEST_CASE("who has missed a stop, and is halted, is set going to obey it") {
  Stage stage;
  stage.add(stage.script("trap 'sh -c \"kill -STOP \\$\\$; exec sleep 1000\" & exit 0' TERM; echo ready >&3; "
                         "while :; do sleep 1000 & wait; done"),
            {.name = "p", .policy = {.restart = RestartPolicy::never, .stop_grace = 10s}});
  stage.run_until_written("ready");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK_FALSE(stage.diary.has_kind("killed"));
  CHECK(stage.diary.has("ended clean"));
  stage.run_until_pipe_is_over();
}

TEST_CASE("a process that has missed a stop gets the stop_signal again, and no other signal") {
  Stage stage;
  Process process = stage.script(
      "trap 'sh -c \"trap : TERM; while :; do sleep 0.05; done\" & exit 0' USR1; echo ready >&3; "
      "while :; do sleep 1000 & wait; done");
  process.stop_signal = SIGUSR1;
  stage.add(process, {.name = "p", .policy = {.restart = RestartPolicy::never, .stop_grace = 10s}});
  stage.run_until_written("ready");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK_FALSE(stage.diary.has_kind("killed"));
  CHECK(stage.diary.has("ended clean"));
  stage.run_until_pipe_is_over();
}

TEST_CASE("an end with a shell's status for a stop that comes a moment later is an obeyed stop") {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) {
    CAPTURE(signal);
    Stage stage;
    const Gate gate{stage};
    Process process =
        stage.script("echo ready >&3; read go < " + gate.path() + "; exit " + std::to_string(128 + signal));
    if (signal == SIGUSR1) process.stop_signal = SIGUSR1;
    stage.add(process);
    stage.run_until_written("ready");
    gate.open();
    const auto id = static_cast<pid_t>(stage.diary.pid);
    REQUIRE(stage.run_until([&] { return ::kill(id, 0) == -1; }));
    for (int turns = 0; turns < 20; ++turns) {
      boost::asio::post(stage.io, [] {});
      stage.io.poll();
    }
    CHECK_FALSE(stage.diary.has_kind("ended"));
    REQUIRE(stage.runtime->supervisor().stop("p"));
    stage.run_until_terminated();
    CHECK(stage.diary.has("ended clean"));
  }
}

TEST_CASE("what lives on of a group because it may not be killed is reported, and holds up no other service") {
  if (::geteuid() != 0) return;  // it takes root to be refused something afterwards
  constexpr uid_t kNobody = 65534;
  Stage stage;
  const Gate gate{stage};
  stage.add(stage.script("sh -c 'echo $$. >&3; exec sleep 1000' & read go < " + gate.path() + "; exit 2"));
  stage.run_until_written(".");
  const int left = std::stoi(stage.pipe().text());
  gate.open();
  REQUIRE(::setresuid(kNobody, kNobody, 0) == 0);
  const bool terminated = stage.run_until([&] { return stage.diary.has_kind("terminated"); });
  REQUIRE(::setresuid(0, 0, 0) == 0);
  ::kill(left, SIGKILL);
  REQUIRE(terminated);
  CHECK(stage.diary.has("ended failed: exit status 2"));
  CHECK(stage.diary.warnings == Lines{"processes that it left behind in its process group were killed",
                                      "processes of its process group could not be killed and live on"});
  stage.run_until_pipe_is_over();
}

TEST_CASE("a clean end is none where others of the group may not be killed") {
  if (::geteuid() != 0) return;
  Stage stage;
  const Gate gate{stage};
  stage.add(stage.script("sh -c 'echo $$. >&3; exec sleep 1000' & read go < " + gate.path() + "; exit 0"));
  stage.run_until_written(".");
  const int left = std::stoi(stage.pipe().text());
  gate.open();
  Nobody nobody;
  const bool terminated = stage.run_until([&] { return stage.diary.has_kind("terminated"); });
  nobody.back();
  ::kill(left, SIGKILL);
  REQUIRE(terminated);
  CHECK(stage.diary.has("ended failed: others of its process group could not be killed"));
  stage.run_until_pipe_is_over();
}

TEST_CASE("who has asked for a kill does not wait for who may not be killed") {
  if (::geteuid() != 0) return;
  Stage stage;
  const Gate gate{stage};
  stage.add(stage.script("sh -c 'echo $$. >&3; exec sleep 1000' & read go < " + gate.path() + "; exit 0"),
            {.name = "p", .policy = {.restart = RestartPolicy::never, .stop_grace = 300ms}});
  stage.run_until_written(".");
  const int left = std::stoi(stage.pipe().text());
  gate.open();
  bool terminated = false;
  {
    const Nobody nobody;
    REQUIRE(stage.runtime->supervisor().stop("p"));
    terminated = stage.run_until([&] { return stage.diary.has_kind("terminated"); });
  }
  ::kill(left, SIGKILL);
  REQUIRE(terminated);
  CHECK(stage.diary.has_kind("kill_threw"));
  CHECK(stage.diary.has("terminated cancelled"));  // and not abandoned
  stage.run_until_pipe_is_over();
}

TEST_CASE("that a process may not be signalled is reported, although others of its group may be") {
  if (::geteuid() != 0) return;
  Stage stage;
  stage.add(
      stage.script("python3 -c \"import os, time; os.setuid(65534); os.write(3, b'$$.'); time.sleep(1000)\" & wait; "
                   "exec sleep 1000"));
  stage.run_until_written(".");
  const int leader = std::stoi(stage.pipe().text());
  bool reported = false;
  {
    const Nobody nobody;
    REQUIRE(stage.runtime->supervisor().stop("p"));
    reported = stage.run_until([&] { return stage.diary.has_kind("stopping"); }) && stage.diary.has_kind("stop_threw");
  }
  ::kill(leader, SIGKILL);
  stage.run_until_terminated();
  CHECK(reported);
  stage.run_until_pipe_is_over();
}

TEST_CASE("a runtime that is destroyed waits for nobody who may not be killed, and forgets their numbers") {
  if (::geteuid() != 0) return;
  Stage stage;
  stage.add(stage.script("echo $$. >&3; exec sleep 1000"));
  stage.run_until_written(".");
  const int process = std::stoi(stage.pipe().text());
  const auto began = std::chrono::steady_clock::now();
  {
    const Nobody nobody;
    stage.runtime.reset();
  }
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK_FALSE(detail::is_launched(process));
  ::kill(process, SIGKILL);
  ::waitpid(process, nullptr, 0);
  CHECK(took < 2s);  // the bound for those that can be killed
}

// ---------------------------------------------------------------------------------------------------------------------
// What a process gets
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("the pipe of an output does not block who reads it, and no other program inherits it") {
  const Process process = shell("exit 0");
  detail::Launched launched = detail::launch(process, {});
  CHECK((::fcntl(launched.output.number(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(launched.output.number(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(launched.process.number(), F_GETFD) & FD_CLOEXEC) != 0);
  reap(launched);
}

TEST_CASE("in a program without stdin and stdout the output of a process is captured, or goes where it is to go") {
  Stage stage;
  const fs::path path = stage.folder.path() / "out";
  Process process = shell("echo out; echo err >&2");
  std::string captured;
  {
    const Closed closed{{0, 1}};
    detail::Launched launched = detail::launch(process, {});
    captured = all_of(launched.output.number());
    reap(launched);
    launched = {};  // its descriptors were the lowest numbers
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);  // the lowest number: 0
    process.output_descriptor = file;
    launched = detail::launch(process, {});
    reap(launched);
    ::close(file);
  }
  CHECK(captured == "out\nerr\n");
  std::ifstream in{path};
  CHECK(std::string{std::istreambuf_iterator<char>{in}, {}} == "out\nerr\n");
}

TEST_CASE("a umask of zero is one, too") {
  const ::mode_t before = ::umask(0027);
  Process process = shell("umask; exit 1");
  const std::string inherited = end_of(process);
  process.umask = 0;
  const std::string own = end_of(process);
  ::umask(before);
  CHECK(inherited == "ended failed: exit status 1; its output: 0027");
  CHECK(own == "ended failed: exit status 1; its output: 0000");
}

TEST_CASE("a process with a group of its own takes no debugger and no dump away from the supervisor") {
  if (::geteuid() != 0) return;
  REQUIRE(::prctl(PR_SET_DUMPABLE, 1) == 0);  // a test before may have changed the user
  Process process = shell("exit 1");
  process.group = "12345";
  CHECK(end_of(process) == "ended failed: exit status 1");
  CHECK(::prctl(PR_GET_DUMPABLE) == 1);
}

TEST_CASE("the supervisor's rights decide about limits and the folder of a process with a user of its own") {
  if (::geteuid() != 0) return;
  Stage stage;
  Process process = shell("exit 7");
  process.user = "nobody";
  process.folder = (stage.folder.path() / "root_alone").string();
  fs::create_directory(process.folder);
  fs::permissions(process.folder, fs::perms::owner_all);
  CHECK(end_of(process) == "ended failed: exit status 7");
  rlimit nice{};
  ::getrlimit(RLIMIT_NICE, &nice);
  const rlimit higher{nice.rlim_max + 1, nice.rlim_max + 1};
  const pid_t other = ::fork();  // may root, where this runs?
  if (other == 0) ::_exit(::setrlimit(RLIMIT_NICE, &higher) == 0 ? 0 : 1);
  int status = 0;
  REQUIRE(::waitpid(other, &status, 0) == other);
  process.limits = {{RLIMIT_NICE, higher.rlim_cur, higher.rlim_max}};
  if (status == 0) CHECK(end_of(process) == "ended failed: exit status 7");
}

TEST_CASE("the first descriptor after stdio is not inherited either") {
  const int flags = ::fcntl(3, F_GETFD);
  const int opened = flags == -1 ? ::open("/dev/null", O_RDONLY) : -1;
  if (opened >= 0 && opened != 3) REQUIRE(::dup2(opened, 3) == 3);
  if (flags != -1) ::fcntl(3, F_SETFD, flags & ~FD_CLOEXEC);
  const std::string end = end_of(shell("ls /proc/$$/fd; exit 1"));
  if (flags != -1) {
    ::fcntl(3, F_SETFD, flags);
  } else {
    if (opened != 3) ::close(opened);
    ::close(3);
  }
  CHECK(end == "ended failed: exit status 1; its output: 0\n1\n2");
}

TEST_CASE("a process whose supervisor has died before it was tied to its life ends without executing its program") {
  const char* const candidates[] = {"/bin/true", nullptr};
  char* nothing[] = {nullptr};
  void* const shared =
      ::mmap(nullptr, sizeof(detail::Trouble), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(shared != MAP_FAILED);
  auto* const trouble = new (shared) detail::Trouble{};
  const auto status_of_child_of = [&](pid_t supervisor) {
    *trouble = {};
    const detail::Orders orders{.candidates = candidates,
                                .arguments = nothing,
                                .environment = nothing,
                                .folder = nullptr,
                                .input = "/dev/null",
                                .output_file = nullptr,
                                .output = -1,
                                .file_mode_mask = -1,
                                .limits = nullptr,
                                .limit_count = 0,
                                .groups = nullptr,
                                .group_count = 0,
                                .changes_group = false,
                                .changes_user = false,
                                .group = 0,
                                .user = 0,
                                .supervisor = supervisor,
                                .descriptors_max = 256,
                                .trouble = trouble,
                                .in_use = nullptr};
    const detail::Created created = detail::create_process(detail::Memory::copied, nullptr, orders);
    REQUIRE(created.id > 0);
    ::close(created.process);
    int status = 0;
    REQUIRE(::waitpid(created.id, &status, 0) == created.id);
    return WEXITSTATUS(status);
  };
  CHECK(status_of_child_of(::getpid()) == 0);
  CHECK(trouble->stage == detail::Stage::none);
  CHECK(status_of_child_of(::getpid() + 1) == detail::kNotExecutableStatus);
  CHECK(trouble->stage == detail::Stage::set_up);
  CHECK(trouble->error == ESRCH);
  ::munmap(shared, sizeof(detail::Trouble));
}

TEST_CASE("a name of the environment is the whole name, and the text of another may begin with it") {
  ::setenv("HOLDFAST_FOOBAR", "bar", 1);
  Process process = shell("echo \"$HOLDFAST_FOOBAR $HOLDFAST_FOO\"; exit 1");
  process.environment = {{"HOLDFAST_FOO", "foo"}, {"HOLDFAST_FOOBAZ", "x"}};
  CHECK(end_of(process) == "ended failed: exit status 1; its output: bar foo");
  CHECK(end_of({.command = {"sh", "-c", "exit 8"}, .environment = {{"PATHS", "/no/such/folder"}}}) ==
        "ended failed: exit status 8");
  ::unsetenv("HOLDFAST_FOOBAR");
}

TEST_CASE("an empty element of PATH is the folder that the process runs in, wherever it stands") {
  Stage stage;
  const fs::path folder = make_tool(stage.folder.path() / "here", "#!/bin/sh\nexit 9\n");
  for (const std::string path : {":/no/such", "/no/such:", "/no/such::/nor/this", ""}) {
    CAPTURE(path);
    CHECK(end_of({.command = {"holdfast-tool"}, .environment = {{"PATH", path}}, .folder = folder.string()}) ==
          "ended failed: exit status 9");
  }
}

TEST_CASE("a file in PATH that is none that may be executed, or a file in the place of a folder, hides no later one") {
  Stage stage;
  const fs::path& path = stage.folder.path();
  make_tool(path / "not_executable", "#!/bin/sh\nexit 7\n", fs::perms::owner_read);
  make_tool(path / "good", "#!/bin/sh\nexit 9\n");
  std::ofstream{path / "file"} << "x";
  const auto end = [&](const std::string& in_path) {
    return end_of({.command = {"holdfast-tool"}, .environment = {{"PATH", in_path}}});
  };
  CHECK(end((path / "not_executable").string() + ':' + (path / "good").string()) == "ended failed: exit status 9");
  CHECK(end((path / "file").string() + ':' + (path / "good").string()) == "ended failed: exit status 9");
  // That it is there and may not be executed says more than that it is not in the last folder.
  CHECK(end((path / "not_executable").string() + ":/no/such/folder") ==
        "ended failed: cannot execute 'holdfast-tool': Permission denied");
}

TEST_CASE("signals of real time have default actions as well, and the mask of the supervisor stays its own") {
  struct sigaction before {};
  struct sigaction ignored {};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGRTMAX, &ignored, &before);
  sigset_t blocked, mask_before, mask_after;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &mask_before);
  const std::string end = end_of({.command = {"awk", "/SigIgn/ { print $2 } END { exit 1 }", "/proc/self/status"}});
  ::pthread_sigmask(SIG_SETMASK, &mask_before, &mask_after);
  ::sigaction(SIGRTMAX, &before, nullptr);
  CHECK(end == "ended failed: exit status 1; its output: 0000000000000000");
  CHECK(::sigismember(&mask_after, SIGUSR2) == 1);
}

TEST_CASE("a process with a user of its own is tied to the supervisor's life all the same") {
  if (::geteuid() != 0) return;
  constexpr int kParentDeathSignal = 2;  // PR_GET_PDEATHSIG
  Process process{.command = {"python3", "-c",
                              "import ctypes; signal = ctypes.c_int(); ctypes.CDLL(None).prctl(" +
                                  std::to_string(kParentDeathSignal) +
                                  ", ctypes.byref(signal)); print(signal.value); exit(1)"}};
  process.user = "nobody";
  CHECK(end_of(process) == "ended failed: exit status 1; its output: 9");
}

TEST_CASE("a process with a user of its own has none of the supervisor's groups") {
  if (::geteuid() != 0) return;
  std::vector<gid_t> before(static_cast<std::size_t>(::getgroups(0, nullptr)));
  REQUIRE(::getgroups(static_cast<int>(before.size()), before.data()) >= 0);
  const gid_t own = 54321;
  REQUIRE(::setgroups(1, &own) == 0);
  Process process = shell("id -G; exit 1");
  process.user = "nobody";
  const std::string of_user = end_of(process);
  process.user = "";
  process.group = "12345";
  const std::string of_group = end_of(process);
  ::setgroups(before.size(), before.data());
  CHECK(of_user == "ended failed: exit status 1; its output: 65534");
  CHECK(of_group == "ended failed: exit status 1; its output: 12345");
}

TEST_CASE("a supervisor without stdin, stdout and stderr starts a process that has them") {
  Stage stage;
  const fs::path file = stage.folder.path() / "out";
  const pid_t other = ::fork();  // a program of its own, so that this one keeps what it has
  if (other == 0) {
    for (const int number : {0, 1, 2}) ::close(number);
    ::execl(HOLDFAST_PROCESS_SUPERVISOR, "process_supervisor",
            ("echo to stdout; echo to stderr >&2; ls /proc/self/fd > " + file.string() +
             "; kill -TERM $PPID; exec sleep 1000")
                .c_str(),
            nullptr);
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(other, &status, 0) == other);
  CHECK(WIFEXITED(status));
  std::ifstream in{file};
  CHECK(std::string{std::istreambuf_iterator<char>{in}, {}} == "0\n1\n2\n3\n");  // the folder itself
}

}  // namespace holdfast::test::process_edges_test
