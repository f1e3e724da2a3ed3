// Many seeds of one scenario, a rehearsal in each thread, handed out in the order of the seeds.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <holdfast_sim/search/seed_outcome.hpp>
#include <holdfast_sim/search/sweep.hpp>

#include "ordered_pool.hpp"

namespace holdfast::tools {

class SeedPool {
 public:
  struct Hooks {
    // Asked in all threads; true ends every run.
    std::function<bool()> is_over;
    // The outcome of a seed that need not be run; null: it must be. Called in all threads.
    std::function<const sim::SeedOutcome*(std::uint64_t seed)> known = {};
    // Called in all threads with what was just run, long before it is handed out perhaps.
    std::function<void(const std::vector<sim::SeedOutcome>&)> finished = {};
    // A seed whose run is made twice and compared. Called in all threads.
    std::function<bool(std::uint64_t seed)> twice = {};
  };
  // `scenario` outlives the pool.
  SeedPool(const sim::Scenario& scenario, sim::SeedRange seeds, unsigned jobs, Hooks hooks);

  // The next seeds; empty: there are none. Runs that `is_over` ended are interrupted. Throws what a run or a hook
  // threw, and RunsDiffer. While it waits it calls `waiting` a few times a second.
  std::vector<sim::SeedOutcome> next(const std::function<void()>& waiting) { return pool_.next(waiting); }

 private:
  using Abandoned = std::function<bool()>;
  std::vector<sim::SeedOutcome> rehearse(std::uint64_t first, std::uint64_t count, const Abandoned& abandoned) const;
  [[nodiscard]] sim::SeedOutcome run(std::uint64_t seed, const Abandoned& abandoned) const;

  const sim::Scenario& scenario_;
  const Hooks hooks_;
  OrderedPool<sim::SeedOutcome> pool_;  // last: its threads use the others
};

}  // namespace holdfast::tools
