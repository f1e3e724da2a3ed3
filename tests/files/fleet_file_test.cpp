// A fleet read without the simulator: the same file, the same groups, the same complaints.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/fleet.hpp>
#include <holdfast/file/fleet_keys.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/format/scenario_schema.hpp>

namespace holdfast::fleet_file_test {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

const fs::path kSource = HOLDFAST_SOURCE_DIR;

Lines complaints_about(const std::string& text) {
  Lines lines;
  try {
    file::parse_fleet(text, "x.toml");
  } catch (const file::BadInput& bad) {
    for (const auto& complaint : bad.complaints()) lines.push_back(complaint.key + ": " + complaint.says);
  }
  return lines;
}

std::set<std::string_view> names_in(const file::Table& table) {
  std::set<std::string_view> names{table.elsewhere.begin(), table.elsewhere.end()};
  for (const auto& key : table.keys) CHECK(names.insert(key.name).second);  // none is here and elsewhere
  return names;
}

const file::Table& table_of_groups(const file::Table& whole) {
  return std::get<file::Tables>(whole.find("fleet")->forms.front()).table();
}

// As complaints list them; a new key changes no test.
std::string allowed_in(const file::Table& table) {
  std::vector<std::string_view> names;
  for (const auto& key : table.keys) names.push_back(key.name);
  names.insert(names.end(), table.elsewhere.begin(), table.elsewhere.end());
  return "Allowed here: " + file::listed(names);
}

}  // namespace

TEST_CASE("both readers know the same keys, of the file and of a group: each acts on its own") {
  const auto& fleet = file::table_of<file::FleetFile>();
  const auto& scenario = file::table_of<sim::Scenario>();
  CHECK(names_in(fleet) == names_in(scenario));
  CHECK(names_in(table_of_groups(fleet)) == names_in(table_of_groups(scenario)));
}

TEST_CASE("every scenario is a fleet, with the same groups under the same policies") {
  std::vector<fs::path> files{kSource / "tests/files/every_key.toml"};
  for (const auto& entry : fs::directory_iterator{kSource / "scenarios"}) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  CHECK(files.size() > 10);
  for (const auto& path : files) {
    INFO(path);
    std::ifstream in{path, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    // The recorded trace of every_key.toml stands elsewhere.
    const auto folder = path.filename() == "every_key.toml" ? kSource / "tests/bad_scenarios" : path.parent_path();
    const auto scenario = sim::parse_scenario(text, "x.toml", folder);
    if (scenario.fleet.empty()) continue;  // its services are those of a recorded trace
    const auto fleet = file::parse_fleet(text, "x.toml");
    CHECK(fleet.name == scenario.name);
    CHECK(fleet.supervisor == scenario.supervisor);
    CHECK(fleet.production == scenario.production);
    REQUIRE(fleet.fleet.size() == scenario.fleet.size());
    for (std::size_t i = 0; i < fleet.fleet.size(); ++i) {
      const auto& group = scenario.fleet[i];
      CHECK(fleet.fleet[i] == file::ServiceGroup{group.name, group.count, group.policy, group.program});
      CHECK(fleet.fleet[i].size() == group.size());
      CHECK(fleet.fleet[i].service_name(group.size() - 1) == group.service_name(group.size() - 1));
    }
  }
}

TEST_CASE("keys of rehearsals alone are passed over, whatever stands behind them, and a misspelt one is found") {
  CHECK(complaints_about("name = \"x\"\nbudget = 7\nchaos = \"none\"\n[[fleet]]\nname = \"web\"\nruns_for = 3\n")
            .empty());
  const auto& whole = file::table_of<file::FleetFile>();
  CHECK(complaints_about("name = \"x\"\ndurration = \"1h\"\n[[fleet]]\nname = \"web\"\nrun_for = \"1h\"\n") ==
        Lines{"durration: unknown key; did you mean \"duration\"? " + allowed_in(whole),
              "fleet[0].run_for: unknown key; did you mean \"runs_for\"? " + allowed_in(table_of_groups(whole))});
}

TEST_CASE("the rules of names and policies are those of scenarios") {
  CHECK(complaints_about("name = \"x\"\n") == Lines{"fleet: has no services; required is at least one [[fleet]]"});
  CHECK(complaints_about("name = \"x\"\n[[fleet]]\nname = \"web\"\n[[fleet]]\nname = \"web\"\n") ==
        Lines{"fleet[1].name: is \"web\", as is fleet[0].name in line 3; allowed is a name that no other group has"});
  CHECK(
      complaints_about("name = \"x\"\n[[fleet]]\nname = \"web\"\ncount = 2\n[[fleet]]\nname = \"web-1\"\n") ==
      Lines{
          "fleet[1].name: is \"web-1\", which is also a service of group \"web\": \"web-0\" to \"web-1\"; allowed is a "
          "name that no service of another group has"});
  CHECK(complaints_about("name = \"x\"\n[[fleet]]\nname = \"web\"\nbackoff = { base = \"2min\" }\n").size() == 1);
  std::vector<file::Complaint> warnings;
  file::parse_fleet(
      "name = \"x\"\n[[fleet]]\nname = \"web\"\nbackoff = { base = \"1min\", breaker = { max_failures = 100 } }\n",
      "x.toml", &warnings);
  CHECK(warnings.size() >= 1);
}

TEST_CASE("a file in which clean ends are repeated for ever without a wait is warned of") {
  const auto warnings_of = [](const std::string& group, const std::string& supervisor = {}) {
    std::vector<file::Complaint> warnings;
    file::parse_fleet("name = \"x\"\n" + supervisor + "[[fleet]]\nname = \"web\"\nrestart = \"always\"\n" + group,
                      "x.toml", &warnings);
    Lines lines;
    for (const auto& warning : warnings) {  // but those about the breaker
      if (!warning.key.ends_with(".cooldown")) lines.push_back(std::to_string(warning.line) + ' ' + warning.key);
    }
    return lines;
  };
  const std::string at_once = "backoff = { clean_restart_delay = \"0s\" }\n";
  CHECK(warnings_of("") == Lines{});
  CHECK(warnings_of(at_once) == Lines{"5 fleet[0].backoff.clean_restart_delay"});
  CHECK(warnings_of("", "[supervisor]\n" + at_once) == Lines{"6 fleet[0].restart"});
  CHECK(warnings_of("backoff = { clean_restart_delay = \"0s\", breaker = { counts = \"ends\" } }\n") == Lines{});
  CHECK(warnings_of(at_once, "[supervisor]\nrestart_limit = { every = \"1s\" }\n") == Lines{});
}

}  // namespace holdfast::fleet_file_test
