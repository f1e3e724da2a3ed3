#include <holdfast_sim/observe/line_difference.hpp>

#include <boost/json.hpp>

#include <holdfast/file/message_text.hpp>
#include <holdfast_sim/text/wording.hpp>

namespace holdfast::sim {

namespace {

namespace json = boost::json;

json::value parsed(std::string_view line) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // a text that is not UTF-8 stands in a trace as it is
  return json::parse(json::string_view{line.data(), line.size()}, {}, options);
}

std::string value_text(const json::value* value) { return value ? printable(json::serialize(*value)) : "nothing"; }

}  // namespace

std::string differing_keys(std::string_view left_line, std::string_view right_line, std::string_view left,
                           std::string_view right) {
  const json::value was = parsed(left_line), is = parsed(right_line);
  std::string says;
  const auto compare = [&](json::string_view key, const json::value* a, const json::value* b) {
    if (a && b && *a == *b) return;
    says += says.empty() ? "" : "; ";
    says += printable({key.data(), key.size()}) + ": " + std::string{left} + ' ' + value_text(a) + ", " +
            std::string{right} + ' ' + value_text(b);
  };
  for (const auto& [key, value] : was.get_object()) compare(key, &value, is.get_object().if_contains(key));
  for (const auto& [key, value] : is.get_object()) {
    if (!was.get_object().contains(key)) compare(key, nullptr, &value);
  }
  return says;
}

}  // namespace holdfast::sim
