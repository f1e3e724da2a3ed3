#include <holdfast_sim/detail/scenario_checks.hpp>

#include <algorithm>
#include <unordered_set>

#include <holdfast_sim/detail/message_text.hpp>
#include <holdfast_sim/detail/recorded_files.hpp>
#include <holdfast_sim/detail/service_names.hpp>
#include <holdfast_sim/scenario_format.hpp>

namespace holdfast::sim::detail {

namespace {

using holdfast::to_string;

std::string indexed(const char* array, std::size_t index) { return array + ('[' + std::to_string(index) + ']'); }

// One function for each rule, in the order of the format; together they are a walk through the file.
class ScenarioChecks {
 public:
  explicit ScenarioChecks(const CheckedScenario& checked)
      : checked_(checked), scenario_(checked.scenario), recorded_(checked) {}

  void run() {
    backoff_works("supervisor.backoff", scenario_.supervisor.backoff);
    for (std::size_t i = 0; i < scenario_.fleet.size() && !full(); ++i) check_group(i);
    group_names_are_no_service_names();
    for (std::size_t i = 0; i < scenario_.chaos.size() && !full(); ++i) check_recorded_names(i);
    somebody_is_there();
    for (std::size_t i = 0; i < scenario_.chaos.size() && !full(); ++i) check_chaos(i);
    check_expectations();
  }

 private:
  // Finding one's way

  [[nodiscard]] bool full() const { return checked_.complaints.full(); }

  // It is in the file, and nothing in it was refused.
  [[nodiscard]] bool has_sound(const std::string& path) const {
    const auto* const value = checked_.document.at_path(path);
    return value != nullptr && value->sound();
  }

  // It is in the file, whatever is wrong with it.
  [[nodiscard]] bool has(const std::string& path) const { return checked_.document.at_path(path) != nullptr; }

  void complain(const std::string& path, std::string says) {
    checked_.complaints.add(checked_.document.position_of(path), path, std::move(says));
  }

  // The place of a key in words, for a message about another one.
  [[nodiscard]] std::string in_line(const std::string& path) const {
    return path + " in line " + std::to_string(checked_.document.position_of(path).line);
  }

  // Policies and distributions: the rules are the core's, the place is ours

  void backoff_works(const std::string& path, const BackoffPolicy& policy) {
    if (!has_sound(path)) return;
    const std::string outer = path.substr(0, path.rfind('.') + 1);
    for (const auto& problem : problems(policy)) {
      auto& where = problem.severity == Problem::Severity::error ? checked_.complaints : checked_.warnings;
      where.add(checked_.document.position_of(outer + problem.field), outer + problem.field, problem.says);
    }
  }

  void distribution_works(const std::string& path, const Distribution& distribution) {
    if (!has_sound(path)) return;
    for (const auto& problem : problems(distribution)) {
      complain(parameter_path(path, distribution, problem.field), problem.says);
    }
  }

  static std::string parameter_path(const std::string& path, const Distribution& distribution,
                                    const std::string& parameter) {
    struct Names {
      const std::string& parameter;
      std::string operator()(const Fixed&) const { return ""; }
      std::string operator()(const Uniform&) const { return parameter == "min" ? ".uniform[0]" : ".uniform[1]"; }
      std::string operator()(const Exponential&) const { return ".exponential"; }
      std::string operator()(const Weibull&) const { return ".weibull." + parameter; }
      std::string operator()(const LogNormal&) const { return ".log_normal." + parameter; }
    };
    return path + std::visit(Names{parameter}, distribution);
  }

  // The fleet

  void check_group(std::size_t index) {
    const auto& group = scenario_.fleet[index];
    const std::string path = indexed("fleet", index);
    if (group.behaviour.runs_for) distribution_works(path + ".runs_for", *group.behaviour.runs_for);
    if (const auto* const takes = std::get_if<Takes>(&group.behaviour.on_stop)) {
      distribution_works(path + ".on_stop.takes", takes->how_long);
    }
    const auto& on_kill = group.behaviour.on_kill;
    if (const auto* const takes = on_kill ? std::get_if<Takes>(&*on_kill) : nullptr) {
      distribution_works(path + ".on_kill.takes", takes->how_long);
    }
    if (group.backoff) backoff_works(path + ".backoff", *group.backoff);
    if (!has_sound(path + ".name") || (has(path + ".count") && !has_sound(path + ".count"))) {
      names_known_ = false;
      return;
    }
    if (!names_.add(group.name, group.count)) {
      complain(path + ".name", "is " + in_quotes(group.name) + ", as is " + in_line(first_of_name(index)) +
                                   "; allowed is a name that no other group has");
      return;
    }
    services_fit(path + (group.count ? ".count" : ".name"), group.size());
    const auto longest = group.service_name(group.size() - 1).size();
    if (longest > kNameLengthMax) {
      complain(path + ".name", "is " + std::to_string(group.name.size()) + " bytes long, and " +
                                   std::to_string(longest) + " with its largest number; allowed are up to " +
                                   std::to_string(kNameLengthMax) + " bytes with the number");
    }
  }

  [[nodiscard]] std::string first_of_name(std::size_t index) const {
    std::size_t first = 0;
    while (scenario_.fleet[first].name != scenario_.fleet[index].name) ++first;
    return indexed("fleet", first) + ".name";
  }

  void services_fit(const std::string& path, std::uint64_t more) {
    const bool fitted = services_ <= kServicesMax;
    services_ += more;
    if (!fitted || services_ <= kServicesMax) return;
    complain(path, "brings the fleet to " + std::to_string(services_) + " services; allowed are up to " +
                       std::to_string(kServicesMax) + " together");
  }

  void group_names_are_no_service_names() {
    for (std::size_t i = 0; i < scenario_.fleet.size(); ++i) {
      const auto& name = scenario_.fleet[i].name;
      const auto parts = numbered_name(name);
      if (!parts || !names_.has_numbered_group(parts->group) || !names_.has_service(name)) continue;
      complain(indexed("fleet", i) + ".name", "is " + in_quotes(name) + ", which is also a service of group " +
                                                  in_quotes(parts->group) + ": " + names_.services_of(parts->group) +
                                                  "; allowed is a name that no service of another group has");
    }
  }

  void somebody_is_there() {
    if (services_ > 0 || !names_known_ || !recorded_.complete()) return;
    const auto* const fleet = checked_.document.at_path("fleet");
    if (fleet != nullptr && (!fleet->sound() || !fleet->items.empty())) return;
    complain("fleet", "has nobody in it; required is at least one [[fleet]] or recorded chaos without \"of\"");
  }

  // Chaos

  void check_recorded_names(std::size_t index) {
    const auto* const recorded = std::get_if<Recorded>(&scenario_.chaos[index].what);
    if (recorded == nullptr || !recorded->of.empty()) return;
    const std::string path = indexed("chaos", index) + ".recorded";
    if (!has_sound(path)) {
      names_known_ = false;
      return;
    }
    std::uint64_t added = 0;
    for (std::size_t entity = 0; entity < recorded->trace.entities.size(); ++entity) {
      const auto& name = recorded->trace.entities[entity];
      if (names_.has_numbered_group(name)) {
        complain_of_entity(path + ".file", *recorded, entity,
                           "which is a group of the fleet; allowed is a name that no group with a count has");
      } else if (!names_.has_service(name) && names_.add(name, std::nullopt)) {
        ++added;
      }
    }
    services_fit(path + ".file", added);
  }

  void complain_of_entity(const std::string& path, const Recorded& recorded, std::size_t entity,
                          const std::string& says) {
    checked_.complaints.add_elsewhere(
        checked_.document.position_of(path),
        {recorded_.path_of(recorded), recorded_.line_of(recorded, entity), 1, "entity",
         "is " + in_quotes(recorded.trace.entities[entity]) + ", " + says + " (" + checked_.file + ": " + path + ")"});
  }

  void check_chaos(std::size_t index) {
    const auto& entry = scenario_.chaos[index];
    const std::string path = indexed("chaos", index);
    if (const auto* const value = checked_.document.at_path(path); value == nullptr || value->refused) return;
    if (!has(path + ".at") && !has(path + ".recorded")) {
      complain(path + ".at", "is missing; required is " + format::describe(format::Form{format::Length{}}) +
                                 " (only recorded chaos begins at 0s by itself)");
    }
    within_duration(path + ".at", entry.at);
    if (const auto* const storm = std::get_if<Storm>(&entry.what)) names_exist(path + ".storm.of", storm->target);
    if (const auto* const outage = std::get_if<Outage>(&entry.what)) names_exist(path + ".outage.of", outage->target);
    if (const auto* const hang = std::get_if<HangWindow>(&entry.what)) names_exist(path + ".hang.of", hang->target);
    if (const auto* const recorded = std::get_if<Recorded>(&entry.what)) entities_exist(path + ".recorded", *recorded);
  }

  void within_duration(const std::string& path, Duration at) {
    if (!scenario_.duration || !has_sound(path) || at <= *scenario_.duration) return;
    complain(path, "is " + to_string(at) + ", beyond the rehearsal's duration of " + to_string(*scenario_.duration) +
                       "; allowed is 0s to " + to_string(*scenario_.duration));
  }

  void names_exist(const std::string& path, const Target& target) {
    if (!has_sound(path) || !all_names_known()) return;
    const bool is_array = checked_.document.at_path(path)->kind == TomlValue::Kind::array;
    std::unordered_set<std::string> seen;
    for (std::size_t i = 0; i < target.of.size() && !full(); ++i) {
      const std::string item = is_array ? indexed(path.c_str(), i) : path;
      if (!seen.insert(target.of[i]).second) {
        complain(item, "is " + in_quotes(target.of[i]) + " a second time; allowed is each name once");
      } else {
        name_exists(item, target.of[i]);
      }
    }
    // A service that is named beside its group would be hit twice.
    for (std::size_t i = 0; i < target.of.size() && !full(); ++i) {
      const auto numbered = numbered_name(target.of[i]);
      if (!numbered || names_.has_group(target.of[i]) || !seen.contains(std::string{numbered->group})) continue;
      if (names_.has_numbered_group(numbered->group)) {
        complain(is_array ? indexed(path.c_str(), i) : path, "is " + in_quotes(target.of[i]) + ", a service of group " +
                                                                 in_quotes(numbered->group) +
                                                                 ", which is named as well; allowed is one of the two");
      }
    }
  }

  bool name_exists(const std::string& path, const std::string& name) {
    if (names_.has_group(name) || names_.has_service(name)) return true;
    complain(path, "is " + in_quotes(name) + ", which is no group and no service; " + names_.suggestion(name));
    return false;
  }

  void entities_exist(const std::string& path, const Recorded& recorded) {
    if (recorded.of.empty() || !has_sound(path) || !all_names_known()) return;
    if (!name_exists(path + ".of", recorded.of)) return;
    if (!names_.has_numbered_group(recorded.of)) {
      complain(path + ".of", "is " + in_quotes(recorded.of) +
                                 ", a single service; allowed is a group with a count, "
                                 "whose service " +
                                 in_quotes(recorded.of + "-3") + " is entity \"3\" of the record");
      return;
    }
    for (std::size_t entity = 0; entity < recorded.trace.entities.size() && !full(); ++entity) {
      const auto service = recorded.of + '-' + recorded.trace.entities[entity];
      if (names_.has_service(service) && numbered_name(service)->group == recorded.of) continue;
      complain_of_entity(path + ".of", recorded, entity,
                         "but " + in_quotes(service) + " is no service of group " + in_quotes(recorded.of) +
                             ": allowed are " + names_.services_of(recorded.of));
    }
  }

  [[nodiscard]] bool all_names_known() const {
    const auto* const fleet = checked_.document.find("fleet");
    return names_known_ && recorded_.complete() && (fleet == nullptr || !fleet->refused);
  }

  // Expectations

  void check_expectations() {
    const auto& expect = scenario_.expect;
    counts_are_ordered("expect", expect.fleet);
    if (expect.all_running_by) within_duration("expect.all_running_by", *expect.all_running_by);
    if (expect.all_terminated_by) within_duration("expect.all_terminated_by", *expect.all_terminated_by);
    if (expect.drained_by) within_duration("expect.drained_by", *expect.drained_by);
    if (expect.abandoned_services) abandoned_are_services(*expect.abandoned_services);
    std::unordered_set<std::string> seen;
    for (std::size_t i = 0; i < expect.groups.size() && !full(); ++i) {
      const std::string path = indexed("expect.fleet", i);
      counts_are_ordered(path, expect.groups[i].counts);
      if (!has_sound(path + ".name")) continue;
      const auto& name = expect.groups[i].name;
      if (!seen.insert(name).second) {
        complain(path + ".name",
                 "is " + in_quotes(name) + " a second time; allowed is one [[expect.fleet]] for each name");
      } else if (all_names_known()) {
        name_exists(path + ".name", name);
      }
    }
  }

  void counts_are_ordered(const std::string& path, const ExpectedCounts& counts) {
    for (const auto& count : format::kCounts) {
      const std::string key = path + '.' + std::string{count.name};
      const auto& range = counts.*count.member;
      if (!range || !has_sound(key) || range->min <= range->max) continue;
      complain(key, "has a min of " + std::to_string(range->min) + ", above its max of " + std::to_string(range->max) +
                        "; allowed is a min of 0 to max");
    }
  }

  void abandoned_are_services(const std::vector<std::string>& names) {
    const std::string path = "expect.abandoned_services";
    if (!has_sound(path) || !all_names_known()) return;
    std::unordered_set<std::string> seen;
    for (std::size_t i = 0; i < names.size() && !full(); ++i) {
      const std::string item = indexed(path.c_str(), i);
      if (!seen.insert(names[i]).second) {
        complain(item, "is " + in_quotes(names[i]) + " a second time; allowed is each service once");
      } else if (names_.has_numbered_group(names[i])) {
        complain(item,
                 "is the group " + in_quotes(names[i]) + "; allowed are services: " + names_.services_of(names[i]));
      } else {
        name_exists(item, names[i]);
      }
    }
  }

  const CheckedScenario& checked_;
  Scenario& scenario_;
  RecordedFiles recorded_;
  ServiceNames names_;
  std::uint64_t services_ = 0;
  bool names_known_ = true;  // every name in the fleet could be read
};

}  // namespace

void check_scenario(const CheckedScenario& checked) { ScenarioChecks{checked}.run(); }

}  // namespace holdfast::sim::detail
