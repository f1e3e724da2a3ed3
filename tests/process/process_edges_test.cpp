// Processes at the edges, where bugs that were planted on purpose had lived: each test is there for one of them.

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

// ---------------------------------------------------------------------------------------------------------------------
// What a process gets
// ---------------------------------------------------------------------------------------------------------------------

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
