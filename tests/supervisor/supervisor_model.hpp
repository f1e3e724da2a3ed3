// A model of the supervisor: plain rules over a list of lives, written from the rules and not from the code.
//
// It has no timers, no ids, no links and no callbacks. What has been said and not been acted on stands in a list in the
// order of arrival, because that order is itself a rule; what is due next is looked for from one end of the fleet to
// the other. It is a value: it can be copied in any state. It shares the words and draw() with the supervisor, and
// nothing that decides.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "supervisor_model_rules.hpp"

namespace holdfast::test {

class Model final : public ModelRules {
 public:
  Model(std::shared_ptr<const Setup> setup, Seed seed) : ModelRules(std::move(setup), seed) {
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

 private:
  void do_now(const Step& step) override {
    const std::string name{kNames[step.name]};
    switch (step.verb) {
      case Verb::add: return answer(step, add(step));
      case Verb::stop: return answer(step, stop(name));
      case Verb::restart: return answer(step, restart(name));
      case Verb::remove: return answer(step, remove(name));
      case Verb::reset: return answer(step, reset(name));
      case Verb::reconfigure: return answer(step, reconfigure(step));
      case Verb::pass: return pass(step.number);
      case Verb::end: return end_latest(name, step);
      case Verb::end_old:
        if (step.number < runs.size()) end(runs[step.number], step);
        return;
      case Verb::ready: return latest_is_ready(name);
      case Verb::ready_old:
        if (step.number < runs.size()) be_ready(runs[step.number]);
        return;
      case Verb::beat: return latest_is_heard(name, std::nullopt);
      case Verb::progress: return latest_is_heard(name, step.number);
      case Verb::beat_old:
      case Verb::progress_old:
        if (step.number >= runs.size()) return;
        return is_heard(runs[step.number], step.verb == Verb::beat_old ? std::nullopt : std::optional{1U});
      case Verb::throws: return;  // by a service: its caller handles that
      case Verb::shutdown: return ask_for_shutdown();
      case Verb::end_drain:
        ask_for_shutdown();
        said_.push_back({Said::What::end_drain});
        return;
    }
  }

  void answer(const Step& step, bool accepted) { answers.push_back(text_of(step) + (accepted ? " yes" : " no")); }

  bool add(const Step& step) {
    const std::string name{kNames[step.name]};
    if (shutdown_asked || find(name)) return false;
    const auto needs = needs_of(step);
    if (!needs) return false;
    Life& life = lives.emplace_back();
    life.name = name;
    life.restart = static_cast<RestartPolicy>(step.restart);
    life.policy = setup_->policy(step.number).value_or(setup_->config.backoff);
    life.notified = step.notified;
    life.watched = step.watched;
    life.has_rules = step.has_rules;
    life.forgotten = step.forgotten;
    life.on_dependency = static_cast<OnDependency>(step.on_dependency);
    life.warnings = warnings_of(*setup_, policy_of(*setup_, step));
    life.added_by = step;
    if (!needs->empty()) life.line = order_.join(lives.size() - 1, *needs);
    be_born(life);
    waits_for_first_ = false;
    said_.push_back({Said::What::added, lives.size() - 1});
    return true;
  }

  // Those that are there. nullopt: it is refused.
  std::optional<std::vector<std::string>> needs_of(const Step& step) const {
    const std::string self{kNames[step.name]};
    std::vector<std::string> needs;
    for (const auto& name : names_in(step.after)) {
      if (name == self || !find(name)) return std::nullopt;
      needs.push_back(name);
    }
    for (const auto& name : names_in(step.if_present)) {
      if (name != self && find(name)) needs.push_back(name);
    }
    for (const auto& name : needs) {
      if (comes_after(name, self)) return std::nullopt;
    }
    return needs;
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

  // Only what it decides by may change.
  bool reconfigure(const Step& step) {
    const auto at = present(std::string{kNames[step.name]});
    if (!at || shutdown_asked) return false;
    const Life& life = lives[*at];
    if (life.phase == Phase::terminated || life.stop_asked) return false;
    ServicePolicy as_added = policy_of(*setup_, life.added_by);
    const ServicePolicy policy = policy_of(*setup_, step);
    as_added.restart = policy.restart;
    as_added.backoff = policy.backoff;
    as_added.exit_rules = policy.exit_rules;
    as_added.forget_when_done = policy.forget_when_done;
    if (!(as_added == policy)) return false;
    said_.push_back({.what = Said::What::reconfigured, .life = *at, .with = step});
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

  void end_latest(const std::string& name, const Step& step) {
    const auto at = present(name);
    if (at) end({*at, lives[*at].run}, step);
  }

  void latest_is_ready(const std::string& name) {
    const auto at = present(name);
    if (at) be_ready({*at, lives[*at].run});
  }

  void latest_is_heard(const std::string& name, std::optional<unsigned> progress) {
    const auto at = present(name);
    if (at) is_heard({*at, lives[*at].run}, progress);
  }

  // Said by a run that is alive, abandoned or not.
  void be_ready(std::pair<std::size_t, std::uint64_t> whose) {
    const Life& life = lives[whose.first];
    if (life.gone || !life.notified) return;
    const bool is_latest = life.run_alive && life.run == whose.second;
    if (is_latest || life.set_aside.contains(whose.second)) {
      said_.push_back({Said::What::ready, whose.first, {}, {}, whose.second});
    }
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
      if (first->is_turn) {
        turn_comes();
      } else if (!first->whose) {
        shutting_down ? end_drain("deadline") : shut_down("all_terminated");
      } else if (lives[*first->whose].phase == Phase::backing_off) {
        restart_is_due(lives[*first->whose]);
      } else if (lives[*first->whose].start_over) {
        start_is_over(lives[*first->whose]);
      } else if (lives[*first->whose].look_at) {
        look(lives[*first->whose]);
      } else if (lives[*first->whose].probe_up_at) {
        probe_is_up(lives[*first->whose]);
      } else {
        grace_is_over(lives[*first->whose]);
      }
      settle();
    }
    now = end;
  }
};

}  // namespace holdfast::test
