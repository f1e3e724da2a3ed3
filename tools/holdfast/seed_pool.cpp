#include "seed_pool.hpp"

#include <utility>

#include <holdfast_sim/search/rerun.hpp>

namespace holdfast::tools {

SeedPool::SeedPool(const sim::Scenario& scenario, sim::SeedRange seeds, unsigned jobs, Hooks hooks)
    : scenario_(scenario),
      hooks_(std::move(hooks)),
      pool_(seeds, jobs, [this](std::uint64_t first, std::uint64_t count, const Abandoned& abandoned) {
        return rehearse(first, count, abandoned);
      }) {}

std::vector<sim::SeedOutcome> SeedPool::rehearse(std::uint64_t first, std::uint64_t count,
                                                 const Abandoned& abandoned) const {
  std::vector<sim::SeedOutcome> outcomes;
  outcomes.reserve(count);
  std::vector<sim::SeedOutcome> fresh;
  for (std::uint64_t i = 0; i < count && !abandoned(); ++i) {
    const std::uint64_t seed = first + i;
    if (const auto* const known = hooks_.known ? hooks_.known(seed) : nullptr) {
      outcomes.push_back(*known);
      continue;
    }
    outcomes.push_back(run(seed, abandoned));
    if (hooks_.twice && hooks_.twice(seed)) check_same(outcomes.back(), run(seed, abandoned));
    if (hooks_.finished) fresh.push_back(outcomes.back());
  }
  if (!fresh.empty()) hooks_.finished(fresh);
  return outcomes;
}

sim::SeedOutcome SeedPool::run(std::uint64_t seed, const Abandoned& abandoned) const {
  const auto over = [&] { return abandoned() || hooks_.is_over(); };
  return outcome_of(scenario_,
                    sim::rehearse(scenario_, {.seed = Seed{seed}, .interrupted = over, .with_history = false}));
}

}  // namespace holdfast::tools
