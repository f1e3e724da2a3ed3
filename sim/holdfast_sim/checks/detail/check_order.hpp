// The rules about order: nothing starts before what it is after, and in a shutdown nothing stops before what is after
// it.
//
// Everything is kept by name, as policies have it, and only from the first service on that is after another one.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/checks/detail/check_drain.hpp>
#include <holdfast_sim/checks/detail/check_findings.hpp>
#include <holdfast_sim/checks/detail/check_lives.hpp>
#include <holdfast_sim/checks/detail/check_turns.hpp>

namespace holdfast::sim::detail {

struct OrderRules {
  Findings& found;
  Lives& known;
  DrainRules& drain;
  TurnRules& turns;

  // A name that services are after.
  struct Need {
    std::string name;
    std::optional<std::uint32_t> slot = std::nullopt;  // of the service that has it now
    bool is_ready = false;
    std::vector<std::size_t> crowds{};
  };
  // Services that are after the same names.
  struct Crowd {
    std::vector<std::size_t> needs{};
    std::vector<std::uint32_t> slots{};
  };
  // One of them, by slot.
  struct Follower {
    std::optional<std::size_t> crowd = std::nullopt;
    OnDependency on_dependency = OnDependency::keep;
    Duration wake_jitter{0};
    Duration delay{0};  // once all are ready, while it waits
    bool waits = false;
    bool is_replaced = false;                   // a restart has removed it, and adds it again in its place
    bool must_stop = false;                     // one that it is after has become unready in this instant
    TimePoint unready_at = TimePoint::min();    // when that happened last
    TimePoint commanded_at = TimePoint::min();  // the latest command
  };

  std::vector<Need> needs{};
  std::vector<Crowd> crowds{};
  std::vector<Follower> followers{};
  std::map<std::string, std::size_t, std::less<>> by_name{};    // into needs
  std::map<std::string, std::uint32_t, std::less<>> present{};  // names of all services, by slot
  std::optional<std::pair<TimePoint, std::uint32_t>> early =
      std::nullopt;  // a stop that only the end of a drain excuses

  std::vector<std::uint32_t> to_stop{};     // slots of those that must
  TimePoint unready_at = TimePoint::min();  // when the latest of them had to

  bool used = false;

  // A service has an order. Before that nothing else need be called.
  [[nodiscard]] bool is_used() const noexcept { return used; }

  void on_added(Step& step, const ServicePolicy& policy);
  void on_waiting(Step& step, const event::Waiting& what);
  void on_started(Step& step);
  void on_running(Step& step);
  void on_commanded(Step& step) noexcept;
  void on_ended(Step& step);
  void on_backing_off(Step& step);
  // A stop for the sake of a dependency.
  void follows_its_dependencies(Step& step, StopCause cause);
  // A stop that nothing asked for before.
  [[nodiscard]] bool stops_with_the_rest(Step& step, StopCause cause);
  // Any stop.
  void on_stopping(Step& step, StopCause cause);
  // In a shutdown those stop now that it was the last to be after.
  void on_terminated(Step& step);
  void on_removed(Step& step);
  // Before an event at `at`: what was to happen in an instant that is over.
  void time_goes_on(TimePoint at);
  // It starts or will not, or its host is off.
  void waits_no_more(std::uint32_t slot) noexcept;

  // Services that have not terminated are after it.
  [[nodiscard]] bool is_in_use(std::uint32_t slot) const;

 private:
  [[nodiscard]] Follower* follower(std::uint32_t slot) noexcept {
    return slot < followers.size() && followers[slot].crowd ? &followers[slot] : nullptr;
  }
  [[nodiscard]] const Need* first_missing(const Follower& follower) const;
  [[nodiscard]] std::optional<std::size_t> need_of(std::uint32_t slot) const;
  void set_ready(Step& step, bool ready);
  void set_due(std::uint32_t slot, TimePoint at);
  void is_left_alone(std::uint32_t slot, TimePoint at);
  void has_stopped(Step& step) noexcept;
  void is_broken(Rule rule, std::uint32_t slot, TimePoint at, std::string says);
  void look_for_names();
};

}  // namespace holdfast::sim::detail
