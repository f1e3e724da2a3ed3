#include <holdfast_sim/scenario_reader.hpp>

#include <holdfast_sim/detail/complaints.hpp>
#include <holdfast_sim/detail/format_check.hpp>
#include <holdfast_sim/detail/scenario_checks.hpp>
#include <holdfast_sim/detail/scenario_mapping.hpp>
#include <holdfast_sim/detail/small_file.hpp>
#include <holdfast_sim/detail/toml_document.hpp>
#include <holdfast_sim/scenario_format.hpp>

namespace holdfast::sim {

Scenario read_scenario(const std::filesystem::path& file, std::vector<Complaint>* warnings) {
  const auto name = file.generic_string();
  const auto read = detail::read_small_file(file, kScenarioSizeMax);
  if (!read.problem.empty()) throw BadInput({{name, 0, 0, "", read.problem}});
  return parse_scenario(read.text, name, file.parent_path(), warnings);
}

Scenario parse_scenario(std::string_view text, const std::string& file, const std::filesystem::path& folder,
                        std::vector<Complaint>* warnings) {
  if (text.size() > kScenarioSizeMax)
    throw BadInput({{file, 0, 0, "", detail::too_large(text.size(), kScenarioSizeMax)}});
  detail::Complaints complaints{file};
  detail::Complaints questionable{file};
  auto document = detail::parse_toml(text, file);
  detail::check_format(document, format::scenario(), complaints);
  auto scenario = detail::map_scenario(document);
  detail::check_scenario({document, scenario, file, folder, complaints, questionable});
  complaints.throw_if_any();
  if (warnings != nullptr) *warnings = questionable.in_order();
  return scenario;
}

}  // namespace holdfast::sim
