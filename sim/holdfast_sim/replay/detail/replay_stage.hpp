// Replays a recording: the scheduler, the services and the event sink of the real supervisor, which do at each moment
// what the next line of the recording says.
//
// Handlers cannot be ended from within. So after a difference, or the last line, the stage does nothing more and lets
// the supervisor finish what it has queued.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <holdfast/arrival.hpp>
#include <holdfast/detail/numbered_timers.hpp>
#include <holdfast/supervisor.hpp>
#include <holdfast/timer_queue.hpp>
#include <holdfast_sim/replay/detail/recording_reader.hpp>
#include <holdfast_sim/replay/replay.hpp>

namespace holdfast::sim::detail {

class ReplayStage final : private Scheduler, private EventSink, private ArrivalSink {
 public:
  // Both outlive the stage.
  ReplayStage(RecordingReader& reader, const std::vector<Observer*>& observers);

  // To the end, the first difference, or where the file was cut off; or until `interrupted`, which is asked now and
  // then, says so. Throws BadInput. Called once.
  SimulationEnd run(const std::function<bool()>& interrupted = {});

  [[nodiscard]] std::uint64_t inputs() const noexcept { return inputs_; }
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  [[nodiscard]] const Lateness& lateness() const noexcept { return lateness_; }
  [[nodiscard]] const std::optional<Difference>& difference() const noexcept { return difference_; }

 private:
  // Stands for every service that can be killed, or for every other one.
  class StandIn final : public Service {
   public:
    StandIn(ReplayStage& stage, bool killable, bool side_by_side)
        : stage_(stage), killable_(killable), side_by_side_(side_by_side) {}
    void start(Run run) override { stage_.start(run); }
    void stop(Run) override { stage_.call(InputKind::stop_threw); }
    [[nodiscard]] bool can_be_killed() const noexcept override { return killable_; }
    void kill(Run) override { stage_.call(InputKind::kill_threw); }
    [[nodiscard]] bool runs_side_by_side() const noexcept override { return side_by_side_; }
    // All services share this object, but the recorded supervisor had one object for each.
    [[nodiscard]] bool is_added_once() const noexcept override { return true; }

   private:
    ReplayStage& stage_;
    const bool killable_;
    const bool side_by_side_;
  };
  using RunKey = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>;  // slot, generation, number

  [[nodiscard]] TimePoint now() const noexcept override;
  void arm(Timer& timer, TimePoint at) override { timers_.arm(timer, at); }
  bool disarm(Timer& timer) noexcept override { return timers_.disarm(timer) != 0; }
  void defer(Task& task) override { tasks_.push(task); }
  bool cancel(Task& task) noexcept override { return tasks_.cancel(task); }

  void start(Run run);
  void call(InputKind throws);
  void on_event(const Event& event) override;
  void on_arrival(const Arrival& arrival) override;

  void step(const RecordingLine& line);
  bool run_tasks();
  void fire();
  void finish();

  void pass_clock() const;
  void arrive();
  void give(const InputLine& input, const RecordingLine& line);
  void arrive_from(Within within);
  StandIn& stand_in(const InputLine& input);
  void end_run(const InputLine& input, const RecordingLine& line);
  void warn(const InputLine& input, const RecordingLine& line);
  void report_ready(const InputLine& input, const RecordingLine& line);
  void give_sign_of_life(const InputLine& input, const RecordingLine& line);
  template <class Answer>
  void expect(const Answer& answer, const RecordingLine& line);

  void differ(const RecordingLine& line, std::string_view replayed, std::string_view says);

  RecordingReader& reader_;
  const std::vector<Observer*>& observers_;
  mutable TimePoint clock_;              // what the clock said last
  std::optional<TimePoint> arrival_at_;  // what it says to the input that is arriving
  std::optional<std::string> arrived_;   // that input, and the service that it concerns in the replay
  holdfast::detail::NumberedTimers timers_;
  TaskQueue tasks_;
  std::map<RunKey, Run> runs_;  // that have not ended
  Run starting_;                // the latest
  StandIn plain_{*this, false, false};
  StandIn killable_{*this, true, false};
  StandIn side_by_side_{*this, false, true};
  StandIn killable_side_by_side_{*this, true, true};
  std::uint64_t inputs_ = 0;
  std::uint64_t events_ = 0;
  Lateness lateness_;
  std::optional<Difference> difference_;
  bool over_ = false;
  std::optional<Supervisor> supervisor_;
};

}  // namespace holdfast::sim::detail
