// Finds events that are described by what they are, and says which of the run they are.
//
// Memory: a few counts for each event that is looked for.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/scenario/roster.hpp>

namespace holdfast::sim::detail {

// An event that is looked for.
struct Sought {
  std::uint64_t number = 0;  // this very one of the run, from 1; 0: what follows says it
  std::string service{};     // or group; empty: any, and the supervisor itself
  std::string kind{};        // as traces have it; empty: any
  bool failed = false;       // an `ended` that is a failure
  bool goes_down = false;    // with which a service goes down that nobody asked to
  bool again = false;        // a `started` that is not the first of its service
  std::uint64_t nth = 0;     // of those that fit, from 1; 0: the last
  TimePoint from = TimePoint::min();
  TimePoint until = TimePoint::max();  // included
};

struct Found {
  std::uint64_t number = 0;  // of the run; 0: there is none
  std::string service{};     // empty: the supervisor itself
  std::string gone{};        // the service that had terminated last: what begins a shutdown, or ends one
  std::string kind{};
  TimePoint at{};
  std::uint64_t fitting = 0;  // how many fitted
};

class Locator final : public Observer {
 public:
  // REQUIRES: `roster` outlives it.
  Locator(std::vector<Sought> sought, const Roster& roster)
      : roster_(roster), sought_(std::move(sought)), found_(sought_.size()) {}

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;

  // In the order of what was sought.
  [[nodiscard]] const std::vector<Found>& found() const noexcept { return found_; }
  // How many events the run had.
  [[nodiscard]] std::uint64_t events() const noexcept { return count_; }
  // Of the service or group of the first: how many events of each kind, in the order in which they came first.
  [[nodiscard]] const std::vector<std::pair<std::string, std::uint64_t>>& kinds() const noexcept { return kinds_; }

 private:
  void look(TimePoint at, std::string_view service, std::string_view kind, const Event* event, bool goes_down);
  void count_kind(std::string_view kind);

  const Roster& roster_;
  std::vector<Sought> sought_;
  std::vector<Found> found_;
  std::vector<std::pair<std::string, std::uint64_t>> kinds_;
  std::string gone_;
  std::uint64_t count_ = 0;
};

}  // namespace holdfast::sim::detail
