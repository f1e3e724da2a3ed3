// Counts lengths of time so that quantiles can be asked for, in memory that depends on neither their number nor range.
//
// Log-linear buckets, as in HdrHistogram (Gil Tene): each power of two is cut into 128 equal parts, and lengths below
// 256 ns have a bucket each. A quantile is the middle of its bucket, so it is off by at most 1/256 of itself (0.4 %);
// smallest and largest are exact.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <vector>

#include <holdfast/time.hpp>

namespace holdfast::sim {

class LogLinearHistogram {
 public:
  // How far a quantile can be off, in millionths of itself.
  static constexpr std::uint32_t kErrorPpm = 3907;

  // What is negative counts as zero. The first one allocates, no other.
  void record(Duration length);

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  // REQUIRES of all of these: count() > 0.
  [[nodiscard]] Duration min() const noexcept { return min_; }
  [[nodiscard]] Duration max() const noexcept { return max_; }
  // The smallest recorded length that at least `percent` % of all do not exceed. REQUIRES: 0 <= percent <= 100.
  [[nodiscard]] Duration quantile(std::uint32_t percent) const noexcept { return quantile(percent, 0); }
  // The same with so many more lengths, all for ever: Duration::max(). REQUIRES: count() + more > 0.
  [[nodiscard]] Duration quantile(std::uint32_t percent, std::uint64_t more) const noexcept;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  Duration min_{0};
  Duration max_{0};
};

}  // namespace holdfast::sim
