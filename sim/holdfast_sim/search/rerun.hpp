// Are two runs of one seed the same? A sweep runs a few of its seeds twice: if they differ, nothing that it says of any
// seed can be trusted.
//
// Thread-safety: functions of their arguments alone.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>

#include <holdfast_sim/diff/diff.hpp>
#include <holdfast_sim/search/seed_outcome.hpp>
#include <holdfast_sim/search/sweep.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// One seed in `every`, the first of `all` among them; 0: none. Which ones does not depend on shards and jobs.
// REQUIRES: `seed` is one of `all`.
bool runs_twice(const SeedRange& all, std::uint64_t seed, std::uint64_t every) noexcept;

// Two runs of one seed came to different outcomes.
class RunsDiffer : public std::runtime_error {
 public:
  RunsDiffer(SeedOutcome one, SeedOutcome other);
  [[nodiscard]] const SeedOutcome& one() const noexcept { return one_; }
  [[nodiscard]] const SeedOutcome& other() const noexcept { return other_; }

 private:
  SeedOutcome one_;
  SeedOutcome other_;
};

// Throws RunsDiffer if `again` differs from what the seed came to before. One of them may be of an interrupted run,
// which says nothing.
void check_same(const SeedOutcome& before, const SeedOutcome& again);

// Runs the seed twice more and compares event by event, up to `attempts` times, until two runs part. `same()` of the
// result: they never did.
Diff where_runs_part(const Scenario& scenario, std::uint64_t seed, unsigned attempts,
                     const std::function<bool()>& interrupted = {});

}  // namespace holdfast::sim

#pragma GCC visibility pop
