// Process groups: which members get the signal of a stop, which have the grace, and what becomes of those that are
// left.

#include <catch2/catch.hpp>

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <string>

#include "process_stage.hpp"

namespace holdfast::test {

namespace {

constexpr const char* kInBackground =
    "; a program that goes into the background by itself cannot be supervised: have it stay in the foreground (nginx "
    "-g "
    "'daemon off;', others --foreground, --no-daemon or -F)";

bool is_gone(pid_t id) { return ::kill(id, 0) == -1; }

bool is_zombie(pid_t id) {
  std::ifstream file{"/proc/" + std::to_string(id) + "/stat"};
  std::string text;
  std::getline(file, text);
  return text.find(") Z ") != std::string::npos;
}

// The number that follows this word in what has been written.
pid_t number_after(const Stage&, const std::string& text, const std::string& word) {
  return std::stoi(text.substr(text.find(word) + word.size()));
}

// Does what `worker` says until SIGTERM comes, and then what `at_stop` says.
std::string worker(const std::string& at_stop) {
  return "sh -c 'trap \"" + at_stop + "\" TERM; echo ready >&3; while :; do sleep 1000 & wait; done'";
}

bool keeps_turning(Stage& stage, const std::function<bool()>& done) { return stage.run_until(done); }

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// After a stop
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("the whole group has the time to stop, also when its leader has ended at once") {
  Stage stage;
  const Gate gate{stage};
  stage.add(stage.script("echo leader $$. >&3; " + worker("read go < " + gate.path() + "; echo flushed >&3; exit 0") +
                         " | cat"),
            {.name = "p", .policy = {.restart = RestartPolicy::never, .stop_grace = 60s}});
  stage.run_until_written("ready");
  stage.run_until_written(".");
  const pid_t leader = number_after(stage, stage.pipe().text(), "leader ");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  REQUIRE(keeps_turning(stage, [&] { return is_gone(leader) && stage.diary.has_kind("stopping"); }));
  CHECK_FALSE(stage.diary.has_kind("ended"));
  gate.open();
  stage.run_until_terminated();
  CHECK(stage.diary.lines ==
        Lines{"added", "started", "running", "commanded", "stopping", "ended clean", "terminated cancelled"});
  CHECK(stage.pipe().text().find("flushed") != std::string::npos);
}

TEST_CASE("a command that a stop has started is not sent the signal of that stop") {
  Stage stage;
  const Gate gate{stage};
  // `cat` is a command that the signal would end. It is started by the stop, and its leader has gone.
  stage.add(
      stage.script("echo leader $$. >&3; " + worker("echo begins >&3; cat " + gate.path() + " >&3; exit 0") + " | cat"),
      {.name = "p", .policy = {.restart = RestartPolicy::never, .stop_grace = 60s}});
  stage.run_until_written("ready");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_written("begins");
  int looks = 0;  // at the group, 50 ms apart at most
  REQUIRE(stage.run_until([&] { return ++looks > 15; }));
  gate.open();
  stage.run_until_terminated();
  CHECK(stage.pipe().text().find("go") != std::string::npos);
  CHECK(stage.diary.has("ended clean"));
}

TEST_CASE("a process that has missed the signal of a stop, and would have ended by it, gets it again") {
  Stage stage;
  // Born after the signal, as by a shell that was about to start its next command.
  stage.add(stage.script("trap 'sleep 1000 & exit 0' TERM; echo ready >&3; while :; do sleep 1000 & wait; done"),
            {.name = "p", .policy = {.restart = RestartPolicy::never, .stop_grace = 60s}});
  stage.run_until_written("ready");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK_FALSE(stage.diary.has_kind("killed"));
  CHECK(stage.diary.has("ended clean"));
  stage.run_until_pipe_is_over();
}

TEST_CASE("what is left of the group when the grace is over is killed, and the run has failed") {
  Stage stage;
  stage.add(stage.script("trap '' TERM; sh -c 'while :; do sleep 1000; done' & trap 'exit 0' TERM; echo ready >&3; "
                         "while :; do sleep 1000 & wait; done"),
            with_grace());
  stage.run_until_written("ready");
  REQUIRE(stage.runtime->supervisor().stop("p"));
  stage.run_until_terminated();
  CHECK(stage.diary.lines == Lines{"added", "started", "running", "commanded", "stopping", "killed",
                                   "ended failed: others of its process group had to be killed",
                                   "terminated cancelled"});
  stage.run_until_pipe_is_over();
}

// ---------------------------------------------------------------------------------------------------------------------
// After an end that nobody asked for
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("what an end leaves behind is killed, and that is reported") {
  Stage stage;
  stage.add(stage.script("sleep 1000 & exit 2"));
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended failed: exit status 2"));
  CHECK(stage.diary.warnings == Lines{"processes that it left behind in its process group were killed"});
  stage.run_until_pipe_is_over();
}

TEST_CASE("a zombie that a process never waited for is nothing that it left behind") {
  Stage stage;
  const Gate gate{stage};
  stage.add(stage.script("sh -c 'echo zombie $$. >&3' & exec cat " + gate.path()));
  stage.run_until_written(".");
  const pid_t zombie = number_after(stage, stage.pipe().text(), "zombie ");
  while (!is_zombie(zombie)) ::usleep(1000);  // nothing of the stage takes part in this
  gate.open();
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended clean"));
  CHECK(stage.diary.warnings.empty());
}

TEST_CASE("a program that goes into the background is warned of, with what to do about it") {
  SECTION("in its group") {
    Stage stage;
    stage.add(stage.script("sleep 1000 & exit 0"));
    stage.run_until_terminated();
    CHECK(stage.diary.has("ended clean"));
    CHECK(stage.diary.warnings ==
          Lines{std::string{"it ended within a second and left processes behind, which were killed"} + kInBackground});
    stage.run_until_pipe_is_over();
  }
  SECTION("in a session of its own, with the output of the process open") {
    Stage stage;
    stage.add(
        stage.script("setsid sh -c 'echo $$. >&3; exec sleep 1000' & exec 3>&-; read line < /proc/$$/environ; "
                     "while ! [ -e " +
                     (stage.folder.path() / "away").string() + " ]; do :; done; exit 0"));
    stage.run_until_written(".");
    const std::ofstream away{stage.folder.path() / "away"};
    stage.run_until_terminated();
    CHECK(stage.diary.has("ended clean"));
    CHECK(stage.diary.warnings ==
          Lines{std::string{"it ended within a second and left processes behind, which no supervisor watches"} +
                kInBackground});
    ::kill(std::stoi(stage.pipe().text()), SIGKILL);
    stage.run_until_pipe_is_over();
  }
  SECTION("in a session of its own, without the output, if this program inherits it") {
    Stage stage;
    stage.runtime.reset();
    stage.runtime.emplace(stage.io, RuntimeConfig{.sinks = {&stage.diary}, .orphans = Orphans::adopted});
    const auto away = stage.folder.path() / "away";
    stage.add(stage.script("setsid sh -c 'echo $$. >&3; exec sleep 1000 3>&-' >/dev/null 2>&1 & while ! [ -e " +
                           away.string() + " ]; do :; done; exit 0"));
    stage.run_until_written(".");
    const std::ofstream made{away};
    stage.run_until_terminated();
    const std::string id = stage.pipe().text().substr(0, stage.pipe().text().find('.'));
    CHECK(stage.diary.warnings.size() == 1);
    CHECK(stage.diary.has_warning("it ended within a second, and process " + id + " ("));
    CHECK(stage.diary.has_warning(std::string{"), which began in that time, lives on without a supervisor"} +
                                  kInBackground));
    ::kill(std::stoi(id), SIGKILL);
    REQUIRE(stage.run_until(has_no_children));
  }
  SECTION("but not if what this program has inherited began before") {
    Stage stage;
    stage.runtime.reset();
    stage.runtime.emplace(stage.io, RuntimeConfig{.sinks = {&stage.diary}, .orphans = Orphans::adopted});
    stage.add(stage.script("setsid sh -c 'echo $$. >&3; exec sleep 1000 3>&-' >/dev/null 2>&1 & sleep 1.1; exit 0"));
    stage.run_until_terminated();
    stage.run_until_written(".");
    stage.add(shell("exit 0"), {.name = "later", .policy = {.restart = RestartPolicy::never}});
    REQUIRE(stage.run_until([&] { return stage.runtime->supervisor().counters().terminated == 2; }));
    CHECK(stage.diary.warnings.empty());
    ::kill(std::stoi(stage.pipe().text()), SIGKILL);
    REQUIRE(stage.run_until(has_no_children));
  }
  SECTION("but not one that has run for longer, though it leaves somebody") {
    Stage stage;
    stage.add(stage.script("sleep 1000 & sleep 1.1; exit 0"));
    stage.run_until_terminated();
    CHECK(stage.diary.has("ended clean"));
    CHECK(stage.diary.warnings == Lines{"processes that it left behind in its process group were killed"});
    stage.run_until_pipe_is_over();
  }
  SECTION("but not one that fails, or leaves no process") {
    Stage stage;
    stage.add(stage.script("(exit 0) & wait; exit 0"));
    stage.run_until_terminated();
    CHECK(stage.diary.warnings.empty());
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// One stop for a whole control group
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("an end by the signal of a stop that the supervisor gets as well is an obeyed stop") {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    Stage stage;
    stage.add(stage.script("echo ready >&3; exec sleep 1000"),
              {.name = "p", .policy = {.restart = RestartPolicy::always}});
    stage.run_until_written("ready");
    const auto process = static_cast<pid_t>(stage.diary.pid);
    ::kill(process, signal);
    // The supervisor has taken notice of the end, and its own signal comes a moment later.
    REQUIRE(stage.run_until([&] { return is_gone(process); }));
    CHECK_FALSE(stage.diary.has_kind("ended"));
    stage.runtime->supervisor().request_shutdown();
    REQUIRE(stage.run_until([&] { return stage.diary.has_kind("drained"); }));
    CHECK(stage.runtime->supervisor().counters().failures == 0);
    CHECK(stage.diary.has("ended clean"));
  }
}

TEST_CASE("an end as by a stop, in a shutdown that has not come to the process yet, is an obeyed stop") {
  const std::string at_stop = GENERATE("exit 0", "trap - TERM; kill -TERM $$");
  CAPTURE(at_stop);
  Stage stage;
  const Gate later{stage};
  stage.add(stage.script("trap '" + at_stop + "' TERM; echo leader $$. >&3; " +
                         worker("read go < " + later.path() + "; echo flushed >&3; exit 0") + " & wait"),
            {.name = "first", .policy = {.restart = RestartPolicy::always, .stop_grace = 60s}});
  stage.add(stage.script("trap '' TERM; echo second >&3; exec sleep 1000"),
            {.name = "second",
             .policy = {.restart = RestartPolicy::always, .stop_grace = 60s, .order = Order{.after = {"first"}}}});
  stage.run_until_written("second");
  stage.run_until_written("ready");
  stage.run_until_written(".");
  const pid_t leader = number_after(stage, stage.pipe().text(), "leader ");
  const auto second = static_cast<pid_t>(stage.diary.pid);
  stage.runtime->supervisor().request_shutdown();
  REQUIRE(stage.run_until([&] { return stage.diary.has_kind("stopping"); }));  // the second one, which does not obey
  ::kill(-leader, SIGTERM);
  REQUIRE(stage.run_until([&] { return is_gone(leader); }));
  later.open();  // the worker of the first one is still there, and has time
  REQUIRE(stage.run_until([&] { return stage.diary.has_kind("ended"); }));
  CHECK(stage.diary.has("ended clean"));
  CHECK(stage.pipe().text().find("flushed") != std::string::npos);
  CHECK(stage.diary.warnings.empty());
  ::kill(second, SIGKILL);
  REQUIRE(stage.run_until([&] { return stage.diary.has_kind("drained"); }));
}

TEST_CASE("an end by such a signal without a stop is a failure, and restarted") {
  Stage stage;
  stage.add(stage.script("echo ready >&3; exec sleep 1000"),
            {.name = "p", .policy = {.restart = RestartPolicy::never}});
  stage.run_until_written("ready");
  ::kill(static_cast<pid_t>(stage.diary.pid), SIGTERM);
  stage.run_until_terminated();
  CHECK(stage.diary.has("ended failed: killed by signal 15 (Terminated)"));
}

// ---------------------------------------------------------------------------------------------------------------------
// Sessions
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a process leads a session of its own, without a terminal, and cannot move into another's group") {
  CHECK(end_of(shell("read -r _ _ _ _ _ session terminal _ < /proc/$$/stat; [ $session = $$ ] && echo $terminal; "
                     ": < /dev/tty && exit 7; exit 8"))
            .substr(0, 31) == "ended failed: exit status 2; it");
  Stage stage;
  const std::string supervisor = std::to_string(::getpgrp());
  CHECK(stage.end_of({.command = {"python3", "-c",
                                  "import os\ntry: os.setpgid(0, " + supervisor +
                                      ")\nexcept PermissionError: os._exit(9)"}}) == "ended failed: exit status 9");
}

}  // namespace holdfast::test
