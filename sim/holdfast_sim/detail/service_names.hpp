// Who is in a fleet, by name, without the names being written out: group "feed" with a count of 1000 has feed-0 to
// feed-999.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::sim::detail {

// "feed-17" taken apart; nullopt if it does not end in a number as it is written for services.
struct NumberedName {
  std::string_view group;
  std::uint32_t index = 0;
};
std::optional<NumberedName> numbered_name(std::string_view name) noexcept;

class ServiceNames {
 public:
  // False if a group or a single service of that name is there already.
  bool add(const std::string& name, std::optional<std::uint32_t> count);

  // The group of that name, or the service that stands for itself.
  [[nodiscard]] bool has_group(std::string_view name) const { return find(name) != nullptr; }
  // A group with a count.
  [[nodiscard]] bool has_numbered_group(std::string_view name) const;
  [[nodiscard]] bool has_service(std::string_view name) const;

  // The services of a group: "feed-0 to feed-999"; of a single service its name.
  [[nodiscard]] std::string services_of(std::string_view group) const;

  // What is right instead of `name`, which nobody has: the nearest name, and who there is.
  [[nodiscard]] std::string suggestion(std::string_view name) const;

 private:
  struct Group {
    std::string name;
    std::optional<std::uint32_t> count;
  };
  [[nodiscard]] const Group* find(std::string_view name) const;
  [[nodiscard]] std::string nearest_name(std::string_view name) const;

  std::vector<Group> groups_;                             // in the order of adding
  std::unordered_map<std::string, std::size_t> indices_;  // only looked up, never iterated
};

}  // namespace holdfast::sim::detail
