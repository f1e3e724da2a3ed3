// Looks for a query in the events of a run, and puts together what was found in many.
//
//     const Query query = parse_query("breaker_tripped not preceded by outage within 5min");
//     const FindResult found = Finder{scenario, query}.find(Seed{7});
//
// A run is looked through once, without checks and reports. Memory is O(services), and with `followed by` O(events that
// still wait).
//
// Thread-safety: none but where it is said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/random.hpp>
#include <holdfast_sim/find/query.hpp>
#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/search/value_counts.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// One event that was found; or of a property the moment that decided it.
struct FoundEvent {
  TimePoint at{};
  std::uint64_t number = 0;  // in the run, from 1, as `holdfast explain --event` takes it
  std::string service{};     // empty: the supervisor itself, or the fleet
  std::string kind{};        // of the event; empty: of a property
  std::string says{};        // of a property: what was found
  friend bool operator==(const FoundEvent&, const FoundEvent&) = default;
};
inline constexpr std::size_t kFoundOfRunMax = 10;

// Of one run.
struct FindResult {
  std::uint64_t seed = 0;
  std::uint64_t count = 0;          // of events; of a property 1: it is as the query says
  std::uint64_t undecided = 0;      // events too near the end to tell what follows them
  std::vector<FoundEvent> first{};  // of them, at most kFoundOfRunMax
  EndReason end = EndReason::finished;
  friend bool operator==(const FindResult&, const FindResult&) = default;
};

// Looks through runs of a scenario.
class Finder {
 public:
  // Both outlive the finder.
  Finder(const Scenario& scenario, const Query& query);

  // `interrupted` is asked now and then; true: the result has the end `interrupted` and says nothing. Safe in any
  // number of threads.
  [[nodiscard]] FindResult find(Seed seed, const std::function<bool()>& interrupted = {}) const;

 private:
  const Scenario& scenario_;
  const Query& query_;
  std::unique_ptr<Scenario> expecting_;  // the scenario, if it expects the property of the query and nothing else
};

// The same of a trace. Throws BadInput, and BadQuery for a property, which needs the scenario.
FindResult find_in_trace(std::istream& in, const std::string& file, const Query& query, std::string_view text);

// Of many runs, added in the order of their seeds.
class FoundInRuns {
 public:
  static constexpr std::size_t kSeedsMax = 1000;
  struct Example {
    std::uint64_t seed = 0;
    FoundEvent event{};
  };

  explicit FoundInRuns(std::size_t examples_max) : examples_max_(examples_max) {}

  // REQUIRES: the run was not interrupted.
  void add(const FindResult& found);

  [[nodiscard]] std::uint64_t runs() const noexcept { return runs_; }
  [[nodiscard]] std::uint64_t runs_with() const noexcept { return per_run_.count(); }
  [[nodiscard]] std::uint64_t cut_off() const noexcept { return cut_off_; }  // by a budget
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  [[nodiscard]] std::uint64_t undecided() const noexcept { return undecided_; }
  // In how many runs something was found how often. Of these runs alone.
  [[nodiscard]] const ValueCounts& per_run() const noexcept { return per_run_; }
  [[nodiscard]] const std::vector<std::uint64_t>& seeds() const noexcept { return seeds_; }  // the first kSeedsMax
  // The first of each of the first runs; of a single run its first ones.
  [[nodiscard]] std::vector<Example> examples() const;

 private:
  const std::size_t examples_max_;
  std::uint64_t runs_ = 0;
  std::uint64_t cut_off_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t undecided_ = 0;
  ValueCounts per_run_;
  std::vector<std::uint64_t> seeds_;
  std::vector<FindResult> first_;  // with something in them
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
