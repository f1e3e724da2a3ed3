// The names of a fleet in messages: which there are, and which one a user may have meant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <holdfast/file/roster.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

class ServiceNames {
 public:
  // False if a group or a single service of that name is there already.
  bool add(const std::string& name, std::optional<std::uint32_t> count);

  // The group of that name, or the single service.
  [[nodiscard]] bool has_group(std::string_view name) const { return find(name) != nullptr; }
  // A group with a count.
  [[nodiscard]] bool has_numbered_group(std::string_view name) const;
  // Of such a group; nullopt: it is none.
  [[nodiscard]] std::optional<std::uint32_t> count_of(std::string_view name) const {
    const auto* const group = find(name);
    return group != nullptr ? group->count : std::nullopt;
  }
  [[nodiscard]] bool has_service(std::string_view name) const { return roster_.group_of(name).has_value(); }

  // The group, among the first `groups` that were added, to which a user may have thought that `name` belongs. It is
  // the group's name, or that of one of its services, in other letter case or with other separators ("W", "w_3", "w3"),
  // or the group's name with something behind a dash that is not one of its numbers. Empty: none. REQUIRES: no service
  // has this name.
  [[nodiscard]] std::string_view group_like(std::string_view name, std::size_t groups) const;

  // The services of a group: "feed-0 to feed-999"; of a single service its name.
  [[nodiscard]] std::string services_of(std::string_view group) const;

  // What to write instead of `name`, which no service has: the nearest name, and the names there are.
  [[nodiscard]] std::string suggestion(std::string_view name) const;

 private:
  [[nodiscard]] const Roster::Group* find(std::string_view name) const;
  [[nodiscard]] std::string nearest_name(std::string_view name) const;

  Roster roster_;
  std::unordered_map<std::string, std::size_t> by_bare_name_;  // the first group of each name, only looked up
};

}  // namespace holdfast::file

#pragma GCC visibility pop
