// Where a recording is replayed: the scheduler, the services and the event sink of the real supervisor, which do at
// each moment what the next line of the recording says.
//
// Handlers cannot be ended from within, so after a difference, or the last line, the stage does nothing more and lets
// the supervisor run out.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include <holdfast/detail/numbered_timers.hpp>
#include <holdfast/supervisor.hpp>
#include <holdfast/timer_queue.hpp>
#include <holdfast_sim/detail/recording_reader.hpp>
#include <holdfast_sim/replay.hpp>

namespace holdfast::sim::detail {

class ReplayStage final : private Scheduler, private EventSink {
 public:
  // Both outlive the stage.
  ReplayStage(RecordingReader& reader, const std::vector<Observer*>& observers);

  // To the end, the first difference, or where the file was cut off. Throws BadInput. Called once.
  SimulationEnd run();

  [[nodiscard]] std::uint64_t inputs() const noexcept { return inputs_; }
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  [[nodiscard]] const Lateness& lateness() const noexcept { return lateness_; }
  [[nodiscard]] const std::optional<Difference>& difference() const noexcept { return difference_; }

 private:
  // Stands for every service that can be killed, or for every other one.
  class StandIn final : public Service {
   public:
    StandIn(ReplayStage& stage, bool killable) : stage_(stage), killable_(killable) {}
    void start(Run run) override { stage_.start(run); }
    void stop(Run) override { stage_.call(InputKind::stop_threw); }
    [[nodiscard]] bool can_be_killed() const noexcept override { return killable_; }
    void kill(Run) override { stage_.call(InputKind::kill_threw); }

   private:
    ReplayStage& stage_;
    const bool killable_;
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

  void step(const RecordingLine& line);
  bool run_tasks();
  void fire();
  void finish();

  void pass_clock() const;
  void arrive();
  void arrive_from(Within within);
  void end_run(const InputLine& input, const RecordingLine& line);
  template <class Answer>
  void expect(const Answer& answer, const RecordingLine& line);

  void differ(const RecordingLine& line, std::string_view replayed, std::string_view says);

  RecordingReader& reader_;
  const std::vector<Observer*>& observers_;
  mutable TimePoint clock_;              // what the clock said last
  std::optional<TimePoint> arrival_at_;  // what it says to the input that is arriving
  holdfast::detail::NumberedTimers timers_;
  TaskQueue tasks_;
  std::map<RunKey, Run> runs_;  // that have not ended
  StandIn plain_{*this, false};
  StandIn killable_{*this, true};
  std::uint64_t inputs_ = 0;
  std::uint64_t events_ = 0;
  Lateness lateness_;
  std::optional<Difference> difference_;
  bool over_ = false;
  std::optional<Supervisor> supervisor_;
};

}  // namespace holdfast::sim::detail
