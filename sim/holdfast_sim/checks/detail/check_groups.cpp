#include <holdfast_sim/checks/detail/check_groups.hpp>

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include <holdfast_sim/observe/event_log.hpp>

namespace holdfast::sim::detail {

using holdfast::to_string;

// ---------------------------------------------------------------------------------------------------------------------
// The tree
// ---------------------------------------------------------------------------------------------------------------------

void GroupRules::on_supervisor_event(const Event& event) {
  if (const auto* const added = std::get_if<event::GroupAdded>(&event.what)) {
    Group group{.path = std::string{added->group}, .strategy = added->strategy};
    if (added->max_restarts) group.intensity = {*added->max_restarts, added->within.value_or(Duration{0})};
    const auto outer = by_path.find(added->group.substr(0, added->group.rfind('/')));
    if (outer != by_path.end()) group.place.group = outer->second;
    by_path.emplace(group.path, groups.size());
    groups.push_back(std::move(group));
  } else if (const auto* const lost = std::get_if<event::GroupLost>(&event.what)) {
    on_lost(event, *lost);
  }
}

void GroupRules::on_added(Step& step, const ServicePolicy& policy) {
  const auto group = by_path.find(policy.group);
  if (policy.group.empty() || group == by_path.end()) return;
  const std::uint32_t slot = step.event.service.slot;
  if (slot >= members.size()) members.resize(slot + std::size_t{1});
  if (std::exchange(members[slot].is_replaced, false)) return;
  members[slot] = {};
  append({.index = slot}, group->second);
}

// A group has its place from its first service on.
void GroupRules::append(const Child& child, GroupIndex group) {
  const auto outer = groups[group].place.group;
  if (groups[group].children.empty() && groups[group].numbers == 0 && outer) {
    append({.is_group = true, .index = group}, *outer);
  }
  Child placed = child;
  placed.number = groups[group].numbers++;
  groups[group].children.push_back(placed);
  place_of(child) = {group, placed.number};
}

std::vector<std::uint32_t> GroupRules::services_of(GroupIndex group, std::uint32_t from) const {
  std::vector<std::uint32_t> slots;
  for (const auto& child : groups[group].children) {
    if (child.number < from) continue;
    if (!child.is_group) {
      slots.push_back(static_cast<std::uint32_t>(child.index));
      continue;
    }
    const auto inner = services_of(child.index, 0);
    slots.insert(slots.end(), inner.begin(), inner.end());
  }
  return slots;
}

// The outermost group in whose round it is.
std::optional<GroupRules::GroupIndex> GroupRules::round_over(std::uint32_t slot) const {
  std::optional<GroupIndex> outermost;
  if (slot >= members.size()) return outermost;
  for (Place place = members[slot].place; place.group; place = groups[*place.group].place) {
    if (from_of(*place.group) <= place.number) outermost = place.group;
  }
  return outermost;
}

// ---------------------------------------------------------------------------------------------------------------------
// Starting again together
// ---------------------------------------------------------------------------------------------------------------------

bool GroupRules::restarts_too_often(Group& group, TimePoint now) {
  if (!group.intensity) return false;
  auto& times = group.restarts;
  std::erase_if(times, [&](TimePoint at) { return now - at > group.intensity->within; });
  times.push_back(now);
  return times.size() > group.intensity->max_restarts;
}

void GroupRules::on_backing_off(Step& step, BackoffCause cause) {
  const std::uint32_t slot = step.event.service.slot;
  const Member* const one = member(slot);
  if (one == nullptr || drain.shutdown || cause == BackoffCause::dependency || cause == BackoffCause::sibling) return;
  latest = step.event.at;
  const GroupIndex index = *one->place.group;
  Group& group = groups[index];
  if (!round_over(slot) && restarts_too_often(group, step.event.at)) {
    loss = {index, GroupLoss::restarts, step.past.name};
    return;
  }
  const bool has_siblings = group.strategy != Strategy::one_for_one;
  const std::uint32_t from = group.strategy == Strategy::rest_for_one ? one->place.number : 0;
  const auto present = round_over(slot);
  if (has_siblings && (!present || *present == index)) group.round_from = std::min(group.round_from, from);
  if (!round_over(slot)) return;
  take_part(slot);
  if (!has_siblings) return;
  auto siblings = services_of(index, from);
  std::reverse(siblings.begin(), siblings.end());
  for (const auto sibling : siblings) {
    const Life& life = known.lives[sibling];
    if (sibling == slot || !life.present || life.phase == Phase::terminated) continue;
    if (life.run_alive && life.phase != Phase::stopping) {
      to_stop.push_back(sibling);
      members[sibling].takes_part = true;  // also if it has ended, and that is reported later
    } else if (life.phase != Phase::starting) {
      take_part(sibling);
    }
  }
}

// If it could start already, it waits again.
void GroupRules::take_part(std::uint32_t slot) {
  members[slot].takes_part = true;
  if (members[slot].waits) known.lives[slot].due = TimePoint::max();
}

void GroupRules::stops_with_its_siblings(Step& step) {
  const std::uint32_t slot = step.event.service.slot;
  const auto next = std::find(to_stop.begin(), to_stop.end(), slot);
  const bool is_due = next != to_stop.end() && latest == step.event.at;
  if (!step.explained) {
    found.test(Rule::starts_again_with_its_group, is_due, step,
               [] { return "stops for a sibling, though nothing calls for that, or in another order"; });
  }
  if (next == to_stop.end()) return;
  // Who comes before had ended, and its end follows.
  to_end.insert(to_end.end(), to_stop.begin(), next);
  to_stop.erase(to_stop.begin(), next + 1);
  take_part(slot);
}

void GroupRules::on_stopping(Step& step) {
  const std::uint32_t slot = step.event.service.slot;
  std::erase(to_start, slot);
  if (Member* const one = member(slot); one != nullptr && !known.lives[slot].run_alive) leaves(slot, step.event.at);
}

void GroupRules::on_ended(Step& step) noexcept {
  std::erase(to_stop, step.event.service.slot);
  std::erase(to_end, step.event.service.slot);
}

void GroupRules::on_commanded(Step& step) noexcept {
  if (Member* const one = member(step.event.service.slot)) one->commanded_at = step.event.at;
}

// Somebody in the round who cannot start at this time.
std::optional<std::uint32_t> GroupRules::first_missing(GroupIndex group, std::uint32_t but, TimePoint at) const {
  for (const auto slot : services_of(group, from_of(group))) {
    const Life& life = known.lives[slot];
    if (slot == but || !life.present || !members[slot].takes_part || members[slot].waits) continue;
    const bool can_start = life.phase == Phase::backing_off ? life.due <= at : !life.run_alive;
    if (!can_start || life.phase == Phase::stopping) return slot;
  }
  return std::nullopt;
}

void GroupRules::on_waiting(Step& step) {
  const std::uint32_t slot = step.event.service.slot;
  const auto group = round_over(slot);
  Life& life = step.life;
  const bool is_first = life.phase == Phase::starting && !life.run_alive && !life.started_before;
  const auto wrong = [&]() -> std::string {
    if (!group) return "waits for its group, which does not start again";
    if (members[slot].waits) return "waits for its group, and did so before";
    if (!is_first && life.phase != Phase::backing_off) return "waits for its group, but would not start";
    return {};
  }();
  if (!step.explained) {
    found.test(Rule::starts_again_with_its_group, wrong.empty(), step, [&wrong] { return std::string{wrong}; });
  }
  order.waits_no_more(slot);
  if (step.past.turn != 0) turns.ends(step.past);
  if (!wrong.empty()) return;
  members[slot].takes_part = members[slot].waits = true;
  turns.others_wait(1);
  life.due = TimePoint::max();
}

void GroupRules::waits_no_more(std::uint32_t slot) noexcept {
  if (std::exchange(members[slot].waits, false)) turns.others_wait(-1);
}

// The others start in this instant if nobody is missing any more.
void GroupRules::leaves(std::uint32_t slot, TimePoint at) {
  Member* const one = member(slot);
  if (one == nullptr || !one->takes_part) return;
  const auto group = round_over(slot);
  waits_no_more(slot);
  one->takes_part = false;
  if (!group || first_missing(*group, slot, at)) return;
  latest = at;
  bool anybody = false;
  for (const auto other : services_of(*group, from_of(*group))) {
    anybody = anybody || members[other].takes_part;
    if (members[other].waits) known.lives[other].due = at;
  }
  if (!anybody) end_rounds_in(*group);
}

// Those of the groups that are in the round end with it. One that comes before the first that starts again goes on.
void GroupRules::end_rounds_in(GroupIndex group) {
  const auto from = std::exchange(groups[group].round_from, kNoRound);
  for (const auto& child : groups[group].children) {
    if (child.is_group && child.number >= from) end_all_rounds_in(child.index);
  }
}

void GroupRules::end_all_rounds_in(GroupIndex group) {
  groups[group].round_from = kNoRound;
  for (const auto& child : groups[group].children) {
    if (child.is_group) end_all_rounds_in(child.index);
  }
}

// All of them are due now.
void GroupRules::end_round(GroupIndex group, TimePoint at) {
  latest = at;
  const auto slots = services_of(group, from_of(group));
  end_rounds_in(group);
  for (const auto slot : slots) {
    Member& one = members[slot];
    waits_no_more(slot);
    if (!std::exchange(one.takes_part, false) || !known.lives[slot].present) continue;
    if (known.lives[slot].waits()) known.lives[slot].due = at;
    if (known.lives[slot].waits()) to_start.push_back(slot);
  }
}

void GroupRules::starts_in_order(Step& step) {
  const std::uint32_t slot = step.event.service.slot;
  const auto next = std::find(to_start.begin(), to_start.end(), slot);
  if (next == to_start.end()) return;
  if (!step.explained) {
    found.test(Rule::starts_again_with_its_group, next == to_start.begin(), step, [&] {
      return fmt::format("starts again with its group before \"{}\", which was added earlier",
                         known.pasts[to_start.front()].name);
    });
  }
  to_start.erase(next);
}

void GroupRules::on_other_wait(Step& step) {
  const std::uint32_t slot = step.event.service.slot;
  if (member(slot) == nullptr) return;
  if (const auto group = round_over(slot); group && members[slot].takes_part) end_round(*group, step.event.at);
  starts_in_order(step);
}

void GroupRules::on_started(Step& step) {
  const std::uint32_t slot = step.event.service.slot;
  const Member* const one = member(slot);
  if (one == nullptr) return;
  const bool by_hand = one->commanded_at == step.event.at || step.paid == Owed::start_again;
  const auto group = round_over(slot);
  if (by_hand) {
    if (one->waits && group) step.explained = step.explained || !first_missing(*group, slot, step.event.at);
    const bool was_in = one->takes_part;
    leaves(slot, step.event.at);
    if (was_in) step.life.due = step.event.at;
    std::erase(to_start, slot);
    return;
  }
  if (group) {
    const auto missing = first_missing(*group, slot, step.event.at);
    if (!step.explained) {
      found.test(Rule::starts_again_with_its_group, !missing, step, [&] {
        return fmt::format("a run starts, but \"{}\", which is to start with it, cannot", known.pasts[*missing].name);
      });
    }
    members[slot].takes_part = true;
    end_round(*group, step.event.at);
  }
  starts_in_order(step);
}

// ---------------------------------------------------------------------------------------------------------------------
// Giving up
// ---------------------------------------------------------------------------------------------------------------------

void GroupRules::on_terminated(Step& step, const Termination& why) {
  using Reason = Termination::Reason;
  const std::uint32_t slot = step.event.service.slot;
  Member* const one = member(slot);
  if (one == nullptr) return;
  on_ended(step);
  std::erase(to_start, slot);
  leaves(slot, step.event.at);
  if (drain.shutdown || drain.is_under_way()) return;
  const bool failed =
      why.reason == Reason::failed && retries.policies[step.life.policy]->restart != RestartPolicy::never;
  const bool hangs = why.reason == Reason::abandoned && goes_on_after(step.life.stop_cause);
  if (!failed && !hangs && why.reason != Reason::circuit_open) return;
  latest = step.event.at;
  loss = {*one->place.group, GroupLoss::child, step.past.name};
}

void GroupRules::on_lost(const Event& event, const event::GroupLost& what) {
  found.tested(Rule::loses_a_group_when_its_policy_says_so);
  const auto group = by_path.find(what.group);
  const bool right = group != by_path.end() && loss && loss->group == group->second && loss->cause == what.cause &&
                     loss->child == what.child && latest == event.at;
  if (!right) {
    found.violated(Rule::loses_a_group_when_its_policy_says_so, {}, event.at,
                   fmt::format("the group {} is lost, though nothing calls for that now", what.group),
                   {describe(event)});
  }
  loss.reset();
  if (group == by_path.end()) return;
  Group& lost = groups[group->second];
  lost.restarts.clear();
  if (lost.place.group) {
    loss = {*lost.place.group, GroupLoss::child, lost.path};
    return;
  }
  for (const auto slot : services_of(group->second, 0)) {
    Life& life = known.lives[slot];
    if (life.present) owes_a_stop(life, event.at, StopCause::group_lost);
  }
}

void GroupRules::on_removed(Step& step) {
  const std::uint32_t slot = step.event.service.slot;
  Member* const one = member(slot);
  if (one == nullptr) return;
  if (step.paid == Owed::be_replaced) {
    one->is_replaced = true;
    return;
  }
  std::erase_if(groups[*one->place.group].children,
                [slot](const Child& child) { return !child.is_group && child.index == slot; });
  *one = {};
}

void GroupRules::time_goes_on(TimePoint at) {
  if (latest >= at) return;
  if (loss) {
    const Loss missed = *std::exchange(loss, std::nullopt);
    found.violated(Rule::loses_a_group_when_its_policy_says_so, missed.child, latest,
                   fmt::format("the group {} was to be lost, and was not", groups[missed.group].path), {});
  }
  to_start.clear();
  to_stop.insert(to_stop.end(), to_end.begin(), to_end.end());
  to_end.clear();
  for (const auto slot : std::exchange(to_stop, {})) {
    is_broken(Rule::starts_again_with_its_group, slot, latest,
              "was to stop, because a sibling in its group starts again, and did not");
  }
}

void GroupRules::is_broken(Rule rule, std::uint32_t slot, TimePoint at, std::string says) {
  const Life& life = known.lives[slot];
  found.violated(rule, known.pasts[slot].name, at, std::move(says), lines_of(life, known.pasts[slot], life.run));
}

}  // namespace holdfast::sim::detail
