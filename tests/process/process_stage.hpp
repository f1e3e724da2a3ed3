// A stage for tests of processes: a runtime, and shells that do what a test asks of them.
//
// A test waits for events: for what the supervisor reports, and for what a process writes into a named pipe, which ends
// when the last process that holds it is gone. The limits only turn a hang into a failure. When a test is over, no
// child of this program is left, alive or dead, and no descriptor more than before.
#pragma once

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
#include <cstdint>
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
#include <holdfast/asio/runtime.hpp>

#include "run_io.hpp"

namespace holdfast::test {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

// ---------------------------------------------------------------------------------------------------------------------
// A stage for processes
// ---------------------------------------------------------------------------------------------------------------------

inline std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{}));
}

// Takes no notice of an end away from those who wait for it.
inline bool has_no_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
}

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

// The events of the supervisor as lines, without times: "ended failed: exit status 3".
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
    if (const auto* const warned = std::get_if<event::Warned>(&event.what)) {
      if (warned->field == "run") warnings.emplace_back(warned->says);
    } else {
      lines.push_back(line);
    }
    if (const auto* const running = std::get_if<event::Running>(&event.what)) pid = running->pid.value_or(0);
  }
  [[nodiscard]] bool has(const std::string& line) const { return std::count(lines.begin(), lines.end(), line) > 0; }
  [[nodiscard]] bool has_warning(const std::string& text) const {
    return std::any_of(warnings.begin(), warnings.end(),
                       [&](const std::string& warning) { return warning.find(text) != std::string::npos; });
  }
  [[nodiscard]] bool has_kind(const std::string& kind) const {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.substr(0, line.find(' ')) == kind; });
  }

  Lines lines;
  Lines warnings;         // of runs
  std::uint32_t pid = 0;  // of the latest run
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
      boost::asio::post(io, [] {});  // the waiting test looks again
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

  void add(Process process, ServiceConfig config = {.name = "p", .policy = {.restart = RestartPolicy::never}}) {
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

  bool run_until(const std::function<bool()>& done) { return test::run_until(io, done); }
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

// Opened by a process for reading, it lets that go on as soon as the test opens it for writing.
class Gate {
 public:
  explicit Gate(const Stage& stage) : path_(stage.folder.path() / "gate") {
    REQUIRE(::mkfifo(path_.c_str(), 0600) == 0);
  }
  [[nodiscard]] std::string path() const { return path_.string(); }
  // Waits for the process, which may be about to open it. One that is gone does not keep the test waiting for ever.
  void open() const {
    const auto until = std::chrono::steady_clock::now() + kLimit;
    int gate = -1;
    while ((gate = ::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) == -1 &&
           std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(1ms);
    }
    const bool is_read = gate != -1 && ::write(gate, "go\n", 3) == 3;
    ::close(gate);
    REQUIRE(is_read);
  }

 private:
  static constexpr auto kLimit = 10s;
  const fs::path path_;
};

// A grace that passes. A process that was killed has as much time again to be gone, and on a machine with much to do it
// takes a while until it gets to that: with 10 ms it was reported as abandoned.
inline ServiceConfig with_grace() {
  return {.name = "p", .policy = {.restart = RestartPolicy::never, .stop_grace = 1s}};
}

inline Process shell(const std::string& text) { return {.command = {"/bin/sh", "-c", text}}; }

inline std::string end_of(Process process) { return Stage{}.end_of(std::move(process)); }

}  // namespace holdfast::test
