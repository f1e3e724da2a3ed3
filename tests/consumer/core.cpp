// A program that has the core alone: a scheduler of its own, in a dozen lines, and a service that fails twice.
#include <cstdio>
#include <exception>
#include <string>

#include <holdfast/supervisor.hpp>
#include <holdfast/timer_queue.hpp>
#include <holdfast/version.hpp>

namespace {

class JumpingClock final : public holdfast::Scheduler {
 public:
  holdfast::TimePoint now() const noexcept override { return now_; }
  void arm(holdfast::Timer& timer, holdfast::TimePoint at) override { timers_.arm(timer, at); }
  bool disarm(holdfast::Timer& timer) noexcept override { return timers_.disarm(timer); }
  void defer(holdfast::Task& task) override { tasks_.push(task); }
  bool cancel(holdfast::Task& task) noexcept override { return tasks_.cancel(task); }

  void run() {
    for (run_tasks(); !timers_.empty(); run_tasks()) {
      now_ = timers_.earliest();
      timers_.fire_earliest();
    }
  }

 private:
  void run_tasks() {
    while (!tasks_.empty()) tasks_.run_oldest();
  }

  holdfast::TimePoint now_;
  holdfast::TimerQueue timers_;
  holdfast::TaskQueue tasks_;
};

struct ThirdTimeLucky final : holdfast::Service {
  void start(holdfast::Run run) override {
    if (run.number().value < 3) throw std::runtime_error("not yet");
    run.end(holdfast::Exit::clean());
  }
  void stop(holdfast::Run) override {}
};

struct Printer final : holdfast::EventSink {
  void on_event(const holdfast::Event& event) override {
    std::printf("%s %s\n", std::string{event.name}.c_str(), std::string{holdfast::kind(event)}.c_str());
  }
};

// An exception from the library arrives as what it is.
bool refuses_nonsense(holdfast::Scheduler& scheduler, holdfast::EventSink& sink) {
  try {
    const holdfast::Supervisor supervisor{scheduler, {.shutdown_timeout = holdfast::Duration{-1}}, {}, sink};
  } catch (const holdfast::ConfigError& error) {
    return holdfast::has_errors(error.problems());
  }
  return false;
}

}  // namespace

int main() {
  JumpingClock clock;
  Printer printer;
  ThirdTimeLucky service;
  holdfast::Supervisor supervisor{clock, {}, {42}, printer};
  if (!supervisor.add({.name = "lucky"}, service)) return 1;
  clock.run();
  if (supervisor.counters().restarts != 2 || !refuses_nonsense(clock, printer)) return 1;
  std::printf("holdfast %s\n", std::string{holdfast::version()}.c_str());
  return holdfast::version() == HOLDFAST_VERSION_TEXT ? 0 : 1;
}
