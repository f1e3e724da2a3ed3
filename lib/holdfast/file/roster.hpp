// Which service belongs to which group of a fleet. Every part that needs to know asks here.
//
// Group "feed" with a count of 2 has the services feed-0 and feed-1, and no others: feed-2, feed-01 and feed-x do not
// belong to it. A service that comes with a recorded trace and belongs to no group stands alone.
//
// Thread-safety: a value, safe anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#pragma GCC visibility push(default)

namespace holdfast::file {

inline constexpr std::uint64_t kServicesMax = 2'000'000;  // in one fleet
inline constexpr std::size_t kGroupsMax = 10'000;

// "feed-17" taken apart; nullopt if it does not end in a number as services of a group have it.
struct NumberedName {
  std::string_view group;
  std::uint32_t index = 0;
};
std::optional<NumberedName> numbered_name(std::string_view name) noexcept;

// What the service with this index is called, in a group with a count or without one.
std::string service_name(const std::string& group, std::optional<std::uint32_t> count, std::uint32_t index);

class Roster {
 public:
  // Several services with a count; without one, a single service of this name.
  struct Group {
    std::string name;
    std::optional<std::uint32_t> count;
  };

  // False if a group of that name is there already.
  bool add(const std::string& name, std::optional<std::uint32_t> count);

  [[nodiscard]] const std::vector<Group>& groups() const noexcept { return groups_; }
  // How many services all groups have together.
  [[nodiscard]] std::uint64_t services() const noexcept { return services_; }

  // The group of this name: an index into groups(); nullopt: there is none.
  [[nodiscard]] std::optional<std::size_t> group(std::string_view name) const;
  // The group to which the service of this name belongs: an index into groups(); nullopt: there is no such service.
  [[nodiscard]] std::optional<std::size_t> group_of(std::string_view service) const;

 private:
  std::vector<Group> groups_;
  std::unordered_map<std::string, std::size_t> indices_;  // only looked up, never iterated
  std::uint64_t services_ = 0;
};

}  // namespace holdfast::file

#pragma GCC visibility pop
