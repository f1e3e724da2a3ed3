#include <holdfast/file/json_schema.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <holdfast/detail/text.hpp>
#include <holdfast/policy.hpp>

#include <holdfast/file/message_text.hpp>
#include <holdfast/file/values.hpp>

namespace holdfast::file {

namespace {

using Kind = TomlValue::Kind;

// JSON is built as a tree of TOML values, which has all that JSON has but null.

TomlValue object() { return {}; }
TomlValue text(std::string_view value) { return toml(value); }

TomlValue object_with(std::string_view key, TomlValue value) {
  auto made = object();
  put(made, key, std::move(value));
  return made;
}

TomlValue boolean(bool value) {
  auto made = toml_true();
  made.boolean = value;
  return made;
}

TomlValue texts(const std::vector<std::string_view>& words) {
  std::vector<TomlValue> items;
  items.reserve(words.size());
  for (const auto word : words) items.push_back(text(word));
  return toml(std::move(items));
}

void append(std::string& to, const TomlValue& value, std::size_t indent);

// Each item on a line of its own, if any of them has parts.
template <class Items, class AppendItem>
void append_items(std::string& to, const Items& items, const char* brackets, std::size_t indent,
                  const AppendItem& append_item) {
  to += brackets[0];
  const char* separator = "\n";
  for (const auto& item : items) {
    to += separator;
    to.append(indent + 2, ' ');
    append_item(item);
    separator = ",\n";
  }
  if (!items.empty()) (to += '\n').append(indent, ' ');
  to += brackets[1];
}

void append(std::string& to, const TomlValue& value, std::size_t indent) {
  switch (value.kind) {
    case Kind::text: to += holdfast::detail::quoted(value.text); return;
    case Kind::integer: to += std::to_string(value.integer); return;
    case Kind::number: to += decimal(value.number); return;
    case Kind::boolean: to += value.boolean ? "true" : "false"; return;
    case Kind::time: return;  // JSON has none
    case Kind::array:
      append_items(to, value.items, "[]", indent, [&](const TomlValue& item) { append(to, item, indent + 2); });
      return;
    case Kind::table:
      append_items(to, value.entries, "{}", indent, [&](const auto& entry) {
        to += holdfast::detail::quoted(entry.key) + ": ";
        append(to, entry.value, indent + 2);
      });
      return;
  }
}

double number(Ratio ratio) { return Value<Ratio>::write(ratio).number; }

TomlValue of_type(std::string_view type) { return object_with("type", text(type)); }

TomlValue reference_to(const Table& table) {
  return object_with("$ref", text(std::string_view{"#/$defs/" + std::string{table.name}}));
}

// Each unit once at most, from large to small.
constexpr std::string_view kLengthPattern =
    "^([0-9]+d)?([0-9]+h)?([0-9]+min)?([0-9]+s)?([0-9]+ms)?([0-9]+us)?([0-9]+ns)?$";
constexpr std::string_view kNotZeroPattern = "[1-9]";
// No C0 and no DEL, and no blank at either end.
constexpr std::string_view kNamePattern =
    "^([^\\u0000-\\u001f\\u007f \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000]"
    "([^\\u0000-\\u001f\\u007f]*[^\\u0000-\\u001f\\u007f \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000])?)?$";

struct SchemaOf {
  TomlValue operator()(const Text&) const {
    auto made = of_type("string");
    put(made, "minLength", toml(std::uint64_t{1}));
    return made;
  }
  TomlValue operator()(const Name&) const {
    auto made = (*this)(Text{});
    put(made, "maxLength", toml(std::uint64_t{kNameLengthMax}));
    put(made, "pattern", text(kNamePattern));
    return made;
  }
  TomlValue operator()(const Word& word) const { return object_with("enum", texts(word.words)); }
  TomlValue operator()(const Length& length) const {
    auto made = (*this)(Text{});
    put(made, "pattern", text(kLengthPattern));
    if (length.min > Duration::zero()) {
      put(made, "allOf", toml(std::vector{object_with("pattern", text(kNotZeroPattern))}));
    }
    return made;
  }
  TomlValue operator()(const Integer& integer) const {
    auto made = of_type("integer");
    put(made, "minimum", toml(integer.min));
    put(made, "maximum", toml(integer.max));
    return made;
  }
  TomlValue operator()(const Number& range) const {
    auto made = of_type("number");
    put(made, range.above_min ? "exclusiveMinimum" : "minimum", toml(number(range.min)));
    put(made, "maximum", toml(number(range.max)));
    return made;
  }
  TomlValue operator()(const True&) const { return object_with("const", toml_true()); }
  TomlValue operator()(const Texts& texts) const {
    return array_of(texts.may_be_empty ? of_type("string") : (*this)(Text{}), texts.min);
  }
  TomlValue operator()(const LengthPair&) const {
    auto made = array_of((*this)(Length{}), 2);
    put(made, "maxItems", toml(std::uint64_t{2}));
    return made;
  }
  TomlValue operator()(const Inner& inner) const { return reference_to(inner.table()); }
  TomlValue operator()(const Tables& tables) const {
    auto made = array_of(reference_to(tables.table()), 0);
    put(made, "maxItems", toml(std::uint64_t{tables.max}));
    return made;
  }
  TomlValue operator()(const Spelt& spelt) const {
    auto made = of_type("string");
    put(made, "pattern", text(spelt.pattern));
    return made;
  }
  TomlValue operator()(const Integers& integers) const {
    return array_of((*this)(Integer{integers.min, integers.max}), 0);
  }
  TomlValue operator()(const NamedTexts&) const {
    auto made = of_type("object");
    put(made, "additionalProperties", of_type("string"));
    return made;
  }

  static TomlValue array_of(TomlValue items, std::size_t min) {
    auto made = of_type("array");
    put(made, "items", std::move(items));
    if (min > 0) put(made, "minItems", toml(std::uint64_t{min}));
    return made;
  }
};

TomlValue schema_of(const Key& key) {
  std::vector<TomlValue> forms;
  for (const auto& form : key.forms) forms.push_back(std::visit(SchemaOf{}, form));
  auto made = forms.size() == 1 ? std::move(forms.front()) : object_with("anyOf", toml(std::move(forms)));
  std::string says{key.help};
  if (!key.otherwise.empty()) says += ". Without it: " + std::string{key.otherwise};
  put(made, "description", text(says));
  if (key.default_value) put(made, "default", *key.default_value);
  return made;
}

// "one of these keys is there", for each of them.
TomlValue one_required(const std::vector<std::string_view>& keys) {
  std::vector<TomlValue> choices;
  choices.reserve(keys.size());
  for (const auto key : keys) choices.push_back(object_with("required", texts({key})));
  return toml(std::move(choices));
}

void put_table(TomlValue& schema, const Table& table) {
  put(schema, "type", text("object"));
  auto properties = object();
  auto needs = object();
  std::vector<std::string_view> required;
  for (const auto& key : table.keys) {
    put(properties, key.name, schema_of(key));
    if (key.required) required.push_back(key.name);
    if (!key.needs.empty()) put(needs, key.name, texts({key.needs}));
  }
  put(schema, "properties", std::move(properties));
  put(schema, "additionalProperties", boolean(false));
  if (!required.empty()) put(schema, "required", texts(required));
  if (!needs.entries.empty()) put(schema, "dependentRequired", std::move(needs));
  if (table.choice == Table::Choice::exactly_one) put(schema, "oneOf", one_required(table.of));
  if (table.choice == Table::Choice::at_least_one) put(schema, "anyOf", one_required(table.of));
}

}  // namespace

std::string json_schema(const Table& file, std::string_view title) {
  auto schema = object();
  put(schema, "$schema", text("https://json-schema.org/draft/2020-12/schema"));
  put(schema, "title", text(title));
  put_table(schema, file);
  auto definitions = object();
  for (const auto& [path, table] : list_format(file).tables) {
    if (table == &file) continue;
    auto definition = object();
    put_table(definition, *table);
    put(definitions, table->name, std::move(definition));
  }
  put(schema, "$defs", std::move(definitions));
  std::string json;
  append(json, schema, 0);
  return json + '\n';
}

}  // namespace holdfast::file
