// The rules across the keys of a fleet: names, how many services there are, and whether policies can do what they say.
//
// A reader of a file with more in it derives from this class and adds rules of its own.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/file/complaints.hpp>
#include <holdfast/file/program.hpp>
#include <holdfast/file/service_names.hpp>
#include <holdfast/file/toml_document.hpp>
#include <holdfast/policy.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

class FleetChecks {
 public:
  // All outlive it. `document` was compared with the format.
  FleetChecks(const TomlValue& document, Complaints& complaints, Complaints& warnings)
      : document_(document), complaints_(complaints), warnings_(warnings) {}

  // `config` outlives it.
  void check_supervisor(const SupervisorConfig& config) {
    supervisor_ = &config;
    backoff_works("supervisor.backoff", config.backoff);
  }
  // Before the groups of services.
  void check_trees(const std::vector<GroupConfig>& trees);
  // The next group of the fleet.
  void check_group(const std::string& name, std::optional<std::uint32_t> count, const ServicePolicy& policy,
                   const Program& program);
  // After all groups.
  void group_names_are_no_service_names();
  void orders_work();

 protected:
  // "fleet[3]"
  static std::string indexed(const char* array, std::size_t index) {
    return array + ('[' + std::to_string(index) + ']');
  }

  [[nodiscard]] bool full() const { return complaints_.full(); }
  // It is in the file, and nothing in it was refused.
  [[nodiscard]] bool has_sound(const std::string& path) const;
  // It is in the file, whatever is wrong with it.
  [[nodiscard]] bool has(const std::string& path) const { return document_.at_path(path) != nullptr; }
  void complain(const std::string& path, std::string says);
  // The place of a key in words, for a message about another one.
  [[nodiscard]] std::string in_line(const std::string& path) const;

  void services_fit(const std::string& path, std::uint64_t more);

  // The rules are the core's, the place is ours.
  void backoff_works(const std::string& path, const BackoffPolicy& policy);
  // `prefix` is the path of the table that has them, and a dot.
  void exit_rules_work(const std::string& prefix, const ExitRules& rules);

  const TomlValue& document_;
  Complaints& complaints_;
  Complaints& warnings_;
  ServiceNames names_;
  std::uint64_t services_ = 0;
  bool names_known_ = true;  // every name in the fleet could be read

 private:
  // What stands in the texts of a program, and where its lines go.
  void program_works(const std::string& path, std::optional<std::uint32_t> count, const std::string& name,
                     const Program& program);
  void texts_work(const std::string& path, const Program& program);
  void errand_works(const std::string& path, const std::optional<Errand>& errand);
  void text_works(const std::string& path, const std::string& text);
  void probes_work(const std::string& path, std::optional<std::uint32_t> count, const std::string& name,
                   const Program& program);
  template <class When>
  void probe_works(const std::string& path, std::optional<std::uint32_t> count, const std::string& name,
                   const When& when);
  void log_works(const std::string& path, std::optional<std::uint32_t> count, const ProgramLog& log);
  void ends_work(const std::string& path, const ServicePolicy& policy);
  bool names_in_order_are_known(const std::string& path, std::size_t group, const Roster& roster);
  [[nodiscard]] std::string about_default_max(const std::string& path, const Problem& problem) const;
  [[nodiscard]] std::string first_of_name(const std::string& name) const;

  const SupervisorConfig* supervisor_ = nullptr;
  std::map<std::string, std::string> trees_{};  // by path: the key that has it
  std::vector<std::string> groups_;             // names, in the order of the file
  std::vector<Order> orders_;                   // of the groups
  std::map<std::string, std::string> logs_{};   // by path: the key that has it
};

// As the supervisor takes them.
void put_outer_groups_first(std::vector<GroupConfig>& groups);

// What a file with a command in it does not say about giving up and stopping: program.hpp has the values. `Groups` have
// the members of ServiceGroup. REQUIRES: nothing in the document was refused.
template <class Groups>
void use_defaults_of_programs(const TomlValue& document, SupervisorConfig& supervisor, Groups& groups) {
  const auto has_command = [](const auto& group) { return !group.program.command.empty(); };
  if (std::none_of(groups.begin(), groups.end(), has_command)) return;
  const auto says = [&document](const std::string& path) { return document.at_path(path) != nullptr; };
  // A preset is whole: it says what it does about giving up.
  const auto never_give_up = [&](BackoffPolicy& backoff, const std::string& path) {
    const auto* const value = document.at_path(path);
    const bool is_preset = value != nullptr && (value->kind == TomlValue::Kind::text || says(path + ".preset"));
    if (backoff.breaker && !is_preset && !says(path + ".breaker")) backoff.breaker->half_open = HalfOpenPolicy{};
  };
  if (!says("supervisor.stop_grace")) supervisor.stop_grace = kProgramStopGrace;
  never_give_up(supervisor.backoff, "supervisor.backoff");
  for (std::size_t i = 0; i < groups.size(); ++i) {
    auto& backoff = groups[i].policy.backoff;
    if (backoff) never_give_up(*backoff, "fleet[" + std::to_string(i) + "].backoff");
  }
}

}  // namespace holdfast::file

#pragma GCC visibility pop
