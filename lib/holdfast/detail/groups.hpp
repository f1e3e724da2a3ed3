// Groups of services, which may be in other groups: a tree. It knows who is whose sibling, and who starts again with
// whom.
//
// ## A round
//
// When a child of a group is to start again and the group's strategy concerns its siblings, a round begins: from a
// place in the order of adding on, every child of the group starts again together. A service takes part in the round as
// `missing` as long as it stops or its own delay passes; then it `waits`. When nobody is missing the round is over: all
// that wait start, in the order of adding. It is a gate like those of order.hpp, whose needs are its own services.
//
// A service is in one round at most: that of the outermost group that has one from its place on.
//
// The supervisor tells what happens to its services. Nothing here calls anybody.
//
// Memory: 24 bytes for each slot up to the highest of a service in a group, about 160 for each group.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/backoff.hpp>
#include <holdfast/detail/service_record.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

class ServiceGroups {
 public:
  // The number of a group.
  using Group = std::uint32_t;
  static constexpr Group kNone = ~Group{0};

  // -- Who is there -------------------------------------------------------------------------------------------------

  // kNone: no such group.
  [[nodiscard]] Group find(std::string_view path) const noexcept {
    const auto found = by_path_.find(path);
    return found == by_path_.end() ? kNone : found->second;
  }
  // Throws std::bad_alloc; then nothing has happened. REQUIRES: it is not there, and the group that it is in is.
  Group add(const GroupConfig& config) {
    const auto group = static_cast<Group>(nodes_.size());
    Node& node = nodes_.emplace_back();
    try {
      node.path = config.path;
      by_path_.emplace(config.path, group);
    } catch (...) {
      nodes_.pop_back();
      throw;
    }
    node.policy = config.policy;
    node.place.parent = find(parent_path(config.path));
    return group;
  }
  // The latest one was not added after all.
  void take_back() noexcept {
    by_path_.erase(nodes_.back().path);
    nodes_.pop_back();
  }

  // The path of the group that a group is in; empty: it is in none.
  [[nodiscard]] static std::string_view parent_path(std::string_view path) noexcept {
    return path.substr(0, path.rfind('/'));
  }
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  [[nodiscard]] const std::string& path(Group group) const noexcept { return nodes_[group].path; }
  [[nodiscard]] const GroupPolicy& policy(Group group) const noexcept { return nodes_[group].policy; }
  // kNone: it is in no other.
  [[nodiscard]] Group parent(Group group) const noexcept { return nodes_[group].place.parent; }

  // A service was added. Throws std::bad_alloc. A group has its place among its siblings from its first service on.
  void enter(std::uint32_t slot, Group group) {
    if (slot >= places_.size()) places_.resize(slot + std::size_t{1});
    places_[slot] = {};
    append(slot, group);
    revive(group);
  }
  // A terminated one was added again in its place.
  void comes_back(std::uint32_t slot) noexcept {
    if (has(slot)) revive(places_[slot].parent);
  }
  // The service is gone. REQUIRES: it is in no round.
  void forget(std::uint32_t slot) noexcept {
    if (!has(slot)) return;
    const Place place = places_[slot];
    Node& node = nodes_[place.parent];
    (place.before == kNobody ? node.first : place_of(place.before).after) = place.after;
    (place.after == kNobody ? node.last : place_of(place.after).before) = place.before;
    places_[slot] = {};
  }

  [[nodiscard]] bool has(std::uint32_t slot) const noexcept {
    return slot < places_.size() && places_[slot].parent != kNone;
  }
  // REQUIRES: has(slot).
  [[nodiscard]] Group group_of(std::uint32_t slot) const noexcept { return places_[slot].parent; }

  // Calls act(slot) for each service of the group and of the groups in it, in the order of adding or from the last to
  // the first. Services may be added meanwhile.
  template <class Act>
  void for_each(Group group, const Act& act) const {
    for (std::uint32_t child = nodes_[group].first, next = 0; child != kNobody; child = next) {
      next = place_of(child).after;
      is_group(child) ? for_each(child & ~kGroupBit, act) : act(child);
    }
  }
  // Those from a place on.
  template <class Act>
  void for_each_back(Group group, std::uint32_t from, const Act& act) const {
    for (std::uint32_t child = nodes_[group].last, next = 0; child != kNobody; child = next) {
      if (place_of(child).number < from) return;
      next = place_of(child).before;
      is_group(child) ? for_each_back(child & ~kGroupBit, 0, act) : act(child);
    }
  }

  // -- Rounds -------------------------------------------------------------------------------------------------------

  // From which place on the children start again with this one; nullopt: it starts alone. REQUIRES: has(slot).
  [[nodiscard]] std::optional<std::uint32_t> concerned_from(std::uint32_t slot) const noexcept {
    switch (nodes_[places_[slot].parent].policy.strategy) {
      case Strategy::one_for_one: return std::nullopt;
      case Strategy::one_for_all: return 0;
      case Strategy::rest_for_one: return places_[slot].number;
    }
    return std::nullopt;
  }
  // Begins a round, or brings in those that the present one leaves out.
  void begin_round(Group group, std::uint32_t from) noexcept {
    nodes_[group].round_from = std::min(nodes_[group].round_from, from);
  }
  // The group with whose round the service has to start; kNone: there is none.
  [[nodiscard]] Group round_over(std::uint32_t slot) const noexcept {
    if (!has(slot)) return kNone;
    Group outermost = kNone;
    for (const Place* place = &places_[slot]; place->parent != kNone; place = &nodes_[place->parent].place) {
      if (nodes_[place->parent].round_from <= place->number) outermost = place->parent;
    }
    return outermost;
  }
  [[nodiscard]] bool waits(std::uint32_t slot) const noexcept { return has(slot) && places_[slot].waits; }
  // Somebody takes part in the round of the group. In one that all have left, its end is still to be noticed.
  [[nodiscard]] bool has_anybody(Group group) const noexcept {
    bool found = nodes_[group].missing > 0;
    for_each(group, [&](std::uint32_t slot) { found = found || waits_for(slot, group); });
    return found;
  }

  // It is missing in the round of `group`, if it does not take part in that already. True if it was reported as waiting
  // in another one.
  bool miss(std::uint32_t slot, Group group) noexcept {
    if (places_[slot].round == group && !places_[slot].waits) return false;
    const bool was_told = leave(slot);
    places_[slot].round = group;
    ++nodes_[group].missing;
    return was_told;
  }
  // It waits. True if nobody is missing any more. REQUIRES: it is missing.
  bool wait(std::uint32_t slot) noexcept {
    places_[slot].waits = true;
    return --nodes_[places_[slot].round].missing == 0;
  }
  // It was reported as waiting. REQUIRES: it waits.
  void was_told(std::uint32_t slot) noexcept { places_[slot].told = true; }
  // It waits, from now on in the round of `group`.
  void take_over(std::uint32_t slot, Group group) noexcept {
    const bool told = leave(slot);
    places_[slot].round = group;
    places_[slot].waits = true;
    places_[slot].told = told;
  }
  // It takes no part any more. True if it was reported as waiting.
  bool leave(std::uint32_t slot) noexcept {
    if (!has(slot) || places_[slot].round == kNone) return false;
    Place& place = places_[slot];
    const Group group = std::exchange(place.round, kNone);
    if (!std::exchange(place.waits, false) && --nodes_[group].missing == 0) note(group);
    return std::exchange(place.told, false);
  }
  // A service has left a round, in which nobody is missing since.
  [[nodiscard]] bool has_complete_round() const noexcept { return noted_ != kNone; }
  // The group of one. kNone: there is none any more.
  Group take_complete_round() noexcept {
    while (noted_ != kNone) {
      const Group group = noted_;
      noted_ = std::exchange(nodes_[group].next_noted, kNone);
      nodes_[group].is_noted = false;
      if (nodes_[group].round_from != kNoRound && nodes_[group].missing == 0) return group;
    }
    return kNone;
  }
  // Those that wait for it start.
  void end_round(Group group) noexcept { nodes_[group].round_from = kNoRound; }
  [[nodiscard]] bool waits_for(std::uint32_t slot, Group group) const noexcept {
    return places_[slot].waits && places_[slot].round == group;
  }

  // -- Giving up ----------------------------------------------------------------------------------------------------

  // A child is to start again. True if that is once too often.
  bool restarts_too_often(Group group, TimePoint now) noexcept {
    const auto& intensity = nodes_[group].policy.intensity;
    if (!intensity) return false;
    const BreakerPolicy breaker{.max_failures = intensity->max_restarts + 1, .window = intensity->within};
    return nodes_[group].restarts.record(breaker, now) >= breaker.max_failures;
  }
  void lose(Group group) noexcept {
    nodes_[group].lost = true;
    nodes_[group].restarts.clear();
  }
  [[nodiscard]] bool is_lost(Group group) const noexcept { return nodes_[group].lost; }
  // It is in a lost group. REQUIRES: has(slot).
  [[nodiscard]] bool is_given_up(std::uint32_t slot) const noexcept {
    for (Group group = places_[slot].parent; group != kNone; group = nodes_[group].place.parent) {
      if (nodes_[group].lost) return true;
    }
    return false;
  }

 private:
  static constexpr std::uint32_t kNobody = ~std::uint32_t{0};
  static constexpr std::uint32_t kNoRound = ~std::uint32_t{0};
  static constexpr std::uint32_t kGroupBit = std::uint32_t{1} << 31U;  // of a child that is a group, not a slot

  struct Place {
    Group parent = kNone;
    std::uint32_t number = 0;  // rises in the order of adding
    std::uint32_t before = kNobody;
    std::uint32_t after = kNobody;
    Group round = kNone;  // of a service: the group in whose round it is
    bool waits = false;   // in the round; otherwise it is missing
    bool told = false;    // as waiting
  };
  struct Node {
    std::string path;
    GroupPolicy policy;
    Place place;
    std::uint32_t first = kNobody;
    std::uint32_t last = kNobody;
    std::uint32_t numbers = 0;            // that its children have had
    std::uint32_t round_from = kNoRound;  // the first place in its round
    std::size_t missing = 0;              // services in its round
    FailureHistory restarts;
    bool lost = false;
    bool has_place = false;  // among its siblings
    bool is_noted = false;
    Group next_noted = kNone;
  };

  [[nodiscard]] static bool is_group(std::uint32_t child) noexcept { return (child & kGroupBit) != 0; }
  [[nodiscard]] Place& place_of(std::uint32_t child) noexcept {
    return is_group(child) ? nodes_[child & ~kGroupBit].place : places_[child];
  }
  [[nodiscard]] const Place& place_of(std::uint32_t child) const noexcept {
    return is_group(child) ? nodes_[child & ~kGroupBit].place : places_[child];
  }

  void append(std::uint32_t child, Group group) noexcept {
    Node& node = nodes_[group];
    if (node.place.parent != kNone && !std::exchange(node.has_place, true)) {
      append(group | kGroupBit, node.place.parent);
    }
    Place& place = place_of(child);
    place.parent = group;
    place.number = node.numbers++;
    place.before = node.last;
    place.after = kNobody;
    (node.last == kNobody ? node.first : place_of(node.last).after) = child;
    node.last = child;
  }

  void note(Group group) noexcept {
    if (std::exchange(nodes_[group].is_noted, true)) return;
    Group* last = &noted_;
    while (*last != kNone) last = &nodes_[*last].next_noted;
    *last = group;
  }

  // A lost group begins anew.
  void revive(Group group) noexcept {
    for (; group != kNone; group = nodes_[group].place.parent) nodes_[group].lost = false;
  }

  std::vector<Place> places_;  // by slot
  std::deque<Node> nodes_;     // by group; a history of restarts does not move
  std::map<std::string, Group, std::less<>> by_path_;
  Group noted_ = kNone;  // the first whose round may be complete
};

}  // namespace holdfast::detail
