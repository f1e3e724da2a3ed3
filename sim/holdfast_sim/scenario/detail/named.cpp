#include <holdfast_sim/scenario/detail/named.hpp>

#include <algorithm>

#include <holdfast_sim/scenario/detail/name_pattern.hpp>

namespace holdfast::sim::detail {

bool is_of(const Roster& roster, std::string_view service, std::string_view name) {
  if (service == name) return true;
  const auto group = roster.group_of(service);
  return group && roster.groups()[*group].name == name;
}

bool is_named(const Roster& roster, std::string_view service, const std::vector<std::string>& names) {
  return names.empty() || std::any_of(names.begin(), names.end(), [&](const std::string& name) {
           if (roster.group(name) || roster.group_of(name)) return is_of(roster, service, name);
           const auto pattern = NamePattern::parse(name);
           return pattern ? pattern->matches(service) : service == name;
         });
}

}  // namespace holdfast::sim::detail
