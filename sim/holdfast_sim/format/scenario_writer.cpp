#include <holdfast_sim/format/scenario_writer.hpp>

#include <algorithm>
#include <filesystem>
#include <map>

#include <holdfast/detail/assert.hpp>

#include <holdfast/file/complaints.hpp>
#include <holdfast/file/format_check.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/small_file.hpp>
#include <holdfast/file/toml_document.hpp>
#include <holdfast/file/toml_text.hpp>
#include <holdfast_sim/format/detail/scenario_keys.hpp>
#include <holdfast_sim/format/recorded_trace_writer.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim {

namespace {

// What messages call a scenario that is not a file yet.
std::string title(const Scenario& scenario) { return "scenario " + file::in_quotes(scenario.name); }

Scenario without_traces(Scenario scenario) {
  for (auto& entry : scenario.chaos) {
    if (auto* const recorded = std::get_if<Recorded>(&entry.what)) recorded->trace = {};
  }
  return scenario;
}

void check(file::TomlValue document, const std::string& file) {
  file::Complaints complaints{file};
  file::check_format(document, file::table_of<Scenario>(), complaints);
  complaints.throw_if_any();
}

file::TomlValue& table_in(file::TomlValue& table, std::string_view key) {
  for (auto& entry : table.entries) {
    if (entry.key == key) return entry.value;
  }
  file::put(table, key, {});
  return table.entries.back().value;
}

// In a file with a command a breaker that is left out tries again (half-open). So one that is as usual is written.
void say_usual_breakers(file::TomlValue& document, const Scenario& scenario) {
  const auto has_command = [](const FleetGroup& group) { return !group.program.command.empty(); };
  if (std::none_of(scenario.fleet.begin(), scenario.fleet.end(), has_command)) return;
  const auto say = [](file::TomlValue& table, const BackoffPolicy& policy) {
    if (policy.breaker != BreakerPolicy{}) return;
    auto& backoff = table_in(table, "backoff");
    if (backoff.kind != file::TomlValue::Kind::table || backoff.find("preset") != nullptr) return;  // a preset is whole
    file::put(table_in(backoff, "breaker"), "max_failures", file::toml(std::uint64_t{policy.breaker->max_failures}));
  };
  say(table_in(document, "supervisor"), scenario.supervisor.backoff);
  auto& groups = table_in(document, "fleet").items;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (const auto& backoff = scenario.fleet[i].policy.backoff) say(groups[i], *backoff);
  }
}

}  // namespace

std::string scenario_text(const Scenario& scenario) {
  const std::string file = title(scenario);
  auto document = file::Value<Scenario>::write(scenario);
  say_usual_breakers(document, scenario);
  check(document, file);
  auto text = file::toml_text(document);
  if (text.size() > kScenarioSizeMax)
    throw BadInput({{file, 0, 0, "", file::too_large(text.size(), kScenarioSizeMax)}});
  const auto read = file::Value<Scenario>::read(file::parse_toml(text, file));
  HOLDFAST_ASSERT(read == without_traces(scenario), "the text of a scenario reads back as another one");
  return text;
}

std::vector<RecordedFile> recorded_files(const Scenario& scenario) {
  std::vector<RecordedFile> files;
  std::map<std::string, const RecordedTrace*> known;  // by path
  for (const auto& entry : scenario.chaos) {
    const auto* const recorded = std::get_if<Recorded>(&entry.what);
    if (recorded == nullptr) continue;
    const auto path = std::filesystem::path{recorded->file}.lexically_normal().generic_string();
    const auto [found, added] = known.try_emplace(path, &recorded->trace);
    if (added) {
      files.push_back({recorded->file, recorded_trace_text(recorded->trace, printable(recorded->file))});
    } else if (*found->second != recorded->trace) {
      throw BadInput({{title(scenario), 0, 0, "recorded.file",
                       "is " + file::in_quotes(recorded->file) +
                           " for two different traces; allowed is a file of its own for each"}});
    }
  }
  return files;
}

}  // namespace holdfast::sim
