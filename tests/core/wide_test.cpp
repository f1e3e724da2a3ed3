// 128-bit integers of two halves, beside the compiler's own: the same numbers, at the edges and between them.

#include <catch2/catch.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include <holdfast/detail/wide.hpp>

namespace holdfast::wide_test {

namespace {

using Unsigned = detail::TwoHalves<false>;
using Signed = detail::TwoHalves<true>;

template <class Native>
Native native(std::uint64_t high, std::uint64_t low) {
  return static_cast<Native>(static_cast<detail::Wide>(high) << 64 | low);
}

template <class Halves>
Halves halves(std::uint64_t high, std::uint64_t low) {
  return static_cast<Halves>(Unsigned{high} << 64 | Unsigned{low});
}

// SplitMix64 (Steele, Lea, Flood, 2014), but every other half is one at which something carries.
class Numbers {
 public:
  std::uint64_t half() {
    constexpr std::array<std::uint64_t, 8> kEdges{
        0, 1, 2, 0xffff'ffff, 0x1'0000'0000, 0x7fff'ffff'ffff'ffff, 0x8000'0000'0000'0000, ~std::uint64_t{0}};
    const std::uint64_t drawn = next();
    return drawn % 2 == 0 ? kEdges[drawn / 2 % kEdges.size()] : next() >> (drawn >> 58);
  }
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_ = 0;
};

// Which operations say otherwise than the compiler's integers do.
template <class Native, class Halves>
std::vector<const char*> differences(Numbers& numbers) {
  std::vector<const char*> wrong;
  const std::array<std::uint64_t, 4> n{numbers.half(), numbers.half(), numbers.half(), numbers.half()};
  const auto a = native<Native>(n[0], n[1]);
  const auto b = native<Native>(n[2], n[3]);
  const auto x = halves<Halves>(n[0], n[1]);
  const auto y = halves<Halves>(n[2], n[3]);
  // The compiler's signed integers must not overflow; in unsigned ones the bits are those of the wrapped number.
  using Wide = detail::Wide;
  const auto expect = [&](const char* what, auto wanted, const Halves& got) {
    const auto bits = static_cast<Wide>(wanted);
    if (got != halves<Halves>(static_cast<std::uint64_t>(bits >> 64), static_cast<std::uint64_t>(bits)))
      wrong.push_back(what);
  };
  expect("+", static_cast<Wide>(a) + static_cast<Wide>(b), x + y);
  expect("-", static_cast<Wide>(a) - static_cast<Wide>(b), x - y);
  expect("*", static_cast<Wide>(a) * static_cast<Wide>(b), x * y);
  expect("negative", 0 - static_cast<Wide>(a), -x);
  expect("&", a & b, x & y);
  expect("|", a | b, x | y);
  expect("~", ~a, ~x);
  const bool overflows =
      std::is_same_v<Halves, Signed> && static_cast<Wide>(a) == Wide{1} << 127 && ~static_cast<Wide>(b) == 0;
  if (b != 0 && !overflows) {
    expect("/", a / b, x / y);
    expect("%", a % b, x % y);
  }
  const int by = static_cast<int>(n[3] % 128);
  expect("<<", static_cast<Wide>(a) << by, x << by);
  expect(">>", a >> by, x >> by);
  if ((a < b) != (x < y) || (a <= b) != (x <= y) || (a == b) != (x == y)) wrong.push_back("order");
  if (static_cast<std::int64_t>(a) != static_cast<std::int64_t>(x)) wrong.push_back("to 64 bits");
  if (static_cast<std::uint32_t>(a) != static_cast<std::uint32_t>(x)) wrong.push_back("to 32 bits");
  if (static_cast<double>(a) != static_cast<double>(x)) wrong.push_back("to double");
  if (static_cast<bool>(a) != static_cast<bool>(x)) wrong.push_back("to bool");
  expect("from 64 bits", static_cast<Native>(static_cast<std::int64_t>(n[1])), Halves{static_cast<std::int64_t>(n[1])});
  expect("from 64 bits, unsigned", static_cast<Native>(n[1]), Halves{n[1]});
  expect("from 32 bits", static_cast<Native>(static_cast<std::int32_t>(n[1])), Halves{static_cast<std::int32_t>(n[1])});
  return wrong;
}

}  // namespace

TEST_CASE("two halves are the number that the compiler's 128-bit integer is") {
  Numbers numbers;
  for (int i = 0; i < 100'000; ++i) {
    CAPTURE(i);
    if (const auto wrong = differences<detail::Wide, Unsigned>(numbers); !wrong.empty()) FAIL(wrong.front());
    if (const auto wrong = differences<detail::SignedWide, Signed>(numbers); !wrong.empty()) FAIL(wrong.front());
  }
}

TEST_CASE("two halves, by hand") {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  CHECK(Unsigned{kMost} * kMost == ((Unsigned{kMost - 1} << 64) | Unsigned{1}));
  CHECK(static_cast<std::uint64_t>((Unsigned{1} << 127) / (Unsigned{1} << 64)) == std::uint64_t{1} << 63);
  CHECK(Signed{-7} / 2 == Signed{-3});
  CHECK(Signed{-7} % 2 == Signed{-1});
  CHECK((Signed{-7} >> 1) == Signed{-4});
  CHECK((Signed{-7} >> 64) == Signed{-1});
  CHECK(Signed{-1} < Signed{0});
  CHECK(Unsigned{Signed{-1}} == ~Unsigned{0});
}

}  // namespace holdfast::wide_test
