#include <holdfast_sim/detail/service_names.hpp>

#include <charconv>

#include <holdfast_sim/detail/message_text.hpp>

namespace holdfast::sim::detail {

namespace {

constexpr std::size_t kListedMax = 10;

}  // namespace

std::optional<NumberedName> numbered_name(std::string_view name) noexcept {
  const auto dash = name.rfind('-');
  if (dash == std::string_view::npos || dash + 1 == name.size()) return std::nullopt;
  const auto digits = name.substr(dash + 1);
  if (digits.front() == '0' && digits.size() > 1) return std::nullopt;
  NumberedName parts{name.substr(0, dash), 0};
  const auto* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, parts.index);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return parts;
}

bool ServiceNames::add(const std::string& name, std::optional<std::uint32_t> count) {
  if (!indices_.try_emplace(name, groups_.size()).second) return false;
  groups_.push_back({name, count});
  return true;
}

const ServiceNames::Group* ServiceNames::find(std::string_view name) const {
  const auto found = indices_.find(std::string{name});
  return found == indices_.end() ? nullptr : &groups_[found->second];
}

bool ServiceNames::has_numbered_group(std::string_view name) const {
  const auto* const group = find(name);
  return group != nullptr && group->count.has_value();
}

bool ServiceNames::has_service(std::string_view name) const {
  if (const auto* const single = find(name); single != nullptr && !single->count) return true;
  const auto parts = numbered_name(name);
  if (!parts) return false;
  const auto* const group = find(parts->group);
  return group != nullptr && parts->index < group->count.value_or(0);
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
  for (const auto& group : groups_) names.emplace_back(group.name);
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
  if (groups_.empty()) return "there are no services";
  std::string text = "there are: ";
  for (std::size_t i = 0; i < groups_.size() && i < kListedMax; ++i) {
    const auto& group = groups_[i];
    text += (i > 0 ? ", " : "") + in_quotes(group.name);
    if (group.count) text += " (" + services_of(group.name) + ")";
  }
  if (groups_.size() > kListedMax) text += " and " + std::to_string(groups_.size() - kListedMax) + " more";
  return did_you_mean(nearest_name(name), text);
}

}  // namespace holdfast::sim::detail
