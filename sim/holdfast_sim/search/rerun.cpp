#include <holdfast_sim/search/rerun.hpp>

#include <utility>

#include <fmt/format.h>

#include <holdfast_sim/diff/line_source.hpp>

namespace holdfast::sim {

bool runs_twice(const SeedRange& all, std::uint64_t seed, std::uint64_t every) noexcept {
  return every > 0 && (seed - all.first) % every == 0;
}

namespace {

// Verdict and digest are what people compare. Where both are the same, the judges differ, or the figures.
std::string says(const SeedOutcome& one, const SeedOutcome& other) {
  const auto of = [](const SeedOutcome& outcome) {
    return fmt::format("{} with digest {}", to_string(outcome.verdict), outcome.digest);
  };
  if (one.verdict == other.verdict && one.digest == other.digest) {
    return fmt::format("two runs of seed {} have the same events ({}), but other failures or figures", one.seed,
                       of(one));
  }
  return fmt::format("two runs of seed {} differ: {}, and {}", one.seed, of(one), of(other));
}

}  // namespace

RunsDiffer::RunsDiffer(SeedOutcome one, SeedOutcome other)
    : std::runtime_error(says(one, other)), one_(std::move(one)), other_(std::move(other)) {}

void check_same(const SeedOutcome& before, const SeedOutcome& again) {
  if (before.verdict == RehearsalVerdict::interrupted || again.verdict == RehearsalVerdict::interrupted) return;
  if (again != before) throw RunsDiffer{before, again};
}

Diff where_runs_part(const Scenario& scenario, std::uint64_t seed, unsigned attempts,
                     const std::function<bool()>& interrupted) {
  Diff found;
  for (unsigned i = 0; i < attempts && found.same() && !found.interrupted; ++i) {
    const auto one = line_source(scenario, Seed{seed}, "one run");
    const auto other = line_source(scenario, Seed{seed}, "another run");
    found = diff(*one, *other, {.interrupted = interrupted});
  }
  return found;
}

}  // namespace holdfast::sim
