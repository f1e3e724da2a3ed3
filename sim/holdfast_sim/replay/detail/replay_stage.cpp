#include <holdfast_sim/replay/detail/replay_stage.hpp>

#include <stdexcept>
#include <utility>

#include <holdfast/file/message_text.hpp>
#include <holdfast/recorder.hpp>
#include <holdfast_sim/observe/line_difference.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim::detail {

namespace {

using holdfast::to_string;

constexpr std::uint32_t kStepsBetweenQuestions = 16;

bool throws(InputKind kind) { return kind == InputKind::stop_threw || kind == InputKind::kill_threw; }

Exit exit_without_status(const InputLine& input) {
  switch (input.outcome) {
    case Outcome::clean: return Exit::clean();
    case Outcome::done: return Exit::done();
    case Outcome::failed: return Exit::failed(input.error);
    case Outcome::fatal: return Exit::fatal(input.error);
    case Outcome::threw: break;
  }
  try {
    throw std::runtime_error{input.error};
  } catch (...) {
    return Exit::from_current_exception();
  }
}

// A run's end as the service would have made it.
Exit exit_of(const InputLine& input) {
  Exit exit = exit_without_status(input);
  return input.exit_status ? std::move(exit).with_status(*input.exit_status) : exit;
}

}  // namespace

ReplayStage::ReplayStage(RecordingReader& reader, const std::vector<Observer*>& observers)
    : reader_(reader), observers_(observers), clock_(reader.header().began) {}

SimulationEnd ReplayStage::run(const std::function<bool()>& interrupted) {
  const auto& header = reader_.header();
  Scheduler& scheduler = *this;
  EventSink& sink = *this;
  ArrivalSink& arrivals = *this;
  try {
    supervisor_.emplace(scheduler, header.supervisor, header.seed, sink, &arrivals);
  } catch (const ConfigError& error) {
    throw reader_.bad_configuration(error);
  }
  EndReason reason = EndReason::finished;
  for (std::uint32_t steps = 1; !over_ && reader_.peek(); ++steps) {
    if (steps % kStepsBetweenQuestions == 0 && interrupted && interrupted()) {
      reason = EndReason::interrupted;
      break;
    }
    step(*reader_.peek());
  }
  if (!difference_) reader_.throw_if_bad();
  SimulationEnd end{
      .reason = reason, .at = reader_.latest(), .timers_fired = lateness_.timers, .counters = supervisor_->counters()};
  over_ = true;
  supervisor_.reset();
  return end;
}

// Between two handlers. What is queued comes first, but for inputs: they may have come before it.
void ReplayStage::step(const RecordingLine& line) {
  const auto* const input = std::get_if<InputLine>(&line.what);
  if (input && input->within == Within::nothing) return arrive();
  const auto* const end = std::get_if<EndLine>(&line.what);
  if (end && end->undone > 0) return finish();
  if (run_tasks()) return;
  if (input) return differ(line, "", "came from within a service or a sink, and the replay is in none");
  if (std::holds_alternative<TimerLine>(line.what)) return fire();
  if (std::holds_alternative<ClockLine>(line.what)) return pass_clock();
  if (end) return finish();
  differ(line, "", "nothing is left to be done in the replay before the next input or timer");
}

// False if there were none.
bool ReplayStage::run_tasks() {
  if (tasks_.empty()) return false;
  while (!tasks_.empty()) tasks_.run_oldest();
  return true;
}

void ReplayStage::fire() {
  const RecordingLine line = reader_.take();
  const auto& timer = std::get<TimerLine>(line.what);
  if (!timers_.armed(timer.number)) {
    return differ(line, "", "timer: number " + std::to_string(timer.number) + " is not armed in the replay");
  }
  if (const TimePoint due = timers_.due(timer.number); due != timer.due) {
    return differ(
        line, "",
        "due_ns: recorded " + std::to_string(timer.due.nanoseconds) + ", replayed " + std::to_string(due.nanoseconds));
  }
  const Duration late = timer.at - timer.due;
  if (lateness_.timers++ == 0 || late > lateness_.most) {
    lateness_.most = late;
    lateness_.at = timer.at;
  }
  clock_ = timer.at;
  timers_.fire(timer.number);
}

void ReplayStage::finish() {
  const RecordingLine line = reader_.take();
  const std::uint64_t events = std::get<EndLine>(line.what).events;
  if (std::get<EndLine>(line.what).undone > 0 && tasks_.empty()) {
    return differ(line, "", "undone: recorded that something was left to be done, replayed nothing");
  }
  if (events != events_) {
    throw reader_.bad(line.number, "events",
                      "is " + std::to_string(events) + ", but above there are " + std::to_string(events_));
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// What the supervisor is given
// ---------------------------------------------------------------------------------------------------------------------

TimePoint ReplayStage::now() const noexcept {
  if (arrival_at_) return *arrival_at_;
  pass_clock();
  return clock_;
}

// Of several lines the last counts: what was read before it led to nothing.
void ReplayStage::pass_clock() const {
  while (!over_ && reader_.peek_as<ClockLine>()) clock_ = std::get<ClockLine>(reader_.take().what).at;
}

void ReplayStage::arrive() {
  const RecordingLine line = reader_.take();
  const auto& input = std::get<InputLine>(line.what);
  ++inputs_;
  arrival_at_ = input.at;
  arrived_.reset();
  give(input, line);
  arrival_at_.reset();
  if (over_) return;
  if (!arrived_) return differ(line, "", "the supervisor has no use for it here and does not take it");
  if (*arrived_ != input.service) {
    differ(line, "", "service: recorded " + in_quotes(input.service) + ", replayed " + in_quotes(*arrived_));
  }
}

// What the supervisor took, if the replay goes on.
void ReplayStage::on_arrival(const Arrival& arrival) { arrived_ = arrival.name; }

void ReplayStage::give(const InputLine& input, const RecordingLine& line) {
  switch (input.kind) {
    case InputKind::add_group: expect(supervisor_->add_group(input.group), line); break;
    case InputKind::add: expect(supervisor_->add({input.service, input.policy}, stand_in(input)), line); break;
    case InputKind::stop: expect(supervisor_->stop(input.service), line); break;
    case InputKind::restart: expect(supervisor_->restart(input.service), line); break;
    case InputKind::reset: expect(supervisor_->reset(input.service), line); break;
    case InputKind::reconfigure: expect(supervisor_->reconfigure(input.service, input.policy), line); break;
    case InputKind::remove: expect(supervisor_->remove(input.service), line); break;
    case InputKind::shutdown: supervisor_->request_shutdown(input.cause); break;
    case InputKind::end_drain:
      if (!supervisor_->is_shutting_down()) {
        return differ(line, "", "ends the drain, but no shutdown was requested before it");
      }
      supervisor_->end_drain(input.cause);
      break;
    case InputKind::signal_ignored: supervisor_->ignore_signal(input.cause); break;
    case InputKind::pid:
      if (input.within != Within::service) return differ(line, "", "a pid is said within the start of a run only");
      starting_.set_pid(input.pid);
      break;
    case InputKind::warn: warn(input, line); break;
    case InputKind::ready: report_ready(input, line); break;
    case InputKind::heartbeat: give_sign_of_life(input, line); break;
    case InputKind::end: end_run(input, line); break;
    case InputKind::stop_threw:
    case InputKind::kill_threw: break;  // have no place but in stop() and kill()
  }
}

ReplayStage::StandIn& ReplayStage::stand_in(const InputLine& input) {
  if (input.runs_side_by_side) return input.can_be_killed ? killable_side_by_side_ : side_by_side_;
  return input.can_be_killed ? killable_ : plain_;
}

void ReplayStage::arrive_from(Within within) {
  while (!over_) {
    const auto* const input = reader_.peek_as<InputLine>();
    if (!input || input->within != within || throws(input->kind)) return;
    arrive();
  }
}

void ReplayStage::warn(const InputLine& input, const RecordingLine& line) {
  const auto run = runs_.find({input.id.slot, input.id.generation, input.run.value});
  if (run == runs_.end()) return differ(line, "", "no such run is alive in the replay");
  run->second.warn(input.error);
}

void ReplayStage::report_ready(const InputLine& input, const RecordingLine& line) {
  const auto run = runs_.find({input.id.slot, input.id.generation, input.run.value});
  if (run == runs_.end()) return differ(line, "", "no such run is alive in the replay");
  run->second.ready();
}

// At its own time. It is noted at once and told to nobody: the timer that follows makes use of it.
void ReplayStage::give_sign_of_life(const InputLine& input, const RecordingLine& line) {
  const auto run = runs_.find({input.id.slot, input.id.generation, input.run.value});
  if (run == runs_.end()) return differ(line, "", "no such run is alive in the replay");
  arrival_at_ = input.heard;
  input.progress ? run->second.progress(*input.progress) : run->second.heartbeat();
  arrived_ = input.service;
}

void ReplayStage::end_run(const InputLine& input, const RecordingLine& line) {
  const auto run = runs_.find({input.id.slot, input.id.generation, input.run.value});
  if (run == runs_.end()) return differ(line, "", "no such run is alive in the replay");
  const Run ends = run->second;
  runs_.erase(run);
  ends.end(exit_of(input));
}

template <class Answer>
void ReplayStage::expect(const Answer& answer, const RecordingLine& line) {
  if (!answer) differ(line, "", "the supervisor refuses it: " + printable(answer.refusal().message));
}

void ReplayStage::start(Run run) {
  runs_[{run.service().slot, run.service().generation, run.number().value}] = run;
  starting_ = run;
  arrive_from(Within::service);
}

// A stop or a kill, which throws if the recording says so.
void ReplayStage::call(InputKind throws) {
  arrive_from(Within::service);
  const auto* const input = over_ ? nullptr : reader_.peek_as<InputLine>();
  if (!input || input->kind != throws) return;
  ++inputs_;
  throw std::runtime_error{std::get<InputLine>(reader_.take().what).error};
}

// ---------------------------------------------------------------------------------------------------------------------
// What it does
// ---------------------------------------------------------------------------------------------------------------------

void ReplayStage::on_event(const Event& event) {
  if (over_) return;
  const RecordingLine* const line = reader_.peek();
  if (!line) {
    over_ = true;
    return;
  }
  const std::string replayed = recorded_line(event);
  if (!std::holds_alternative<EventLine>(line->what)) {
    return differ(*line, replayed, "the replay has an event that the recording does not have here");
  }
  if (line->text != replayed) {
    if (const auto says = differing_keys(line->text, replayed, "recorded", "replayed"); !says.empty())
      return differ(*line, replayed, says);
  }
  reader_.take();
  ++events_;
  for (Observer* const observer : observers_) observer->on_event(event);
  arrive_from(Within::sink);
}

void ReplayStage::differ(const RecordingLine& line, std::string_view replayed, std::string_view says) {
  difference_ = Difference{line.number, printable(line.text), printable(replayed), printable(says)};
  over_ = true;
}

}  // namespace holdfast::sim::detail
