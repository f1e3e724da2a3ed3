// The fields of Process: what each of them gives to a real process, and how it takes part in the verdict on its end.

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

#include "process_stage.hpp"

namespace holdfast::test {

namespace {

std::string content_of(const fs::path& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

// What the events say of a process that is stopped as soon as it has written "ready".
Lines stopped(Process process, const std::string& script, Stage& stage, const ExitRules& rules = {}) {
  const Process base = stage.script(script);
  process.command = base.command;
  process.environment = base.environment;
  ServicePolicy policy{.restart = RestartPolicy::never};
  policy.exit_rules = rules;
  stage.add(process, {.name = "p", .policy = policy});
  stage.run_until_written("ready");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  return stage.diary.lines;
}

std::string end_after_stop(const Process& process, const std::string& script, const ExitRules& rules = {}) {
  Stage stage;
  const Lines lines = stopped(process, script, stage, rules);
  for (const auto& line : lines) {
    if (line.substr(0, 5) == "ended") return line;
  }
  return {};
}

std::string end_by_rules(const Process& process, const ExitRules& rules) {
  Stage stage;
  ServicePolicy policy{.restart = RestartPolicy::never};
  policy.exit_rules = rules;
  stage.add(process, {.name = "p", .policy = policy});
  stage.run_until_terminated();
  return stage.diary.lines.at(3);
}

// Waits without a child: in the copy of a shell that is about to execute one a signal gets lost, and one in the
// background ignores SIGINT.
const std::string kReadyAndWait =
    "mkfifo \"$PIPE.wait\"; exec 4<>\"$PIPE.wait\"; echo ready >&3; while :; do read -r line <&4; done";

// A test that has to be root to try what only root may do; as somebody else it tries the refusal.
bool is_root() { return ::geteuid() == 0; }

Process with_user(const std::string& text, const std::string& user, const std::string& group = {}) {
  Process process = shell(text);
  process.user = user;
  process.group = group;
  return process;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Stops
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a stop sends the stop_signal and no other") {
  const std::string script = "trap 'exit 4' USR1; trap 'exit 5' TERM; " + kReadyAndWait;
  CHECK(end_after_stop({.stop_signal = SIGUSR1}, script) == "ended failed: exit status 4");
  CHECK(end_after_stop({}, script) == "ended failed: exit status 5");
}

TEST_CASE("a process that ends by its stop_signal, another of a stop, or a shell's status for it has obeyed") {
  CHECK(end_after_stop({.stop_signal = SIGINT}, "echo ready >&3; exec sleep 1000") == "ended clean");
  CHECK(end_after_stop({.stop_signal = SIGINT}, "trap 'kill -TERM $$' INT; " + kReadyAndWait) == "ended clean");
  for (const std::string status : {"129", "130", "143", "0"}) {
    CHECK(end_after_stop({.stop_signal = SIGINT}, "trap 'exit " + status + "' INT; " + kReadyAndWait) == "ended clean");
  }
  CHECK(end_after_stop({}, "trap 'exit 130' TERM; " + kReadyAndWait) == "ended clean");
  CHECK(end_after_stop({}, "trap 'trap - HUP; kill -HUP $$' TERM; " + kReadyAndWait) == "ended clean");
  CHECK(end_after_stop({.stop_signal = SIGINT}, "trap 'kill -USR1 $$' INT; " + kReadyAndWait) ==
        "ended failed: killed by signal 10 (User defined signal 1)");
}

TEST_CASE(
    "an exit status with the number of the signal is no obedience, nor is a shell's status for it without a stop") {
  CHECK(end_after_stop({}, "trap 'exit 15' TERM; " + kReadyAndWait) == "ended failed: exit status 15");
  CHECK(end_after_stop({}, "trap 'exit 138' TERM; " + kReadyAndWait) == "ended failed: exit status 138");
  CHECK(end_of(shell("exit 143")) == "ended failed: exit status 143");
}

TEST_CASE("a stop to the process alone reaches its children when it has ended, and not before") {
  const std::string script =
      "sh -c 'trap \"echo lost >&3; exit 1\" TERM; trap \"echo saved >&3; exit 0\" USR1; echo ready >&3; "
      "while :; do sleep 1000 & wait; done' & "
      "trap 'kill -USR1 $!; wait $!; exit 0' TERM; while :; do wait; done";
  Stage of_process;
  CHECK(stopped({.stop_to = StopTo::process}, script, of_process).at(5) == "ended clean");
  of_process.run_until_pipe_is_over();
  CHECK(of_process.pipe().text() == "ready\nsaved\n");
  Stage of_group;
  stopped({},
          "sh -c 'trap \"echo lost >&3; exit 1\" TERM; echo ready >&3; while :; do sleep 1000 & wait; done' & "
          "trap 'wait $!; exit 0' TERM; while :; do wait; done",
          of_group);
  of_group.run_until_pipe_is_over();
  CHECK(of_group.pipe().text() == "ready\nlost\n");
}

// ---------------------------------------------------------------------------------------------------------------------
// Verdicts
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("an exit status that is clean by a rule is a clean exit") {
  CHECK(end_by_rules(shell("exit 3"), {.clean = {2, 3}}) == "ended clean");
  CHECK(end_by_rules(shell("exit 4"), {.clean = {2, 3}}) == "ended failed: exit status 4");
}

TEST_CASE("an end by signal n has the exit status 128 + n") {
  CHECK(end_by_rules(shell("kill -USR1 $$"), {.clean = {138}}) == "ended clean");
  CHECK(end_by_rules(shell("kill -KILL $$"), {.fatal = {137}}) == "ended fatal: killed by signal 9 (Killed)");
}

TEST_CASE("an exit status of 0 may be a failure by a rule") {
  CHECK(end_by_rules(shell("exit 0"), {.failure = {0}}) == "ended failed: exit status 0");
}

TEST_CASE("a stop that is obeyed is a clean end, whatever the rules say") {
  for (const std::string status : {"0", "129", "143"}) {
    CHECK(end_after_stop({}, "trap 'exit " + status + "' TERM; " + kReadyAndWait, {.failure = {0, 129, 143}}) ==
          "ended clean");
  }
  CHECK(end_after_stop({}, "trap 'exit 3' TERM; " + kReadyAndWait, {.clean = {3}}) == "ended clean");
}

TEST_CASE("an exit status that is fatal by a rule is a failure that is not retried") {
  Stage stage;
  ServicePolicy policy{.restart = RestartPolicy::always};
  policy.exit_rules.fatal = {78};
  stage.add(shell("echo no such table; exit 78"), {.name = "p", .policy = policy});
  stage.run_until_terminated();
  CHECK(stage.diary.lines.at(3) == "ended fatal: exit status 78; its output: no such table");
  CHECK(stage.diary.lines.size() == 5);
}

TEST_CASE("a program that is not found counts as status 127, one that may not be executed as 126") {
  for (const std::uint8_t status : {std::uint8_t{126}, std::uint8_t{127}}) {
    Process process{.command = {"no-such-program-anywhere"}};
    CHECK(end_by_rules(process, {.fatal = {status}}) ==
          std::string{status == 127 ? "ended fatal" : "ended failed"} +
              ": cannot execute 'no-such-program-anywhere': No such file or directory");
    process.command = {"/etc/passwd"};
    CHECK(end_by_rules(process, {.fatal = {status}}) == std::string{status == 126 ? "ended fatal" : "ended failed"} +
                                                            ": cannot execute '/etc/passwd': Permission denied");
  }
  // What has to do with the program itself, and nothing else.
  Process process = shell("exit 0");
  process.folder = "/no/such/folder";
  CHECK(end_by_rules(process, {.clean = {0}, .fatal = {126, 127}}) ==
        "ended failed: cannot enter folder '/no/such/folder': No such file or directory");
}

// ---------------------------------------------------------------------------------------------------------------------
// Files
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a process reads its input from a file, relative to its folder") {
  Stage stage;
  std::ofstream{stage.folder.path() / "in"} << "some text";
  CHECK(stage.end_of({.command = {"sh", "-c", "cat; exit 1"}, .folder = stage.folder.path().string(), .input = "in"}) ==
        "ended failed: exit status 1; its output: some text");
  CHECK(end_of({.command = {"cat"}, .input = "/no/such/file"}) ==
        "ended failed: cannot read input '/no/such/file': No such file or directory");
}

TEST_CASE("stdout and stderr are appended to a file, relative to the folder, and are in no text then") {
  Stage stage;
  const std::string folder = stage.folder.path().string();
  std::ofstream{stage.folder.path() / "out"} << "before\n";
  CHECK(stage.end_of(
            {.command = {"sh", "-c", "echo one; echo two >&2; exit 1"}, .folder = folder, .output_file = "out"}) ==
        "ended failed: exit status 1");
  CHECK(content_of(stage.folder.path() / "out") == "before\none\ntwo\n");
  CHECK(end_of({.command = {"sh", "-c", "echo new"}, .output_file = folder + "/new", .umask = 0027}) == "ended clean");
  CHECK(content_of(stage.folder.path() / "new") == "new\n");
  CHECK((fs::status(stage.folder.path() / "new").permissions() & fs::perms::mask) == static_cast<fs::perms>(0640));
  CHECK(end_of({.command = {"true"}, .output_file = "/no/such/file"}) ==
        "ended failed: cannot write output_file '/no/such/file': No such file or directory");
}

TEST_CASE("stdout and stderr go to a descriptor of the supervisor, and nothing else of it is inherited") {
  Stage stage;
  const fs::path path = stage.folder.path() / "out";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  CHECK(stage.end_of({.command = {"sh", "-c", "echo one; echo two >&2; ls /proc/$$/fd; exit 1"},
                      .output_descriptor = file}) == "ended failed: exit status 1");
  CHECK(content_of(path) == "one\ntwo\n0\n1\n2\n");
  ::close(file);
  CHECK(end_of({.command = {"true"}, .output_descriptor = 1000}) ==
        "ended threw: cannot use descriptor 1000 for its output: Bad file descriptor");
}

TEST_CASE("stderr alone may go to a descriptor of its own") {
  Stage stage;
  const fs::path paths[] = {stage.folder.path() / "out", stage.folder.path() / "err"};
  const int output = ::open(paths[0].c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const int error = ::open(paths[1].c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  CHECK(stage.end_of({.command = {"sh", "-c", "echo one; echo two >&2; ls /proc/$$/fd; exit 1"},
                      .output_descriptor = output,
                      .error_descriptor = error}) == "ended failed: exit status 1");
  CHECK(content_of(paths[0]) == "one\n0\n1\n2\n");
  CHECK(content_of(paths[1]) == "two\n");
  ::close(output);
  ::close(error);
  CHECK(end_of({.command = {"true"}, .output_descriptor = 2, .error_descriptor = 1000}) ==
        "ended threw: cannot use descriptor 1000 for its output: Bad file descriptor");
}

// ---------------------------------------------------------------------------------------------------------------------
// Rights
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a process has its own umask") {
  Process process = shell("umask; exit 1");
  process.umask = 0027;
  CHECK(end_of(process) == "ended failed: exit status 1; its output: 0027");
}

TEST_CASE("a process has its own limits, and those of the supervisor where none is given") {
  Process process = shell("ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -St; exit 1");
  rlimit core{};
  ::getrlimit(RLIMIT_CORE, &core);
  rlimit time{};
  ::getrlimit(RLIMIT_CPU, &time);
  REQUIRE(time.rlim_cur == RLIM_INFINITY);
  process.limits = {{RLIMIT_NOFILE, 50, 60},
                    {RLIMIT_CORE, 0, core.rlim_max == RLIM_INFINITY ? kNoLimit : core.rlim_max}};
  CHECK(end_of(process) == "ended failed: exit status 1; its output: 50\n60\n0\nunlimited");
  process.limits = {{RLIMIT_NOFILE, 50, kNoLimit}};
  CHECK(end_of(process) == "ended failed: cannot set the limit of resource 7: Operation not permitted");
}

TEST_CASE("a process becomes its user, with the groups of that user, or is refused with the reason") {
  if (!is_root()) {
    CHECK(end_of(with_user("exit 0", "root")) ==
          "ended failed: cannot set the supplementary groups: Operation not permitted");
    return;
  }
  CHECK(end_of(with_user("id -u; id -g; id -G; exit 1", "nobody")) ==
        "ended failed: exit status 1; its output: 65534\n65534\n65534");
  CHECK(end_of(with_user("id -u; id -g; id -G; exit 1", "65534")) ==
        "ended failed: exit status 1; its output: 65534\n65534\n65534");
  CHECK(end_of(with_user("id -u; id -g; id -G; exit 1", "54321", "12345")) ==
        "ended failed: exit status 1; its output: 54321\n12345\n12345");
  CHECK(end_of(with_user("id -u; id -g; id -G; exit 1", "", "12345")) ==
        "ended failed: exit status 1; its output: 0\n12345\n12345");
  // It is tied to the supervisor's life, and a supervisor may still be dumped and debugged.
  CHECK(end_of(with_user("exec cat /no/such/file", "nobody")).find("exit status 1") != std::string::npos);
}

TEST_CASE("a log is opened with the supervisor's rights, so that a process may write where it may not open") {
  if (!is_root()) return;  // without a user of its own a process has the supervisor's rights anyway
  Stage stage;
  Process process = with_user("echo written; echo > " + (stage.folder.path() / "other").string(), "nobody");
  process.output_file = (stage.folder.path() / "out").string();  // in a folder that only root may enter
  CHECK(stage.end_of(process).substr(0, 12) == "ended failed");
  CHECK(content_of(process.output_file).substr(0, 8) == "written\n");
}

// ---------------------------------------------------------------------------------------------------------------------
// Its number
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("the number of a process is in its running event, and in a snapshot as long as it is alive") {
  Stage stage;
  stage.add(stage.script("echo $$. >&3; exec sleep 1000"));
  stage.run_until_written(".");
  CHECK(std::to_string(stage.diary.pid) + ".\n" == stage.pipe().text());
  CHECK(stage.runtime->supervisor().snapshot("p")->pid == stage.diary.pid);
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK_FALSE(stage.runtime->supervisor().snapshot("p")->pid);
}

// ---------------------------------------------------------------------------------------------------------------------
// Descriptions
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("each field of a process that cannot be right is refused with what would be") {
  const std::string zero{"a\0b", 3};
  const auto wrong = [](Process process) {
    process.command = {"true"};
    return describe_errors(problems(process));
  };
  CHECK(wrong({}).empty());
  CHECK(wrong({.capture_output = false, .output_file = "x"}) ==
        "capture_output is false beside output_file or output_descriptor; allowed is one of them: false means the "
        "supervisor's own stdout and stderr");
  CHECK(wrong({.input = ""}) == "input is empty; required is a path, /dev/null for nothing");
  CHECK(wrong({.input = zero, .output_file = zero}) ==
        "input has a zero byte; allowed is any text without one\noutput_file has a zero byte; allowed is any text "
        "without one");
  CHECK(wrong({.output_descriptor = -2}) == "output_descriptor is -2; allowed is a descriptor, or -1 for none");
  CHECK(wrong({.output_file = "x", .output_descriptor = 2}) ==
        "output_descriptor is set beside output_file; allowed is one of them");
  CHECK(
      wrong({.error_descriptor = 2}) ==
      "error_descriptor is 2; allowed is a descriptor beside output_descriptor, or -1: stderr goes where stdout goes");
  CHECK(
      wrong({.output_descriptor = 2, .error_descriptor = -2}) ==
      "error_descriptor is -2; allowed is a descriptor beside output_descriptor, or -1: stderr goes where stdout goes");
  CHECK(wrong({.output_descriptor = 1, .error_descriptor = 2}).empty());
  for (const int signal : {0, 65, -1, SIGKILL, SIGSTOP, SIGCONT}) {
    CHECK(wrong({.stop_signal = signal}) ==
          "stop_signal is " + std::to_string(signal) +
              "; allowed is the number of a signal, 1 to 64, but SIGKILL, SIGSTOP and SIGCONT");
  }
  CHECK(wrong({.stop_signal = 64}).empty());
  CHECK(wrong({.stop_to = static_cast<StopTo>(7)}) == "stop_to is neither StopTo::group nor StopTo::process");
  CHECK(
      wrong({.user = zero, .group = zero}) ==
      "user has a zero byte; allowed is any text without one\ngroup has a zero byte; allowed is any text without one");
  CHECK(wrong({.user = "no-such-user"}) ==
        "user is \"no-such-user\", which is neither a user of this machine nor a number");
  CHECK(wrong({.user = "54321"}) == "user is 54321, of whom this machine knows no group; give a group as well");
  CHECK(wrong({.user = "54321", .group = "12345"}).empty());
  CHECK(wrong({.group = "4294967295"}) ==
        "group is \"4294967295\", which is neither a group of this machine nor a number");
  CHECK(wrong({.umask = 01000}) == "umask is 512; allowed is 0 to 511, which is 0777 in octal");
  CHECK(wrong({.umask = 0777}).empty());
  CHECK(wrong({.limits = {{-1, 0, 0}, {99, 0, 0}, {RLIMIT_CORE, 2, 1}, {RLIMIT_CORE, 1, 1}}}) ==
        "limits[0] has the resource -1; allowed is one of setrlimit(2), 0 to 15\n"
        "limits[1] has the resource 99; allowed is one of setrlimit(2), 0 to 15\n"
        "limits[2] has a soft limit of 2 above its hard limit of 1\n"
        "limits[3] limits resource 4 a second time");
}

}  // namespace holdfast::test
