// How often each value occurred, for percentiles.
//
// Exact up to kDistinctMax different values. With more of them every value is rounded down to its nine leading bits,
// which is less than 0.4 % below it; least and most stay exact. Whether it comes to that depends on the values alone,
// not on their order, and neither does any result.
//
// Memory is bounded. Adding costs O(log kDistinctMax) on average.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#pragma GCC visibility push(default)

namespace holdfast::sim {

class ValueCounts {
 public:
  static constexpr std::size_t kDistinctMax = 50'000;

  void add(std::uint64_t value);

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  // REQUIRES for all of these: count() > 0.
  [[nodiscard]] std::uint64_t least() const noexcept { return least_; }
  [[nodiscard]] std::uint64_t most() const noexcept { return most_; }
  // The smallest value that at least `percent` % of all values do not exceed. REQUIRES: 0 < percent <= 100.
  [[nodiscard]] std::uint64_t up_to(unsigned percent) const;
  // The largest value that at least `percent` % of all values reach. REQUIRES: 0 < percent <= 100.
  [[nodiscard]] std::uint64_t down_to(unsigned percent) const;
  // Whether values between the least and the most were rounded.
  [[nodiscard]] bool rounded() const;

 private:
  struct Counted {
    std::uint64_t value;
    std::uint64_t times;
  };
  [[nodiscard]] std::uint64_t at_rank(std::uint64_t rank) const;
  void settle() const;
  void round_all() const;

  std::uint64_t count_ = 0;
  std::uint64_t least_ = 0;
  std::uint64_t most_ = 0;
  // Values are sorted in only now and then.
  mutable std::vector<std::uint64_t> fresh_;
  mutable std::vector<Counted> sorted_;
  mutable bool rounded_ = false;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
