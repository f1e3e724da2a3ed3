#include <holdfast_sim/search/sweep.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <holdfast/detail/assert.hpp>
#include <holdfast_sim/text/detail/xxh3.hpp>

namespace holdfast::sim {

void Spread::add(std::uint64_t value, std::uint64_t seed) {
  values_.add(value);
  const auto worse = [this](const WorstSeed& a, const WorstSeed& b) {
    if (a.value != b.value) return low_is_bad_ ? a.value < b.value : a.value > b.value;
    return a.seed < b.seed;
  };
  const WorstSeed candidate{value, seed};
  if (worst_.size() == kWorstSeedsMax && !worse(candidate, worst_.back())) return;
  if (worst_.size() == kWorstSeedsMax) worst_.pop_back();
  worst_.insert(std::upper_bound(worst_.begin(), worst_.end(), candidate, worse), candidate);
}

Sweep::Sweep() {
  for (const auto& text : kSeedFigureTexts) spreads_.emplace_back(text.low_is_bad);
}

void Sweep::add(const SeedOutcome& outcome) {
  HOLDFAST_ASSERT(outcome.verdict != RehearsalVerdict::interrupted, "an interrupted run came to nothing");
  ++runs_;
  ++by_verdict_[static_cast<std::size_t>(outcome.verdict)];
  if (outcome.verdict == RehearsalVerdict::violated) {
    first_violated_ = std::min(first_violated_.value_or(outcome.seed), outcome.seed);
  }
  for (const SeedFailure& failure : outcome.failures) {
    FailureGroup& group = failures_[failure.reason];
    if (group.count == 0 || outcome.seed < group.smallest_seed) {
      group.smallest_seed = outcome.seed;
      group.says = failure.says;
    }
    ++group.count;
  }
  for (std::size_t i = 0; i < kSeedFigures; ++i) {
    if (outcome.figures[i]) spreads_[i].add(*outcome.figures[i], outcome.seed);
  }
  if (seen_.size() < outcome.seen.size()) seen_.resize(outcome.seen.size());
  for (std::size_t i = 0; i < outcome.seen.size(); ++i) seen_[i] += outcome.seen[i] == '1';
  // A sum does not depend on the order. The seed is in it, so that exchanged digests do not go unnoticed.
  const auto hash = XXH3_128bits_withSeed(outcome.digest.data(), outcome.digest.size(), outcome.seed);
  digest_[0] += hash.high64;
  digest_[1] += hash.low64;
}

std::vector<std::string> never_seen(const SweepPlan& plan, const Sweep& sweep) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < plan.sometimes.size(); ++i) {
    if (sweep.seen(i) == 0) names.push_back(plan.sometimes[i]);
  }
  return names;
}

std::vector<FailureGroup> Sweep::failures() const {
  std::vector<FailureGroup> groups;
  for (const auto& [reason, group] : failures_)
    groups.push_back({reason, group.count, group.smallest_seed, group.says});
  std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  return groups;
}

std::string Sweep::digest() const { return fmt::format("{:016x}{:016x}", digest_[0], digest_[1]); }

std::optional<std::uint32_t> Sweep::failing_at_most_ppm() const noexcept {
  if (runs_ == 0 || !all_held()) return std::nullopt;
  constexpr std::uint64_t kMillion = 1'000'000;
  return static_cast<std::uint32_t>(std::min(kMillion, (3 * kMillion + runs_ - 1) / runs_));
}

}  // namespace holdfast::sim
