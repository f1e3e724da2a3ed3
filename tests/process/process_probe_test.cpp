// Processes that are asked whether they are ready and well: by a port, a page, a command, a line of output, a
// descriptor. What is asked, and of whom, stands in probe.hpp.

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <holdfast/asio/detail/listeners.hpp>
#include <holdfast/asio/detail/text_finder.hpp>
#include <holdfast/asio/probe.hpp>

#include "process_stage.hpp"

namespace holdfast::process_probe_test {

namespace {

using namespace holdfast::test;
using boost::asio::ip::tcp;

constexpr ReadyTimes kOften{20ms, 5s};

ServiceConfig notified(std::optional<Duration> start_timeout = std::nullopt) {
  return {.name = "p",
          .policy = {.restart = RestartPolicy::never, .ready = Ready::notified, .start_timeout = start_timeout}};
}

ServiceConfig asked(const HealthProbe& health, RestartPolicy restart = RestartPolicy::never) {
  return {.name = "p",
          .policy = {.restart = restart, .watchdog = watchdog_of(health.times), .watchdog_needs = SignOfLife::health}};
}

Process program(const std::string& text) { return {.command = {"python3", "-c", text}}; }

// A port on which nobody listens now, and that the kernel gives to nobody else soon.
std::uint16_t free_port(boost::asio::io_context& io) {
  tcp::acceptor acceptor{io, tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0}};
  return acceptor.local_endpoint().port();
}

// Serves HTTP on the port once the gate is open: /STATUS is answered with that status.
std::string server(std::uint16_t port, const std::string& gate = {}) {
  return (gate.empty() ? std::string{} : "open('" + gate + "').read()\n") +
         "import http.server\n"
         "class Page(http.server.BaseHTTPRequestHandler):\n"
         "  def do_GET(self):\n"
         "    self.send_response(int(self.path[1:])); self.end_headers()\n"
         "  def log_message(self, *a): pass\n"
         "http.server.HTTPServer(('127.0.0.1', " +
         std::to_string(port) + "), Page).serve_forever()\n";
}

void run_until_running(Stage& stage) {
  REQUIRE(stage.run_until([&] { return stage.diary.has("running"); }));
}

void run_until_warned(Stage& stage, const std::string& text) {
  REQUIRE(stage.run_until([&] { return stage.diary.has_warning(text); }));
}

Phase phase_of(Stage& stage) { return stage.runtime->supervisor().snapshot("p")->phase; }

// How it ended whose start took too long.
std::string end_of_start(Stage& stage, Process process) {
  stage.add(std::move(process), notified(300ms));
  REQUIRE(stage.run_until([&] { return stage.diary.has_kind("ended"); }));
  CHECK(stage.diary.has_kind("stopping"));
  CHECK_FALSE(stage.diary.has("running"));
  for (const auto& line : stage.diary.lines) {
    if (line.starts_with("ended")) return line;
  }
  return {};
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Ready
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a process is ready when its port takes a connection, and not before") {
  Stage stage;
  const Gate gate{stage};
  const auto port = free_port(stage.io);
  auto process = program(server(port, gate.path()));
  process.ready_by = ReadyProbe{TcpProbe{.port = port}, kOften};
  stage.add(std::move(process), notified());
  REQUIRE(stage.run_until([&] { return stage.diary.has("started"); }));
  CHECK(phase_of(stage) == Phase::starting);
  gate.open();
  run_until_running(stage);
  CHECK(stage.diary.pid == stage.runtime->supervisor().snapshot("p")->pid);
  CHECK(stage.diary.warnings == Lines{});
}

TEST_CASE("a page is a good answer by its status") {
  Stage stage;
  const auto port = free_port(stage.io);
  auto process = program(server(port));
  process.ready_by = ReadyProbe{TcpProbe{.port = port}, kOften};
  const auto [target, is_good] = GENERATE(table<const char*, bool>(
      {{"/200", true}, {"/302", true}, {"/399", true}, {"/400", false}, {"/404", false}, {"/503", false}}));
  const HttpProbe page{.port = port, .target = target};
  const std::string name = "http 127.0.0.1:" + std::to_string(port) + target;
  if (is_good) {
    process.ready_by = ReadyProbe{page, kOften};
    stage.add(std::move(process), notified());
    run_until_running(stage);
    return;
  }
  const HealthProbe health{page, {10ms, 60s, 3}};
  process.health = health;
  auto config = asked(health);
  config.policy.ready = Ready::notified;
  stage.add(std::move(process), config);
  run_until_warned(stage, "its health probe failed (1 of 3 in a row): " + name + ": status " + (target + 1));
}

TEST_CASE("an answer that is no HTTP, or none at all, is no good answer") {
  Stage stage;
  tcp::acceptor acceptor{stage.io, tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0}};
  const auto [answer, says] =
      GENERATE(table<std::string, std::string>({{"SSH-2.0-x\r\n", "the answer is no HTTP/1"},
                                                {"HTTP/1.1 999 x\r\n", "the answer is no HTTP/1"},
                                                {std::string(5000, 'x'), "the answer is no HTTP/1"},
                                                {"HTTP/1.1 200", "it closed the connection without"}}));
  acceptor.async_accept([answer = answer](boost::system::error_code, tcp::socket client) {
    boost::system::error_code ignored;
    client.send(boost::asio::buffer(answer), 0, ignored);
    client.shutdown(tcp::socket::shutdown_send, ignored);
    std::array<char, 100> request{};
    client.receive(boost::asio::buffer(request), 0, ignored);
  });
  auto process = shell("exec sleep 1000");
  const HealthProbe health{HttpProbe{.port = acceptor.local_endpoint().port()}, {1ms, 60s, 9}};
  process.health = health;
  stage.add(std::move(process), asked(health));
  run_until_warned(stage, "(1 of 9 in a row): ");
  CHECK_THAT(stage.diary.warnings.front(), Catch::Contains(says));
  acceptor.close();
}

TEST_CASE("a command makes a process ready by its exit status, as the service's own user and with its environment") {
  Stage stage;
  auto process = stage.script("read x < gate; touch \"$FLAG\"; exec sleep 1000");
  const Gate gate{stage};
  process.folder = stage.folder.path().string();
  process.environment.emplace_back("FLAG", "flag");
  process.ready_by = ReadyProbe{ExecProbe{{"sh", "-c", "echo asked >> asked; test -e \"$FLAG\""}}, kOften};
  stage.add(std::move(process), notified());
  REQUIRE(stage.run_until([&] { return fs::exists(stage.folder.path() / "asked"); }));
  CHECK(phase_of(stage) == Phase::starting);
  gate.open();
  run_until_running(stage);
}

TEST_CASE("a text in its output makes a process ready, also one that comes in pieces") {
  Stage stage;
  const Gate gate{stage};
  auto process = shell("printf 'it is listen'; read x < " + gate.path() + "; echo 'ing on 8080' >&2; exec sleep 1000");
  process.ready_by = ReadyLine{"listening on"};
  stage.add(std::move(process), notified());
  REQUIRE(stage.run_until([&] { return stage.diary.has("started"); }));
  CHECK(phase_of(stage) == Phase::starting);
  gate.open();
  run_until_running(stage);
}

TEST_CASE("a text is found wherever pieces are cut") {
  const std::string whole = "abcababcabd ab";
  for (std::size_t first = 0; first <= whole.size(); ++first) {
    for (std::size_t second = first; second <= whole.size(); ++second) {
      for (const auto* const text : {"a", "abcabd", "bd ab", "cabc", "abca"}) {
        detail::TextFinder finder{text};
        finder.take(whole.substr(0, first));
        finder.take(whole.substr(first, second - first));
        CAPTURE(text, first, second);
        CHECK(finder.take(whole.substr(second)) == (whole.find(text) != std::string::npos));
      }
    }
  }
}

TEST_CASE("a line end on its descriptor makes a process ready") {
  const int number = GENERATE(3, 4, 9, 200);
  Stage stage;
  const Gate gate{stage};
  const std::string to = "/proc/self/fd/" + std::to_string(number);
  auto process = shell("printf not >" + to + "; read x < " + gate.path() + "; echo yet >" + to +
                       "; ls /proc/self/fd >" + (stage.folder.path() / "fds").string() + "; exec sleep 1000");
  process.ready_by = ReadyDescriptor{number};
  stage.add(std::move(process), notified());
  REQUIRE(stage.run_until([&] { return stage.diary.has("started"); }));
  CHECK(phase_of(stage) == Phase::starting);
  gate.open();
  run_until_running(stage);
}

TEST_CASE("a process that closes its descriptor without a line end is not ready, and a warning says so") {
  Stage stage;
  auto process = shell("exec 3>&-; exec sleep 1000");
  process.ready_by = ReadyDescriptor{3};
  stage.add(std::move(process), notified());
  run_until_warned(stage, "it closed descriptor 3 without a line end, so it will not be ready");
  CHECK(phase_of(stage) == Phase::starting);
}

TEST_CASE("a process that says it is ready and ends was ready") {
  Stage stage;
  auto process = shell("echo >&3");
  process.ready_by = ReadyDescriptor{3};
  stage.add(std::move(process), notified());
  stage.run_until_terminated();
  CHECK(stage.diary.has("running"));
}

TEST_CASE("who is asked is not believed by itself: READY=1 counts only where nothing else was named") {
  Stage stage;
  auto process = stage.script("echo \"[$NOTIFY_SOCKET].\" >&3; exec sleep 1000");
  process.ready_by = ReadyProbe{ExecProbe{{"false"}}, kOften};
  stage.add(std::move(process), notified());
  stage.run_until_written(".");
  CHECK(stage.pipe().text() == "[].\n");
}

TEST_CASE("a start that takes too long fails with what its probe said last") {
  Stage stage;
  SECTION("a port that refuses") {
    auto process = shell("exec sleep 1000");
    const auto port = free_port(stage.io);
    process.ready_by = ReadyProbe{TcpProbe{.port = port}, kOften};
    CHECK(end_of_start(stage, std::move(process)) ==
          "ended failed: not ready within 300ms: its readiness probe failed: tcp 127.0.0.1:" + std::to_string(port) +
              ": Connection refused");
  }
  SECTION("a command that fails and says why") {
    auto process = shell("exec sleep 1000");
    process.ready_by = ReadyProbe{ExecProbe{{"sh", "-c", "echo no; echo response; exit 2"}}, kOften};
    CHECK(end_of_start(stage, std::move(process)) ==
          "ended failed: not ready within 300ms: its readiness probe failed: exec sh: exit status 2: no response");
  }
  SECTION("a command that is not there") {
    auto process = shell("exec sleep 1000");
    process.ready_by = ReadyProbe{ExecProbe{{"/no/such/program"}}, kOften};
    CHECK(end_of_start(stage, std::move(process)) ==
          "ended failed: not ready within 300ms: its readiness probe failed: exec /no/such/program: cannot execute "
          "'/no/such/program': No such file or directory");
  }
  SECTION("a line that never comes") {
    auto process = shell("echo up; exec sleep 1000");
    process.ready_by = ReadyLine{"down"};
    CHECK(end_of_start(stage, std::move(process)) ==
          "ended failed: not ready within 300ms: no line of its output had the text that says that it is ready");
  }
}

TEST_CASE("an answer of a socket that was there before the run does not make it ready") {
  Stage stage;
  tcp::acceptor another{stage.io, tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0}};
  const auto port = another.local_endpoint().port();
  const auto before = detail::listeners_on("127.0.0.1", port);
  if (!before) return;  // this kernel does not say
  REQUIRE(before->size() == 1);
  const Gate gate{stage};
  auto process = program(server(port, gate.path()));
  process.ready_by = ReadyProbe{TcpProbe{.port = port}, kOften};
  stage.add(std::move(process), notified());
  run_until_warned(stage,
                   "is answered by a socket that was there before this run: that of another program, or of one "
                   "that an earlier run left; that does not make it ready");
  CHECK(phase_of(stage) == Phase::starting);
  another.close();
  gate.open();
  run_until_running(stage);
}

TEST_CASE("the kernel lists the sockets that listen on a loopback port, and an old socket does not count as new") {
  boost::asio::io_context io;
  CHECK_FALSE(detail::listeners_on("8.8.8.8", 80));
  CHECK_FALSE(detail::listeners_on("localhost", 80));
  if (!detail::listeners_on("127.0.0.1", 1)) return;
  tcp::acceptor on_any{io, tcp::endpoint{tcp::v6(), 0}};
  const auto port = on_any.local_endpoint().port();
  CHECK(detail::listeners_on("127.0.0.1", port)->size() == 1);
  CHECK(detail::are_all_old({3, 7}, {7}));
  CHECK(detail::are_all_old({3, 7}, {3, 7}));
  CHECK_FALSE(detail::are_all_old({3, 7}, {7, 8}));
  CHECK_FALSE(detail::are_all_old({3}, {}));
}

// ---------------------------------------------------------------------------------------------------------------------
// Well
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("so many failed health probes in a row are a hang, with the last reason in its error") {
  Stage stage;
  auto process = shell("exec sleep 1000");
  process.folder = stage.folder.path().string();
  // Its recovery comes too late.
  const std::string ask = "echo x >> asked; test $(wc -l < asked) -gt 3 || { echo sick; exit 1; }";
  const HealthProbe health{ExecProbe{{"sh", "-c", ask}}, {20ms, 5s, 3}};
  process.health = health;
  auto config = asked(health);
  config.policy.watchdog = 200ms;
  stage.add(std::move(process), config);
  stage.run_until_terminated();
  CHECK(stage.diary.has(
      "ended failed: no good health probe for 200ms: 3 health probes in a row failed: exec sh: exit status 1: sick"));
  CHECK(stage.diary.warnings == Lines{"its health probe failed (1 of 3 in a row): exec sh: exit status 1: sick",
                                      "its health probe failed (2 of 3 in a row): exec sh: exit status 1: sick",
                                      "its health probe failed (3 of 3 in a row): exec sh: exit status 1: sick"});
  CHECK(stage.runtime->supervisor().counters().hangs == 1);
}

TEST_CASE("a health probe that succeeds after failures makes them forgotten") {
  Stage stage;
  auto process = stage.script("exec sleep 1000");
  process.folder = stage.folder.path().string();
  // Two of three fail.
  const std::string ask = "echo x >> asked; test $(( $(wc -l < asked) % 3 )) = 0 || exit 1; echo good >\"$PIPE\"";
  const HealthProbe health{ExecProbe{{"sh", "-c", ask}}, {10ms, 20s, 3}};
  process.health = health;
  stage.add(std::move(process), asked(health));
  stage.run_until_written("good\ngood\ngood\n");
  CHECK(phase_of(stage) == Phase::running);
  CHECK(stage.diary.has_warning("(2 of 3 in a row)"));
  CHECK_FALSE(stage.diary.has_warning("(3 of 3 in a row)"));
}

TEST_CASE("a stopped process is found by its health probe and replaced") {
  Stage stage;
  const auto port = free_port(stage.io);
  auto process = program(server(port));
  process.ready_by = ReadyProbe{TcpProbe{.port = port}, kOften};
  const HealthProbe health{HttpProbe{.port = port, .target = "/200"}, {50ms, 300ms, 2}};
  process.health = health;
  auto config = asked(health, RestartPolicy::always);
  config.policy.ready = Ready::notified;
  stage.add(std::move(process), config);
  run_until_running(stage);
  const auto first = static_cast<pid_t>(stage.diary.pid);
  ::kill(first, SIGSTOP);
  REQUIRE(
      stage.run_until([&] { return std::count(stage.diary.lines.begin(), stage.diary.lines.end(), "running") == 2; }));
  CHECK(static_cast<pid_t>(stage.diary.pid) != first);
  CHECK_THAT(stage.diary.lines.at(4), Catch::StartsWith("ended failed: no good health probe for 900ms: 2 health probes "
                                                        "in a row failed: http 127.0.0.1:"));
  CHECK_THAT(stage.diary.lines.at(4), Catch::EndsWith("no answer within 300ms"));
}

TEST_CASE("a process that is asked how it is gives no signs of life by itself") {
  Stage stage;
  auto process = stage.script("echo \"[$NOTIFY_SOCKET$WATCHDOG_USEC].\" >&3; exec sleep 1000");
  const HealthProbe health{ExecProbe{{"true"}}, {10ms, 5s, 3}};
  process.health = health;
  stage.add(std::move(process), asked(health));
  stage.run_until_written(".");
  CHECK(stage.pipe().text() == "[].\n");
}

TEST_CASE("nobody is asked before it is ready, or while it is being stopped") {
  Stage stage;
  auto process =
      stage.script("trap 'echo stopping. >&3; read x < gate; exit 0' TERM; echo up. >&3; while :; do sleep 0.01; done");
  const Gate gate{stage};
  process.folder = stage.folder.path().string();
  const HealthProbe health{ExecProbe{{"sh", "-c", "echo x >> asked"}}, {1ms, 5s, 3}};
  process.health = health;
  auto config = asked(health);
  SECTION("before") {
    process.ready_by = ReadyProbe{ExecProbe{{"sh", "-c", "echo x >> ready; test $(wc -l < ready) = 5"}}, {1ms, 5s}};
    config.policy.ready = Ready::notified;
    stage.add(std::move(process), config);
    REQUIRE(stage.run_until([&] {
      CHECK_FALSE((phase_of(stage) == Phase::starting && fs::exists(stage.folder.path() / "asked")));
      return stage.diary.has("running");
    }));
  }
  SECTION("while") {
    stage.add(std::move(process), config);
    stage.run_until_written("up.");
    REQUIRE(stage.run_until([&] { return fs::exists(stage.folder.path() / "asked"); }));
    REQUIRE(stage.runtime->supervisor().stop("p"));
    stage.run_until_written("stopping.");
    fs::remove(stage.folder.path() / "asked");
    gate.open();
    stage.run_until_terminated();
    CHECK_FALSE(fs::exists(stage.folder.path() / "asked"));
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Commands that do not behave. The stage checks that no process and no descriptor is left.
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a command that hangs is killed with its children when its time is over") {
  Stage stage;
  auto process = shell("exec sleep 1000");
  auto ask = stage.script("sleep 1000 & echo asked. >&3; wait").command;
  process.environment.emplace_back("PIPE", (stage.folder.path() / "pipe").string());
  const HealthProbe health{ExecProbe{ask}, {10ms, 200ms, 1}};
  process.health = health;
  stage.add(std::move(process), asked(health));
  stage.run_until_terminated();
  stage.run_until_pipe_is_over();  // nobody holds it any more
  CHECK_THAT(stage.pipe().text(), Catch::Contains("asked."));
  CHECK(stage.diary.has_warning("exec /bin/sh: no end within 200ms"));
}

TEST_CASE("a command under way is killed with its children when the run is stopped") {
  Stage stage;
  auto process = shell("exec sleep 1000");
  auto ask = stage.script("sleep 1000 & echo asked. >&3; wait").command;
  process.environment.emplace_back("PIPE", (stage.folder.path() / "pipe").string());
  process.ready_by = ReadyProbe{ExecProbe{ask}, {1ms, 1h}};
  stage.add(std::move(process), notified());
  stage.run_until_written("asked.");
  SECTION("by a command") {
    REQUIRE(stage.runtime->supervisor().stop("p"));
    stage.run_until_terminated();
    stage.run_until_pipe_is_over();
    CHECK(stage.diary.has("ended clean"));
  }
  SECTION("by its own end") {
    ::kill(static_cast<pid_t>(*stage.runtime->supervisor().snapshot("p")->pid), SIGKILL);
    stage.run_until_terminated();
    stage.run_until_pipe_is_over();
    CHECK(stage.diary.has("ended failed: killed by signal 9 (Killed)"));
  }
  SECTION("by the end of the program") {}
}

TEST_CASE("a command that leaves children behind and floods its output is heard to its end") {
  Stage stage;
  auto process = shell("exec sleep 1000");
  auto ask = stage.script("sleep 1000 & head -c 3000000 /dev/zero; echo asked. >&3").command;
  process.environment.emplace_back("PIPE", (stage.folder.path() / "pipe").string());
  process.ready_by = ReadyProbe{ExecProbe{ask}, {1ms, 1h}};
  stage.add(std::move(process), notified());
  run_until_running(stage);
  stage.run_until_pipe_is_over();
}

TEST_CASE("more probes than there are places wait, and their services are not to blame") {
  Stage stage;
  constexpr std::size_t kServices = kProbesAtOnce + 6;
  const HealthProbe health{ExecProbe{{"sh", "-c", "exec sleep 1000"}}, {1ms, 1h, 1}};
  auto config = asked(health);
  config.policy.watchdog = 2s;  // of which those without a place give signs
  for (std::size_t i = 0; i < kServices; ++i) {
    auto process = shell("exec sleep 1000");
    process.health = health;
    config.name = "p" + std::to_string(i);
    stage.add(std::move(process), config);
  }
  REQUIRE(stage.run_until([&] { return stage.diary.has_kind("terminated"); }));
  REQUIRE(stage.run_until([&] { return stage.runtime->supervisor().counters().hangs == kProbesAtOnce; }));
  int running = 0;
  for (std::size_t i = 0; i < kServices; ++i) {
    const auto state = stage.runtime->supervisor().snapshot("p" + std::to_string(i));
    running += state->phase == Phase::running ? 1 : 0;
  }
  CHECK(running == static_cast<int>(kServices - kProbesAtOnce));
}

TEST_CASE("what is wrong with a probe is refused") {
  const auto says = [](const Process& process) {
    std::string text;
    for (const auto& problem : problems(process)) text += problem.field + ' ' + problem.says + '\n';
    return text;
  };
  Process process = shell("true");
  process.ready_by = ReadyProbe{TcpProbe{.address = "db.example", .port = 0}, {0ns, 25h}};
  process.health = HealthProbe{ExecProbe{}, {1ms, 1ms, 0}};
  CHECK(says(process) ==
        "ready_by.probe.address is \"db.example\"; required is an address of IPv4 or IPv6, as names are not looked up\n"
        "ready_by.probe.port is 0; allowed is 1 to 65535\n"
        "ready_by.times.every is 0s; allowed is 1ms to 1d\n"
        "ready_by.times.timeout is 1d1h; allowed is 1ms to 1d\n"
        "health.probe.command is empty; required is a program, then its arguments\n"
        "health.times.failures is 0; allowed is 1 to 1000\n");
  process.health.reset();
  process.ready_by = ReadyDescriptor{2};
  CHECK(says(process) == "ready_by.number is 2; allowed is 3 to 255\n");
  process.ready_by = ReadyLine{"a\nb"};
  CHECK(says(process) == "ready_by.text is empty or has a line end; required is a part of a line\n");
  process.ready_by = ReadyProbe{HttpProbe{.target = "/a b"}};
  CHECK(says(process) == "ready_by.probe.target is \"/a b\"; required is a path that begins with /, without blanks\n");
}

}  // namespace holdfast::process_probe_test
