#include <holdfast/file/duration_text.hpp>

#include <algorithm>
#include <array>
#include <variant>

#include <holdfast/file/letters.hpp>

namespace holdfast::file {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};

constexpr std::array<Unit, 7> kUnits{{
    {"d", 86'400'000'000'000},
    {"h", 3'600'000'000'000},
    {"min", 60'000'000'000},
    {"s", 1'000'000'000},
    {"ms", 1'000'000},
    {"us", 1'000},
    {"ns", 1},
}};

constexpr auto kLimit = static_cast<std::uint64_t>(kDurationMax.count());
// Stands for every number that is too large for the limit in any unit.
constexpr std::uint64_t kTooLarge = kLimit + 1;

// The text before the first character that is (or is not) a digit, taken off the front of `rest`.
std::string_view take_while(std::string_view& rest, bool digits) noexcept {
  const auto end = std::find_if(rest.begin(), rest.end(), [digits](char c) { return is_digit(c) != digits; });
  const auto taken = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(taken.size());
  return taken;
}

std::uint64_t number(std::string_view digits) noexcept {
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (value > kLimit / 10) return kTooLarge;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

using Reading = std::variant<Duration, DurationFault>;

Reading read_unsigned(std::string_view text) noexcept {
  std::uint64_t sum = 0;
  bool too_long = false;
  auto largest_left = kUnits.begin();
  if (text.empty()) return DurationFault::form;
  while (!text.empty()) {
    const auto digits = take_while(text, true);
    const auto name = take_while(text, false);
    const auto unit =
        std::find_if(largest_left, kUnits.end(), [name](const Unit& candidate) { return candidate.name == name; });
    if (digits.empty() || unit == kUnits.end()) return DurationFault::form;
    largest_left = unit + 1;
    const std::uint64_t count = number(digits);
    too_long = too_long || count > (kLimit - sum) / unit->nanoseconds;
    if (!too_long) sum += count * unit->nanoseconds;
  }
  if (too_long) return DurationFault::too_long;
  return Duration{static_cast<std::int64_t>(sum)};
}

Reading read(std::string_view text) noexcept {
  if (text.substr(0, 1) != "-") return read_unsigned(text);
  const auto magnitude = read_unsigned(text.substr(1));
  return magnitude == Reading{DurationFault::form} ? DurationFault::form : DurationFault::negative;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) noexcept {
  const auto reading = read(text);
  const auto* const value = std::get_if<Duration>(&reading);
  return value != nullptr ? std::optional{*value} : std::nullopt;
}

std::optional<DurationFault> fault_of_duration(std::string_view text) noexcept {
  const auto reading = read(text);
  const auto* const fault = std::get_if<DurationFault>(&reading);
  return fault != nullptr ? std::optional{*fault} : std::nullopt;
}

}  // namespace holdfast::file
