// The supervisor and its model, side by side: every step is done to both, and after every step everything that can be
// seen of them must be the same.
#pragma once

#include <array>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "supervisor_model.hpp"
#include "support.hpp"

namespace holdfast::test {

// The supervisor, driven in the language of steps.
class Real {
 public:
  explicit Real(const Setup& setup) : setup_(setup), supervisor(scheduler, setup.config, kSeed, recorder) {
    scheduler.run_tasks();
  }

  void take(const Step& step) {
    if (step.where == Where::outside) {
      do_now(step);
    } else {
      planned_.at(static_cast<std::size_t>(step.where)).at(step.inside_of) = step;
    }
    if (!step.joined) scheduler.run_tasks();
  }

  // But for warnings: the model knows nothing about configurations.
  Lines take_lines() {
    Lines lines = recorder.take();
    std::erase_if(lines, [](const std::string& line) { return line.find(" warned ") != std::string::npos; });
    return lines;
  }

 private:
  using Planned = std::array<std::optional<Step>, kNames.size()>;

  void do_now(const Step& step) {
    const std::string name{kNames[step.name]};
    switch (step.verb) {
      case Verb::add: return answer(step, add(step));
      case Verb::stop: return answer(step, static_cast<bool>(supervisor.stop(name)));
      case Verb::restart: return answer(step, static_cast<bool>(supervisor.restart(name)));
      case Verb::reset: return answer(step, static_cast<bool>(supervisor.reset(name)));
      case Verb::reconfigure:
        return answer(step, static_cast<bool>(supervisor.reconfigure(name, policy_of(setup_, step))));
      case Verb::remove: return answer(step, static_cast<bool>(supervisor.remove(name)));
      case Verb::pass: return pass(Duration{step.number});
      case Verb::end:
        if (latest_.at(step.name)) latest_.at(step.name)->end(exit_of(step));
        return;
      case Verb::end_old:
        if (step.number < runs_.size()) runs_[step.number].end(exit_of(step));
        return;
      case Verb::ready:
        if (latest_.at(step.name)) latest_.at(step.name)->ready();
        return;
      case Verb::ready_old:
        if (step.number < runs_.size()) runs_[step.number].ready();
        return;
      case Verb::beat:
        if (latest_.at(step.name)) latest_.at(step.name)->heartbeat();
        return;
      case Verb::progress:
        if (latest_.at(step.name)) latest_.at(step.name)->progress(step.number);
        return;
      case Verb::beat_old:
        if (step.number < runs_.size()) runs_[step.number].heartbeat();
        return;
      case Verb::progress_old:
        if (step.number < runs_.size()) runs_[step.number].progress(1);
        return;
      case Verb::throws: return;
      case Verb::shutdown: return supervisor.request_shutdown();
      case Verb::end_drain: return supervisor.end_drain();
    }
  }

  void answer(const Step& step, bool accepted) { answers.push_back(text_of(step) + (accepted ? " yes" : " no")); }

  bool add(const Step& step) {
    Script& script = scripts_.emplace_back();
    const unsigned name = step.name;
    script.on_start = [this, name](Run run) {
      runs_.push_back(run);
      latest_.at(name) = run;
      act(Where::in_start, name);
    };
    script.on_stop = [this, name](Run) { act(Where::in_stop, name); };
    script.side_by_side = runs_side_by_side(name);
    if (can_be_killed(name)) script.on_kill = [this, name](Run) { act(Where::in_kill, name); };
    if (!supervisor.add({.name = std::string{kNames[name]}, .policy = policy_of(setup_, step)}, script)) return false;
    latest_.at(name).reset();
    return true;
  }

  void act(Where where, unsigned name) {
    const auto does = std::exchange(planned_.at(static_cast<std::size_t>(where)).at(name), std::nullopt);
    if (!does) return;
    do_now(*does);
    if (does->then_throws || does->verb == Verb::throws) throw std::runtime_error{"thrown"};
  }

  static Exit exit_of(const Step& step) {
    Exit exit = exit_without_status(step.outcome);
    return step.status == 0 ? std::move(exit) : std::move(exit).with_status(static_cast<std::uint8_t>(step.status));
  }

  static Exit exit_without_status(unsigned outcome) {
    switch (static_cast<Outcome>(outcome)) {
      case Outcome::clean: return Exit::clean();
      case Outcome::done: return Exit::done();
      case Outcome::failed: return Exit::failed("ended");
      case Outcome::fatal: return Exit::fatal("ended");
      case Outcome::threw: break;
    }
    try {
      throw std::runtime_error{"ended"};
    } catch (...) {
      return Exit::from_current_exception();
    }
  }

  void pass(Duration time) { let_pass(scheduler, time); }

  const Setup& setup_;
  std::list<Script> scripts_;
  std::array<Planned, kWheres.size()> planned_;           // by name
  std::array<std::optional<Run>, kNames.size()> latest_;  // of the service that has the name
  std::vector<Run> runs_;                                 // every run that ever began

 public:
  Lines answers;
  sim::VirtualScheduler scheduler;
  Recorder recorder;
  Supervisor supervisor;  // last: it goes before what it uses
};

// ---------------------------------------------------------------------------------------------------------------------
// What can be seen of each, as text
// ---------------------------------------------------------------------------------------------------------------------

inline std::string row_of(std::initializer_list<std::string> words) {
  std::string row;
  for (const auto& word : words) row += (row.empty() ? "" : " ") + word;
  return row;
}

inline std::string text_of(const ServiceSnapshot& s) {
  const auto number = [](auto value) { return std::to_string(value); };
  return row_of({s.name,
                 std::string{to_string(s.restart)},
                 std::string{to_string(s.phase)},
                 "run",
                 number(s.run.value),
                 "starts",
                 number(s.starts),
                 "failures",
                 number(s.failures),
                 "clean_exits",
                 number(s.clean_exits),
                 "failed_starts",
                 number(s.failed_starts),
                 "hangs",
                 number(s.hangs),
                 "attempt",
                 number(s.attempt),
                 "in_window",
                 number(s.failures_in_window),
                 "breaker",
                 std::string{to_string(s.breaker)},
                 "ran",
                 to_string(s.running_time),
                 "age",
                 to_string(s.age),
                 "in_phase",
                 to_string(s.time_in_phase),
                 "next",
                 s.next_start ? to_string(*s.next_start) : "-",
                 s.waits_for ? std::string{to_string(*s.waits_for)} : "",
                 s.dependency,
                 "ready_by",
                 s.ready_by ? to_string(*s.ready_by) : "-",
                 "watchdog",
                 s.watchdog_until ? to_string(*s.watchdog_until) : "-",
                 "progress",
                 s.progress ? number(*s.progress) : "-",
                 "grace",
                 s.grace_until ? to_string(*s.grace_until) : "-",
                 s.killed ? "killed" : "",
                 "error",
                 s.last_error,
                 "why",
                 s.termination ? to_string(*s.termination, s.last_error) : ""});
}

inline std::string breaker_of(const Model::Life& life) {
  if (!life.policy.breaker) return "off";
  if (life.termination.starts_with("circuit")) return "open";
  if (life.openings == 0) return "closed";
  return life.phase == Phase::backing_off ? "open" : "half_open";
}

inline std::string text_of(const Setup& setup, const Model& model, const Model::Life& life) {
  const std::int64_t now = model.now;
  const auto number = [](auto value) { return std::to_string(value); };
  const auto length = [](std::int64_t value) { return to_string(Duration{value}); };
  const bool runs = life.phase == Phase::running || life.phase == Phase::stopping || life.awaits_ready;
  return row_of(
      {life.name,
       std::string{to_string(life.restart)},
       std::string{to_string(life.phase)},
       "run",
       number(life.run),
       "starts",
       number(life.starts),
       "failures",
       number(life.failures),
       "clean_exits",
       number(life.clean_exits),
       "failed_starts",
       number(life.failed_starts),
       "hangs",
       number(life.hangs),
       "attempt",
       number(life.attempt),
       "in_window",
       number(life.failed_at.size()),
       "breaker",
       breaker_of(life),
       "ran",
       length(life.running_time + (runs ? now - life.began : 0)),
       "age",
       length(now - life.added_at),
       "in_phase",
       length(now - life.phase_since),
       "next",
       life.phase == Phase::backing_off && !life.limited && (!life.waits || life.will_wake)
           ? to_string(TimePoint{life.due})
           : "-",
       life.waits     ? "dependency"
       : life.limited ? "restart_limit"
                      : "",
       life.waits ? model.first_missing(life) : "",
       "ready_by",
       life.start_over ? to_string(TimePoint{*life.start_over}) : "-",
       "watchdog",
       life.look_at ? to_string(TimePoint{life.heard_at + setup.watchdog.value_or(Duration{1}).count()}) : "-",
       "progress",
       life.progress ? number(*life.progress) : "-",
       "grace",
       life.grace_over ? to_string(TimePoint{*life.grace_over}) : "-",
       life.phase == Phase::stopping && life.killed ? "killed" : "",
       "error",
       life.last_error,
       "why",
       life.phase == Phase::terminated ? life.termination : ""});
}

inline Lines snapshots_of(const Setup& setup, const Model& model) {
  Lines all;
  for (const auto& life : model.lives) {
    if (!life.name_free) all.push_back(text_of(setup, model, life));
  }
  return all;
}

inline Lines snapshots_of(const Real& real) {
  Lines all;
  for (const auto& snapshot : real.supervisor.snapshots()) all.push_back(text_of(snapshot));
  return all;
}

// ---------------------------------------------------------------------------------------------------------------------
// Side by side
// ---------------------------------------------------------------------------------------------------------------------

inline std::string differ(const std::string& what, const Lines& of_model, const Lines& of_real) {
  const auto joined = [](const Lines& lines) {
    std::string text;
    for (const auto& line : lines) text += "\n    " + line;
    return text;
  };
  return what + "\n  the model says:" + joined(of_model) + "\n  the supervisor says:" + joined(of_real);
}

// The real scheduler has a timer for exactly what the model says is due next, and none if nothing is.
inline std::string difference_of_due_times(const Model& model, Real& real) {
  const auto next = model.next_due();
  if (!next) return real.scheduler.has_timer_by(TimePoint::max()) ? "a timer is armed and nothing is due" : "";
  const TimePoint due{*next};
  const bool agree = real.scheduler.has_timer_by(due) && !real.scheduler.has_timer_by(due - Duration{1});
  return agree ? "" : "the next due time is not " + to_string(due);
}

inline std::string difference_of_results(const Model& model, const Real& real) {
  const auto& result = real.supervisor.shutdown_result();
  if (result.has_value() != model.drained) return "the drain is over for one of them";
  if (!result) return "";
  if (to_string(result->outcome) != model.outcome) return "the outcome of the drain";
  if (result->abandoned != model.abandoned) return differ("abandoned", model.abandoned, result->abandoned);
  if (result->failed != model.failed) return differ("failed", model.failed, result->failed);
  Lines errors;
  for (const auto& [service, error] : result->errors) errors.push_back(service + ": " + error);
  return errors == model.errors ? "" : differ("errors", model.errors, errors);
}

// What differs, in words; empty if nothing does. Takes the events since the last call.
inline std::string difference(const Setup& setup, Model& model, Real& real) {
  const Lines of_model = std::exchange(model.lines, {});
  const Lines lines = real.take_lines();
  if (of_model != lines) return differ("events", of_model, lines);
  const Lines answers_of_model = std::exchange(model.answers, {});
  const Lines answers = std::exchange(real.answers, {});
  if (answers_of_model != answers) return differ("accepted commands", answers_of_model, answers);
  const auto& violations = real.recorder.ledger().violations();
  if (!violations.empty()) return differ("the events break a rule", {}, violations);
  if (const Lines snapshots = snapshots_of(setup, model); snapshots != snapshots_of(real))
    return differ("snapshots", snapshots, snapshots_of(real));
  if (real.supervisor.service_count() != real.supervisor.snapshots().size()) return "service_count";
  if (!(real.supervisor.counters() == model.counters)) {
    return differ("counters", {Catch::StringMaker<Counters>::convert(model.counters)},
                  {Catch::StringMaker<Counters>::convert(real.supervisor.counters())});
  }
  if (real.supervisor.is_shutting_down() != model.shutdown_asked) return "is_shutting_down";
  if (auto found = difference_of_due_times(model, real); !found.empty()) return found;
  return difference_of_results(model, real);
}

// Both of them, and what was done to them so far.
class SideBySide {
 public:
  explicit SideBySide(const Setup& setup)
      : setup_(std::make_shared<const Setup>(setup)), model{setup_, kSeed}, real{*setup_} {}

  // The difference after the step, with how to see it again; empty if there is none.
  std::string take(const Step& step) {
    steps_.push_back(step);
    model.take(step);
    real.take(step);
    const std::string found = difference(*setup_, model, real);
    if (found.empty()) return "";
    return "after step " + std::to_string(steps_.size()) + ", \"" + text_of(step) + "\": " + found +
           "\n  to see it again: HOLDFAST_SEQUENCE='" + text_of(Sequence{*setup_, steps_}) +
           "' build/test/tests/supervisor_model_test \"a sequence that was*\"";
  }

 private:
  std::shared_ptr<const Setup> setup_;
  std::vector<Step> steps_;

 public:
  Model model;
  Real real;
};

// Both through all steps: the first difference, or nothing.
inline std::string replay(const Sequence& sequence) {
  SideBySide both{sequence.setup};
  for (const auto& step : sequence.steps) {
    if (auto found = both.take(step); !found.empty()) return found;
  }
  return "";
}
inline std::string replay(const std::string& text) { return replay(sequence_from(text)); }

}  // namespace holdfast::test
