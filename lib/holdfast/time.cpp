#include <holdfast/time.hpp>

#include <array>
#include <string_view>

namespace holdfast {

namespace {

struct Unit {
  std::uint64_t nanoseconds;
  std::string_view name;
};

constexpr std::array<Unit, 7> kUnits{{
    {86'400'000'000'000, "d"},
    {3'600'000'000'000, "h"},
    {60'000'000'000, "min"},
    {1'000'000'000, "s"},
    {1'000'000, "ms"},
    {1'000, "us"},
    {1, "ns"},
}};

}  // namespace

std::string to_string(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  std::string text;
  auto rest = static_cast<std::uint64_t>(duration.count());
  if (duration < Duration::zero()) {
    text += '-';
    rest = 0 - rest;  // the magnitude, also of the smallest value, which has no positive twin
  }
  for (const auto& unit : kUnits) {
    if (rest < unit.nanoseconds) continue;
    text += std::to_string(rest / unit.nanoseconds);
    text += unit.name;
    rest %= unit.nanoseconds;
  }
  return text;
}

std::string to_string(TimePoint at) { return to_string(Duration{at.nanoseconds}); }

}  // namespace holdfast
