// Where the keys of the format stand in a scenario, and values for them: right ones and wrong ones.
//
// All of it comes from the description of the format, so a new key is tested without a line here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <holdfast/file/toml_document.hpp>
#include <holdfast/file/values.hpp>
#include <holdfast_sim/format/detail/scenario_keys.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

namespace holdfast::test {

using file::TomlValue;

inline file::Listing listing() { return file::list_format(file::table_of<sim::Scenario>()); }

// A table of a document, and what the format says of it.
struct Place {
  std::string path;  // "fleet[0].backoff"; "": the document
  TomlValue* table;
  const file::Table* rules;

  [[nodiscard]] std::string path_of(std::string_view key) const {
    return (path.empty() ? "" : path + '.') + std::string{key};
  }
};

inline void collect_places(TomlValue& table, const file::Table& rules, const std::string& path,
                           std::vector<Place>& places) {
  const Place place{path, &table, &rules};
  places.push_back(place);
  for (auto& [name, at, value] : table.entries) {
    const auto* const key = rules.find(name);
    if (key == nullptr) continue;
    for (const auto& form : key->forms) {
      const auto* const inner = std::get_if<file::Inner>(&form);
      const auto* const tables = std::get_if<file::Tables>(&form);
      if (inner != nullptr && value.kind == TomlValue::Kind::table) {
        collect_places(value, inner->table(), place.path_of(name), places);
      }
      for (std::size_t i = 0; tables != nullptr && i < value.items.size(); ++i) {
        collect_places(value.items[i], tables->table(), place.path_of(name) + '[' + std::to_string(i) + ']', places);
      }
    }
  }
}

// Every table of a document that is as the format says. Valid until the document changes.
inline std::vector<Place> places_of(TomlValue& document) {
  std::vector<Place> places;
  collect_places(document, file::table_of<sim::Scenario>(), "", places);
  return places;
}

// The keys that a scenario's text has.
inline std::set<const file::Key*> keys_of(std::string_view text) {
  auto document = file::parse_toml(text, "x.toml");
  std::set<const file::Key*> present;
  for (const auto& place : places_of(document)) {
    for (const auto& entry : place.table->entries) {
      if (const auto* const key = place.rules->find(entry.key)) present.insert(key);
    }
  }
  return present;
}

// The paths of the keys that the format lists and that are not among these.
inline std::set<std::string> missing_keys(const std::set<const file::Key*>& present) {
  std::set<std::string> missing;
  for (const auto& [path, key] : listing().keys) {
    if (!present.contains(key)) missing.insert(path);
  }
  return missing;
}

// Values that have a form, as unlike each other as they come; none for what has parts. Names are those of
// tests/files/every_key.toml.
struct RightValues {
  using Values = std::vector<TomlValue>;
  Values operator()(const file::Text&) const { return texts({"stuck", "solver", "good_record.csv", "db", "/gateway"}); }
  Values operator()(const file::Name&) const { return texts({"feed", "some name"}); }
  Values operator()(const file::Word& word) const { return texts(word.words); }
  Values operator()(const file::Length&) const { return texts({"36500d", "1min2s", "3ns"}); }
  Values operator()(const file::Integer& integer) const {
    return {file::toml(integer.max), file::toml(integer.min), file::toml(integer.min + 1000)};
  }
  Values operator()(const file::Number& number) const {
    return {file::Value<sim::Ratio>::write(number.max), file::toml(0.375)};
  }
  Values operator()(const file::True&) const { return {file::toml_true()}; }
  Values operator()(const file::Texts&) const { return {}; }
  Values operator()(const file::LengthPair&) const { return {file::toml(texts({"1ns", "3ns"}))}; }
  Values operator()(const file::Inner&) const { return {}; }
  Values operator()(const file::Tables&) const { return {}; }
  Values operator()(const file::Spelt& spelt) const { return texts(spelt.examples); }
  Values operator()(const file::Integers& integers) const {
    return {file::toml(Values{file::toml(integers.min), file::toml(integers.max)}), file::toml(Values{})};
  }
  Values operator()(const file::NamedTexts&) const {
    TomlValue two;
    file::put(two, "PATH", file::toml(std::string_view{"/bin"}));
    file::put(two, "EMPTY", file::toml(std::string_view{}));
    return {two};
  }

  static Values texts(const std::vector<std::string_view>& words) {
    Values values;
    for (const auto word : words) values.push_back(file::toml(word));
    return values;
  }
};

inline std::vector<TomlValue> right_values(const file::Key& key) {
  std::vector<TomlValue> values;
  for (const auto& form : key.forms) {
    for (auto& value : std::visit(RightValues{}, form)) values.push_back(std::move(value));
  }
  return values;
}

// Values that have the type of a form and break its rules.
struct WrongValues {
  using Values = std::vector<TomlValue>;
  Values operator()(const file::Text&) const { return RightValues::texts({""}); }
  Values operator()(const file::Name&) const { return RightValues::texts({"", "a\nb"}); }
  Values operator()(const file::Word&) const { return RightValues::texts({"", "no such word"}); }
  Values operator()(const file::Length& length) const {
    auto values = RightValues::texts({"", "5", "5 s", "-1s", "36501d"});
    if (length.min > Duration::zero()) values.push_back(file::toml(std::string_view{"0s"}));
    return values;
  }
  Values operator()(const file::Integer& integer) const {
    Values values{file::toml(std::uint64_t{0})};
    values[0].integer = static_cast<std::int64_t>(integer.min) - 1;
    if (integer.max < file::Integer::kMax) values.push_back(file::toml(integer.max + 1));
    return values;
  }
  Values operator()(const file::Number& number) const {
    Values values{file::toml(-0.5), file::toml(number_of(number.max) + 0.5)};
    if (number.above_min) values.push_back(file::toml(number_of(number.min)));
    return values;
  }
  Values operator()(const file::True&) const {
    Values values{file::toml_true()};
    values[0].boolean = false;
    return values;
  }
  Values operator()(const file::Texts& texts) const {
    Values values{file::toml(std::vector{file::toml_true()}), file::toml(RightValues::texts({""}))};
    if (texts.min > 0) values.push_back(file::toml(Values{}));
    return values;
  }
  Values operator()(const file::LengthPair&) const {
    return {file::toml(RightValues::texts({"1s"})), file::toml(RightValues::texts({"1s", "2"}))};
  }
  Values operator()(const file::Inner&) const { return {}; }  // its keys have wrong values of their own
  Values operator()(const file::Tables&) const { return {file::toml(std::vector{file::toml_true()})}; }
  Values operator()(const file::Spelt&) const { return RightValues::texts({"", "no such text"}); }
  Values operator()(const file::Integers& integers) const {
    return {file::toml(std::vector{file::toml(integers.max + 1)}), file::toml(std::vector{file::toml_true()})};
  }
  Values operator()(const file::NamedTexts&) const {
    TomlValue number;
    file::put(number, "PORT", file::toml(std::uint64_t{1}));
    return {number};
  }

  static double number_of(sim::Ratio ratio) { return file::Value<sim::Ratio>::write(ratio).number; }
};

inline std::vector<TomlValue> wrong_values(const file::Key& key) {
  std::vector<TomlValue> values;
  for (const auto& form : key.forms) {
    for (auto& value : std::visit(WrongValues{}, form)) values.push_back(std::move(value));
  }
  return values;
}

// Puts a value behind a key of a table, in place of another or as a new one.
inline void set(TomlValue& table, std::string_view name, TomlValue value) {
  for (auto& entry : table.entries) {
    if (entry.key != name) continue;
    entry.value = std::move(value);
    return;
  }
  file::put(table, name, std::move(value));
}

// Adds a key to a table that lacks it, with a value that its description allows; `which` chooses the key. Alternatives
// and keys that need others are left alone.
inline void add_absent_key(TomlValue& document, std::uint64_t which) {
  std::vector<std::pair<TomlValue*, const file::Key*>> absent;
  for (const auto& place : places_of(document)) {
    for (const auto& key : place.rules->keys) {
      const auto& of = place.rules->of;
      const bool is_chosen = std::find(of.begin(), of.end(), key.name) != of.end();
      if (is_chosen || !key.needs.empty() || place.table->find(key.name) != nullptr) continue;
      if (!right_values(key).empty()) absent.emplace_back(place.table, &key);
    }
  }
  if (absent.empty()) return;
  const auto& [table, key] = absent[which % absent.size()];
  const auto values = right_values(*key);
  set(*table, key->name, values[which / absent.size() % values.size()]);
}

}  // namespace holdfast::test
