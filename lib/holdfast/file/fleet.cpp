#include <holdfast/file/fleet.hpp>

#include <holdfast/file/complaints.hpp>
#include <holdfast/file/fleet_checks.hpp>
#include <holdfast/file/fleet_keys.hpp>
#include <holdfast/file/format_check.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/small_file.hpp>
#include <holdfast/file/toml_document.hpp>

namespace holdfast::file {

// Of the simulator: tests/files/fleet_file_test.cpp compares the names with its tables.
void describe(TableOf<ServiceGroup>& table) {
  describe_names(table);
  table.all_of(&ServiceGroup::policy);
  table.all_of(&ServiceGroup::program);
  describe_probes(table);
  table.elsewhere({"runs_for", "then", "fails_first", "on_stop", "on_kill", "needs", "ready_after", "recovers_after",
                   "fails_after", "heartbeat_every", "hang_heartbeats", "exit_status", "joins"});
}

void describe(TableOf<FleetFile>& table) {
  table.name("fleet_file");
  table.key("name", &FleetFile::name, {.forms = {Name{}}, .required = true, .help = "what the fleet is called"});
  table.key_of_both("supervisor", &FleetFile::supervisor, &FleetFile::production, {.help = "the supervisor"});
  table.key("group", &FleetFile::groups,
            {.forms = {Tables{table_of<GroupConfig>, kGroupsMax}},
             .otherwise = "none",
             .help = "groups of services that start again together"});
  table.key("fleet", &FleetFile::fleet,
            {.forms = {Tables{table_of<ServiceGroup>, kGroupsMax}}, .help = "the supervised services"});
  table.elsewhere({"seed", "duration", "heal_at", "swarm", "order", "resource", "chaos", "expect", "budget"});
}

namespace {

// One more rule: a scenario may get its services from recorded chaos, but a fleet that is run needs them here.
void somebody_is_there(const TomlValue& document, Complaints& complaints) {
  const auto* const fleet = document.find("fleet");
  if (fleet != nullptr && (!fleet->sound() || !fleet->items.empty())) return;
  complaints.add(document.position_of("fleet"), "fleet", "has no services; required is at least one [[fleet]]");
}

}  // namespace

FleetFile read_fleet(const std::filesystem::path& file, std::vector<Complaint>* warnings) {
  const auto name = file.generic_string();
  const auto read = read_small_file(file, kFleetFileSizeMax);
  if (!read.problem.empty()) throw BadInput({{name, 0, 0, "", read.problem}});
  return parse_fleet(read.text, name, warnings);
}

FleetFile parse_fleet(std::string_view text, const std::string& file, std::vector<Complaint>* warnings) {
  if (text.size() > kFleetFileSizeMax) throw BadInput({{file, 0, 0, "", too_large(text.size(), kFleetFileSizeMax)}});
  Complaints complaints{file};
  Complaints questionable{file};
  auto document = parse_toml(text, file);
  check_format(document, table_of<FleetFile>(), complaints);
  auto fleet = Value<FleetFile>::read(document);
  FleetChecks checks{document, complaints, questionable};
  checks.check_supervisor(fleet.supervisor);
  checks.check_trees(fleet.groups);
  for (const auto& group : fleet.fleet) {
    checks.check_group(group.name, group.count, group.policy, group.program);
  }
  checks.group_names_are_no_service_names();
  checks.orders_work();
  put_outer_groups_first(fleet.groups);
  somebody_is_there(document, complaints);
  complaints.throw_if_any();
  use_defaults_of_programs(document, fleet.supervisor, fleet.fleet);
  if (warnings != nullptr) *warnings = questionable.in_order();
  return fleet;
}

}  // namespace holdfast::file
