#include <holdfast/file/roster.hpp>

#include <charconv>
#include <system_error>

namespace holdfast::file {

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

std::string service_name(const std::string& group, std::optional<std::uint32_t> count, std::uint32_t index) {
  return count ? group + '-' + std::to_string(index) : group;
}

bool Roster::add(const std::string& name, std::optional<std::uint32_t> count) {
  if (!indices_.try_emplace(name, groups_.size()).second) return false;
  groups_.push_back({name, count});
  services_ += count.value_or(1);
  return true;
}

std::optional<std::size_t> Roster::group(std::string_view name) const {
  const auto found = indices_.find(std::string{name});
  return found == indices_.end() ? std::nullopt : std::optional{found->second};
}

std::optional<std::size_t> Roster::group_of(std::string_view service) const {
  if (const auto single = group(service); single && !groups_[*single].count) return single;
  const auto parts = numbered_name(service);
  if (!parts) return std::nullopt;
  const auto numbered = group(parts->group);
  return numbered && parts->index < groups_[*numbered].count.value_or(0) ? numbered : std::nullopt;
}

}  // namespace holdfast::file
