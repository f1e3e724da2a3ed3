#include <holdfast_sim/compare/policy_file.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <holdfast/file/complaints.hpp>
#include <holdfast/file/format_check.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/policy_keys.hpp>
#include <holdfast/file/small_file.hpp>
#include <holdfast/file/toml_document.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim {

namespace {

struct PolicyOfGroup {
  std::string name{};
  std::optional<RestartPolicy> restart{};
  std::optional<BackoffPolicy> backoff{};
  std::optional<Duration> stop_grace{};
  friend bool operator==(const PolicyOfGroup&, const PolicyOfGroup&) = default;
};

struct PolicyFile {
  std::optional<SupervisorConfig> supervisor{};
  std::vector<PolicyOfGroup> fleet{};
  friend bool operator==(const PolicyFile&, const PolicyFile&) = default;
};

void describe(file::TableOf<PolicyOfGroup>& table) {
  table.name("policy_of_group");
  table.key("name", &PolicyOfGroup::name,
            {.forms = {file::Name{}}, .required = true, .help = "of a group of the scenario"});
  table.key("restart", &PolicyOfGroup::restart,
            {.otherwise = "as in the scenario", .help = "when a run that ended by itself is followed by another"});
  table.key("backoff", &PolicyOfGroup::backoff,
            {.otherwise = "as in the scenario", .help = "of this group, in the place of the supervisor's"});
  table.key("stop_grace", &PolicyOfGroup::stop_grace,
            {.otherwise = "as in the scenario", .help = "of this group, in the place of the supervisor's"});
}

void describe(file::TableOf<PolicyFile>& table) {
  table.name("policy_file");
  table.key("supervisor", &PolicyFile::supervisor,
            {.otherwise = "as in the scenario", .help = "takes the place of the scenario's"});
  table.key("fleet", &PolicyFile::fleet, {.otherwise = "as in the scenario", .help = "policies of groups"});
}

// The rules that are about more than one key, and about the scenario.
class PolicyChecks {
 public:
  PolicyChecks(const file::TomlValue& document, file::Complaints& complaints)
      : document_(document), complaints_(complaints) {}

  void check(const PolicyFile& policies, const Scenario& scenario) {
    if (!policies.supervisor && policies.fleet.empty()) {
      complain("", "holds no policy: write [supervisor], or [[fleet]] with the name of a group");
    }
    if (policies.supervisor) backoff_works("supervisor.backoff", policies.supervisor->backoff);
    for (std::size_t i = 0; i < policies.fleet.size(); ++i) {
      const auto path = "fleet[" + std::to_string(i) + "]";
      if (policies.fleet[i].backoff) backoff_works(path + ".backoff", *policies.fleet[i].backoff);
      group_is_known(path + ".name", policies.fleet, i, scenario);
    }
  }

 private:
  [[nodiscard]] bool is_sound(const std::string& path) const {
    const auto* const value = document_.at_path(path);
    return value != nullptr && value->sound();
  }

  void complain(const std::string& path, std::string says) {
    complaints_.add(document_.position_of(path), path, std::move(says));
  }

  void backoff_works(const std::string& path, const BackoffPolicy& policy) {
    if (!is_sound(path)) return;
    const std::string outer = path.substr(0, path.rfind('.') + 1);
    for (const auto& problem : problems(policy)) {
      if (problem.severity == Problem::Severity::error) complain(outer + problem.field, problem.says);
    }
  }

  void group_is_known(const std::string& path, const std::vector<PolicyOfGroup>& fleet, std::size_t index,
                      const Scenario& scenario) {
    if (!is_sound(path)) return;
    const auto& name = fleet[index].name;
    const auto before = fleet.begin() + static_cast<std::ptrdiff_t>(index);
    if (std::any_of(fleet.begin(), before, [&](const auto& other) { return other.name == name; })) {
      return complain(path,
                      "is " + file::in_quotes(name) + ", which stands above; allowed is one table for each group");
    }
    std::vector<std::string_view> names;
    for (const auto& group : scenario.fleet) names.emplace_back(group.name);
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    complain(path, "is " + file::in_quotes(name) + ", which is not a group of " + file::in_quotes(scenario.name) +
                       "; " +
                       (names.empty() ? "it has none: its services come from recorded traces"
                                      : file::did_you_mean(file::nearest(name, names), groups_are(names))));
  }

  static std::string groups_are(const std::vector<std::string_view>& names) {
    return "its groups are " + file::listed(names);
  }

  const file::TomlValue& document_;
  file::Complaints& complaints_;
};

void lay_over(Scenario& scenario, PolicyFile policies) {
  if (policies.supervisor) scenario.supervisor = *policies.supervisor;
  for (auto& policy : policies.fleet) {
    const auto group = std::find_if(scenario.fleet.begin(), scenario.fleet.end(),
                                    [&](const FleetGroup& one) { return one.name == policy.name; });
    if (policy.restart) group->policy.restart = *policy.restart;
    if (policy.backoff) group->policy.backoff = policy.backoff;
    if (policy.stop_grace) group->policy.stop_grace = policy.stop_grace;
  }
}

}  // namespace

Scenario with_policies(Scenario scenario, std::string_view text, const std::string& file) {
  file::Complaints complaints{file};
  auto document = file::parse_toml(text, file);
  file::check_format(document, file::table_of<PolicyFile>(), complaints);
  auto policies = file::Value<PolicyFile>::read(document);
  PolicyChecks{document, complaints}.check(policies, scenario);
  complaints.throw_if_any();
  lay_over(scenario, std::move(policies));
  return scenario;
}

Scenario with_backoff(Scenario scenario, const BackoffPolicy& backoff) {
  scenario.supervisor.backoff = backoff;
  for (auto& group : scenario.fleet) group.policy.backoff.reset();
  return scenario;
}

Scenario with_policies(Scenario scenario, const std::filesystem::path& file) {
  const auto name = file.generic_string();
  const auto read = file::read_small_file(file, kPolicyFileSizeMax);
  if (!read.problem.empty()) throw BadInput{{{name, 0, 0, "", read.problem}}};
  return with_policies(std::move(scenario), read.text, name);
}

}  // namespace holdfast::sim
