// A service without coroutines, supervised without Boost.Asio: the program has an event loop of its own, in one thread.
//
//     callbacks FILE        prints the size of FILE whenever it changes, until SIGINT or SIGTERM
//
// It needs the component `holdfast` alone. A program that has an event loop already implements Scheduler on that loop.
// tests/examples/callbacks_test.py runs it.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <utility>

#include <holdfast/log_line.hpp>
#include <holdfast/supervisor.hpp>
#include <holdfast/timer_queue.hpp>

using namespace std::chrono_literals;
using holdfast::Duration, holdfast::TimePoint;

namespace {

// The port: time, timers and deferred tasks. TimerQueue and TaskQueue keep the order that a Scheduler promises.
class Loop final : public holdfast::Scheduler {
 public:
  // SIGINT and SIGTERM wait until the loop takes them, so that no other code runs inside a signal handler.
  Loop() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals_, nullptr);
  }

  TimePoint now() const noexcept override { return {Duration{std::chrono::steady_clock::now() - began_}.count()}; }
  void arm(holdfast::Timer& timer, TimePoint at) override { timers_.arm(timer, at); }
  bool disarm(holdfast::Timer& timer) noexcept override { return timers_.disarm(timer); }
  void defer(holdfast::Task& task) override { tasks_.push(task); }
  bool cancel(holdfast::Task& task) noexcept override { return tasks_.cancel(task); }

  // Runs the deferred tasks and the timers that are due.
  void run_due() {
    run_tasks();
    for (const TimePoint due = now(); !timers_.empty() && timers_.earliest() <= due; run_tasks())
      timers_.fire_earliest();
  }

  // Sleeps until the next timer is due. True if a signal arrived.
  bool sleep() {
    const Duration wait = timers_.empty() ? Duration{1h} : std::max(timers_.earliest() - now(), Duration{0});
    const timespec length{.tv_sec = wait / 1s, .tv_nsec = (wait % 1s).count()};
    return sigtimedwait(&signals_, nullptr, &length) > 0;
  }

 private:
  void run_tasks() {
    while (!tasks_.empty()) tasks_.run_oldest();
  }

  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  holdfast::TimerQueue timers_;
  holdfast::TaskQueue tasks_;
  sigset_t signals_{};
};

// The service. A run begins with start() and is over when the service calls run.end(); in between the loop goes on.
class FileWatch final : public holdfast::Service, private holdfast::Timer {
 public:
  FileWatch(Loop& loop, std::filesystem::path file) : loop_(loop), file_(std::move(file)) {}

  void start(holdfast::Run run) override {
    run_ = run;
    size_ = -1;
    fired();
  }

  void stop(holdfast::Run run) override {
    loop_.disarm(*this);
    run.end(holdfast::Exit::clean());
  }

 private:
  void fired() override {
    std::error_code error;
    const auto size = static_cast<std::intmax_t>(std::filesystem::file_size(file_, error));
    if (error) return run_.end(holdfast::Exit::failed(error.message()));
    if (size != size_) std::cout << size << " bytes" << std::endl;
    size_ = size;
    loop_.arm(*this, loop_.now() + 50ms);
  }

  Loop& loop_;
  const std::filesystem::path file_;
  holdfast::Run run_;
  std::intmax_t size_ = -1;  // bytes, at the latest look; -1: this run has not looked yet
};

class Log final : public holdfast::EventSink {
 public:
  void on_event(const holdfast::Event& event) override { std::cout << holdfast::log_line(event) << std::endl; }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: callbacks FILE\n";
    return 2;
  }
  Loop loop;
  Log log;
  FileWatch watch{loop, argv[1]};  // it outlives the supervisor
  // The seed decides the jitter: take it from std::random_device where several programs must not wait in step.
  holdfast::Supervisor supervisor{loop, {.backoff = {.max = 500ms, .breaker = std::nullopt}}, {.value = 42}, log};
  supervisor.add({.name = "watch"}, watch).value();
  for (loop.run_due(); !supervisor.shutdown_result(); loop.run_due()) {
    if (loop.sleep()) supervisor.request_shutdown();
  }
  return supervisor.shutdown_result()->suggested_exit_status();
}
