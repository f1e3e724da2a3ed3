#include <holdfast_sim/observe/detail/object_reader.hpp>

#include <utility>

namespace holdfast::sim::detail {

namespace {

// Behind the string that begins at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

// Without its quotes and escapes.
std::string meaning_of(std::string_view string) {
  boost::json::parse_options options;
  options.allow_invalid_utf8 = true;  // as there may be in a trace
  const auto value = boost::json::parse(boost::json::string_view{string.data(), string.size()}, {}, options);
  return {value.get_string().data(), value.get_string().size()};
}

}  // namespace

void refuse_repeated_keys(std::string_view text) {
  std::vector<std::pair<std::size_t, std::string>> keys;  // each with the place of the object that has it
  std::vector<std::size_t> within;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"') {
      const std::size_t end = end_of_string(text, at);
      const std::size_t next = text.find_first_not_of(" \t\r\n", end);
      if (next < text.size() && text[next] == ':') {
        const auto key = text.substr(at, end - at);
        const bool has_escapes = key.find('\\') != std::string_view::npos;
        keys.emplace_back(within.back(), has_escapes ? meaning_of(key) : std::string{key.substr(1, key.size() - 2)});
      }
      at = end;
      continue;
    }
    if (c == '{') within.push_back(at);
    if (c == '}') within.pop_back();
    ++at;
  }
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end()) throw BadLine{printable(twice->second), "stands twice in this line; allowed is once"};
}

}  // namespace holdfast::sim::detail
