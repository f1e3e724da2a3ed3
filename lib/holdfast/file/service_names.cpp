#include <holdfast/file/service_names.hpp>

#include <holdfast/file/letters.hpp>
#include <holdfast/file/message_text.hpp>

namespace holdfast::file {

namespace {

constexpr std::size_t kListedMax = 10;

// A name without its case and its separators, by which people tell no services apart: "Web_3" is "web3".
std::string bare_name(std::string_view name) {
  std::string bare = lower_case(name);
  std::erase_if(bare, [](char c) { return c == '-' || c == '_' || c == '.' || c == ':' || c == '#' || c == ' '; });
  return bare;
}

}  // namespace

bool ServiceNames::add(const std::string& name, std::optional<std::uint32_t> count) {
  if (!roster_.add(name, count)) return false;
  by_bare_name_.try_emplace(bare_name(name), roster_.groups().size() - 1);
  return true;
}

std::string_view ServiceNames::group_like(std::string_view name, std::size_t groups) const {
  const auto find = [&](std::string_view group) -> const Roster::Group* {
    const auto found = by_bare_name_.find(bare_name(group));
    return found == by_bare_name_.end() || found->second >= groups ? nullptr : &roster_.groups()[found->second];
  };
  if (const auto* const same = find(name)) return same->name;
  for (std::size_t end = name.size(); end > 0 && is_digit(name[end - 1]); --end) {  // "web3", "web_3"
    const auto* const like = find(name.substr(0, end - 1));
    if (like && like->count) return like->name;
  }
  const auto dash = name.rfind('-');
  const auto* const like = dash == std::string_view::npos ? nullptr : find(name.substr(0, dash));
  return like && like->count ? std::string_view{like->name} : std::string_view{};
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
