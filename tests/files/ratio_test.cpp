// Numbers without a unit, as files have them.

#include <catch2/catch.hpp>

#include <cmath>

#include <holdfast/file/ratio.hpp>

namespace holdfast::ratio_test {

using namespace holdfast::file;

TEST_CASE("a ratio is the nearest multiple of 2^-32") {
  CHECK(Ratio::from(0) == Ratio{0});
  CHECK(Ratio::from(-0.0) == Ratio{0});
  CHECK(Ratio::from(1) == Ratio{0x1'0000'0000});
  CHECK(Ratio::from(0.5) == Ratio{0x8000'0000});
  CHECK(Ratio::from(0.05) == Ratio{214'748'365});         // 214748364.8
  CHECK(Ratio::from(0.7) == Ratio{3'006'477'107});        // 3006477107.2
  CHECK(Ratio::from(0x1p-33) == Ratio{1});                // halfway, upwards
  CHECK(Ratio::from(0x1.fffffffffffffp-34) == Ratio{0});  // just below halfway
  CHECK(Ratio::from(0x1.fffffffffffffp31) == Ratio{0xffff'ffff'ffff'f800});
}

TEST_CASE("what no ratio can hold is unusable") {
  for (const double value : {-0x1p-1074, -1.0, 0x1p32, 1e300, HUGE_VAL, -HUGE_VAL, std::nan("")}) {
    CAPTURE(value);
    CHECK(Ratio::from(value) == Ratio::unusable());
  }
}

TEST_CASE("a ratio's text is its shortest decimal within nine places") {
  CHECK(to_string(Ratio::from(0)) == "0");
  CHECK(to_string(Ratio::from(3)) == "3");
  CHECK(to_string(Ratio::from(0.05)) == "0.05");
  CHECK(to_string(Ratio::from(10.000001)) == "10.000001");
  CHECK(to_string(Ratio::from(0.123456789)) == "0.123456789");
  CHECK(to_string(Ratio{0xffff'ffff}) == "1");
  CHECK(to_string(Ratio{1}) == "0");
}

}  // namespace holdfast::ratio_test
