// Processes as services, with real ones: a shell that does what a test tells it.
//
// A test waits for events: for what the supervisor tells, and for what a process writes into a named pipe, which ends
// when the last process that holds it is gone. The limits only turn a hang into a failure. When a test is over, no
// child of this program is left, alive or dead, and no descriptor more than before.

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <holdfast/asio/detail/output_tail.hpp>
#include <holdfast/asio/runtime.hpp>

namespace holdfast::test {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

constexpr std::chrono::seconds kPatience{60};

// ---------------------------------------------------------------------------------------------------------------------
// A stage for processes
// ---------------------------------------------------------------------------------------------------------------------

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{}));
}

bool has_no_children() { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "holdfast-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// What the supervisor tells, without times: "ended failed: exit status 3".
class Diary final : public EventSink {
 public:
  void on_event(const Event& event) override {
    std::string line{kind(event)};
    if (const auto* const ended = std::get_if<event::Ended>(&event.what)) {
      line += ' ' + std::string{to_string(ended->outcome)};
      if (!ended->error.empty()) line += ": " + std::string{ended->error};
    } else if (const auto* const terminated = std::get_if<event::Terminated>(&event.what)) {
      line += ' ' + std::string{to_string(terminated->why.reason)};
    }
    if (!std::holds_alternative<event::Warned>(event.what)) lines.push_back(line);
  }
  [[nodiscard]] bool has(const std::string& line) const { return std::count(lines.begin(), lines.end(), line) > 0; }
  [[nodiscard]] bool has_kind(const std::string& kind) const {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.substr(0, line.find(' ')) == kind; });
  }

  Lines lines;
};

// A named pipe that processes write into. It is over when one has opened it and nobody has it open any more.
class Pipe {
 public:
  Pipe(boost::asio::io_context& io, const fs::path& path) {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    pipe_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    enough_ = ::eventfd(0, EFD_CLOEXEC);
    reader_ = std::thread{[this, &io] { read(io); }};
  }
  ~Pipe() {
    ::eventfd_write(enough_, 1);
    reader_.join();
    ::close(enough_);
    ::close(pipe_);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] std::string text() const {
    const std::lock_guard lock{mutex_};
    return text_;
  }
  [[nodiscard]] bool over() const {
    const std::lock_guard lock{mutex_};
    return over_;
  }

 private:
  void read(boost::asio::io_context& io) {
    std::array<char, 4096> piece{};
    for (;;) {
      std::array<pollfd, 2> waits{{{pipe_, POLLIN, 0}, {enough_, POLLIN, 0}}};
      ::poll(waits.data(), waits.size(), -1);
      if (waits[1].revents != 0) return;
      const auto size = ::read(pipe_, piece.data(), piece.size());
      {
        const std::lock_guard lock{mutex_};
        if (size > 0) text_.append(piece.data(), static_cast<std::size_t>(size));
        over_ = size <= 0;
      }
      boost::asio::post(io, [] {});  // whoever waits looks again
      if (size <= 0) return;
    }
  }

  int pipe_ = -1;
  int enough_ = -1;  // readable once nobody wants to know any more
  mutable std::mutex mutex_;
  std::string text_;
  bool over_ = false;
  std::thread reader_;
};

class Stage {
 public:
  explicit Stage(SupervisorConfig config = {.backoff = {.base = 0ns, .max = 0ns, .breaker = std::nullopt}}) {
    runtime.emplace(io, RuntimeConfig{.supervisor = std::move(config), .sinks = {&diary}});
  }
  ~Stage() {
    runtime.reset();
    CHECK(has_no_children());
    pipe_.reset();
    work_.reset();
    io_.reset();
    CHECK(open_descriptors() == descriptors_);
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  void add(Process process, ServiceConfig config = {.name = "p", .restart = RestartPolicy::never}) {
    if (config.name.empty()) config.name = "p";
    const auto added = runtime->add(std::move(config), std::move(process));
    REQUIRE(added);
  }

  // In a shell, with $PIPE open as descriptor 3.
  Process script(const std::string& text) {
    pipe();
    return {.command = {"/bin/sh", "-c", "exec 3>\"$PIPE\"; " + text},
            .environment = {{"PIPE", (folder.path() / "pipe").string()}}};
  }
  Pipe& pipe() {
    if (!pipe_) pipe_ = std::make_unique<Pipe>(io, folder.path() / "pipe");
    return *pipe_;
  }

  bool run_until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      if (io.run_one_until(limit) == 0 && !done()) return false;
    }
    return true;
  }
  void run_until_terminated() {
    REQUIRE(run_until([&] { return diary.has_kind("terminated"); }));
  }
  void run_until_written(const std::string& text) {
    REQUIRE(run_until([&] { return pipe().text().find(text) != std::string::npos; }));
  }
  void run_until_pipe_is_over() {
    REQUIRE(run_until([&] { return pipe().over(); }));
  }

  // Runs a process once, and says how it ended.
  std::string end_of(Process process) {
    add(std::move(process));
    run_until_terminated();
    return diary.lines.at(3);
  }

 private:
  const std::size_t descriptors_ = open_descriptors();
  std::unique_ptr<boost::asio::io_context> io_ = std::make_unique<boost::asio::io_context>(1);
  // There may be nothing to do but to wait for the pipe.
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_{io_->get_executor()};

 public:
  const Folder folder;
  boost::asio::io_context& io = *io_;
  Diary diary;
  std::optional<Runtime> runtime;

 private:
  std::unique_ptr<Pipe> pipe_;
};

Process shell(const std::string& text) { return {.command = {"/bin/sh", "-c", text}}; }

std::string end_of(Process process) { return Stage{}.end_of(std::move(process)); }

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Ends
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a process that exits with status 0 is a clean exit, whatever it has written") {
  Stage stage;
  CHECK(stage.end_of(shell("echo hello")) == "ended clean");
  CHECK(stage.diary.lines == Lines{"added", "started", "running", "ended clean", "terminated completed"});
}

TEST_CASE("a process that exits with another status is a failure that tells it, with the last of its output") {
  CHECK(end_of(shell("exit 3")) == "ended failed: exit status 3");
  CHECK(end_of(shell("echo to stdout; echo to stderr >&2; exit 255")) ==
        "ended failed: exit status 255; its output: to stdout\nto stderr");
  Process process = shell("echo 123456789; exit 1");
  process.output_kept_max = 4;
  CHECK(end_of(process) == "ended failed: exit status 1; the last 4 of 10 bytes of its output: 789");
  process.output_kept_max = 0;
  CHECK(end_of(process) == "ended failed: exit status 1; the last 0 of 10 bytes of its output: ");
}

TEST_CASE("the last words of a process are never lost, however close its end follows") {
  Stage stage;
  stage.add(shell("echo first; echo last; exit 1"), {.name = "p", .restart = RestartPolicy::on_failure});
  REQUIRE(stage.run_until([&] { return stage.runtime->supervisor().counters().failures >= 50; }));
  for (const auto& line : stage.diary.lines) {
    if (line.substr(0, 5) == "ended") CHECK(line == "ended failed: exit status 1; its output: first\nlast");
  }
  stage.runtime->supervisor().request_shutdown();
  stage.run_until_terminated();
}

TEST_CASE("a process that crashes is a failure that names the signal") {
  for (const auto& [signal, says] :
       {std::pair{"SEGV", "killed by signal 11 (Segmentation fault)"},
        std::pair{"ABRT", "killed by signal 6 (Aborted)"}, std::pair{"TERM", "killed by signal 15 (Terminated)"},
        std::pair{"KILL", "killed by signal 9 (Killed)"}}) {
    const std::string end = end_of(shell(std::string{"ulimit -c 0; kill -"} + signal + " $$"));
    CHECK(end.substr(0, end.find(", core dumped")) == std::string{"ended failed: "} + says);
  }
}

TEST_CASE("a process that fails is started again, as another process") {
  Stage stage;
  stage.add(stage.script("echo \"run of $$\" >&3; exit 1"), {.name = "p", .restart = RestartPolicy::on_failure});
  REQUIRE(stage.run_until([&] { return stage.runtime->supervisor().counters().failures >= 3; }));
  CHECK(stage.runtime->supervisor().snapshot("p")->last_error == "exit status 1");
  stage.runtime->supervisor().request_shutdown();
  stage.run_until_terminated();
}

TEST_CASE("a program that cannot be executed is a failure that names it and says why") {
  Stage stage;
  const fs::path text = stage.folder.path() / "text";
  std::ofstream{text} << "no program\n";
  fs::permissions(text, fs::perms::owner_all);
  CHECK(stage.end_of({.command = {"no-such-program-anywhere"}}) ==
        "ended failed: cannot execute 'no-such-program-anywhere': No such file or directory");
  CHECK(end_of({.command = {"/etc/passwd"}}) == "ended failed: cannot execute '/etc/passwd': Permission denied");
  CHECK(end_of({.command = {text.string()}}) ==
        "ended failed: cannot execute '" + text.string() + "': Exec format error");
}

TEST_CASE("a folder that cannot be entered is a failure that names it and says why") {
  Process process = shell("exit 0");
  process.folder = "/no/such/folder";
  CHECK(end_of(process) == "ended failed: cannot enter folder '/no/such/folder': No such file or directory");
}

TEST_CASE("what a flood leaves behind is its end, and it neither stops the process nor the service") {
  Process process = shell("yes | head -c 50000000; yes 2>&1 >&2 | head -c 50000001 >&2; exit 4");
  process.output_kept_max = 5;
  CHECK(end_of(process) == "ended failed: exit status 4; the last 5 of 100000001 bytes of its output: y\ny\ny");
}

TEST_CASE("an exit status that somebody else has taken is a failure that says so") {
  Stage stage;
  stage.add(stage.script("echo ready >&3; exec sleep 1000"));
  stage.run_until_written("ready");
  struct sigaction before {};
  struct sigaction ignored {};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGCHLD, &ignored, &before);
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  ::sigaction(SIGCHLD, &before, nullptr);
  CHECK(stage.diary.has("ended failed: its exit status is unknown: another part of the program has reaped it"));
}

// ---------------------------------------------------------------------------------------------------------------------
// What a process gets
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a process gets its arguments as they are, and no shell sees them") {
  CHECK(end_of({.command = {"/bin/sh", "-c", "echo \"$0|$1|$2\"; exit 1", "$HOME", "a  b", ""}}) ==
        "ended failed: exit status 1; its output: $HOME|a  b|");
}

TEST_CASE("a process inherits the environment, with its own on top, or gets its own alone") {
  ::setenv("HOLDFAST_INHERITED", "inherited", 1);
  ::setenv("HOLDFAST_BOTH", "inherited", 1);
  Process process = shell("echo \"$HOLDFAST_INHERITED $HOLDFAST_BOTH $HOLDFAST_OWN\"; exit 1");
  process.environment = {{"HOLDFAST_BOTH", "own"}, {"HOLDFAST_OWN", "twice"}, {"HOLDFAST_OWN", "last=one"}};
  CHECK(end_of(process) == "ended failed: exit status 1; its output: inherited own last=one");
  process.inherit_environment = false;
  CHECK(end_of(process) == "ended failed: exit status 1; its output:  own last=one");
}

TEST_CASE("a program without a slash is searched for in the PATH of its own environment") {
  Stage stage;
  const fs::path tool = stage.folder.path() / "holdfast-tool";
  std::ofstream{tool} << "#!/bin/sh\necho found; exit 9\n";
  fs::permissions(tool, fs::perms::owner_all);
  CHECK(stage.end_of({.command = {"holdfast-tool"},
                      .environment = {{"PATH", "/no/such/folder:" + stage.folder.path().string()}}}) ==
        "ended failed: exit status 9; its output: found");
  CHECK(end_of({.command = {"holdfast-tool"}, .environment = {{"PATH", "/bin"}}}) ==
        "ended failed: cannot execute 'holdfast-tool': No such file or directory");
  CHECK(end_of({.command = {"sh", "-c", "exit 8"}, .inherit_environment = false}) == "ended failed: exit status 8");
  // The folder is entered before a relative path is looked up.
  CHECK(end_of({.command = {"./holdfast-tool"}, .folder = stage.folder.path().string()}) ==
        "ended failed: exit status 9; its output: found");
}

TEST_CASE("a process runs in its folder, in a group of its own") {
  Process process = shell("pwd; read -r _ _ _ _ group _ < /proc/$$/stat; [ $group = $$ ] && exit 7; exit 8");
  process.folder = "/usr";
  CHECK(end_of(process) == "ended failed: exit status 7; its output: /usr");
}

TEST_CASE("a process gets stdin from nowhere and no descriptor but stdin, stdout and stderr") {
  const int left_open = ::open("/dev/null", O_RDONLY);  // not close-on-exec
  REQUIRE(left_open > STDERR_FILENO);
  CHECK(end_of(shell("ls /proc/$$/fd; readlink /proc/$$/fd/0; cat; exit 1")) ==
        "ended failed: exit status 1; its output: 0\n1\n2\n/dev/null");
  ::close(left_open);
}

TEST_CASE("a process gets the supervisor's own stdout and stderr where they are not to be captured") {
  Stage stage;
  Process process = stage.script("exec 4>&1; own=$(readlink /proc/$$/fd/4 /proc/$$/fd/2); echo \"$own\" >&3");
  process.capture_output = false;
  CHECK(stage.end_of(process) == "ended clean");
  stage.run_until_pipe_is_over();
  CHECK(stage.pipe().text() ==
        fs::read_symlink("/proc/self/fd/1").string() + '\n' + fs::read_symlink("/proc/self/fd/2").string() + '\n');
}

TEST_CASE("a process has default signal actions and no blocked signal, whatever the supervisor has") {
  struct sigaction before {};
  struct sigaction ignored {};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignored, &before);
  sigset_t blocked, mask_before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &mask_before);
  const std::string end =
      end_of({.command = {"awk", "/SigBlk|SigIgn/ { print $2 } END { exit 1 }", "/proc/self/status"}});
  ::pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
  ::sigaction(SIGPIPE, &before, nullptr);
  CHECK(end == "ended failed: exit status 1; its output: 0000000000000000\n0000000000000000");
}

// ---------------------------------------------------------------------------------------------------------------------
// Stops and kills
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a process that ends by the SIGTERM of a stop has obeyed") {
  Stage stage;
  stage.add(stage.script("echo ready >&3; exec sleep 1000"));
  stage.run_until_written("ready");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK(stage.diary.lines ==
        Lines{"added", "started", "running", "commanded", "stopping", "ended clean", "terminated cancelled"});
}

TEST_CASE("a process may take its time to stop, and what it says then is kept") {
  Stage stage;
  stage.add(stage.script("trap 'echo flushed; exit 5' TERM; echo ready >&3; sleep 1000 & wait"));
  stage.run_until_written("ready");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended failed: exit status 5; its output: flushed"));
  CHECK(stage.diary.has("terminated cancelled"));
}

TEST_CASE("a process that ignores SIGTERM is killed when its grace has passed, and its children with it") {
  Stage stage;
  stage.add(stage.script("trap '' TERM; echo ready >&3; while :; do sleep 1000; done"),
            {.name = "p", .restart = RestartPolicy::never, .stop_grace = 10ms});
  stage.run_until_written("ready");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK(stage.diary.lines == Lines{"added", "started", "running", "commanded", "stopping", "killed",
                                   "ended failed: killed by signal 9 (Killed)", "terminated cancelled"});
  stage.run_until_pipe_is_over();
}

TEST_CASE("a halted process obeys a stop all the same") {
  Stage stage;
  stage.add(stage.script("echo ready >&3; kill -STOP $$; exec sleep 1000"));
  stage.run_until_written("ready");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended clean"));
}

TEST_CASE("a stop reaches the whole group") {
  Stage stage;
  // The shell itself ignores the stop and waits for its children: only they can end it.
  stage.add(stage.script("sleep 1000 & sleep 1000 & trap '' TERM; echo ready >&3; wait; exit 6"));
  stage.run_until_written("ready");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended failed: exit status 6"));
  stage.run_until_pipe_is_over();
}

TEST_CASE("what a process leaves behind in its group neither delays its end nor outlives it") {
  Stage stage;
  stage.add(stage.script("sleep 1000 & echo last words; exit 2"));  // with its stdout open
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended failed: exit status 2; its output: last words"));
  stage.run_until_pipe_is_over();
}

TEST_CASE("who has left the group lives on, and does not delay the end either") {
  Stage stage;
  stage.add(stage.script("trap 'exit 2' USR1; setsid sh -c \"echo $$ \\$\\$. >&3; exec sleep 1000\" & wait"));
  stage.run_until_written(".");
  const std::string text = stage.pipe().text();
  ::kill(std::stoi(text), SIGUSR1);
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended failed: exit status 2"));
  CHECK_FALSE(stage.pipe().over());
  ::kill(std::stoi(text.substr(text.find(' '))), SIGKILL);
  stage.run_until_pipe_is_over();
}

TEST_CASE("a runtime that is destroyed kills and reaps its processes, whatever they are doing") {
  Stage stage;
  stage.add(stage.script("trap '' TERM; echo ready >&3; while :; do sleep 1000; done"));
  stage.add(shell("yes"), {.name = "floods"});
  stage.run_until_written("ready");
  stage.runtime.reset();
  CHECK(has_no_children());
  stage.run_until_pipe_is_over();
}

TEST_CASE("a process that was abandoned is killed when it is forgotten") {
  Stage stage{{.shutdown_timeout = 10ms}};
  stage.add(stage.script("trap '' TERM; echo ready >&3; while :; do sleep 1000; done"));
  stage.run_until_written("ready");
  stage.runtime->supervisor().request_shutdown();
  REQUIRE(stage.run_until([&] { return stage.diary.has_kind("drained"); }));
  CHECK(stage.diary.has("terminated abandoned"));
  CHECK_FALSE(has_no_children());
  REQUIRE(stage.runtime->supervisor().remove("p"));
  stage.run_until_pipe_is_over();
  CHECK(has_no_children());
}

TEST_CASE("a supervisor that is killed takes its processes along") {
  Stage stage;
  stage.pipe();
  stage.add({.command = {HOLDFAST_PROCESS_SUPERVISOR, "exec 3>\"$PIPE\"; echo $PPID. >&3; exec sleep 1000"},
             .environment = {{"PIPE", (stage.folder.path() / "pipe").string()}}});
  stage.run_until_written(".");
  ::kill(std::stoi(stage.pipe().text()), SIGKILL);
  stage.run_until_pipe_is_over();
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended failed: killed by signal 9 (Killed)"));
}

// ---------------------------------------------------------------------------------------------------------------------
// Descriptions
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a process that cannot be right is refused with everything that is wrong") {
  const std::string zero{"a\0b", 3};
  const Process process{.command = {"", zero},
                        .environment = {{"", "x"}, {"A=B", "x"}, {"A", zero}},
                        .folder = zero,
                        .output_kept_max = kOutputKeptMax + 1};
  const std::string says =
      "command[0] is empty; required is the name or the path of a program\n"
      "command[1] has a zero byte; allowed is any text without one\n"
      "environment[0] has the name \"\"; allowed is a name that is not empty and has no '='\n"
      "environment[1] has the name \"A=B\"; allowed is a name that is not empty and has no '='\n"
      "environment[2] has a zero byte; allowed is any text without one\n"
      "folder has a zero byte; allowed is any text without one\n"
      "output_kept_max is 1048577; allowed is 0 to 1048576";
  CHECK(describe_errors(problems(process)) == says);
  CHECK(describe_errors(problems(Process{.command = {}})) ==
        "command is empty; required is a program, then its arguments");
  Stage stage;
  CHECK_THROWS_AS(ProcessService(stage.runtime->executor(), process), ConfigError);
  const auto refused = stage.runtime->add({.name = "wrong"}, process);
  REQUIRE_FALSE(refused);
  CHECK(refused.refusal().message == "add \"wrong\": " + says);
}

TEST_CASE("of an output its end is kept, as text that can be shown") {
  const auto told = [](std::size_t kept_max, const Lines& pieces) {
    detail::OutputTail tail{kept_max};
    for (const auto& piece : pieces) tail.append(piece);
    return tail.told();
  };
  CHECK(told(4, {}).empty());
  CHECK(told(4, {"abcd"}) == "; its output: abcd");
  CHECK(told(4, {"abcde"}) == "; the last 4 of 5 bytes of its output: bcde");
  CHECK(told(4, {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}) == "; the last 4 of 10 bytes of its output: ghij");
  CHECK(told(9, {"a\tb\nc\r\n\n"}) == "; its output: a\tb\nc");
  CHECK(told(99, {"\x01\x7f\xff\xc3", "\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xc0\xaf \xed\xa0\x80"}) ==
        "; its output: ???é € 😀 ?? ???");
  CHECK(told(4, {"ab€c"}) == "; the last 4 of 6 bytes of its output: €c");
  CHECK(told(3, {"ab€c"}) == "; the last 3 of 6 bytes of its output: c");
  CHECK(told(4, {std::string(100'000, 'x') + "abcd"}) == "; the last 4 of 100004 bytes of its output: abcd");
}

}  // namespace holdfast::test
