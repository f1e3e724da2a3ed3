// To be recorded changes nothing: a recorder forwards to its scheduler whatever is armed and deferred.
#include "recorded.hpp"

#include <functional>
#include <new>
#include <optional>
#include <sstream>
#include <string>

#include <holdfast/recorder.hpp>

namespace holdfast::recorder_test {

namespace {

TEST_CASE("to be recorded changes no event, and no order among the timers and tasks of a scheduler") {
  // A fleet beside timers and tasks of others, armed for the same instants.
  const auto run = [](bool recorded) {
    sim::VirtualScheduler scheduler;
    Lines lines;
    test::Recorder sink;
    sink.on_each = [&](const Event& event) { lines.push_back(line_of(event)); };
    std::ostringstream out;
    std::optional<holdfast::Recorder> recorder;
    const auto config = config_of({.base = 1s, .max = 1s, .breaker = std::nullopt});
    if (recorded) recorder.emplace(out, scheduler, config, kSeed, sink);
    std::optional<Supervisor> supervisor;
    std::deque<Alarm> alarms;
    std::deque<Script> scripts;
    if (recorded) {
      supervisor.emplace(*recorder, config, kSeed, *recorder, &*recorder);
    } else {
      supervisor.emplace(scheduler, config, kSeed, sink);
    }
    for (int i = 0; i < 20; ++i) {
      Script& script = scripts.emplace_back();
      CHECK(supervisor->add({.name = std::to_string(i), .policy = {.restart = RestartPolicy::always}}, script));
      script.on_start = [&](Run r) {
        const TimePoint at = scheduler.now() + 100ms;
        alarms.emplace_back(scheduler, at, [&lines, &scheduler, r] {
          lines.push_back(to_string(scheduler.now()) + " alarm");
          r.number().value % 3 == 0 ? r.end(Exit::clean()) : r.end(Exit::failed("x"));
        });
      };
    }
    scheduler.run_tasks();
    while (scheduler.fire_next(TimePoint{} + 10s)) {
    }
    CHECK(supervisor->stop("7"));
    supervisor->request_shutdown();
    scheduler.run_tasks();
    while (scheduler.fire_next(TimePoint{} + 60s)) {
    }
    supervisor.reset();
    return lines;
  };
  const Lines alone = run(false);
  CHECK(alone.size() > 500);
  CHECK(run(true) == alone);
}

TEST_CASE("a recorder forwards to its scheduler what is armed, disarmed, deferred and cancelled, and leaves nothing") {
  struct Note final : Task, Timer {
    explicit Note(Lines& lines) : lines_(lines) {}
    void run() override { lines_.emplace_back("task"); }
    void fired() override { lines_.emplace_back("timer"); }
    Lines& lines_;
  };
  sim::VirtualScheduler scheduler;
  std::ostringstream out;
  test::Recorder sink;
  holdfast::Recorder recorder{out, scheduler, {}, kSeed, sink};
  Lines lines;
  Note note{lines};
  recorder.arm(note, TimePoint{3});
  CHECK(note.armed());
  CHECK(recorder.disarm(note));
  CHECK_FALSE(note.armed());
  CHECK_FALSE(recorder.disarm(note));
  CHECK_FALSE(scheduler.has_timer_by(TimePoint::max()));
  recorder.defer(note);
  CHECK(recorder.cancel(note));
  CHECK_FALSE(recorder.cancel(note));
  scheduler.run_tasks();
  CHECK(lines == Lines{});
  recorder.arm(note, TimePoint{3});
  recorder.defer(note);
  scheduler.run_tasks();
  CHECK(scheduler.fire_next(TimePoint{3}));
  CHECK(lines == Lines{"task", "timer"});
  CHECK(recorder.now() == TimePoint{3});
  CHECK(scheduler.idle());
}

TEST_CASE("a deadline is armed as one, and an alarm that could not be armed leaves nothing") {
  class Choosy final : public Scheduler {
   public:
    [[nodiscard]] TimePoint now() const noexcept override { return {}; }
    void arm(Timer&, TimePoint) override {
      ++timers;
      if (throws) throw std::bad_alloc{};
    }
    void arm_deadline(Timer&, TimePoint) override { ++deadlines; }
    bool disarm(Timer&) noexcept override { return true; }
    void defer(Task&) override {}
    bool cancel(Task&) noexcept override { return true; }
    int timers = 0, deadlines = 0;
    bool throws = false;
  };
  class Note final : public Timer {
    void fired() override {}
  };
  Choosy scheduler;
  std::ostringstream out;
  test::Recorder sink;
  holdfast::Recorder recorder{out, scheduler, {}, kSeed, sink};
  Note note;
  recorder.arm_deadline(note, TimePoint{3});
  CHECK(scheduler.timers == 0);
  CHECK(scheduler.deadlines == 1);
  CHECK(recorder.disarm(note));
  scheduler.throws = true;
  CHECK_THROWS_AS(recorder.arm(note, TimePoint{3}), std::bad_alloc);
  CHECK_FALSE(note.armed());
  scheduler.throws = false;
  recorder.arm(note, TimePoint{3});
  CHECK(note.armed());
  CHECK(recorder.disarm(note));
}

TEST_CASE("what a task throws leaves the others for the next turn, and a turn with nothing to do is cancelled") {
  class Note final : public Task {
   public:
    explicit Note(std::function<void()> does) : does_(std::move(does)) {}
    void run() override { does_(); }

   private:
    std::function<void()> does_;
  };
  sim::VirtualScheduler scheduler;
  std::ostringstream out;
  test::Recorder sink;
  holdfast::Recorder recorder{out, scheduler, {}, kSeed, sink};
  Lines lines;
  Note throws{[] { throw std::runtime_error{"no"}; }}, notes{[&] { lines.emplace_back("ran"); }};
  recorder.defer(throws);
  recorder.defer(notes);
  CHECK_THROWS_AS(scheduler.run_tasks(), std::runtime_error);
  CHECK(lines == Lines{});
  scheduler.run_tasks();
  CHECK(lines == Lines{"ran"});
  recorder.defer(notes);
  CHECK(recorder.cancel(notes));
  CHECK(scheduler.idle());
}

}  // namespace

}  // namespace holdfast::recorder_test
