#include <holdfast/file/meant_duration.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <holdfast/file/letters.hpp>

namespace holdfast::file {

namespace {

struct MeantUnit {
  std::string_view name;
  std::uint64_t nanoseconds;
};
constexpr std::uint64_t kMeantSecond = 1'000'000'000;
constexpr std::uint64_t kMeantDay = 86'400 * kMeantSecond;
constexpr std::array kMeantUnits{MeantUnit{"ns", 1},
                                 MeantUnit{"nsec", 1},
                                 MeantUnit{"nanos", 1},
                                 MeantUnit{"nanosecond", 1},
                                 MeantUnit{"nanoseconds", 1},
                                 MeantUnit{"us", 1'000},
                                 MeantUnit{"usec", 1'000},
                                 MeantUnit{"µs", 1'000},
                                 MeantUnit{"μs", 1'000},
                                 MeantUnit{"micros", 1'000},
                                 MeantUnit{"microsecond", 1'000},
                                 MeantUnit{"microseconds", 1'000},
                                 MeantUnit{"ms", 1'000'000},
                                 MeantUnit{"msec", 1'000'000},
                                 MeantUnit{"msecs", 1'000'000},
                                 MeantUnit{"millis", 1'000'000},
                                 MeantUnit{"millisecond", 1'000'000},
                                 MeantUnit{"milliseconds", 1'000'000},
                                 MeantUnit{"s", kMeantSecond},
                                 MeantUnit{"sec", kMeantSecond},
                                 MeantUnit{"secs", kMeantSecond},
                                 MeantUnit{"second", kMeantSecond},
                                 MeantUnit{"seconds", kMeantSecond},
                                 MeantUnit{"m", 60 * kMeantSecond},
                                 MeantUnit{"min", 60 * kMeantSecond},
                                 MeantUnit{"mins", 60 * kMeantSecond},
                                 MeantUnit{"minute", 60 * kMeantSecond},
                                 MeantUnit{"minutes", 60 * kMeantSecond},
                                 MeantUnit{"h", 3600 * kMeantSecond},
                                 MeantUnit{"hr", 3600 * kMeantSecond},
                                 MeantUnit{"hrs", 3600 * kMeantSecond},
                                 MeantUnit{"hour", 3600 * kMeantSecond},
                                 MeantUnit{"hours", 3600 * kMeantSecond},
                                 MeantUnit{"d", kMeantDay},
                                 MeantUnit{"day", kMeantDay},
                                 MeantUnit{"days", kMeantDay},
                                 MeantUnit{"w", 7 * kMeantDay},
                                 MeantUnit{"wk", 7 * kMeantDay},
                                 MeantUnit{"wks", 7 * kMeantDay},
                                 MeantUnit{"week", 7 * kMeantDay},
                                 MeantUnit{"weeks", 7 * kMeantDay},
                                 MeantUnit{"y", 365 * kMeantDay},
                                 MeantUnit{"yr", 365 * kMeantDay},
                                 MeantUnit{"yrs", 365 * kMeantDay},
                                 MeantUnit{"year", 365 * kMeantDay},
                                 MeantUnit{"years", 365 * kMeantDay}};

constexpr auto kMeantLimit = static_cast<std::uint64_t>(kDurationMax.count());

// A sum of lengths that never goes beyond the limit.
class MeantSum {
 public:
  bool add(std::uint64_t count, std::uint64_t unit) {
    if (unit == 0 || count > (kMeantLimit - sum_) / unit) return false;
    sum_ += count * unit;
    return true;
  }
  [[nodiscard]] Duration value() const { return Duration{static_cast<std::int64_t>(sum_)}; }

 private:
  std::uint64_t sum_ = 0;
};

// "1.5" or "1,5" of a unit, exactly.
bool add_decimal(MeantSum& sum, std::uint64_t whole, std::string_view fraction, std::uint64_t unit) {
  if (!sum.add(whole, unit)) return false;
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  for (const char digit : fraction) {
    if (unit % 10 != 0) return false;
    unit /= 10;
    if (!sum.add(static_cast<std::uint64_t>(digit - '0'), unit)) return false;
  }
  return true;
}

// Takes "1.5 h" and the blanks, commas and the "and" behind it off the text.
bool take_part(MeantSum& sum, std::string_view& text) {
  const auto whole = take_number(text);
  if (!whole) return false;
  std::string_view fraction;
  if (text.size() > 1 && (text.front() == '.' || text.front() == ',') && is_digit(text[1])) {
    text.remove_prefix(1);
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    fraction = {text.begin(), end};
    text.remove_prefix(fraction.size());
  }
  text = trimmed(text);
  const auto end =
      std::find_if(text.begin(), text.end(), [](char c) { return is_digit(c) || is_blank(c) || c == ','; });
  std::string_view name{text.begin(), end};
  text.remove_prefix(name.size());
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);  // "5 min."
  const auto* const unit =
      std::find_if(kMeantUnits.begin(), kMeantUnits.end(), [&](const MeantUnit& u) { return u.name == name; });
  if (unit == kMeantUnits.end() || !add_decimal(sum, *whole, fraction, unit->nanoseconds)) return false;
  while (!text.empty() && (is_blank(text.front()) || text.front() == ',')) text.remove_prefix(1);
  if (text.starts_with("and ")) text.remove_prefix(4);
  return true;
}

std::optional<Duration> in_words(std::string_view text) {
  MeantSum sum;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    if (!take_part(sum, text)) return std::nullopt;
  }
  return sum.value();
}

// "00:05:00", "5:30".
std::optional<Duration> by_the_clock(std::string_view text) {
  std::vector<std::uint64_t> parts;
  while (true) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    parts.push_back(*number);
    if (text.empty()) break;
    if (text.front() != ':') return std::nullopt;
    text.remove_prefix(1);
  }
  if (parts.size() != 3) return std::nullopt;  // two may be hours and minutes, or minutes and seconds
  MeantSum sum;
  const bool fits =
      sum.add(parts[0], 3600 * kMeantSecond) && sum.add(parts[1], 60 * kMeantSecond) && sum.add(parts[2], kMeantSecond);
  return fits ? std::optional{sum.value()} : std::nullopt;
}

// "PT1H30M", "P1D" (ISO 8601), in lower case.
std::optional<Duration> iso_duration(std::string_view text) {
  if (!text.starts_with('p')) return std::nullopt;
  text.remove_prefix(1);
  std::string plain;
  bool of_day = false;
  for (const char c : text) {
    if (c == 't') {
      of_day = true;
    } else if (c == 'm' && !of_day) {
      return std::nullopt;  // months
    } else {
      plain += c;
    }
  }
  return in_words(plain);
}

std::optional<Duration> in_any_form(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (const auto length = in_words(text)) return length;
  if (const auto length = by_the_clock(text)) return length;
  return iso_duration(text);
}

// Without commas that may separate thousands: "1000s" of "1,000s". Empty: there are none.
std::string without_thousands(std::string_view text) {
  constexpr std::size_t kGroup = 3;
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto end = std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at) + 1, text.end(), is_digit);
    const auto digits = static_cast<std::size_t>(end - text.begin()) - at - 1;
    const bool is_one = text[at] == ',' && digits == kGroup && at > 0 && is_digit(text[at - 1]);
    if (!is_one) plain += text[at];
  }
  const bool begins_with_zero = text.starts_with('0');  // no thousands do
  return plain.size() == text.size() || begins_with_zero ? std::string{} : plain;
}

}  // namespace

std::optional<Duration> meant_duration(std::string_view text) {
  const std::string lower = lower_case(trimmed(text));
  const std::string plain = without_thousands(lower);
  if (plain.empty()) return in_any_form(lower);
  return in_any_form(lower) ? std::nullopt : in_any_form(plain);
}

std::optional<std::pair<Duration, Duration>> either_duration(std::string_view text) {
  const std::string lower = lower_case(trimmed(text));
  if (const std::string plain = without_thousands(lower); !plain.empty()) {
    const auto fraction = in_any_form(lower);
    const auto thousands = in_any_form(plain);
    if (fraction && thousands) return std::pair{*fraction, *thousands};
  }
  const auto colon = lower.find(':');
  if (colon == std::string::npos || lower.find(':', colon + 1) != std::string::npos) return std::nullopt;
  const auto minutes = in_any_form(lower.substr(0, colon) + "min" + lower.substr(colon + 1) + "s");
  const auto hours = in_any_form(lower.substr(0, colon) + "h" + lower.substr(colon + 1) + "min");
  return minutes && hours ? std::optional{std::pair{*minutes, *hours}} : std::nullopt;
}

std::optional<Duration> meant_seconds(std::string_view text) {
  text = trimmed(text);
  const bool is_number = !text.empty() && text.find_first_not_of("0123456789.,_") == std::string_view::npos;
  return is_number ? meant_duration(std::string{text} + "s") : std::nullopt;
}

}  // namespace holdfast::file
