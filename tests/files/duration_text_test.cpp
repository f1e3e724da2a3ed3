// Lengths of time as files have them.

#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/file/duration_text.hpp>

namespace holdfast::duration_text_test {

using namespace std::chrono_literals;
using namespace holdfast::file;

TEST_CASE("a length of time is read back from its text") {
  rc::prop("any from zero to the longest", [] {
    const Duration length{*rc::gen::inRange<std::int64_t>(0, kDurationMax.count() + 1)};
    RC_ASSERT(parse_duration(to_string(length)) == length);
  });
  rc::prop("small multiples of every unit", [] {
    const Duration unit = *rc::gen::element<Duration>(1ns, 1us, 1ms, 1s, 1min, 1h, 24h);
    const Duration length = unit * *rc::gen::inRange(0, 200);
    RC_ASSERT(parse_duration(to_string(length)) == length);
  });
  CHECK(parse_duration(to_string(kDurationMax)) == kDurationMax);
}

TEST_CASE("lengths of time that are accepted") {
  const std::vector<std::pair<std::string_view, Duration>> rows{
      {"0s", 0s},
      {"0d", 0s},
      {"0h0min", 0s},
      {"250ms", 250ms},
      {"1h30min", 90min},
      {"90min", 90min},
      {"007s", 7s},
      {"5000000000ns", 5s},
      {"36500d", kDurationMax},
      {"3153600000s", kDurationMax},
      {"1d1ns", 24h + 1ns},
      {"00000000000000000000000000000001us", 1us},
  };
  for (const auto& [text, length] : rows) {
    INFO(text);
    CHECK(parse_duration(text) == length);
    CHECK(fault_of_duration(text) == std::nullopt);
  }
}

TEST_CASE("lengths of time that are refused, and why") {
  using enum DurationFault;
  const std::vector<std::pair<std::string_view, DurationFault>> rows{
      {"", form},
      {"s", form},
      {"5", form},
      {"5 s", form},
      {" 5s", form},
      {"5s ", form},
      {"5sec", form},
      {"5m", form},
      {"1.5s", form},
      {"+5s", form},
      {"1e3s", form},
      {"5S", form},
      {"5µs", form},
      {"1min1h", form},
      {"1s1s", form},
      {"1h-5min", form},
      {"0", form},
      {"--5s", form},
      {"-", form},
      {"5sx", form},
      {"36500d1ns", too_long},
      {"36501d", too_long},
      {"18446744073709551616ns", too_long},
      {"99999999999999999999999999d", too_long},
      {"-5s", negative},
      {"-36501d", negative},
      {"-0s", negative},
  };
  for (const auto& [text, fault] : rows) {
    INFO(text);
    CHECK(parse_duration(text) == std::nullopt);
    CHECK(fault_of_duration(text) == fault);
  }
}

}  // namespace holdfast::duration_text_test
