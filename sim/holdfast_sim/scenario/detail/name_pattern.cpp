#include <holdfast_sim/scenario/detail/name_pattern.hpp>

#include <algorithm>
#include <bitset>
#include <charconv>
#include <system_error>
#include <utility>

namespace holdfast::sim::detail {

namespace {

constexpr std::size_t kLongestName = 255;      // bytes
constexpr std::size_t kDigitsMax = 9;          // of a number in a name
using Places = std::bitset<kLongestName + 1>;  // in a name: where the parts so far may end

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// A whole number at the beginning of `text`, without leading zeros; nullopt: there is none.
std::optional<std::uint64_t> number_at(std::string_view text, std::size_t digits) noexcept {
  if (digits == 0 || digits > std::min(kDigitsMax, text.size())) return std::nullopt;
  if (text.front() == '0' && digits > 1) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
  return error == std::errc{} && end == text.data() + digits ? std::optional{value} : std::nullopt;
}

std::size_t digits_of(std::string_view text) noexcept {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  return static_cast<std::size_t>(end - text.begin());
}

}  // namespace

// "{3..17}" at the beginning of `text`, and how long that is.
std::optional<NamePattern::Number> NamePattern::parse_number(std::string_view text, std::size_t& length) {
  constexpr std::string_view kDots = "..";
  if (!text.starts_with('{')) return std::nullopt;
  std::string_view rest = text.substr(1);
  const std::size_t first = digits_of(rest);
  const auto from = number_at(rest, first);
  rest.remove_prefix(first);
  if (!from || !rest.starts_with(kDots)) return std::nullopt;
  rest.remove_prefix(kDots.size());
  const std::size_t second = digits_of(rest);
  const auto to = number_at(rest, second);
  rest.remove_prefix(second);
  if (!to || !rest.starts_with('}')) return std::nullopt;
  length = text.size() - rest.size() + 1;
  return Number{*from, *to};
}

std::optional<NamePattern> NamePattern::parse(std::string_view text) {
  NamePattern pattern;
  bool is_one = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 1;
    if (text[at] == '*') {
      pattern.parts_.emplace_back(AnyText{});
      is_one = true;
    } else if (const auto number = parse_number(text.substr(at), length)) {
      pattern.parts_.emplace_back(*number);
      is_one = true;
    } else if (!pattern.parts_.empty() && std::holds_alternative<std::string>(pattern.parts_.back())) {
      std::get<std::string>(pattern.parts_.back()) += text[at];
    } else {
      pattern.parts_.emplace_back(std::string(1, text[at]));
    }
    at += length;
  }
  return is_one ? std::optional{std::move(pattern)} : std::nullopt;
}

bool NamePattern::matches(std::string_view name) const {
  Places places;
  places.set(0);
  for (const Part& part : parts_) {
    Places next;
    for (std::size_t at = 0; at <= name.size(); ++at) {
      if (!places.test(at)) continue;
      const std::string_view rest = name.substr(at);
      if (const auto* const text = std::get_if<std::string>(&part)) {
        if (rest.starts_with(*text)) next.set(at + text->size());
      } else if (const auto* const number = std::get_if<Number>(&part)) {
        for (std::size_t digits = 1; digits <= std::min(kDigitsMax, digits_of(rest)); ++digits) {
          const auto value = number_at(rest, digits);
          if (value && *value >= number->from && *value <= number->to) next.set(at + digits);
        }
      } else {
        for (std::size_t end = at; end <= name.size(); ++end) next.set(end);
        break;
      }
    }
    places = next;
  }
  return places.test(name.size());
}

}  // namespace holdfast::sim::detail
