// The supervisor beside a model of it: plain rules over a list, written from the rules and not from the code. The
// model has no timers and no ids; what was asked for stands in a list in the order of arrival, and the next thing to
// be due is looked for from one end of the fleet to the other. It shares draw() with the supervisor and nothing else
// that decides.
//
// After every step the events, counters, snapshots and due times of both must be the same, word for word. Times are a
// few nanoseconds, so that many things fall on one instant. A failure of the property test shows the shortest sequence
// found and an RC_PARAMS value with which it can be run again; the number of sequences is RapidCheck's:
// RC_PARAMS="max_success=100000".

#include "support.hpp"

#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include <algorithm>
#include <list>
#include <memory>
#include <ostream>
#include <sstream>
#include <stdexcept>

namespace holdfast::test {

namespace {

// What a service does by itself inside its next start, or its next stop. Once.
enum class Inside { nothing, ends_cleanly, fails, is_fatal, throws, fails_and_throws };

struct Step {
  enum class Kind {
    add,
    stop,
    restart,
    remove,
    pass,
    end,              // the latest run, whether it is alive or not
    end_with_others,  // the same, but further steps follow before the supervisor acts
    next_start,       // what the next start will do inside
    next_stop,
    shutdown,
    end_drain
  };
  Kind kind = Kind::pass;
  int who = 0;   // index of a name
  int how = 0;   // of an outcome, an Inside, a restart policy
  int much = 0;  // of time, or the index of a policy
};

struct Setup {
  SupervisorConfig config;
  std::vector<std::optional<BackoffPolicy>> policies;  // that services may have; the first is none of its own
};

const std::vector<std::string> kNames{"a", "b", "c", "d"};

// ---------------------------------------------------------------------------------------------------------------------
// The model
// ---------------------------------------------------------------------------------------------------------------------

struct ModelRun {
  std::string outcome;
  std::string error;
};

ModelRun run_that(Inside inside) {
  switch (inside) {
    case Inside::nothing: break;
    case Inside::ends_cleanly: return {"clean", ""};
    case Inside::fails: return {"failed", "inside"};
    case Inside::is_fatal: return {"fatal", "inside"};
    case Inside::throws: return {"threw", "thrown"};
    case Inside::fails_and_throws: return {"failed", "inside"};
  }
  return {};
}

struct Model {
  struct Life {
    std::string name;
    RestartPolicy restart;
    BackoffPolicy policy;
    std::string phase = "starting";
    std::string stop_cause;
    bool run_alive = false;  // begun, and has not said that it ended
    bool never_run = true;
    bool to_be_removed = false;  // asked for
    bool removal_begun = false;  // and acted on: forgotten once it has terminated
    bool name_free = false;
    bool gone = false;
    std::uint64_t run = 0, starts = 0, failures = 0, clean_exits = 0;
    std::uint32_t attempt = 0;
    std::vector<std::int64_t> failed_at;
    std::string last_error;
    std::string termination;
    std::int64_t running_time = 0, added_at = 0, phase_since = 0, began = 0, due = 0;
    std::uint64_t due_order = 0;
    std::uint32_t earlier_lives_now = 0;
    bool failed_for_good = false;
  };

  explicit Model(const Setup& setup) : setup_(setup) {}

  // Everything that was asked for, in the order of arrival.
  void settle() {
    while (!asked.empty()) {
      const auto first = asked.front();
      asked.pop_front();
      first();
    }
  }

  void pass(std::int64_t time) {
    settle();
    const std::int64_t end = now + time;
    for (;;) {
      Life* next = nullptr;
      for (auto& life : lives) {
        if (life.gone || life.phase != "backing_off" || life.due > end) continue;
        if (!next || life.due < next->due || (life.due == next->due && life.due_order < next->due_order)) next = &life;
      }
      const bool deadline_is_next = shutting_down && !drained && deadline <= end && (!next || deadline <= next->due);
      if (deadline_is_next) {
        now = deadline;
        end_drain("deadline");
      } else if (next) {
        now = next->due;
        begin(*next);
      } else {
        break;
      }
      settle();
    }
    now = end;
  }

  bool add(const std::string& name, RestartPolicy restart, const std::optional<BackoffPolicy>& policy) {
    if (shutdown_asked || find(name)) return false;
    lives.push_back({.name = name, .restart = restart, .policy = policy.value_or(setup_.config.backoff)});
    Life& life = lives.back();
    life.added_at = life.phase_since = now;
    life.earlier_lives_now = lives_added_at(name, now);
    births_.push_back({name, now});
    ++counters.spawned;
    ++counters.active_services;
    asked.push_back([this, &life] { tell_added(life); });
    return true;
  }

  bool stop(const std::string& name) {
    Life* const life = find(name);
    if (!life) return false;
    asked.push_back([this, life] {
      if (life->gone) return;
      tell(*life, "commanded stop");
      stop_for_good(*life, "stop");
    });
    return true;
  }

  bool restart(const std::string& name) {
    Life* const life = find(name);
    if (!life || shutdown_asked || life->to_be_removed) return false;
    if (life->phase == "stopping" && life->stop_cause != "restart") return false;
    asked.push_back([this, life] {
      if (life->gone) return;
      tell(*life, "commanded restart");
      life->attempt = 0;
      life->failed_at.clear();
      if (life->phase == "running") {
        ask_to_stop(*life, "restart");
      } else if (life->phase == "backing_off") {
        begin(*life);
      } else if (life->phase == "terminated") {
        begin_again_in_place(*life);
      }
    });
    return true;
  }

  bool remove(const std::string& name) {
    Life* const life = find(name);
    if (!life) return false;
    if (life->to_be_removed) return true;
    life->to_be_removed = true;
    life->name_free = life->phase == "terminated";
    asked.push_back([this, life] {
      if (life->gone) return;
      tell(*life, "commanded remove");
      life->removal_begun = true;
      if (life->phase == "terminated") return forget(*life);
      stop_for_good(*life, "remove");
    });
    return true;
  }

  void end_run(const std::string& name, const ModelRun& how) {
    Life* const life = find(name);
    if (life) said_to_end(*life, how);
  }

  void request_shutdown() {
    if (shutdown_asked) return;
    shutdown_asked = true;
    deadline = now + setup_.config.shutdown_timeout.count();
    asked.push_back([this] { shut_down("requested"); });
  }

  void ask_to_end_drain() {
    request_shutdown();
    asked.push_back([this] { end_drain("cut_short"); });
  }

  Life* find(const std::string& name) {
    for (auto& life : lives) {
      if (life.name == name && !life.name_free) return &life;
    }
    return nullptr;
  }

  std::int64_t now = 0;
  std::list<Life> lives;  // in the order of adding, those gone included
  std::list<std::function<void()>> asked;
  Lines lines;
  Counters counters;
  bool shutdown_asked = false, shutting_down = false, drained = false;
  std::int64_t deadline = 0;
  std::string outcome;
  Lines abandoned, failed;
  std::map<std::string, Inside> next_start, next_stop;

 private:
  void tell(const std::string& who, const std::string& what) {
    lines.push_back(to_string(TimePoint{now}) + ' ' + who + ' ' + what);
  }
  void tell(const Life& life, const std::string& what) { tell(life.name, what); }

  void enter(Life& life, const std::string& phase) {
    life.phase = phase;
    life.phase_since = now;
  }

  std::uint32_t lives_added_at(const std::string& name, std::int64_t at) const {
    return static_cast<std::uint32_t>(std::count(births_.begin(), births_.end(), std::pair{name, at}));
  }

  void tell_added(Life& life) {
    const std::string before = life.run == 0 ? "" : " after run " + std::to_string(life.run);
    tell(life, "added " + std::string{to_string(life.restart)} + before);
    asked.push_back([this, &life] {
      if (!life.gone && life.phase == "starting") begin(life);
    });
  }

  void begin(Life& life) {
    enter(life, "starting");
    ++life.run;
    ++life.starts;
    ++counters.starts;
    if (!life.never_run) ++counters.restarts;
    life.never_run = false;
    life.run_alive = true;
    life.began = now;
    tell(life, "started " + std::to_string(life.run));
    const Inside inside = std::exchange(next_start[life.name], Inside::nothing);
    if (inside != Inside::nothing) said_to_end(life, run_that(inside));
    enter(life, "running");
    tell(life, "running " + std::to_string(life.run));
  }

  // Only the first end of the latest run counts.
  void said_to_end(Life& life, const ModelRun& how) {
    if (!life.run_alive) return;
    life.run_alive = false;
    asked.push_back([this, &life, how] {
      if (!life.gone) ended(life, how);
    });
  }

  void ended(Life& life, const ModelRun& how) {
    const std::int64_t lasted = now - life.began;
    const std::string text = std::to_string(life.run) + " after " + to_string(Duration{lasted}) + ' ' + how.outcome +
                             (how.error.empty() ? "" : ": " + how.error);
    if (life.phase == "terminated") return tell(life, "ended_late " + text);
    life.running_time += lasted;
    if (how.outcome != "clean") life.last_error = how.error;
    tell(life, "ended " + text);
    if (life.phase == "stopping") {
      if (life.stop_cause == "restart") return begin(life);
      return terminate(life, "cancelled");
    }
    if (lasted >= life.policy.cooldown.count()) {
      life.attempt = 0;
      life.failed_at.clear();
    }
    if (how.outcome == "clean") {
      ++life.clean_exits;
      ++counters.clean_exits;
      if (life.restart != RestartPolicy::always) return terminate(life, "completed");
      life.attempt = 0;
      const std::int64_t delay = life.policy.clean_restart_delay.count();
      return back_off(life, "clean_exit", delay, delay);
    }
    ++life.failures;
    ++life.attempt;
    ++counters.failures;
    if (how.outcome == "fatal" || life.restart == RestartPolicy::never) {
      life.failed_for_good = true;
      return terminate(life, "failed: " + life.last_error);
    }
    if (life.policy.breaker && breaker_trips(life)) return;
    const std::int64_t ceiling = ceiling_of(life);
    back_off(life, "failure", ceiling, drawn_delay(life, ceiling));
  }

  bool breaker_trips(Life& life) {
    const BreakerPolicy& breaker = *life.policy.breaker;
    std::erase_if(life.failed_at, [&](std::int64_t at) { return now - at > breaker.window.count(); });
    if (life.failed_at.size() + 1 < breaker.max_failures) {
      life.failed_at.push_back(now);
      return false;
    }
    const std::string count = std::to_string(breaker.max_failures) + '/' + std::to_string(breaker.max_failures);
    ++counters.circuit_breaker_trips;
    tell(life, "breaker_tripped " + count);
    life.failed_for_good = true;
    terminate(life, "circuit breaker open (" + count + " failures)");
    return true;
  }

  static std::int64_t ceiling_of(const Life& life) {
    std::int64_t ceiling = life.policy.base.count();
    for (std::uint32_t i = 1; i < life.attempt && ceiling < life.policy.max.count(); ++i) ceiling *= 2;
    return std::min(ceiling, life.policy.max.count());
  }

  std::int64_t drawn_delay(const Life& life, std::int64_t ceiling) const {
    const DrawKey key{kSeed, name_hash(life.name), TimePoint{life.added_at}, life.earlier_lives_now};
    const Draw bits = draw(key, Purpose::backoff_jitter, life.run);
    __extension__ using Wide = unsigned __int128;
    const Wide values = static_cast<Wide>(ceiling) + 1;
    return static_cast<std::int64_t>((bits.high * values + ((bits.low * values) >> 64)) >> 64);
  }

  void back_off(Life& life, const std::string& cause, std::int64_t ceiling, std::int64_t delay) {
    enter(life, "backing_off");
    life.due = now + delay;
    life.due_order = ++dues_;
    tell(life, "backing_off " + cause + ' ' + std::to_string(life.attempt) + ", " + to_string(Duration{delay}) +
                   " of " + to_string(Duration{ceiling}));
  }

  void ask_to_stop(Life& life, const std::string& cause) {
    enter(life, "stopping");
    life.stop_cause = cause;
    tell(life, "stopping " + cause);
    if (!life.run_alive) return;
    const Inside inside = std::exchange(next_stop[life.name], Inside::nothing);
    if (inside == Inside::throws || inside == Inside::fails_and_throws) tell(life, "stop_threw thrown");
    if (inside != Inside::nothing && inside != Inside::throws) said_to_end(life, run_that(inside));
  }

  void stop_for_good(Life& life, const std::string& cause) {
    if (life.phase == "starting") {
      terminate(life, "cancelled");
    } else if (life.phase == "running") {
      ask_to_stop(life, cause);
    } else if (life.phase == "backing_off") {
      tell(life, "stopping " + cause);
      terminate(life, "cancelled");
    } else if (life.phase == "stopping" && life.stop_cause == "restart") {
      life.stop_cause = cause;
      tell(life, "stopping " + cause);
    }
  }

  void terminate(Life& life, const std::string& why) {
    enter(life, "terminated");
    life.termination = why;
    ++counters.terminated;
    --counters.active_services;
    tell(life, "terminated " + why);
    if (life.removal_begun) forget(life);
    if (counters.active_services > 0 || drained) return;
    if (shutting_down) {
      end_drain("drained");
    } else if (setup_.config.when_all_terminated == WhenAllTerminated::return_) {
      asked.push_back([this] {
        if (counters.active_services == 0) shut_down("all_terminated");
      });
    }
  }

  void begin_again_in_place(Life& life) {
    tell(life, "removed");
    Life next{.name = life.name, .restart = life.restart, .policy = life.policy};
    next.run = life.run;
    next.added_at = next.phase_since = now;
    next.earlier_lives_now = lives_added_at(life.name, now);
    births_.push_back({life.name, now});
    ++counters.spawned;
    ++counters.active_services;
    life = next;
    tell_added(life);
  }

  void forget(Life& life) {
    tell(life, "removed");
    life.gone = life.name_free = true;
  }

  void shut_down(const std::string& cause) {
    if (shutting_down) return;
    if (!shutdown_asked) deadline = now + setup_.config.shutdown_timeout.count();
    shutdown_asked = shutting_down = true;
    tell("-", "shutdown_requested " + cause + ' ' + to_string(setup_.config.shutdown_timeout));
    std::vector<Life*> all;
    for (auto& life : lives) {
      if (!life.gone) all.push_back(&life);
    }
    for (Life* const life : all) {
      if (life->phase != "terminated") stop_for_good(*life, "shutdown");
    }
    if (counters.active_services == 0 && !drained) end_drain("drained");
  }

  void end_drain(const std::string& how) {
    if (drained) return;
    drained = true;
    outcome = how;
    const std::int64_t took = now - (deadline - setup_.config.shutdown_timeout.count());
    std::vector<Life*> all;
    for (auto& life : lives) {
      if (!life.gone) all.push_back(&life);
    }
    for (Life* const life : all) {
      if (life->phase == "terminated") {
        if (life->failed_for_good) failed.push_back(life->name);
        continue;
      }
      abandoned.push_back(life->name);
      ++counters.abandoned_runs;
      life->running_time += now - life->began;
      terminate(*life, "abandoned after " + to_string(Duration{took}));
    }
    tell("-", "drained " + how);
  }

  const Setup& setup_;
  std::vector<std::pair<std::string, std::int64_t>> births_;
  std::uint64_t dues_ = 0;
};

// ---------------------------------------------------------------------------------------------------------------------
// The supervisor, driven the same way
// ---------------------------------------------------------------------------------------------------------------------

struct Real {
  explicit Real(const Setup& setup) : setup_(setup), supervisor(scheduler, setup.config, kSeed, recorder) {
    scheduler.run_tasks();
  }

  // But for warnings: the model knows nothing about configurations.
  Lines told() {
    Lines lines = recorder.take();
    std::erase_if(lines, [](const std::string& line) { return line.find(" warned ") != std::string::npos; });
    return lines;
  }

  void pass(Duration time) {
    scheduler.run_tasks();
    const TimePoint end = scheduler.now() + time;
    while (scheduler.fire_next(end)) {
    }
    scheduler.advance_to(end);
  }

  bool add(const std::string& name, RestartPolicy restart, const std::optional<BackoffPolicy>& policy) {
    Script& script = scripts_.emplace_back();
    script.on_start = [this, name](Run run) { act(std::exchange(next_start[name], Inside::nothing), run); };
    script.on_stop = [this, name](Run run) { act(std::exchange(next_stop[name], Inside::nothing), run); };
    if (!supervisor.add({.name = name, .restart = restart, .backoff = policy}, script)) return false;
    latest_[name] = &script;
    return true;
  }

  void end_run(const std::string& name, int how) {
    const auto found = latest_.find(name);
    if (found == latest_.end() || found->second->runs.empty()) return;
    const Run run = found->second->runs.back();
    switch (how % 4) {
      case 0: return run.end(Exit::clean());
      case 1: return run.end(Exit::failed("outside"));
      case 2: return run.end(Exit::fatal("outside"));
      default: break;
    }
    try {
      throw std::runtime_error{"thrown"};
    } catch (...) {
      run.end(Exit::from_current_exception());
    }
  }

  const Setup& setup_;
  sim::VirtualScheduler scheduler;
  Recorder recorder;
  std::map<std::string, Inside> next_start, next_stop;

 private:
  static void act(Inside inside, Run run) {
    switch (inside) {
      case Inside::nothing: return;
      case Inside::ends_cleanly: return run.end(Exit::clean());
      case Inside::fails: return run.end(Exit::failed("inside"));
      case Inside::is_fatal: return run.end(Exit::fatal("inside"));
      case Inside::throws: break;
      case Inside::fails_and_throws: run.end(Exit::failed("inside")); break;
    }
    throw std::runtime_error{"thrown"};
  }

  std::list<Script> scripts_;
  std::map<std::string, Script*> latest_;

 public:
  Supervisor supervisor;  // last: it goes before what it uses
};

ModelRun model_run(int how) {
  switch (how % 4) {
    case 0: return {"clean", ""};
    case 1: return {"failed", "outside"};
    case 2: return {"fatal", "outside"};
    default: return {"threw", "thrown"};
  }
}

// Does the step to both. What is accepted must be the same; false if it is not.
bool take(const Step& step, const Setup& setup, Model& model, Real& real) {
  const std::string& name = kNames[static_cast<std::size_t>(step.who) % kNames.size()];
  switch (step.kind) {
    case Step::Kind::add: {
      const auto restart = static_cast<RestartPolicy>(step.how % 3);
      const auto& policy = setup.policies[static_cast<std::size_t>(step.much) % setup.policies.size()];
      return model.add(name, restart, policy) == real.add(name, restart, policy);
    }
    case Step::Kind::stop: return model.stop(name) == static_cast<bool>(real.supervisor.stop(name));
    case Step::Kind::restart: return model.restart(name) == static_cast<bool>(real.supervisor.restart(name));
    case Step::Kind::remove: return model.remove(name) == static_cast<bool>(real.supervisor.remove(name));
    case Step::Kind::pass:
      model.pass(step.much);
      real.pass(Duration{step.much});
      return true;
    case Step::Kind::end:
    case Step::Kind::end_with_others:
      model.end_run(name, model_run(step.how));
      real.end_run(name, step.how);
      return true;
    case Step::Kind::next_start:
    case Step::Kind::next_stop: {
      const bool start = step.kind == Step::Kind::next_start;
      const auto inside = static_cast<Inside>(step.how % 6);
      (start ? model.next_start : model.next_stop)[name] = inside;
      (start ? real.next_start : real.next_stop)[name] = inside;
      return true;
    }
    case Step::Kind::shutdown:
      model.request_shutdown();
      real.supervisor.request_shutdown();
      return true;
    case Step::Kind::end_drain:
      model.ask_to_end_drain();
      real.supervisor.end_drain();
      return true;
  }
  return false;
}

// Both snapshots as text, field by field.
std::string text_of(const ServiceSnapshot& s) {
  const std::string termination = s.termination ? to_string(*s.termination, s.last_error) : "";
  std::string text = s.name + ' ' + std::string{to_string(s.restart)} + ' ' + std::string{to_string(s.phase)};
  for (const auto value : {s.run.value, s.starts, s.failures, s.clean_exits, std::uint64_t{s.attempt},
                           std::uint64_t{s.failures_in_window}}) {
    text += ' ' + std::to_string(value);
  }
  for (const auto value : {s.running_time, s.age, s.time_in_phase}) text += ' ' + to_string(value);
  return text + " next " + (s.next_start ? to_string(*s.next_start) : "-") + " error " + s.last_error + " why " +
         termination;
}

std::string text_of(const Model::Life& life, std::int64_t now) {
  const bool runs = life.phase == "running" || life.phase == "stopping";
  std::string text = life.name + ' ' + std::string{to_string(life.restart)} + ' ' + life.phase;
  for (const auto value : {life.run, life.starts, life.failures, life.clean_exits, std::uint64_t{life.attempt},
                           std::uint64_t{life.failed_at.size()}}) {
    text += ' ' + std::to_string(value);
  }
  for (const auto value :
       {life.running_time + (runs ? now - life.began : 0), now - life.added_at, now - life.phase_since}) {
    text += ' ' + to_string(Duration{value});
  }
  return text + " next " + (life.phase == "backing_off" ? to_string(TimePoint{life.due}) : "-") + " error " +
         life.last_error + " why " + (life.phase == "terminated" ? life.termination : "");
}

Lines snapshots_of(const Model& model) {
  Lines all;
  for (const auto& life : model.lives) {
    if (!life.name_free) all.push_back(text_of(life, model.now));
  }
  return all;
}

Lines snapshots_of(const Real& real) {
  Lines all;
  for (const auto& snapshot : real.supervisor.snapshots()) all.push_back(text_of(snapshot));
  return all;
}

std::string joined(const Lines& lines) {
  std::string text;
  for (const auto& line : lines) text += "\n    " + line;
  return text;
}

// What is not the same, in words; empty if all is.
std::string difference(Model& model, Real& real) {
  const auto differ = [](const char* what, const Lines& of_model, const Lines& of_real) {
    return std::string{what} + "\n  the model says:" + joined(of_model) + "\n  the supervisor says:" + joined(of_real);
  };
  const Lines told_by_model = std::exchange(model.lines, {});
  const Lines told = real.told();
  if (told_by_model != told) return differ("events", told_by_model, told);
  if (!real.recorder.ledger().violations().empty()) return joined(real.recorder.ledger().violations());
  if (snapshots_of(model) != snapshots_of(real)) return differ("snapshots", snapshots_of(model), snapshots_of(real));
  const auto& counters = real.supervisor.counters();
  if (!(counters == model.counters) || !(counters == real.recorder.ledger().counters())) return "counters";
  if (real.supervisor.is_shutting_down() != model.shutdown_asked) return "is_shutting_down";
  const auto& result = real.supervisor.shutdown_result();
  if (result.has_value() != model.drained) return "shutdown_result";
  if (!result) return "";
  if (to_string(result->outcome) != model.outcome) return "outcome of the drain";
  if (result->abandoned != model.abandoned) return differ("abandoned", model.abandoned, result->abandoned);
  return result->failed == model.failed ? "" : differ("failed", model.failed, result->failed);
}

std::ostream& operator<<(std::ostream& out, const Step& step) {
  static const std::vector<std::string> kKinds{"add",       "stop",     "restart",         "remove",
                                               "pass",      "end",      "end_with_others", "next_start",
                                               "next_stop", "shutdown", "end_drain"};
  const std::string& name = kNames[static_cast<std::size_t>(step.who) % kNames.size()];
  out << kKinds[static_cast<std::size_t>(step.kind)];
  switch (step.kind) {
    case Step::Kind::pass: return out << ' ' << step.much << "ns";
    case Step::Kind::shutdown:
    case Step::Kind::end_drain: return out;
    case Step::Kind::add:
      return out << ' ' << name << ' ' << to_string(static_cast<RestartPolicy>(step.how % 3)) << " policy "
                 << step.much;
    case Step::Kind::end:
    case Step::Kind::end_with_others: return out << ' ' << name << ' ' << model_run(step.how).outcome;
    case Step::Kind::next_start:
    case Step::Kind::next_stop: return out << ' ' << name << " inside " << step.how % 6;
    default: return out << ' ' << name;
  }
}

// Both through all steps. The first difference in words, with the step after which it was seen; empty if there is none.
std::string drive(const Setup& setup, const std::vector<Step>& steps) {
  Model model{setup};
  Real real{setup};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto& step = steps[i];
    std::ostringstream where;
    where << "after step " << i + 1 << ", " << step << ": ";
    if (!take(step, setup, model, real)) return where.str() + "accepted by one, refused by the other";
    if (step.kind == Step::Kind::end_with_others && i + 1 < steps.size()) continue;
    model.settle();
    real.scheduler.run_tasks();
    if (const auto found = difference(model, real); !found.empty()) return where.str() + found;
  }
  return "";
}

}  // namespace

}  // namespace holdfast::test

// ---------------------------------------------------------------------------------------------------------------------
// Generation
// ---------------------------------------------------------------------------------------------------------------------

namespace rc {

template <>
struct Arbitrary<holdfast::test::Step> {
  static Gen<holdfast::test::Step> arbitrary() {
    using holdfast::test::Step;
    using Kind = Step::Kind;
    return gen::build<Step>(
        gen::set(&Step::kind, gen::weightedElement<Kind>({{12, Kind::add},
                                                          {20, Kind::end},
                                                          {20, Kind::pass},
                                                          {10, Kind::end_with_others},
                                                          {6, Kind::restart},
                                                          {4, Kind::stop},
                                                          {4, Kind::remove},
                                                          {6, Kind::next_start},
                                                          {5, Kind::next_stop},
                                                          {1, Kind::shutdown},
                                                          {1, Kind::end_drain}})),
        gen::set(&Step::who, gen::inRange(0, 4)),
        // Failures twice as often as the rest: a breaker needs several in a row.
        gen::set(&Step::how, gen::weightedElement<int>({{2, 0}, {4, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}})),
        gen::set(&Step::much, gen::inRange(0, 6)));
  }
};

template <>
struct Arbitrary<holdfast::BackoffPolicy> {
  static Gen<holdfast::BackoffPolicy> arbitrary() {
    using holdfast::BackoffPolicy;
    using holdfast::BreakerPolicy;
    using holdfast::Duration;
    return gen::map(gen::tuple(gen::inRange(0, 4), gen::inRange(0, 6), gen::inRange(0, 9), gen::inRange(0, 4),
                               gen::inRange(0, 5), gen::inRange(1, 12)),
                    [](const std::tuple<int, int, int, int, int, int>& of) {
                      const auto [base, above, cooldown, clean, failures, window] = of;
                      BackoffPolicy policy{.base = Duration{base},
                                           .max = Duration{base + above},
                                           .cooldown = Duration{cooldown},
                                           .clean_restart_delay = Duration{clean},
                                           .breaker = std::nullopt};
                      if (failures > 0) {
                        policy.breaker = BreakerPolicy{static_cast<std::uint32_t>(failures), Duration{window}};
                      }
                      return policy;
                    });
  }
};

template <>
struct Arbitrary<holdfast::test::Setup> {
  static Gen<holdfast::test::Setup> arbitrary() {
    using holdfast::BackoffPolicy;
    using holdfast::test::Setup;
    return gen::map(gen::tuple(gen::arbitrary<BackoffPolicy>(), gen::arbitrary<BackoffPolicy>(),
                               gen::arbitrary<BackoffPolicy>(), gen::inRange(0, 8), gen::inRange(0, 4)),
                    [](const std::tuple<BackoffPolicy, BackoffPolicy, BackoffPolicy, int, int>& of) {
                      const auto& [own, one, two, timeout, when] = of;
                      Setup setup{.policies = {std::nullopt, one, two}};
                      setup.config.backoff = own;
                      setup.config.shutdown_timeout = holdfast::Duration{timeout};
                      if (when == 0) setup.config.when_all_terminated = holdfast::WhenAllTerminated::return_;
                      return setup;
                    });
  }
};

}  // namespace rc

namespace holdfast {

void showValue(const BackoffPolicy& policy, std::ostream& out) {
  out << "{base " << policy.base.count() << ", max " << policy.max.count() << ", cooldown " << policy.cooldown.count()
      << ", clean_restart_delay " << policy.clean_restart_delay.count();
  if (policy.breaker) out << ", breaker " << policy.breaker->max_failures << " in " << policy.breaker->window.count();
  out << '}';
}

namespace test {
namespace {

void showValue(const Step& step, std::ostream& out) { out << step; }

void showValue(const Setup& setup, std::ostream& out) {
  out << "shutdown_timeout " << setup.config.shutdown_timeout.count() << "ns, when all have terminated "
      << to_string(setup.config.when_all_terminated) << ", policies ";
  holdfast::showValue(setup.config.backoff, out);
  for (const auto& policy : setup.policies) {
    if (policy) holdfast::showValue(*policy, out << ' ');
  }
}

}  // namespace

TEST_CASE("whatever is done to a fleet, the supervisor does and says what the model does and says") {
  rc::prop("the supervisor and its model agree after every step", [](const Setup& setup) {
    const auto steps = *rc::gen::scale(3.0, rc::gen::arbitrary<std::vector<Step>>());
    const std::string found = drive(setup, steps);
    if (!found.empty()) RC_FAIL(found);
  });
}

// Short sequences in full: no chance can miss them. One service, whose delays are 0 or 1 ns.
TEST_CASE("every sequence of four steps in the life of one service agrees with the model") {
  using Kind = Step::Kind;
  const std::vector<Step> all{{Kind::add, 0, 1, 0},
                              {Kind::stop},
                              {Kind::restart},
                              {Kind::remove},
                              {Kind::pass, 0, 0, 1},
                              {Kind::end, 0, 0},
                              {Kind::end, 0, 1},
                              {Kind::end, 0, 2},
                              {Kind::end_with_others, 0, 1},
                              {Kind::end_with_others, 0, 0},
                              {Kind::next_start, 0, 2},
                              {Kind::next_stop, 0, 2},
                              {Kind::shutdown},
                              {Kind::end_drain}};
  for (const int restart : {0, 1, 2}) {
    Setup setup{.policies = {std::nullopt}};
    setup.config = config_of(
        {.base = 1ns, .max = 1ns, .cooldown = 2ns, .clean_restart_delay = 1ns, .breaker = BreakerPolicy{2, 1ns}}, 1ns);
    if (restart == 2) setup.config.when_all_terminated = WhenAllTerminated::return_;
    const std::size_t count = all.size() * all.size() * all.size() * all.size();
    for (std::size_t number = 0; number < count; ++number) {
      std::vector<Step> steps{{Kind::add, 0, restart, 0}};
      for (std::size_t rest = number, i = 0; i < 4; ++i, rest /= all.size()) steps.push_back(all[rest % all.size()]);
      const std::string found = drive(setup, steps);
      if (found.empty()) continue;
      std::ostringstream sequence;
      for (const auto& step : steps) sequence << step << "; ";
      FAIL(sequence.str() << '\n' << found);
    }
  }
  SUCCEED();
}

}  // namespace test
}  // namespace holdfast
