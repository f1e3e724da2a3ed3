#include <holdfast/detail/equal_ratios.hpp>
#include <holdfast/detail/wide.hpp>

#include <array>
#include <cstddef>
#include <numeric>

namespace holdfast::detail {

namespace {

using detail::Wide;

// A product of at most kStepsMax lengths: a whole number of as many words, the lowest first.
class Product {
 public:
  void times(std::uint64_t factor) noexcept {
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      const Wide product = Wide{words_[i]} * factor + carry;
      words_[i] = static_cast<std::uint64_t>(product);
      carry = static_cast<std::uint64_t>(product >> 64);
    }
    if (carry != 0) words_[size_++] = carry;
  }

  void times(std::uint64_t factor, std::uint32_t count) noexcept {
    for (std::uint32_t i = 0; i < count; ++i) times(factor);
  }

  // REQUIRES: neither is zero.
  [[nodiscard]] bool at_most(const Product& other) const noexcept {
    if (size_ != other.size_) return size_ < other.size_;
    for (std::size_t i = size_; i > 0; --i) {
      if (words_[i - 1] != other.words_[i - 1]) return words_[i - 1] < other.words_[i - 1];
    }
    return true;
  }

 private:
  std::array<std::uint64_t, kStepsMax> words_{1};
  std::size_t size_ = 1;
};

}  // namespace

Duration equal_ratios(Duration first, Duration last, std::uint32_t index, std::uint32_t count) noexcept {
  if (first == Duration::zero() || index == 0) return first;
  if (index >= count) return last;
  const std::uint32_t common = std::gcd(index, count);
  index /= common;
  count /= common;
  auto low = static_cast<std::uint64_t>(first.count());
  auto high = static_cast<std::uint64_t>(last.count());
  Product target;
  target.times(low, count - index);
  target.times(high, index);
  while (low < high) {
    const std::uint64_t middle = low + (high - low + 1) / 2;
    Product power;
    power.times(middle, count);
    if (power.at_most(target)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return Duration{static_cast<std::int64_t>(low)};
}

}  // namespace holdfast::detail
