// Time: saturation at both ends of the range, order, and the exact text of a length of time.

#include <catch2/catch.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include <holdfast/detail/wide.hpp>
#include <holdfast/probe_times.hpp>
#include <holdfast/time.hpp>

namespace holdfast::time_test {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

using Wide = holdfast::detail::SignedWide;

std::int64_t clamped(Wide value) {
  if (value < kLeast) return kLeast;
  if (value > kMost) return kMost;
  return static_cast<std::int64_t>(value);
}

// Every pair of these is looked at.
constexpr std::array<std::int64_t, 15> kEdges{
    kLeast, kLeast + 1, kLeast / 2 - 1, kLeast / 2,    kLeast / 2 + 1, -2,        -1,   0,
    1,      2,          kMost / 2,      kMost / 2 + 1, kMost / 2 + 2,  kMost - 1, kMost};

// Reads the text back, by the letter: an optional sign, then numbers with units from the largest to the smallest.
std::int64_t read_back(const std::string& text) {
  static const std::array<std::pair<std::string, std::int64_t>, 7> kUnits{{{"d", 86'400'000'000'000},
                                                                           {"h", 3'600'000'000'000},
                                                                           {"min", 60'000'000'000},
                                                                           {"s", 1'000'000'000},
                                                                           {"ms", 1'000'000},
                                                                           {"us", 1'000},
                                                                           {"ns", 1}}};
  std::size_t at = text.starts_with('-') ? 1 : 0;
  Wide sum = 0;
  std::size_t largest_left = 0;
  REQUIRE(at < text.size());
  while (at < text.size()) {
    Wide number = 0;
    const std::size_t digits = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') number = number * 10 + (text[at++] - '0');
    REQUIRE(at > digits);
    std::string unit;
    while (at < text.size() && text[at] >= 'a' && text[at] <= 'z') unit += text[at++];
    std::size_t which = largest_left;
    while (which < kUnits.size() && kUnits[which].first != unit) ++which;
    REQUIRE(which < kUnits.size());  // a unit that exists, and smaller than the one before
    largest_left = which + 1;
    if (text != "0s") REQUIRE(number > 0);
    sum += number * kUnits[which].second;
  }
  return static_cast<std::int64_t>(text.starts_with('-') ? -sum : sum);
}

}  // namespace

TEST_CASE("sums and differences saturate at both ends and are exact in between") {
  for (const std::int64_t a : kEdges) {
    for (const std::int64_t b : kEdges) {
      CAPTURE(a, b);
      CHECK((TimePoint{a} + Duration{b}).nanoseconds == clamped(Wide{a} + b));
      CHECK((TimePoint{a} - Duration{b}).nanoseconds == clamped(Wide{a} - b));
      CHECK((TimePoint{a} - TimePoint{b}).count() == clamped(Wide{a} - b));
      CHECK(saturating_add(Duration{a}, Duration{b}).count() == clamped(Wide{a} + b));
    }
  }
  rc::prop("for any two numbers", [](std::int64_t a, std::int64_t b) {
    RC_ASSERT((TimePoint{a} + Duration{b}).nanoseconds == clamped(Wide{a} + b));
    RC_ASSERT((TimePoint{a} - Duration{b}).nanoseconds == clamped(Wide{a} - b));
    RC_ASSERT((TimePoint{a} - TimePoint{b}).count() == clamped(Wide{a} - b));
  });
}

TEST_CASE("arithmetic on time is done while compiling") {
  static_assert(TimePoint::max() + 1ns == TimePoint::max());
  static_assert(TimePoint::min() - 1ns == TimePoint::min());
  static_assert(TimePoint::max() - TimePoint::min() == Duration::max());
  static_assert(TimePoint::min() - TimePoint::max() == Duration::min());
  static_assert(TimePoint{5} - 7ns == TimePoint{-2});
  SUCCEED();
}

TEST_CASE("moments are ordered like their numbers") {
  for (const std::int64_t a : kEdges) {
    for (const std::int64_t b : kEdges) {
      CHECK((TimePoint{a} < TimePoint{b}) == (a < b));
      CHECK((TimePoint{a} == TimePoint{b}) == (a == b));
    }
  }
}

TEST_CASE("the longest duration of a configuration is 36500 days, and twice it still fits") {
  CHECK(kDurationMax == 24h * 36'500);
  CHECK(to_string(kDurationMax) == "36500d");
  CHECK(saturating_add(kDurationMax, kDurationMax) < Duration::max());
}

TEST_CASE("a length of time is written with units, largest first and without zero parts") {
  const std::array<std::pair<Duration, std::string>, 22> rows{
      {{0ns, "0s"},
       {1ns, "1ns"},
       {999ns, "999ns"},
       {1us, "1us"},
       {1001ns, "1us1ns"},
       {999us, "999us"},
       {1ms, "1ms"},
       {250ms, "250ms"},
       {1s, "1s"},
       {1s + 500us, "1s500us"},
       {59s, "59s"},
       {60s, "1min"},
       {90s, "1min30s"},
       {1h, "1h"},
       {1h + 1ns, "1h1ns"},
       {24h, "1d"},
       {26h, "1d2h"},
       {-5s, "-5s"},
       {-1ns, "-1ns"},
       {-90s, "-1min30s"},
       {Duration::max(), "106751d23h47min16s854ms775us807ns"},
       {Duration::min(), "-106751d23h47min16s854ms775us808ns"}}};
  for (const auto& [duration, text] : rows) CHECK(to_string(duration) == text);
  CHECK(to_string(TimePoint{1'500'000'000}) == "1s500ms");
  CHECK(to_string(TimePoint{}) == "0s");
}

TEST_CASE("the text of a length of time reads back to the same value") {
  for (const std::int64_t value : kEdges) CHECK(read_back(to_string(Duration{value})) == value);
  rc::prop("for any number", [](std::int64_t value) { RC_ASSERT(read_back(to_string(Duration{value})) == value); });
  rc::prop("for any number of any size", [] {
    const auto value = *rc::gen::resize(1000, rc::gen::arbitrary<std::int64_t>());
    RC_ASSERT(read_back(to_string(Duration{value})) == value);
  });
}

// Three probes, each 10 s after the one before, and the last one ends after 3 s. A file that is refused may ask for
// more than there are nanoseconds.
TEST_CASE("the watchdog of health probes is the time in which all have failed, and no time is too long for it") {
  CHECK(watchdog_of({.every = 10s, .timeout = 3s, .failures = 3}) == 33s);
  CHECK(watchdog_of({.every = 1s, .timeout = 3s, .failures = 2}) == 9s);
  const Duration longest = 24h * 1000 + 24h;
  CHECK(watchdog_of({.every = 24h, .timeout = 24h, .failures = 1000}) == longest);
  CHECK(watchdog_of({.every = Duration::max(), .timeout = Duration::max(), .failures = ~std::uint32_t{0}}) == longest);
  CHECK(watchdog_of({.every = -1s, .timeout = 0s, .failures = 1}) == 2ms);
}

}  // namespace holdfast::time_test
