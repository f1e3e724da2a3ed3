#include <holdfast_sim/text/wording.hpp>

#include <algorithm>
#include <array>

#include <holdfast/detail/text.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>

namespace holdfast::sim {

namespace {

struct Likeness {
  std::string_view character;
  char ascii;
};
// What reports and messages use, and what people write most often.
constexpr std::array kLikenesses{Likeness{"…", '~'}, Likeness{"–", '-'}, Likeness{"—", '-'},  Likeness{"·", '-'},
                                 Likeness{"│", '|'}, Likeness{"┤", '+'}, Likeness{"└", '+'},  Likeness{"─", '-'},
                                 Likeness{"┬", '+'}, Likeness{"▁", '.'}, Likeness{"▂", '.'},  Likeness{"▃", ':'},
                                 Likeness{"▄", ':'}, Likeness{"▅", '|'}, Likeness{"▆", '|'},  Likeness{"▇", '#'},
                                 Likeness{"█", '#'}, Likeness{"░", '/'}, Likeness{"▒", '='},  Likeness{"×", 'x'},
                                 Likeness{"“", '"'}, Likeness{"”", '"'}, Likeness{"‘", '\''}, Likeness{"’", '\''}};

char likeness_of(std::string_view character) {
  const auto* const found = std::find_if(kLikenesses.begin(), kLikenesses.end(),
                                         [&](const Likeness& likeness) { return likeness.character == character; });
  return found == kLikenesses.end() ? '?' : found->ascii;
}

}  // namespace

std::string fit(std::string_view text, std::size_t width) {
  const bool cut = detail::columns(text) > width;
  const std::size_t room = cut ? std::max<std::size_t>(width, 1) - 1 : width;
  std::string result;
  for (std::size_t used = 0; !text.empty();) {
    const std::size_t length = holdfast::detail::utf8_character(text);
    const auto character = text.substr(0, length);
    const bool shows = length > 0 && !holdfast::detail::is_invisible(character);
    used += shows ? detail::columns(character) : 1;
    if (used > room) break;
    result += shows ? character : std::string_view{"?"};
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return cut ? result + "…" : result;
}

std::string ascii(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(holdfast::detail::utf8_character(text), 1);
    const bool is_ascii = static_cast<unsigned char>(text.front()) < 0x80;
    if (is_ascii) {
      result += text.front();
    } else {
      result.append(detail::columns(text.substr(0, length)), likeness_of(text.substr(0, length)));
    }
    text.remove_prefix(length);
  }
  return result;
}

std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%[]";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return quoted + "'";
}

}  // namespace holdfast::sim
