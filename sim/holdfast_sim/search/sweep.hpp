// What the runs of many seeds came to, together.
//
//     Sweep sweep;
//     for (const SeedOutcome& outcome : outcomes) sweep.add(outcome);
//     std::cout << sweep_text({plan, sweep});  // of holdfast_sim/present/sweep_text.hpp
//
// A value of the set of outcomes: their order makes no difference. Memory does not grow with the seeds.
//
// Thread-safety: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <holdfast_sim/search/seed_outcome.hpp>
#include <holdfast_sim/search/value_counts.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// Both ends included. REQUIRES: first <= last, and it is not the whole range of 64 bits.
struct SeedRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  friend bool operator==(const SeedRange&, const SeedRange&) = default;
  [[nodiscard]] std::uint64_t size() const noexcept { return last - first + 1; }
};

// What was asked for.
struct SweepPlan {
  std::string file;                   // as the command names it
  std::vector<std::string> settings;  // "supervisor.backoff.max=10s" (settings.hpp)
  std::string scenario;               // its name
  std::vector<std::string> expectations;
  std::vector<std::string> sometimes;  // of these, what some run has to meet
  SeedRange seeds;
  friend bool operator==(const SweepPlan&, const SweepPlan&) = default;
};

// The runs that failed for one reason.
struct FailureGroup {
  FailureReason reason;
  std::uint64_t count = 0;
  std::uint64_t smallest_seed = 0;
  std::string says;  // of that seed
};

struct WorstSeed {
  std::uint64_t value = 0;
  std::uint64_t seed = 0;
};
inline constexpr std::size_t kWorstSeedsMax = 5;

// One figure over the seeds that have it. Beware that a percentile is of seeds, from the best to the worst.
class Spread {
 public:
  explicit Spread(bool low_is_bad = false) : low_is_bad_(low_is_bad) {}

  void add(std::uint64_t value, std::uint64_t seed);

  [[nodiscard]] std::uint64_t count() const noexcept { return values_.count(); }
  // REQUIRES for all of these: count() > 0.
  [[nodiscard]] std::uint64_t best() const noexcept { return low_is_bad_ ? values_.most() : values_.least(); }
  [[nodiscard]] std::uint64_t worst() const noexcept { return low_is_bad_ ? values_.least() : values_.most(); }
  // At least `percent` % of the seeds are not worse. REQUIRES: 0 < percent <= 100.
  [[nodiscard]] std::uint64_t not_worse(unsigned percent) const {
    return low_is_bad_ ? values_.down_to(percent) : values_.up_to(percent);
  }
  [[nodiscard]] bool rounded() const { return values_.rounded(); }
  // The worst first; of equal ones the smallest seeds.
  [[nodiscard]] const std::vector<WorstSeed>& worst_seeds() const noexcept { return worst_; }

 private:
  bool low_is_bad_;
  ValueCounts values_;
  std::vector<WorstSeed> worst_;
};

// The name of what no run has met although some run had to: the sweep proves nothing.
std::vector<std::string> never_seen(const SweepPlan& plan, const class Sweep& sweep);

class Sweep {
 public:
  Sweep();

  // REQUIRES: the run was not interrupted, and no other outcome of this seed was added.
  void add(const SeedOutcome& outcome);

  [[nodiscard]] std::uint64_t runs() const noexcept { return runs_; }
  [[nodiscard]] std::uint64_t runs_of(RehearsalVerdict verdict) const noexcept {
    return by_verdict_[static_cast<std::size_t>(verdict)];
  }
  [[nodiscard]] bool all_held() const noexcept { return runs_of(RehearsalVerdict::held) == runs_; }
  // The smallest seed that was violated.
  [[nodiscard]] const std::optional<std::uint64_t>& first_violated() const noexcept { return first_violated_; }
  // In how many runs something was seen, by its place in SweepPlan::sometimes.
  [[nodiscard]] std::uint64_t seen(std::size_t which) const noexcept { return which < seen_.size() ? seen_[which] : 0; }
  // The most frequent first. A seed counts in each of its reasons.
  [[nodiscard]] std::vector<FailureGroup> failures() const;
  [[nodiscard]] const Spread& spread(SeedFigure which) const noexcept {
    return spreads_[static_cast<std::size_t>(which)];
  }
  // Of all seeds and their digests: two sweeps of the same seeds with one digest had the same runs. 32 hexadecimal
  // digits.
  [[nodiscard]] std::string digest() const;

  // If every run held: of all possible seeds at most so many millionths fail, with 95 % confidence. It is 3/n, rounded
  // up, which is a little more than the exact 1 - 0.05^(1/n). nullopt: a run did not hold, or there were none.
  [[nodiscard]] std::optional<std::uint32_t> failing_at_most_ppm() const noexcept;

 private:
  std::uint64_t runs_ = 0;
  std::array<std::uint64_t, 4> by_verdict_{};
  std::optional<std::uint64_t> first_violated_;
  std::map<FailureReason, FailureGroup> failures_;
  std::vector<Spread> spreads_;
  std::vector<std::uint64_t> seen_;
  std::array<std::uint64_t, 2> digest_{};
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
