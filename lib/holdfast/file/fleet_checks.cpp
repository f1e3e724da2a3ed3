#include <holdfast/file/fleet_checks.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include <holdfast/file/fleet.hpp>
#include <holdfast/file/format_check.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/order.hpp>
#include <holdfast/file/placeholders.hpp>
#include <holdfast/file/probe_text.hpp>

namespace holdfast::file {

void FleetChecks::check_trees(const std::vector<GroupConfig>& trees) {
  for (std::size_t i = 0; i < trees.size() && !full(); ++i) {
    const std::string path = indexed("group", i);
    if (!has_sound(path + ".path")) continue;
    for (const auto& problem : problems(GroupConfig{.path = trees[i].path})) {
      complain(path + '.' + problem.field, problem.says);
    }
    if (const auto [first, is_new] = trees_.try_emplace(trees[i].path, path + ".path"); !is_new) {
      complain(path + ".path", "is " + in_quotes(trees[i].path) + ", as is " + in_line(first->second) +
                                   "; allowed is a path that no other group has");
    }
  }
  for (const auto& [path, key] : trees_) {
    const auto outer = path.substr(0, path.rfind('/'));
    if (outer.empty() || trees_.contains(outer)) continue;
    complain(key, "is " + in_quotes(path) + ", but there is no group " + in_quotes(outer) +
                      ", which it is in; required is a [[group]] with that path");
  }
}

void put_outer_groups_first(std::vector<GroupConfig>& groups) {
  std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
}

void FleetChecks::check_group(const std::string& name, std::optional<std::uint32_t> count, const ServicePolicy& policy,
                              const Program& program) {
  const std::string path = indexed("fleet", groups_.size());
  groups_.push_back(name);
  orders_.push_back(policy.order);
  if (policy.backoff) backoff_works(path + ".backoff", *policy.backoff);
  ends_work(path, policy);
  if (has_sound(path + ".in") && !trees_.contains(policy.group)) {
    std::string known;
    for (const auto& tree : trees_) known += (known.empty() ? "" : ", ") + in_quotes(tree.first);
    complain(path + ".in", "is " + in_quotes(policy.group) + ", which is the path of no group; " +
                               (known.empty() ? "required is a [[group]] with that path" : "there are: " + known));
  }
  if (!program.command.empty()) program_works(path, count, name, program);
  if (program.command.empty() && program.ready) {
    complain(path + ".ready",
             "asks a program, but there is none; it needs \"command\" beside it. In a rehearsal "
             "alone, write ready = \"notified\"");
  }
  if (!has_sound(path + ".name") || (has(path + ".count") && !has_sound(path + ".count"))) {
    names_known_ = false;
    return;
  }
  if (!names_.add(name, count)) {
    complain(path + ".name", "is " + in_quotes(name) + ", as is " + in_line(first_of_name(name)) +
                                 "; allowed is a name that no other group has");
    return;
  }
  const std::uint32_t size = count.value_or(1);
  services_fit(path + (count ? ".count" : ".name"), size);
  const auto longest = service_name(name, count, size - 1).size();
  if (longest > kNameLengthMax) {
    complain(path + ".name", "is " + std::to_string(name.size()) + " bytes long, and " + std::to_string(longest) +
                                 " with its largest number; allowed are up to " + std::to_string(kNameLengthMax) +
                                 " bytes with the number");
  }
}

void FleetChecks::program_works(const std::string& path, std::optional<std::uint32_t> count, const std::string& name,
                                const Program& program) {
  texts_work(path, program);
  for (const auto& [variable_name, text] : program.environment) {
    const std::string variable = path + ".environment." + key_text(variable_name);
    if (variable_name.empty() || variable_name.find('=') != std::string::npos ||
        variable_name.find('\0') != std::string::npos) {
      complain(path + ".environment",
               "has the name " + in_quotes(variable_name) + "; allowed is a name that is not empty, without \"=\"");
    }
    text_works(variable, text);
  }
  log_works(path + ".log", count, program.log);
  probes_work(path, count, name, program);
}

void FleetChecks::probes_work(const std::string& path, std::optional<std::uint32_t> count, const std::string& name,
                              const Program& program) {
  if (program.ready) {
    const std::string ready = path + ".ready";
    probe_works(ready, count, name, *program.ready);
    const auto& by = program.ready->by;
    if (std::holds_alternative<OutputText>(by) && program.log.target() == LogTo::nothing) {
      complain(ready + ".line", "stands beside log.to = \"nothing\", so nobody reads its output; required is a log");
    }
    const bool asks = !std::holds_alternative<OutputText>(by) && !std::holds_alternative<OwnDescriptor>(by);
    for (const char* const key : {".every", ".timeout"}) {
      if (asks || !has(ready + key)) continue;
      complain(ready + key,
               "has no effect: nobody asks, the program speaks by itself. How long that may take is "
               "start_timeout = \"30s\", beside ready");
    }
  }
  if (program.health) {
    probe_works(path + ".health", count, name, *program.health);
    for (const char* const key : {".watchdog", ".watchdog_needs"}) {
      if (!has(path + key)) continue;
      complain(path + key, "stands beside health, which makes a watchdog of its own: " +
                               holdfast::to_string(watchdog_of(program.health->times())) + "; allowed is one of them");
    }
  } else if (has_sound(path + ".watchdog_needs") &&
             document_.at_path(path + ".watchdog_needs")->text == to_string(SignOfLife::health)) {
    complain(path + ".watchdog_needs",
             "is \"health\", but nobody asks the program how it is; write "
             "health = { tcp = 5433 } instead of a watchdog");
  }
}

// Of the first and the last service of a group: the texts may differ by their numbers.
template <class When>
void FleetChecks::probe_works(const std::string& path, std::optional<std::uint32_t> count, const std::string& name,
                              const When& when) {
  for (const auto& [key, time] : {std::pair{".every", when.every}, std::pair{".timeout", when.timeout}}) {
    if (time <= kProbeTimeMax) continue;
    complain(path + key, "is " + holdfast::to_string(time) + "; allowed is " + holdfast::to_string(kProbeTimeMin) +
                             " to " + holdfast::to_string(kProbeTimeMax));
  }
  const auto works = [&](const char* key, const std::string& text, bool (*is_right)(std::string_view)) {
    const std::string whole = path + '.' + key;
    if (!has_sound(whole)) return;
    text_works(whole, text);
    if (!placeholder_fault(text).empty() || is_right == nullptr) return;
    for (const std::uint32_t index : {std::uint32_t{0}, count.value_or(1) - 1}) {
      const auto service = service_name(name, count, index);
      const auto filled = filled_in(text, service, index);
      if (is_right(filled)) continue;
      complain(whole, "is " + in_quotes(filled) + " for " + service +
                          (key == std::string_view{"tcp"} ? "; required is a port from 1 to 65535, perhaps with an "
                                                            "address before it"
                                                          : "; required is an address like "
                                                            "\"http://127.0.0.1:8080/healthz\""));
      return;
    }
  };
  if (const auto* const port = std::get_if<AskedPort>(&when.by)) works("tcp", port->at, is_probe_port);
  if (const auto* const page = std::get_if<AskedPage>(&when.by)) works("http", page->url, is_probe_url);
  if (const auto* const command = std::get_if<AskingCommand>(&when.by)) {
    for (std::size_t i = 0; i < command->words.size() && !full(); ++i) {
      text_works(indexed((path + ".exec").c_str(), i), command->words[i]);
    }
  }
  if constexpr (std::is_same_v<When, ReadyWhen>) {
    if (const auto* const line = std::get_if<OutputText>(&when.by)) {
      works("line", line->text, nullptr);
      if (line->text.find('\n') != std::string::npos) {
        complain(path + ".line", "has a line end; required is a part of one line");
      }
    }
  }
}

void FleetChecks::texts_work(const std::string& path, const Program& program) {
  for (std::size_t i = 0; i < program.command.size() && !full(); ++i) {
    text_works(indexed((path + ".command").c_str(), i), program.command[i]);
  }
  for (std::size_t i = 0; i < program.environment_files.size() && !full(); ++i) {
    text_works(indexed((path + ".environment_files").c_str(), i), program.environment_files[i]);
  }
  errand_works(path + ".before_start", program.before_start);
  errand_works(path + ".after_stop", program.after_stop);
  text_works(path + ".folder", program.folder);
  text_works(path + ".log.path", program.log.path);
}

void FleetChecks::errand_works(const std::string& path, const std::optional<Errand>& errand) {
  if (!errand) return;
  const std::string words = has(path + ".exec") ? path + ".exec" : path;
  for (std::size_t i = 0; i < errand->words.size() && !full(); ++i) {
    text_works(indexed(words.c_str(), i), errand->words[i]);
  }
}

void FleetChecks::text_works(const std::string& path, const std::string& text) {
  if (text.find('\0') != std::string::npos) {
    complain(path, "has a zero byte, which no argument, variable or path can have; leave it out");
    return;
  }
  if (auto fault = placeholder_fault(text); !fault.empty()) complain(path, std::move(fault));
}

void FleetChecks::log_works(const std::string& path, std::optional<std::uint32_t> count, const ProgramLog& log) {
  if (!has_sound(path)) return;
  if (log.path.empty()) {
    if (log.target() == LogTo::file)
      complain(path + ".to", "is \"file\" without a path; write path = \"\xE2\x80\xA6.log\"");
    return;
  }
  if (log.target() != LogTo::file) {
    complain(path + ".path",
             "stands beside to = " + in_quotes(to_string(log.target())) + "; required is to = \"file\"");
  } else if (count.value_or(1) > 1 && !differs_by_service(log.path)) {
    complain(path + ".path",
             "is one file for " + std::to_string(*count) + " services; put ${INDEX} or ${NAME} into it");
  } else if (const auto [first, is_new] = logs_.try_emplace(log.path, path + ".path");
             !is_new && !differs_by_service(log.path)) {
    complain(path + ".path", "is " + in_quotes(log.path) + ", as is " + in_line(first->second) +
                                 "; allowed is a file that no other group writes");
  }
}

std::string FleetChecks::first_of_name(const std::string& name) const {
  const auto first = std::find(groups_.begin(), groups_.end(), name);
  return indexed("fleet", static_cast<std::size_t>(first - groups_.begin())) + ".name";
}

void FleetChecks::services_fit(const std::string& path, std::uint64_t more) {
  const bool fitted = services_ <= kServicesMax;
  services_ += more;
  if (!fitted || services_ <= kServicesMax) return;
  complain(path, "brings the fleet to " + std::to_string(services_) + " services; allowed are up to " +
                     std::to_string(kServicesMax) + " together");
}

void FleetChecks::group_names_are_no_service_names() {
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const auto& name = groups_[i];
    const auto parts = numbered_name(name);
    if (!parts || !names_.has_numbered_group(parts->group) || !names_.has_service(name)) continue;
    complain(indexed("fleet", i) + ".name", "is " + in_quotes(name) + ", which is also a service of group " +
                                                in_quotes(parts->group) + ": " + names_.services_of(parts->group) +
                                                "; allowed is a name that no service of another group has");
  }
}

void FleetChecks::orders_work() {
  if (!names_known_) return;
  Roster roster;
  for (std::size_t i = 0; i < groups_.size(); ++i) roster.add(groups_[i], names_.count_of(groups_[i]));
  if (roster.groups().size() < groups_.size()) return;  // two of one name
  for (std::size_t i = 0; i < orders_.size() && !full(); ++i) {
    const Order& order = orders_[i];
    if (order == Order{}) continue;
    const std::string path = indexed("fleet", i);
    const bool is_known = names_in_order_are_known(path, i, roster);
    const auto services = services_before(order, roster);
    if (services > kAfterMax) {
      complain(path + (order.after.empty() ? ".after_if_present" : ".after"),
               "names " + std::to_string(services) + " services; allowed are up to " + std::to_string(kAfterMax));
    }
    if (const auto circle = is_known ? circle_of(i, orders_, roster) : std::string{}; !circle.empty()) {
      complain(path + (order.after.empty() ? ".after_if_present" : ".after"),
               "makes a circle, in which nobody can start first: " + circle);
    }
    if (order.on_dependency != OnDependency::keep && !order.is_after_any()) {
      warnings_.add(document_.position_of(path + ".on_dependency"), path + ".on_dependency",
                    "is " + in_quotes(to_string(order.on_dependency)) + ", but the group is after no other");
    }
  }
}

// False: it is after itself, or one of its names is unknown.
bool FleetChecks::names_in_order_are_known(const std::string& path, std::size_t group, const Roster& roster) {
  bool known = true;
  const auto look = [&](const char* key, const NameList& list, bool may_be_missing) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto& name = list.names()[i];
      const std::string item = indexed((path + key).c_str(), i);
      const std::string where = has(item) ? item : path + key;
      const auto found = roster.group(name) ? roster.group(name) : roster.group_of(name);
      if (found == group) {
        complain(where, "is " + in_quotes(name) + ", which is the group itself; allowed are other groups");
      } else if (!found && !may_be_missing) {
        complain(where, "is " + in_quotes(name) + ", which is no group and no service; " + names_.suggestion(name));
      }
      known = known && (found ? *found != group : may_be_missing);
    }
  };
  look(".after", orders_[group].after, false);
  look(".after_if_present", orders_[group].after_if_present, true);
  return known;
}

void FleetChecks::backoff_works(const std::string& path, const BackoffPolicy& policy) {
  if (!has_sound(path)) return;
  const std::string outer = path.substr(0, path.rfind('.') + 1);
  for (const auto& problem : problems(policy)) {
    auto& where = problem.severity == Problem::Severity::error ? complaints_ : warnings_;
    where.add(document_.position_of(outer + problem.field), outer + problem.field,
              problem.says + about_default_max(path, problem));
  }
}

void FleetChecks::exit_rules_work(const std::string& prefix, const ExitRules& rules) {
  for (const auto& problem : problems(ServicePolicy{.exit_rules = rules})) {
    complain(prefix + problem.field, problem.says);
  }
}

// What an exit status means, and what follows a clean end.
void FleetChecks::ends_work(const std::string& path, const ServicePolicy& policy) {
  exit_rules_work(path + '.', policy.exit_rules);
  if (supervisor_ == nullptr) return;
  std::vector<Problem> found;
  warn_of_endless_clean_ends(found, in_force(policy, *supervisor_), *supervisor_);
  for (const auto& problem : found) {
    const std::string own = path + '.' + problem.field;
    const std::string where = has(own) ? own : path + ".restart";
    warnings_.add(document_.position_of(where), where == own ? own : path + ".restart", problem.says);
  }
}

// A user who set a base and no max may not know the max that it exceeds.
std::string FleetChecks::about_default_max(const std::string& path, const Problem& problem) const {
  if (problem.field != "backoff.base" || problem.severity != Problem::Severity::error) return "";
  if (has(path + ".max") || has(path + ".preset")) return "";
  return "; this max is the default: write a max of your own above the base";
}

bool FleetChecks::has_sound(const std::string& path) const {
  const auto* const value = document_.at_path(path);
  return value != nullptr && value->sound();
}

void FleetChecks::complain(const std::string& path, std::string says) {
  complaints_.add(document_.position_of(path), path, std::move(says));
}

std::string FleetChecks::in_line(const std::string& path) const {
  return path + " in line " + std::to_string(document_.position_of(path).line);
}

}  // namespace holdfast::file
