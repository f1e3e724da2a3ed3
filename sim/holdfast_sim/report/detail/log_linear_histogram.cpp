#include <holdfast_sim/report/detail/log_linear_histogram.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>

namespace holdfast::sim {

namespace {

constexpr int kPartBits = 7;
constexpr std::uint64_t kParts = std::uint64_t{1} << kPartBits;
constexpr int kLengthBits = 63;
constexpr std::size_t kBuckets = (kLengthBits - kPartBits + 1) << kPartBits;

// How many low bits of a length do not matter for its bucket.
constexpr int dropped_bits(std::uint64_t length) noexcept {
  return std::max(static_cast<int>(std::bit_width(length)) - kPartBits - 1, 0);
}

constexpr std::size_t bucket_of(std::uint64_t length) noexcept {
  const int dropped = dropped_bits(length);
  return (static_cast<std::size_t>(dropped) << kPartBits) + (length >> dropped);
}

constexpr std::uint64_t middle_of(std::size_t bucket) noexcept {
  if (bucket < 2 * kParts) return bucket;
  const std::size_t dropped = (bucket >> kPartBits) - 1;
  const std::uint64_t part = (bucket & (kParts - 1)) + kParts;
  return (part << dropped) + ((std::uint64_t{1} << dropped) >> 1);
}

static_assert(bucket_of(255) == 255 && bucket_of(256) == 256 && bucket_of(257) == 256 && bucket_of(258) == 257);
static_assert(bucket_of((std::uint64_t{1} << kLengthBits) - 1) == kBuckets - 1);

}  // namespace

void LogLinearHistogram::record(Duration length) {
  if (counts_.empty()) counts_.resize(kBuckets);
  length = std::max(length, Duration::zero());
  min_ = count_ == 0 ? length : std::min(min_, length);
  max_ = std::max(max_, length);
  ++count_;
  ++counts_[bucket_of(static_cast<std::uint64_t>(length.count()))];
}

Duration LogLinearHistogram::quantile(std::uint32_t percent, std::uint64_t more) const noexcept {
  const std::uint64_t all = count_ + more;
  const std::uint64_t wanted = std::max<std::uint64_t>(all / 100 * percent + (all % 100 * percent + 99) / 100, 1);
  if (wanted > count_) return Duration::max();
  if (wanted == 1) return min_;
  if (wanted == count_) return max_;
  std::uint64_t passed = 0;
  // None is below the smallest.
  for (std::size_t bucket = bucket_of(static_cast<std::uint64_t>(min_.count())); bucket < kBuckets; ++bucket) {
    passed += counts_[bucket];
    if (passed >= wanted) return std::clamp(Duration{static_cast<std::int64_t>(middle_of(bucket))}, min_, max_);
  }
  return max_;
}

}  // namespace holdfast::sim
