// Compares the properties that a scenario expects with the course of a run.
//
// The caller reports each change of a service, and when an instant is over. Between two instants nothing changes but
// what has happened within a window, so that each property is judged on stretches of time in which it holds or not.
//
// Memory is O(properties), and O(events in it) for each window. Without properties nothing is done.
//
// Thread-safety: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/checks/expectations.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

namespace holdfast::sim::detail {

// What may change, in the order of kConditionCounts.
enum class Counted : std::uint8_t {
  starting,
  running,
  hung,
  backing_off,
  stopping,
  terminated,
  lost,
  starts,
  restarts,
  failures
};
// The states that a service is in, a bit for each Counted.
using CountedStates = std::uint32_t;
constexpr CountedStates bit_of(Counted what) noexcept { return 1U << static_cast<unsigned>(what); }

// Whose counts a service adds to: those of the fleet, of its group and of its own name.
struct CountedFor {
  static constexpr std::uint32_t kNobody = UINT32_MAX;
  std::array<std::uint32_t, 3> scopes{kNobody, kNobody, kNobody};
};

class PropertyChecks {
 public:
  // Adds to the result the services of a scope that are in the state, or that are not.
  using NameServices = std::function<void(ExpectationResult&, std::uint32_t scope, Counted state, bool in_it)>;

  PropertyChecks(std::vector<ExpectedProperty> expected, NameServices name_services);

  [[nodiscard]] bool empty() const noexcept { return properties_.empty(); }
  // Of a service. `group`: that it belongs to, or empty.
  [[nodiscard]] CountedFor counted_for(std::string_view name, std::string_view group) const;

  void moved(const CountedFor& service, CountedStates before, CountedStates after);
  void happened(const CountedFor& service, Counted what, TimePoint at);

  // The instant `at` is over, and nothing else happens before `until`. REQUIRES: at < until, and `at` is not before the
  // last `until`.
  void hold(TimePoint at, TimePoint until);
  // A shutdown was asked for: the instants from `at` on are those of the drain.
  void drain(TimePoint at);
  // The run is over. The last instant was reported by hold().
  std::vector<ExpectationResult> finish(TimePoint at);

 private:
  // What is counted for one name.
  struct Scope {
    std::array<std::uint64_t, kConditionStates> states{};
  };
  // What has happened lately, of one kind.
  struct Lately {
    struct Times {
      TimePoint at;
      std::uint64_t count;
    };
    std::deque<Times> times;
    std::uint64_t count = 0;
  };
  struct Watched {
    const Condition* condition = nullptr;
    std::uint32_t scope = 0;
    std::array<Lately, kConditionCounts.size() - kConditionStates> lately{};
  };
  struct Property {
    const ExpectedProperty* expected = nullptr;
    std::uint32_t what = 0;  // indices of conditions
    std::optional<std::uint32_t> whenever{};
    std::optional<std::uint32_t> before{};
    bool has_begun = false;  // an instant of its time was looked at
    bool was_whenever = false;
    std::uint64_t times = 0;                 // that `whenever` has begun to hold
    std::uint64_t kept = 0;                  // of these, the ones that `what` has followed
    std::optional<TimePoint> waits_since{};  // for what has to follow
    Duration slowest{0};
    std::optional<ExpectationResult> result{};
  };

  std::uint32_t watch(const Condition& condition);
  std::uint32_t scope_of(const std::optional<std::string>& name);
  [[nodiscard]] std::uint64_t count(const Watched& watched, std::size_t what) const;
  [[nodiscard]] bool holds(std::uint32_t condition) const;
  [[nodiscard]] TimePoint next_change(TimePoint until) const;
  void forget(TimePoint at);
  void judge(Property& property, TimePoint at, TimePoint until);
  void judge_following(Property& property, TimePoint at, TimePoint until);
  void close(Property& property, TimePoint at);
  void decide(Property& property, bool held, std::string_view cause, TimePoint at, std::string found);
  void break_at(Property& property, TimePoint at, std::string_view cause);
  [[nodiscard]] std::string seen(std::uint32_t condition) const;
  [[nodiscard]] TimePoint deadline(const Property& property) const;

  const std::vector<ExpectedProperty> expected_;
  const NameServices name_services_;
  std::vector<Scope> scopes_;
  std::map<std::string, std::uint32_t, std::less<>> scope_by_name_;
  std::optional<std::uint32_t> fleet_;
  std::vector<Watched> watched_;
  std::vector<Property> properties_;
  bool drains_ = false;
};

// "db: running at least 2, failures 0 within 10s"
std::string in_words(const Condition& condition);
// "3", "1 to 5", "at least 1", "at most 5"
std::string in_words(const CountRange& range);
// "always db: running at least 2, from 1min": holdfast_sim/find/query.hpp reads the same.
std::string in_words(const ExpectedProperty& property);

}  // namespace holdfast::sim::detail
