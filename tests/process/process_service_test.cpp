// Processes as services, with real ones: their ends, what they get, stops and kills.

#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <holdfast/asio/detail/output_tail.hpp>
#include "process_stage.hpp"

namespace holdfast::test {

// ---------------------------------------------------------------------------------------------------------------------
// Ends
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a process that exits with status 0 is a clean exit, whatever it has written") {
  Stage stage;
  CHECK(stage.end_of(shell("echo hello")) == "ended clean");
  CHECK(stage.diary.lines == Lines{"added", "started", "running", "ended clean", "terminated completed"});
}

TEST_CASE("a process that exits with another status has failed with that status and the last of its output") {
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
  stage.add(shell("echo first; echo last; exit 1"), {.name = "p", .policy = {.restart = RestartPolicy::on_failure}});
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
  stage.add(stage.script("echo \"run of $$\" >&3; exit 1"),
            {.name = "p", .policy = {.restart = RestartPolicy::on_failure}});
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

TEST_CASE("a process whose breaker has opened is tried again after the open time, and is well once it stays up") {
  BackoffPolicy backoff{.base = 0ns, .max = 0ns};
  backoff.breaker =
      BreakerPolicy{1, 1min, HalfOpenPolicy{.open_for = 1ms, .open_for_max = 4ms, .probe_success_after = 5ms}};
  Stage stage{{.backoff = backoff}};
  stage.add(
      stage.script("[ -e \"$PIPE.repaired\" ] || { : >\"$PIPE.repaired\"; exit 1; }; echo ready >&3; exec sleep 1000"),
      {.name = "p"});
  REQUIRE(stage.run_until([&] { return stage.diary.has_kind("breaker_closed"); }));
  const auto snapshot = stage.runtime->supervisor().snapshot("p").value();
  CHECK(snapshot.phase == Phase::running);
  CHECK(snapshot.breaker == BreakerState::closed);
  CHECK(stage.runtime->supervisor().counters().circuit_breaker_trips >= 1);
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
}

TEST_CASE("a process that ignores SIGTERM is killed when its grace has passed, and its children with it") {
  Stage stage;
  stage.add(stage.script("trap '' TERM; echo ready >&3; while :; do sleep 1000; done"), with_grace());
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

TEST_CASE("a process that has left the group lives on, and does not delay the end either") {
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

// Story: a process dies a moment after its SIGKILL. So each one that the drain's deadline had killed was "abandoned".
TEST_CASE("processes that a drain has killed are waited for, are gone when it is over, and were not abandoned") {
  for (const bool by_command : {false, true}) {
    CAPTURE(by_command);
    // Not the second that a runtime gives: a machine with much to do takes longer until all of them are dead.
    Stage stage{{.shutdown_timeout = by_command ? Duration{1h} : Duration{10ms}, .kill_wait = kPatience}};
    constexpr int kProcesses = 50;
    for (int i = 0; i < kProcesses; ++i) {
      stage.add(stage.script("trap '' TERM; echo ready >&3; while :; do sleep 1000; done"),
                {.name = "p" + std::to_string(i)});
    }
    REQUIRE(stage.run_until([&] {
      const std::string text = stage.pipe().text();
      return std::count(text.begin(), text.end(), '\n') == kProcesses;
    }));
    stage.runtime->supervisor().request_shutdown();
    if (by_command) stage.runtime->supervisor().end_drain();
    REQUIRE(stage.run_until([&] { return stage.diary.has_kind("drained"); }));
    CHECK(has_no_children());
    const ShutdownResult& result = *stage.runtime->supervisor().shutdown_result();
    CHECK(result.outcome == (by_command ? DrainOutcome::cut_short : DrainOutcome::deadline));
    CHECK(result.abandoned == Lines{});
    CHECK(result.errors.size() == kProcesses);
    CHECK(result.counters.killed_runs == kProcesses);
    CHECK(result.counters.abandoned_runs == 0);
    stage.run_until_pipe_is_over();
  }
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

TEST_CASE("an impossible process is refused with every mistake in it") {
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
  const auto suffix = [](std::size_t kept_max, const Lines& pieces) {
    detail::OutputTail tail{kept_max};
    for (const auto& piece : pieces) tail.append(piece);
    return tail.suffix();
  };
  CHECK(suffix(4, {}).empty());
  CHECK(suffix(4, {"abcd"}) == "; its output: abcd");
  CHECK(suffix(4, {"abcde"}) == "; the last 4 of 5 bytes of its output: bcde");
  CHECK(suffix(4, {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}) ==
        "; the last 4 of 10 bytes of its output: ghij");
  CHECK(suffix(9, {"a\tb\nc\r\n\n"}) == "; its output: a\tb\nc");
  CHECK(suffix(99, {"\x01\x7f\xff\xc3", "\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xc0\xaf \xed\xa0\x80"}) ==
        "; its output: ???é € 😀 ?? ???");
  CHECK(suffix(4, {"ab€c"}) == "; the last 4 of 6 bytes of its output: €c");
  CHECK(suffix(3, {"ab€c"}) == "; the last 3 of 6 bytes of its output: c");
  CHECK(suffix(4, {std::string(100'000, 'x') + "abcd"}) == "; the last 4 of 100004 bytes of its output: abcd");
}

}  // namespace holdfast::test
