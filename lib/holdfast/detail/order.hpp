// Which services are after which others: who has to wait, whom a change concerns, and who may stop in a shutdown.
//
// Services that are after the same others stand behind one gate, which is open while all that it needs are ready. So a
// change of one service costs a step for each gate that needs it, and then one for each service behind a gate that it
// opened or closed: a thousand clients of three databases are one gate with three needs.
//
// What a gate needs is known by name. A service that is removed is missed until one of its name is added and ready.
//
// The supervisor tells what happens to its services, and looks at the gates that have changed afterwards, in a step of
// its own. Nothing here calls anybody.
//
// Memory: 32 bytes for each slot up to the highest of a service that is after others or that others are after, about
// 100 for each gate and each such other.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/detail/service_record.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

class ServiceOrder {
 public:
  // A gate that has changed since it was looked at.
  struct Change {
    std::uint32_t gate;
    bool fell;  // one that it needs became unready meanwhile, perhaps for a moment
  };

  // -- Who is there -------------------------------------------------------------------------------------------------

  // The names from `name` back to itself, if a service of that name would come after itself: a, b, a. Empty: it would
  // not. It is to be after `others`.
  [[nodiscard]] std::vector<std::string> circle(std::string_view name,
                                                const std::vector<ServiceRecord*>& others) const {
    const auto goal = index_of(name);
    if (goal == kNone) return {};
    std::vector<bool> seen(needs_.size());
    for (const ServiceRecord* const other : others) {
      std::vector<std::string> path{std::string{name}, std::string{other->name.text()}};
      if (leads_to(goal, other->id.slot, path, seen)) return path;
    }
    return {};
  }

  // A service was added. Throws std::bad_alloc; then forget() undoes what was done.
  void enter(ServiceRecord& record, const std::vector<ServiceRecord*>& after) {
    if (const auto own = index_of(record.name.text()); own != kNone) take_over(own, record);
    if (after.empty()) return;
    make_room(record.id.slot);
    std::vector<std::uint32_t> needs;
    needs.reserve(after.size());
    for (ServiceRecord* const one : after) needs.push_back(need_of(*one));
    join(record.id.slot, gate_with(needs));
  }

  // The service is gone, or was never really there.
  void forget(const ServiceRecord& record) noexcept {
    const std::uint32_t slot = record.id.slot;
    if (slot >= places_.size()) return;
    terminates(slot);
    if (places_[slot].gate != kNone) leave(slot);
    if (const auto own = places_[slot].need; own != kNone) needs_[own].slot = kNoSlot;
    places_[slot] = {};
  }

  // It terminates: it needs nobody any more, and will not start.
  void terminates(std::uint32_t slot) noexcept {
    if (gate_of(slot) != kNone && std::exchange(places_[slot].counts, false)) --gates_[places_[slot].gate].alive;
  }
  // A terminated one was added again in its place.
  void comes_back(std::uint32_t slot) noexcept {
    if (gate_of(slot) != kNone && !std::exchange(places_[slot].counts, true)) ++gates_[places_[slot].gate].alive;
  }

  // -- Who is ready -------------------------------------------------------------------------------------------------

  // Others are after it, or were: its becoming ready and unready has to be told.
  [[nodiscard]] bool is_needed(std::uint32_t slot) const noexcept {
    return slot < places_.size() && places_[slot].need != kNone;
  }

  // True if gates have changed, and none had before.
  bool became_ready(std::uint32_t slot, TimePoint at) noexcept {
    return is_needed(slot) && set_ready(places_[slot].need, true, at);
  }
  bool became_unready(std::uint32_t slot, TimePoint at) noexcept {
    return is_needed(slot) && set_ready(places_[slot].need, false, at);
  }

  // The gate that changed first. nullopt: there is none.
  std::optional<Change> take_change() noexcept {
    while (changed_ != kNone) {
      Gate& gate = gates_[changed_];
      const Change change{changed_, std::exchange(gate.fell, false)};
      gate.has_changed = false;
      changed_ = gate.next;
      if (changed_ == kNone) changed_last_ = kNone;
      if (gate.first != kNoSlot) return change;
      free(change.gate);
    }
    return std::nullopt;
  }

  [[nodiscard]] bool is_open(std::uint32_t gate) const noexcept { return gates_[gate].missing == 0; }
  // When one of those that the gate needs last became ready or unready. An event has this time, so that a replay knows
  // it; it would not know the time at which the gate is looked at.
  [[nodiscard]] TimePoint changed_at(std::uint32_t gate) const noexcept { return gates_[gate].changed_at; }
  // The services behind a gate, in the order of adding; kNoSlot: there is no further one.
  [[nodiscard]] std::uint32_t first_behind(std::uint32_t gate) const noexcept { return gates_[gate].first; }
  [[nodiscard]] std::uint32_t next_behind(std::uint32_t slot) const noexcept { return places_[slot].after; }

  // It is after others, one of which is not ready.
  [[nodiscard]] bool misses_any(std::uint32_t slot) const noexcept {
    return gate_of(slot) != kNone && !is_open(places_[slot].gate);
  }
  [[nodiscard]] bool is_after_any(std::uint32_t slot) const noexcept { return gate_of(slot) != kNone; }
  // The first that is not ready, in the order of its policy; empty if there is none.
  [[nodiscard]] std::string_view first_missing(std::uint32_t slot) const noexcept {
    if (!misses_any(slot)) return {};
    const auto& needs = gates_[places_[slot].gate].needs;
    return needs_[*std::find_if(needs.begin(), needs.end(), [this](auto need) { return !needs_[need].is_ready; })].name;
  }

  // It starts by a command, whoever is ready: what became unready before does not concern that run.
  void starts_by_hand(std::uint32_t slot) noexcept {
    if (gate_of(slot) != kNone) places_[slot].falls = gates_[places_[slot].gate].falls;
  }
  // One that it is after has become unready since. REQUIRES: it is after others.
  [[nodiscard]] bool is_concerned(std::uint32_t slot) const noexcept {
    return places_[slot].falls != gates_[places_[slot].gate].falls;
  }

  // -- Who waits ----------------------------------------------------------------------------------------------------

  // REQUIRES: it is after others, and does not wait.
  void wait(std::uint32_t slot, Duration delay) noexcept {
    places_[slot].waits = true;
    places_[slot].delay = delay;
  }
  [[nodiscard]] bool waits(std::uint32_t slot) const noexcept { return slot < places_.size() && places_[slot].waits; }
  // How long it waits once all are ready. REQUIRES: it waits.
  [[nodiscard]] Duration delay(std::uint32_t slot) const noexcept { return places_[slot].delay; }
  // False: it did not.
  bool waits_no_more(std::uint32_t slot) noexcept { return waits(slot) && std::exchange(places_[slot].waits, false); }

  // -- Who may stop -------------------------------------------------------------------------------------------------

  // Services that are after it have not terminated.
  [[nodiscard]] bool is_in_use(std::uint32_t slot) const noexcept {
    if (!is_needed(slot)) return false;
    const auto& gates = needs_[places_[slot].need].gates;
    return std::any_of(gates.begin(), gates.end(), [this](std::uint32_t gate) { return gates_[gate].alive > 0; });
  }
  // How many services this one is after, and who they are; kNoSlot: it is not there.
  [[nodiscard]] std::size_t count_of_needs(std::uint32_t slot) const noexcept {
    return gate_of(slot) == kNone ? 0 : gates_[places_[slot].gate].needs.size();
  }
  [[nodiscard]] std::uint32_t needed_slot(std::uint32_t slot, std::size_t index) const noexcept {
    return needs_[gates_[places_[slot].gate].needs[index]].slot;
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  // A service that others are after, whether or not it is there.
  struct Need {
    std::string name;
    std::uint32_t slot = kNoSlot;  // kNoSlot: it is not there; of one that is free, the next that is
    bool is_ready = false;
    std::vector<std::uint32_t> gates;  // one entry for each time that it is needed
  };
  struct Gate {
    std::vector<std::uint32_t> needs;  // in the order of the policy
    std::size_t missing = 0;           // of these, the ones that are not ready
    std::size_t alive = 0;             // services behind it that have not terminated
    std::uint32_t first = kNoSlot;     // the services behind it
    std::uint32_t last = kNoSlot;
    std::uint32_t next = kNone;  // that has changed, or is free
    TimePoint changed_at;
    std::uint32_t falls = 1;  // counts when one of them became unready, from 1; it may begin again
    bool has_changed = false;
    bool fell = false;
  };
  struct Place {
    std::uint32_t need = kNone;  // what it is to others
    std::uint32_t gate = kNone;  // what it stands behind
    std::uint32_t before = kNoSlot;
    std::uint32_t after = kNoSlot;
    Duration delay{0};
    std::uint32_t falls = 0;  // of its gate, when it was last started by hand
    bool waits = false;
    bool counts = false;  // among the alive of its gate
  };

  [[nodiscard]] std::uint32_t gate_of(std::uint32_t slot) const noexcept {
    return slot < places_.size() ? places_[slot].gate : kNone;
  }
  [[nodiscard]] std::uint32_t index_of(std::string_view name) const noexcept {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? kNone : found->second;
  }
  void make_room(std::uint32_t slot) {
    if (slot >= places_.size()) places_.resize(slot + std::size_t{1});
  }

  // Depth first. Each need is looked at once.
  bool leads_to(std::uint32_t goal, std::uint32_t slot, std::vector<std::string>& path, std::vector<bool>& seen) const {
    if (gate_of(slot) == kNone) return false;
    for (const auto index : gates_[places_[slot].gate].needs) {
      if (seen[index]) continue;
      seen[index] = true;
      const Need& need = needs_[index];
      path.push_back(need.name);
      if (index == goal || (need.slot != kNoSlot && leads_to(goal, need.slot, path, seen))) return true;
      path.pop_back();
    }
    return false;
  }

  // The need for a service that is there; made if it is new.
  std::uint32_t need_of(ServiceRecord& record) {
    make_room(record.id.slot);
    auto& own = places_[record.id.slot].need;
    if (own != kNone) return own;
    if (free_need_ == kNone) {
      needs_.emplace_back();
      free_need_ = static_cast<std::uint32_t>(needs_.size() - 1);
    }
    const std::uint32_t index = free_need_;
    Need& need = needs_[index];
    need.name = std::string{record.name.text()};
    by_name_.emplace(need.name, index);
    free_need_ = std::exchange(need.slot, record.id.slot);
    need.is_ready = record.phase == Phase::running && record.run_open;  // while its end is reported it runs no more
    record.starts_specially = true;
    return own = index;
  }

  // A service of a name that others are after was added. The one before may still be on its way out.
  void take_over(std::uint32_t need, ServiceRecord& record) {
    make_room(record.id.slot);
    if (const auto old = needs_[need].slot; old != kNoSlot) places_[old].need = kNone;
    needs_[need].slot = record.id.slot;
    places_[record.id.slot].need = need;
    record.starts_specially = true;
  }

  // Services are added group by group, so the latest gate is the one, or there is none yet.
  std::uint32_t gate_with(const std::vector<std::uint32_t>& needs) {
    if (latest_ != kNone && gates_[latest_].needs == needs) return latest_;
    if (free_ == kNone) {
      gates_.emplace_back();
      free_ = static_cast<std::uint32_t>(gates_.size() - 1);
    }
    Gate& gate = gates_[free_];
    gate.needs = needs;
    for (std::size_t i = 0; i < needs.size(); ++i) {
      try {
        needs_[needs[i]].gates.push_back(free_);
      } catch (...) {
        while (i-- > 0) needs_[needs[i]].gates.pop_back();
        gate.needs.clear();
        throw;
      }
    }
    gate.missing = static_cast<std::size_t>(
        std::count_if(needs.begin(), needs.end(), [this](auto need) { return !needs_[need].is_ready; }));
    latest_ = free_;
    free_ = std::exchange(gate.next, kNone);
    return latest_;
  }

  void join(std::uint32_t slot, std::uint32_t index) noexcept {
    Gate& gate = gates_[index];
    Place& place = places_[slot];
    place.gate = index;
    place.before = gate.last;
    place.after = kNoSlot;
    place.counts = true;
    (gate.last == kNoSlot ? gate.first : places_[gate.last].after) = slot;
    gate.last = slot;
    ++gate.alive;
  }

  void leave(std::uint32_t slot) noexcept {
    const Place place = places_[slot];
    Gate& gate = gates_[place.gate];
    (place.before == kNoSlot ? gate.first : places_[place.before].after) = place.after;
    (place.after == kNoSlot ? gate.last : places_[place.after].before) = place.before;
    if (gate.first == kNoSlot && !gate.has_changed) free(place.gate);
  }

  // Nobody stands behind it.
  void free(std::uint32_t index) noexcept {
    Gate& gate = gates_[index];
    for (const auto one : gate.needs) {
      Need& need = needs_[one];
      if (std::erase(need.gates, index) == 0 || !need.gates.empty()) continue;
      by_name_.erase(need.name);
      if (need.slot != kNoSlot) places_[need.slot].need = kNone;
      need = {.name = {}, .slot = std::exchange(free_need_, one), .gates = {}};
    }
    if (latest_ == index) latest_ = kNone;
    gate = {};
    gate.next = std::exchange(free_, index);
  }

  bool set_ready(std::uint32_t index, bool ready, TimePoint at) noexcept {
    Need& need = needs_[index];
    if (need.is_ready == ready) return false;
    need.is_ready = ready;
    const bool none_had = changed_ == kNone;
    for (const auto gate : need.gates) {
      ready ? --gates_[gate].missing : ++gates_[gate].missing;
      gates_[gate].changed_at = at;
      if (!ready) {
        gates_[gate].fell = true;
        if (++gates_[gate].falls == 0) gates_[gate].falls = 1;
      }
      note(gate);
    }
    return none_had && changed_ != kNone;
  }

  void note(std::uint32_t index) noexcept {
    Gate& gate = gates_[index];
    if (std::exchange(gate.has_changed, true)) return;
    gate.next = kNone;
    (changed_last_ == kNone ? changed_ : gates_[changed_last_].next) = index;
    changed_last_ = index;
  }

  std::vector<Place> places_;  // by slot
  std::vector<Need> needs_;
  std::vector<Gate> gates_;
  std::map<std::string, std::uint32_t, std::less<>> by_name_;  // into needs_
  std::uint32_t latest_ = kNone;                               // the gate that was made last
  std::uint32_t free_ = kNone;                                 // a gate that nobody stands behind
  std::uint32_t free_need_ = kNone;                            // a need of no gate
  std::uint32_t changed_ = kNone;                              // the gate that changed first
  std::uint32_t changed_last_ = kNone;
};

}  // namespace holdfast::detail
