// 128-bit integers: the compiler's where it has them, and two halves where it has none, which is on 32-bit processors.
// Both give the same numbers.
#pragma once

#include <bit>
#include <compare>
#include <concepts>
#include <cstdint>

namespace holdfast::detail {

// A 128-bit integer as two halves, in two's complement: what is too large wraps, a quotient is rounded towards zero,
// and a shift to the right keeps the sign. It converts as the compiler's do, from any integer by itself and to one on
// demand.
template <bool is_signed>
class TwoHalves {
 public:
  constexpr TwoHalves() noexcept = default;
  template <std::integral Integer>
  // NOLINTNEXTLINE(google-explicit-constructor): as a number widens
  constexpr TwoHalves(Integer value) noexcept : TwoHalves(value < Integer{} ? ~Half{0} : 0, static_cast<Half>(value)) {}
  constexpr explicit TwoHalves(const TwoHalves<!is_signed>& other) noexcept : TwoHalves(other.high(), other.low()) {}

  template <std::integral Integer>
  constexpr explicit operator Integer() const noexcept {
    if constexpr (std::same_as<Integer, bool>) return (high_ | low_) != 0;
    return static_cast<Integer>(low_);
  }
  // The nearest one; of two, the even one.
  constexpr explicit operator double() const noexcept {
    if (is_negative()) return -static_cast<double>(TwoHalves<false>{-*this});
    if (high_ == 0) return static_cast<double>(low_);
    // The 64 highest bits decide how it is rounded, with a last one that says whether there is more behind them.
    constexpr double kTwoTo64 = 18446744073709551616.0;
    const int unused = std::countl_zero(high_);
    const TwoHalves shifted = *this << unused;
    const auto highest = static_cast<double>(shifted.high_ | (shifted.low_ != 0 ? 1U : 0U));
    return highest * (kTwoTo64 / static_cast<double>(Half{1} << unused));
  }
  [[nodiscard]] constexpr std::uint64_t high() const noexcept { return high_; }
  [[nodiscard]] constexpr std::uint64_t low() const noexcept { return low_; }

  friend constexpr bool operator==(const TwoHalves&, const TwoHalves&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const TwoHalves& a, const TwoHalves& b) noexcept {
    if (a.high_ == b.high_) return a.low_ <=> b.low_;
    if constexpr (is_signed) return static_cast<std::int64_t>(a.high_) <=> static_cast<std::int64_t>(b.high_);
    return a.high_ <=> b.high_;
  }

  friend constexpr TwoHalves operator~(const TwoHalves& a) noexcept { return {~a.high_, ~a.low_}; }
  friend constexpr TwoHalves operator-(const TwoHalves& a) noexcept { return ~a + TwoHalves{0, 1}; }
  friend constexpr TwoHalves operator&(const TwoHalves& a, const TwoHalves& b) noexcept {
    return {a.high_ & b.high_, a.low_ & b.low_};
  }
  friend constexpr TwoHalves operator|(const TwoHalves& a, const TwoHalves& b) noexcept {
    return {a.high_ | b.high_, a.low_ | b.low_};
  }
  friend constexpr TwoHalves operator+(const TwoHalves& a, const TwoHalves& b) noexcept {
    const Half low = a.low_ + b.low_;
    return {a.high_ + b.high_ + (low < a.low_ ? 1U : 0U), low};
  }
  friend constexpr TwoHalves operator-(const TwoHalves& a, const TwoHalves& b) noexcept { return a + -b; }
  friend constexpr TwoHalves operator*(const TwoHalves& a, const TwoHalves& b) noexcept {
    TwoHalves product = product_of(a.low_, b.low_);
    product.high_ += a.high_ * b.low_ + a.low_ * b.high_;
    return product;
  }
  // REQUIRES: b is not 0.
  friend constexpr TwoHalves operator/(const TwoHalves& a, const TwoHalves& b) noexcept {
    const TwoHalves size = divided(a.size(), b.size()).quotient;
    return a.is_negative() == b.is_negative() ? size : -size;
  }
  friend constexpr TwoHalves operator%(const TwoHalves& a, const TwoHalves& b) noexcept {
    const TwoHalves size = divided(a.size(), b.size()).rest;
    return a.is_negative() ? -size : size;
  }
  // REQUIRES: 0 <= by < 128.
  friend constexpr TwoHalves operator<<(const TwoHalves& a, int by) noexcept {
    if (by == 0) return a;
    if (by >= 64) return {a.low_ << (by - 64), 0};
    return {a.high_ << by | a.low_ >> (64 - by), a.low_ << by};
  }
  friend constexpr TwoHalves operator>>(const TwoHalves& a, int by) noexcept {
    const Half sign = a.is_negative() ? ~Half{0} : 0;
    if (by == 0) return a;
    if (by > 64) return {sign, a.high_ >> (by - 64) | sign << (128 - by)};
    if (by == 64) return {sign, a.high_};
    return {a.high_ >> by | sign << (64 - by), a.low_ >> by | a.high_ << (64 - by)};
  }

  constexpr TwoHalves& operator+=(const TwoHalves& b) noexcept { return *this = *this + b; }
  constexpr TwoHalves& operator-=(const TwoHalves& b) noexcept { return *this = *this - b; }
  constexpr TwoHalves& operator*=(const TwoHalves& b) noexcept { return *this = *this * b; }
  constexpr TwoHalves& operator/=(const TwoHalves& b) noexcept { return *this = *this / b; }
  constexpr TwoHalves& operator%=(const TwoHalves& b) noexcept { return *this = *this % b; }
  constexpr TwoHalves& operator&=(const TwoHalves& b) noexcept { return *this = *this & b; }
  constexpr TwoHalves& operator|=(const TwoHalves& b) noexcept { return *this = *this | b; }
  constexpr TwoHalves& operator<<=(int by) noexcept { return *this = *this << by; }
  constexpr TwoHalves& operator>>=(int by) noexcept { return *this = *this >> by; }
  constexpr TwoHalves& operator++() noexcept { return *this += TwoHalves{0, 1}; }

 private:
  using Half = std::uint64_t;
  struct Division;
  constexpr TwoHalves(Half high, Half low) noexcept : high_(high), low_(low) {}
  friend class TwoHalves<!is_signed>;

  [[nodiscard]] constexpr bool is_negative() const noexcept { return is_signed && high_ >> 63 != 0; }
  // Of the most negative number, whose size is no number of the kind, the bits: as an unsigned one they are the size.
  [[nodiscard]] constexpr TwoHalves size() const noexcept { return is_negative() ? -*this : *this; }

  static constexpr TwoHalves product_of(Half a, Half b) noexcept {
    constexpr Half kLow = 0xffff'ffff;
    const Half low = (a & kLow) * (b & kLow);
    const Half middle = (a >> 32) * (b & kLow) + (low >> 32);
    const Half other_middle = (a & kLow) * (b >> 32) + (middle & kLow);
    return {(a >> 32) * (b >> 32) + (middle >> 32) + (other_middle >> 32), other_middle << 32 | (low & kLow)};
  }

  // Of two sizes.
  static constexpr Division divided(const TwoHalves& a, const TwoHalves& b) noexcept {
    if ((a.high_ | b.high_) == 0) return {{0, a.low_ / b.low_}, {0, a.low_ % b.low_}};
    if (b.high_ == 0 && b.low_ >> 32 == 0) return divided_by_digit(a, b.low_);
    TwoHalves quotient;
    TwoHalves rest;
    const int unused = a.high_ == 0 ? 64 + std::countl_zero(a.low_) : std::countl_zero(a.high_);
    for (int bit = 127 - unused; bit >= 0; --bit) {
      const bool carried = rest.high_ >> 63 != 0;  // then the rest is larger than any divisor
      rest = rest << 1 | (a.bit(bit) ? TwoHalves{0, 1} : TwoHalves{});
      if (!carried && rest.is_below(b)) continue;
      rest -= b;
      quotient |= TwoHalves{0, 1} << bit;
    }
    return {quotient, rest};
  }
  // As on paper, 32 bits a digit. REQUIRES: 0 < b < 2^32.
  static constexpr Division divided_by_digit(const TwoHalves& a, Half b) noexcept {
    constexpr Half kLow = 0xffff'ffff;
    const Half third = (a.high_ % b) << 32 | a.low_ >> 32;
    const Half fourth = (third % b) << 32 | (a.low_ & kLow);
    return {{a.high_ / b, (third / b) << 32 | fourth / b}, {0, fourth % b}};
  }
  [[nodiscard]] constexpr bool bit(int which) const noexcept {
    return (which < 64 ? low_ >> which : high_ >> (which - 64)) % 2 != 0;
  }
  [[nodiscard]] constexpr bool is_below(const TwoHalves& b) const noexcept {
    return high_ != b.high_ ? high_ < b.high_ : low_ < b.low_;
  }

  Half high_ = 0;
  Half low_ = 0;
};

template <bool is_signed>
struct TwoHalves<is_signed>::Division {
  TwoHalves quotient;
  TwoHalves rest;
};

#if defined(__SIZEOF_INT128__)
__extension__ using Wide = unsigned __int128;
__extension__ using SignedWide = __int128;
#else
using Wide = TwoHalves<false>;
using SignedWide = TwoHalves<true>;
#endif

}  // namespace holdfast::detail
