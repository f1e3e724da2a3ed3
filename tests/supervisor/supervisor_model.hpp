// A model of the supervisor: plain rules over a list of lives, written from the rules and not from the code.
//
// It has no timers, no ids, no links and no callbacks. What has been said and not been acted on stands in a list in the
// order of arrival, because that order is itself a rule; what is due next is looked for from one end of the fleet to
// the other. It is a value: it can be copied in any state. It shares the words and draw() with the supervisor, and
// nothing that decides.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "supervisor_model_step.hpp"

#include <holdfast/random.hpp>
#include <holdfast/snapshot.hpp>

namespace holdfast::test {

class Model {
 public:
  struct Life {
    std::string name;
    RestartPolicy restart = RestartPolicy::on_failure;
    BackoffPolicy policy;
    Phase phase = Phase::starting;
    StopCause stop_cause = StopCause::stop;
    bool run_alive = false;  // begun, and has not said that it ended
    bool never_run = true;
    bool stop_asked = false;     // for good, by a command; acted on or not
    bool remove_asked = false;   // acted on or not
    bool removal_begun = false;  // acted on: it is forgotten once it has terminated
    bool name_free = false;
    bool gone = false;
    bool failed_for_good = false;
    bool was_abandoned = false;
    bool last_run_failed = false;
    bool ended_badly_in_drain = false;
    std::map<std::uint64_t, std::int64_t> set_aside;  // abandoned runs that are alive: when they began, by number
    std::uint64_t run = 0, starts = 0, failures = 0, clean_exits = 0;
    std::uint32_t attempt = 0;
    std::uint32_t openings = 0;               // of its breaker in a row; 0: it is closed
    std::optional<std::int64_t> probe_up_at;  // while it runs as a probe
    std::uint64_t probe_order = 0;
    std::vector<std::int64_t> failed_at;
    std::string last_error;
    std::string termination;
    std::int64_t running_time = 0, added_at = 0, phase_since = 0, began = 0, due = 0;
    std::uint64_t due_order = 0;
    std::optional<std::int64_t> grace_over;  // while it stops under a grace
    std::uint64_t grace_order = 0;
    std::int64_t stop_asked_at = 0;
    bool killed = false;  // the latest run
    std::uint32_t earlier_lives_now = 0;
  };

  Model(std::shared_ptr<const Setup> setup, Seed seed) : setup_(std::move(setup)), seed_(seed) {
    waits_for_first_ = setup_->config.when_all_terminated == WhenAllTerminated::return_;
  }

  // Does the step; unless it is joined to the next one, acts on all that has been said.
  void take(const Step& step) {
    if (step.where == Where::outside) {
      do_now(step);
    } else {
      planned_[step.where][step.inside_of] = step;
    }
    if (!step.joined) settle();
  }

  [[nodiscard]] const Life* find(std::string_view name) const {
    for (const auto& life : lives) {
      if (life.name == name && !life.name_free) return &life;
    }
    return nullptr;
  }

  // The next moment at which something happens by itself.
  [[nodiscard]] std::optional<std::int64_t> next_due() const {
    const auto first = first_due();
    return first ? std::optional{first->at} : std::nullopt;
  }

  std::int64_t now = 0;
  std::deque<Life> lives;                                   // in the order of adding, those gone included
  std::vector<std::pair<std::size_t, std::uint64_t>> runs;  // every run that ever began: whose, and its number
  std::vector<std::string> lines;                           // reported and not yet taken
  std::vector<std::string> answers;                         // to commands, not yet taken
  Counters counters;
  bool shutdown_asked = false, shutting_down = false, drained = false, killed_in_drain = false;
  std::int64_t deadline = 0;
  std::string outcome;
  std::vector<std::string> abandoned, failed, errors;

 private:
  // What has been said, and is acted on in the order of arrival.
  struct Said {
    enum class What {
      added,
      first_start,
      ended,
      ended_late,
      stop,
      restart,
      reset,
      remove,
      shutdown,
      all_terminated,
      end_drain,
      abandon_rest
    };
    What what;
    std::size_t life = 0;
    Outcome outcome = Outcome::clean;
    std::string error = {};
    std::uint64_t run = 0;  // restart: the latest when it was said; ended_late: the one that ended
    std::int64_t began = 0;
  };

  // -------------------------------------------------------------------------------------------------------------------
  // What can be done
  // -------------------------------------------------------------------------------------------------------------------

  void do_now(const Step& step) {
    const std::string name{kNames[step.name]};
    switch (step.verb) {
      case Verb::add: return answer(step, add(name, static_cast<RestartPolicy>(step.restart), step.number));
      case Verb::stop: return answer(step, stop(name));
      case Verb::restart: return answer(step, restart(name));
      case Verb::remove: return answer(step, remove(name));
      case Verb::reset: return answer(step, reset(name));
      case Verb::pass: return pass(step.number);
      case Verb::end: return end_latest(name, static_cast<Outcome>(step.outcome));
      case Verb::end_old:
        if (step.number < runs.size()) end(runs[step.number], static_cast<Outcome>(step.outcome), "ended");
        return;
      case Verb::throws: return;  // by a service: its caller handles that
      case Verb::shutdown: return ask_for_shutdown();
      case Verb::end_drain:
        ask_for_shutdown();
        said_.push_back({Said::What::end_drain});
        return;
    }
  }

  void answer(const Step& step, bool accepted) { answers.push_back(text_of(step) + (accepted ? " yes" : " no")); }

  bool add(const std::string& name, RestartPolicy restart, unsigned policy) {
    if (shutdown_asked || find(name)) return false;
    Life& life = lives.emplace_back();
    life.name = name;
    life.restart = restart;
    life.policy = setup_->policy(policy).value_or(setup_->config.backoff);
    be_born(life);
    waits_for_first_ = false;
    said_.push_back({Said::What::added, lives.size() - 1});
    return true;
  }

  bool stop(const std::string& name) {
    const auto at = present(name);
    if (!at) return false;
    lives[*at].stop_asked = true;
    said_.push_back({Said::What::stop, *at});
    return true;
  }

  bool restart(const std::string& name) {
    const auto at = present(name);
    if (!at || shutdown_asked) return false;
    Life& life = lives[*at];
    if (life.remove_asked || (life.stop_asked && life.phase != Phase::terminated)) return false;
    if (life.phase == Phase::terminated && life.run_alive) {  // abandoned, and alive
      if (!runs_side_by_side(number_of(life)) || life.set_aside.size() + 1 > kAbandonedRunsMax) return false;
    }
    life.stop_asked = false;
    said_.push_back({Said::What::restart, *at, {}, {}, life.run});
    return true;
  }

  bool reset(const std::string& name) {
    const auto at = present(name);
    if (!at || shutdown_asked) return false;
    if (lives[*at].phase == Phase::terminated || lives[*at].stop_asked) return false;
    said_.push_back({Said::What::reset, *at});
    return true;
  }

  bool remove(const std::string& name) {
    const auto at = present(name);
    if (!at) return false;
    Life& life = lives[*at];
    if (life.remove_asked) return true;
    life.stop_asked = life.remove_asked = true;
    life.name_free = life.phase == Phase::terminated;
    said_.push_back({Said::What::remove, *at});
    return true;
  }

  void end_latest(const std::string& name, Outcome how) {
    const auto at = present(name);
    if (at) end({*at, lives[*at].run}, how, "ended");
  }

  // Only the first end of the latest run counts.
  void end(std::pair<std::size_t, std::uint64_t> whose, Outcome how, const std::string& error) {
    Life& life = lives[whose.first];
    if (life.gone) return;
    if (const auto old = life.set_aside.extract(whose.second)) {
      said_.push_back(
          {Said::What::ended_late, whose.first, how, how == Outcome::clean ? "" : error, whose.second, old.mapped()});
      return;
    }
    if (!life.run_alive || life.run != whose.second) return;
    life.run_alive = false;
    said_.push_back({Said::What::ended, whose.first, how, how == Outcome::clean ? "" : error});
  }

  void ask_for_shutdown() {
    if (shutdown_asked) return;
    shutdown_asked = true;
    deadline = now + setup_->config.shutdown_timeout.count();
    said_.push_back({Said::What::shutdown});
  }

  void pass(std::int64_t time) {
    settle();
    const std::int64_t end = now + time;
    for (auto first = first_due(); first && first->at <= end; first = first_due()) {
      now = first->at;
      if (!first->whose) {
        shutting_down ? end_drain("deadline") : shut_down("all_terminated");
      } else if (lives[*first->whose].phase == Phase::backing_off) {
        begin(lives[*first->whose]);
      } else if (lives[*first->whose].probe_up_at) {
        probe_is_up(lives[*first->whose]);
      } else {
        grace_is_over(lives[*first->whose]);
      }
      settle();
    }
    now = end;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // What follows
  // -------------------------------------------------------------------------------------------------------------------

  void settle() {
    while (!said_.empty()) {
      const Said first = said_.front();
      said_.erase(said_.begin());
      act_on(first);
    }
  }

  void act_on(const Said& said) {
    switch (said.what) {
      case Said::What::shutdown: return shut_down("requested");
      case Said::What::all_terminated:
        if (counters.active_services == 0) shut_down("all_terminated");
        return;
      case Said::What::end_drain: return end_drain("cut_short");
      case Said::What::abandon_rest: return finish_drain();
      default: break;
    }
    Life& life = lives[said.life];
    if (life.gone) return;
    switch (said.what) {
      case Said::What::added: return tell_added(life);
      case Said::What::first_start:
        if (life.phase == Phase::starting && life.never_run) begin(life);
        return;
      case Said::What::ended: return ended(life, said.outcome, said.error);
      case Said::What::ended_late:
        return tell(life, "ended_late " + end_text(said.run, said.began, said.outcome, said.error));
      case Said::What::stop: tell(life, "commanded stop"); return stop_for_good(life, StopCause::stop);
      case Said::What::restart: tell(life, "commanded restart"); return restarted(life, said.run);
      case Said::What::reset: tell(life, "commanded reset"); return was_reset(life);
      case Said::What::remove: tell(life, "commanded remove"); return removed(life);
      default: return;
    }
  }

  void tell_added(Life& life) {
    const std::string before = life.run == 0 ? "" : " after run " + std::to_string(life.run);
    const auto& grace = setup_->config.stop_grace;
    const std::string stops = (grace ? ", stop_grace " + to_string(*grace) : "") +
                              (killable(life) ? ", can be killed" : "") +
                              (runs_side_by_side(number_of(life)) ? ", runs side by side" : "");
    tell(life, "added " + std::string{to_string(life.restart)} + before + stops);
    said_.push_back({Said::What::first_start, place_of(life)});
  }

  void begin(Life& life) {
    enter(life, Phase::starting);
    ++life.run;
    ++life.starts;
    ++counters.starts;
    if (!life.never_run) ++counters.restarts;
    life.never_run = false;
    life.run_alive = true;
    life.began = now;
    runs.push_back({place_of(life), life.run});
    tell(life, "started " + std::to_string(life.run));
    if (does_inside(Where::in_start, life)) end(runs.back(), Outcome::threw, "thrown");
    enter(life, Phase::running);
    tell(life, "running " + std::to_string(life.run));
    if (life.openings == 0 || !life.run_alive) return;
    life.probe_up_at = now + life.policy.breaker->half_open->probe_success_after.count();
    life.probe_order = ++dues_;
  }

  // What a service does inside a callback, once; true if it throws.
  bool does_inside(Where where, const Life& life) {
    const auto found = planned_[where].extract(number_of(life));
    if (!found) return false;
    do_now(found.mapped());
    return found.mapped().then_throws || found.mapped().verb == Verb::throws;
  }

  void ended(Life& life, Outcome how, const std::string& error) {
    if (life.phase == Phase::starting) return;  // of a life that a restart has replaced: nobody's
    const std::int64_t lasted = now - life.began;
    const std::string text = end_text(life.run, life.began, how, error);
    if (life.phase == Phase::terminated) return tell(life, "ended_late " + text);
    life.last_run_failed = how != Outcome::clean;
    life.running_time += lasted;
    if (how != Outcome::clean) life.last_error = error;
    tell(life, "ended " + text);
    life.grace_over.reset();
    life.probe_up_at.reset();
    if (life.phase == Phase::stopping) {
      life.ended_badly_in_drain = life.last_run_failed && shutting_down;
      return life.stop_cause == StopCause::restart ? begin(life) : terminate(life, "cancelled");
    }
    if (life.openings == 0 && lasted >= life.policy.cooldown.count()) reset(life);
    how == Outcome::clean ? exited(life) : failed_run(life, how);
  }

  std::string end_text(std::uint64_t run, std::int64_t began, Outcome how, const std::string& error) const {
    return std::to_string(run) + " after " + to_string(Duration{now - began}) + ' ' + std::string{to_string(how)} +
           (error.empty() ? "" : ": " + error);
  }

  void exited(Life& life) {
    ++life.clean_exits;
    ++counters.clean_exits;
    close(life);
    if (life.restart != RestartPolicy::always) return terminate(life, "completed");
    life.attempt = 0;
    back_off(life, "clean_exit", life.policy.clean_restart_delay.count(), life.policy.clean_restart_delay.count());
  }

  void failed_run(Life& life, Outcome how) {
    ++life.failures;
    ++life.attempt;
    ++counters.failures;
    if (how == Outcome::fatal || life.restart == RestartPolicy::never) {
      life.failed_for_good = true;
      return terminate(life, "failed: " + life.last_error);
    }
    if (life.openings > 0) return open(life, 1);
    if (life.policy.breaker && breaker_trips(life, *life.policy.breaker)) return;
    const std::int64_t ceiling = ceiling_of(life.policy.base, life.policy.max, life.attempt);
    back_off(life, "failure", ceiling, drawn_delay(life, ceiling));
  }

  bool breaker_trips(Life& life, const BreakerPolicy& breaker) {
    std::erase_if(life.failed_at, [&](std::int64_t at) { return now - at > breaker.window.count(); });
    if (life.failed_at.size() + 1 < breaker.max_failures) {
      life.failed_at.push_back(now);
      return false;
    }
    open(life, breaker.max_failures);
    return true;
  }

  void open(Life& life, std::uint32_t failures) {
    const std::string count = std::to_string(failures) + '/' + std::to_string(failures);
    ++counters.circuit_breaker_trips;
    tell(life, "breaker_tripped " + count);
    const auto& half_open = life.policy.breaker->half_open;
    if (!half_open) {
      life.failed_for_good = true;
      return terminate(life, "circuit breaker open (" + count + " failures)");
    }
    if (life.openings == 0) ++counters.open_breakers;
    life.attempt = ++life.openings;
    const std::int64_t ceiling = ceiling_of(half_open->open_for, half_open->open_for_max, life.openings);
    back_off(life, "breaker_open", ceiling, ceiling - drawn_delay(life, ceiling / 2));
  }

  // As if nothing had ever failed.
  void close(Life& life) {
    if (life.openings == 0) return;
    const std::uint32_t openings = std::exchange(life.openings, 0);
    --counters.open_breakers;
    life.probe_up_at.reset();
    reset(life);
    tell(life, "breaker_closed after " + std::to_string(openings));
  }

  // A probe that has ended, and nobody has got to that yet, did not stay up.
  void probe_is_up(Life& life) {
    life.probe_up_at.reset();
    if (life.run_alive) close(life);
  }

  void was_reset(Life& life) {
    if (shutting_down || life.remove_asked || life.phase == Phase::terminated) return;  // overtaken
    close(life);
    reset(life);
    if (life.phase == Phase::backing_off) begin(life);
  }

  static std::int64_t ceiling_of(Duration base, Duration max, std::uint32_t k) {
    std::int64_t ceiling = base.count();
    for (std::uint32_t i = 1; i < k && ceiling < max.count(); ++i) ceiling *= 2;
    return std::min(ceiling, max.count());
  }

  std::int64_t drawn_delay(const Life& life, std::int64_t ceiling) const {
    const DrawKey key{seed_, name_hash(life.name), TimePoint{life.added_at}, life.earlier_lives_now};
    const Draw bits = draw(key, Purpose::backoff_jitter, life.run);
    __extension__ using Wide = unsigned __int128;
    const Wide values = static_cast<Wide>(ceiling) + 1;
    return static_cast<std::int64_t>((bits.high * values + ((bits.low * values) >> 64)) >> 64);
  }

  void back_off(Life& life, const std::string& cause, std::int64_t ceiling, std::int64_t delay) {
    enter(life, Phase::backing_off);
    life.due = now + delay;
    life.due_order = ++dues_;
    tell(life, "backing_off " + cause + ' ' + std::to_string(life.attempt) + ", " + to_string(Duration{delay}) +
                   " of " + to_string(Duration{ceiling}));
  }

  void restarted(Life& life, std::uint64_t latest_run) {
    if (shutting_down || life.remove_asked) return;  // asked for first, but overtaken
    if (life.run != latest_run) return;              // another run has begun since it was asked for
    if (life.phase != Phase::terminated) close(life);
    reset(life);
    if (life.phase == Phase::running) return ask_to_stop(life, StopCause::restart);
    if (life.phase == Phase::backing_off) return begin(life);
    if (life.phase == Phase::terminated) return begin_again_in_place(life);
  }

  void removed(Life& life) {
    life.removal_begun = true;
    if (life.phase == Phase::terminated) return forget(life);
    stop_for_good(life, StopCause::remove);
  }

  void ask_to_stop(Life& life, StopCause cause) {
    enter(life, Phase::stopping);
    life.probe_up_at.reset();
    life.stop_cause = cause;
    tell(life, "stopping " + std::string{to_string(cause)});
    life.killed = false;
    life.stop_asked_at = now;
    if (!life.run_alive) return;
    if (does_inside(Where::in_stop, life)) tell(life, "stop_threw thrown");
    give_grace(life);
  }

  // A run that has ended inside of its stop needs none.
  void give_grace(Life& life) {
    life.grace_over.reset();
    if (!life.run_alive) return;
    life.grace_over = now + setup_->config.stop_grace.value_or(setup_->config.shutdown_timeout).count();
    life.grace_order = ++dues_;
  }

  void grace_is_over(Life& life) {
    if (killable(life) && !life.killed) {
      kill(life);
      return give_grace(life);
    }
    life.grace_over.reset();
    const bool goes_on = life.stop_cause == StopCause::restart && runs_side_by_side(number_of(life)) &&
                         life.set_aside.size() < kAbandonedRunsMax;
    if (!goes_on) return abandon(life);
    ++counters.abandoned_runs;
    life.running_time += now - life.began;
    tell(life, "abandoned " + std::to_string(life.run) + " after " + to_string(Duration{now - life.stop_asked_at}));
    life.set_aside[life.run] = life.began;
    life.run_alive = false;
    begin(life);
  }

  void kill(Life& life) {
    life.killed = true;
    ++counters.killed_runs;
    tell(life, "killed after " + to_string(Duration{now - life.stop_asked_at}));
    if (does_inside(Where::in_kill, life)) tell(life, "kill_threw thrown");
  }

  void abandon(Life& life) {
    life.grace_over.reset();
    life.was_abandoned = true;
    ++counters.abandoned_runs;
    life.running_time += now - life.began;
    terminate(life, "abandoned after " + to_string(Duration{now - life.stop_asked_at}));
  }

  void stop_for_good(Life& life, StopCause cause) {
    if (life.phase == Phase::starting) return terminate(life, "cancelled");
    if (life.phase == Phase::running) return ask_to_stop(life, cause);
    const bool to_restart = life.phase == Phase::stopping && life.stop_cause == StopCause::restart;
    if (life.phase != Phase::backing_off && !to_restart) return;
    life.stop_cause = cause;
    tell(life, "stopping " + std::string{to_string(cause)});
    if (life.phase == Phase::backing_off) terminate(life, "cancelled");
  }

  void terminate(Life& life, const std::string& why) {
    enter(life, Phase::terminated);
    life.termination = why;
    life.probe_up_at.reset();
    if (std::exchange(life.openings, 0) > 0) --counters.open_breakers;
    ++counters.terminated;
    --counters.active_services;
    tell(life, "terminated " + why);
    if (life.removal_begun) forget(life);
    if (counters.active_services > 0 || drained) return;
    if (!outcome.empty()) return finish_drain();
    if (shutting_down) return end_drain("drained");
    if (setup_->config.when_all_terminated == WhenAllTerminated::return_) {
      said_.push_back({Said::What::all_terminated});
    }
  }

  void begin_again_in_place(Life& life) {
    tell(life, "removed");
    Life next;
    next.name = life.name;
    next.restart = life.restart;
    next.policy = life.policy;
    next.run = life.run;
    next.stop_asked = life.stop_asked;
    next.set_aside = life.set_aside;
    if (life.run_alive) next.set_aside[life.run] = life.began;
    life = std::move(next);
    be_born(life);
    tell_added(life);
  }

  void be_born(Life& life) {
    life.added_at = life.phase_since = now;
    const std::pair birth{life.name, now};
    life.earlier_lives_now = static_cast<std::uint32_t>(std::count(births_.begin(), births_.end(), birth));
    births_.push_back(birth);
    ++counters.spawned;
    ++counters.active_services;
  }

  void forget(Life& life) {
    tell(life, "removed");
    life.gone = life.name_free = true;
    if (!shutting_down || drained) return;
    if (life.ended_badly_in_drain) errors.push_back(life.name + ": " + life.last_error);
    if (life.was_abandoned) abandoned.push_back(life.name);
  }

  void shut_down(const std::string& cause) {
    if (shutting_down) return;
    if (!shutdown_asked) deadline = now + setup_->config.shutdown_timeout.count();
    shutdown_asked = shutting_down = true;
    tell("-", "shutdown_requested " + cause + ' ' + to_string(setup_->config.shutdown_timeout));
    // A service that is added from within such a stop comes too late for that, and is refused.
    for (auto& life : lives) {
      if (!life.gone && life.phase != Phase::terminated) stop_for_good(life, StopCause::shutdown);
    }
    if (counters.active_services == 0 && !drained) end_drain("drained");
  }

  void end_drain(const std::string& how) {
    if (!outcome.empty()) return;
    outcome = how;
    bool may_end = false;
    for (auto& life : lives) {
      if (life.gone || life.phase != Phase::stopping) continue;
      if (life.run_alive && (life.killed || !killable(life))) continue;
      may_end = true;
      if (!life.run_alive) continue;
      kill(life);
      killed_in_drain = true;
    }
    if (may_end) return said_.push_back({Said::What::abandon_rest});
    finish_drain();
  }

  void finish_drain() {
    if (drained) return;
    drained = true;
    bool any_abandoned = false;
    for (auto& life : lives) {
      if (life.gone) continue;
      if (life.phase == Phase::terminated) {
        if (life.failed_for_good) failed.push_back(life.name);
        if (life.was_abandoned) abandoned.push_back(life.name);
        if (life.ended_badly_in_drain) errors.push_back(life.name + ": " + life.last_error);
        continue;
      }
      abandoned.push_back(life.name);
      abandon(life);
      any_abandoned = true;
    }
    if (!killed_in_drain && !any_abandoned) outcome = "drained";
    tell("-", "drained " + outcome);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Looking and noting
  // -------------------------------------------------------------------------------------------------------------------

  std::optional<std::size_t> present(const std::string& name) const {
    for (std::size_t i = 0; i < lives.size(); ++i) {
      if (lives[i].name == name && !lives[i].name_free) return i;
    }
    return std::nullopt;
  }

  std::size_t place_of(const Life& life) const {
    std::size_t place = 0;
    while (&lives[place] != &life) ++place;
    return place;
  }

  // What is due first: of one time the drain's deadline, then what was said first to be due.
  struct Due {
    std::int64_t at;
    std::uint64_t order;
    std::optional<std::size_t> whose;  // of nobody: the drain's deadline
  };
  std::optional<Due> first_due() const {
    std::optional<Due> first;
    const auto consider = [&first](const Due& due) {
      if (!first || std::pair{due.at, due.order} < std::pair{first->at, first->order}) first = due;
    };
    if (waits_for_first_ && !shutting_down) consider({0, 0, std::nullopt});
    if (shutting_down && outcome.empty()) consider({deadline, 0, std::nullopt});
    for (std::size_t i = 0; i < lives.size(); ++i) {
      if (lives[i].gone) continue;
      if (lives[i].phase == Phase::backing_off) consider({lives[i].due, lives[i].due_order, i});
      if (lives[i].probe_up_at) consider({*lives[i].probe_up_at, lives[i].probe_order, i});
      if (lives[i].grace_over) consider({*lives[i].grace_over, lives[i].grace_order, i});
    }
    return first;
  }

  static unsigned number_of(const Life& life) {
    return static_cast<unsigned>(std::find(kNames.begin(), kNames.end(), life.name) - kNames.begin());
  }
  static bool killable(const Life& life) { return can_be_killed(number_of(life)); }

  void reset(Life& life) {
    life.attempt = 0;
    life.failed_at.clear();
  }
  void enter(Life& life, Phase phase) {
    life.phase = phase;
    life.phase_since = now;
  }
  void tell(const Life& life, const std::string& what) { tell(life.name, what); }
  void tell(const std::string& who, const std::string& what) {
    lines.push_back(to_string(TimePoint{now}) + ' ' + who + ' ' + what);
  }

  static constexpr std::size_t kAbandonedRunsMax = 3;

  std::shared_ptr<const Setup> setup_;
  bool waits_for_first_ = false;
  Seed seed_;
  std::vector<Said> said_;
  std::map<Where, std::map<unsigned, Step>> planned_;  // by name
  std::vector<std::pair<std::string, std::int64_t>> births_;
  std::uint64_t dues_ = 0;
};

}  // namespace holdfast::test
