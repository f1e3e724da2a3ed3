// Percentiles of counted values: exact, or rounded in a way that does not depend on their order.
#include <catch2/catch.hpp>

#include <cstdint>
#include <initializer_list>

#include <holdfast_sim/search/value_counts.hpp>

namespace holdfast::value_counts_test {

using sim::ValueCounts;

namespace {

ValueCounts counts_of(std::initializer_list<std::uint64_t> values) {
  ValueCounts counts;
  for (const auto value : values) counts.add(value);
  return counts;
}

}  // namespace

TEST_CASE("a percentile is the smallest value that so many values do not exceed") {
  const auto ten = counts_of({7, 3, 9, 1, 5, 10, 2, 8, 6, 4});
  CHECK(ten.up_to(1) == 1);
  CHECK(ten.up_to(10) == 1);
  CHECK(ten.up_to(11) == 2);
  CHECK(ten.up_to(50) == 5);
  CHECK(ten.up_to(90) == 9);
  CHECK(ten.up_to(91) == 10);
  CHECK(ten.up_to(100) == 10);
}

TEST_CASE("from above a percentile is the largest value that so many values reach") {
  const auto ten = counts_of({7, 3, 9, 1, 5, 10, 2, 8, 6, 4});
  CHECK(ten.down_to(10) == 10);
  CHECK(ten.down_to(50) == 6);
  CHECK(ten.down_to(90) == 2);
  CHECK(ten.down_to(91) == 1);
  CHECK(ten.down_to(100) == 1);
}

TEST_CASE("equal values count as often as they occur, and a single one is every percentile") {
  const auto many = counts_of({5, 5, 5, 5, 5, 5, 5, 5, 5, 6});
  CHECK(many.up_to(90) == 5);
  CHECK(many.up_to(91) == 6);
  const auto one = counts_of({UINT64_MAX});
  CHECK(one.up_to(1) == UINT64_MAX);
  CHECK(one.down_to(99) == UINT64_MAX);
  CHECK(one.least() == one.most());
  CHECK_FALSE(one.rounded());
}

TEST_CASE("with many different values percentiles are less than 0.4 % too small, whatever the order") {
  constexpr std::uint64_t kValues = 200'000;
  ValueCounts rising;
  ValueCounts falling;
  for (std::uint64_t i = 1; i <= kValues; ++i) rising.add(i * 1'000);
  for (std::uint64_t i = kValues; i > 0; --i) falling.add(i * 1'000);
  CHECK(rising.rounded());
  CHECK(falling.rounded());
  CHECK(rising.least() == 1'000);
  CHECK(rising.most() == kValues * 1'000);
  for (const unsigned percent : {1U, 10U, 50U, 90U, 99U, 100U}) {
    const std::uint64_t exact = kValues / 100 * percent * 1'000;
    CHECK(rising.up_to(percent) == falling.up_to(percent));
    CHECK(rising.up_to(percent) <= exact);
    CHECK(exact - rising.up_to(percent) < exact / 250);
    CHECK(rising.down_to(percent) == falling.down_to(percent));
  }
}

TEST_CASE("no percentile is below the least value, though that would be rounded down further, and rounding goes on") {
  ValueCounts counts;
  for (std::uint64_t i = 0; i < 4 * ValueCounts::kDistinctMax; ++i) counts.add(1'000'001 + i);
  CHECK(counts.rounded());
  CHECK(counts.least() == 1'000'001);
  CHECK(counts.up_to(1) == 1'001'472);   // of 1 002 000, in steps of 2 048
  CHECK(counts.up_to(50) == 1'097'728);  // of 1 100 000, in steps of 4 096
  ValueCounts same;                      // all of them in one step
  for (std::uint64_t i = 0; i <= ValueCounts::kDistinctMax; ++i) same.add((std::uint64_t{1} << 40) + 7 + i);
  CHECK(same.up_to(1) == (std::uint64_t{1} << 40) + 7);
  CHECK(same.down_to(99) == (std::uint64_t{1} << 40) + 7);
}

TEST_CASE("so many different values as fit are exact, and one more is not") {
  ValueCounts counts;
  for (std::uint64_t i = 0; i < ValueCounts::kDistinctMax; ++i) counts.add(1'000'001 + i);
  CHECK_FALSE(counts.rounded());
  CHECK(counts.up_to(50) == 1'000'000 + ValueCounts::kDistinctMax / 2);
  counts.add(7);
  CHECK(counts.rounded());
}

}  // namespace holdfast::value_counts_test
