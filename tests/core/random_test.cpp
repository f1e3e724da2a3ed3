// Keyed randomness: known answers of the generator and of the name's hash, the layout of key and counter, and the map
// from a draw to a range. All of it is frozen: another answer here would change every recorded digest.

#include <catch2/catch.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include <holdfast/detail/random123.hpp>

#include <holdfast/random.hpp>

namespace holdfast::random_test {

namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
constexpr Draw kLeastDraw{0, 0};
constexpr Draw kGreatestDraw{kMost, kMost};

std::array<std::uint64_t, 4> philox(const std::array<std::uint64_t, 4>& counter,
                                    const std::array<std::uint64_t, 2>& key) {
  const philox4x64_ctr_t words{{counter[0], counter[1], counter[2], counter[3]}};
  const philox4x64_key_t of{{key[0], key[1]}};
  const philox4x64_ctr_t block = philox4x64(words, of);
  return {block.v[0], block.v[1], block.v[2], block.v[3]};
}

// floor((high * 2^64 + low) * (max + 1) / 2^128) by the multiplication of school, 32 bits a digit.
std::uint64_t reference_up_to(const Draw& draw, std::uint64_t max) {
  const std::array<std::uint64_t, 4> x{draw.low & 0xffff'ffff, draw.low >> 32, draw.high & 0xffff'ffff,
                                       draw.high >> 32};
  const std::array<std::uint64_t, 3> y =
      max == kMost ? std::array<std::uint64_t, 3>{0, 0, 1}
                   : std::array<std::uint64_t, 3>{(max + 1) & 0xffff'ffff, (max + 1) >> 32, 0};
  std::array<std::uint64_t, 8> digits{};
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < y.size(); ++j) {
      const std::uint64_t sum = x[i] * y[j] + digits[i + j] + carry;
      digits[i + j] = sum & 0xffff'ffff;
      carry = sum >> 32;
    }
    for (std::size_t k = i + y.size(); carry != 0; ++k) {
      const std::uint64_t sum = digits[k] + carry;
      digits[k] = sum & 0xffff'ffff;
      carry = sum >> 32;
    }
  }
  return digits[4] | digits[5] << 32;
}

}  // namespace

TEST_CASE("the generator gives the known answers of Philox4x64-10") {
  // The three vectors of Random123's kat_vectors: all zeros, all ones, digits of pi.
  CHECK(philox({0, 0, 0, 0}, {0, 0}) ==
        std::array<std::uint64_t, 4>{0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b});
  CHECK(philox({kMost, kMost, kMost, kMost}, {kMost, kMost}) ==
        std::array<std::uint64_t, 4>{0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0});
  CHECK(philox({0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
               {0x452821e638d01377, 0xbe5466cf34e90c6c}) ==
        std::array<std::uint64_t, 4>{0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6});
}

TEST_CASE("the draw of all zeros is the known answer of all zeros") {
  CHECK(draw(DrawKey{}, static_cast<Purpose>(0), 0) == Draw{0x16554d9eca36314c, 0xdb20fe9d672d0fdc});
}

TEST_CASE("a draw is the first half of Philox of (added, purpose and incarnation, index, 0) under (seed, name)") {
  const std::array<std::uint64_t, 5> words{0, 1, 0x0123'4567'89ab'cdef, 0x8000'0000'0000'0000, kMost};
  for (const auto purpose :
       {Purpose::backoff_jitter, Purpose::run_length, Purpose::stop_length, Purpose::chaos_share}) {
    for (const std::uint32_t incarnation : {0U, 1U, 0xffff'ffffU}) {
      for (const auto seed : words) {
        for (const auto name : words) {
          for (const auto added : words) {
            for (const auto index : words) {
              const auto word = std::uint64_t{static_cast<std::uint32_t>(purpose)} << 32 | incarnation;
              const auto block = philox({added, word, index, 0}, {seed, name});
              const DrawKey key{Seed{seed}, name, TimePoint{static_cast<std::int64_t>(added)}, incarnation};
              if (!(draw(key, purpose, index) == Draw{block[0], block[1]})) FAIL("another layout");
            }
          }
        }
      }
    }
  }
  SUCCEED();
}

TEST_CASE("the numbers of the purposes are frozen") {
  CHECK(static_cast<std::uint32_t>(Purpose::backoff_jitter) == 1);
  CHECK(static_cast<std::uint32_t>(Purpose::run_length) == 2);
  CHECK(static_cast<std::uint32_t>(Purpose::stop_length) == 3);
  CHECK(static_cast<std::uint32_t>(Purpose::chaos_share) == 4);
}

TEST_CASE("no two of seed, name, time of adding, incarnation, purpose and index share a draw") {
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  std::size_t drawn = 0;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    for (const auto* const name : {"", "a", "b"}) {
      for (std::int64_t added = 0; added < 3; ++added) {
        for (std::uint32_t incarnation = 0; incarnation < 3; ++incarnation) {
          for (std::uint32_t purpose = 1; purpose <= 4; ++purpose) {
            for (std::uint64_t index = 0; index < 10; ++index) {
              const DrawKey key{Seed{seed}, name_hash(name), TimePoint{added}, incarnation};
              const Draw bits = draw(key, static_cast<Purpose>(purpose), index);
              seen.emplace(bits.high, bits.low);
              ++drawn;
            }
          }
        }
      }
    }
  }
  CHECK(seen.size() == drawn);
}

TEST_CASE("draws do not depend on each other: in any order, and however often, they are the same") {
  const DrawKey key{Seed{7}, name_hash("a"), TimePoint{5}};
  std::map<std::uint64_t, Draw> forwards;
  for (std::uint64_t index = 0; index < 100; ++index) {
    forwards.emplace(index, draw(key, Purpose::backoff_jitter, index));
  }
  for (std::uint64_t index = 100; index-- > 0;) {
    (void)draw(key, Purpose::run_length, index);
    CHECK(draw(key, Purpose::backoff_jitter, index) == forwards.at(index));
  }
}

TEST_CASE("the hash of a name is FNV-1a of 64 bits") {
  // From the test suite that its authors published.
  static_assert(name_hash("") == 0xcbf29ce484222325);
  CHECK(name_hash("a") == 0xaf63dc4c8601ec8c);
  CHECK(name_hash("b") == 0xaf63df4c8601f1a5);
  CHECK(name_hash("c") == 0xaf63de4c8601eff2);
  CHECK(name_hash("fo") == 0x08985907b541d342);
  CHECK(name_hash("foo") == 0xdcb27518fed9d577);
  CHECK(name_hash("foobar") == 0x85944171f73967e8);
  CHECK(name_hash(std::string_view{"\0", 1}) == 0xaf63bd4c8601b7df);
  CHECK(name_hash("\xff") == (0xcbf29ce484222325 ^ 0xff) * 0x100000001b3);  // bytes, not signed characters
}

TEST_CASE("uniform_up_to reaches both ends and nothing beyond them, for every awkward maximum") {
  for (const std::uint64_t max :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{9}, std::uint64_t{0xffff'ffff},
        std::uint64_t{0x1'0000'0000}, std::uint64_t{0x7fff'ffff'ffff'ffff}, std::uint64_t{0x8000'0000'0000'0000},
        kMost - 1, kMost}) {
    CAPTURE(max);
    CHECK(uniform_up_to(kLeastDraw, max) == 0);
    CHECK(uniform_up_to(kGreatestDraw, max) == max);
  }
  static_assert(uniform_up_to(Draw{0x8000'0000'0000'0000, 0}, 1) == 1);
  static_assert(uniform_up_to(Draw{0x7fff'ffff'ffff'ffff, kMost}, 1) == 0);
  static_assert(uniform_up_to(Draw{0x8000'0000'0000'0000, 0}, kMost) == 0x8000'0000'0000'0000);
}

TEST_CASE("uniform_up_to is exact") {
  const std::array<std::uint64_t, 12> words{0,
                                            1,
                                            2,
                                            0x5555'5555'5555'5555,
                                            0x5555'5555'5555'5556,
                                            0x7fff'ffff'ffff'ffff,
                                            0x8000'0000'0000'0000,
                                            0xaaaa'aaaa'aaaa'aaaa,
                                            0xaaaa'aaaa'aaaa'aaab,
                                            0xffff'ffff'0000'0000,
                                            kMost - 1,
                                            kMost};
  for (const auto high : words) {
    for (const auto low : words) {
      for (const auto max : words) {
        CAPTURE(high, low, max);
        CHECK(uniform_up_to({high, low}, max) == reference_up_to({high, low}, max));
      }
    }
  }
  rc::prop("for any draw and maximum", [] {
    const auto word = rc::gen::resize(1000, rc::gen::arbitrary<std::uint64_t>());
    const Draw bits{*word, *word};
    const std::uint64_t max = *word;
    const std::uint64_t value = uniform_up_to(bits, max);
    RC_ASSERT(value == reference_up_to(bits, max));
    RC_ASSERT(value <= max);
  });
}

TEST_CASE("a fraction just below the border of two values gives the lower, the border itself the upper") {
  // For max + 1 a power of two the borders are exact: value v begins at v * 2^64 / (max + 1).
  for (std::uint32_t bits = 1; bits <= 63; ++bits) {
    const std::uint64_t max = (std::uint64_t{1} << bits) - 1;
    for (const std::uint64_t value : {std::uint64_t{1}, max / 2 + 1, max}) {
      CAPTURE(bits, value);
      const std::uint64_t border = value << (64 - bits);
      CHECK(uniform_up_to({border, 0}, max) == value);
      CHECK(uniform_up_to({border - 1, kMost}, max) == value - 1);
    }
  }
}

TEST_CASE("the draws of a service fall evenly on a small range") {
  // 10 values, 20 000 draws: each is expected 2000 times; 5 standard deviations are 212. The draws are fixed.
  std::array<int, 10> counts{};
  const DrawKey key{Seed{1}, name_hash("a")};
  for (std::uint64_t index = 0; index < 20'000; ++index) {
    ++counts[uniform_up_to(draw(key, Purpose::backoff_jitter, index), 9)];
  }
  for (const int count : counts) CHECK(std::abs(count - 2000) < 212);
}

}  // namespace holdfast::random_test
