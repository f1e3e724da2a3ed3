#include <holdfast_sim/format/detail/scenario_checks.hpp>

#include <algorithm>
#include <map>
#include <unordered_set>

#include <holdfast/file/fleet_checks.hpp>
#include <holdfast/file/hints.hpp>
#include <holdfast/file/keys.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast_sim/format/detail/recorded_files.hpp>
#include <holdfast_sim/format/detail/scenario_keys.hpp>
#include <holdfast_sim/scenario/detail/name_pattern.hpp>
#include <holdfast_sim/scenario/detail/named.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim::detail {

namespace {

using holdfast::to_string;

// One function for each rule, in the order of the format; together they are a walk through the file.
class ScenarioChecks : FleetChecks {
 public:
  explicit ScenarioChecks(const CheckedScenario& checked)
      : FleetChecks(checked.document, checked.complaints, checked.warnings),
        checked_(checked),
        scenario_(checked.scenario),
        recorded_(checked) {}

  void run() {
    check_supervisor(scenario_.supervisor);
    check_trees(scenario_.groups);
    if (scenario_.heal_at) within_duration("heal_at", *scenario_.heal_at);
    for (std::size_t i = 0; i < scenario_.resources.size() && !full(); ++i) check_resource(i);
    for (std::size_t i = 0; i < scenario_.fleet.size() && !full(); ++i) check_group(i);
    group_names_are_no_service_names();
    orders_work();
    groups_join_after_others();
    for (std::size_t i = 0; i < scenario_.chaos.size() && !full(); ++i) check_recorded_names(i);
    somebody_is_there();
    for (std::size_t i = 0; i < scenario_.chaos.size() && !full(); ++i) check_chaos(i);
    check_expectations();
  }

 private:
  // Distributions: the rules are theirs, the place is ours

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

  // Resources

  void check_resource(std::size_t index) {
    const auto& resource = scenario_.resources[index];
    const std::string path = indexed("resource", index);
    distribution_works(path + ".takes", resource.takes);
    if (!has_sound(path + ".name")) {
      resources_known_ = false;
    } else if (const auto [first, is_new] = resources_.try_emplace(resource.name, index); !is_new) {
      complain(path + ".name", "is " + in_quotes(resource.name) + ", as is " +
                                   in_line(indexed("resource", first->second) + ".name") +
                                   "; allowed is a name that no other resource has");
    }
  }

  void is_resource(const std::string& path, const std::string& name) {
    if (!has_sound(path) || !resources_known_ || resources_.contains(name)) return;
    std::string known;
    for (const auto& resource : scenario_.resources) known += (known.empty() ? "" : ", ") + in_quotes(resource.name);
    complain(path, "is " + in_quotes(name) + ", which is not a resource; " +
                       (known.empty() ? "required is a [[resource]] of that name" : "allowed are " + known));
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
    if (group.behaviour.ready_after) distribution_works(path + ".ready_after", *group.behaviour.ready_after);
    if (group.behaviour.recovers_after) distribution_works(path + ".recovers_after", *group.behaviour.recovers_after);
    if (group.behaviour.needs) is_resource(path + ".needs.resource", group.behaviour.needs->resource);
    FleetChecks::check_group(group.name, group.count, group.policy, group.program);
  }

  // What a service is after is there when it is added.
  void groups_join_after_others() {
    const auto joins_later = [](const FleetGroup& group) { return group.joins == Joins::later; };
    if (!names_known_ || std::none_of(scenario_.fleet.begin(), scenario_.fleet.end(), joins_later)) return;
    const Roster roster = roster_of(scenario_);
    for (std::size_t i = 0; i < scenario_.fleet.size() && !full(); ++i) joins_after_others(i, roster);
  }
  void joins_after_others(std::size_t index, const Roster& roster) {
    const auto& group = scenario_.fleet[index];
    if (group.joins == Joins::later) return;
    const auto joins_later = [&](const std::string& name) {
      return std::any_of(scenario_.fleet.begin(), scenario_.fleet.end(), [&](const FleetGroup& other) {
        return other.joins == Joins::later && is_of(roster, name, other.name);
      });
    };
    const std::string path = indexed("fleet", index) + ".after";
    for (std::size_t i = 0; i < group.policy.order.after.size(); ++i) {
      const auto& name = group.policy.order.after.names()[i];
      if (!joins_later(name)) continue;
      const std::string item = indexed(path.c_str(), i);
      complain(has(item) ? item : path, "is " + in_quotes(name) +
                                            ", which joins later, while this group is there from the start; required "
                                            "is joins = \"later\" here as well, or after_if_present");
    }
  }

  void somebody_is_there() {
    if (services_ > 0 || !names_known_ || !recorded_.complete()) return;
    const auto* const fleet = checked_.document.at_path("fleet");
    if (fleet != nullptr && (!fleet->sound() || !fleet->items.empty())) return;
    complain("fleet", "has no services; required is at least one [[fleet]] or recorded chaos without \"of\"");
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
    strangers_look_like_nobody(path + ".file", *recorded);
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
    about_entity(checked_.complaints, path, recorded, entity, says);
  }

  void about_entity(Complaints& where, const std::string& path, const Recorded& recorded, std::size_t entity,
                    const std::string& says) {
    where.add_elsewhere(
        checked_.document.position_of(path),
        {recorded_.path_of(recorded), recorded_.line_of(recorded, entity), 1, "entity",
         "is " + in_quotes(recorded.trace.entities[entity]) + ", " + says + " (" + checked_.file + ": " + path + ")"});
  }

  // An entity without a service of its name becomes a service of its own. If its name is nearly that of a service of
  // the fleet, the user probably meant that one: a warning, for the first of each trace.
  void strangers_look_like_nobody(const std::string& path, const Recorded& recorded) {
    std::size_t first = 0;
    std::string_view group;  // of the first
    std::size_t found = 0;
    for (std::size_t entity = 0; entity < recorded.trace.entities.size(); ++entity) {
      const auto& name = recorded.trace.entities[entity];
      if (names_.has_service(name) || names_.has_numbered_group(name)) continue;
      const auto like = names_.group_like(name, scenario_.fleet.size());
      if (like.empty() || ++found > 1) continue;
      first = entity;
      group = like;
    }
    if (found == 0) return;
    std::string says = "which no service of the fleet is called, so it becomes a service of its own with the defaults";
    if (found > 1) says += " (as do " + std::to_string(found - 1) + " more like it)";
    about_entity(checked_.warnings, path, recorded, first,
                 says + "; the services of " + in_quotes(group) + " are called " + names_.services_of(group));
  }

  void check_chaos(std::size_t index) {
    const auto& entry = scenario_.chaos[index];
    const std::string path = indexed("chaos", index);
    if (const auto* const value = checked_.document.at_path(path); value == nullptr || value->refused) return;
    if (!has(path + ".at") && !has(path + ".recorded")) {
      complain(path + ".at", "is missing; required is " + file::describe(file::Form{file::Length{}}) +
                                 " (only recorded chaos begins at 0s by itself)");
    }
    within_duration(path + ".at", entry.at);
    happens_again(path, entry);
    happens_at_all(path + ".at", entry);
    if (entry.required && has_sound(path + ".required") && !reaches_services(entry.what)) {
      complain(path + ".required",
               "stands beside " + in_quotes(key_of(entry.what)) + ", which reaches no service; leave it out");
    }
    std::visit([&](const auto& kind) { check_kind(path, kind); }, entry.what);
    if (const auto* const recorded = std::get_if<Recorded>(&entry.what)) entities_exist(path + ".recorded", *recorded);
  }

  void happens_again(const std::string& path, const ChaosEntry& entry) {
    const std::string every = path + ".every";
    if (!entry.every || !has_sound(every)) return;
    distribution_works(every, *entry.every);
    if (is_always_zero(*entry.every)) {
      complain(every, "is 0s, so it would happen over and over in one moment; required is a length above 0s");
    }
    if (std::holds_alternative<Recorded>(entry.what) || std::holds_alternative<Shutdown>(entry.what)) {
      complain(every, "stands beside \"" +
                          std::string{std::holds_alternative<Shutdown>(entry.what) ? "shutdown" : "recorded"} +
                          "\", which happens once; allowed is a kind of chaos that does not");
    } else if (!entry.until && !scenario_.duration && !scenario_.heal_at) {
      complain(every,
               "goes on for ever, so the rehearsal never ends; required is \"until\" beside it, or a duration or "
               "heal_at of the scenario");
    }
    const std::string until = path + ".until";
    if (!entry.until || !has_sound(until)) return;
    within_duration(until, *entry.until);
    if (*entry.until < entry.at && has_sound(path + ".at"))
      complain(until, "is " + to_string(*entry.until) + ", before the \"at\" of " + to_string(entry.at) +
                          "; allowed is that or later");
  }

  static bool is_always_zero(const Distribution& length) {
    if (const auto* const fixed = std::get_if<Fixed>(&length)) return fixed->value == Duration::zero();
    const auto* const uniform = std::get_if<Uniform>(&length);
    return uniform != nullptr && uniform->max == Duration::zero();
  }

  void happens_at_all(const std::string& path, const ChaosEntry& entry) {
    if (!scenario_.heal_at || entry.at < *scenario_.heal_at || std::holds_alternative<Shutdown>(entry.what)) return;
    warn(path, "is " + to_string(entry.at) + ", and from the heal_at of " + to_string(*scenario_.heal_at) +
                   " on nothing goes wrong: it never happens");
  }

  // What may be drawn of the kinds that have it.
  void lengths_work(const std::string& path, const std::optional<DrawnLength>& length) {
    if (length) distribution_works(path, length->of());
  }

  template <class Kind>
  void check_kind(const std::string& entry, const Kind& kind) {
    const std::string path = entry + '.' + std::string{Kind::kKey};
    if constexpr (requires { kind.target; }) {
      names_exist(path + ".of", kind.target.of);
      if (kind.target.spread) distribution_works(path + ".spread", *kind.target.spread);
    }
    if constexpr (requires { kind.length; }) lengths_work(path + ".for", kind.length);
    if constexpr (RulesOfKind rules{*this, path + '.'}; requires { kind.check(rules); }) kind.check(rules);
  }

  // What a kind may ask and say about its own keys.
  class RulesOfKind {
   public:
    RulesOfKind(ScenarioChecks& checks, std::string path) : checks_(checks), path_(std::move(path)) {}

    [[nodiscard]] bool has(const char* key) const { return checks_.has(path_ + key); }
    [[nodiscard]] std::string in_line(const char* key) const { return checks_.in_line(path_ + key); }
    void complain(const char* key, std::string says) { checks_.complain(path_ + key, std::move(says)); }
    // What is allowed and can never have an effect.
    void warn(const char* key, std::string says) { checks_.warn(path_ + key, std::move(says)); }
    void names_exist(const char* key, const std::vector<std::string>& names) {
      checks_.names_exist(path_ + key, names);
    }
    void is_resource(const char* key, const std::string& name) { checks_.is_resource(path_ + key, name); }
    void length_works(const char* key, const DrawnLength& length) {
      checks_.distribution_works(path_ + key, length.of());
    }
    void backoff_works(const char* key, const BackoffPolicy& policy) { checks_.backoff_works(path_ + key, policy); }
    void exit_rules_work(const ExitRules& rules) { checks_.exit_rules_work(path_, rules); }

   private:
    ScenarioChecks& checks_;
    std::string path_;
  };

  void warn(const std::string& path, std::string says) {
    checked_.warnings.add(checked_.document.position_of(path), path, std::move(says));
  }

  void within_duration(const std::string& path, Duration at) {
    if (!scenario_.duration || !has_sound(path) || at <= *scenario_.duration) return;
    complain(path, "is " + to_string(at) + ", beyond the rehearsal's duration of " + to_string(*scenario_.duration) +
                       "; allowed is 0s to " + to_string(*scenario_.duration));
  }

  void names_exist(const std::string& path, const std::vector<std::string>& of) {
    if (!has_sound(path) || !all_names_known()) return;
    const bool is_array = checked_.document.at_path(path)->kind == TomlValue::Kind::array;
    std::unordered_set<std::string> seen;
    for (std::size_t i = 0; i < of.size() && !full(); ++i) {
      const std::string item = is_array ? indexed(path.c_str(), i) : path;
      if (!seen.insert(of[i]).second) {
        complain(item, "is " + in_quotes(of[i]) + " a second time; allowed is each name once");
      } else if (!is_pattern_of_some(of[i])) {
        name_exists(item, of[i]);
      }
    }
    // A service that is named beside its group would be hit twice.
    for (std::size_t i = 0; i < of.size() && !full(); ++i) {
      const auto numbered = numbered_name(of[i]);
      if (!numbered || names_.has_group(of[i]) || !seen.contains(std::string{numbered->group})) continue;
      if (names_.has_numbered_group(numbered->group)) {
        complain(is_array ? indexed(path.c_str(), i) : path, "is " + in_quotes(of[i]) + ", a service of group " +
                                                                 in_quotes(numbered->group) +
                                                                 ", which is named as well; allowed is one of the two");
      }
    }
  }

  // Of services of the fleet, or of recorded traces.
  [[nodiscard]] bool is_pattern_of_some(const std::string& text) const {
    const auto pattern = NamePattern::parse(text);
    if (!pattern || names_.has_group(text) || names_.has_service(text)) return false;
    const auto of_group = [&](const FleetGroup& group) {
      for (std::uint32_t i = 0; i < group.size(); ++i) {
        if (pattern->matches(group.service_name(i))) return true;
      }
      return false;
    };
    const auto of_record = [&](const ChaosEntry& entry) {
      const auto* const recorded = std::get_if<Recorded>(&entry.what);
      return recorded != nullptr && recorded->of.empty() &&
             std::any_of(recorded->trace.entities.begin(), recorded->trace.entities.end(),
                         [&](const std::string& entity) { return pattern->matches(entity); });
    };
    return std::any_of(scenario_.fleet.begin(), scenario_.fleet.end(), of_group) ||
           std::any_of(scenario_.chaos.begin(), scenario_.chaos.end(), of_record);
  }

  bool name_exists(const std::string& path, const std::string& name) {
    if (names_.has_group(name) || names_.has_service(name)) return true;
    const auto hint = pattern_hint(name);
    complain(path, "is " + in_quotes(name) + ", which is neither a group nor a service; " +
                       (hint.empty() ? names_.suggestion(name) : hint));
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
                         "but " + in_quotes(service) + " is not a service of group " + in_quotes(recorded.of) +
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
    if (expect.after_heal_within) within_duration_after_heal("expect.after_heal_within", *expect.after_heal_within);
    if (expect.all_terminated_by) within_duration("expect.all_terminated_by", *expect.all_terminated_by);
    if (expect.drained_by) within_duration("expect.drained_by", *expect.drained_by);
    if (expect.abandoned_services) abandoned_are_services(*expect.abandoned_services);
    check_properties(expect.properties);
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
        has_figures(path, expect.groups[i]);
      }
    }
  }

  void within_duration_after_heal(const std::string& path, Duration within) {
    if (!has_sound(path)) return;
    if (!scenario_.heal_at) {
      if (!has("heal_at")) complain(path, "needs \"heal_at\" of the scenario, from which it counts");
    } else if (scenario_.duration && saturating_add(*scenario_.heal_at, within) > *scenario_.duration) {
      const Duration most = std::max(*scenario_.duration - *scenario_.heal_at, Duration::zero());
      complain(path, "is " + to_string(within) + ", which ends beyond the rehearsal's duration of " +
                         to_string(*scenario_.duration) + "; allowed is 0s to " + to_string(most));
    }
  }

  void check_properties(const std::vector<ExpectedProperty>& properties) {
    std::unordered_set<std::string> seen;
    for (std::size_t i = 0; i < properties.size() && !full(); ++i) {
      const std::string path = indexed("expect.property", i);
      const auto& property = properties[i];
      if (has_sound(path + ".name") && !seen.insert(property.name).second) {
        complain(path + ".name", "is " + in_quotes(property.name) + " a second time; each property has its own name");
      }
      check_kind(path, property);
      if (property.whenever) check_condition(path + ".whenever", *property.whenever);
      if (property.before) check_condition(path + ".before", *property.before);
      if (has_sound(path + ".from")) within_duration(path + ".from", property.from);
      check_until(path, property);
    }
  }

  void check_kind(const std::string& path, const ExpectedProperty& property) {
    const bool has_eventually = has(path + ".eventually");
    if (property.within && has_sound(path + ".within") && !has_eventually) {
      complain(path + ".within", "goes with \"eventually\" alone; leave it out, or write \"eventually\"");
    }
    for (const char* const kind : {".always", ".never", ".eventually", ".sometimes"}) {
      if (!has(path + kind)) continue;
      std::visit([&](const auto& of) { check_condition(path + kind, of.what); }, property.what);
    }
  }

  void check_until(const std::string& path, const ExpectedProperty& property) {
    if (!property.until || !has_sound(path + ".until")) return;
    within_duration(path + ".until", *property.until);
    if (!has_sound(path + ".from") || *property.until >= property.from) return;
    complain(path + ".until", "is " + to_string(*property.until) +
                                  ", before \"from\" = " + in_quotes(to_string(property.from)) + "; allowed is " +
                                  to_string(property.from) + " or later");
  }

  void check_condition(const std::string& path, const Condition& condition) {
    if (condition.of && has_sound(path + ".of") && all_names_known()) name_exists(path + ".of", *condition.of);
    for (const auto& count : kConditionCounts)
      is_ordered(path + '.' + std::string{count.name}, condition.counts.*count.member);
    for (std::size_t i = kConditionStates; i < kConditionCounts.size(); ++i) {
      if (condition.counts.*kConditionCounts[i].member) return;
    }
    if (has_sound(path + ".window")) {
      complain(path + ".window",
               "has nothing that is counted in it; leave it out, or write \"starts\", \"restarts\" or \"failures\"");
    }
  }

  void has_figures(const std::string& path, const ExpectedOfGroup& expected) {
    if (!expected.availability_min || !has_sound(path + ".name") || names_.has_group(expected.name)) return;
    if (!names_.has_service(expected.name)) return;
    complain(path + ".availability_min",
             "stands beside the name " + in_quotes(expected.name) + ", a service; allowed is the name of a group");
  }

  void counts_are_ordered(const std::string& path, const ExpectedCounts& counts) {
    for (const auto& count : kExpectedCounts) is_ordered(path + '.' + std::string{count.name}, counts.*count.member);
  }

  void is_ordered(const std::string& key, const std::optional<CountRange>& range) {
    if (!range || !has_sound(key) || range->min <= range->max) return;
    complain(key, "has a min of " + std::to_string(range->min) + ", above its max of " + std::to_string(range->max) +
                      "; allowed is a min of 0 to max");
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
  std::map<std::string, std::size_t> resources_;  // by name: the first of it
  bool resources_known_ = true;                   // every name of one could be read
};

}  // namespace

void check_scenario(const CheckedScenario& checked) { ScenarioChecks{checked}.run(); }

}  // namespace holdfast::sim::detail
