// Records everything that a supervisor is given and everything that it decides. `holdfast replay run.ndjson` feeds the
// recording to the same supervisor again and compares every event (holdfast_sim/replay/replay.hpp).
//
//     std::ofstream file{"run.ndjson"};
//     Recorder recorder{file, scheduler, config, seed, sink};
//     Supervisor supervisor{recorder, config, seed, recorder, &recorder};
//
// The recorder stands between the supervisor and its world: it is the supervisor's scheduler, its event sink and the
// sink of its arrivals. Runtime does all of this for `.recording = &file`. A supervisor is given its configuration and
// seed, arrivals (arrival.hpp), the timers that fire, and the clock's reading when it acts. Recording changes nothing:
// timers and tasks keep their order and their times.
//
// ## The file
//
// Every line is a JSON object. The first one describes the recording:
//
//     {"holdfast_recording":1,"version":"0.1.0","seed":42,"t_ns":0,"shutdown_timeout_ns":30000000000,…}
//     {"t_ns":812,"input":"add","service":"feed","restart":"on_failure","check":"0b0fd9ad"}
//     {"clock_ns":5113,"check":"b2bb7a3c"}
//     {"t_ns":5113,"service":"feed","n":1,"run":0,"kind":"added",…}
//     {"t_ns":1000007260,"input":"end","service":"feed","slot":0,"generation":1,"run":1,"outcome":"failed",…}
//     …
//     {"t_ns":1084112950,"timer":1,"due_ns":1084061332,"check":"5d29e1f4"}
//     …
//     {"end":"closed","t_ns":9000000000,"events":57,"undone":0,"check":"c40e9a71"}
//
// Lines with `input`, `timer` and `clock_ns` are what the supervisor was given: an input of kind add, stop, restart,
// reset, remove, shutdown, end_drain, end (of a run), ready, stop_threw or kill_threw; a timer by the number of its
// arming, which fired `t_ns - due_ns` late; the clock's next reading. An input from an event sink has
// `"within":"sink"`, one from a service's callback `"within":"service"`. Lines with `kind` are events, as in traces.
// Times are nanoseconds since the scheduler's start. Bytes of a text that are not UTF-8 become U+FFFD, and a text is
// cut after kRecordedTextMax bytes. `undone` is 1 if the supervisor was destroyed before it acted on its latest inputs.
// Every line that is not an event ends with `"check"`: eight digits that depend on the line and on all lines above. By
// them a replay finds the first line that was changed, dropped, repeated or inserted.
//
// ## When it cannot be written
//
// A stream that fails (a full disk) or throws (its exceptions are on, or its buffer throws) ends the recording and
// nothing else. No exception leaves the recorder, nothing more is written, and RecordingTrouble is called once. Runtime
// then makes the supervisor report it as event, metric and log line. The part that was written can be replayed.
//
// So does a step of the supervisor for which there is no memory: it takes the step later or otherwise, and a replay,
// which has the memory, would not.
//
// A file without its last line was cut short; it, too, can be replayed as far as it goes. Lines are flushed when a
// handler returns. With std::unitbuf the stream also keeps the lines of the handler in which a program dies.
//
// Costs: a restart writes seven lines, 900 bytes, and waits for `out` to take them. The file grows as long as the
// recorder exists. Memory grows only with the number of timers armed at once.
//
// Thread-safety: none; all on the scheduler's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <holdfast/arrival.hpp>
#include <holdfast/detail/line_check.hpp>
#include <holdfast/detail/numbered_timers.hpp>
#include <holdfast/event.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/timer_queue.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// Bytes of a text in a recording, such as an error.
inline constexpr std::size_t kRecordedTextMax = std::size_t{1} << 16;
// Bytes of its lines: twice the text, every character escaped, and all the rest.
inline constexpr std::size_t kRecordedLineMax = std::size_t{1} << 20;

// Is called when a recording cannot be written.
class RecordingTrouble {
 public:
  // Called at most once, while the recorder writes a line, perhaps during construction. It must not call the
  // supervisor.
  virtual void recording_failed_with(std::string_view error) noexcept = 0;

 protected:
  ~RecordingTrouble() = default;
};

class Recorder final : public Scheduler, public EventSink, public ArrivalSink {
 public:
  // For one supervisor, which is given the same `config` and `seed`. The recorder outlives it. `out`, `scheduler`,
  // `sink` and `trouble` outlive the recorder. `sink` sees every event after it was written.
  Recorder(std::ostream& out, Scheduler& scheduler, const SupervisorConfig& config, Seed seed, EventSink& sink,
           RecordingTrouble* trouble = nullptr);
  // Writes the last line.
  ~Recorder() override;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  [[nodiscard]] TimePoint now() const noexcept override { return scheduler_.now(); }
  void arm(Timer& timer, TimePoint at) override;
  void arm_deadline(Timer& timer, TimePoint at) override;
  bool disarm(Timer& timer) noexcept override;
  void defer(Task& task) override;
  bool cancel(Task& task) noexcept override;

  void on_event(const Event& event) override;
  void on_arrival(const Arrival& arrival) override;
  void lacked_memory() noexcept override;

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
  class InSink;

  template <class Arm>
  void arm_for(Timer& timer, TimePoint at, const Arm& arm);
  void fire(std::uint64_t number);
  void run_tasks();
  void defer_turn();
  void write_step(TimePoint at);
  void write_threw(std::string_view input, std::string_view error);
  template <class Make>
  void write(const Make& make) noexcept;
  void write(const Event& event) noexcept;
  template <class Act>
  void attempt(const Act& act) noexcept;
  void flush() noexcept;
  void give_up(std::string_view error) noexcept;

  std::ostream& out_;
  Scheduler& scheduler_;
  EventSink& sink_;
  RecordingTrouble* const trouble_;  // or null

  detail::NumberedTimers timers_;
  std::map<std::uint64_t, Alarm> alarms_;  // by number
  TaskQueue tasks_;
  Turn turn_{*this};

  detail::LineCheck check_;
  bool has_failed_ = false;     // nothing is written any more
  bool in_handler_ = false;     // of the supervisor
  bool in_sink_ = false;        // arrivals come from the sink
  std::optional<Fired> fired_;  // its line is not written yet: the next event has the clock's reading
  TimePoint step_at_;           // the clock's reading at the latest event
  std::uint64_t events_ = 0;
  std::uint64_t undone_ = 0;  // tasks that were cancelled
};

// An event as a line of a recording, and of a trace, without the line's end.
std::string recorded_line(const Event& event);

}  // namespace holdfast

#pragma GCC visibility pop
