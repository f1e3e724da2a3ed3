// Writes down everything that a supervisor is given and everything that it decides, so that the simulator can be given
// the same and be held against it, event for event: `holdfast replay run.ndjson` (holdfast_sim/replay.hpp).
//
//     std::ofstream file{"run.ndjson"};
//     Recorder recorder{file, scheduler, config, seed, sink};
//     Supervisor supervisor{recorder, config, seed, recorder, &recorder};
//
// It stands between the supervisor and its world, as its scheduler, its event sink and the sink of its arrivals.
// Runtime does all of this for `.recording = &file`. What is given to a supervisor is its configuration and seed,
// arrivals (arrival.hpp), the timers that fire, and what the clock says when it acts. To be recorded changes nothing of
// it: timers and tasks keep their order and their times.
//
// ## The file
//
// A line of JSON each, the first one says what it is of:
//
//     {"holdfast_recording":1,"version":"0.1.0","seed":42,"t_ns":0,"shutdown_timeout_ns":30000000000,…}
//     {"t_ns":812,"input":"add","service":"feed","restart":"on_failure"}
//     {"clock_ns":5113}
//     {"t_ns":5113,"service":"feed","n":1,"run":0,"kind":"added",…}
//     {"t_ns":1000007260,"input":"end","service":"feed","slot":0,"generation":1,"run":1,"outcome":"failed","error":"…"}
//     …
//     {"t_ns":1084112950,"timer":1,"due_ns":1084061332}
//     …
//     {"end":"closed","t_ns":9000000000,"events":57,"undone":0}
//
// Lines with `input`, `timer` and `clock_ns` are what the supervisor was given: an input of kind add, stop, restart,
// remove, shutdown, end_drain, end (of a run), stop_threw or kill_threw; a timer by the number of its arming, fired
// `t_ns - due_ns` late; what the clock said next. An input from within an event sink or a service's callback says so
// with
// `"within":"sink"` or `"within":"service"`. Lines with `kind` are events, as in traces. Times are nanoseconds since
// the scheduler's start. Texts that are no UTF-8 have U+FFFD in the place of what is none. `undone` is 1 if the
// supervisor was destroyed before it got to its latest inputs.
//
// A file without its last line was cut short and can be replayed as far as it goes. Lines are flushed when a handler
// returns; who fears for those of the handler in which a program dies gives a stream with std::unitbuf.
//
// What it costs: a restart makes seven lines, 800 bytes, and waits for `out` to take them. The file grows as long
// as the recorder exists. Nothing else grows but with the number of timers armed at once.
//
// Thread-safety: none; all on the scheduler's thread.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <holdfast/arrival.hpp>
#include <holdfast/detail/numbered_timers.hpp>
#include <holdfast/event.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/timer_queue.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

class Recorder final : public Scheduler, public EventSink, public ArrivalSink {
 public:
  // For one supervisor, which gets the same `config` and `seed`, and which it outlives. `out`, `scheduler` and `sink`,
  // which sees every event after it was written, outlive the recorder. Whether everything could be written is in the
  // state of `out`.
  Recorder(std::ostream& out, Scheduler& scheduler, const SupervisorConfig& config, Seed seed, EventSink& sink);
  // Writes the last line.
  ~Recorder() override;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  [[nodiscard]] TimePoint now() const noexcept override { return scheduler_.now(); }
  void arm(Timer& timer, TimePoint at) override;
  bool disarm(Timer& timer) noexcept override;
  void defer(Task& task) override;
  bool cancel(Task& task) noexcept override;

  void on_event(const Event& event) override;
  void on_arrival(const Arrival& arrival) override;

 private:
  // Armed on the scheduler for a timer of the supervisor.
  class Alarm final : public Timer {
   public:
    Alarm(Recorder& recorder, std::uint64_t number) : recorder_(recorder), number_(number) {}

   private:
    void fired() override { recorder_.fire(number_); }
    Recorder& recorder_;
    const std::uint64_t number_;
  };
  // Deferred on the scheduler for the supervisor's tasks.
  class Turn final : public Task {
   public:
    explicit Turn(Recorder& recorder) : recorder_(recorder) {}

   private:
    void run() override { recorder_.run_tasks(); }
    Recorder& recorder_;
  };
  struct Fired {
    std::uint64_t number;
    TimePoint due;
  };
  class Handler;

  void fire(std::uint64_t number);
  void run_tasks();
  void write_step(TimePoint at);
  void write_threw(std::string_view input, std::string_view error);
  void write(std::string_view line);

  std::ostream& out_;
  Scheduler& scheduler_;
  EventSink& sink_;

  detail::NumberedTimers timers_;
  std::map<std::uint64_t, Alarm> alarms_;  // by number
  TaskQueue tasks_;
  Turn turn_{*this};

  bool in_handler_ = false;     // of the supervisor
  bool in_sink_ = false;        // so what arrives comes from there
  std::optional<Fired> fired_;  // and its line is not written yet: the event that follows says what the clock said
  TimePoint step_at_;           // what the clock said, for the latest event
  std::uint64_t events_ = 0;
  std::uint64_t undone_ = 0;  // tasks that were cancelled
};

// An event as a line of a recording, and of a trace, without the line's end.
std::string recorded_line(const Event& event);

}  // namespace holdfast

#pragma GCC visibility pop
