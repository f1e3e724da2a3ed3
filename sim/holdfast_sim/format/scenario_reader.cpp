#include <holdfast_sim/format/scenario_reader.hpp>

#include <holdfast/file/complaints.hpp>
#include <holdfast/file/fleet_checks.hpp>
#include <holdfast/file/format_check.hpp>
#include <holdfast/file/small_file.hpp>
#include <holdfast/file/toml_document.hpp>
#include <holdfast_sim/format/detail/scenario_checks.hpp>
#include <holdfast_sim/format/detail/scenario_keys.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim {

Scenario read_scenario(const std::filesystem::path& file, std::vector<Complaint>* warnings) {
  const auto name = file.generic_string();
  const auto read = file::read_small_file(file, kScenarioSizeMax);
  if (!read.problem.empty()) throw BadInput({{name, 0, 0, "", read.problem}});
  return parse_scenario(read.text, name, file.parent_path(), warnings);
}

Scenario parse_scenario(std::string_view text, const std::string& file, const std::filesystem::path& folder,
                        std::vector<Complaint>* warnings) {
  if (text.size() > kScenarioSizeMax)
    throw BadInput({{file, 0, 0, "", file::too_large(text.size(), kScenarioSizeMax)}});
  file::Complaints complaints{file};
  file::Complaints questionable{file};
  auto document = file::parse_toml(text, file);
  file::check_format(document, file::table_of<Scenario>(), complaints);
  auto scenario = file::Value<Scenario>::read(document);
  detail::check_scenario({document, scenario, file, folder, complaints, questionable});
  complaints.throw_if_any();
  file::use_defaults_of_programs(document, scenario.supervisor, scenario.fleet);
  file::put_outer_groups_first(scenario.groups);
  for (auto& group : scenario.fleet) {
    // A process can be killed, whatever it does.
    if (!group.program.command.empty() && !group.behaviour.on_kill) group.behaviour.on_kill = Obeys{};
  }
  if (warnings != nullptr) *warnings = questionable.in_order();
  return scenario;
}

std::vector<std::uint32_t> chaos_lines(std::string_view text, const std::string& file) {
  std::vector<std::uint32_t> lines;
  const auto document = file::parse_toml(text, file);
  if (const auto* const chaos = document.find("chaos")) {
    for (const auto& entry : chaos->items) lines.push_back(entry.at.line);
  }
  return lines;
}

}  // namespace holdfast::sim
