// The description of the format, each key by itself: what a file may not say is refused at its place, and what it may
// say arrives. Every key and every rule come from the description; tests/files/every_key.toml is what is broken.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/file/toml_text.hpp>
#include <holdfast/presets.hpp>
#include <holdfast_sim/format/detail/scenario_keys.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>

#include "scenario_keys.hpp"

namespace holdfast::format_test {

namespace {

using namespace holdfast::sim;
using namespace holdfast::test;
using Kind = TomlValue::Kind;
namespace fs = std::filesystem;

const fs::path kSource = HOLDFAST_SOURCE_DIR;

TomlValue every_key() {
  std::ifstream in{kSource / "tests/files/every_key.toml", std::ios::binary};
  return file::parse_toml(std::string{std::istreambuf_iterator<char>{in}, {}}, "every_key.toml");
}

Scenario parse(const TomlValue& document) {
  return parse_scenario(file::toml_text(document), "x.toml", kSource / "tests/bad_scenarios");
}

// What is complained about, and what is said of it.
std::vector<Complaint> complaints_about(const TomlValue& document) {
  try {
    parse(document);
    return {};
  } catch (const BadInput& bad) {
    return bad.complaints();
  }
}

bool complains(const std::vector<Complaint>& complaints, const std::string& key, std::string_view says) {
  return std::any_of(complaints.begin(), complaints.end(), [&](const Complaint& complaint) {
    return complaint.key == key && complaint.line > 0 && complaint.says.find(says) != std::string::npos;
  });
}

// Calls check(path, key, change) for each key of the format, where it can stand in every_key.toml: change(value) is
// that file with the value there.
using Change = std::function<TomlValue(const TomlValue&)>;
template <class Check>
void for_each_key(const Check& check) {
  auto document = every_key();
  std::set<const file::Key*> checked;
  const auto places = places_of(document);
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (const auto& key : places[i].rules->keys) {
      const auto& of = places[i].rules->of;
      const bool is_chosen = std::find(of.begin(), of.end(), key.name) != of.end();
      const bool stands = places[i].table->find(key.name) != nullptr;
      // An alternative, or a key that needs another one, is looked at where it stands.
      if (!stands && (is_chosen || !key.needs.empty())) continue;
      if (!checked.insert(&key).second) continue;
      if (HOLDFAST_SLOW_BUILD && checked.size() % 4 != 1) continue;
      const auto path = places[i].path_of(key.name);
      INFO(path);
      check(path, key, [i, &key](const TomlValue& value) {
        auto changed = every_key();
        set(*places_of(changed)[i].table, key.name, value);
        return changed;
      });
    }
  }
  CHECK(missing_keys(checked) == std::set<std::string>{});
}

// As it stands in a file, or in words.
std::string default_of(const file::Key& key) {
  return key.default_value ? file::value_text(*key.default_value) : std::string{key.otherwise};
}

TomlValue of_kind(Kind kind) {
  TomlValue value;
  value.kind = kind;
  value.text = "some-text";
  return value;
}

}  // namespace

TEST_CASE("every key refuses every value that breaks a rule of its, at its place") {
  for_each_key([](const std::string& path, const file::Key& key, const Change& change) {
    for (const auto& value : wrong_values(key)) {
      const auto complaints = complaints_about(change(value));
      INFO(file::value_text(value));
      REQUIRE_FALSE(complaints.empty());
      CHECK(std::any_of(complaints.begin(), complaints.end(),
                        [&path](const Complaint& complaint) { return complaint.key.starts_with(path); }));
    }
  });
}

TEST_CASE("every key refuses a value of a type that it does not have, and says which it has") {
  for_each_key([](const std::string& path, const file::Key& key, const Change& change) {
    int refused = 0;
    int advised = 0;
    for (const auto kind : {Kind::text, Kind::integer, Kind::number, Kind::boolean, Kind::array, Kind::table}) {
      const auto complaints = complaints_about(change(of_kind(kind)));
      if (complains(complaints, path, "; allowed is " + file::describe(key))) ++refused;
      if (complains(complaints, path, "; write ") || complains(complaints, path, "; leave the key out")) ++advised;
    }
    CHECK(refused >= 1);
    CHECK(refused + advised >= 2);
  });
}

TEST_CASE("every key takes values that its description allows, and a scenario with them is written with them") {
  for_each_key([](const std::string& path, const file::Key& key, const Change& change) {
    const auto values = right_values(key);
    // A rule about several keys may speak against one value; against all of them is a mistake in the description.
    int accepted = 0;
    for (const auto& value : values) {
      auto changed = change(value);
      if (!complaints_about(changed).empty()) continue;
      ++accepted;
      const auto written = file::Value<Scenario>::write(parse(changed));
      const auto* const found = written.at_path(path);
      const auto text = file::value_text(value);
      INFO(text);
      if (find_preset(value.text) != nullptr) {  // what stands there is the policy that it names
        CHECK(parse(written) == parse(changed));
      } else if (found != nullptr) {
        CHECK(file::value_text(*found) == text);
      } else if (text != default_of(key)) {
        // It stands there in another way: a count from 1 to 1 is 1.
        CHECK(parse(written) == parse(changed));
        CHECK(parse(written) != parse(every_key()));
      }
    }
    CHECK((accepted > 0 || values.empty()));
  });
}

TEST_CASE("every table refuses a key that it does not have") {
  auto document = every_key();
  const auto places = places_of(document);
  for (std::size_t i = 0; i < places.size(); ++i) {
    auto changed = every_key();
    file::put(*places_of(changed)[i].table, "no_such_key", file::toml_true());
    INFO(places[i].path);
    CHECK(complains(complaints_about(changed), places[i].path_of("no_such_key"), "unknown key"));
  }
}

TEST_CASE("a key that is required or needed is missed, and says so") {
  auto document = every_key();
  const auto places = places_of(document);
  std::size_t missed = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (const auto& key : places[i].rules->keys) {
      if (!key.required && key.needs.empty()) continue;
      const auto without = key.required ? key.name : key.needs;
      if (places[i].table->find(without) == nullptr) continue;
      if (!key.required && places[i].table->find(key.name) == nullptr) continue;
      auto changed = every_key();
      std::erase_if(places_of(changed)[i].table->entries, [&](const auto& entry) { return entry.key == without; });
      INFO(places[i].path_of(key.name));
      ++missed;
      const auto complaints = complaints_about(changed);
      CHECK(std::any_of(complaints.begin(), complaints.end(), [&](const Complaint& complaint) {
        return complaint.key == places[i].path_of(key.name) &&
               (complaint.says.starts_with("is missing") || complaint.says.starts_with("stands alone"));
      }));
    }
  }
  CHECK(missed > 20);
}

}  // namespace holdfast::format_test
