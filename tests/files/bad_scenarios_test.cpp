// The broken scenarios of tests/bad_scenarios, each with the whole message beside it. Their names are "key--rule". What
// each rule says is pinned there; format_test.cpp breaks every rule at every key.

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <holdfast/file/message_text.hpp>

#include "scenario_keys.hpp"
#include "scenario_texts.hpp"

namespace holdfast::scenario_reader_test {

namespace {

std::set<std::string> names_with_extension(std::string_view extension) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator{kBadScenarios}) {
    if (entry.path().extension() == extension) names.insert(entry.path().stem().string());
  }
  return names;
}

// The rules that a form brings with it.
struct RulesOf {
  using Rules = std::vector<std::string>;
  Rules operator()(const file::Text&) const { return {"empty"}; }
  Rules operator()(const file::Name&) const { return {"blank", "empty", "control_character", "too_long"}; }
  Rules operator()(const file::Word&) const { return {"word"}; }
  Rules operator()(const file::Length&) const { return {"form", "range"}; }
  Rules operator()(const file::Integer&) const { return {"range"}; }
  Rules operator()(const file::Number&) const { return {"range"}; }
  Rules operator()(const file::True&) const { return {"false"}; }
  Rules operator()(const file::Texts& texts) const { return texts.min > 0 ? Rules{"item", "no_items"} : Rules{"item"}; }
  Rules operator()(const file::LengthPair&) const { return {"item", "items", "form", "range"}; }
  Rules operator()(const file::Inner&) const { return {}; }
  Rules operator()(const file::Tables&) const { return {"item"}; }
  Rules operator()(const file::Spelt&) const { return {"spelling"}; }
  Rules operator()(const file::Integers&) const { return {"number"}; }
  Rules operator()(const file::NamedTexts&) const { return {"text"}; }
};

// The rules that are about more than one key, or about another file.
const std::set<std::string> kFurtherRules{
    "toml--syntax",
    "toml--encoding",
    "toml--repeated_key",
    "toml--nested_too_deep",
    "fleet--nobody",
    "chaos.reconfigure--nothing",
    "chaos.reconfigure.spread--batches",
    "chaos.reconfigure.of--unknown",
    "chaos.reconfigure.backoff.base--above_max",
    "chaos.reconfigure.exit_rules--twice",
    "chaos.reconfigure--watchdog",
    "chaos.add.of--unknown",
    "chaos.add.spread.uniform--min_above_max",
    "chaos.required--add",
    "chaos.late_timers.by.uniform--min_above_max",
    "chaos.slow.ready_after.uniform--min_above_max",
    "chaos.slow.stop_takes.uniform--min_above_max",
    "fleet.after--joins_later",
    "chaos.contagion.others--unknown",
    "chaos.poison.to_start--before_from_start",
    "chaos.recorded.mode--severity",
    "fleet.name--repeated",
    "fleet.name--service_of_another_group",
    "fleet.name--too_long_with_number",
    "fleet.count--too_many_together",
    "fleet.runs_for.uniform--min_above_max",
    "fleet.on_stop.takes.uniform--min_above_max",
    "fleet.on_kill.takes.uniform--min_above_max",
    "fleet.recovers_after.uniform--min_above_max",
    "fleet.ready_after.uniform--min_above_max",
    "fleet.needs.resource--unknown",
    "fleet.needs.resource--no_resource",
    "fleet.command--placeholder",
    "fleet.command--zero_byte",
    "fleet.environment--name",
    "fleet.environment--placeholder",
    "fleet.exit_rules.fatal--clean_as_well",
    "fleet.after--unknown",
    "fleet.after--itself",
    "fleet.after--circle",
    "fleet.after--too_many",
    "fleet.in--unknown",
    "group.path--repeated",
    "group.path--no_outer_group",
    "group.path--no_path",
    "fleet.log.path--one_for_many",
    "fleet.log.path--repeated",
    "fleet.log.path--no_file",
    "fleet.log.to--no_path",
    "fleet.ready--no_command",
    "fleet.ready.every--nobody_asks",
    "fleet.ready.exec--placeholder",
    "fleet.ready.http--https",
    "fleet.ready.line--line_end",
    "fleet.ready.line--no_log",
    "fleet.ready.tcp--port_of_a_service",
    "fleet.ready.timeout--more_than_a_day",
    "fleet.watchdog--health",
    "fleet.watchdog_needs--nobody_asks",
    "resource.name--repeated",
    "resource.takes.uniform--min_above_max",
    "chaos.capacity.of--unknown",
    "supervisor.backoff--base_above_max",
    "fleet.backoff--base_above_max",
    "supervisor.backoff.breaker.half_open--open_for_above_max",
    "chaos.at--missing",
    "chaos.at--beyond_duration",
    "chaos.every--once",
    "chaos.every--for_ever",
    "chaos.every--in_one_moment",
    "chaos.every.uniform--min_above_max",
    "chaos.until--before_at",
    "chaos.until--beyond_duration",
    "heal_at--beyond_duration",
    "chaos.outage.for.uniform--min_above_max",
    "chaos.storm.spread.uniform--min_above_max",
    "chaos.storm.of--unknown",
    "chaos.storm.of--pattern_of_nobody",
    "chaos.storm.of--repeated",
    "chaos.storm.of--also_in_group",
    "chaos.storm.of--unknown_number",
    "chaos.outage.of--unknown",
    "chaos.outage.of--repeated",
    "chaos.outage.fails_after--gone",
    "chaos.outage.failing_starts--gone",
    "chaos.hang.of--unknown",
    "chaos.hang.of--repeated",
    "chaos.poison.of--unknown",
    "chaos.recorded.of--unknown",
    "chaos.recorded.of--no_count",
    "chaos.recorded.of--other_entity",
    "chaos.command.spread--batches",
    "chaos.required--reaches_nobody",
    "chaos.recorded.fails_after--gone",
    "chaos.recorded.failing_starts--gone",
    "chaos.recorded.file--absolute",
    "chaos.recorded.file--not_found",
    "chaos.recorded.file--folder",
    "chaos.recorded--entity_is_a_group",
    "expect.fleet.name--unknown",
    "expect.fleet.name--repeated",
    "expect.spawned--min_above_max",
    "expect.fleet.spawned--min_above_max",
    "expect.all_running_by--beyond_duration",
    "expect.all_terminated_by--beyond_duration",
    "expect.after_heal_within--no_heal",
    "expect.after_heal_within--beyond_duration",
    "expect.fleet.availability_min--service",
    "expect.drained_by--beyond_duration",
    "expect.property.name--repeated",
    "expect.property.always.of--unknown",
    "expect.property.before.running--min_above_max",
    "expect.property.whenever.window--nothing_in_it",
    "expect.property.within--not_eventually",
    "expect.property.from--beyond_duration",
    "expect.property.until--beyond_duration",
    "expect.property.until--before_from",
    "expect.abandoned_services--unknown",
    "expect.abandoned_services--group",
    "expect.abandoned_services--repeated",
    "recorded_trace--empty",
    "recorded_trace--no_header",
    "recorded_trace--only_comments",
    "recorded_trace--late_comment",
    "recorded_trace--empty_line",
    "recorded_trace--long_line",
    "recorded_trace--too_few_fields",
    "recorded_trace--no_entity",
    "recorded_trace--bad_entity",
    "recorded_trace--blank_entity",
    "recorded_trace--long_entity",
    "recorded_trace--bad_from",
    "recorded_trace--bad_severity",
    "recorded_trace--negative_from",
    "recorded_trace--long_until",
    "recorded_trace--until_before_from",
    "recorded_trace--bad_cause",
    "recorded_trace--every_row",
    "everything_at_once",
};

// The rules of each key and table by themselves.
std::set<std::string> rules_of_format() {
  std::set<std::string> demanded;
  const auto listing = test::listing();
  for (const auto& [path, table] : listing.tables) {
    const std::string name = path.empty() ? "scenario" : path;
    demanded.insert(name + "--unknown_key");
    if (table->choice != file::Table::Choice::free) demanded.insert(name + "--none");
    if (table->choice == file::Table::Choice::exactly_one) demanded.insert(name + "--two");
  }
  for (const auto& [path, key] : listing.keys) {
    demanded.insert(path + "--type");
    if (key->required) demanded.insert(path + "--missing");
    if (!key->needs.empty()) demanded.insert(path + "--alone");
    for (const auto& form : key->forms) {
      for (const auto& rule : std::visit(RulesOf{}, form)) demanded.insert(path + "--" + rule);
    }
  }
  return demanded;
}

std::vector<std::string> in_first_only(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::vector<std::string> difference;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(difference));
  return difference;
}

// "fleet[0].of[2]" as "fleet.of"
std::string without_indices(std::string_view text) {
  std::string result;
  bool inside = false;
  for (const char c : text) {
    if (c == '[') inside = true;
    if (!inside) result += c;
    if (c == ']') inside = false;
  }
  return result;
}

void replace(std::string& text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// A message that lists the keys of a table says so as "<keys of backoff>", so that a new key changes no file. The keys
// of a choice are "<choice of chaos>".
std::string with_lists_of_keys(std::string text) {
  for (const auto& [path, table] : test::listing().tables) {
    std::vector<std::string_view> names;
    for (const auto& key : table->keys) names.push_back(key.name);
    replace(text, "<keys of " + std::string{table->name} + '>', file::listed(names));
    replace(text, "<choice of " + std::string{table->name} + '>', file::listed(table->of));
  }
  return text;
}

// "fleet.count--range" is about the rule "range".
std::set<std::string> kinds_of(const std::set<std::string>& rules) {
  std::set<std::string> kinds;
  for (const auto& rule : rules) kinds.insert(rule.substr(std::min(rule.find("--"), rule.size())));
  return kinds;
}

}  // namespace

TEST_CASE("every broken scenario is refused with exactly the message beside it") {
  enter_source_folder();
  for (const auto& name : names_with_extension(".toml")) {
    const fs::path file = kBadScenarios / (name + ".toml");
    INFO(file.string());
    CHECK(refusal([&file] { return read_scenario(file); }) + '\n' ==
          with_lists_of_keys(text_of(kBadScenarios / (name + ".expected"))));
  }
}

TEST_CASE("there is a broken scenario for every kind of rule and every further rule, and none for anything else") {
  enter_source_folder();
  auto known = rules_of_format();
  CHECK(in_first_only(kinds_of(known), kinds_of(names_with_extension(".toml"))) == std::vector<std::string>{});
  CHECK(in_first_only(kFurtherRules, names_with_extension(".toml")) == std::vector<std::string>{});
  known.insert(kFurtherRules.begin(), kFurtherRules.end());
  CHECK(in_first_only(names_with_extension(".toml"), known) == std::vector<std::string>{});
  CHECK(names_with_extension(".expected") == names_with_extension(".toml"));
}

TEST_CASE("a broken scenario opens with a comment, and its message names the key that it is named after") {
  enter_source_folder();
  for (const auto& name : names_with_extension(".toml")) {
    INFO(name);
    CHECK(text_of(kBadScenarios / (name + ".toml")).substr(0, 2) == "# ");
    const auto key = name.substr(0, name.find("--"));
    if (key == "scenario" || key == "toml" || key == "recorded_trace" || key == name) continue;
    const auto message = without_indices(text_of(kBadScenarios / (name + ".expected")));
    CHECK_THAT(message, Catch::Contains(": " + key));
  }
}

}  // namespace holdfast::scenario_reader_test
