#include <holdfast/file/placeholders.hpp>

#include <algorithm>

#include <holdfast/file/message_text.hpp>

namespace holdfast::file {

namespace {

constexpr std::string_view kName = "NAME";
constexpr std::string_view kIndex = "INDEX";

// Calls plain(text) and placeholder(word, whole) for the parts of a text, in order. A brace that is not closed makes
// the rest of the text a placeholder without an end.
template <class Plain, class Placeholder>
void for_each_part(std::string_view text, const Plain& plain, const Placeholder& placeholder) {
  while (!text.empty()) {
    const auto at = text.find("${");
    if (at == std::string_view::npos) return plain(text);
    if (at > 0 && text[at - 1] == '$') {
      plain(text.substr(0, at - 1));
      plain(text.substr(at, 2));
      text.remove_prefix(at + 2);
      continue;
    }
    plain(text.substr(0, at));
    const auto end = std::min(text.find('}', at), text.size());
    placeholder(text.substr(at + 2, end - at - 2), text.substr(at, end + 1 - at));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

std::string placeholder_fault(std::string_view text) {
  std::string fault;
  for_each_part(
      text, [](std::string_view) {},
      [&fault](std::string_view word, std::string_view whole) {
        const bool known = (word == kName || word == kIndex) && whole.ends_with('}');
        if (!known && fault.empty()) {
          fault =
              "has " + in_quotes(whole) +
              "; known are ${NAME} and ${INDEX}, of the service. No shell reads this text: a \"${\" for the program "
              "itself is \"$${\"";
        }
      });
  return fault;
}

bool differs_by_service(std::string_view text) {
  bool differs = false;
  for_each_part(
      text, [](std::string_view) {}, [&differs](std::string_view, std::string_view) { differs = true; });
  return differs;
}

std::string filled_in(std::string_view text, const std::string& name, std::uint32_t index) {
  std::string filled;
  for_each_part(
      text, [&filled](std::string_view part) { filled += part; },
      [&](std::string_view word, std::string_view) { filled += word == kName ? name : std::to_string(index); });
  return filled;
}

}  // namespace holdfast::file
