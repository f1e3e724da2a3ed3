// Processes that say when they are ready, in the protocol of sd_notify(3): what a message has to be, and who may send
// one.

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>

#include <holdfast/asio/detail/notify_socket.hpp>

#include "process_stage.hpp"

namespace holdfast::test {

namespace {

ServiceConfig notified(std::optional<Duration> start_timeout = std::nullopt) {
  return {.name = "p",
          .policy = {.restart = RestartPolicy::never, .ready = Ready::notified, .start_timeout = start_timeout}};
}

// A program in Python, in which notify() sends a message and wait() lasts for ever.
Process program(const std::string& text) {
  return {.command = {"python3", "-c",
                      "import array, os, socket, sys, time\n"
                      "notifier = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                      "notifier.connect('\\0' + os.environ['NOTIFY_SOCKET'][1:])\n"
                      "def notify(message): notifier.send(message.encode())\n"
                      "def wait(): time.sleep(1000)\n" +
                          text}};
}

Phase phase_of(Stage& stage) { return stage.runtime->supervisor().snapshot("p")->phase; }

void run_until_running(Stage& stage) {
  REQUIRE(stage.run_until([&] { return stage.diary.has("running"); }));
}

// Sends to an abstract address as this program.
void send_as_a_stranger(const std::string& address, const std::string& message) {
  const int from = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::copy(address.begin() + 1, address.end(), to.sun_path + 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  CHECK(::sendto(from, message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&to), size) ==
        static_cast<ssize_t>(message.size()));
  ::close(from);
}

}  // namespace

TEST_CASE("a process is starting until it says that it is ready, and then running with its number") {
  Stage stage;
  Gate gate{stage};
  stage.add(program("open(" + ("'" + gate.path() + "'") + ").read()\nnotify('READY=1')\nwait()"), notified());
  REQUIRE(stage.run_until([&] { return stage.diary.has("started"); }));
  CHECK(phase_of(stage) == Phase::starting);
  const auto pid = stage.runtime->supervisor().snapshot("p")->pid;
  CHECK(pid.has_value());
  gate.open();
  run_until_running(stage);
  CHECK(stage.diary.pid == pid);
  CHECK(stage.diary.warnings == Lines{});
}

TEST_CASE("a process may say that it is ready together with other things, and through another of its group") {
  SECTION("among other lines") {
    Stage stage;
    stage.add(program("notify('STATUS=loading\\nWATCHDOG_USEC=5\\nREADY=1\\nX_UNKNOWN=7\\n')\nwait()"), notified());
    run_until_running(stage);
  }
  SECTION("with its own number as that of its main process") {
    Stage stage;
    stage.add(program("notify(f'MAINPID={os.getpid()}\\nREADY=1')\nwait()"), notified());
    run_until_running(stage);
    CHECK(stage.diary.warnings == Lines{});
  }
  SECTION("by a child") {
    Stage stage;
    stage.add(program("if os.fork() == 0:\n  notify('READY=1')\nwait()"), notified());
    run_until_running(stage);
  }
  SECTION("by systemd-notify") {
    if (!fs::exists("/usr/bin/systemd-notify")) return;
    Stage stage;
    stage.add(shell("systemd-notify --ready --status='all is well'; exec sleep 1000"), notified());
    run_until_running(stage);
  }
}

TEST_CASE("a message of a process that is not of the group is refused with a warning") {
  Stage stage;
  stage.add(stage.script("echo \"$NOTIFY_SOCKET.\" >&3; exec sleep 1000"), notified());
  stage.run_until_written(".");
  const std::string text = stage.pipe().text();
  send_as_a_stranger(text.substr(0, text.find('.')), "READY=1");
  REQUIRE(stage.run_until([&] { return !stage.diary.warnings.empty(); }));
  CHECK(stage.diary.warnings.front() ==
        "process " + std::to_string(::getpid()) +
            " wrote to its NOTIFY_SOCKET and is not, or no longer, in its process group; such messages are refused");
  CHECK(phase_of(stage) == Phase::starting);
}

TEST_CASE("another main process is refused with a warning, and so is a message that is too long") {
  Stage stage;
  stage.add(program("notify('MAINPID=1\\nX=1')\nnotify('MAINPID=2')\nnotify('READY=1\\n' + 'x' * 5000)\n"
                    "notify('READY=1\\nSTATUS=' + 'x' * 4000)\nwait()"),
            notified());
  run_until_running(stage);
  CHECK(
      stage.diary.warnings ==
      Lines{"it names another process as its main one (MAINPID), which would be supervised by nobody; that is refused: "
            "have it stay in the foreground",
            "it wrote more than 4096 bytes at once to its NOTIFY_SOCKET; such messages are refused"});
}

TEST_CASE("what a process said right before its end comes before it, and its status is shown with its failure") {
  Stage stage;
  stage.add(program("notify('READY=1\\nSTATUS=loading 3\\x01 of 9')\nprint('no such file')\nsys.exit(3)"), notified());
  stage.run_until_terminated();
  CHECK(stage.diary.lines == Lines{"added", "started", "running",
                                   "ended failed: exit status 3; its status: loading 3? of 9; its output: no such file",
                                   "terminated failed"});
}

TEST_CASE("descriptors that come with a message are closed") {
  Stage stage;
  stage.add(program("socket.send_fds(notifier, [b'BARRIER=1'], [0, 1])\nnotify('READY=1')\nwait()"), notified());
  run_until_running(stage);  // the stage counts them at its end
}

TEST_CASE("a process that is not ready in time is stopped, and has failed") {
  Stage stage;
  stage.add(program("notify('STATUS=warming up')\nwait()"), notified(500ms));
  stage.run_until_terminated();
  CHECK(stage.diary.lines ==
        Lines{"added", "started", "stopping", "ended failed: not ready within 500ms", "terminated failed"});
}

TEST_CASE("a process learns from WATCHDOG_USEC how long it may be silent, and hangs if it is silent longer") {
  SECTION("it is silent") {
    Stage stage;
    stage.add(program("wait()"), {.name = "p", .policy = {.restart = RestartPolicy::never, .watchdog = 500ms}});
    stage.run_until_terminated();
    CHECK(stage.diary.lines == Lines{"added", "started", "running", "stopping", "ended failed: no heartbeat for 500ms",
                                     "terminated failed"});
    CHECK(stage.runtime->supervisor().counters().hangs == 1);
  }
  SECTION("it is told, and not of a watchdog that this program itself may be under") {
    REQUIRE(::setenv("WATCHDOG_PID", "1", 1) == 0);
    Stage stage;
    stage.add(program("print(os.environ['WATCHDOG_USEC'], 'WATCHDOG_PID' in os.environ)\nsys.exit(3)"),
              {.name = "p", .policy = {.restart = RestartPolicy::never, .watchdog = 1h}});
    stage.run_until_terminated();
    ::unsetenv("WATCHDOG_PID");
    CHECK(stage.runtime->supervisor().snapshot("p")->last_error == "exit status 3; its output: 3600000000 False");
  }
}

TEST_CASE("a process that says WATCHDOG=1 often enough goes on, also one of which progress is wanted") {
  for (const bool progress : {false, true}) {
    Stage stage;
    stage.add(program(std::string{"notify('READY=1')\nfor i in range(1000):\n  notify('"} +
                      (progress ? "X_PROGRESS=' + str(i))" : "WATCHDOG=1')") + "\n  time.sleep(0.1)"),
              {.name = "p",
               .policy = {.ready = Ready::notified,
                          .watchdog = 2s,
                          .watchdog_needs = progress ? SignOfLife::progress : SignOfLife::heartbeat}});
    run_until_running(stage);
    const TimePoint since = stage.runtime->scheduler().now();
    REQUIRE(stage.run_until([&] { return stage.runtime->scheduler().now() >= since + 3s; }));
    CHECK(phase_of(stage) == Phase::running);
    CHECK(stage.runtime->supervisor().counters().hangs == 0);
    CHECK(stage.runtime->supervisor().snapshot("p")->progress.has_value() == progress);
  }
}

TEST_CASE("a program of systemd's own may give the sign of life") {
  if (!fs::exists("/usr/bin/systemd-notify")) return;
  Stage stage;
  stage.add(shell("systemd-notify --ready; while systemd-notify WATCHDOG=1; do sleep 0.2; done"),
            {.name = "p", .policy = {.ready = Ready::notified, .watchdog = 2s}});
  run_until_running(stage);
  const TimePoint since = stage.runtime->scheduler().now();
  REQUIRE(stage.run_until([&] { return stage.runtime->scheduler().now() >= since + 3s; }));
  CHECK(phase_of(stage) == Phase::running);
}

TEST_CASE("a process that is ready at once is given no socket") {
  CHECK(end_of(shell("test -z \"$NOTIFY_SOCKET\"")) == "ended clean");
}

TEST_CASE("of a message known lines are taken, of a key that comes twice the last one") {
  using detail::notification_from;
  CHECK(notification_from("READY=1").ready);
  CHECK(notification_from("READY=1\n").ready);
  CHECK(notification_from("\n\nX=1\nREADY=1").ready);
  for (const char* const text : {"", "\n", "READY=0", "READY=10", "XREADY=1", " READY=1", "READY=1 ", "ready=1"}) {
    CAPTURE(text);
    CHECK_FALSE(notification_from(text).ready);
  }
  CHECK(notification_from("STATUS=a\nSTATUS=b=c").status == "b=c");
  CHECK(notification_from("STATUS=").status == "");
  CHECK_FALSE(notification_from("STATUS").status);
  CHECK(notification_from("MAINPID=12\nREADY=1").main == "12");
  CHECK(notification_from("WATCHDOG=1").heartbeat);
  CHECK_FALSE(notification_from("WATCHDOG=0\nWATCHDOG=trigger\nWATCHDOG_USEC=1").heartbeat);
  CHECK(notification_from("X_PROGRESS=18446744073709551615").progress == 18446744073709551615U);
  for (const char* const none : {"X_PROGRESS=", "X_PROGRESS=-1", "X_PROGRESS=1.5", "X_PROGRESS=18446744073709551616"}) {
    CHECK_FALSE(notification_from(none).progress);
  }
}

}  // namespace holdfast::test
