#include <holdfast_sim/explain/selector.hpp>

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include <holdfast/detail/enumerators.hpp>
#include <holdfast/event.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast_sim/observe/chaos_event.hpp>

namespace holdfast::sim {

namespace {

template <std::size_t... Index>
std::vector<std::string_view> kinds_of_events(std::index_sequence<Index...>) {
  return {std::variant_alternative_t<Index, Event::What>::kKind...};
}

std::vector<std::string_view> all_kinds() {
  auto kinds = kinds_of_events(std::make_index_sequence<std::variant_size_v<Event::What>>{});
  for (std::size_t i = 0; i < holdfast::detail::enumerators_of<ChaosEvent::Kind>(); ++i) {
    kinds.push_back(to_string(static_cast<ChaosEvent::Kind>(i)));
  }
  return kinds;
}

std::optional<std::uint64_t> whole_number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return !text.empty() && error == std::errc{} && stopped == end ? std::optional{number} : std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

// Takes the last word away from the text.
std::string_view take_last_word(std::string_view& text) {
  const auto blank = text.find_last_of(' ');
  const auto word = blank == text.npos ? text : text.substr(blank + 1);
  text = blank == text.npos ? std::string_view{} : trimmed(text.substr(0, blank));
  return word;
}

bool is_kind(std::string_view word) {
  return std::find(event_kinds().begin(), event_kinds().end(), word) != event_kinds().end();
}

}  // namespace

const std::vector<std::string_view>& event_kinds() {
  static const auto kinds = all_kinds();
  return kinds;
}

// From its end, because names of services may have blanks.
EventSelector parse_selector(std::string_view text) {
  EventSelector selector{.text = std::string{text}};
  std::string_view rest = trimmed(text);
  if (rest.empty()) throw BadSelector{"selects no event; write SERVICE KIND, like \"feed-7 terminated\""};
  if (const auto number = whole_number_in(rest)) {
    if (*number == 0) throw BadSelector{"0 is not the number of an event: they count from 1"};
    selector.number = number;
    return selector;
  }
  std::string_view before = rest;
  std::string_view word = take_last_word(before);
  if (word.front() == '#') {
    const auto nth = whole_number_in(word.substr(1));
    if (!nth || *nth == 0) {
      throw BadSelector{
          fmt::format("{} is not a number of an event; write # and a number from 1, like #2", file::in_quotes(word))};
    }
    selector.nth = *nth;
    rest = before;
    word = take_last_word(before);
    if (!is_kind(word)) {
      throw BadSelector{fmt::format(
          "{} stands behind no kind of event; {}", file::in_quotes(fmt::format("#{}", *nth)),
          file::did_you_mean(file::nearest(word, event_kinds()), "there are: " + file::listed(event_kinds(), 40)))};
    }
  }
  if (!is_kind(word)) {
    selector.service = rest;
    return selector;
  }
  selector.kind = word;
  selector.service = before;
  return selector;
}

}  // namespace holdfast::sim
