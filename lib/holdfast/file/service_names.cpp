#include <holdfast/file/service_names.hpp>

#include <holdfast/file/letters.hpp>
#include <holdfast/file/message_text.hpp>

namespace holdfast::file {

namespace {

constexpr std::size_t kListedMax = 10;

}  // namespace

bool ServiceNames::add(const std::string& name, std::optional<std::uint32_t> count) {
  if (!roster_.add(name, count)) return false;
  by_lower_case_.try_emplace(lower_case(name), roster_.groups().size() - 1);
  return true;
}

std::string_view ServiceNames::group_like(std::string_view name, std::size_t groups) const {
  const std::string lower = lower_case(name);
  const auto find = [&](const std::string& group, bool has_number) -> std::string_view {
    const auto found = by_lower_case_.find(group);
    if (found == by_lower_case_.end() || found->second >= groups) return {};
    const auto& like = roster_.groups()[found->second];
    return like.count.has_value() == has_number ? std::string_view{like.name} : std::string_view{};
  };
  if (const auto single = find(lower, false); !single.empty()) return single;
  const auto dash = lower.rfind('-');
  return dash == std::string::npos ? std::string_view{} : find(lower.substr(0, dash), true);
}

bool ServiceNames::has_numbered_group(std::string_view name) const {
  const auto* const group = find(name);
  return group != nullptr && group->count.has_value();
}

const Roster::Group* ServiceNames::find(std::string_view name) const {
  const auto found = roster_.group(name);
  return found ? &roster_.groups()[*found] : nullptr;
}

std::string ServiceNames::services_of(std::string_view group) const {
  const auto* const found = find(group);
  if (found == nullptr || !found->count) return in_quotes(group);
  const std::string name{group};
  if (*found->count == 1) return in_quotes(name + "-0");
  return in_quotes(name + "-0") + " to " + in_quotes(name + '-' + std::to_string(*found->count - 1));
}

std::string ServiceNames::nearest_name(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const auto& group : roster_.groups()) names.emplace_back(group.name);
  const auto parts = numbered_name(name);
  if (parts) {
    const auto near = nearest(parts->group, names);
    if (!near.empty() && parts->index < find(near)->count.value_or(0)) {
      return std::string{near} + '-' + std::to_string(parts->index);
    }
  }
  return std::string{nearest(name, names)};
}

std::string ServiceNames::suggestion(std::string_view name) const {
  const auto& groups = roster_.groups();
  if (groups.empty()) return "there are no services";
  std::string text = "there are: ";
  for (std::size_t i = 0; i < groups.size() && i < kListedMax; ++i) {
    const auto& group = groups[i];
    text += (i > 0 ? ", " : "") + in_quotes(group.name);
    if (group.count) text += " (" + services_of(group.name) + ")";
  }
  if (groups.size() > kListedMax) text += " and " + std::to_string(groups.size() - kListedMax) + " more";
  return did_you_mean(nearest_name(name), text);
}

}  // namespace holdfast::file
