#include <holdfast_sim/search/value_counts.hpp>

#include <algorithm>
#include <bit>

#include <holdfast/detail/assert.hpp>

namespace holdfast::sim {

namespace {

constexpr std::size_t kFreshMax = 10'000;
constexpr int kLeadingBits = 9;

constexpr std::uint64_t rounded_down(std::uint64_t value) noexcept {
  const int extra = static_cast<int>(std::bit_width(value)) - kLeadingBits;
  return extra <= 0 ? value : value >> extra << extra;
}

}  // namespace

void ValueCounts::add(std::uint64_t value) {
  least_ = count_ == 0 ? value : std::min(least_, value);
  most_ = count_ == 0 ? value : std::max(most_, value);
  ++count_;
  fresh_.push_back(rounded_ ? rounded_down(value) : value);
  if (fresh_.size() >= kFreshMax) settle();
}

void ValueCounts::settle() const {
  if (fresh_.empty()) return;
  std::sort(fresh_.begin(), fresh_.end());
  std::vector<Counted> all;
  all.reserve(sorted_.size() + fresh_.size());
  const auto take = [&all](std::uint64_t value, std::uint64_t times) {
    if (!all.empty() && all.back().value == value) {
      all.back().times += times;
    } else {
      all.push_back({value, times});
    }
  };
  auto old = sorted_.begin();
  for (const std::uint64_t value : fresh_) {
    for (; old != sorted_.end() && old->value <= value; ++old) take(old->value, old->times);
    take(value, 1);
  }
  for (; old != sorted_.end(); ++old) take(old->value, old->times);
  fresh_.clear();
  sorted_ = std::move(all);
  if (!rounded_ && sorted_.size() > kDistinctMax) round_all();
}

void ValueCounts::round_all() const {
  rounded_ = true;
  std::vector<Counted> all;
  for (const Counted& one : sorted_) {
    const std::uint64_t value = rounded_down(one.value);
    if (!all.empty() && all.back().value == value) {
      all.back().times += one.times;
    } else {
      all.push_back({value, one.times});
    }
  }
  sorted_ = std::move(all);
}

bool ValueCounts::rounded() const {
  settle();
  return rounded_;
}

// From 1 on, the least first.
std::uint64_t ValueCounts::at_rank(std::uint64_t rank) const {
  settle();
  for (const Counted& one : sorted_) {
    if (rank <= one.times) return std::clamp(one.value, least_, most_);
    rank -= one.times;
  }
  return most_;
}

namespace {

// How many of `count` are at least `percent` %.
constexpr std::uint64_t share_of(std::uint64_t count, unsigned percent) noexcept {
  const std::uint64_t hundredth = count / 100;
  return hundredth * percent + (count % 100 * percent + 99) / 100;
}

}  // namespace

std::uint64_t ValueCounts::up_to(unsigned percent) const {
  HOLDFAST_ASSERT(count_ > 0 && percent > 0 && percent <= 100, "a percentile of nothing, or no percentage");
  return percent == 100 ? most_ : at_rank(share_of(count_, percent));
}

std::uint64_t ValueCounts::down_to(unsigned percent) const {
  HOLDFAST_ASSERT(count_ > 0 && percent > 0 && percent <= 100, "a percentile of nothing, or no percentage");
  return percent == 100 ? least_ : at_rank(count_ - share_of(count_, percent) + 1);
}

}  // namespace holdfast::sim
