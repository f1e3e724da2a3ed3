// What follows in the model (supervisor_model.hpp) from what has been said, and from time that passes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "supervisor_model_state.hpp"

#include <holdfast/detail/wide.hpp>
#include <holdfast/random.hpp>

namespace holdfast::test {

class ModelRules : public ModelState {
 protected:
  ModelRules(std::shared_ptr<const Setup> setup, Seed seed) : ModelState(std::move(setup), seed) {}
  ~ModelRules() = default;
  ModelRules(const ModelRules&) = default;
  ModelRules& operator=(const ModelRules&) = default;

  // A service may do inside of a callback whatever can be done.
  virtual void do_now(const Step& step) = 0;

  // Only the first end of the latest run counts.
  void end(std::pair<std::size_t, std::uint64_t> whose, const Step& step) {
    return end(whose, static_cast<Outcome>(step.outcome), "ended", step.status);
  }

  void end(std::pair<std::size_t, std::uint64_t> whose, Outcome how, const std::string& error, unsigned status = 0) {
    Life& life = lives[whose.first];
    if (life.gone) return;
    if (const auto old = life.set_aside.extract(whose.second)) {
      said_.push_back({Said::What::ended_late, whose.first, how, error, whose.second, old.mapped(), status});
      return;
    }
    if (!life.run_alive || life.run != whose.second) return;
    life.run_alive = false;
    said_.push_back({Said::What::ended, whose.first, how, error, 0, 0, status});
  }

  static bool is_clean(Outcome how) { return how == Outcome::clean || how == Outcome::done; }

  // What an end comes to, with its error: what the run says, unless its service has rules and one is about the status.
  static std::pair<Outcome, std::string> meaning_of(const Life& life, const Said& said) {
    Outcome how = said.outcome;
    if (life.has_rules && how != Outcome::done) {
      if (said.status == 1) how = Outcome::clean;
      if (said.status == 2 && how != Outcome::threw) how = Outcome::failed;
      if (said.status == 3) how = Outcome::fatal;
    }
    if (is_clean(how)) return {how, ""};
    return {how, is_clean(said.outcome) ? "exit status " + std::to_string(said.status) : said.error};
  }

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
      case Said::What::order_changed: return order_changed();
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
        if (life.phase != Phase::starting || !life.never_run) return;
        if (must_wait(life)) return life.waits ? void() : wait_for_others(life);
        return begin(life);
      case Said::What::ended: {
        const auto [how, error] = meaning_of(life, said);
        return ended(life, how, error);
      }
      case Said::What::ended_late: {
        const auto [how, error] = meaning_of(life, said);
        return tell(life, "ended_late " + end_text(said.run, said.began, how, error));
      }
      case Said::What::ready: return said_ready(life, said.run);
      case Said::What::stop: tell(life, "commanded stop"); return stop_for_good(life, StopCause::stop);
      case Said::What::restart: tell(life, "commanded restart"); return restarted(life, said.run);
      case Said::What::reset: tell(life, "commanded reset"); return was_reset(life);
      case Said::What::forget:
        if (life.phase == Phase::terminated && !shutting_down) forget(life, "forgotten");
        return;
      case Said::What::reconfigured: return reconfigured(life, said.with);
      case Said::What::remove: tell(life, "commanded remove"); return removed(life);
      default: return;
    }
  }

  void tell_added(Life& life) {
    const std::string before = life.run == 0 ? "" : " after run " + std::to_string(life.run);
    const auto& grace = setup_->config.stop_grace;
    const std::string ready =
        !life.notified ? ""
                       : ", ready when notified" +
                             (setup_->start_timeout ? ", start_timeout " + to_string(*setup_->start_timeout) : "");
    const std::string watched =
        life.watched == 0 ? "" : ", watchdog " + to_string(watchdog()) + (life.watched == 2 ? " of progress" : "");
    const std::string stops = (grace ? ", stop_grace " + to_string(*grace) : "") + ready + watched +
                              (killable(life) ? ", can be killed" : "") +
                              (runs_side_by_side(number_of(life)) ? ", runs side by side" : "");
    tell(life, "added " + std::string{to_string(life.restart)} + before + stops);
    life.told += life.warnings;
    said_.push_back({Said::What::first_start, place_of(life)});
  }

  void begin(Life& life) {
    if (life.phase != Phase::starting) enter(life, Phase::starting);
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
    if (!life.notified) return becomes_ready(life);
    life.awaits_ready = true;
    ++starting_;
    if (!setup_->start_timeout || !life.run_alive) return;
    life.start_over = now + setup_->start_timeout->count();
    life.start_order = ++dues_;
  }

  // How much time the bucket holds: `every` for a token, at most as much as for a burst.
  std::int64_t time_in_bucket(const RestartLimit& limit) const {
    const std::int64_t full = limit.every.count() * limit.burst;
    std::int64_t held = full, since = 0;
    for (const std::int64_t taken : tokens_) {
      held = std::min(full, held + (taken - since)) - limit.every.count();
      since = taken;
    }
    return std::min(full, held + (now - since));
  }

  std::int64_t token_at() const {
    const auto& limit = setup_->config.restart_limit;
    return limit ? std::max(now, now + limit->every.count() - time_in_bucket(*limit)) : now;
  }

  bool has_place() const { return !setup_->config.starting_max || starting_ < *setup_->config.starting_max; }

  // Those that it is after come first, the limits second.
  void restart_is_due(Life& life) {
    if (must_wait(life)) {
      life.will_wake = false;
      if (!life.waits) wait_for_others(life);
      return;
    }
    wait_for_others_no_more(life);
    if (!setup_->config.restart_limit && !setup_->config.starting_max) return begin(life);
    if (limited_.empty() && has_place() && token_at() == now) {
      tokens_.push_back(now);
      return begin(life);
    }
    life.limited = true;
    limited_.push_back(place_of(life));
    ++counters.limited_restarts;
    ++counters.waiting_services;
    tell(life, "waiting restart_limit");
    expect_a_turn();
  }

  void expect_a_turn() {
    if (!turn_ && !limited_.empty() && has_place()) turn_ = {token_at(), ++dues_};
  }

  bool must_wait(const Life& life) const {
    return !first_missing(life).empty() && (life.never_run || life.on_dependency != OnDependency::keep);
  }

  void wait_for_others(Life& life) {
    life.waits = true;
    life.will_wake = false;
    life.wait = life.never_run ? 0 : drawn(life, Purpose::wake_jitter, life.told + 1, setup_->wake_jitter.count());
    ++counters.waiting_services;
    const std::string missing = first_missing(life);
    tell(life, "waiting dependency" + (missing.empty() ? "" : ' ' + missing) +
                   (life.never_run ? "" : ", then " + to_string(Duration{life.wait})));
  }

  void wait_for_others_no_more(Life& life) {
    if (!std::exchange(life.waits, false)) return;
    --counters.waiting_services;
  }

  void wake(Life& life, std::int64_t at) {
    life.will_wake = true;
    life.due = at;
    life.due_order = ++dues_;
  }

  // Its run has ended, which was stopped because one that it is after had become unready.
  void wait_after_stop(Life& life) {
    enter(life, Phase::backing_off);
    tell(life, "backing_off dependency " + std::to_string(life.attempt) + ", 0s of 0s");
    wait_for_others(life);
    if (first_missing(life).empty()) wake(life, now + life.wait);
  }

  void order_changed() {
    while (const auto change = order_.take_change()) {
      if (shutting_down) continue;
      const auto line = *order_.line(change->first);
      for (const auto member : line.members) {
        if (change->second && !lives[member].gone) has_lost_one(lives[member]);
      }
      for (const auto member : line.members) {
        Life& life = lives[member];
        if (life.gone || !waits_for_others(life) || !first_missing(life).empty()) continue;
        if (!life.never_run) {
          wake(life, line.changed_at + life.wait);
          continue;
        }
        wait_for_others_no_more(life);
        begin(life);
      }
    }
  }

  // One that it is after has become unready.
  void has_lost_one(Life& life) {
    if (life.waits) {
      life.will_wake = false;
      return;
    }
    const bool has_begun = !life.never_run && life.phase != Phase::terminated;
    if (!has_begun || life.falls_before == order_.line(life.line)->falls) return;
    switch (life.on_dependency) {
      case OnDependency::keep: return;
      case OnDependency::stop: return stop_for_good(life, StopCause::dependency_stop);
      case OnDependency::wait:
      case OnDependency::restart: break;
    }
    if (life.limited) {
      wait_no_more(life);
      return wait_for_others(life);
    }
    const bool has_run = life.phase == Phase::running || life.awaits_ready;
    if (life.on_dependency == OnDependency::restart && has_run) ask_to_stop(life, StopCause::dependency);
  }

  // A command starts it, whoever is ready and whoever waits.
  void begin_by_hand(Life& life) {
    wait_no_more(life);
    if (life.line != 0) life.falls_before = order_.line(life.line)->falls;
    begin(life);
  }

  // It has terminated. In a shutdown those stop now that it was the last to be after.
  void stop_those_before(const Life& life) {
    if (!shutting_down || !outcome.empty() || life.line == 0) return;
    const auto needs = order_.line(life.line)->needs;
    for (const auto& name : needs) {
      for (auto& before : lives) {
        if (holder_of(name) != &before || is_in_use(before)) continue;
        if (before.phase == Phase::running || before.awaits_ready) stop_for_good(before, StopCause::shutdown);
      }
    }
  }

  void wait_no_more(Life& life) {
    wait_for_others_no_more(life);
    if (!std::exchange(life.limited, false)) return;
    std::erase(limited_, place_of(life));
    --counters.waiting_services;
    if (limited_.empty()) turn_.reset();
  }

  void turn_comes() {
    turn_.reset();
    while (!limited_.empty() && has_place() && token_at() == now) {
      Life& first = lives[limited_.front()];
      tokens_.push_back(now);
      wait_no_more(first);
      begin(first);
    }
    expect_a_turn();
  }

  void said_ready(Life& life, std::uint64_t run) {
    const bool is_latest = life.run == run && !life.never_run && !life.set_aside.contains(run);
    if (is_latest && life.awaits_ready) return becomes_ready(life);
    if (!is_latest || life.phase != Phase::running) tell(life, "ready_late " + std::to_string(run));
  }

  void no_longer_starts(Life& life) {
    life.start_over.reset();
    if (!std::exchange(life.awaits_ready, false)) return;
    --starting_;
    expect_a_turn();
  }

  // A run that has ended, and nobody has got to that yet, is not asked to stop.
  void start_is_over(Life& life) {
    life.start_over.reset();
    if (life.run_alive) ask_to_stop(life, StopCause::start_timeout);
  }

  Duration watchdog() const { return setup_->watchdog.value_or(Duration{1}); }

  // A sign of life that counts: it is noted, and nothing follows.
  void is_heard(std::pair<std::size_t, std::uint64_t> whose, std::optional<unsigned> progress) {
    Life& life = lives[whose.first];
    if (life.gone || life.watched == 0 || life.phase != Phase::running) return;
    if (!life.run_alive || life.run != whose.second) return;
    if (progress ? life.progress && *progress <= *life.progress : life.watched == 2) return;
    if (progress) life.progress = progress;
    life.heard_at = now;
  }

  void look_at(Life& life, std::int64_t when) {
    life.look_at = when;
    life.look_order = ++dues_;
  }

  // A run that has been silent may still speak at this very time, before what is looked at last.
  void look(Life& life) {
    const std::int64_t at = *life.look_at;
    const std::int64_t silent_until = life.heard_at + watchdog().count();
    life.look_at.reset();
    if (!life.run_alive) return;
    if (silent_until > at) {
      life.looks_again = false;
      if (life.probe_up_at && *life.probe_up_at <= at) close(life);
      return look_at(life, life.probe_up_at ? std::min(silent_until, *life.probe_up_at) : silent_until);
    }
    if (!std::exchange(life.looks_again, true)) return look_at(life, at);
    ++life.hangs;
    ++counters.hangs;
    ask_to_stop(life, StopCause::watchdog);
  }

  static bool has_missed(const Life& life) {
    return life.phase == Phase::stopping &&
           (life.stop_cause == StopCause::start_timeout || life.stop_cause == StopCause::watchdog);
  }
  // It stops because one that it is after is unready.
  static bool waits_to_wait(const Life& life) {
    return life.phase == Phase::stopping && life.stop_cause == StopCause::dependency;
  }
  static bool has_hung(const Life& life) {
    return life.phase == Phase::stopping && life.stop_cause == StopCause::watchdog;
  }

  std::string missed_text(const Life& life, const std::string& returned) const {
    return (has_hung(life)
                ? std::string{life.watched == 2 ? "no progress for " : "no heartbeat for "} + to_string(watchdog())
                : "not ready within " + to_string(*setup_->start_timeout)) +
           (returned.empty() ? "" : ": " + returned);
  }

  void becomes_ready(Life& life) {
    no_longer_starts(life);
    enter(life, Phase::running);
    tell(life, "running " + std::to_string(life.run));
    life.ready_at = life.heard_at = now;
    life.looks_again = false;
    life.progress.reset();
    if (!life.run_alive) return;
    if (life.openings > 0) {
      life.probe_up_at = now + life.policy.breaker->half_open->probe_success_after.count();
      life.probe_order = ++dues_;
    }
    if (life.watched == 0) return;
    const std::int64_t silent_until = now + watchdog().count();
    look_at(life, life.probe_up_at ? std::min(silent_until, *life.probe_up_at) : silent_until);
  }

  // What a service does inside a callback, once; true if it throws.
  bool does_inside(Where where, const Life& life) {
    const auto found = planned_[where].extract(number_of(life));
    if (!found) return false;
    do_now(found.mapped());
    return found.mapped().then_throws || found.mapped().verb == Verb::throws;
  }

  void ended(Life& life, Outcome how, std::string error) {
    if (life.phase == Phase::starting && !life.awaits_ready) return;  // of a life that a restart has replaced: nobody's
    const bool missed = has_missed(life);
    if (missed) error = missed_text(life, error);
    if (missed && is_clean(how)) how = Outcome::failed;
    const std::int64_t lasted = now - life.began;
    const std::string text = end_text(life.run, life.began, how, error);
    if (life.phase == Phase::terminated) return tell(life, "ended_late " + text);
    life.last_run_failed = !is_clean(how);
    life.running_time += lasted;
    if (!is_clean(how)) life.last_error = error;
    tell(life, "ended " + text);
    life.grace_over.reset();
    life.probe_up_at.reset();
    life.look_at.reset();
    no_longer_starts(life);
    if (life.phase == Phase::stopping && !missed) {
      life.ended_badly_in_drain = life.last_run_failed && shutting_down;
      if (life.stop_cause == StopCause::restart) return begin_by_hand(life);
      if (life.stop_cause == StopCause::dependency) return wait_after_stop(life);
      return terminate(life, "cancelled");
    }
    cool_down(life);
    is_clean(how) ? exited(life, how) : failed_run(life, how);
    stop_if_too_late(life);
  }

  // A shutdown has left it running for the sake of others.
  void stop_if_too_late(Life& life) {
    if (shutting_down && life.phase == Phase::backing_off) stop_for_good(life, StopCause::shutdown);
  }

  // What counts is how long the run has been ready: one that hung, until it was asked to stop.
  void cool_down(Life& life) {
    const std::int64_t ready_for = life.phase == Phase::running ? now - life.ready_at
                                   : has_hung(life)             ? life.stop_asked_at - life.ready_at
                                                                : 0;
    if (life.openings == 0 && ready_for >= life.policy.cooldown.count()) reset(life);
  }

  std::string end_text(std::uint64_t run, std::int64_t began, Outcome how, const std::string& error) const {
    return std::to_string(run) + " after " + to_string(Duration{now - began}) + ' ' + std::string{to_string(how)} +
           (error.empty() ? "" : ": " + error);
  }

  void exited(Life& life, Outcome how) {
    ++life.clean_exits;
    ++counters.clean_exits;
    const bool goes_on = life.restart == RestartPolicy::always && how != Outcome::done;
    if (goes_on && life.policy.breaker && life.policy.breaker->counts == BreakerCounts::ends) {
      if (life.openings > 0) return open(life, 1);
      if (breaker_trips(life, *life.policy.breaker)) return;
    }
    close(life);
    if (!goes_on) return terminate(life, "completed");
    life.attempt = 0;
    back_off(life, "clean_exit", life.policy.clean_restart_delay.count(), life.policy.clean_restart_delay.count());
  }

  void failed_run(Life& life, Outcome how) {
    ++life.failures;
    ++life.attempt;
    ++counters.failures;
    if (life.phase != Phase::running && !has_hung(life)) {
      ++life.failed_starts;
      ++counters.failed_starts;
    }
    if (how == Outcome::fatal || life.restart == RestartPolicy::never) {
      life.failed_for_good = true;
      return terminate(life, "failed: " + life.last_error);
    }
    if (life.openings > 0) return open(life, 1);
    if (life.policy.breaker && breaker_trips(life, *life.policy.breaker)) return;
    const std::int64_t grown = grown_delay_of(life.policy, life.attempt);
    const auto [below, above] = jitter_of(life.policy.jitter, grown);
    back_off(life, "failure", grown + above, grown - below + drawn_delay(life, below + above));
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
    if (life.phase == Phase::backing_off) begin_by_hand(life);
  }

  // It decides by another policy from now on, and what it waits for stays. With another backoff nothing has failed yet.
  void reconfigured(Life& life, const Step& step) {
    if (shutting_down || life.phase == Phase::terminated) return;
    const BackoffPolicy before = life.policy;
    life.restart = static_cast<RestartPolicy>(step.restart);
    life.policy = setup_->policy(step.number).value_or(setup_->config.backoff);
    life.has_rules = step.has_rules;
    life.forgotten = step.forgotten;
    life.warnings = warnings_of(*setup_, policy_of(*setup_, step));
    const auto& grace = setup_->config.stop_grace;
    tell(life,
         "reconfigured " + std::string{to_string(life.restart)} + (grace ? ", stop_grace " + to_string(*grace) : ""));
    if (!(life.policy == before)) {
      close(life);
      reset(life);
    }
    life.told += life.warnings;
  }

  static std::int64_t ceiling_of(Duration base, Duration max, std::uint32_t k) {
    std::int64_t ceiling = base.count();
    for (std::uint32_t i = 1; i < k && ceiling < max.count(); ++i) ceiling *= 2;
    return std::min(ceiling, max.count());
  }

  // Lengths in sequences have one digit, so that these are short loops over small numbers.
  static std::int64_t grown_delay_of(const BackoffPolicy& policy, std::uint32_t k) {
    const std::int64_t base = policy.base.count();
    const std::int64_t max = policy.max.count();
    if (const auto* const exponential = std::get_if<ExponentialGrowth>(&policy.growth)) {
      if (exponential->factor == Thousandths::of(2)) return ceiling_of(policy.base, policy.max, k);
      using holdfast::detail::Wide;
      Wide numerator = static_cast<Wide>(base);
      Wide denominator = 1;
      for (std::uint32_t i = 1; i < k && base > 0 && numerator < static_cast<Wide>(max) * denominator; ++i) {
        numerator *= exponential->factor.count;
        denominator *= 1000;
      }
      return std::min(static_cast<std::int64_t>(numerator / denominator), max);
    }
    if (const auto* const linear = std::get_if<LinearGrowth>(&policy.growth)) {
      std::int64_t delay = base;
      for (std::uint32_t i = 1; i < k && delay < max && linear->step.count() > 0; ++i) delay += linear->step.count();
      return std::min(delay, max);
    }
    if (const auto* const stepped = std::get_if<SteppedGrowth>(&policy.growth)) {
      if (base == 0) return 0;
      if (k > stepped->steps) return max;
      const auto power = [](std::int64_t of, std::uint32_t exponent) {
        std::int64_t product = 1;
        while (exponent-- > 0) product *= of;
        return product;
      };
      std::int64_t delay = base;
      while (power(delay + 1, stepped->steps) <= power(max, k - 1) * power(base, stepped->steps - (k - 1))) ++delay;
      return delay;
    }
    return base;
  }

  // How far the delay may lie below and above what it has grown to.
  static std::pair<std::int64_t, std::int64_t> jitter_of(const Jitter& jitter, std::int64_t grown) {
    if (std::holds_alternative<NoJitter>(jitter)) return {0, 0};
    if (std::holds_alternative<EqualJitter>(jitter)) return {grown / 2, 0};
    if (const auto* const proportional = std::get_if<ProportionalJitter>(&jitter)) {
      const std::int64_t part = grown * proportional->share.count / 1000;
      return {part, part};
    }
    if (const auto* const additive = std::get_if<AdditiveJitter>(&jitter)) {
      return {0, grown * additive->share.count / 1000};
    }
    return {grown, 0};
  }

  std::int64_t drawn_delay(const Life& life, std::int64_t ceiling) const {
    return drawn(life, Purpose::backoff_jitter, life.run, ceiling);
  }

  std::int64_t drawn(const Life& life, Purpose what_for, std::uint64_t number, std::int64_t ceiling) const {
    const DrawKey key{seed_, name_hash(life.name), TimePoint{life.added_at}, life.earlier_lives_now};
    const Draw bits = draw(key, what_for, number);
    using holdfast::detail::Wide;
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
    if (life.phase == Phase::running || life.awaits_ready) return ask_to_stop(life, StopCause::restart);
    if (has_missed(life) || waits_to_wait(life)) {
      life.stop_cause = StopCause::restart;
      return tell(life, "stopping restart");
    }
    if (life.phase == Phase::backing_off) return begin_by_hand(life);
    if (life.phase == Phase::starting && life.line != 0) return begin_by_hand(life);
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
    life.look_at.reset();
    no_longer_starts(life);
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
    const bool missed = has_missed(life);
    const bool waits = waits_to_wait(life);
    const bool goes_on = (missed || waits || life.stop_cause == StopCause::restart) &&
                         runs_side_by_side(number_of(life)) && life.set_aside.size() < kAbandonedRunsMax;
    if (!goes_on) return abandon(life);
    ++counters.abandoned_runs;
    life.running_time += now - life.began;
    tell(life, "abandoned " + std::to_string(life.run) + " after " + to_string(Duration{now - life.stop_asked_at}));
    life.set_aside[life.run] = life.began;
    life.run_alive = false;
    if (waits) return wait_after_stop(life);
    if (!missed) return begin_by_hand(life);
    life.last_run_failed = true;
    life.last_error = missed_text(life, "");
    cool_down(life);
    failed_run(life, Outcome::failed);
    stop_if_too_late(life);
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
    if (life.phase == Phase::running || life.awaits_ready) return ask_to_stop(life, cause);
    if (life.phase == Phase::starting) {
      wait_no_more(life);
      return terminate(life, "cancelled");
    }
    const bool goes_on = has_missed(life) || waits_to_wait(life) ||
                         (life.phase == Phase::stopping && life.stop_cause == StopCause::restart);
    if (life.phase != Phase::backing_off && !goes_on) return;
    life.stop_cause = cause;
    wait_no_more(life);
    tell(life, "stopping " + std::string{to_string(cause)});
    if (life.phase == Phase::backing_off) terminate(life, "cancelled");
  }

  void terminate(Life& life, const std::string& why) {
    enter(life, Phase::terminated);
    life.termination = why;
    life.probe_up_at.reset();
    life.look_at.reset();
    if (std::exchange(life.openings, 0) > 0) --counters.open_breakers;
    ++counters.terminated;
    --counters.active_services;
    tell(life, "terminated " + why);
    stop_those_before(life);
    if (life.removal_begun) {
      forget(life);
    } else if (life.forgotten) {
      said_.push_back({Said::What::forget, place_of(life)});
    }
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
    next.notified = life.notified;
    next.watched = life.watched;
    next.has_rules = life.has_rules;
    next.forgotten = life.forgotten;
    next.line = life.line;
    next.on_dependency = life.on_dependency;
    next.falls_before = life.falls_before;
    next.warnings = life.warnings;
    next.added_by = life.added_by;
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

  void forget(Life& life, const std::string& how = "removed") {
    tell(life, how);
    life.gone = life.name_free = true;
    if (life.line != 0) order_.leave(place_of(life), life.line);
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
      const bool has_run = life.phase == Phase::running || life.awaits_ready;
      if (life.gone || life.phase == Phase::terminated || (has_run && is_in_use(life))) continue;
      stop_for_good(life, StopCause::shutdown);
    }
    if (counters.active_services == 0 && !drained) end_drain("drained");
  }

  void end_drain(const std::string& how) {
    if (!outcome.empty()) return;
    outcome = how;
    for (auto& life : lives) {
      const bool has_run = life.phase == Phase::running || life.awaits_ready;
      if (!life.gone && has_run) stop_for_good(life, StopCause::shutdown);
    }
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
};

}  // namespace holdfast::test
