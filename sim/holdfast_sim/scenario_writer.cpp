#include <holdfast_sim/scenario_writer.hpp>

#include <filesystem>
#include <map>

#include <holdfast/detail/assert.hpp>

#include <holdfast_sim/detail/complaints.hpp>
#include <holdfast_sim/detail/format_check.hpp>
#include <holdfast_sim/detail/message_text.hpp>
#include <holdfast_sim/detail/scenario_document.hpp>
#include <holdfast_sim/detail/scenario_mapping.hpp>
#include <holdfast_sim/detail/small_file.hpp>
#include <holdfast_sim/detail/toml_document.hpp>
#include <holdfast_sim/detail/toml_text.hpp>
#include <holdfast_sim/recorded_trace_writer.hpp>
#include <holdfast_sim/scenario_format.hpp>

namespace holdfast::sim {

namespace {

// What messages call a scenario that is no file yet.
std::string title(const Scenario& scenario) { return "scenario " + detail::in_quotes(scenario.name); }

Scenario without_traces(Scenario scenario) {
  for (auto& entry : scenario.chaos) {
    if (auto* const recorded = std::get_if<Recorded>(&entry.what)) recorded->trace = {};
  }
  return scenario;
}

void check(detail::TomlValue document, const std::string& file) {
  detail::Complaints complaints{file};
  detail::check_format(document, format::scenario(), complaints);
  complaints.throw_if_any();
}

}  // namespace

std::string scenario_text(const Scenario& scenario) {
  const std::string file = title(scenario);
  const auto document = detail::document_of(scenario);
  check(document, file);
  auto text = detail::toml_text(document);
  if (text.size() > kScenarioSizeMax)
    throw BadInput({{file, 0, 0, "", detail::too_large(text.size(), kScenarioSizeMax)}});
  const auto read = detail::map_scenario(detail::parse_toml(text, file));
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
      files.push_back({recorded->file, recorded_trace_text(recorded->trace, detail::printable(recorded->file))});
    } else if (*found->second != recorded->trace) {
      throw BadInput({{title(scenario), 0, 0, "recorded.file",
                       "is " + detail::in_quotes(recorded->file) +
                           " for two different traces; allowed is a file of its own for each"}});
    }
  }
  return files;
}

}  // namespace holdfast::sim
