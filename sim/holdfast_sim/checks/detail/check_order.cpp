#include <holdfast_sim/checks/detail/check_order.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <holdfast_sim/observe/event_log.hpp>

namespace holdfast::sim::detail {

using holdfast::to_string;

// The services that were added before the first that is after others.
void OrderRules::look_for_names() {
  if (std::exchange(used, true)) return;
  for (std::size_t slot = 0; slot < known.lives.size(); ++slot) {
    if (known.lives[slot].present) present[known.pasts[slot].name] = static_cast<std::uint32_t>(slot);
  }
}

void OrderRules::on_added(Step& step, const ServicePolicy& policy) {
  const Order& order = policy.order;
  if (!is_used() && !order.is_after_any()) return;
  look_for_names();
  const std::uint32_t slot = step.event.service.slot;
  present[step.past.name] = slot;
  if (const auto own = by_name.find(step.past.name); own != by_name.end()) needs[own->second].slot = slot;
  if (slot >= followers.size()) followers.resize(slot + std::size_t{1});
  std::vector<std::size_t> wanted;
  const auto want = [&](const std::string& name) {
    const auto [place, is_new] = by_name.try_emplace(name, needs.size());
    if (is_new) {
      needs.push_back({.name = name});
      if (const auto one = present.find(name); one != present.end()) {
        needs.back().slot = one->second;
        needs.back().is_ready = known.lives[one->second].phase == Phase::running;
      }
    }
    wanted.push_back(place->second);
  };
  for (const auto& name : order.after.names()) want(name);
  for (const auto& name : order.after_if_present.names()) {
    if (name != step.past.name && present.contains(name)) want(name);
  }
  if (std::exchange(followers[slot].is_replaced, false)) return;  // it is where it was
  followers[slot] = {.on_dependency = order.on_dependency, .wake_jitter = order.wake_jitter};
  if (wanted.empty()) return;
  if (crowds.empty() || crowds.back().needs != wanted) {
    for (const auto need : wanted) needs[need].crowds.push_back(crowds.size());
    crowds.push_back({.needs = std::move(wanted)});
  }
  crowds.back().slots.push_back(slot);
  followers[slot].crowd = crowds.size() - 1;
}

const OrderRules::Need* OrderRules::first_missing(const Follower& follower) const {
  for (const auto need : crowds[*follower.crowd].needs) {
    if (!needs[need].is_ready) return &needs[need];
  }
  return nullptr;
}

std::optional<std::size_t> OrderRules::need_of(std::uint32_t slot) const {
  if (!is_used()) return std::nullopt;
  const auto own = by_name.find(known.pasts[slot].name);
  if (own == by_name.end() || needs[own->second].slot != slot) return std::nullopt;
  return own->second;
}

bool OrderRules::is_in_use(std::uint32_t slot) const {
  const auto own = need_of(slot);
  if (!own) return false;
  for (const auto crowd : needs[*own].crowds) {
    for (const auto other : crowds[crowd].slots) {
      if (known.lives[other].present && known.lives[other].phase != Phase::terminated) return true;
    }
  }
  return false;
}

void OrderRules::on_waiting(Step& step, const event::Waiting& what) {
  const std::uint32_t slot = step.event.service.slot;
  Follower* const one = follower(slot);
  Life& life = step.life;
  const bool is_first = life.phase == Phase::starting && !life.run_alive && !life.started_before;
  const Need* const missing = one != nullptr ? first_missing(*one) : nullptr;
  const auto wrong = [&]() -> std::string {
    if (one == nullptr) return "waits for others, but is after none";
    if (one->waits) return "waits for others, and did so before";
    if (!is_first && life.phase != Phase::backing_off) return "waits for others, but would not start";
    if (!is_first && one->on_dependency == OnDependency::keep) return "waits for others, though its policy keeps going";
    if (!is_first && !life.is_limited() && step.event.at != life.due) return "waits before it is due, or after";
    if (what.dependency != (missing != nullptr ? std::string_view{missing->name} : std::string_view{})) {
      return fmt::format("waits for \"{}\", but the first that is not ready is \"{}\"", what.dependency,
                         missing != nullptr ? missing->name : "");
    }
    if (is_first == what.delay.has_value()) return "only a first run waits without a delay";
    if (what.delay && (*what.delay < Duration::zero() || *what.delay > one->wake_jitter)) {
      return fmt::format("waits for {} after that, but its wake_jitter is {}", to_string(*what.delay),
                         to_string(one->wake_jitter));
    }
    return {};
  }();
  if (!life.reported_overdue && !step.explained)
    found.test(Rule::starts_after_its_dependencies, wrong.empty(), step, [&wrong] { return std::string{wrong}; });
  if (one == nullptr || one->waits) return;
  if (step.past.turn != 0) turns.ends(step.past);
  one->waits = true;
  one->delay = what.delay.value_or(Duration::zero());
  turns.others_wait(1);
  set_due(slot, step.event.at);
}

// When it starts; never, as long as one that it is after is not ready.
void OrderRules::set_due(std::uint32_t slot, TimePoint at) {
  const Follower& one = followers[slot];
  known.lives[slot].due = first_missing(one) == nullptr ? at + one.delay : TimePoint::max();
}

// A command may start it whoever is ready.
void OrderRules::on_started(Step& step) {
  Follower* const one = follower(step.event.service.slot);
  if (one == nullptr) return;
  const bool by_hand = one->commanded_at == step.event.at || step.paid == Owed::start_again;
  const bool waits_for_all = !step.life.started_before || one->on_dependency != OnDependency::keep;
  if (!by_hand && waits_for_all) {
    const Need* const missing = first_missing(*one);
    found.test(Rule::starts_after_its_dependencies, missing == nullptr, step,
               [&] { return fmt::format("a run starts, but \"{}\" is not ready", missing->name); });
  }
  if (by_hand && one->waits) step.explained = true;
  if (by_hand) one->must_stop = false;  // what became unready before does not concern this run
  waits_no_more(step.event.service.slot);
}

void OrderRules::on_running(Step& step) { set_ready(step, true); }

void OrderRules::set_ready(Step& step, bool ready) {
  const auto own = need_of(step.event.service.slot);
  if (!own || needs[*own].is_ready == ready) return;
  needs[*own].is_ready = ready;
  for (const auto crowd : needs[*own].crowds) {
    for (const auto slot : crowds[crowd].slots) {
      if (!known.lives[slot].present || drain.shutdown) continue;
      if (followers[slot].waits) {
        set_due(slot, step.event.at);
      } else if (!ready) {
        is_left_alone(slot, step.event.at);
      }
    }
  }
}

// One that it is after has become unready, and it does not wait.
void OrderRules::is_left_alone(std::uint32_t slot, TimePoint at) {
  const Life& life = known.lives[slot];
  Follower& one = followers[slot];
  one.unready_at = at;
  if (life.phase == Phase::terminated || !life.started_before) return;
  const bool has_run = life.run_alive && life.phase != Phase::stopping;
  const bool stops = one.on_dependency == OnDependency::stop && (has_run || life.phase == Phase::backing_off);
  if (!stops && !(one.on_dependency == OnDependency::restart && has_run)) return;
  one.must_stop = true;
  unready_at = at;
  to_stop.push_back(slot);
}

void OrderRules::on_commanded(Step& step) noexcept {
  if (Follower* const one = follower(step.event.service.slot)) one->commanded_at = step.event.at;
}

void OrderRules::time_goes_on(TimePoint at) {
  if (!to_stop.empty() && unready_at < at) {
    for (const auto slot : std::exchange(to_stop, {})) {
      if (!std::exchange(followers[slot].must_stop, false)) continue;
      if (drain.shutdown && drain.shutdown_at == unready_at)
        continue;  // the shutdown came first, and asks it in its turn
      is_broken(Rule::follows_its_dependencies, slot, unready_at,
                "was to stop, because one that it is after had become unready, and did not");
    }
  }
  if (!early || early->first >= at) return;
  const auto [when, slot] = *std::exchange(early, std::nullopt);
  if (drain.drain_over_by <= when || drain.drained) return;
  is_broken(Rule::stops_before_its_dependencies, slot, when,
            "was asked to stop, though services that are after it have not terminated");
}

void OrderRules::is_broken(Rule rule, std::uint32_t slot, TimePoint at, std::string says) {
  const Life& life = known.lives[slot];
  found.violated(rule, known.pasts[slot].name, at, std::move(says), lines_of(life, known.pasts[slot], life.run));
}

void OrderRules::on_ended(Step& step) {
  if (step.life.phase != Phase::stopping) set_ready(step, false);
  has_stopped(step);
}

void OrderRules::has_stopped(Step& step) noexcept {
  if (Follower* const one = follower(step.event.service.slot)) one->must_stop = false;
}

// In a shutdown a service that went on for the sake of others does not start again.
void OrderRules::on_backing_off(Step& step) {
  if (drain.shutdown) owes_a_stop(step.life, step.event.at, StopCause::shutdown);
}

void OrderRules::follows_its_dependencies(Step& step, StopCause cause) {
  const Follower* const one = follower(step.event.service.slot);
  const auto asks = cause == StopCause::dependency ? OnDependency::restart : OnDependency::stop;
  const bool right = one != nullptr && one->unready_at == step.event.at && one->on_dependency == asks;
  if (step.explained) return;
  found.test(Rule::follows_its_dependencies, right, step,
             [&] { return fmt::format("stops for {}, though nothing calls for that", to_string(cause)); });
}

// Nobody asks it to stop but the end of the drain, which is still to come.
bool OrderRules::stops_with_the_rest(Step& step, StopCause cause) {
  const std::uint32_t slot = step.event.service.slot;
  const bool was_left_running = step.life.run_alive && step.life.phase != Phase::stopping && is_in_use(slot);
  if (cause != StopCause::shutdown || !drain.is_under_way() || !was_left_running) return false;
  if (!early) early = {step.event.at, slot};
  return true;
}

void OrderRules::on_stopping(Step& step, StopCause cause) {
  const std::uint32_t slot = step.event.service.slot;
  has_stopped(step);
  waits_no_more(slot);
  if (cause == StopCause::shutdown) found.tested(Rule::stops_before_its_dependencies);
  if (step.life.phase == Phase::running) set_ready(step, false);
}

void OrderRules::on_terminated(Step& step) {
  set_ready(step, false);
  waits_no_more(step.event.service.slot);
  Follower* const one = follower(step.event.service.slot);
  if (one == nullptr) return;
  one->must_stop = false;
  if (!drain.shutdown || drain.drained) return;
  for (const auto need : crowds[*one->crowd].needs) {
    const auto slot = needs[need].slot;
    if (!slot || is_in_use(*slot)) continue;
    Life& life = known.lives[*slot];
    if (life.present && life.owed == Owed::nothing && life.run_alive && life.phase != Phase::stopping) {
      owes_a_stop(life, step.event.at, StopCause::shutdown);
    }
  }
}

void OrderRules::on_removed(Step& step) {
  if (!is_used()) return;
  const std::uint32_t slot = step.event.service.slot;
  if (const auto found_name = present.find(step.past.name); found_name != present.end() && found_name->second == slot) {
    present.erase(found_name);
  }
  if (const auto own = need_of(slot)) needs[*own].slot.reset();
  waits_no_more(slot);
  if (slot >= followers.size()) return;
  followers[slot].is_replaced = step.paid == Owed::be_replaced;
  if (followers[slot].is_replaced) return;
  if (const auto crowd = followers[slot].crowd) std::erase(crowds[*crowd].slots, slot);
  followers[slot] = {};
}

void OrderRules::waits_no_more(std::uint32_t slot) noexcept {
  if (slot >= followers.size() || !std::exchange(followers[slot].waits, false)) return;
  turns.others_wait(-1);
}

}  // namespace holdfast::sim::detail
