// The rules about groups: who stops because of a sibling, who starts again with whom, and when a group is lost.
//
// Everything is made from the events: the tree, who is to stop, and for whom the others wait.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/checks/detail/check_drain.hpp>
#include <holdfast_sim/checks/detail/check_findings.hpp>
#include <holdfast_sim/checks/detail/check_lives.hpp>
#include <holdfast_sim/checks/detail/check_order.hpp>
#include <holdfast_sim/checks/detail/check_retries.hpp>
#include <holdfast_sim/checks/detail/check_turns.hpp>

namespace holdfast::sim::detail {

struct GroupRules {
  Findings& found;
  Lives& known;
  DrainRules& drain;
  TurnRules& turns;
  OrderRules& order;
  RetryRules& retries;

  using GroupIndex = std::size_t;
  static constexpr std::uint32_t kNoRound = ~std::uint32_t{0};

  struct Place {
    std::optional<GroupIndex> group = std::nullopt;
    std::uint32_t number = 0;  // among its siblings, in the order of adding
  };
  struct Child {
    bool is_group = false;
    std::size_t index = 0;  // of the group, or the slot of a service
    std::uint32_t number = 0;
  };
  struct Group {
    std::string path{};
    Strategy strategy = Strategy::one_for_one;
    std::optional<RestartIntensity> intensity = std::nullopt;
    Place place{};
    std::vector<Child> children{};
    std::uint32_t numbers = 0;
    std::uint32_t round_from = kNoRound;
    std::vector<TimePoint> restarts{};
  };
  // A service in a group, by slot.
  struct Member {
    Place place{};
    bool takes_part = false;   // in a round: it starts again with others
    bool waits = false;        // and could start
    bool is_replaced = false;  // a restart has removed it, and adds it again in its place
    TimePoint commanded_at = TimePoint::min();
  };
  // What has to be reported in an instant.
  struct Loss {
    GroupIndex group;
    GroupLoss cause;
    std::string child;
  };

  std::vector<Group> groups{};
  std::map<std::string, GroupIndex, std::less<>> by_path{};
  std::vector<Member> members{};
  std::vector<std::uint32_t> to_stop{};   // slots, the next first
  std::vector<std::uint32_t> to_end{};    // that had ended before they were asked to stop
  std::vector<std::uint32_t> to_start{};  // the next first
  std::optional<Loss> loss = std::nullopt;
  TimePoint latest = TimePoint::min();

  // There is a group. Before that nothing else need be called.
  [[nodiscard]] bool is_used() const noexcept { return !groups.empty(); }

  void on_supervisor_event(const Event& event);
  void on_added(Step& step, const ServicePolicy& policy);
  void on_backing_off(Step& step, BackoffCause cause);
  // A stop for the sake of a sibling.
  void stops_with_its_siblings(Step& step);
  // Any stop.
  void on_stopping(Step& step);
  void on_ended(Step& step) noexcept;
  void on_commanded(Step& step) noexcept;
  void on_waiting(Step& step);
  // It waits for something else than its group.
  void on_other_wait(Step& step);
  void on_started(Step& step);
  void on_terminated(Step& step, const Termination& why);
  void on_removed(Step& step);
  // Before an event at `at`: what was to happen in an instant that is over.
  void time_goes_on(TimePoint at);
  // It will not start with the others any more.
  void leaves(std::uint32_t slot, TimePoint at);

 private:
  [[nodiscard]] Member* member(std::uint32_t slot) noexcept {
    return slot < members.size() && members[slot].place.group ? &members[slot] : nullptr;
  }
  [[nodiscard]] Place& place_of(const Child& child) {
    return child.is_group ? groups[child.index].place : members[child.index].place;
  }
  void append(const Child& child, GroupIndex group);
  [[nodiscard]] std::vector<std::uint32_t> services_of(GroupIndex group, std::uint32_t from) const;
  [[nodiscard]] std::optional<GroupIndex> round_over(std::uint32_t slot) const;
  [[nodiscard]] std::uint32_t from_of(GroupIndex group) const noexcept { return groups[group].round_from; }
  bool restarts_too_often(Group& group, TimePoint now);
  void take_part(std::uint32_t slot);
  void end_round(GroupIndex group, TimePoint at);
  void end_rounds_in(GroupIndex group);
  void end_all_rounds_in(GroupIndex group);
  void waits_no_more(std::uint32_t slot) noexcept;
  [[nodiscard]] std::optional<std::uint32_t> first_missing(GroupIndex group, std::uint32_t but, TimePoint at) const;
  void starts_in_order(Step& step);
  void on_lost(const Event& event, const event::GroupLost& what);
  void is_broken(Rule rule, std::uint32_t slot, TimePoint at, std::string says);
};

}  // namespace holdfast::sim::detail
