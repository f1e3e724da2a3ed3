#include <holdfast/file/values.hpp>

namespace holdfast::file {

namespace {

using Kind = TomlValue::Kind;

}  // namespace

TomlValue toml(std::string_view text) {
  TomlValue made;
  made.kind = Kind::text;
  made.text = text;
  return made;
}

TomlValue toml(std::uint64_t integer) {
  if (integer > Integer::kMax) return toml(std::string_view{std::to_string(integer)});
  TomlValue made;
  made.kind = Kind::integer;
  made.integer = static_cast<std::int64_t>(integer);
  return made;
}

TomlValue toml(double number) {
  TomlValue made;
  made.kind = Kind::number;
  made.number = number;
  return made;
}

TomlValue toml_true() {
  TomlValue made;
  made.kind = Kind::boolean;
  made.boolean = true;
  return made;
}

TomlValue toml(std::vector<TomlValue> array) {
  TomlValue made;
  made.kind = Kind::array;
  made.items = std::move(array);
  return made;
}

void put(TomlValue& table, std::string_view key, TomlValue value) {
  table.entries.push_back({std::string{key}, {}, std::move(value)});
}

std::vector<std::string> Value<std::vector<std::string>>::read(const TomlValue& value) {
  std::vector<std::string> texts;
  texts.reserve(value.items.size());
  for (const auto& item : value.items) texts.push_back(item.text);
  return texts;
}

TomlValue Value<std::vector<std::string>>::write(const std::vector<std::string>& texts) {
  std::vector<TomlValue> items;
  items.reserve(texts.size());
  for (const auto& text : texts) items.push_back(toml(std::string_view{text}));
  return toml(std::move(items));
}

std::vector<std::string> OneOrMoreTexts::read(const TomlValue& value) {
  return value.kind == Kind::text ? std::vector{value.text} : Value<std::vector<std::string>>::read(value);
}

TomlValue OneOrMoreTexts::write(const std::vector<std::string>& texts) {
  return texts.size() == 1 ? toml(std::string_view{texts.front()}) : Value<std::vector<std::string>>::write(texts);
}

}  // namespace holdfast::file
